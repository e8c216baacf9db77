//! Items that every receiver has, each at its own pace.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Line, Place};
use crate::event_loop::Wanted;

/// Makes a channel whose every receiver has every item that was sent since it began, and its two ends.
///
/// To send never waits. The last `capacity` items, at least one, are kept for who is slow; a receiver that is slower is
/// [told](ReceiveError::Lagged) how many it missed, and goes on with the oldest that is kept. An item that all have had
/// is dropped at once.
///
/// # Examples
///
/// ```
/// use coro_core::sync::broadcast::{self, ReceiveError};
/// use coro_core::{EventLoop, Loop};
///
/// Loop::simulated()
///     .run(async {
///         let (news, mut fast) = broadcast::channel(2);
///         let mut slow = news.subscribe();
///         for item in 1..=3 {
///             assert_eq!(news.send(item), Ok(2));
///             assert_eq!(fast.receive().await, Ok(item));
///         }
///         drop(news);
///         assert_eq!(slow.receive().await, Err(ReceiveError::Lagged(1)));
///         assert_eq!(slow.receive().await, Ok(2));
///         assert_eq!(slow.receive().await, Ok(3));
///         assert_eq!(slow.receive().await, Err(ReceiveError::Closed));
///     })
///     .unwrap();
/// ```
///
/// # References
///
/// [`tokio::sync::broadcast`](https://docs.rs/tokio/latest/tokio/sync/broadcast/).
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        capacity: capacity.max(1),
        ring: RefCell::new(Ring { slots: VecDeque::new(), first: 0 }),
        senders: Cell::new(1),
        receivers: Cell::new(1),
        line: Line::of(Wanted::Broadcast),
    });
    (Sender(Rc::clone(&shared)), Receiver { shared, next: 0 })
}

struct Shared<T> {
    capacity: usize,
    ring: RefCell<Ring<T>>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    line: Line,
}

struct Ring<T> {
    /// What was sent last, in order.
    slots: VecDeque<Slot<T>>,
    /// The number of the first of them, counted as they were sent.
    first: u64,
}

struct Slot<T> {
    /// `None` once all have had it.
    item: Option<Rc<T>>,
    /// How many receivers have yet to have it.
    left: usize,
}

impl<T> Slot<T> {
    /// The item, for one who has yet to have it. The last one has the only reference.
    fn take(&mut self) -> Option<Rc<T>> {
        self.left -= 1;
        if self.left == 0 { self.item.take() } else { self.item.clone() }
    }
}

/// [`Sender::send`] found nobody who could receive. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no receiver: nobody will have the item; subscribe() makes one")]
pub struct Unsent<T>(pub T);

/// Why [`Receiver::receive`] has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// It has missed so many. The next receive has the oldest that is left.
    #[error("the receiver was too slow, and missed {0} item(s): receive more often, or keep more")]
    Lagged(u64),
    /// It has had all, and every sender is gone.
    #[error("no item will come: every sender is gone")]
    Closed,
}

/// Why [`Receiver::try_receive`] has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryReceiveError {
    /// It has had all so far.
    #[error("no item has been sent since: wait with receive(), or try again later")]
    Empty,
    /// It missed some, or none will come.
    #[error(transparent)]
    Failed(#[from] ReceiveError),
}

/// What a broadcast looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many items are kept.
    pub items: usize,
    /// How many senders there are.
    pub senders: usize,
    /// How many receivers there are.
    pub receivers: usize,
    /// How many of them wait.
    pub waiting: usize,
}

impl<T> Ring<T> {
    /// The number of the item that is sent next.
    fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// The items from that number on.
    fn from(&mut self, number: u64) -> impl Iterator<Item = &mut Slot<T>> {
        let had = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.slots.iter_mut().skip(had)
    }

    /// Forgets the first ones, as far as all have had them.
    fn forget(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.left == 0) {
            self.slots.pop_front();
            self.first += 1;
        }
    }
}

impl<T> Shared<T> {
    fn subscribe(self: &Rc<Self>, next: u64) -> Receiver<T> {
        self.receivers.set(self.receivers.get() + 1);
        Receiver { shared: Rc::clone(self), next }
    }

    /// What the receiver that has had all before `next` comes to, if it is known.
    fn try_receive(&self, next: &mut u64) -> Option<Result<Rc<T>, ReceiveError>> {
        let mut ring = self.ring.borrow_mut();
        // What was forgotten because all have had it, this one has had, too.
        let missed = ring.first.saturating_sub(*next);
        if missed > 0 {
            *next = ring.first;
            return Some(Err(ReceiveError::Lagged(missed)));
        }
        let item = ring.from(*next).next().and_then(Slot::take);
        match item {
            Some(item) => {
                *next += 1;
                ring.forget();
                Some(Ok(item))
            }
            None => (self.senders.get() == 0).then_some(Err(ReceiveError::Closed)),
        }
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            items: self.ring.borrow().slots.len(),
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting: self.line.len(),
        }
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { items, senders, receivers, .. } = self.statistics();
        f.debug_struct(name)
            .field("items", &items)
            .field("senders", &senders)
            .field("receivers", &receivers)
            .finish_non_exhaustive()
    }
}

/// The end that sends. Cloning makes another one; when the last one is gone, receivers have what is left and then
/// [`ReceiveError::Closed`].
pub struct Sender<T>(Rc<Shared<T>>);

impl<T> Sender<T> {
    /// Sends `item` to every receiver that there is, and tells how many there are.
    ///
    /// # Errors
    ///
    /// [`Unsent`] hands it back if there is none.
    pub fn send(&self, item: T) -> Result<usize, Unsent<T>> {
        let shared = &*self.0;
        let receivers = shared.receivers.get();
        if receivers == 0 {
            return Err(Unsent(item));
        }
        let mut ring = shared.ring.borrow_mut();
        let oldest = if ring.slots.len() == shared.capacity { ring.slots.pop_front() } else { None };
        ring.first += u64::from(oldest.is_some());
        ring.slots.push_back(Slot { item: Some(Rc::new(item)), left: receivers });
        ring.forget();
        drop(ring);
        drop(oldest);
        shared.line.call_all();
        Ok(receivers)
    }

    /// Another receiver, which has what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let next = self.0.ring.borrow().end();
        self.0.subscribe(next)
    }

    /// What the channel looks like now.
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.set(self.0.senders.get() + 1);
        Self(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.senders.set(self.0.senders.get() - 1);
        if self.0.senders.get() == 0 {
            self.0.line.call_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("Sender", f)
    }
}

/// An end that receives. A clone has had what this one has.
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// The number of the item that it has next.
    next: u64,
}

impl<T> Receiver<T> {
    /// Receives the next item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped receive has taken nothing.
    pub fn receive(&mut self) -> Receive<'_, T>
    where
        T: Clone,
    {
        Receive { receiver: self, place: Place::NONE }
    }

    /// Receives the next item, if it was sent.
    ///
    /// # Errors
    ///
    /// [`TryReceiveError`].
    pub fn try_receive(&mut self) -> Result<T, TryReceiveError>
    where
        T: Clone,
    {
        match self.shared.try_receive(&mut self.next) {
            Some(received) => Ok(Rc::unwrap_or_clone(received?)),
            None => Err(TryReceiveError::Empty),
        }
    }

    /// What the channel looks like now.
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        for slot in self.shared.ring.borrow_mut().from(self.next) {
            slot.left += 1;
        }
        self.shared.subscribe(self.next)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut ring = self.shared.ring.borrow_mut();
        // Those that nobody else has yet to have are dropped when nothing is borrowed.
        let dropped: Vec<_> = ring.from(self.next).filter_map(Slot::take).collect();
        ring.forget();
        drop(ring);
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        drop(dropped);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt("Receiver", f)
    }
}

/// A [`Receiver::receive`] on its way.
#[must_use = "nothing is received until this is awaited"]
pub struct Receive<'r, T> {
    receiver: &'r mut Receiver<T>,
    place: Place,
}

impl<T: Clone> Future for Receive<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { receiver: Receiver { shared, next }, place } = &mut *self;
        let polled = shared.line.poll(place, cx, |_| shared.try_receive(next));
        polled.map_ok(Rc::unwrap_or_clone)
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        // Everybody is called: there is nothing to pass on.
        self.receiver.shared.line.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for Receive<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receive").field(&self.receiver).finish()
    }
}
