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

    const fn motw(line: &'static str, golden: Golden, millis: u64) -> Self {
        Self { line, golden, length: Duration::from_millis(millis) }
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
    Case::new("gather", Golden::misc(&["gather "]), 10),
    Case::new("as_completed", Golden::misc(&["as_completed "]), 10),
    Case::new("unawaited", Golden::misc(&["main done", "child cancelled"]), 0),
    Case::new("hello", golden!("hello.py.out"), 1),
    Case::new("chess", golden!("chess.py.out"), 43_200 + 3_600 + 55),
    Case::new("pipeline", golden!("pipeline.py.out"), 0),
    Case::new("lexer_parser", golden!("lexer_parser.py.out"), 0),
    Case::new("scripted_sequence", golden!("scripted_sequence.py.out"), 4),
    Case::new("tree_walk", golden!("tree_walk.py.out"), 0),
    Case::new("tutorial two_ways", Golden::tutorial("two ways to run"), 0),
    Case::new("tutorial awaited", Golden::tutorial("await case 2"), 2),
    Case::new("tutorial tasks", Golden::tutorial("task case 1"), 2),
    Case::new("tutorial list", Golden::tutorial("await + task list (wait)"), 2),
    Case::new("tutorial limit", Golden::tutorial("wait with timeout=1"), 1),
    Case::new("tutorial never_set", Golden::tutorial("future case 1"), 1),
    Case::new("tutorial set_after", Golden::tutorial("future case 2"), 2),
    Case::new("tutorial iterator", Golden::tutorial("async iterator"), 0),
    Case::new("tutorial connection", Golden::tutorial("async context manager"), 2),
    Case::motw("motw coroutine", golden!("motw/asyncio_coroutine.py.out"), 0),
    Case::motw("motw coroutine_return", golden!("motw/asyncio_coroutine_return.py.out"), 0),
    Case::motw("motw coroutine_chain", golden!("motw/asyncio_coroutine_chain.py.out"), 0),
    // The same with generators. CPython warns of them first.
    Case::motw(
        "motw coroutine_chain",
        golden!("motw/asyncio_generator.py.out").after("  def phase2(arg):\n"),
        0,
    ),
    Case::motw("motw call_soon", golden!("motw/asyncio_call_soon.py.out"), 100),
    Case::motw("motw call_later", golden!("motw/asyncio_call_later.py.out"), 400),
    Case::motw("motw call_at", golden!("motw/asyncio_call_at.py.out"), 1_000),
    // What asyncio logs of its selector comes before what the program prints.
    Case::motw("motw stop", golden!("motw/asyncio_stop.py.out").after("EpollSelector\n"), 0),
    Case::motw("motw future_event_loop", golden!("motw/asyncio_future_event_loop.py.out"), 0),
    Case::motw("motw future_await", golden!("motw/asyncio_future_await.py.out"), 0),
    Case::motw("motw future_callback", golden!("motw/asyncio_future_callback.py.out"), 0),
    Case::motw("motw create_task", golden!("motw/asyncio_create_task.py.out"), 0),
    Case::motw("motw cancel_task", golden!("motw/asyncio_cancel_task.py.out"), 0),
    Case::motw("motw ensure_future", golden!("motw/asyncio_ensure_future.py.out"), 0),
    Case::motw("motw debug", golden!("motw/asyncio_debug.py.out").after("EpollSelector\n"), 101),
    Case::motw("motw cancel_task2", golden!("motw/asyncio_cancel_task2.py.out"), 0),
    Case::motw("motw gather", golden!("motw/asyncio_gather.py.out"), 2_000),
    Case::motw("motw as_completed", golden!("motw/asyncio_as_completed.py.out"), 500),
    Case::motw("motw wait", golden!("motw/asyncio_wait.py.out"), 200),
    Case::motw("motw wait_timeout", golden!("motw/asyncio_wait_timeout.py.out"), 100),
    Case::motw("motw lock", golden!("motw/asyncio_lock.py.out"), 100),
    Case::motw("motw event", golden!("motw/asyncio_event.py.out"), 100),
    Case::motw("motw condition", golden!("motw/asyncio_condition.py.out"), 300),
    Case::motw("motw queue", golden!("motw/asyncio_queue.py.out"), 90),
];

/// The chapter's program in debug mode. Apart: where the clock is real, other steps may take long as well.
pub const VERBOSE: Case =
    Case::motw("motw debug_verbose", golden!("motw/asyncio_debug.py-v.out").after("EpollSelector\n"), 101);
