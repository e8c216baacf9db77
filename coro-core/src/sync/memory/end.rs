//! The ends of a channel.

use std::fmt;
use std::rc::Rc;

use super::{Channel, Receive, ReceiveNowaitError, Send, SendNowaitError, Statistics};

/// An end of a channel that sends. Cloning makes another one, dropping closes this one.
pub struct MemorySendChannel<T>(Rc<Channel<T>>);

impl<T> MemorySendChannel<T> {
    pub(super) fn new(channel: &Rc<Channel<T>>) -> Self {
        channel.senders.open();
        Self(Rc::clone(channel))
    }

    /// Sends `item`, waiting for room, or for a receiver if the channel holds nothing.
    ///
    /// # Errors
    ///
    /// [`BrokenResource`](super::BrokenResource) hands it back if no receiving end is left.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped send that was not over has sent nothing, and drops its item; [`Send::into_item`] has it.
    pub fn send(&self, item: T) -> Send<'_, T> {
        Send::new(&self.0, item)
    }

    /// Sends `item`, if there is room, or a receiver waits.
    ///
    /// # Errors
    ///
    /// [`SendNowaitError`] hands it back.
    pub fn send_nowait(&self, item: T) -> Result<(), SendNowaitError<T>> {
        let mut item = Some(item);
        let sent = self.0.try_send(&mut item, false);
        match (sent, item) {
            (_, None) => Ok(()),
            (Some(()), Some(item)) => Err(SendNowaitError::BrokenResource(item)),
            (None, Some(item)) => Err(SendNowaitError::WouldBlock(item)),
        }
    }

    /// Whether nobody is left who could receive.
    pub fn is_broken(&self) -> bool {
        self.0.receivers.is_gone()
    }

    /// Closes this end; what dropping it does, in a word.
    pub fn close(self) {}

    /// What the channel looks like now.
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }
}

impl<T> Clone for MemorySendChannel<T> {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl<T> Drop for MemorySendChannel<T> {
    fn drop(&mut self) {
        if self.0.senders.close() {
            self.0.end_if_over();
        }
    }
}

impl<T> fmt::Debug for MemorySendChannel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("MemorySendChannel", f)
    }
}

/// An end of a channel that receives. Cloning makes another one, with which it shares the items; dropping closes this
/// one.
pub struct MemoryReceiveChannel<T>(Rc<Channel<T>>);

impl<T> MemoryReceiveChannel<T> {
    pub(super) fn new(channel: &Rc<Channel<T>>) -> Self {
        channel.receivers.open();
        Self(Rc::clone(channel))
    }

    /// Receives the oldest item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`EndOfChannel`](super::EndOfChannel) if no item and no sending end is left.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped receive has taken nothing, and the next in line is served.
    pub fn receive(&self) -> Receive<'_, T> {
        Receive::new(&self.0)
    }

    /// Receives the oldest item, if there is one.
    ///
    /// From a channel of capacity zero it has nothing but what a cancelled receiver left: to meet, both must wait.
    ///
    /// # Errors
    ///
    /// [`ReceiveNowaitError`].
    pub fn receive_nowait(&self) -> Result<T, ReceiveNowaitError> {
        match self.0.try_receive(false) {
            Some(received) => Ok(received?),
            None => Err(ReceiveNowaitError::WouldBlock),
        }
    }

    /// Closes this end; what dropping it does, in a word.
    pub fn close(self) {}

    /// What the channel looks like now.
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }
}

impl<T> Clone for MemoryReceiveChannel<T> {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl<T> Drop for MemoryReceiveChannel<T> {
    fn drop(&mut self) {
        if self.0.receivers.close() {
            self.0.senders.line.call_all();
            // Nobody will have them. They may hold ends of this very channel.
            drop(self.0.items.take());
        }
    }
}

impl<T> fmt::Debug for MemoryReceiveChannel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("MemoryReceiveChannel", f)
    }
}
