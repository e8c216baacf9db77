//! CPython, which measures its own `yield from`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A `python3` that answers a depth and a number of sends with the nanoseconds that they took.
pub struct Python {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// None, with a message, if there is no `python3` that works.
    pub fn start() -> Option<Self> {
        let started = Self::try_start();
        if started.is_none() {
            eprintln!("CPython is left out: there is no python3 here");
        }
        started
    }

    fn try_start() -> Option<Self> {
        let mut process = Command::new("python3")
            .args(["-c", include_str!("yield_from.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (questions, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        let mut python = Self { process, questions, answers };
        python.ask(1, 1)?;
        Some(python)
    }

    /// How long `sends` sends take through a chain of this depth, with the loop around them.
    pub fn sends(&mut self, depth: usize, sends: u64) -> Duration {
        self.ask(depth, sends).expect("python3 answers")
    }

    fn ask(&mut self, depth: usize, sends: u64) -> Option<Duration> {
        writeln!(self.questions, "{depth} {sends}").ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        answer.trim().parse().ok().map(Duration::from_nanos)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
