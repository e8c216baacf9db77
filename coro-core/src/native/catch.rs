//! `try:` for native bodies: where a cancellation lands.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::task::{Cancelled, Landing};

/// Waits for `future`, as a place where a cancellation of the task can land: then `future` is dropped, and the code after
/// this may clean up, and await.
///
/// A plain `.await` of a native body has no such place: a cancellation ends the body there. Catches can be in each other,
/// and beside each other in a `join!` or a `FuturesUnordered`; a cancellation lands in the innermost ones, in all of them.
/// A branch beside a catch that has none itself waits on.
///
/// In a task of another flavour, what `co.wait` gives is this already. Outside of a task it waits for `future`, and no more.
///
/// # Errors
///
/// [`Cancelled`] if the task was. The request [counts](crate::JoinHandle::cancelling) as before: give the error on, or
/// [withdraw](crate::JoinHandle::uncancel) it if the task is to go on as if nothing had happened.
///
/// # Cancellation
///
/// As that of `future`. A value that `future` gives in the same step in which the task is cancelled is still given if it has
/// been polled by then, and else the future is dropped with it.
///
/// # Examples
///
/// ```
/// use coro_core::native::{catch, spawn};
/// use coro_core::{EventLoop, Loop, time};
/// use std::time::Duration;
///
/// let told = Loop::simulated().run(async {
///     let worker = spawn(async {
///         let work = catch(time::sleep(Duration::from_secs(60))).await;
///         if let Err(cancelled) = &work {
///             time::sleep(Duration::from_secs(1)).await; // clean up
///             return cancelled.to_string();
///         }
///         "done".to_string()
///     });
///     time::sleep(Duration::from_secs(1)).await;
///     worker.cancel_with("no time");
///     worker.await.unwrap()
/// });
/// assert_eq!(told.unwrap(), "the task was cancelled: no time");
/// ```
pub fn catch<F: Future>(future: F) -> Catch<F> {
    Catch { landing: Landing::new(), future: Some(future) }
}

pin_project! {
    /// A wait in which a cancellation can land. Made by [`catch`].
    #[must_use = "a catch does nothing until it is awaited"]
    pub struct Catch<F> {
        // `None` once it is over.
        #[pin]
        future: Option<F>,
        landing: Landing,
    }
}

impl<F: Future> Future for Catch<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.landing.poll_thrown(cx) {
                Some(cancelled) => Err(cancelled),
                None => {
                    let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
                    match this.landing.within(cx, |cx| future.poll(cx)) {
                        Poll::Ready(value) => Ok(value),
                        // What is in it has passed it on.
                        Poll::Pending if this.landing.is_thrown() => continue,
                        Poll::Pending => return Poll::Pending,
                    }
                }
            };
            if result.is_ok()
                && let Some(late) = this.landing.leave_or_take_thrown()
            {
                // It was for a wait in it, and there is none any more.
                this.landing.pass_on(&late);
            }
            // What is dropped here is not in it any more: what it says lands outside.
            this.landing.leave();
            this.future.set(None);
            return Poll::Ready(result);
        }
    }
}

impl<F> fmt::Debug for Catch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catch").field("over", &self.future.is_none()).finish_non_exhaustive()
    }
}
