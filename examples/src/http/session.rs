//! A client session: aiohttp's `ClientSession`, as far as a crawler needs it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro_core::time::{self, Time};
use futures::future::{Either, select};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HOST, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use url::{Position, Url};

use super::error::is_disconnect;
use super::limit::{Limit, Permit};
use super::pool::{Connection, NoBody, Origin, Pool, origin};
use super::{FetchError, Response};

/// What a session allows.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many connections may be open at once.
    pub connections: usize,
    /// How long one request may take, from its call to the end of the body, with everything in between. On the
    /// clock of the loop.
    pub timeout: Option<Duration>,
    /// How many redirections are followed. The next one is an error.
    pub redirects: usize,
    /// How large a decoded body may be.
    pub body_bytes: u64,
}

impl Default for Settings {
    /// aiohttp's 100 connections and five minutes; and bodies of 8 MiB.
    ///
    /// Ten redirections are followed, so that the eleventh answer may be the page, and is an error if it leads on.
    /// aiohttp has the same number, but counts the answers: the tenth one that leads on is its error.
    fn default() -> Self {
        Self {
            connections: 100,
            timeout: Some(Duration::from_secs(300)),
            redirects: 10,
            body_bytes: 8 * 1024 * 1024,
        }
    }
}

/// Makes requests, and keeps the connections between them. Cloning gives another handle to the same session;
/// dropping the last one closes the connections.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop};
/// use coro_examples::http::{Server, Session, Settings, Source};
///
/// let body = Loop::simulated().run(async {
///     let source = Source::pages("/", [("/", "hello")]);
///     let server = Server::start("127.0.0.1:0".parse().unwrap(), source).unwrap();
///     let session = Session::new(Settings::default());
///     let mut response = session.get(&server.url("/").unwrap()).await.unwrap();
///     response.chunk().await.unwrap()
/// });
/// assert_eq!(body.unwrap().unwrap(), "hello");
/// ```
#[derive(Clone)]
pub struct Session(Rc<Shared>);

struct Shared {
    settings: Settings,
    /// How many requests may be on their way.
    limit: Rc<Limit>,
    /// How many connections may be open: those in use, those that are kept, and those that are about to close.
    slots: Rc<Limit>,
    pool: RefCell<Pool>,
    /// How often the session was closed.
    closings: Cell<u64>,
}

impl Session {
    /// A session without connections.
    pub fn new(settings: Settings) -> Self {
        let [limit, slots] = [settings.connections; 2].map(Limit::new);
        let (pool, closings) = (RefCell::default(), Cell::default());
        Self(Rc::new(Shared { settings, limit, slots, pool, closings }))
    }

    /// Requests `url`, follows redirections, and gives the head of the answer. What is wrong with its body is the
    /// business of those who read it, and the body of a redirection is nobody's.
    ///
    /// A kept connection that the server has closed in the meantime is replaced by a fresh one, once.
    ///
    /// # Errors
    ///
    /// [`FetchError`]. A status of 400 or more is none: see [`Response::raise_for_status`].
    ///
    /// # Cancellation
    ///
    /// Strict: a connection with an unanswered request is closed.
    pub fn get(&self, url: &Url) -> impl Future<Output = Result<Response, FetchError>> + use<> {
        let (session, url) = (self.clone(), url.clone());
        async move {
            let deadline = Deadline::in_future(session.0.settings.timeout);
            deadline.limit(session.follow(url, deadline)).await?
        }
    }

    /// Closes the connections that wait for a request. Those in use are closed with their responses, even if these
    /// are read to their ends. A request that is made later opens new ones.
    pub fn close(&self) {
        self.0.closings.set(self.0.closings.get() + 1);
        // A statement of its own: the borrow ends before the destructors run.
        let pool = std::mem::take(&mut *self.0.pool.borrow_mut());
        drop(pool);
    }

    async fn follow(&self, mut url: Url, deadline: Deadline) -> Result<Response, FetchError> {
        let Settings { redirects, body_bytes, .. } = self.0.settings;
        let closings = self.0.closings.get();
        for _ in 0..=redirects {
            let (response, lease) = self.ask(&url, closings).await?;
            let Some(location) = location(&response) else {
                return Ok(Response::new(response, url, lease, deadline, body_bytes));
            };
            let target = url.join(&location).map_err(|_| FetchError::BadRedirect(location))?;
            Response::new(response, url, lease, deadline, body_bytes).release().await;
            url = target;
        }
        Err(FetchError::TooManyRedirects { limit: redirects })
    }

    /// One request and its answer.
    async fn ask(&self, url: &Url, closings: u64) -> Result<(hyper::Response<Incoming>, Lease), FetchError> {
        let origin = origin(url)?;
        let request = request(url)?;
        let permit = self.0.limit.acquire().await;
        let lease = |connection| Lease {
            session: self.clone(),
            origin: origin.clone(),
            connection,
            closings,
            _permit: permit,
        };
        let kept = self.0.pool.borrow_mut().take(&origin);
        if let Some(mut connection) = kept {
            // The end of the last body may still have to be noticed.
            if connection.sender.ready().await.is_ok() {
                match connection.sender.try_send_request(request.clone()).await {
                    Ok(response) => return Ok((response, lease(connection))),
                    // The server had closed it: a GET that got no answer may be sent again.
                    Err(error) if error.message().is_some() || is_disconnect(error.error()) => {}
                    Err(error) => return Err(FetchError::of_request(error.error())),
                }
            }
        }
        let mut connection = Connection::open(url, self.slot().await).await?;
        match connection.sender.send_request(request).await {
            Ok(response) => Ok((response, lease(connection))),
            Err(error) => Err(FetchError::of_request(&error)),
        }
    }

    /// Waits for the right to open a connection, given that to make a request.
    ///
    /// A kept connection is open too: for each request on its way there must be one kept less. Then the wait ends,
    /// because those that were closed, here or elsewhere, are gone in a turn of the loop.
    async fn slot(&self) -> Permit {
        let kept = self.0.settings.connections.max(1).saturating_sub(self.0.limit.in_use());
        self.0.pool.borrow_mut().shrink_to(kept);
        self.0.slots.acquire().await
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.0.settings)
            .field("limit", &self.0.limit)
            .field("slots", &self.0.slots)
            .field("pool", &self.0.pool)
            .finish()
    }
}

/// A connection that is in use, and the right to use it. Dropping it closes the connection.
pub(super) struct Lease {
    session: Session,
    origin: Origin,
    connection: Connection,
    /// How often the session had been closed when the request was made.
    closings: u64,
    _permit: Permit,
}

impl Lease {
    /// Keeps the connection for the next request, unless the session was closed meanwhile. The body of the last one
    /// must be over.
    pub(super) fn give_back(self) {
        let shared = &self.session.0;
        if shared.closings.get() == self.closings {
            shared.pool.borrow_mut().put(self.origin, self.connection);
        }
    }
}

/// The end of the time for one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<(Time, Duration)>);

impl Deadline {
    pub(super) fn in_future(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| (time::now() + timeout, timeout)))
    }

    /// Waits for `work`, but not for longer.
    pub(super) async fn limit<F: Future>(self, work: F) -> Result<F::Output, FetchError> {
        let Some((end, timeout)) = self.0 else { return Ok(work.await) };
        match select(pin!(work), pin!(time::sleep_until(end))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(FetchError::Timeout(timeout)),
        }
    }
}

fn request(url: &Url) -> Result<Request<NoBody>, FetchError> {
    let invalid = |error: hyper::http::Error| FetchError::Connection(error.to_string());
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, concat!("coro/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "gzip")
        .body(NoBody::new())
        .map_err(invalid)
}

/// Where a redirection leads.
fn location(response: &hyper::Response<Incoming>) -> Option<String> {
    let redirections = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = response.headers().get(LOCATION).filter(|_| redirections.contains(&response.status()))?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}
