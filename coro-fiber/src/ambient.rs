//! Functions that suspend the fiber that runs, from any depth, without its `Co`.

use std::any::TypeId;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::current::{Here, Stamp, with_current};
use crate::error::{SuspendError, WaitError};

/// Waits for `future`, in a fiber: [`Co::wait`](crate::Co::wait), for code that has no `Co`.
///
/// It suspends the innermost fiber that runs on this thread, from any depth: a destructor, a comparator, an iterator, a
/// callback of a library that knows nothing of it. What it is called in does not matter otherwise. In particular, in
/// code that a fiber polls as a future it suspends the whole fiber, so that what is polled beside that future stands still
/// meanwhile; it is polled again before the fiber waits for it, so that no wake-up is lost.
///
/// # Errors
///
/// [`WaitError`]: what was thrown in while it waited; or that there is no fiber here, as in another thread, or in the
/// body of a native or a generator task, even one that a fiber delegates to. The future is dropped then; to have it back,
/// give `&mut future`. Outside a fiber it is not polled.
///
/// While the stack of the fiber is unwound, a future that is ready at once still gives its result, and no other is waited
/// for.
///
/// # Cancellation
///
/// As that of `future`.
///
/// # Examples
///
/// A comparator that waits, and a sort that does not know:
///
/// ```
/// use std::time::Duration;
///
/// let sorted = coro_fiber::run(|_| {
///     let mut items = [3, 1, 2];
///     items.sort_by(|a, b| {
///         coro_fiber::sleep(Duration::from_millis(1)).unwrap();
///         a.cmp(b)
///     });
///     Ok(items)
/// });
/// assert_eq!(sorted.unwrap(), [1, 2, 3]);
/// ```
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn wait<F: Future>(future: F) -> Result<F::Output, WaitError> {
    wait_at(&Ambient, future)
}

/// Lets every other ready task run once, in a fiber: [`coro_core::time::yield_now`]. Under any executor.
///
/// # Errors
///
/// As [`wait`].
pub fn yield_now() -> Result<(), WaitError> {
    wait(coro_core::time::yield_now())
}

/// Waits for `duration`, in a fiber under an event loop of ours: [`coro_core::time::sleep`].
///
/// # Errors
///
/// As [`wait`].
///
/// # Panics
///
/// In a fiber outside a running event loop: [`wait`] for the timer of the executor there.
#[track_caller]
pub fn sleep(duration: Duration) -> Result<(), WaitError> {
    wait(coro_core::time::sleep(duration))
}

/// Hands out `value` and waits for the next input, in a fiber: [`Co::yield_`](crate::Co::yield_), for code that has no
/// `Co`. The types are those of the innermost fiber that runs, which is seen at run time.
///
/// # Errors
///
/// [`SuspendError`]: what was thrown in instead of a value, or why `value` was not handed out, and the value.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
///
/// fn walk(tree: &[u32]) {
///     tree.iter().for_each(|leaf| coro_fiber::suspend::<(), u32>(*leaf).unwrap());
/// }
/// coro_fiber::scope(|scope| {
///     let leaves = scope.fiber::<(), u32, (), ()>(|_| Ok(walk(&[1, 2, 3])));
///     assert!(leaves.items().map(Result::unwrap).eq([1, 2, 3]));
/// });
/// ```
pub fn suspend<S: 'static, Y: 'static>(value: Y) -> Result<S, SuspendError<Y>> {
    let mut value = Some(value);
    let suspended = with_current(|here| here.suspend_with::<S, Y>(&mut value));
    match (suspended, value) {
        (Some(Ok(sent)), _) => Ok(sent),
        (Some(Err(Refused::Thrown(error))), _) => Err(SuspendError::Thrown(error)),
        (Some(Err(Refused::Unwinding)), Some(value)) => Err(SuspendError::Unwinding(value)),
        (Some(Err(Refused::Types(types))), Some(value)) => Err(SuspendError::Types { value, types }),
        (None, Some(value)) => Err(SuspendError::Outside(value)),
        (_, None) => unreachable!("a value that is not handed out stays here"),
    }
}

/// What can wait for a future: a `Co`, or whoever is in a fiber.
pub(crate) trait Waits {
    type Error;

    /// Polls with the wake of the resume in progress.
    fn poll<T>(
        &self,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Result<(Stamp, Poll<T>), Self::Error>;

    /// Parks the fiber, unless it has been suspended in the poll, so that a wake-up may have come and gone.
    fn park(&self, seen: Stamp) -> Result<(), Self::Error>;
}

/// Waits for `future`.
// Inlined, as is what switches in it: the processor predicts where a return leads from the calls that it has seen, and
// those of the fiber that it comes from are not these. Each function that is between the switch and the body costs two
// mispredicted returns.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn wait_at<W: Waits, F: Future>(waits: &W, future: F) -> Result<F::Output, W::Error> {
    let mut future = pin!(future);
    loop {
        match waits.poll(|cx| future.as_mut().poll(cx))? {
            (_, Poll::Ready(output)) => return Ok(output),
            (seen, Poll::Pending) => waits.park(seen)?,
        }
    }
}

/// Whoever is in a fiber. It is looked up anew each time, because the code of the user's that runs in between may be on the
/// stack of a coroutine of another library, and that may have been resumed in another fiber meanwhile.
struct Ambient;

impl Waits for Ambient {
    type Error = WaitError;

    #[inline(always)]
    fn poll<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Result<(Stamp, Poll<T>), WaitError> {
        // What is polled runs when the look is over.
        match with_current(|here| (here.stamp(), here.exchange.wake())) {
            None => Err(WaitError::Outside),
            Some((stamp, None)) => Ok((stamp, poll(&mut Context::from_waker(Waker::noop())))),
            Some((stamp, Some(wake))) => Ok((stamp, poll(&mut Context::from_waker(&wake)))),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn park(&self, seen: Stamp) -> Result<(), WaitError> {
        let parked = with_current(|here| if here.stamp() == seen { here.park() } else { Ok(()) });
        parked.unwrap_or(Err(WaitError::Outside))
    }
}

/// Why a value was not handed out, or what came instead of the next.
enum Refused {
    Thrown(WaitError),
    Unwinding,
    Types(crate::error::Types),
}

impl Here<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn park(&self) -> Result<(), WaitError> {
        if self.exchange.is_unwinding() {
            self.refuse();
            return Err(WaitError::Unwinding);
        }
        self.exchange.ask_to_park();
        self.suspend();
        self.exchange.check_thrown()
    }

    /// Takes the value only to hand it out.
    fn suspend_with<S: 'static, Y: 'static>(&self, value: &mut Option<Y>) -> Result<S, Refused> {
        if self.exchange.is_unwinding() {
            self.refuse();
            return Err(Refused::Unwinding);
        }
        self.exchange.ask_to_yield(TypeId::of::<S>(), value).map_err(Refused::Types)?;
        self.suspend();
        let mut sent = None::<S>;
        loop {
            match self.exchange.answer(&mut sent) {
                Some(Err(error)) => return Err(Refused::Thrown(error)),
                Some(Ok(())) => match sent {
                    Some(sent) => return Ok(sent),
                    None => unreachable!("its type has been checked"),
                },
                // It was resumed without an answer: by a wake-up that is not for it.
                None => self.park().map_err(Refused::Thrown)?,
            }
        }
    }
}
