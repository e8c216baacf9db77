//! A connection of an HTTP/1.1 server, in plain synchronous code: it would serve a [`std::net::TcpStream`] as well.

use std::io::{self, Read, Write};

use super::{Request, Response};

/// How long a head may be, and how many headers it may have.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// How long a body may be.
const BODY_BYTES: usize = 1024 * 1024;

/// Answers one request after the other, until the peer has no more, or asks to close, or makes no sense.
///
/// # Errors
///
/// Those of `stream`. What the peer does wrong is answered, as far as it can be.
pub fn serve_connection<S: Read + Write>(
    mut stream: S,
    handle: impl Fn(&Request) -> Response,
) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        match next_request(&mut stream, &mut received) {
            Ok(None) => return Ok(()),
            Ok(Some((request, last))) => {
                handle(&request).write(&mut stream, request.method == "HEAD", last)?;
                if last {
                    return Ok(());
                }
            }
            Err(Refused::Io(error)) => return Err(error),
            Err(Refused::With(status, why)) => {
                return Response::text(status, why).write(&mut stream, false, true);
            }
        }
    }
}

/// Why a request is not handled.
enum Refused {
    Io(io::Error),
    With(u16, &'static str),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What follows from the head of a request.
struct Head {
    request: Request,
    bytes: usize,
    body_bytes: usize,
    last: bool,
}

/// The next request, and whether it is the last. What was received beyond it stays in `received`.
fn next_request(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<Option<(Request, bool)>, Refused> {
    let mut head = loop {
        if let Some(head) = parse_head(received)? {
            break head;
        }
        if received.len() > HEAD_BYTES {
            return Err(Refused::With(431, "the head of the request is too long"));
        }
        if receive(stream, received)? == 0 {
            return if received.is_empty() {
                Ok(None)
            } else {
                Err(Refused::Io(io::ErrorKind::UnexpectedEof.into()))
            };
        }
    };
    let end = head.bytes + head.body_bytes;
    while received.len() < end {
        if receive(stream, received)? == 0 {
            return Err(Refused::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    head.request.body = received[head.bytes..end].to_vec();
    received.drain(..end);
    Ok(Some((head.request, head.last)))
}

fn receive(stream: &mut impl Read, received: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 2048];
    let count = stream.read(&mut chunk)?;
    received.extend_from_slice(&chunk[..count]);
    Ok(count)
}

fn parse_head(received: &[u8]) -> Result<Option<Head>, Refused> {
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
            // Two lengths are a way to smuggle a request past others.
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            match value.parse::<usize>() {
                Ok(length) if digits && body_bytes.is_none_or(|before| before == length) => {
                    body_bytes = Some(length)
                }
                _ => return Err(Refused::With(400, "the length of the body makes no sense")),
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Refused::With(501, "send the body with its length"));
        } else if header.name.eq_ignore_ascii_case("connection") {
            let asks = |what: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(what));
            last = asks("close") || (last && !asks("keep-alive"));
        }
    }
    let body_bytes = body_bytes.unwrap_or(0);
    if body_bytes > BODY_BYTES {
        return Err(Refused::With(413, "the body is too long"));
    }
    let [method, target] = [parsed.method, parsed.path].map(|word| word.unwrap_or_default().to_string());
    Ok(Some(Head { request: Request { method, target, body: Vec::new() }, bytes, body_bytes, last }))
}
