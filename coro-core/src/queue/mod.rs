//! Queues between tasks: asyncio's.
//!
//! [`Queue`] gives the oldest item first, [`LifoQueue`] the newest, [`PriorityQueue`] the smallest. They are one thing,
//! [`BaseQueue`], over three [stores](Store).

mod store;
mod wait;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

pub use store::{Fifo, Lifo, Smallest, Store};
pub use wait::{Get, Join, Put};

use crate::event_loop::{ObjectName, Wanted};
use crate::sync::Line;

/// A queue that gives the oldest item first.
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
///             let mut sum = 0;
///             while let Ok(item) = queue.get().await {
///                 sum += item;
///                 queue.task_done().unwrap();
///             }
///             sum
///         }
///     });
///     queue.put(1).await.unwrap();
///     queue.put(2).await.unwrap();
///     queue.join().await;
///     queue.shutdown();
///     consumer.await.unwrap()
/// });
/// assert_eq!(sum.unwrap(), 3);
/// ```
///
/// # References
///
/// [`asyncio.Queue`](https://docs.python.org/3/library/asyncio-queue.html).
pub type Queue<T> = BaseQueue<Fifo<T>>;

/// A queue that gives the newest item first.
///
/// # References
///
/// [`asyncio.LifoQueue`](https://docs.python.org/3/library/asyncio-queue.html#asyncio.LifoQueue).
pub type LifoQueue<T> = BaseQueue<Lifo<T>>;

/// A queue that gives the smallest item first; wrap them in [`Reverse`](std::cmp::Reverse) for the largest.
///
/// # Panics
///
/// When the comparison of two items uses the queue that they are in.
///
/// # Examples
///
/// ```
/// use coro_core::queue::PriorityQueue;
///
/// let patients = PriorityQueue::unbounded();
/// for patient in [(2, "cough"), (1, "heart"), (3, "cold")] {
///     patients.put_nowait(patient).unwrap();
/// }
/// assert_eq!(patients.get_nowait(), Ok((1, "heart")));
/// ```
///
/// # References
///
/// [`asyncio.PriorityQueue`](https://docs.python.org/3/library/asyncio-queue.html#asyncio.PriorityQueue).
pub type PriorityQueue<T> = BaseQueue<Smallest<T>>;

/// A queue of at most `maxsize` items, or without a bound, which come out as its [`Store`] says.
///
/// Those who wait are served first come, first served. A wake-up is a hint: the woken one looks again, and if
/// somebody was faster it waits again. Cloning gives another handle to the same queue.
///
/// ```text
///   open ──── shutdown, shutdown_now ────▶ shut down: no put; what is left can be got
/// ```
pub struct BaseQueue<S: Store>(Rc<Shared<S>>);

struct Shared<S> {
    items: RefCell<S>,
    /// `usize::MAX` for no bound.
    maxsize: usize,
    getters: Line,
    putters: Line,
    joiners: Line,
    unfinished: Cell<usize>,
    shut_down: Cell<bool>,
}

/// [`BaseQueue::get`] found the queue shut down, and nothing left in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is shut down, and nothing is left in it")]
pub struct QueueShutDown;

/// [`BaseQueue::put`] found the queue shut down. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is shut down, and takes no items")]
pub struct Unput<T>(pub T);

/// [`BaseQueue::put_nowait`] did not put. The item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PutNowaitError<T> {
    /// There is no room.
    #[error("the queue is full: wait with put(), or make room first")]
    QueueFull(T),
    /// Nothing is taken any more.
    #[error("the queue is shut down, and takes no items")]
    QueueShutDown(T),
}

/// Why [`BaseQueue::get_nowait`] has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GetNowaitError {
    /// One may come.
    #[error("the queue is empty: wait with get(), or put something first")]
    QueueEmpty,
    /// None will come.
    #[error(transparent)]
    QueueShutDown(#[from] QueueShutDown),
}

/// [`BaseQueue::task_done`] was called more often than items were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("task_done() was called too many times: call it once for each item that was got")]
pub struct TooManyTaskDone;

/// What a queue looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many items are in it.
    pub len: usize,
    /// How many there may be, if there is a bound.
    pub maxsize: Option<usize>,
    /// How many items were put whose work is not done.
    pub unfinished: usize,
    /// How many wait to get one, without those that were woken and have not run.
    pub getting: usize,
    /// How many wait to put one, without those that were woken and have not run.
    pub putting: usize,
    /// How many wait until the work is done.
    pub joining: usize,
    /// Whether it takes no more.
    pub shut_down: bool,
}

impl<S: Store> BaseQueue<S> {
    /// A queue of at most `maxsize` items; zero means that there is no bound.
    pub fn new(maxsize: usize) -> Self {
        Self(Rc::new(Shared {
            items: RefCell::default(),
            maxsize: if maxsize == 0 { usize::MAX } else { maxsize },
            getters: Line::of(Wanted::Get),
            putters: Line::of(Wanted::Put),
            joiners: Line::of(Wanted::Done),
            unfinished: Cell::new(0),
            shut_down: Cell::new(false),
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

    /// Whether it was [shut down](Self::shutdown).
    pub fn is_shut_down(&self) -> bool {
        self.0.shut_down.get()
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        let Shared { maxsize, getters, putters, joiners, unfinished, .. } = &*self.0;
        Statistics {
            len: self.len(),
            maxsize: (*maxsize != usize::MAX).then_some(*maxsize),
            unfinished: unfinished.get(),
            getting: getters.len(),
            putting: putters.len(),
            joining: joiners.len(),
            shut_down: self.is_shut_down(),
        }
    }

    /// Puts `item` in, waiting for room.
    ///
    /// # Errors
    ///
    /// [`Unput`] hands it back if the queue is shut down, or was during the wait.
    ///
    /// # Cancellation
    ///
    /// Strict for the queue; a dropped `put` that was still waiting drops its item, but [`Put::into_item`] has it.
    pub fn put(&self, item: S::Item) -> Put<S> {
        Put::new(self, item)
    }

    /// Puts `item` in, if there is room.
    ///
    /// # Errors
    ///
    /// [`PutNowaitError`] hands the item back.
    pub fn put_nowait(&self, item: S::Item) -> Result<(), PutNowaitError<S::Item>> {
        let mut item = Some(item);
        self.0.push(&mut item);
        match item {
            None => Ok(()),
            Some(item) if self.is_shut_down() => Err(PutNowaitError::QueueShutDown(item)),
            Some(item) => Err(PutNowaitError::QueueFull(item)),
        }
    }

    /// Takes the next item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`QueueShutDown`] if nothing is left, and the queue is shut down, or was during the wait.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped `get` has taken nothing, and the next in line is served.
    pub fn get(&self) -> Get<S> {
        Get::new(self)
    }

    /// Takes the next item, if there is one.
    ///
    /// # Errors
    ///
    /// [`GetNowaitError`].
    pub fn get_nowait(&self) -> Result<S::Item, GetNowaitError> {
        match self.0.pop() {
            Some(got) => Ok(got?),
            None => Err(GetNowaitError::QueueEmpty),
        }
    }

    /// Says that the work on one item that was got is done.
    ///
    /// # Errors
    ///
    /// [`TooManyTaskDone`], and nothing changes.
    pub fn task_done(&self) -> Result<(), TooManyTaskDone> {
        let unfinished = self.0.unfinished.get().checked_sub(1).ok_or(TooManyTaskDone)?;
        self.0.finish(unfinished);
        Ok(())
    }

    /// Waits until the work on every item that was put is done.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn join(&self) -> Join<S> {
        Join::new(self)
    }

    /// Takes no items from now on. What is in it can still be got, and is worked on before [`join`](Self::join) ends;
    /// then a get fails.
    pub fn shutdown(&self) {
        self.0.shut_down.set(true);
        self.0.call_everybody();
    }

    /// [`shutdown`](Self::shutdown) at once: gives what is in it, in the order in which it would have been got. The work on
    /// that counts as done, but not that on what was got before: [`join`](Self::join) still waits for it. asyncio's
    /// `shutdown(immediate=True)`, which drops the items.
    pub fn shutdown_now(&self) -> Vec<S::Item> {
        self.0.shut_down.set(true);
        let mut items = self.0.items.take();
        let items: Vec<_> = std::iter::from_fn(|| items.pop()).collect();
        self.0.finish(self.0.unfinished.get().saturating_sub(items.len()));
        self.0.call_everybody();
        items
    }
}

impl<S: Store> Shared<S> {
    /// Takes `item` in, if there is room, and calls who waits for one. Leaves it if the queue is shut down.
    #[inline]
    fn push(&self, item: &mut Option<S::Item>) -> Option<()> {
        if self.shut_down.get() {
            return Some(());
        }
        let mut items = self.items.borrow_mut();
        if items.len() >= self.maxsize {
            return None;
        }
        items.push(item.take()?);
        drop(items);
        self.unfinished.set(self.unfinished.get() + 1);
        self.getters.call_next_present();
        Some(())
    }

    /// Takes the next item out, and calls who waits for room.
    #[inline]
    fn pop(&self) -> Option<Result<S::Item, QueueShutDown>> {
        let item = self.items.borrow_mut().pop();
        match item {
            Some(item) => {
                self.putters.call_next_present();
                Some(Ok(item))
            }
            None => self.shut_down.get().then_some(Err(QueueShutDown)),
        }
    }

    /// So much work is left.
    fn finish(&self, unfinished: usize) {
        self.unfinished.set(unfinished);
        if unfinished == 0 {
            self.joiners.call_all();
        }
    }

    /// Lets everybody look again.
    fn call_everybody(&self) {
        self.getters.call_all();
        self.putters.call_all();
    }

    /// One of the lines names the queue.
    #[inline(always)]
    fn name(&self) -> &ObjectName {
        &self.getters.name
    }
}

impl<S: Store> Clone for BaseQueue<S> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S: Store> fmt::Debug for BaseQueue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { len, maxsize, unfinished, shut_down, .. } = self.statistics();
        f.debug_struct("Queue")
            .field("len", &len)
            .field("maxsize", &maxsize)
            .field("unfinished", &unfinished)
            .field("shut_down", &shut_down)
            .finish_non_exhaustive()
    }
}
