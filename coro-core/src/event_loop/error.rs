//! How running a loop can fail.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::Waiting;
use crate::coroutine::FrameInfo;
use crate::task::{TaskError, TaskId, TaskInfo};

/// Why a program could not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The main task ended without a result.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The loop was stopped before the main task ended.
    #[error("the event loop was stopped before the main task ended")]
    Stopped,
    /// Ctrl-C was pressed, or the program [interrupted](crate::Loop::interrupt) otherwise, and it did not end by itself.
    #[error(
        "interrupted: the program was asked to end at once, by Ctrl-C or Loop::interrupt(); exit with status 130"
    )]
    Interrupted,
    /// Nothing can ever happen again: no task is ready, no timer is set, and nobody outside can wake the loop.
    #[error("{0}")]
    Stalled(Stalled),
    /// A loop is already running on this thread.
    #[error(
        "an event loop is already running on this thread: spawn a task on it instead of running another, and await its \
         handle; in synchronous code that a task calls, make the task a fiber and use coro_fiber::wait(handle)"
    )]
    Nested,
    /// A fiber that no loop runs tried to run one, which would stop everybody whom the fiber shares its thread with.
    #[error(
        "a fiber cannot run an event loop: use coro_fiber::wait(future) to wait, and a task of the loop that runs the \
         fiber for what is to go on beside it"
    )]
    InFiber,
    /// The loop cannot be closed while it runs.
    #[error("the event loop is running: stop it, and close it after its run")]
    Running,
    /// The loop is closed.
    #[error("the event loop is closed: make a new one")]
    Closed,
    /// The driver could not be made, could not wait, or broke its contract.
    #[error("the driver failed: {0}")]
    Driver(#[from] io::Error),
}

/// What waits in a loop that has stalled.
#[derive(Debug)]
pub struct Stalled {
    /// The tasks that wait, in the order of spawning.
    pub waiting: Vec<Stuck>,
}

/// A task that nothing can wake.
#[derive(Debug)]
pub struct Stuck {
    /// The task.
    pub task: TaskInfo,
    /// What it waits for, as far as its leaves say so. More than one if it waits for several things at once; none if
    /// for something of another library.
    pub waits_for: Vec<Waiting>,
}

impl Stalled {
    /// Tasks that wait for each other in a circle, each for the one behind it, and the last for the first. Empty if
    /// there is none.
    pub fn cycle(&self) -> Vec<&TaskInfo> {
        let by_id: BTreeMap<_, _> = self.waiting.iter().map(|stuck| (stuck.task.id, stuck)).collect();
        let mut seen = BTreeSet::new();
        for start in &self.waiting {
            // From the start to where it has been followed, each with those whom it needs, and who come next.
            let mut path = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(stuck) = next.filter(|stuck| seen.insert(stuck.task.id)) {
                    path.push((stuck, stuck.depends_on().iter()));
                }
                let Some((_, needed)) = path.last_mut() else { break };
                let Some(id) = needed.next() else {
                    (_, next) = (path.pop(), None);
                    continue;
                };
                if seen.contains(id)
                    && let Some(first) = path.iter().position(|(stuck, _)| stuck.task.id == *id)
                {
                    return path[first..].iter().map(|(stuck, _)| &stuck.task).collect();
                }
                next = by_id.get(id).copied();
            }
        }
        Vec::new()
    }

    fn name(&self, id: TaskId) -> String {
        let found = self.waiting.iter().find(|stuck| stuck.task.id == id);
        found.map_or_else(|| "a task that has ended".to_string(), |stuck| stuck.task.name.to_string())
    }
}

impl Stuck {
    /// The tasks that it needs, if it waits for nothing else.
    fn depends_on(&self) -> &[TaskId] {
        match &self.waits_for[..] {
            [only] => only.depends_on(),
            _ => &[],
        }
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stalled: nothing can wake the {} task(s) that wait", self.waiting.len())?;
        for stuck in &self.waiting {
            write!(f, "\n  {:?}", stuck.task)?;
            let waits: Vec<_> =
                stuck.waits_for.iter().map(|waiting| waiting.describe(|id| self.name(id))).collect();
            if !waits.is_empty() {
                write!(f, " waits {}", waits.join(", or "))?;
            }
        }
        let cycle: Vec<_> = self.cycle().iter().map(|task| task.name.to_string()).collect();
        if let Some(first) = cycle.first() {
            write!(f, "\n  a deadlock: {} → {first}", cycle.join(" → "))?;
        }
        Ok(())
    }
}

/// The loop is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event loop is closed: make a new one")]
pub struct LoopClosed;

/// What is called with every [`Exception`] of a loop.
pub type ExceptionHandler = Rc<dyn Fn(&Exception)>;

/// Something that went wrong where nobody could be told. Given to the loop's exception handler.
#[derive(Debug)]
#[non_exhaustive]
pub enum Exception {
    /// A callback panicked, or a destructor of what it captured.
    CallbackPanicked(crate::task::Panic),
    /// This task closed a generator that was left unfinished, or left a context whose body was dropped, and that
    /// raised this error of the program's own. Others are reported as [`NeverRetrieved`](Self::NeverRetrieved).
    CleanupRaised(TaskInfo, Box<dyn Any>),
    /// A destructor of a task or of its result panicked when nobody could be told otherwise.
    DestructorPanicked(TaskInfo, crate::task::Panic),
    /// The stack of this coroutine could not be unwound when it was dropped, because the body caught that and went on. It
    /// is left as it is, with all that is on it.
    Leaked(FrameInfo),
    /// A job panicked, and nobody waits for it.
    JobPanicked(crate::task::Panic),
    /// So many jobs had not been run when their loop was closed, or its pool abandoned with it, and never will be.
    JobsAbandoned(usize),
    /// What the main task left could not be brought to its end. The result of the main task stands.
    DrainFailed(RunError),
    /// So many writes to streams that were dropped had not been sent when their loop was closed.
    Unsent(usize),
    /// A task failed, and its result was never read.
    NeverRetrieved(TaskInfo, TaskError),
    /// A result that tasks share was set to this error, and nobody ever looked at it.
    NeverRead(TaskError),
    /// A task was still pending when its loop was closed.
    PendingDestroyed(TaskInfo),
    /// In [debug mode](crate::Loop::set_debug): this has taken so long, and nothing else could run meanwhile.
    SlowStep(Executed, Duration),
    /// In debug mode: this coroutine was dropped, and had never been resumed, nor closed.
    NeverAwaited(FrameInfo),
    /// In debug mode: a loop over this driver was dropped, and had not been closed.
    Unclosed(&'static str),
}

/// What a loop runs in one step.
#[derive(Clone)]
pub enum Executed {
    /// A task.
    Task(TaskInfo),
    /// A callback, which was scheduled there.
    Callback(&'static Location<'static>),
}

impl fmt::Debug for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => task.fmt(f),
            Self::Callback(at) => write!(f, "<Callback scheduled at {}:{}>", at.file(), at.line()),
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallbackPanicked(panic) => write!(f, "a callback panicked: {panic}"),
            Self::CleanupRaised(task, _) => write!(f, "a cleanup raised an error\n  {task:?}"),
            Self::DestructorPanicked(task, panic) => {
                write!(f, "a destructor of a task panicked: {panic}\n  {task:?}")
            }
            Self::Leaked(FrameInfo { name, made_at, .. }) => {
                write!(
                    f,
                    "a coroutine was dropped and did not end: its stack is leaked. A body must not go on after "
                )?;
                write!(f, "catch_unwind() when a wait or a yield is refused\n  {name}")?;
                made_at.map_or(Ok(()), |made_at| write!(f, ", made at {made_at}"))
            }
            Self::JobPanicked(panic) => write!(f, "a job panicked, and nobody waits for it: {panic}"),
            Self::JobsAbandoned(count) => {
                write!(f, "{count} job(s) will not be run, for their loop was closed: run() waits for them")
            }
            Self::DrainFailed(error) => write!(f, "what the main task left could not be ended: {error}"),
            Self::Unsent(count) => write!(f, "{count} write(s) to dropped streams were not sent"),
            Self::NeverRetrieved(task, error) => {
                write!(f, "Task exception was never retrieved: {error}\n  {task:?}")
            }
            Self::NeverRead(error) => write!(f, "a result was an error that was never retrieved: {error}"),
            Self::PendingDestroyed(task) => {
                write!(f, "Task was destroyed but it is pending!\n  {task:?}")
            }
            Self::SlowStep(executed, took) => {
                write!(f, "Executing {executed:?} took {:.3} seconds", took.as_secs_f64())
            }
            Self::NeverAwaited(FrameInfo { name, made_at, .. }) => {
                write!(f, "coroutine was never awaited: {name}")?;
                made_at.map_or(Ok(()), |made_at| write!(f, ", made at {}:{}", made_at.file(), made_at.line()))
            }
            Self::Unclosed(driver) => {
                write!(f, "a loop over {driver} was dropped unclosed: end it with run() or close()")
            }
        }
    }
}

/// What to do about a leaf that finds no loop, after the name of the leaf.
pub(crate) const NO_LOOP: &str = "was used outside a running event loop: run the program with Loop::run(), native::run() or a sibling of it";
