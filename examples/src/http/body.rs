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
    /// `None` if the body is sent as it is.
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    /// Whether anything has come: an empty body is no valid gzip, and still what many servers send.
    begun: bool,
    produced: u64,
    limit: u64,
}

impl Decoder {
    pub(super) fn new(headers: &HeaderMap, limit: u64) -> Result<Self, FetchError> {
        let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
        let gzip = match encoding.to_ascii_lowercase().as_slice() {
            b"" | b"identity" => None,
            b"gzip" | b"x-gzip" => Some(MultiGzDecoder::new(Vec::new())),
            other => {
                let name = String::from_utf8_lossy(other).into_owned();
                return Err(FetchError::Encoding(format!("'{name}' was not asked for")));
            }
        };
        Ok(Self { gzip, begun: false, produced: 0, limit })
    }

    /// Whether the number of bytes sent is that of the body.
    pub(super) fn is_identity(&self) -> bool {
        self.gzip.is_none()
    }

    /// Decodes what came. The result may be empty: some input makes no output yet.
    pub(super) fn decode(&mut self, bytes: Bytes) -> Result<Bytes, FetchError> {
        self.begun |= !bytes.is_empty();
        let Some(gzip) = &mut self.gzip else { return self.count(bytes) };
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
        let Some(mut gzip) = self.gzip.take_if(|_| self.begun) else { return Ok(Bytes::new()) };
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
