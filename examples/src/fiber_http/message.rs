//! What is asked, and answered.

use std::io::{self, Write};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// As it was written.
    pub method: String,
    /// As it was written, with the query.
    pub target: String,
    /// Empty, if there is none.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// From 200 to 599.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a body of this type.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, body: body.into() }
    }

    /// An answer for people to read.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.into())
    }

    /// Writes it in one go; without the body, if the request was a `HEAD`.
    pub(super) fn write(&self, stream: &mut impl Write, head_only: bool, last: bool) -> io::Result<()> {
        let (status, reason, length) = (self.status, reason(self.status), self.body.len());
        let mut bytes = Vec::with_capacity(256 + length);
        write!(bytes, "HTTP/1.1 {status} {reason}\r\ncontent-type: {}\r\n", self.content_type)?;
        write!(bytes, "content-length: {length}\r\n{}\r\n", if last { "connection: close\r\n" } else { "" })?;
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        stream.write_all(&bytes)
    }
}

/// Nobody reads it but people.
fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")
}
