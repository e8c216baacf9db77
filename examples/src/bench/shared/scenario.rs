//! What is measured, and how much of it.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A piece of work that every contender does alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Tasks give way to each other; an operation is a yield
    Yield,
    /// The same with so many tasks that their state leaves the caches
    Cold,
    /// Tasks are spawned all at once, then joined in order; an operation is a task
    SpawnAll,
    /// A task is spawned and joined, then the next one
    SpawnOne,
    /// Two tasks throw a number to each other over two queues of capacity 1; an operation is a round
    Pingpong,
    /// 5 producers and 10 consumers share a queue of 100; an operation is an item
    Prodcons,
    /// A task locks and unlocks what nobody else wants; an operation is both
    Lock,
    /// The same with a permit of a semaphore
    Semaphore,
    /// A task puts into a queue and gets from it what nobody waits for; an operation is both
    Queue,
    /// Tasks take a lock that others always wait for, in turn; an operation is a hand-over
    HandOver,
    /// Tasks that are ready are spawned and waited for together, again and again; an operation is a task
    Gather,
    /// The same, as the children of a group
    Group,
    /// What is ready is awaited for a second at most; an operation is a wait
    Timeout,
    /// Tasks wait for a one-shot of their own, again and again, and one task answers them all; an operation is an answer
    Oneshot,
    /// Another thread wakes a task, and nothing else is to be done; an operation is a wake
    Remote,
    /// Another thread wakes many tasks in turn, while as many others yield; an operation is a wake
    RemoteLoad,
    /// Tasks sleep until moments that are spread over a second; an operation is a timer
    TimersPending,
    /// A sleep of 30 s is begun and dropped, while one of an hour is pending; an operation is a sleep
    TimersCancel,
    /// A task spawns the next one and ends; an operation is a task
    Chained,
    /// Tasks sleep for an hour: what memory do they take?
    Memory,
}

/// How much is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// How many tasks there are, where their number is not fixed by the scenario.
    pub tasks: u64,
    /// How often each does it, or how often it is done in all.
    pub rounds: u64,
}

/// How many fibers sleep at once at most: each has a page of its stack, so a million would be more than 4 GB.
pub const MOST_FIBERS: u64 = 100_000;

/// Prodcons: who takes part, and the capacity of the queue.
pub const PRODUCERS: u64 = 5;
/// See [`PRODUCERS`].
pub const CONSUMERS: u64 = 10;
/// See [`PRODUCERS`].
pub const CAPACITY: usize = 100;
/// Where nothing waits: after so many operations the task gives way once, so that the loop can keep its house.
pub const WORK_PER_YIELD: u64 = 1_000;

impl Scenario {
    /// All, in the order in which they are listed everywhere.
    pub const ALL: [Self; 20] = [
        Self::Yield,
        Self::Cold,
        Self::SpawnAll,
        Self::SpawnOne,
        Self::Pingpong,
        Self::Prodcons,
        Self::Lock,
        Self::Semaphore,
        Self::Queue,
        Self::HandOver,
        Self::Gather,
        Self::Group,
        Self::Timeout,
        Self::Oneshot,
        Self::Remote,
        Self::RemoteLoad,
        Self::TimersPending,
        Self::TimersCancel,
        Self::Chained,
        Self::Memory,
    ];

    fn full_size(self) -> Size {
        let (tasks, rounds) = match self {
            Self::Yield | Self::HandOver => (1_000, 10_000),
            Self::Cold => (100_000, 100),
            Self::Oneshot | Self::Gather | Self::Group => (1_000, 1_000),
            Self::SpawnAll | Self::TimersPending | Self::Chained | Self::Memory => (1_000_000, 1),
            Self::SpawnOne => (1, 3_000_000),
            Self::Pingpong | Self::Remote => (1, 1_000_000),
            Self::Prodcons => (1, 2_000_000),
            Self::RemoteLoad => (1_000, 1_000_000),
            Self::TimersCancel => (1, 10_000_000),
            Self::Lock | Self::Semaphore | Self::Queue | Self::Timeout => (1, 30_000_000),
        };
        Size { tasks, rounds }
    }

    /// The size when everything is divided by `divisor`: the rounds first, then the tasks. With `stackful` tasks there
    /// are no more than memory allows.
    pub fn size(self, divisor: u64, stackful: bool) -> Size {
        let Size { tasks, rounds } = self.full_size();
        let fewer_rounds = (rounds / divisor.max(1)).max(1);
        let left = divisor.max(1) * fewer_rounds / rounds;
        let tasks = (tasks / left.max(1)).max(1);
        let tasks = if stackful && self.suspends_all() { tasks.min(MOST_FIBERS) } else { tasks };
        Size { tasks, rounds: self.whole(fewer_rounds) }
    }

    /// How many operations there are in work of this size.
    pub fn operations(self, size: Size) -> u64 {
        match self {
            Self::Yield | Self::Cold | Self::Oneshot | Self::HandOver => size.tasks * size.rounds,
            Self::Gather | Self::Group => size.tasks * size.rounds,
            Self::SpawnAll | Self::TimersPending | Self::Chained | Self::Memory => size.tasks,
            Self::SpawnOne | Self::Pingpong | Self::Prodcons => size.rounds,
            Self::Remote | Self::RemoteLoad | Self::TimersCancel => size.rounds,
            Self::Lock | Self::Semaphore | Self::Queue | Self::Timeout => size.rounds,
        }
    }

    /// Rounds that can be shared out evenly.
    fn whole(self, rounds: u64) -> u64 {
        match self {
            Self::Prodcons => rounds.next_multiple_of(PRODUCERS * CONSUMERS),
            _ => rounds,
        }
    }

    /// Whether many of its tasks are suspended at once. Those of `SpawnAll` are alive at once, but run to their ends one
    /// after another.
    fn suspends_all(self) -> bool {
        matches!(self, Self::Cold | Self::TimersPending | Self::Memory)
    }

    /// Whether it is run once at a smaller size before it is measured. Not where memory that was used before would
    /// hide what is taken, nor where it takes its time by design.
    pub fn warms_up(self) -> bool {
        !matches!(self, Self::Memory | Self::TimersPending)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yield => "yield",
            Self::Cold => "cold",
            Self::SpawnAll => "spawn-all",
            Self::SpawnOne => "spawn-one",
            Self::Pingpong => "pingpong",
            Self::Prodcons => "prodcons",
            Self::Lock => "lock",
            Self::Semaphore => "semaphore",
            Self::Queue => "queue",
            Self::HandOver => "hand-over",
            Self::Gather => "gather",
            Self::Group => "group",
            Self::Timeout => "timeout",
            Self::Oneshot => "oneshot",
            Self::Remote => "remote",
            Self::RemoteLoad => "remote-load",
            Self::TimersPending => "timers-pending",
            Self::TimersCancel => "timers-cancel",
            Self::Chained => "chained",
            Self::Memory => "memory",
        })
    }
}
