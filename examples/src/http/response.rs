//! The answer to a request.

use std::fmt;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use url::Url;

use super::FetchError;
use super::body::Decoder;
use super::session::{Deadline, Lease};

/// How much of a body that nobody wants is read, so that its connection can be used again. A longer one is not
/// worth it: its connection is closed.
const RELEASE_BYTES: u64 = 256 * 1024;

/// For how long it is waited for such a body. A new connection takes less.
const RELEASE_TIME: Duration = Duration::from_secs(1);

/// The head of an answer, and its body as it comes.
///
/// Once the body has been read to its end, the connection goes back to the session. Dropping the response earlier
/// closes the connection; [`release`](Self::release) is kinder.
pub struct Response {
    status: StatusCode,
    reason: String,
    headers: HeaderMap,
    url: Url,
    body: Incoming,
    decoder: Decoder,
    /// `None` once the body is over.
    lease: Option<Lease>,
    deadline: Deadline,
}

impl Response {
    pub(super) fn new(
        response: hyper::Response<Incoming>,
        url: Url,
        lease: Lease,
        deadline: Deadline,
        limit: u64,
    ) -> Self {
        let (head, body) = response.into_parts();
        let decoder = Decoder::new(&head.headers, limit);
        let reason = match head.extensions.get::<hyper::ext::ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => head.status.canonical_reason().unwrap_or_default().to_string(),
        };
        let (status, headers) = (head.status, head.headers);
        Self { status, reason, headers, url, body, decoder, lease: Some(lease), deadline }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The words that came with the status, or the usual ones.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The URL that answered: the last one, if there were redirections.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the body says that it is HTML.
    pub fn is_html(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
    }

    /// Makes an error of a status of 400 or more.
    ///
    /// # Errors
    ///
    /// [`FetchError::Status`].
    pub fn raise_for_status(&self) -> Result<(), FetchError> {
        if self.status.is_client_error() || self.status.is_server_error() {
            return Err(FetchError::Status { status: self.status(), reason: self.reason.clone() });
        }
        Ok(())
    }

    /// Waits for the next piece of the body, decoded. `None` is its end.
    ///
    /// # Errors
    ///
    /// The body is cut short, too large, in an encoding that was not asked for, or not what its encoding says; or
    /// the time is up.
    ///
    /// # Cancellation
    ///
    /// Strict: a piece that was not handed out comes with the next call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        while self.lease.is_some() {
            self.decoder.check(self.body.size_hint().lower())?;
            let chunk = match self.deadline.limit(self.body.frame()).await? {
                Some(frame) => match frame.map_err(|error| FetchError::of_body(&error))?.into_data() {
                    Ok(bytes) => self.decoder.decode(bytes)?,
                    // Trailers say nothing that is of use here.
                    Err(_trailers) => continue,
                },
                None => {
                    let lease = self.lease.take();
                    let rest = self.decoder.finish()?;
                    if let Some(lease) = lease {
                        lease.give_back();
                    }
                    rest
                }
            };
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Gives up the body. The connection is kept if the rest is short and comes within a second; otherwise it is
    /// closed. What is in the body, and whether it is whole, does not matter to anybody, so this cannot fail.
    ///
    /// # Cancellation
    ///
    /// Strict: the connection is closed.
    pub async fn release(mut self) {
        if self.body.size_hint().lower() > RELEASE_BYTES {
            return;
        }
        let patience = Deadline::in_future(Some(RELEASE_TIME));
        let over = patience.limit(self.skip()).await.unwrap_or(false);
        if let Some(lease) = self.lease.take_if(|_| over) {
            lease.give_back();
        }
    }

    /// Reads the rest of the body, if it is short. Whether its end was reached.
    async fn skip(&mut self) -> bool {
        let mut left = RELEASE_BYTES;
        while let Some(frame) = self.body.frame().await {
            let length = frame.ok().map(|frame| frame.data_ref().map_or(0, Bytes::len) as u64);
            match length.and_then(|length| left.checked_sub(length)) {
                Some(less) => left = less,
                None => return false,
            }
        }
        true
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("url", &self.url.as_str())
            .field("over", &self.lease.is_none())
            .finish_non_exhaustive()
    }
}
