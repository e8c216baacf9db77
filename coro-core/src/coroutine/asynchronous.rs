//! Async generators: coroutines that yield items *and* wait, driven by `.await`.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use super::ext::{closed, finished};
use super::{
    CloseError, Closed, Coroutine, Input, InputOf, Misuse, Nothing, Outcome, Resumed, State, Thrown,
};
use crate::event_loop::{
    Cancelled, CleanupError, Core, Landing, Registered, Unclosed, is_cancellation, thrown_as,
};

/// The awaiting face of a coroutine: its operations are futures, so that its body may wait.
///
/// Python's asynchronous generator ([PEP 525](https://peps.python.org/pep-0525/)): `agen.send(v).await` is its
/// `asend`. It is also a [`Stream`] when it receives nothing: an error that the body raises is an item, the last one,
/// and the value that it returns is kept for [`returned`](Self::returned).
///
/// # Cancellation
///
/// Strict. Dropping one of the futures leaves the resume in progress; the value that it would have given is given
/// by the next operation that carries no input of its own ([`next`](Self::next)), and a `send` before that is refused as
/// [`Misuse::Running`].
///
/// When the task that waits for one of them is cancelled, that is thrown into the body: the error itself, if the body's
/// are task errors, else [`Thrown::Exit`]. If the body lets it out, it goes on in the task, from where that waits.
///
/// # Finalisation
///
/// A body that has begun and not ended may have a cleanup that waits. If it is dropped, its loop closes it, in a task
/// that nobody can cancel: the loop that it was first resumed on, else the one that runs. The end of
/// [`Loop::run`](crate::EventLoop::run) does that too to every one that has begun on that loop, dropped or not, and
/// waits for it; it is [`State::Finished`] for whoever still has it. An error that it raises goes to the
/// [exception handler](crate::Loop::set_exception_handler). What begins while the run waits for these cleanups is not
/// closed.
///
/// Where there is no loop, dropping it drops the body: its destructors run, and no more.
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
/// use std::time::Duration;
///
/// let powers = Native::<(), u32, ()>::new(async |co| {
///     for i in 0..3 {
///         co.yield_(2u32.pow(i)).await?;
///         sleep(Duration::from_millis(100)).await;
///     }
///     Ok(())
/// });
/// let collected = Loop::simulated().run(async move {
///     let mut powers = AsyncGenerator::new(powers);
///     let mut all = Vec::new();
///     while let Ok(Some(power)) = powers.next().await {
///         all.push(power);
///     }
///     all
/// });
/// assert_eq!(collected.unwrap(), [1, 2, 4]);
/// ```
pub struct AsyncGenerator<C: Coroutine> {
    slot: Rc<Slot<C>>,
    returned: Option<C::Return>,
    /// The slot, as its loop knows it. `None` if no loop closes it.
    as_unclosed: Option<AsUnclosed<C>>,
    /// Its place with its loop, once it was resumed there.
    registered: Option<Registered>,
    /// Where a cancellation of the task that waits for a resume lands, to be thrown in.
    landing: Landing,
    /// What was thrown in, while it has not come out.
    cancelled: Option<Cancelled>,
    /// What a cancellation is to the coroutine: how it goes in, and whether this is how it comes out.
    as_thrown: fn(Cancelled) -> Thrown<C::Error>,
    is_it: fn(&Thrown<C::Error>) -> bool,
}

type AsUnclosed<C> = fn(&Rc<Slot<C>>) -> Rc<dyn Unclosed>;
type NextItem<C> = Result<Option<<C as Coroutine>::Yield>, Thrown<<C as Coroutine>::Error>>;

/// Where its loop finds the coroutine at the end of a run.
struct Slot<C> {
    /// `None` once it was taken out: by the owner, or by the loop to close it.
    coroutine: RefCell<Option<C>>,
    made_at: &'static Location<'static>,
}

impl<C: Coroutine> AsyncGenerator<C> {
    /// Gives `coroutine` its awaiting face. Nothing runs yet.
    #[track_caller]
    pub fn new(coroutine: C) -> Self
    where
        C: Coroutine<Error: 'static> + 'static,
    {
        let mut generator = Self::scoped(coroutine);
        generator.as_unclosed = Some(|slot| Rc::clone(slot) as _);
        generator.as_thrown = thrown_as;
        generator.is_it = |thrown| match thrown {
            Thrown::Error(error) => is_cancellation(error),
            thrown => thrown.is_exit(),
        };
        generator
    }

    /// The same for a coroutine that may borrow, `&mut` another one for example. No loop closes it: when the
    /// face is dropped, so is the coroutine, and if that was a borrowed one, it stays where it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::from_iter;
    /// use coro_core::prelude::*;
    ///
    /// let mut numbers = from_iter::<_, (), ()>(1..);
    /// assert_eq!(numbers.next(), Ok(Outcome::Yielded(1)));
    /// drop(AsyncGenerator::scoped(&mut numbers));
    /// assert_eq!(numbers.next(), Ok(Outcome::Yielded(2)));
    /// ```
    #[track_caller]
    pub fn scoped(coroutine: C) -> Self {
        let slot = Slot { coroutine: RefCell::new(Some(coroutine)), made_at: Location::caller() };
        Self {
            slot: Rc::new(slot),
            returned: None,
            as_unclosed: None,
            registered: None,
            landing: Landing::new(),
            cancelled: None,
            as_thrown: |_| Thrown::Exit,
            is_it: Thrown::is_exit,
        }
    }

    /// The coroutine itself, where it stands. `None` if its loop has closed it at the end of a run.
    pub fn into_inner(self) -> Option<C> {
        self.slot.coroutine.try_borrow_mut().ok()?.take()
    }

    /// Where the coroutine stands; see [`State`].
    pub fn state(&self) -> State {
        match self.slot.coroutine.try_borrow() {
            Ok(coroutine) => coroutine.as_ref().map_or(State::Finished, Coroutine::state),
            Err(_) => State::Running,
        }
    }

    /// Takes the value that the body has returned on a [`next`](Self::next), or as a [`Stream`]. `None` if it has not, or
    /// if the value was taken before.
    pub fn returned(&mut self) -> Option<C::Return> {
        self.returned.take()
    }

    /// Runs a new coroutine to its first `yield`.
    ///
    /// # Errors
    ///
    /// As [`Coroutine::start`].
    pub fn start(&mut self) -> Resuming<'_, C> {
        Resuming { generator: self, input: None }
    }

    /// Makes `value` the result of the `yield` that the body is suspended at: Python's `asend`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::send`](super::CoroutineExt::send).
    pub fn send(&mut self, value: C::Send) -> Resuming<'_, C> {
        self.resume(Input::Send(value))
    }

    /// Raises `error` where the body is suspended: Python's `athrow`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::throw`](super::CoroutineExt::throw).
    pub fn throw(&mut self, error: impl Into<Thrown<C::Error>>) -> Resuming<'_, C> {
        self.resume(Input::Throw(error.into()))
    }

    /// The next item, or `None` once the body has returned: Python's `anext`. The value that it returned is kept for
    /// [`returned`](Self::returned).
    ///
    /// # Errors
    ///
    /// The error that the body raised, or a misuse of it.
    pub async fn next(&mut self) -> Result<Option<C::Yield>, Thrown<C::Error>>
    where
        C::Send: Nothing,
    {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// Asks the body to end and waits for its cleanup: Python's `aclose`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::close`](super::CoroutineExt::close).
    pub async fn close(&mut self) -> Closed<C> {
        closed(self.resume(Input::Close).await)
    }

    fn resume(&mut self, input: InputOf<C>) -> Resuming<'_, C> {
        Resuming { generator: self, input: Some(input) }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<NextItem<C>>
    where
        C::Send: Nothing,
    {
        let input = match self.state() {
            // A new coroutine is started, a resume in progress is continued.
            State::Created | State::Running => None,
            State::Suspended | State::Finished => Some(Input::Send(C::Send::nothing())),
        };
        self.poll_resume(cx, input).map(|resumed| match resumed {
            Ok(Outcome::Yielded(value)) => Ok(Some(value)),
            Ok(Outcome::Returned(value)) => {
                self.returned = Some(value);
                Ok(None)
            }
            Ok(Outcome::Closed) | Err(Misuse::Finished(_)) => Ok(None),
            Ok(Outcome::Raised(error)) => Err(error),
            Err(misuse) => Err(Thrown::Misuse(misuse.kind())),
        })
    }

    pub(crate) fn poll_resume(
        &mut self,
        cx: &mut Context<'_>,
        mut input: Option<InputOf<C>>,
    ) -> Poll<Resumed<C>> {
        self.register();
        if input.is_some() {
            // Another operation: what was thrown at one that was given up is not for this one.
            self.landing.leave();
        }
        if let Some(cancelled) = self.landing.poll_thrown(cx) {
            self.cancelled = Some(cancelled.clone());
            input = Some(Input::Throw((self.as_thrown)(cancelled)));
        }
        let polled = self.landing.within(cx, |cx| Self::poll_slot(&self.slot, cx, input));
        if let Poll::Ready(resumed) = &polled {
            match (self.cancelled.take(), resumed) {
                (Some(cancelled), Ok(Outcome::Raised(thrown))) if (self.is_it)(thrown) => {
                    // It ends where it came from.
                    self.landing.pass_on(&cancelled);
                    return Poll::Pending;
                }
                _ => self.landing.leave(),
            }
        }
        polled
    }

    fn poll_slot(slot: &Slot<C>, cx: &mut Context<'_>, input: Option<InputOf<C>>) -> Poll<Resumed<C>> {
        match slot.coroutine.try_borrow_mut().as_deref_mut() {
            Ok(Some(coroutine)) => coroutine.poll_resume(cx, input),
            Ok(None) => Poll::Ready(finished(input)),
            Err(_) => Poll::Ready(Err(Misuse::Running(input))),
        }
    }

    /// Tells the loop that runs, if there is one: Python's `firstiter` hook.
    fn register(&mut self) {
        if self.registered.is_none()
            && let Some(as_unclosed) = self.as_unclosed
            && let Some(core) = Core::current()
        {
            self.registered = core.register(Rc::downgrade(&as_unclosed(&self.slot)));
        }
    }
}

/// Python's `finalizer` hook.
impl<C: Coroutine> Drop for AsyncGenerator<C> {
    fn drop(&mut self) {
        let Some(as_unclosed) = self.as_unclosed else { return };
        if !is_begun(self.state()) {
            return;
        }
        let own = self.registered.as_ref().and_then(Registered::open_core);
        if let Some(core) = own.or_else(Core::current_for_cleanup) {
            as_unclosed(&self.slot).close_on(&core);
        }
    }
}

fn is_begun(state: State) -> bool {
    matches!(state, State::Suspended | State::Running)
}

impl<C: Coroutine<Error: 'static> + 'static> Unclosed for Slot<C> {
    fn close_on(&self, core: &Core) {
        let coroutine = match self.coroutine.try_borrow_mut() {
            Ok(mut slot) => slot.take_if(|coroutine| is_begun(coroutine.state())),
            Err(_) => None,
        };
        if let Some(coroutine) = coroutine {
            core.clean_up(close(coroutine), self.made_at);
        }
    }
}

/// A close for which nobody waits. The value that it returns is for nobody.
async fn close<C: Coroutine<Error: 'static>>(mut coroutine: C) -> Result<(), CleanupError> {
    let mut input = Some(Input::Close);
    match closed(poll_fn(|cx| coroutine.poll_resume(cx, input.take())).await) {
        Ok(_) => Ok(()),
        Err(CloseError::Raised(error)) => Err(error.into()),
        Err(CloseError::Misuse(misuse)) => Err(CleanupError::Misuse(misuse.kind())),
    }
}

impl<C: Coroutine> fmt::Debug for AsyncGenerator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncGenerator").field(&self.state()).finish()
    }
}

// Nothing in it is pinned: the coroutine is used through `&mut`.
impl<C: Coroutine> Unpin for AsyncGenerator<C> {}

impl<C: Coroutine<Send: Nothing>> Stream for AsyncGenerator<C> {
    type Item = Result<C::Yield, Thrown<C::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx).map(Result::transpose)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.is_terminated().then_some(0))
    }
}

/// Once it has ended, it gives `None` for ever.
impl<C: Coroutine<Send: Nothing>> FusedStream for AsyncGenerator<C> {
    fn is_terminated(&self) -> bool {
        self.state() == State::Finished
    }
}

/// A resume in progress. Made by [`AsyncGenerator`].
#[must_use = "a resume does nothing until it is awaited"]
pub struct Resuming<'a, C: Coroutine> {
    generator: &'a mut AsyncGenerator<C>,
    input: Option<InputOf<C>>,
}

impl<C: Coroutine> fmt::Debug for Resuming<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resuming").field(&self.generator).finish()
    }
}

// Nothing in it is pinned: the coroutine is used through `&mut`.
impl<C: Coroutine> Unpin for Resuming<'_, C> {}

impl<C: Coroutine> Future for Resuming<'_, C> {
    type Output = Resumed<C>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let input = self.input.take();
        self.generator.poll_resume(cx, input)
    }
}
