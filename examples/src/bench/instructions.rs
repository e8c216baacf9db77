//! How many instructions an operation takes: a figure that a busy machine does not change.
//!
//! Everything is done at two small sizes, and the difference counts, so that the start of the process does not. Under
//! valgrind our loop is the simulated one, for valgrind may lack `epoll_pwait2`; the kernel's instructions are not counted
//! in any case.

use std::io;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::child::{Binaries, run};
use super::shared::contender::Contender;
use super::shared::record::Answer;
use super::shared::request::Request;
use super::shared::scenario::Scenario;

/// The two sizes, as divisors.
const DIVISORS: [u64; 2] = [2_000, 1_000];
/// An interpreted process is fifty times as slow.
const LIMIT: Duration = Duration::from_secs(300);

/// What counts instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// The processor.
    Perf,
    /// valgrind, which interprets the program.
    Valgrind,
}

/// What an operation takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instructions {
    /// What was done.
    pub scenario: Scenario,
    /// By whom.
    pub contender: Contender,
    /// Instructions of the program for an operation.
    pub each: f64,
}

impl Counter {
    /// The best one that works here.
    pub fn find() -> Option<Self> {
        let works = |counter: &Self| counter.count(Command::new("true")).is_ok();
        [Self::Perf, Self::Valgrind].into_iter().find(works)
    }

    /// What the command says, and how many instructions that takes.
    fn count(self, command: Command) -> io::Result<(String, u64)> {
        let mut counting = match self {
            Self::Perf => Command::new("perf"),
            Self::Valgrind => Command::new("valgrind"),
        };
        match self {
            Self::Perf => counting.args(["stat", "-x,", "-e", "instructions:u", "--"]),
            Self::Valgrind => counting.args([
                "--tool=cachegrind",
                "--cache-sim=no",
                "--cachegrind-out-file=/dev/null",
                "--",
            ]),
        };
        counting.arg(command.get_program()).args(command.get_args());
        let ended = run(&mut counting, LIMIT)?;
        let count = match self {
            Self::Perf => counted_by_perf(&ended.complained),
            Self::Valgrind => counted_by_valgrind(&ended.complained),
        };
        let count =
            count.ok_or_else(|| io::Error::other(format!("nothing was counted: {}", ended.status)))?;
        Ok((ended.said, count))
    }

    /// What an operation of `contender` at `scenario` takes.
    ///
    /// # Errors
    ///
    /// If one of the two runs gave no answer, or no count.
    pub fn measure(
        self,
        binaries: &Binaries,
        scenario: Scenario,
        contender: Contender,
    ) -> io::Result<Instructions> {
        let mut counts = [(0, 0); 2];
        let interpreted = self == Self::Valgrind;
        for (count, divisor) in counts.iter_mut().zip(DIVISORS) {
            let request = Request { scenario, contender, divisor, core: binaries.core, interpreted };
            let (program, arguments) = binaries.command(&request);
            let mut command = Command::new(program);
            command.args(arguments);
            let (said, instructions) = self.count(command)?;
            *count = match serde_json::from_str(&said) {
                Ok(Answer::Record(record)) => (record.measured.operations, instructions),
                Ok(Answer::Unable(why)) => return Err(io::Error::other(why)),
                Err(_) => return Err(io::Error::other("it ended without an answer")),
            };
        }
        let [(few, least), (many, most)] = counts;
        let each = most.saturating_sub(least) as f64 / many.saturating_sub(few).max(1) as f64;
        Ok(Instructions { scenario, contender, each })
    }
}

/// Whether instructions are worth counting. Not where they depend on the clock or on another thread.
pub fn is_countable(scenario: Scenario) -> bool {
    !matches!(scenario, Scenario::Remote | Scenario::RemoteLoad | Scenario::TimersPending | Scenario::Memory)
}

/// `1234,,instructions:u,…`, or `<not supported>,…`.
fn counted_by_perf(report: &str) -> Option<u64> {
    let line = report.lines().find(|line| line.contains("instructions"))?;
    line.split(',').next()?.trim().parse().ok()
}

/// `==1== I   refs:      1,234,567`.
fn counted_by_valgrind(report: &str) -> Option<u64> {
    let line = report.lines().find(|line| line.contains("refs:"))?;
    let digits: String = line.split_once("refs:")?.1.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_what_the_tools_print() {
        assert_eq!(counted_by_perf("12345,,instructions:u,1000,100.00,,\n"), Some(12_345));
        assert_eq!(counted_by_perf("<not supported>,,instructions:u,0,100.00,,\n"), None);
        assert_eq!(
            counted_by_valgrind("==7== Command: x\n==7== I   refs:      1,234,567\n"),
            Some(1_234_567)
        );
        assert_eq!(counted_by_valgrind("valgrind: no such file\n"), None);
    }
}
