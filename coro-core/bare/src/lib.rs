//! A game's scripts as coroutines, without the standard library: it has an allocator, and frames instead of a loop.
//!
//! This demonstrates:
//!
//! 1. a script that is sent what the player says, and delegates a scene to another;
//! 2. a wait for frames of the game, by hand, where there is no event loop;
//! 3. a script that borrows its text.
//!
//! That this crate builds for a machine without an operating system is a step of `.ci/run`, so that `coro-core` stays
//! usable there.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::Cell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use coro_core::coroutine::{InputOf, Resumed};
use coro_core::prelude::*;

/// What a script ends with: no error of its own.
pub type Ended<T> = Result<T, Thrown<Infallible>>;

/// The frames that the game has shown. A clone counts the same.
#[derive(Debug, Default, Clone)]
pub struct Frames(Rc<Cell<u32>>);

impl Frames {
    /// The game has shown one more.
    pub fn advance(&self) {
        self.0.set(self.0.get() + 1);
    }

    /// Waits until the game has shown `count` more. It asks nobody to wake it: a script is resumed in each frame.
    pub async fn pass(&self, count: u32) {
        let due = self.0.get() + count;
        poll_fn(|_| if self.0.get() < due { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

/// Resumes a script in one frame. It is pending while it waits for later ones, and is resumed then without an input.
pub fn resume_in_frame<C: Coroutine>(script: &mut C, input: Option<InputOf<C>>) -> Poll<Resumed<C>> {
    script.poll_resume(&mut Context::from_waker(Waker::noop()), input)
}

/// A door that opens to the right word. It returns how many were said.
#[coro_core::coroutine(send = String, yields = String)]
pub fn door(word: &'static str) -> Ended<u32> {
    let mut said = 1;
    while yield_!(format!("say a word ({said})"))? != word {
        said += 1;
    }
    Ok(said)
}

/// A walk to the door and through it.
#[coro_core::coroutine(send = String, yields = String)]
pub fn castle(frames: Frames) -> Ended<String> {
    let name = yield_!(String::from("who are you?"))?;
    wait!(frames.pass(3))?;
    let said = yield_from!(sub!(door("friend")))?;
    Ok(format!("{name} went in after {said}"))
}

/// The lines of a text, one at a time, where they are.
#[coro_core::coroutine(yields = &'a str)]
pub fn lines<'a>(text: &'a str) -> Ended<usize> {
    let mut count = 0;
    for line in text.lines() {
        yield_!(line)?;
        count += 1;
    }
    Ok(count)
}
