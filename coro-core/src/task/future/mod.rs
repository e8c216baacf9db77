//! A result that somebody will set: asyncio's `Future`.

mod any;
mod error;
mod looked_at;
mod waiters;

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::IntoFuture;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub use any::AnyFuture;
pub use error::{InvalidState, SetRefused, SetResultError};

use any::Erased;
pub use waiters::DoneCallback;
use waiters::{Waiter, Waiters};

use super::{Cancelled, Kind, Landing, SharedError, TaskError};
use crate::event_loop::{Callback, Core, CoreNumber, Heard, ObjectName, find};

/// A result that somebody will set, once, for any number to wait for: asyncio's `Future`.
///
/// It connects what calls back with what waits: a callback sets it, tasks of every flavour await it, each as often as it
/// likes (`T: Clone`; put what cannot be cloned into an `Rc`, or use a [`oneshot`](crate::sync::oneshot())). Cloning gives
/// another handle to the same future. Whoever only starts something awaits the [`JoinHandle`](crate::JoinHandle) of a task
/// instead.
///
/// Its name is that of the standard library's trait, which it implements: write `task::Future<T>`, as one writes
/// `io::Result`.
///
/// Nobody is run inline. Those who wait and those who are called back are queued when it is set, in the order in which they
/// came, each callback with a copy of the [context](crate::context) in which it was added.
///
/// An error that nobody has looked at when the last handle goes is told to the
/// [exception handler](crate::Loop::set_exception_handler) of its loop.
///
/// # Cancellation
///
/// As asyncio's: when a task that awaits the future is *cancelled*, so is the future, for all who await it; a
/// [`shield`](crate::scope::shield) keeps that from it. A wait that is only dropped, in a `select!` for example, leaves the
/// future alone, and loses nothing.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, task, time};
/// use std::time::Duration;
///
/// let seen = Loop::simulated().run(async {
///     let answer = task::Future::new();
///     let first = spawn(answer.clone());
///     let second = spawn(answer.clone());
///     time::sleep(Duration::from_secs(1)).await;
///     answer.set_result(42).unwrap();
///     assert!(answer.set_result(43).is_err());
///     (first.await.unwrap().unwrap(), second.await.unwrap().unwrap())
/// });
/// assert_eq!(seen.unwrap(), (42, 42));
/// ```
///
/// # References
///
/// [`asyncio.Future`](https://docs.python.org/3/library/asyncio-future.html#asyncio.Future).
#[must_use = "a future is awaited, or set"]
pub struct Future<T> {
    shared: Rc<Shared<T>>,
    /// Of this handle.
    wait: Wait,
}

struct Shared<T> {
    core: CoreNumber,
    made_at: &'static Location<'static>,
    result: OnceCell<Result<T, SharedError>>,
    /// Somebody knows of the error, if it is one.
    read: Cell<bool>,
    waiters: Waiters<OnDone<T>>,
    name: ObjectName,
}

type OnDone<T> = Box<dyn FnOnce(&Future<T>)>;

/// A wait that has begun.
#[derive(Default)]
struct Wait {
    /// Its place among those who wait.
    place: Option<u64>,
    /// Where a cancellation of the task that waits is heard.
    landing: Landing,
}

impl<T> Future<T> {
    /// One that belongs to the loop that runs on this thread.
    ///
    /// # Panics
    ///
    /// Outside a running event loop; [`Loop::create_future`](crate::Loop::create_future) needs none.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "outside of a loop there is none")]
    pub fn new() -> Self {
        Self::of(Core::current_or_panic("task::Future::new").number())
    }

    #[track_caller]
    pub(crate) fn of(core: CoreNumber) -> Self {
        Self::handle(Rc::new(Shared {
            core,
            made_at: Location::caller(),
            result: OnceCell::new(),
            read: Cell::new(false),
            waiters: Waiters::new(),
            name: ObjectName::default(),
        }))
    }

    fn handle(shared: Rc<Shared<T>>) -> Self {
        Self { shared, wait: Wait::default() }
    }

    /// Whether it has a result: a value, an error, or that it was cancelled.
    pub fn is_done(&self) -> bool {
        self.shared.result.get().is_some()
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled()
    }

    /// A copy of the result.
    ///
    /// # Errors
    ///
    /// The error that it is, [`TaskError::Cancelled`] if it was cancelled, and [`TaskError::InvalidState`] while there is none.
    pub fn result(&self) -> Result<T, TaskError>
    where
        T: Clone,
    {
        self.shared.result().unwrap_or(Err(InvalidState.into()))
    }

    /// The error, if the result is one: asyncio's `exception`.
    ///
    /// # Errors
    ///
    /// [`TaskError::Cancelled`] if it was cancelled, and [`TaskError::InvalidState`] while there is no result.
    pub fn error(&self) -> Result<Option<SharedError>, TaskError> {
        match self.shared.look() {
            None => Err(InvalidState.into()),
            Some(Ok(_)) => Ok(None),
            Some(Err(error)) if error.is_cancelled() => Err(error.clone().into()),
            Some(Err(error)) => Ok(Some(error.clone())),
        }
    }

    /// Looks at the result, if it is there.
    pub fn with_result<R>(&self, look: impl FnOnce(Option<Result<&T, &SharedError>>) -> R) -> R {
        look(self.shared.look().map(Result::as_ref))
    }
}

impl<T: 'static> Future<T> {
    /// Sets the result.
    ///
    /// # Errors
    ///
    /// The value comes back if there is a result already, of whatever kind: that of a future that was cancelled meanwhile, for
    /// example.
    pub fn set_result(&self, value: T) -> Result<(), SetRefused<T>> {
        match self.shared.settle(Ok(value)) {
            Err(Ok(value)) => Err(SetRefused(value)),
            _ => Ok(()),
        }
    }

    /// Sets an error as the result: asyncio's `set_exception`. [`TaskError::other`] makes one of any.
    ///
    /// # Errors
    ///
    /// As [`set_result`](Self::set_result).
    pub fn set_error(&self, error: impl Into<TaskError>) -> Result<(), SetRefused<TaskError>> {
        match self.shared.settle(Err(SharedError::from(error.into()))) {
            Err(Err(error)) => Err(SetRefused(error.into())),
            _ => Ok(()),
        }
    }

    /// Makes [`TaskError::Cancelled`] the result. False if there is one already.
    pub fn cancel(&self) -> bool {
        self.shared.cancel(Cancelled::new())
    }

    /// [`cancel`](Self::cancel), with a message: [`Cancelled::message`].
    pub fn cancel_with(&self, message: &str) -> bool {
        self.shared.cancel(Cancelled::because(Some(message), Core::running_id()))
    }

    /// Has the loop call `function` with the future when it is done; at the next turn, if it is.
    pub fn add_done_callback(&self, function: impl FnOnce(&Self) + 'static) -> DoneCallback {
        self.shared.add_callback(Box::new(function))
    }

    /// Does not call it when it is done. False if it was not to, for example because it is queued by now.
    pub fn remove_done_callback(&self, callback: &DoneCallback) -> bool {
        self.shared.waiters.remove_callback(&callback.0)
    }

    /// The same future, whatever its type, as tasks can be too.
    pub fn erased(&self) -> AnyFuture {
        AnyFuture::of_future(Rc::clone(&self.shared) as Rc<dyn Erased>)
    }
}

impl<T: 'static> Shared<T> {
    fn settle(self: &Rc<Self>, result: Result<T, SharedError>) -> Result<(), Result<T, SharedError>> {
        self.result.set(result)?;
        let core = find(self.core);
        for waiter in self.waiters.take_all() {
            match (waiter, &core) {
                (Waiter::Wait(waker), _) => waker.wake(),
                (Waiter::Call(callback, function), Some(core)) => self.queue(core, &callback, function),
                // Its loop is gone.
                (Waiter::Call(..), None) => {}
            }
        }
        Ok(())
    }

    fn queue(self: &Rc<Self>, core: &Core, callback: &Callback, function: OnDone<T>) {
        let this = Rc::clone(self);
        callback.fill(Box::new(move || function(&Future::handle(this))));
        core.queue_callback(callback);
    }

    fn cancel(self: &Rc<Self>, cancelled: Cancelled) -> bool {
        self.settle(Err(TaskError::from(cancelled).into())).is_ok()
    }

    fn add_callback(self: &Rc<Self>, function: OnDone<T>) -> DoneCallback {
        let callback = Callback::vacant();
        if self.result.get().is_none() {
            self.waiters.add(Waiter::Call(callback.clone(), function));
        } else if let Some(core) = find(self.core) {
            self.queue(&core, &callback, function);
        }
        DoneCallback(callback)
    }
}

impl<T> Shared<T> {
    fn is_cancelled(&self) -> bool {
        matches!(self.result.get(), Some(Err(error)) if error.is_cancelled())
    }

    /// For somebody who learns of the error, if it is one.
    fn look(&self) -> Option<&Result<T, SharedError>> {
        let result = self.result.get()?;
        if result.is_err() {
            self.read.set(true);
        }
        Some(result)
    }

    fn result(&self) -> Option<Result<T, TaskError>>
    where
        T: Clone,
    {
        Some(match self.look()? {
            Ok(value) => Ok(value.clone()),
            Err(error) => Err(error.clone().into()),
        })
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.result.take()
            && !self.read.get()
            && !error.is_cancelled()
        {
            Core::report_unread_result(self.core, error.into());
        }
    }
}

impl Wait {
    /// Whether the task that waits is being cancelled.
    fn hear(&mut self, cx: &Context<'_>) -> Option<Cancelled> {
        let thrown = self.landing.poll_as(cx, Kind::Landing);
        // Not what a shield keeps from it.
        thrown.filter(|_| Core::thrower().is_some())
    }

    fn enter<F>(&mut self, waiters: &Waiters<F>, waker: &Waker) {
        match self.place {
            Some(place) => waiters.update(place, waker),
            None => self.place = Some(waiters.add(Waiter::Wait(waker.clone()))),
        }
    }

    fn leave<F>(&mut self, waiters: &Waiters<F>) {
        if let Some(place) = self.place.take() {
            drop(waiters.remove(place));
        }
        self.landing.leave();
    }
}

/// Gives a copy of the result, each time that it is awaited.
impl<T: Clone + 'static> std::future::Future for Future<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, wait } = &mut *self;
        if let Some(result) = shared.result() {
            wait.leave(&shared.waiters);
            return Poll::Ready(result);
        }
        if Core::on_current(|core| core.number() == shared.core) == Some(false) {
            return Poll::Ready(Err(TaskError::ForeignLoop));
        }
        if let Some(cancelled) = wait.hear(cx) {
            drop(wait.place.take().and_then(|place| shared.waiters.remove(place)));
            shared.cancel(cancelled.clone());
            // It is for the one who waits, all the same.
            if wait.landing.forward(&cancelled) {
                Core::note_heard(Heard::Waits);
            }
            return Poll::Pending;
        }
        wait.enter(&shared.waiters, cx.waker());
        if !shared.name.is_known() {
            shared.register();
        }
        Core::note_wait(|core| shared.waiting(core));
        Poll::Pending
    }
}

// Nothing in it is pinned.
impl<T> Unpin for Future<T> {}

/// A wait by another handle.
impl<T: Clone + 'static> IntoFuture for &Future<T> {
    type Output = Result<T, TaskError>;
    type IntoFuture = Future<T>;

    fn into_future(self) -> Future<T> {
        self.clone()
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self::handle(Rc::clone(&self.shared))
    }
}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.waiters);
    }
}

/// As CPython shows one: `<Future pending>`, `<Future finished>`, `<Future cancelled>`.
impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.show(f)
    }
}

impl<T> Shared<T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result.get() {
            None => f.write_str("<Future pending>"),
            Some(Ok(_)) => f.write_str("<Future finished>"),
            Some(Err(error)) if error.is_cancelled() => f.write_str("<Future cancelled>"),
            Some(Err(error)) => write!(f, "<Future finished exception={error:?}>"),
        }
    }
}
