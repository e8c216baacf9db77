//! A first-in, first-out queue between tasks: asyncio's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

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
        Put { queue: self.clone(), item: Some(item), place: None }
    }

    /// Puts `item` in, if there is room.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] hands the item back.
    pub fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        if self.is_full() {
            return Err(QueueFull(item));
        }
        self.0.items.borrow_mut().push_back(item);
        self.0.unfinished.set(self.0.unfinished.get() + 1);
        self.0.getters.wake_next();
        Ok(())
    }

    /// Takes the oldest item, waiting for one.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped `get` has taken nothing, and the next in line is served.
    pub fn get(&self) -> Get<T> {
        Get { queue: self.clone(), place: None }
    }

    /// Takes the oldest item, if there is one.
    ///
    /// # Errors
    ///
    /// [`QueueEmpty`].
    pub fn get_nowait(&self) -> Result<T, QueueEmpty> {
        let item = self.0.items.borrow_mut().pop_front().ok_or(QueueEmpty)?;
        self.0.putters.wake_next();
        Ok(item)
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
            self.0.joiners.wake_all();
        }
        Ok(())
    }

    /// Waits until the work on every item that was put is done.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn join(&self) -> Join<T> {
        Join { queue: self.clone(), place: None }
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

/// Those who wait for one thing, first come, first served.
#[derive(Default)]
struct Line(RefCell<VecDeque<Rc<Place>>>);

/// A place in a line. It leaves the line when it is woken.
struct Place {
    waker: RefCell<Waker>,
    woken: Cell<bool>,
}

impl Line {
    fn enter(&self, waker: &Waker) -> Rc<Place> {
        let place = Rc::new(Place { waker: RefCell::new(waker.clone()), woken: Cell::new(false) });
        self.0.borrow_mut().push_back(Rc::clone(&place));
        place
    }

    fn leave(&self, place: &Rc<Place>) {
        self.0.borrow_mut().retain(|other| !Rc::ptr_eq(other, place));
    }

    fn wake_next(&self) {
        let next = self.0.borrow_mut().pop_front();
        if let Some(place) = next {
            place.wake();
        }
    }

    fn wake_all(&self) {
        let all = self.0.take();
        for place in all {
            place.wake();
        }
    }

    /// Keeps or takes a place; true once it was woken.
    fn poll_woken(&self, place: &mut Option<Rc<Place>>, cx: &Context<'_>) -> bool {
        match place {
            Some(waiting) if waiting.woken.get() => {
                *place = None;
                true
            }
            Some(waiting) => {
                let outdated = waiting.waker.replace(cx.waker().clone());
                drop(outdated);
                false
            }
            None => {
                *place = Some(self.enter(cx.waker()));
                false
            }
        }
    }

    /// Gives up a place. True if it had been woken, so that its turn must be passed on.
    fn give_up(&self, place: Option<Rc<Place>>) -> bool {
        let Some(place) = place else { return false };
        if !place.woken.get() {
            self.leave(&place);
        }
        place.woken.get()
    }
}

impl Place {
    fn wake(&self) {
        self.woken.set(true);
        let waker = self.waker.borrow().clone();
        waker.wake();
    }
}

/// A [`Queue::put`] on its way.
#[must_use = "a put does nothing until it is awaited"]
pub struct Put<T> {
    queue: Queue<T>,
    item: Option<T>,
    place: Option<Rc<Place>>,
}

impl<T> Unpin for Put<T> {}

impl<T> Future for Put<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let shared = &this.queue.0;
        // One that waits keeps its place until it is woken, room or not; a newcomer may be faster.
        if this.place.is_some() && !shared.putters.poll_woken(&mut this.place, cx) {
            return Poll::Pending;
        }
        let Some(item) = this.item.take() else { return Poll::Ready(()) };
        match this.queue.put_nowait(item) {
            Ok(()) => Poll::Ready(()),
            Err(QueueFull(item)) => {
                this.item = Some(item);
                shared.putters.poll_woken(&mut this.place, cx);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Put<T> {
    fn drop(&mut self) {
        let putters = &self.queue.0.putters;
        if putters.give_up(self.place.take()) && !self.queue.is_full() {
            putters.wake_next();
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
    place: Option<Rc<Place>>,
}

impl<T> Future for Get<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        let shared = &this.queue.0;
        if this.place.is_some() && !shared.getters.poll_woken(&mut this.place, cx) {
            return Poll::Pending;
        }
        match this.queue.get_nowait() {
            Ok(item) => Poll::Ready(item),
            Err(QueueEmpty) => {
                shared.getters.poll_woken(&mut this.place, cx);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Get<T> {
    fn drop(&mut self) {
        let getters = &self.queue.0.getters;
        if getters.give_up(self.place.take()) && !self.queue.is_empty() {
            getters.wake_next();
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
    place: Option<Rc<Place>>,
}

impl<T> Future for Join<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let shared = &this.queue.0;
        if shared.unfinished.get() == 0 && this.place.is_none() {
            return Poll::Ready(());
        }
        if shared.joiners.poll_woken(&mut this.place, cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<T> Drop for Join<T> {
    fn drop(&mut self) {
        self.queue.0.joiners.give_up(self.place.take());
    }
}

impl<T> fmt::Debug for Join<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Join").field(&self.queue).finish()
    }
}
