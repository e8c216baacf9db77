//! A value handed over once, from one task to another.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::event_loop::{ObjectName, Wanted, Word};

/// Makes the two ends of a hand-over: what one sends, the other awaits.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, sync::oneshot};
///
/// let answer = Loop::simulated().run(async {
///     let (sender, receiver) = oneshot();
///     spawn(async move { sender.send(42).unwrap() }).detach();
///     receiver.await
/// });
/// assert_eq!(answer.unwrap(), Ok(42));
/// ```
///
/// # References
///
/// What [`asyncio.Future`](https://docs.python.org/3/library/asyncio-future.html#asyncio.Future) is for, between two
/// tasks: `set_result` is [`Sender::send`], and setting it twice cannot be written.
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: Cell::new(None),
        sender: Cell::new(true),
        open: Cell::new(true),
        receiving: Cell::new(None),
        closing: Cell::new(None),
        name: ObjectName::default(),
    });
    (Sender(Rc::clone(&shared)), Receiver(shared))
}

struct Shared<T> {
    value: Cell<Option<T>>,
    /// The sender exists: a value may come.
    sender: Cell<bool>,
    /// The receiver exists, and has not been closed.
    open: Cell<bool>,
    /// Who awaits the receiver.
    receiving: Cell<Option<Waker>>,
    /// Who awaits [`Sender::closed`].
    closing: Cell<Option<Waker>>,
    name: ObjectName,
}

/// No value will come: the [`Sender`] was dropped without sending, or the [`Receiver`] was closed or has had its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no value will come: the sender is gone, or the receiver was closed")]
pub struct Closed;

/// [`Sender::send`] found the receiver gone or closed. The value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiver is gone or closed: nobody will have the value")]
pub struct Unsent<T>(pub T);

/// Why [`Receiver::try_recv`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// It may come yet.
    #[error("no value has been sent yet: await the receiver, or try again later")]
    Empty,
    /// None will come.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// The end that sends. Dropping it tells the receiver that no value will come.
pub struct Sender<T>(Rc<Shared<T>>);

/// The end that receives: a future of the value.
///
/// # Errors
///
/// [`Closed`], if no value will come; also when it is awaited again.
///
/// # Cancellation
///
/// Strict while it is only borrowed (`(&mut receiver).await`). Dropping it closes it, with a value that was sent and
/// not received: to keep that, [`close`](Self::close) it and [`try_recv`](Self::try_recv).
#[must_use = "a receiver does nothing until it is awaited, and closes when it is dropped"]
pub struct Receiver<T>(Rc<Shared<T>>);

impl<T> Sender<T> {
    /// Sends `value`, and wakes who awaits it.
    ///
    /// # Errors
    ///
    /// [`Unsent`] hands the value back if the receiver is gone or closed.
    pub fn send(self, value: T) -> Result<(), Unsent<T>> {
        if self.is_closed() {
            return Err(Unsent(value));
        }
        self.0.value.set(Some(value));
        // The drop wakes the receiver.
        Ok(())
    }

    /// Whether the receiver is gone or closed, so that a value would come back.
    pub fn is_closed(&self) -> bool {
        !self.0.open.get()
    }

    /// Waits until the receiver is gone or closed: the work for its value can be given up.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn closed(&mut self) -> Closing<'_, T> {
        Closing(self)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.sender.set(false);
        wake(&self.0.receiving);
    }
}

impl<T> Receiver<T> {
    /// Refuses values from now on, and tells the sender. One that was sent before can still be received.
    pub fn close(&mut self) {
        self.0.open.set(false);
        wake(&self.0.closing);
    }

    /// The value, if it has been sent.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`].
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.0.received() {
            Some(received) => Ok(received?),
            None => Err(TryRecvError::Empty),
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = poll(&self.0.receiving, cx, || self.0.received());
        self.0.note_wait(polled, Wanted::Value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        drop((self.0.receiving.take(), self.0.value.take()));
    }
}

/// A [`Sender::closed`] on its way.
#[must_use = "this does nothing until it is awaited"]
pub struct Closing<'s, T>(&'s Sender<T>);

impl<T> Future for Closing<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = poll(&self.0.0.closing, cx, || self.0.is_closed().then_some(()));
        self.0.0.note_wait(polled, Wanted::Closed)
    }
}

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        drop(self.0.0.closing.take());
    }
}

impl<T> Shared<T> {
    /// Says what the present task waits for, if it does.
    fn note_wait<R>(&self, polled: Poll<R>, what: Wanted) -> Poll<R> {
        if polled.is_pending() {
            self.name.note_wait(what, || Word::NOBODY);
        }
        polled
    }

    /// What the receiver has come to, if it is known.
    fn received(&self) -> Option<Result<T, Closed>> {
        match self.value.take() {
            Some(value) => Some(Ok(value)),
            None => (!self.sender.get() || !self.open.get()).then_some(Err(Closed)),
        }
    }
}

/// Gives what `attempt` finds, or keeps the waker in `slot`.
fn poll<R>(slot: &Cell<Option<Waker>>, cx: &Context<'_>, attempt: impl Fn() -> Option<R>) -> Poll<R> {
    if let Some(result) = attempt() {
        return Poll::Ready(result);
    }
    let kept = slot.take();
    if kept.as_ref().is_some_and(|kept| kept.will_wake(cx.waker())) {
        slot.set(kept);
        return Poll::Pending;
    }
    slot.set(Some(cx.waker().clone()));
    drop(kept);
    // A foreign clone or drop may have run anything, even what is waited for.
    match attempt() {
        Some(result) => {
            drop(slot.take());
            Poll::Ready(result)
        }
        None => Poll::Pending,
    }
}

fn wake(slot: &Cell<Option<Waker>>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sender, open) = (self.0.sender.get(), self.0.open.get());
        f.debug_struct("Receiver").field("sender", &sender).field("open", &open).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Closing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closing").field(self.0).finish()
    }
}
