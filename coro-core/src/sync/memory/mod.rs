//! Channels between tasks, whose ends can be cloned and closed one by one: trio's memory channels.

mod end;
mod wait;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use super::Line;
use crate::event_loop::Wanted;
pub use end::{MemoryReceiveChannel, MemorySendChannel};
pub use wait::{Receive, Send};

/// Makes a channel that holds `capacity` items at most while nobody receives them, and its two ends.
///
/// With a capacity of zero the two meet: a send waits until a receiver does. `usize::MAX` is no bound.
///
/// Cloning an end makes another one. When the last end that sends is gone, receivers have what is left and then
/// [`EndOfChannel`]; when the last one that receives is gone, sends fail with [`BrokenResource`]. So workers can end by
/// themselves. It is fair on both sides: what comes is promised to whoever has waited longest, and nobody else takes it.
///
/// Trio's `ClosedResourceError`, for the use of an end that was closed, cannot happen here: to close an end is to drop
/// it, which nobody can while it is used.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, sync::memory::open_memory_channel};
///
/// let sum = Loop::simulated().run(async {
///     let (sender, mut receiver) = open_memory_channel(10);
///     for worker in 0..3 {
///         let sender = sender.clone();
///         spawn(async move { sender.send(worker).await.unwrap() }).detach();
///     }
///     // Those of the workers are left: the end comes when they are gone.
///     drop(sender);
///     let mut sum = 0;
///     while let Ok(item) = receiver.receive().await {
///         sum += item;
///     }
///     sum
/// });
/// assert_eq!(sum.unwrap(), 3);
/// ```
///
/// # References
///
/// [`trio.open_memory_channel`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.open_memory_channel).
pub fn open_memory_channel<T>(capacity: usize) -> (MemorySendChannel<T>, MemoryReceiveChannel<T>) {
    let channel = Rc::new(Channel {
        capacity: isize::try_from(capacity).unwrap_or(isize::MAX),
        items: RefCell::default(),
        senders: Side::of(Wanted::Send),
        receivers: Side::of(Wanted::Receive),
    });
    (MemorySendChannel::new(&channel), MemoryReceiveChannel::new(&channel))
}

struct Channel<T> {
    capacity: isize,
    items: RefCell<VecDeque<T>>,
    /// Each that was called has been promised room for its item.
    senders: Side,
    /// Each that was called has been promised an item.
    receivers: Side,
}

/// Those who send, or those who receive.
struct Side {
    ends: Cell<usize>,
    line: Line,
    /// How many have been called and have not run.
    promised: Cell<usize>,
}

/// [`MemorySendChannel::send`] found nobody left who could receive. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody is left who could receive: every receiving end was dropped")]
pub struct BrokenResource<T>(pub T);

/// [`MemoryReceiveChannel::receive`] found nothing left, and nobody who could send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no item is left, and nobody who could send: every sending end was dropped")]
pub struct EndOfChannel;

/// [`MemorySendChannel::send_nowait`] did not send. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendNowaitError<T> {
    /// It would have to wait.
    #[error("there is no room, or others wait for it: wait with send()")]
    WouldBlock(T),
    /// Nobody is left who could receive.
    #[error("nobody is left who could receive: every receiving end was dropped")]
    BrokenResource(T),
}

/// Why [`MemoryReceiveChannel::receive_nowait`] has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveNowaitError {
    /// It would have to wait.
    #[error("no item is there, or others wait for it: wait with receive()")]
    WouldBlock,
    /// None will come.
    #[error(transparent)]
    EndOfChannel(#[from] EndOfChannel),
}

/// What a channel looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many items are in it.
    pub items: usize,
    /// How many it holds at most while nobody receives.
    pub capacity: usize,
    /// How many ends there are that send.
    pub senders: usize,
    /// How many ends there are that receive.
    pub receivers: usize,
    /// How many sends wait, with those that have been promised room and have not run.
    pub sending: usize,
    /// How many receives wait, with those that have been promised an item and have not run.
    pub receiving: usize,
}

impl Side {
    fn of(wanted: Wanted) -> Self {
        Self { ends: Cell::new(0), line: Line::of(wanted), promised: Cell::new(0) }
    }

    /// How many wait, or have been promised something and have not run.
    fn present(&self) -> usize {
        self.line.len() + self.promised.get()
    }

    fn promised(&self) -> usize {
        self.promised.get()
    }

    fn unpromise(&self) {
        self.promised.set(self.promised.get() - 1);
    }

    /// Makes a promise to the first in line, if anybody waits.
    fn promise(&self) {
        if !self.line.is_empty() {
            // Before the call: a foreign waker may come back here.
            self.promised.set(self.promised.get() + 1);
            self.line.call_next();
        }
    }

    fn open(&self) {
        self.ends.set(self.ends.get() + 1);
    }

    /// Closes an end. True if it was the last one; nobody can make another then.
    fn close(&self) -> bool {
        self.ends.set(self.ends.get() - 1);
        self.is_gone()
    }

    fn is_gone(&self) -> bool {
        self.ends.get() == 0
    }
}

/// An item that is promised is there, so nothing is promised where there is none. Room that is promised may have
/// shrunk meanwhile: then there are more items for a while than there should be.
impl<T> Channel<T> {
    fn len(&self) -> usize {
        self.items.borrow().len()
    }

    /// How many more items could be sent by those to whom nothing is promised: as many as fit, and one for each that
    /// receives. Less than nothing after receivers gave up.
    fn room(&self) -> isize {
        let taken = self.len() + self.senders.promised();
        self.capacity.saturating_add_unsigned(self.receivers.present()).saturating_sub_unsigned(taken)
    }

    /// How many items there are for those to whom none is promised.
    fn spare(&self) -> usize {
        self.len() - self.receivers.promised()
    }

    /// Sends, for a newcomer, or for one who was called. Takes the item if it is sent, or leaves it if nobody will have
    /// it.
    fn try_send(&self, item: &mut Option<T>, called: bool) -> Option<()> {
        if self.receivers.is_gone() {
            return Some(());
        }
        if called {
            // It has its room, even if the receiver that was there for it has given up since.
            self.senders.unpromise();
        } else if !self.senders.line.is_empty() || self.room() <= 0 {
            return None;
        }
        self.items.borrow_mut().extend(item.take());
        if self.spare() > 0 {
            self.receivers.promise();
        }
        Some(())
    }

    /// Receives, for a newcomer, or for one who was called.
    fn try_receive(&self, called: bool) -> Option<Result<T, EndOfChannel>> {
        if self.len() == 0 {
            return self.senders.is_gone().then_some(Err(EndOfChannel));
        }
        if called {
            self.receivers.unpromise();
        } else if self.spare() == 0 {
            return None;
        }
        let item = self.items.borrow_mut().pop_front()?;
        self.promise_room();
        self.end_if_over();
        Some(Ok(item))
    }

    /// Lets the first that waits to send do so, if it can.
    fn promise_room(&self) {
        if self.room() > 0 {
            self.senders.promise();
        }
    }

    /// Tells those who wait that nothing comes any more, if so.
    fn end_if_over(&self) {
        if self.senders.is_gone() && self.len() == 0 {
            self.receivers.line.call_all();
        }
    }

    /// One who was called to receive has gone away.
    fn pass_item_on(&self) {
        // Else it was only to be told that nothing comes.
        if self.len() > 0 {
            self.receivers.unpromise();
            self.receivers.promise();
        }
    }

    /// One who was called to send has gone away.
    fn pass_room_on(&self) {
        // Else it was only to be told that nobody receives.
        if !self.receivers.is_gone() {
            self.senders.unpromise();
            self.promise_room();
        }
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            items: self.items.borrow().len(),
            capacity: self.capacity.unsigned_abs(),
            senders: self.senders.ends.get(),
            receivers: self.receivers.ends.get(),
            sending: self.senders.present(),
            receiving: self.receivers.present(),
        }
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        f.debug_struct(name)
            .field("items", &statistics.items)
            .field("capacity", &statistics.capacity)
            .field("senders", &statistics.senders)
            .field("receivers", &statistics.receivers)
            .finish_non_exhaustive()
    }
}
