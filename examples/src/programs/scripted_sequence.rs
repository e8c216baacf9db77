//! Sequences of a game: each yields what it waits for, and a frame loop resumes it when that has passed.
//!
//! This demonstrates:
//!
//! 1. what happens in turn, written in turn, though each frame runs no more than a step of it;
//! 2. typed requests: a sequence yields a `Wait`, and is sent how long it has waited;
//! 3. a sequence within a sequence (`yield_from!`), and what it returns;
//! 4. `close`, which ends a sequence where it waits: its cleanup runs, from the inside out.
//!
//! Golden: `scripted_sequence.py.out`, from Python's generators.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use coro_core::coroutine::CloseError;
use coro_core::event_loop::Driven;
use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, yielded};
use crate::say;
use crate::transcript::Transcript;

/// A sixteenth of a second, which a floating-point number can hold.
const FRAME: Duration = Duration::from_micros(62_500);
const FRAMES: u32 = 64;

/// What a sequence waits for.
#[derive(Debug, Clone, Copy)]
enum Wait {
    Frames(u32),
    Seconds(f64),
}

fn wait_frames(frames: u32) -> Wait {
    Wait::Frames(frames)
}

fn wait_seconds(seconds: f64) -> Wait {
    Wait::Seconds(seconds)
}

/// Where it is played.
#[derive(Clone)]
struct Stage {
    frame: Rc<Cell<u32>>,
    out: Transcript,
}

impl Stage {
    fn says(&self, what: &str) {
        say!(self.out, "{:>2} {what}", self.frame.get());
    }
}

/// Flashes until it is closed.
#[coro_core::coroutine(send = f64, yields = Wait, flavours(native, generator, fiber))]
fn lamp(stage: Stage) -> Result<(), Thrown<Infallible>> {
    let mut flashes = 0;
    let ending = loop {
        flashes += 1;
        stage.says("the lamp flashes");
        if let Err(thrown) = yield_!(wait_frames(12)) {
            break thrown;
        }
    };
    stage.says(&format!("the lamp goes out after {flashes} flashes"));
    Err(ending)
}

/// A part of other sequences. Returns how many lines were said.
#[coro_core::coroutine(send = f64, yields = Wait, flavours(native, generator, fiber))]
fn speech(
    stage: Stage,
    who: &'static str,
    lines: &'static [&'static str],
) -> Result<usize, Thrown<Infallible>> {
    let mut passed = 0.0;
    for line in lines {
        stage.says(&format!("{who}: {line}"));
        passed = match yield_!(wait_seconds(0.4)) {
            Ok(passed) => passed,
            Err(thrown) => {
                stage.says(&format!("{who} falls silent"));
                return Err(thrown);
            }
        };
    }
    stage.says(&format!("{who} took {passed} s for the last line"));
    Ok(lines.len())
}

#[coro_core::coroutine(send = f64, yields = Wait, flavours(native, generator, fiber))]
fn scene(stage: Stage) -> Result<(), Thrown<Infallible>> {
    stage.says("curtain up");
    yield_!(wait_frames(4))?;
    let mut lines = yield_from!(sub!(speech(stage.clone(), "guard", &["who goes there?", "speak!"])))?;
    yield_!(wait_seconds(0.5))?;
    lines += yield_from!(sub!(speech(stage.clone(), "ghost", &["boo", "boo!"])))?;
    stage.says(&format!("curtain down after {lines} lines"));
    Ok(())
}

/// Says when it is over, however it ends.
struct Dream(Stage);

impl Drop for Dream {
    fn drop(&mut self) {
        self.0.says("the dream is over");
    }
}

#[coro_core::coroutine(send = f64, yields = Wait, flavours(native, generator, fiber))]
fn dream(stage: Stage) -> Result<(), Thrown<Infallible>> {
    let _dream = Dream(stage.clone());
    for night in 1..=3 {
        stage.says(&format!("night {night}"));
        yield_from!(sub!(speech(stage.clone(), "sleeper", &["one sheep", "two sheep", "three sheep"])))?;
        yield_!(wait_seconds(0.3))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Part {
    Lamp,
    Scene,
    Dream,
}

/// Each of the parts.
#[coro_core::coroutine(send = f64, yields = Wait, flavours(native, generator, fiber))]
fn play(part: Part, stage: Stage) -> Result<(), Thrown<Infallible>> {
    match part {
        Part::Lamp => yield_from!(sub!(lamp(stage))),
        Part::Scene => yield_from!(sub!(scene(stage))),
        Part::Dream => yield_from!(sub!(dream(stage))),
    }
}

/// A sequence that is played, and what it waits for; nothing once it has ended.
struct Player<C: Coroutine> {
    sequence: Driven<C>,
    waits_for: Option<Wait>,
    frames: u32,
    seconds: f64,
}

impl<C: Coroutine> Player<C> {
    /// One more frame has passed.
    fn is_due(&mut self, delta: f64) -> bool {
        self.frames += 1;
        self.seconds += delta;
        match self.waits_for {
            Some(Wait::Frames(frames)) => self.frames >= frames,
            Some(Wait::Seconds(seconds)) => self.seconds >= seconds,
            None => false,
        }
    }

    /// How long it has waited. The next wait begins.
    fn waited(&mut self) -> f64 {
        self.frames = 0;
        std::mem::take(&mut self.seconds)
    }
}

/// The frame loop: sends every sequence the time that has passed, when it is due.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn game<C>(sequences: [Driven<C>; 3], stage: Stage, event_loop: Loop) -> TaskResult<()>
where
    C: Coroutine<Send = f64, Yield = Wait, Return = (), Error = Infallible> + 'static,
{
    let mut players = Vec::new();
    for sequence in sequences {
        let waits_for = yielded(wait!(sequence.start())?)?;
        players.push(Player { sequence, waits_for, frames: 0, seconds: 0.0 });
    }
    let mut last = event_loop.time();
    for frame in 1..=FRAMES {
        wait!(sleep(FRAME))?;
        stage.frame.set(frame);
        let now = event_loop.time();
        let delta = (now - std::mem::replace(&mut last, now)).as_secs_f64();
        for player in &mut players {
            if player.is_due(delta) {
                let waited = player.waited();
                player.waits_for = yielded(wait!(player.sequence.send(waited))?)?;
            }
        }
        if frame == 40 {
            closed(wait!(players.remove(0).sequence.close())?)?;
        }
    }
    for player in players {
        closed(wait!(player.sequence.close())?)?;
    }
    Ok(())
}

/// What a close came to. A sequence has no errors of its own, so that nothing but a misuse can go wrong.
fn closed(closed: Result<Option<()>, CloseError<f64, Wait, Infallible>>) -> Result<(), TaskError> {
    match closed {
        Err(CloseError::Misuse(misuse)) => Err(misuse.into()),
        Ok(_) | Err(CloseError::Raised(_)) => Ok(()),
    }
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let event_loop = &context.event_loop;
    let stage = Stage { frame: Rc::default(), out: context.out.clone() };
    let parts = [Part::Lamp, Part::Scene, Part::Dream];
    macro_rules! game {
        ($flavour:ident) => {{
            let sequences = parts.map(|part| event_loop.drive(play::$flavour(part, stage.clone())));
            event_loop.run(game::$flavour(sequences, stage, event_loop.clone()))
        }};
    }
    match flavour {
        Flavour::Native => game!(native),
        Flavour::Generator => game!(generator),
        Flavour::Fiber => game!(fiber),
    }
}
