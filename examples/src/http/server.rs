//! A small static file server.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro_core::net::{TcpListener, TcpStream};
use coro_core::{JoinHandle, native, time};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use url::Url;

use super::{Found, HyperIo, Source};

/// How long the server waits when no connection can be accepted, for lack of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server on the running loop: it answers `GET` and `HEAD` from a [`Source`], and keeps connections open.
///
/// Dropping it ends it, like [`stop`](Self::stop) without the wait.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Rc<Shared>,
    accepting: JoinHandle<()>,
}

/// What a server has done so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// How many connections were accepted.
    pub accepted: usize,
    /// How many of them are open.
    pub open: usize,
    /// The most that were open at once.
    pub most_open: usize,
    /// How many requests were answered.
    pub requests: usize,
}

struct Shared {
    source: Source,
    statistics: Cell<Statistics>,
    connections: RefCell<Vec<JoinHandle<()>>>,
}

impl Server {
    /// Listens at `address`, and begins to serve `source`. Port 0 chooses one.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::bind`].
    pub fn start(address: SocketAddr, source: Source) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_address();
        let shared = Rc::new(Shared { source, statistics: Cell::default(), connections: RefCell::default() });
        let accepting = native::spawn(accept(listener, Rc::clone(&shared))).named("server");
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path of this server.
    ///
    /// # Errors
    ///
    /// If `path` does not begin with a slash, it may not make a URL.
    pub fn url(&self, path: &str) -> Result<Url, url::ParseError> {
        Url::parse(&format!("http://{}{path}", self.address))
    }

    /// What it has done so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics.get()
    }

    /// Ends the server: no new connections, and the present ones are closed when it returns.
    pub async fn stop(mut self) {
        self.cancel();
        drop((&mut self.accepting).await);
        let connections = self.shared.connections.take();
        for connection in connections {
            drop(connection.await);
        }
    }

    fn cancel(&self) {
        self.accepting.cancel();
        for connection in &*self.shared.connections.borrow() {
            connection.cancel();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Statistics)) {
        let mut statistics = self.statistics.get();
        change(&mut statistics);
        self.statistics.set(statistics);
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        self.count(|statistics| statistics.requests += 1);
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let allowed = HeaderValue::from_static("GET, HEAD");
            return plain(StatusCode::METHOD_NOT_ALLOWED, ALLOW, allowed);
        }
        match self.source.find(request.uri().path()) {
            Found::File(body, kind) => {
                // hyper leaves the body out of the answer to a HEAD, and keeps its length.
                let mut response = Response::new(Full::new(body));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                response
            }
            Found::WithSlash => match HeaderValue::from_str(&with_slash(request.uri())) {
                Ok(location) => plain(StatusCode::MOVED_PERMANENTLY, LOCATION, location),
                Err(_unspeakable) => not_found(),
            },
            Found::Nothing => not_found(),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("source", &self.source)
            .field("statistics", &self.statistics.get())
            .finish_non_exhaustive()
    }
}

async fn accept(mut listener: TcpListener, shared: Rc<Shared>) {
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = native::spawn(serve(stream, Rc::clone(&shared))).named("server connection");
        let mut connections = shared.connections.borrow_mut();
        connections.retain(|connection| !connection.is_done());
        connections.push(connection);
    }
}

async fn serve(stream: TcpStream, shared: Rc<Shared>) {
    let _open = Open::new(&shared);
    let service = service_fn(|request: Request<Incoming>| {
        let response = shared.answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    // An error is the client's: it went away, or did not speak HTTP. It has been told.
    drop(
        http1::Builder::new().header_read_timeout(None).serve_connection(HyperIo::new(stream), service).await,
    );
}

/// Counts a connection while it is open, however it ends.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.count(|statistics| {
            statistics.accepted += 1;
            statistics.open += 1;
            statistics.most_open = statistics.most_open.max(statistics.open);
        });
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.count(|statistics| statistics.open -= 1);
    }
}

fn not_found() -> Response<Full<Bytes>> {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    plain(StatusCode::NOT_FOUND, CONTENT_TYPE, kind)
}

/// An answer whose body is its reason.
fn plain(status: StatusCode, name: hyper::header::HeaderName, value: HeaderValue) -> Response<Full<Bytes>> {
    let reason = status.canonical_reason().unwrap_or_default().to_ascii_lowercase();
    let mut response = Response::new(Full::new(reason.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response
}

/// What was asked for, as it was written, with a slash at the end of its path.
fn with_slash(asked: &Uri) -> String {
    // Two slashes at the front would name a host.
    let path = asked.path().trim_start_matches('/');
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{path}/{query}")
}
