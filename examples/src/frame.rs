//! A game's frame loop as the host of an event loop: one turn a frame.
//!
//! This demonstrates:
//!
//! 1. turning a loop by its parts, where the game decides when time passes;
//! 2. a leaf of the game's own, `wait_frames`, for scripts in every flavour;
//! 3. that sleeps, channels and cancellation go on working: they are the loop's.
//!
//! Without an event loop, and without the standard library, `coro-core/bare` does the like by hand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::driver::Wait;
use coro_core::prelude::*;

use crate::say;
use crate::transcript::Transcript;

/// How long a frame is shown.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// A game that shows frames, and whose scripts are tasks.
#[derive(Debug)]
pub struct Game {
    event_loop: Loop,
    frames: Frames,
}

impl Default for Game {
    fn default() -> Self {
        Self { event_loop: Loop::simulated(), frames: Frames::default() }
    }
}

impl Game {
    /// Where its scripts are spawned.
    pub fn event_loop(&self) -> &Loop {
        &self.event_loop
    }

    /// What its scripts wait for.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// Shows one frame, and lets every script that is due take its step: one turn.
    ///
    /// # Errors
    ///
    /// If the loop is closed, or runs already: a script cannot show frames.
    pub fn show(&self) -> Result<(), RunError> {
        // Here a real game draws, and waits for the display. So the wait is over: virtual time is moved to its end.
        let shown_until = self.event_loop.time() + FRAME;
        self.frames.advance();
        self.event_loop.waited(Wait::Until(shown_until))?;
        self.event_loop.process()?;
        self.event_loop.run_ready()
    }
}

/// The frames that the game has shown. A clone counts the same.
#[derive(Debug, Default, Clone)]
pub struct Frames(Rc<Shown>);

#[derive(Debug, Default)]
struct Shown {
    count: Cell<u64>,
    /// Who waits, by the frame and then in the order of their coming.
    waiting: RefCell<BTreeMap<(u64, u64), Waker>>,
    last: Cell<u64>,
}

impl Frames {
    /// How many there were.
    pub fn shown(&self) -> u64 {
        self.0.count.get()
    }

    /// Waits until `count` more have been shown.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait leaves nothing behind.
    pub fn wait_frames(&self, count: u32) -> WaitFrames {
        let place = self.0.last.get() + 1;
        self.0.last.set(place);
        WaitFrames { shown: Rc::clone(&self.0), key: (self.shown() + u64::from(count), place) }
    }

    fn advance(&self) {
        let count = self.shown() + 1;
        self.0.count.set(count);
        let later = self.0.waiting.borrow_mut().split_off(&(count + 1, 0));
        let due = self.0.waiting.replace(later);
        // Outside of every borrow.
        due.into_values().for_each(Waker::wake);
    }
}

/// A wait for frames. Made by [`Frames::wait_frames`].
#[derive(Debug)]
#[must_use = "it does nothing until it is awaited"]
pub struct WaitFrames {
    shown: Rc<Shown>,
    key: (u64, u64),
}

impl Future for WaitFrames {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.key.0 <= self.shown.count.get() {
            return Poll::Ready(());
        }
        let outdated = self.shown.waiting.borrow_mut().insert(self.key, cx.waker().clone());
        drop(outdated);
        Poll::Pending
    }
}

impl Drop for WaitFrames {
    fn drop(&mut self) {
        let outdated = self.shown.waiting.borrow_mut().remove(&self.key);
        drop(outdated);
    }
}

/// A guard who takes a step every second frame, rests for the twentieth part of a second, and tells when.
///
/// # Errors
///
/// If the task is cancelled.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
pub fn patrol(name: &'static str, steps: u32, frames: Frames, log: Transcript) -> TaskResult<()> {
    for step in 1..=steps {
        say!(log, "{}: {name} takes step {step}", frames.shown());
        wait!(frames.wait_frames(2))?;
    }
    wait!(sleep(Duration::from_millis(50)))?;
    say!(log, "{}: {name} has rested", frames.shown());
    Ok(())
}
