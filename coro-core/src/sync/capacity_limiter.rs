//! A number of tokens, and who has borrowed them: trio's capacity limiter.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use super::holders::{Holders, Key};
use super::permits::Permits;
use super::{Line, Place};
use crate::event_loop::{Core, Wanted};
use crate::task::TaskId;

/// So many tokens, of which each borrower has one at most, and whose number can change while they are used.
///
/// It limits how much of something goes on at once, and a task that borrows twice, which would wait for itself, is told
/// so. Fair as a [`Semaphore`](super::Semaphore). Cloning gives another handle to the same limiter.
///
/// # Examples
///
/// ```
/// use coro_core::sync::CapacityLimiter;
/// use coro_core::sync::capacity_limiter::CannotBorrow;
/// use coro_core::{EventLoop, Loop};
///
/// let done: Result<(), CannotBorrow> = Loop::simulated()
///     .run(async {
///         let threads = CapacityLimiter::new(4);
///         let token = threads.acquire().await?;
///         assert_eq!(threads.statistics().borrowed, 1);
///         assert!(matches!(threads.acquire().await, Err(CannotBorrow::AlreadyBorrowed(_))));
///         threads.set_total_tokens(8);
///         drop(token);
///         Ok(())
///     })
///     .unwrap();
/// done.unwrap();
/// ```
///
/// # References
///
/// [`trio.CapacityLimiter`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.CapacityLimiter). Its error
/// for releasing a token that was not borrowed cannot happen here: only a [`Token`] gives back, once.
#[derive(Clone)]
pub struct CapacityLimiter(Rc<Shared>);

struct Shared {
    total: Cell<usize>,
    permits: Permits,
    borrowers: RefCell<BTreeSet<Borrower>>,
    holders: Holders,
}

/// Who borrows a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Borrower {
    /// A task.
    Task(TaskId),
    /// Something else that works for a task, or for many: see [`Borrower::new`].
    Other(u64),
}

impl Borrower {
    /// One that is like no other of this process.
    #[expect(clippy::new_without_default, reason = "two are never equal, as those of a default should be")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Other(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The task that runs, if one does.
    pub fn current() -> Option<Self> {
        Core::current_task_id().map(Self::Task)
    }
}

impl fmt::Display for Borrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => write!(f, "{task:?}"),
            Self::Other(number) => write!(f, "borrower {number}"),
        }
    }
}

/// Why a token was not borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotBorrow {
    /// It would have to wait for one: only where it was not to wait.
    #[error("no token is free, or others wait for one: wait with acquire()")]
    WouldWait,
    /// The borrower has a token, and would wait for itself.
    #[error(
        "{0} has borrowed a token of this limiter already: give that back first, or borrow on behalf of another"
    )]
    AlreadyBorrowed(Borrower),
    /// No task of a loop runs, and no other borrower was named.
    #[error("no task runs that could borrow: name a borrower with acquire_on_behalf_of()")]
    NoTask,
}

/// What a limiter looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many tokens there are in all.
    pub total: usize,
    /// How many are borrowed, or promised to one who waited.
    pub borrowed: usize,
    /// Who has one.
    pub borrowers: Vec<Borrower>,
    /// How many wait, with those that have been promised a token and have not run.
    pub waiting: usize,
}

fn signed(total: usize) -> isize {
    isize::try_from(total).unwrap_or(isize::MAX)
}

impl CapacityLimiter {
    /// A limiter of `total` tokens; `usize::MAX` is no limit.
    pub fn new(total: usize) -> Self {
        let holders = Holders::default();
        Self(Rc::new(Shared {
            total: Cell::new(total),
            permits: Permits::new(signed(total), Line::held_by(Wanted::Token, &holders)),
            borrowers: RefCell::default(),
            holders,
        }))
    }

    /// Borrows a token for the present task, waiting for one. It goes back when it is dropped.
    ///
    /// # Errors
    ///
    /// [`CannotBorrow::AlreadyBorrowed`] if the task has one, [`CannotBorrow::NoTask`] outside of tasks.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has borrowed nothing, and those in line are served.
    pub fn acquire(&self) -> Acquire {
        Acquire { limiter: self.clone(), borrower: None, place: Place::NONE }
    }

    /// Borrows a token for `borrower`, waiting for one.
    ///
    /// # Errors
    ///
    /// [`CannotBorrow::AlreadyBorrowed`] if it has one.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn acquire_on_behalf_of(&self, borrower: Borrower) -> Acquire {
        Acquire { limiter: self.clone(), borrower: Some(borrower), place: Place::NONE }
    }

    /// Borrows a token for the present task, if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// [`CannotBorrow`].
    pub fn try_acquire(&self) -> Result<Token, CannotBorrow> {
        self.try_acquire_on_behalf_of(Borrower::current().ok_or(CannotBorrow::NoTask)?)
    }

    /// Borrows a token for `borrower`, if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// [`CannotBorrow`].
    pub fn try_acquire_on_behalf_of(&self, borrower: Borrower) -> Result<Token, CannotBorrow> {
        self.0.check(borrower)?;
        if self.0.permits.try_take() { Ok(self.token(borrower)) } else { Err(CannotBorrow::WouldWait) }
    }

    /// How many tokens there are in all.
    pub fn total_tokens(&self) -> usize {
        self.0.total.get()
    }

    /// Makes it `total` tokens in all. More serve those who wait at once; fewer take nothing from those who have one.
    pub fn set_total_tokens(&self, total: usize) {
        let before = self.0.total.replace(total);
        self.0.permits.add(signed(total) - signed(before));
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        let borrowers: Vec<_> = self.0.borrowers.borrow().iter().copied().collect();
        let borrowed = borrowers.len() + self.0.permits.promised();
        Statistics { total: self.total_tokens(), borrowed, borrowers, waiting: self.0.permits.waiting() }
    }

    /// For one who has taken a permit and has no other.
    fn token(&self, borrower: Borrower) -> Token {
        self.0.borrowers.borrow_mut().insert(borrower);
        Token { limiter: self.clone(), borrower, key: self.0.holders.enter() }
    }
}

impl Shared {
    fn check(&self, borrower: Borrower) -> Result<(), CannotBorrow> {
        let has_one = self.borrowers.borrow().contains(&borrower);
        if has_one { Err(CannotBorrow::AlreadyBorrowed(borrower)) } else { Ok(()) }
    }
}

impl fmt::Debug for CapacityLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { total, borrowed, waiting, .. } = self.statistics();
        f.debug_struct("CapacityLimiter")
            .field("total", &total)
            .field("borrowed", &borrowed)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A [`CapacityLimiter::acquire`] on its way.
#[must_use = "a token is not borrowed until this is awaited"]
pub struct Acquire {
    limiter: CapacityLimiter,
    /// The task that polls it first, if none is named.
    borrower: Option<Borrower>,
    place: Place,
}

impl Future for Acquire {
    type Output = Result<Token, CannotBorrow>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { limiter, borrower, place } = &mut *self;
        let Some(who) = borrower.or_else(Borrower::current) else {
            return Poll::Ready(Err(CannotBorrow::NoTask));
        };
        *borrower = Some(who);
        let shared = &limiter.0;
        // One that waits may have borrowed by another wait meanwhile: what it was promised goes back.
        if let Err(error) = shared.check(who) {
            shared.permits.leave(place);
            return Poll::Ready(Err(error));
        }
        shared.permits.poll(place, cx).map(|()| Ok(limiter.token(who)))
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        self.limiter.0.permits.leave(&mut self.place);
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("limiter", &self.limiter).field("borrower", &self.borrower).finish()
    }
}

/// A token that was borrowed from a [`CapacityLimiter`], which has it back when this is dropped.
#[must_use = "a token that is dropped at once is given back at once"]
pub struct Token {
    limiter: CapacityLimiter,
    borrower: Borrower,
    /// Among the holders.
    key: Key,
}

impl Token {
    /// Who has borrowed it.
    pub fn borrower(&self) -> Borrower {
        self.borrower
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let shared = &self.limiter.0;
        shared.borrowers.borrow_mut().remove(&self.borrower);
        shared.holders.leave(&mut self.key);
        shared.permits.add(1);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("limiter", &self.limiter)
            .field("borrower", &self.borrower)
            .finish_non_exhaustive()
    }
}
