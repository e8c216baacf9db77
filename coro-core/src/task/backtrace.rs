//! What a task that waits looks like.

use std::fmt;

use super::TaskInfo;
use crate::coroutine::FrameTrace;
use crate::event_loop::Waiting;

/// Where a task that waits, or has not begun, is suspended. Given by [`JoinHandle::backtrace`](super::JoinHandle::backtrace).
///
/// Displayed, it is the task, what it waits for, and a line for each frame, the innermost first; under a fiber are the calls
/// on its stack.
#[derive(Debug)]
#[non_exhaustive]
pub struct Backtrace {
    /// The task.
    pub task: TaskInfo,
    /// What it waits for, if its loop knows: in a simulation, or while it reports a stall.
    pub waits_for: Vec<Waiting>,
    /// The body and what it delegates to, the innermost first. One that waits for its first turn is created, one that waits is
    /// running, as [`State`](crate::coroutine::State) has it.
    pub frames: Vec<FrameTrace>,
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#?}", self.task)?;
        for waiting in &self.waits_for {
            writeln!(f, "  waits {}", waiting.describe(|task| task.to_string()))?;
        }
        for (number, frame) in self.frames.iter().enumerate() {
            let text = frame.to_string();
            let mut lines = text.lines();
            writeln!(f, "{number:3}: {}", lines.next().unwrap_or_default())?;
            lines.try_for_each(|line| writeln!(f, "     {line}"))?;
        }
        Ok(())
    }
}
