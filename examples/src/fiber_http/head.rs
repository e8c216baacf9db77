//! The head of a request: what is asked, and where the request ends.

use super::connection::Refused;

/// How long a head may be, and how many headers it may have.
pub(super) const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// How long a body may be.
const BODY_BYTES: usize = 1024 * 1024;

pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    /// Its length.
    pub(super) bytes: usize,
    pub(super) body_bytes: usize,
    /// The peer wants no other answer on this connection.
    pub(super) last: bool,
}

impl Head {
    /// `None` if there is more of it to come.
    pub(super) fn parse(received: &[u8]) -> Result<Option<Self>, Refused> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let bytes = match parsed.parse(received) {
            Ok(httparse::Status::Complete(bytes)) => bytes,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Refused::With(431, "the request has too many headers"));
            }
            Err(_) => return Err(Refused::With(400, "this is not HTTP/1.1")),
        };
        let (mut body_bytes, mut last) = (None, parsed.version == Some(0));
        for header in &*parsed.headers {
            let value = str::from_utf8(header.value).unwrap_or_default().trim();
            if header.name.eq_ignore_ascii_case("content-length") {
                body_bytes = Some(body_length(value, body_bytes)?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(Refused::With(501, "send the body with its length"));
            } else if header.name.eq_ignore_ascii_case("connection") {
                let asks = |what: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(what));
                last = asks("close") || (last && !asks("keep-alive"));
            }
        }
        let [method, target] = [parsed.method, parsed.path].map(|word| word.unwrap_or_default().to_string());
        Ok(Some(Self { method, target, bytes, body_bytes: body_bytes.unwrap_or(0), last }))
    }
}

/// Two lengths are a way to smuggle a request past others.
fn body_length(value: &str, before: Option<usize>) -> Result<usize, Refused> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(length) if is_number && before.is_none_or(|before| before == length) => {
            if length > BODY_BYTES {
                Err(Refused::With(413, "the body is too long"))
            } else {
                Ok(length)
            }
        }
        _ => Err(Refused::With(400, "the length of the body makes no sense")),
    }
}
