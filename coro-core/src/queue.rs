//! A first-in, first-out queue between tasks: asyncio's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::event_loop::{Wanted, Word};
use crate::sync::{Line, Place};

/// A queue of at most `maxsize` items, or without a bound.
///
/// Those who wait are served first come, first served. A wake-up is a hint: the woken one looks again, and if
/// somebody was faster it waits again. Cloning gives another handle to the same queue.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, Queue, native::spawn};
///
/// let sum = Loop::simulated().run(async {
///     let queue = Queue::<u32>::unbounded();
///     let consumer = spawn({
///         let queue = queue.clone();
///         async move {
///             let sum = queue.get().await + queue.get().await;
///             queue.task_done().unwrap();
///             queue.task_done().unwrap();
///             sum
///         }
///     });
///     queue.put(1).await;
///     queue.put(2).await;
///     queue.join().await;
///     consumer.await.unwrap()
/// });
/// assert_eq!(sum.unwrap(), 3);
/// ```
///
/// # References
///
/// [`asyncio.Queue`](https://docs.python.org/3/library/asyncio-queue.html).
pub struct Queue<T>(Rc<Shared<T>>);

struct Shared<T> {
    items: RefCell<VecDeque<T>>,
    /// `usize::MAX` for no bound.
    maxsize: usize,
    getters: Line,
    putters: Line,
    joiners: Line,
    unfinished: Cell<usize>,
}

/// [`Queue::put_nowait`] found the queue full. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full: wait with put(), or make room first")]
pub struct QueueFull<T>(pub T);

/// [`Queue::get_nowait`] found the queue empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is empty: wait with get(), or put something first")]
pub struct QueueEmpty;

/// [`Queue::task_done`] was called more often than items were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("task_done() was called too many times: call it once for each item that was got")]
pub struct TooManyTaskDone;

impl<T> Queue<T> {
    /// A queue of at most `maxsize` items; zero means that there is no bound.
    pub fn new(maxsize: usize) -> Self {
        Self(Rc::new(Shared {
            items: RefCell::default(),
            maxsize: if maxsize == 0 { usize::MAX } else { maxsize },
            getters: Line::default(),
            putters: Line::default(),
            joiners: Line::default(),
            unfinished: Cell::new(0),
        }))
    }

    /// A queue without a bound.
    pub fn unbounded() -> Self {
        Self::new(0)
    }

    /// How many items are in it.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a [`put`](Self::put) would wait.
    pub fn is_full(&self) -> bool {
        self.len() >= self.0.maxsize
    }

    /// Puts `item` in, waiting for room.
    ///
    /// # Cancellation
    ///
    /// Strict for the queue; a dropped `put` that was still waiting drops its item.
    pub fn put(&self, item: T) -> Put<T> {
        Put { queue: self.clone(), item: Some(item), place: Place::NONE }
    }

    /// Puts `item` in, if there is room.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] hands the item back.
    pub fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        let mut item = Some(item);
        self.0.push(&mut item);
        item.map_or(Ok(()), |item| Err(QueueFull(item)))
    }

    /// Takes the oldest item, waiting for one.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped `get` has taken nothing, and the next in line is served.
    pub fn get(&self) -> Get<T> {
        Get { queue: self.clone(), place: Place::NONE }
    }

    /// Takes the oldest item, if there is one.
    ///
    /// # Errors
    ///
    /// [`QueueEmpty`].
    pub fn get_nowait(&self) -> Result<T, QueueEmpty> {
        self.0.pop().ok_or(QueueEmpty)
    }

    /// Says that the work on one item that was got is done.
    ///
    /// # Errors
    ///
    /// [`TooManyTaskDone`], and nothing changes.
    pub fn task_done(&self) -> Result<(), TooManyTaskDone> {
        let unfinished = self.0.unfinished.get().checked_sub(1).ok_or(TooManyTaskDone)?;
        self.0.unfinished.set(unfinished);
        if unfinished == 0 {
            self.0.joiners.call_all();
        }
        Ok(())
    }

    /// Waits until the work on every item that was put is done.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn join(&self) -> Join<T> {
        Join { queue: self.clone(), place: Place::NONE }
    }
}

impl<T> Shared<T> {
    /// Takes `item` in, if there is room, and calls who waits for one.
    #[inline]
    fn push(&self, item: &mut Option<T>) -> Option<()> {
        let mut items = self.items.borrow_mut();
        if items.len() >= self.maxsize {
            return None;
        }
        items.push_back(item.take()?);
        drop(items);
        self.unfinished.set(self.unfinished.get() + 1);
        self.getters.call_next_present();
        Some(())
    }

    /// Says what the present task waits for, if it does.
    #[inline(always)]
    fn note_wait<R>(&self, polled: Poll<R>, what: Wanted) -> Poll<R> {
        if polled.is_pending() {
            // One of the lines names the queue.
            self.getters.name.note_wait(what, Word::NOBODY);
        }
        polled
    }

    /// Takes the oldest item out, and calls who waits for room.
    #[inline]
    fn pop(&self) -> Option<T> {
        let item = self.items.borrow_mut().pop_front()?;
        self.putters.call_next_present();
        Some(item)
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("unfinished", &self.0.unfinished.get())
            .finish_non_exhaustive()
    }
}

/// A [`Queue::put`] on its way.
#[must_use = "a put does nothing until it is awaited"]
pub struct Put<T> {
    queue: Queue<T>,
    /// `None` once it is in the queue.
    item: Option<T>,
    place: Place,
}

impl<T> Unpin for Put<T> {}

impl<T> Future for Put<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { queue: Queue(shared), item, place } = &mut *self;
        if item.is_none() {
            return Poll::Ready(());
        }
        let polled = shared.putters.poll(place, cx, |_| shared.push(item));
        shared.note_wait(polled, Wanted::Put)
    }
}

impl<T> Drop for Put<T> {
    fn drop(&mut self) {
        let putters = &self.queue.0.putters;
        if putters.leave(&mut self.place) && !self.queue.is_full() {
            putters.call_next_present();
        }
    }
}

impl<T> fmt::Debug for Put<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Put").field(&self.queue).finish()
    }
}

/// A [`Queue::get`] on its way.
#[must_use = "a get does nothing until it is awaited"]
pub struct Get<T> {
    queue: Queue<T>,
    place: Place,
}

impl<T> Future for Get<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Self { queue: Queue(shared), place } = &mut *self;
        let polled = shared.getters.poll(place, cx, |_| shared.pop());
        shared.note_wait(polled, Wanted::Get)
    }
}

impl<T> Drop for Get<T> {
    fn drop(&mut self) {
        let getters = &self.queue.0.getters;
        if getters.leave(&mut self.place) && !self.queue.is_empty() {
            getters.call_next_present();
        }
    }
}

impl<T> fmt::Debug for Get<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.queue).finish()
    }
}

/// A [`Queue::join`] on its way.
#[must_use = "a join does nothing until it is awaited"]
pub struct Join<T> {
    queue: Queue<T>,
    place: Place,
}

impl<T> Future for Join<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { queue: Queue(shared), place } = &mut *self;
        // Called, it is over, whatever was put since.
        let polled =
            shared.joiners.poll(place, cx, |called| (called || shared.unfinished.get() == 0).then_some(()));
        shared.note_wait(polled, Wanted::Done)
    }
}

impl<T> Drop for Join<T> {
    fn drop(&mut self) {
        self.queue.0.joiners.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for Join<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.queue).finish()
    }
}
