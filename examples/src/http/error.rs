//! How a fetch can fail.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why there is no response, or no whole one. The message is one line; the server's own words in it are as they came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is not a URL.
    #[error("not a valid URL: {0}")]
    InvalidUrl(#[from] url::ParseError),
    /// The URL names no host.
    #[error("not a valid URL: it names no host")]
    NoHost,
    /// `https`, which needs TLS.
    #[error("https is not supported: TLS is not built in yet")]
    Tls,
    /// Neither `http` nor `https`.
    #[error("the scheme '{0}' is not supported: use http")]
    Scheme(String),
    /// The name of the host leads nowhere.
    #[error("cannot resolve {host}: {error}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// No connection could be opened.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The server speaks something else.
    #[error("the server does not speak HTTP: {0}")]
    NotHttp(String),
    /// The connection ended before the head of a response.
    #[error("the server disconnected without an answer")]
    Disconnected,
    /// The connection ended within the body.
    #[error("the body is cut short")]
    Truncated,
    /// The body is larger than the session allows.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// What the session allows.
        limit: u64,
    },
    /// One redirection led to another, and so on.
    #[error("redirect loop: more than {limit} redirects")]
    TooManyRedirects {
        /// What the session allows.
        limit: usize,
    },
    /// A redirection to something that is no URL.
    #[error("the redirection to '{0}' leads nowhere")]
    BadRedirect(String),
    /// It took longer than the session allows.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The body is not what its `Content-Encoding` says.
    #[error("the body cannot be decoded: {0}")]
    Encoding(String),
    /// The status is 400 or more, and [`Response::raise_for_status`](super::Response::raise_for_status) was asked.
    #[error("{reason}")]
    Status {
        /// The status.
        status: u16,
        /// The words that came with it.
        reason: String,
    },
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(String),
}

impl FetchError {
    /// The status of the response, if the error is about that.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What hyper says about a request that got no response.
    pub(super) fn of_request(error: &hyper::Error) -> Self {
        // A request that was given up because of what the server said before it was asked.
        let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
        let unasked = cause.filter(|cause| error.is_canceled() && !is_disconnect(cause));
        if let Some(error) = Some(error).filter(|error| error.is_parse()).or(unasked) {
            Self::NotHttp(one_line(error))
        } else if is_disconnect(error) {
            Self::Disconnected
        } else {
            Self::Connection(one_line(error))
        }
    }

    /// What hyper says about a body.
    pub(super) fn of_body(error: &hyper::Error) -> Self {
        if is_disconnect(error) { Self::Truncated } else { Self::Connection(one_line(error)) }
    }
}

/// Whether the other end has gone away: an orderly end of the stream at the wrong place, or a reset.
pub(super) fn is_disconnect(error: &hyper::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    let kind = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let gone = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || kind.is_some_and(|kind| gone.contains(&kind))
}

/// An error and its causes, on one line.
fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.replace(['\r', '\n'], " ")
}
