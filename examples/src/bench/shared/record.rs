//! What one measurement gives.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::contender::Contender;
use super::scenario::{Scenario, Size};

/// What a child says, as a line of JSON: what it measured, or why it cannot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was measured.
    Record(Record),
    /// It cannot be measured, and this is why.
    Unable(String),
}

impl Answer {
    /// Prints it as the one line of the standard output.
    ///
    /// # Errors
    ///
    /// If nobody reads it.
    pub fn print(&self) -> io::Result<()> {
        let line = serde_json::to_string(self)?;
        writeln!(io::stdout(), "{line}")
    }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was done.
    pub scenario: Scenario,
    /// By whom.
    pub contender: Contender,
    /// How much was asked for. Fibers are fewer where the kernel does not allow as many.
    pub size: Size,
    /// What came of it.
    #[serde(flatten)]
    pub measured: Measured,
}

impl Record {
    /// Nanoseconds of real time for an operation.
    pub fn ns(&self) -> f64 {
        self.measured.nanoseconds as f64 / self.measured.operations.max(1) as f64
    }

    /// Nanoseconds of processor time for an operation, of all threads.
    pub fn cpu_ns(&self) -> f64 {
        self.measured.cpu_nanoseconds as f64 / self.measured.operations.max(1) as f64
    }
}

/// What the work gave: how much was done, counted where it was done, and what it took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How many operations were done.
    pub operations: u64,
    /// The real time of them all.
    pub nanoseconds: u64,
    /// The processor time of them all, of all threads.
    pub cpu_nanoseconds: u64,
    /// How many system calls wrote something meanwhile: wake-ups through an eventfd, as nothing is printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<u64>,
    /// How often the task was polled that another thread woke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polls: Option<u64>,
    /// Which part of the turns went to the task that had the one before. A yield that gives way to nobody has 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_task: Option<f64>,
    /// Resident memory of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_task: Option<f64>,
    /// Resident memory of the process, with all tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// The state of the task's own in it: the size of its future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub future_bytes: Option<u64>,
    /// How late a timer was, in the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ns: Option<u64>,
    /// Whether every timer was set before the first one was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_pending: Option<bool>,
    /// With what it was done, where a runtime has no means of its own, or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

impl Measured {
    /// The same with what the operations, which are tasks here, take of the memory that is resident.
    #[must_use]
    pub fn with_memory(mut self: Box<Self>, before: Option<u64>, after: Option<u64>) -> Box<Self> {
        let taken = after.zip(before).map(|(after, before)| after.saturating_sub(before));
        self.bytes_per_task = taken.map(|taken| taken as f64 / self.operations.max(1) as f64);
        self.resident_bytes = after;
        self
    }
}
