//! Decoding a body as it comes.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, HeaderValue};

use super::FetchError;

/// How much compressed data is decoded at once. A kilobyte makes a megabyte at most, so that a body which is all
/// compression is found out before it has filled the memory.
const STEP_BYTES: usize = 1024;

/// Undoes the `Content-Encoding`, and watches the size.
#[derive(Debug)]
pub(super) struct Decoder {
    coding: Coding,
    /// Whether anything has come: an empty body is no valid gzip, and still what many servers send.
    begun: bool,
    produced: u64,
    limit: u64,
}

#[derive(Debug)]
enum Coding {
    /// The body is sent as it is.
    Identity,
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// Something that was not asked for. It matters to those only who want the body.
    Unknown(String),
}

impl Decoder {
    pub(super) fn new(headers: &HeaderMap, limit: u64) -> Self {
        let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
        let coding = match encoding.to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Coding::Identity,
            b"gzip" | b"x-gzip" => Coding::Gzip(MultiGzDecoder::new(Vec::new())),
            other => Coding::Unknown(String::from_utf8_lossy(other).into_owned()),
        };
        Self { coding, begun: false, produced: 0, limit }
    }

    /// Whether the body can be of use, as far as is known, if at least `coming` more bytes of it are sent.
    pub(super) fn check(&self, coming: u64) -> Result<(), FetchError> {
        match &self.coding {
            Coding::Unknown(name) => Err(FetchError::Encoding(format!("'{name}' was not asked for"))),
            Coding::Identity if coming > self.limit => Err(FetchError::TooLarge { limit: self.limit }),
            _ => Ok(()),
        }
    }

    /// Decodes what came. The result may be empty: some input makes no output yet.
    pub(super) fn decode(&mut self, bytes: Bytes) -> Result<Bytes, FetchError> {
        self.begun |= !bytes.is_empty();
        let Coding::Gzip(gzip) = &mut self.coding else { return self.count(bytes) };
        for step in bytes.chunks(STEP_BYTES) {
            gzip.write_all(step).map_err(|error| FetchError::Encoding(error.to_string()))?;
            if self.produced + gzip.get_ref().len() as u64 > self.limit {
                return Err(FetchError::TooLarge { limit: self.limit });
            }
        }
        let decoded = std::mem::take(gzip.get_mut());
        self.count(decoded.into())
    }

    /// What is left at the end of the body.
    pub(super) fn finish(&mut self) -> Result<Bytes, FetchError> {
        let Coding::Gzip(gzip) = &mut self.coding else { return Ok(Bytes::new()) };
        if !self.begun {
            return Ok(Bytes::new());
        }
        gzip.try_finish().map_err(|error| FetchError::Encoding(error.to_string()))?;
        let rest = std::mem::take(gzip.get_mut());
        self.count(rest.into())
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes, FetchError> {
        self.produced += bytes.len() as u64;
        if self.produced > self.limit {
            return Err(FetchError::TooLarge { limit: self.limit });
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_bomb_is_decoded_in_bounded_steps() {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..32 {
            bomb.write_all(&[0; 1024 * 1024]).unwrap();
        }
        let bomb = Bytes::from(bomb.finish().unwrap());
        assert!(bomb.len() < 64 * 1024);

        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let mut decoder = Decoder::new(&headers, 1000);
        assert!(matches!(decoder.decode(bomb), Err(FetchError::TooLarge { limit: 1000 })));
        let Coding::Gzip(gzip) = &decoder.coding else { panic!("{decoder:?}") };
        // A byte of gzip makes 1032 at most, and the decoder has a buffer of its own.
        let decoded = gzip.get_ref().capacity();
        assert!(decoded <= 4 * 1024 * 1024, "{decoded} bytes were decoded");
    }
}
