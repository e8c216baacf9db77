//! What a run did, step by step.

use std::fmt;
use std::rc::Rc;

use crate::event_loop::stepping::{After, Cause};
use crate::task::{TaskId, TaskInfo};
use crate::time::Time;

/// One resume of a task, or a call of a callback.
#[derive(Debug)]
pub(super) struct Step {
    /// By the world's clock.
    pub(super) time: Time,
    /// `None` if there is but one.
    pub(super) host: Option<Rc<str>>,
    /// `None` for a callback.
    pub(super) task: Option<TaskInfo>,
    /// The job that the callback is.
    pub(super) job: Option<u32>,
    pub(super) cause: Cause,
    pub(super) after: After,
    /// It yielded: it is ready again.
    pub(super) yielded: bool,
    /// It panicked, or somebody in it did and it went on.
    pub(super) panicked: bool,
}

/// Whether the steps of a run are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traced {
    Yes,
    No,
}

#[derive(Debug)]
enum Entry {
    Step(Step),
    /// Something that no step did, at this time.
    Event(Time, String),
}

/// The steps of a run, or of its last part.
#[derive(Debug, Default)]
pub(super) struct Trace {
    entries: Vec<Entry>,
    /// How many of the first were left out.
    left_out: u64,
}

/// A run that takes longer is shown from here on.
const MOST: usize = 10_000;

impl Trace {
    pub(super) fn push(&mut self, step: Step) {
        self.enter(Entry::Step(step));
    }

    /// Enters what the world, or somebody from outside, did.
    pub(super) fn note(&mut self, time: Time, event: String) {
        self.enter(Entry::Event(time, event));
    }

    fn enter(&mut self, entry: Entry) {
        if self.entries.len() >= 2 * MOST {
            self.entries.drain(..MOST);
            self.left_out += MOST as u64;
        }
        self.entries.push(entry);
    }

    fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Step(step) => Some(step),
            Entry::Event(..) => None,
        })
    }

    /// A line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let left_out = (self.left_out > 0).then(|| format!("({} steps before)", self.left_out));
        let name = |host: &Option<Rc<str>>, id: TaskId| {
            let same =
                |step: &&Step| step.host == *host && step.task.as_ref().is_some_and(|task| task.id == id);
            let found = self.steps().rev().find(same).and_then(|step| step.task.as_ref());
            found.map_or_else(|| id.to_string(), |task| task.name.to_string())
        };
        let lines = self.entries.iter().map(|entry| match entry {
            Entry::Step(step) => Line(step, &|id| name(&step.host, id)).to_string(),
            Entry::Event(time, event) => format!("{time}  {event}"),
        });
        left_out.into_iter().chain(lines).collect()
    }
}

struct Line<'a>(&'a Step, &'a dyn Fn(TaskId) -> String);

impl fmt::Display for Line<'_> {
    /// `0.250000000  client/worker (fiber), by timer: waits for lock 1, taken by Task-2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(step, name) = self;
        write!(f, "{}  ", step.time)?;
        if let Some(host) = &step.host {
            write!(f, "{host}/")?;
        }
        if let Some(job) = step.job {
            // Whatever has caused it, its time has come.
            return write!(f, "job {job}: {}", if step.panicked { "panics" } else { "ends" });
        }
        match &step.task {
            None => f.write_str("a callback")?,
            Some(TaskInfo { name, flavour: Some(flavour), .. }) => write!(f, "{name} ({flavour})")?,
            Some(task) => f.write_str(&task.name)?,
        }
        match step.cause {
            Cause::Begun => f.write_str(", begun")?,
            Cause::Spawned(by) => write!(f, ", spawned by {}", name(by))?,
            Cause::Woken(by) => write!(f, ", woken by {}", name(by))?,
            Cause::Itself => f.write_str(", its turn again")?,
            Cause::Job(job) => write!(f, ", by job {job}")?,
            Cause::Called => f.write_str(", by a callback")?,
            Cause::Timer => f.write_str(", by a timer")?,
            Cause::Io => f.write_str(", by the network")?,
            Cause::Elsewhere => f.write_str(", woken from elsewhere")?,
            Cause::Nothing => f.write_str(", for nothing")?,
        }
        match &step.after {
            After::Ended if step.panicked => f.write_str(": panics"),
            After::Ended if step.task.is_some() => f.write_str(": ends"),
            After::Ended => Ok(()),
            After::Waits(_) if step.yielded => f.write_str(": lets the others run"),
            After::Waits(waits) if waits.is_empty() => f.write_str(": waits"),
            After::Waits(waits) => {
                let waits: Vec<_> = waits.iter().map(|waiting| waiting.describe(name)).collect();
                write!(f, ": waits {}", waits.join(", or "))
            }
        }
    }
}
