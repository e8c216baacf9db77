//! The connections of a session: those that are kept for the next request, and how new ones are made.

use std::collections::VecDeque;
use std::net::SocketAddr;

use coro_core::net::TcpStream;
use coro_core::{JoinHandle, native};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use url::Url;

use super::limit::Permit;
use super::{FetchError, HyperIo, resolve};

/// The body of a request: none is ever sent.
pub(super) type NoBody = Empty<Bytes>;

/// Where a connection leads: scheme, host and port.
pub(super) type Origin = (String, String, u16);

/// The origin of `url`, if this client can reach it.
pub(super) fn origin(url: &Url) -> Result<Origin, FetchError> {
    match url.scheme() {
        "http" => {}
        "https" => return Err(FetchError::Tls),
        other => return Err(FetchError::Scheme(other.to_string())),
    }
    let host = url.host_str().ok_or(FetchError::NoHost)?;
    Ok((url.scheme().to_string(), host.to_string(), url.port_or_known_default().unwrap_or(80)))
}

/// An open connection. Dropping it closes it, in the next turn of the loop.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: SendRequest<NoBody>,
    _driver: Driver,
}

/// The task that moves the bytes of a connection; it ends with the connection.
#[derive(Debug)]
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Connection {
    /// Opens a connection to the host of `url`, trying its addresses in order. It takes `slot`, the right to be open,
    /// until it is closed in truth: a connection that is dropped is open until its task has been told.
    pub(super) async fn open(url: &Url, slot: Permit) -> Result<Self, FetchError> {
        let mut last = FetchError::NoHost;
        for address in resolve::addresses(url).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Self::begin(stream, address, slot).await,
                Err(error) => last = FetchError::Connect { address, error },
            }
        }
        Err(last)
    }

    async fn begin(stream: TcpStream, address: SocketAddr, slot: Permit) -> Result<Self, FetchError> {
        let (sender, connection) = http1::handshake::<_, NoBody>(HyperIo::new(stream))
            .await
            .map_err(|error| FetchError::of_request(&error))?;
        let driver = native::spawn(async move {
            // Whoever waits for the response is told of the error as well.
            drop(connection.await);
            drop(slot);
        });
        Ok(Self { sender, _driver: Driver(driver.named(&format!("connection to {address}"))) })
    }
}

/// The connections that wait for their next request, the one that has waited longest first.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: VecDeque<(Origin, Connection)>,
}

impl Pool {
    /// The connection to `origin` that was used last, if one is still open.
    pub(super) fn take(&mut self, origin: &Origin) -> Option<Connection> {
        self.idle.retain(|(_, connection)| !connection.sender.is_closed());
        let index = self.idle.iter().rposition(|(other, _)| other == origin)?;
        self.idle.remove(index).map(|(_, connection)| connection)
    }

    pub(super) fn put(&mut self, origin: Origin, connection: Connection) {
        if !connection.sender.is_closed() {
            self.idle.push_back((origin, connection));
        }
    }

    /// Closes those that have waited longest, down to `count`.
    pub(super) fn shrink_to(&mut self, count: usize) {
        let excess = self.idle.len().saturating_sub(count);
        self.idle.drain(..excess);
    }
}
