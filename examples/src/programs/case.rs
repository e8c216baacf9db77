//! The registry: which command lines are compared, and what they should give.

use std::time::Duration;

use super::Program;
use crate::golden::Golden;

/// A program with its arguments, and what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What to write after `coro run`.
    pub line: &'static str,
    /// What CPython printed.
    pub golden: Golden,
    /// How long it takes on the clock of the loop, exactly.
    pub length: Duration,
}

impl Case {
    const fn new(line: &'static str, golden: Golden, seconds: u64) -> Self {
        Self { line, golden, length: Duration::from_secs(seconds) }
    }

    /// The program that the line names.
    ///
    /// # Errors
    ///
    /// If the line is wrong.
    pub fn program(&self) -> Result<Program, clap::Error> {
        Program::parse_line(self.line)
    }
}

macro_rules! golden {
    ($file:literal) => {
        Golden::whole(include_str!(concat!("../../goldens/", $file)))
    };
}

/// Every program, some of them with several sets of arguments.
pub const CASES: &[Case] = &[
    Case::new("countasync", golden!("countasync.py.out"), 1),
    Case::new("countsync", golden!("countsync.py.out"), 3),
    Case::new("rand", golden!("rand.py.out"), 12),
    Case::new("chained", golden!("chained.py.out"), 17),
    Case::new("asyncq", golden!("asyncq_1_5_defaults.out"), 14),
    Case::new("asyncq -p 2 -c 5", golden!("asyncq_1_5_p2_c5.out"), 9),
    Case::new("asyncq -p 2 -c 5 --low 0 --high 10", golden!("asyncq.py-p2-c5.out"), 29),
    Case::new("asyncq -p 0 -c 3", golden!("asyncq.py-p0-c3.out"), 0),
    Case::new("endless", Golden::threshold(47), 0),
    Case::new("next", golden!("next.py.out"), 0),
    Case::new("comprehensions", Golden::misc(&["(", "comprehensions "]), 2),
    Case::new("create_task", Golden::misc(&["t: ", "t done: "]), 3),
    Case::new("future_and_task", golden!("future_and_task.out"), 2),
    Case::new("show_task", golden!("pymotw/asyncio_create_task.py.out"), 0),
    Case::new("show_task --cancel", golden!("pymotw/asyncio_cancel_task.py.out"), 0),
    Case::new("gather", Golden::misc(&["gather "]), 10),
    Case::new("as_completed", Golden::misc(&["as_completed "]), 10),
    Case::new("unawaited", Golden::misc(&["main done", "child cancelled"]), 0),
    Case::new("hello", golden!("hello.py.out"), 1),
    Case::new("chess", golden!("chess.py.out"), 43_200 + 3_600 + 55),
    Case::new("pipeline", golden!("pipeline.py.out"), 0),
    Case::new("lexer_parser", golden!("lexer_parser.py.out"), 0),
    Case::new("scripted_sequence", golden!("scripted_sequence.py.out"), 4),
    Case::new("tree_walk", golden!("tree_walk.py.out"), 0),
];
