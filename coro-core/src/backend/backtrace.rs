//! What a backtrace shows of a suspended coroutine.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use std::backtrace::Backtrace;

use super::FrameInfo;

/// A frame of a coroutine that is suspended, parked or not begun, with what is on its stack if it has one of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct FrameTrace {
    /// The logical frame.
    pub info: FrameInfo,
    /// The calls in which the body is suspended.
    pub stack: OwnStack,
}

/// The calls in which a body with a stack of its own, a fiber, is suspended.
#[derive(Debug)]
#[non_exhaustive]
pub enum OwnStack {
    /// It has no stack of its own, as all futures, or has not begun.
    None,
    /// These.
    Captured(Captured),
    /// Too little of its stack is left to look at it from there: so many bytes are needed.
    NoRoom(usize),
    /// The engine cannot look at a stack here.
    Unsupported,
}

/// The calls on a stack, from the innermost one out. Their names are looked up when it is displayed, which takes milliseconds.
#[derive(Debug)]
pub struct Captured {
    backtrace: Backtrace,
    above: &'static str,
    below: &'static str,
}

impl FrameTrace {
    /// Of a body without a stack of its own.
    pub fn logical(info: FrameInfo) -> Self {
        Self { info, stack: OwnStack::None }
    }

    /// Of a body with what is on its stack.
    pub fn with_stack(info: FrameInfo, stack: OwnStack) -> Self {
        Self { info, stack }
    }
}

impl Captured {
    /// What was captured on the stack of a body by the function whose name contains `above`. The first function beneath
    /// whose name contains `below` has begun that stack: what follows is that of whoever asked.
    pub fn new(backtrace: Backtrace, above: &'static str, below: &'static str) -> Self {
        Self { backtrace, above, below }
    }

    /// All of it: between what captured it and whoever asked.
    pub fn as_std(&self) -> &Backtrace {
        &self.backtrace
    }
}

/// A frame as the standard library prints it: its number and name in a line, and then perhaps where it is.
struct Printed<'a> {
    name: &'a str,
    at: Option<&'a str>,
}

fn printed(text: &str) -> Vec<Printed<'_>> {
    let mut frames: Vec<Printed<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        match (line.strip_prefix("at "), frames.last_mut()) {
            (Some(at), Some(frame)) => frame.at = Some(at),
            _ => {
                let name = line.split_once(": ").map_or(line, |(_, name)| name);
                frames.push(Printed { name, at: None });
            }
        }
    }
    frames
}

/// Only what is on the stack of the body. Where no function has a name, all of it.
impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.backtrace.to_string();
        let frames = printed(&text);
        let first =
            frames.iter().position(|frame| frame.name.contains(self.above)).map_or(0, |above| above + 1);
        let own = frames[first..].iter().take_while(|frame| !frame.name.contains(self.below));
        for frame in own {
            writeln!(f, "{}", frame.name)?;
            if let Some(at) = frame.at {
                writeln!(f, "    at {at}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FrameTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameInfo { flavour, name, made_at, state } = self.info;
        match flavour {
            Some(flavour) => write!(f, "{flavour} {name}, {state:?}")?,
            None => write!(f, "{name}, {state:?}")?,
        }
        if let Some(made_at) = made_at {
            write!(f, ", made at {}:{}", made_at.file(), made_at.line())?;
        }
        writeln!(f)?;
        match &self.stack {
            OwnStack::None => Ok(()),
            OwnStack::Captured(captured) => {
                captured.to_string().lines().try_for_each(|line| writeln!(f, "    {line}"))
            }
            OwnStack::NoRoom(bytes) => {
                writeln!(f, "    (its stack is too full to look at: {bytes} bytes must be free)")
            }
            OwnStack::Unsupported => writeln!(f, "    (its stack cannot be looked at here)"),
        }
    }
}
