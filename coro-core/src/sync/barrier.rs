//! A place where so many tasks wait for each other: asyncio's barrier.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::marks::Marks;
use super::{Line, Place};
use crate::event_loop::Wanted;

/// Lets tasks pass when so many of them have arrived, again and again.
///
/// Those who pass together have the numbers 0 to n - 1, in the order in which they arrived: so one of them can do what is to be
/// done once. Who gives up while it fills has not arrived. Cloning gives another handle to the same barrier.
///
/// ```text
///            the last one arrives: all pass
///            ┌───────┐
///            │       ▼        abort
///            └─── Filling ─────────────▶ Broken
///                    ▲  │ reset: who      │ │
///                    └──┘ waits is told   │ │
///                    ▲        reset       │ │ wait: told at once
///                    └────────────────────┘◀┘
/// ```
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, gather, native::spawn, sync::Barrier};
///
/// let numbers = Loop::simulated().run(async {
///     let start = Barrier::new(3).unwrap();
///     let runners = (0..3).map(|_| {
///         let start = start.clone();
///         spawn(async move { start.wait().await })
///     });
///     gather(runners).await.unwrap()
/// });
/// assert_eq!(numbers.unwrap(), [Ok(0), Ok(1), Ok(2)]);
/// ```
///
/// # References
///
/// [`asyncio.Barrier`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Barrier). Who comes while those before
/// it are on their way out belongs to the next ones at once; there it waits until they are gone. After a cancellation the
/// numbers are without gaps here.
#[derive(Clone)]
pub struct Barrier(Rc<Shared>);

struct Shared {
    parties: usize,
    broken: Cell<bool>,
    /// How many have arrived, and wait for the others.
    arrived: Cell<usize>,
    /// How often it was passed, or reset, or broken: those who arrived before that are not counted any more.
    round: Cell<u64>,
    /// How often it was reset or broken: a pass that nobody has made yet is worth nothing after that.
    breaks: Cell<u64>,
    line: Line,
    marks: Marks<Mark>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Mark {
    round: u64,
    /// When it was passed: the number of this one among those who do.
    number: usize,
}

/// A barrier was to wait for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a barrier needs at least one party")]
pub struct NoParties;

/// The barrier was [aborted](Barrier::abort), or [reset](Barrier::reset) while this one waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the barrier is broken: it was aborted, or reset during the wait; reset() makes it whole")]
pub struct BrokenBarrier;

/// What a barrier looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many it takes to pass.
    pub parties: usize,
    /// How many have arrived.
    pub waiting: usize,
    /// Whether it lets nobody wait.
    pub broken: bool,
}

impl Barrier {
    /// A barrier that `parties` tasks pass together.
    ///
    /// # Errors
    ///
    /// [`NoParties`] if that is zero.
    pub fn new(parties: usize) -> Result<Self, NoParties> {
        if parties == 0 {
            return Err(NoParties);
        }
        Ok(Self(Rc::new(Shared {
            parties,
            broken: Cell::new(false),
            arrived: Cell::new(0),
            round: Cell::new(0),
            breaks: Cell::new(0),
            line: Line::of(Wanted::Barrier),
            marks: Marks::default(),
        })))
    }

    /// Arrives, and waits until so many have; the number is that of this one among those who pass.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`].
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has not arrived. Once the last one has arrived the others have passed, even who does not
    /// live to see it.
    pub fn wait(&self) -> Wait {
        Wait { barrier: self.clone(), place: Place::NONE, breaks: 0 }
    }

    /// Empties it, and makes it whole: who waits is told that it is broken, who comes begins to fill it.
    pub fn reset(&self) {
        self.0.break_up(false);
    }

    /// Breaks it: who waits, and who comes until it is [reset](Self::reset), is told so.
    pub fn abort(&self) {
        self.0.break_up(true);
    }

    /// Whether it was aborted, and not reset since.
    pub fn is_broken(&self) -> bool {
        self.0.broken.get()
    }

    /// How many pass together.
    pub fn parties(&self) -> usize {
        self.0.parties
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        Statistics { parties: self.0.parties, waiting: self.0.arrived.get(), broken: self.is_broken() }
    }
}

impl Shared {
    /// One arrives. Its number, if it is the last: then all pass.
    fn arrive(&self) -> Option<usize> {
        let arrived = self.arrived.get();
        if arrived + 1 < self.parties {
            return None;
        }
        let (round, mut number) = (self.round.get(), 0);
        self.line.each_index(|index| {
            if self.marks.get(index).round == round {
                self.marks.set(index, Mark { round, number });
                number += 1;
            }
        });
        self.end_round();
        Some(arrived)
    }

    fn break_up(&self, broken: bool) {
        self.broken.set(broken);
        self.breaks.set(self.breaks.get() + 1);
        self.end_round();
    }

    /// Those who have arrived wait no more. Everything is in order before the first one is called: its waker may be a
    /// foreign one, and come back here.
    fn end_round(&self) {
        self.round.set(self.round.get() + 1);
        self.arrived.set(0);
        self.line.call_all();
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { parties, waiting, broken } = self.statistics();
        f.debug_struct("Barrier")
            .field("parties", &parties)
            .field("waiting", &waiting)
            .field("broken", &broken)
            .finish_non_exhaustive()
    }
}

/// A [`Barrier::wait`] on its way.
#[must_use = "nobody has arrived until this is awaited"]
pub struct Wait {
    barrier: Barrier,
    place: Place,
    /// How often it had been broken on arrival.
    breaks: u64,
}

impl Future for Wait {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { barrier: Barrier(shared), place, breaks } = &mut *self;
        let (arrives, index) = (place.is_none(), place.index());
        let polled = shared.line.poll(place, cx, |called| match called {
            true if shared.breaks.get() == *breaks => Some(Ok(shared.marks.get(index).number)),
            false if !shared.broken.get() => shared.arrive().map(Ok),
            _ => Some(Err(BrokenBarrier)),
        });
        if polled.is_pending() && arrives {
            *breaks = shared.breaks.get();
            shared.arrived.set(shared.arrived.get() + 1);
            shared.marks.set_place(place, Mark { round: shared.round.get(), number: 0 });
        }
        polled
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let shared = &self.barrier.0;
        let arrived =
            !self.place.is_none() && shared.marks.get(self.place.index()).round == shared.round.get();
        shared.line.leave(&mut self.place);
        if arrived {
            shared.arrived.set(shared.arrived.get() - 1);
        }
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wait").field(&self.barrier).finish()
    }
}
