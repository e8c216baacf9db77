//! A connection of an HTTP/1.1 server, in plain synchronous code: it would serve a [`std::net::TcpStream`] as well.

use std::io::{self, ErrorKind, Read, Write};

use super::head::{HEAD_BYTES, Head};
use super::{Request, Response};

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
            Err(Refused::With(status, why)) => {
                return Response::text(status, why).write(&mut stream, false, true);
            }
            Err(Refused::Io(error)) => return Err(error),
        }
    }
}

/// Why a request is not handled.
pub(super) enum Refused {
    With(u16, &'static str),
    Io(io::Error),
}

impl Refused {
    /// The peer has gone in the middle of it.
    fn cut_off() -> Self {
        Self::Io(ErrorKind::UnexpectedEof.into())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The next request, and whether it is the last. What was received beyond it stays in `received`.
fn next_request(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<Option<(Request, bool)>, Refused> {
    let head = loop {
        if let Some(head) = Head::parse(received)? {
            break head;
        }
        if received.len() > HEAD_BYTES {
            return Err(Refused::With(431, "the head of the request is too long"));
        }
        if !receive(stream, received)? {
            return if received.is_empty() { Ok(None) } else { Err(Refused::cut_off()) };
        }
    };
    let end = head.bytes + head.body_bytes;
    while received.len() < end {
        if !receive(stream, received)? {
            return Err(Refused::cut_off());
        }
    }
    let body = received[head.bytes..end].to_vec();
    received.drain(..end);
    Ok(Some((Request { method: head.method, target: head.target, body }, head.last)))
}

/// Waits for more. False if there is none.
fn receive(stream: &mut impl Read, received: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 2048];
    let count = stream.read(&mut chunk)?;
    received.extend_from_slice(&chunk[..count]);
    Ok(count > 0)
}
