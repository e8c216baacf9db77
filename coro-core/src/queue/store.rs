//! What queues keep their items in: this is where they differ.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Keeps items, and says which one comes out next.
///
/// # Examples
///
/// A queue that gives each item once, however often it was put:
///
/// ```
/// use coro_core::queue::{BaseQueue, Store};
/// use std::collections::BTreeSet;
///
/// #[derive(Default)]
/// struct Once(BTreeSet<u32>);
///
/// impl Store for Once {
///     type Item = u32;
///     fn push(&mut self, item: u32) {
///         self.0.insert(item);
///     }
///     fn pop(&mut self) -> Option<u32> {
///         self.0.pop_first()
///     }
///     fn len(&self) -> usize {
///         self.0.len()
///     }
/// }
///
/// let queue = BaseQueue::<Once>::unbounded();
/// for item in [3, 1, 3] {
///     queue.put_nowait(item).unwrap();
/// }
/// assert_eq!((queue.get_nowait(), queue.get_nowait()), (Ok(1), Ok(3)));
/// assert!(queue.is_empty());
/// ```
pub trait Store: Default {
    /// What it keeps.
    type Item;

    /// Takes `item` in.
    fn push(&mut self, item: Self::Item);

    /// Gives the next one, if there is one.
    fn pop(&mut self) -> Option<Self::Item>;

    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The oldest one first.
#[derive(Debug, Clone)]
pub struct Fifo<T>(VecDeque<T>);

/// The newest one first.
#[derive(Debug, Clone)]
pub struct Lifo<T>(Vec<T>);

/// The smallest one first. Of equal ones, any.
#[derive(Debug, Clone)]
pub struct Smallest<T>(BinaryHeap<Reverse<T>>);

impl<T> Store for Fifo<T> {
    type Item = T;

    #[inline(always)]
    fn push(&mut self, item: T) {
        self.0.push_back(item);
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Store for Lifo<T> {
    type Item = T;

    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: Ord> Store for Smallest<T> {
    type Item = T;

    fn push(&mut self, item: T) {
        self.0.push(Reverse(item));
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop().map(|Reverse(item)| item)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord> Default for Smallest<T> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}
