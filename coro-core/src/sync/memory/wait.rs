//! Operations of a channel on their way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{BrokenResource, Channel, EndOfChannel};
use crate::sync::Place;

/// A [`MemorySendChannel::send`](super::MemorySendChannel::send) on its way.
#[must_use = "nothing is sent until this is awaited"]
pub struct Send<'c, T> {
    channel: &'c Channel<T>,
    /// `None` once it was sent.
    item: Option<T>,
    place: Place,
}

impl<'c, T> Send<'c, T> {
    pub(super) fn new(channel: &'c Channel<T>, item: T) -> Self {
        Self { channel, item: Some(item), place: Place::NONE }
    }

    /// Gives up, and gives the item back if it was not sent.
    pub fn into_item(mut self) -> Option<T> {
        self.item.take()
    }
}

impl<T> Unpin for Send<'_, T> {}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), BrokenResource<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { channel, item, place } = &mut *self;
        let line = &channel.senders.line;
        let polled = line.poll(place, cx, |called| channel.try_send(item, called));
        polled.map(|()| item.take().map_or(Ok(()), |item| Err(BrokenResource(item))))
    }
}

impl<T> Drop for Send<'_, T> {
    fn drop(&mut self) {
        if self.channel.senders.line.leave(&mut self.place) {
            self.channel.pass_room_on();
        }
    }
}

impl<T> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt("Send", f)
    }
}

/// A [`MemoryReceiveChannel::receive`](super::MemoryReceiveChannel::receive) on its way.
#[must_use = "nothing is received until this is awaited"]
pub struct Receive<'c, T> {
    channel: &'c Channel<T>,
    place: Place,
}

impl<'c, T> Receive<'c, T> {
    pub(super) fn new(channel: &'c Channel<T>) -> Self {
        Self { channel, place: Place::NONE }
    }
}

impl<T> Future for Receive<'_, T> {
    type Output = Result<T, EndOfChannel>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { channel, place } = &mut *self;
        let arrives = place.is_none();
        let line = &channel.receivers.line;
        let polled = line.poll(place, cx, |called| channel.try_receive(called));
        if polled.is_pending() && arrives {
            // A sender may have waited for nothing else.
            channel.promise_room();
        }
        polled
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        if self.channel.receivers.line.leave(&mut self.place) {
            self.channel.pass_item_on();
        }
    }
}

impl<T> fmt::Debug for Receive<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt("Receive", f)
    }
}
