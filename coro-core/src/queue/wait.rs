//! Operations of queues on their way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{BaseQueue, QueueShutDown, Store, Unput};
use crate::sync::Place;

/// A [`BaseQueue::put`] on its way.
#[must_use = "a put does nothing until it is awaited"]
pub struct Put<S: Store> {
    queue: BaseQueue<S>,
    /// `None` once it is in the queue.
    item: Option<S::Item>,
    place: Place,
}

impl<S: Store> Put<S> {
    #[inline(always)]
    pub(super) fn new(queue: &BaseQueue<S>, item: S::Item) -> Self {
        Self { queue: queue.clone(), item: Some(item), place: Place::NONE }
    }

    /// Leaves the line. Who was called for nothing passes that on.
    #[inline(never)]
    fn leave(&mut self) {
        let putters = &self.queue.0.putters;
        if putters.leave(&mut self.place) && !self.queue.is_full() {
            putters.call_next_present();
        }
    }

    /// Gives up, and gives the item back if it was not put.
    pub fn into_item(mut self) -> Option<S::Item> {
        self.item.take()
    }
}

impl<S: Store> Unpin for Put<S> {}

impl<S: Store> Future for Put<S> {
    type Output = Result<(), Unput<S::Item>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue: BaseQueue(shared), item, place } = &mut *self;
        if item.is_none() {
            return Poll::Ready(Ok(()));
        }
        let polled = shared.putters.poll_named(shared.name(), place, cx, |_| shared.push(item));
        polled.map(|()| item.take().map_or(Ok(()), |item| Err(Unput(item))))
    }
}

impl<S: Store> Drop for Put<S> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.place.is_none() {
            self.leave();
        }
    }
}

impl<S: Store> fmt::Debug for Put<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(&self.queue).finish()
    }
}

/// A [`BaseQueue::get`] on its way.
#[must_use = "a get does nothing until it is awaited"]
pub struct Get<S: Store> {
    queue: BaseQueue<S>,
    place: Place,
}

impl<S: Store> Get<S> {
    #[inline(always)]
    pub(super) fn new(queue: &BaseQueue<S>) -> Self {
        Self { queue: queue.clone(), place: Place::NONE }
    }

    /// Leaves the line. Who was called for nothing passes that on.
    #[inline(never)]
    fn leave(&mut self) {
        let getters = &self.queue.0.getters;
        if getters.leave(&mut self.place) && !self.queue.is_empty() {
            getters.call_next_present();
        }
    }
}

impl<S: Store> Future for Get<S> {
    type Output = Result<S::Item, QueueShutDown>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue: BaseQueue(shared), place } = &mut *self;
        shared.getters.poll(place, cx, |_| shared.pop())
    }
}

impl<S: Store> Drop for Get<S> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.place.is_none() {
            self.leave();
        }
    }
}

impl<S: Store> fmt::Debug for Get<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.queue).finish()
    }
}

/// A [`BaseQueue::join`] on its way.
#[must_use = "a join does nothing until it is awaited"]
pub struct Join<S: Store> {
    queue: BaseQueue<S>,
    place: Place,
}

impl<S: Store> Join<S> {
    pub(super) fn new(queue: &BaseQueue<S>) -> Self {
        Self { queue: queue.clone(), place: Place::NONE }
    }
}

impl<S: Store> Future for Join<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { queue: BaseQueue(shared), place } = &mut *self;
        // Called, it is over, whatever was put since.
        shared.joiners.poll_named(shared.name(), place, cx, |called| {
            (called || shared.unfinished.get() == 0).then_some(())
        })
    }
}

impl<S: Store> Drop for Join<S> {
    fn drop(&mut self) {
        self.queue.0.joiners.leave(&mut self.place);
    }
}

impl<S: Store> fmt::Debug for Join<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.queue).finish()
    }
}
