//! Ctrl-C: real signals, sent to a program that is this one, run as a child.

#![cfg(all(unix, not(miri)))]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use coro_core::native::catch;
use coro_core::runner::{self, Runner};
use coro_core::time::{block_for, sleep};
use coro_core::{EventLoop, Loop, RunError};
use rustix::process::{Pid, Signal, kill_process};

/// Which program a child is.
const PROGRAM: &str = "CORO_TEST_INTERRUPTED";

const HOUR: Duration = Duration::from_secs(3600);

/// A program that talks to whoever sends it signals.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Begins the program of a test, which is that test.
    fn begin(test: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(PROGRAM, "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads its output up to this line.
    fn expect(&mut self, line: &str) {
        let found = self.output.by_ref().lines().map(Result::unwrap).any(|read| read.ends_with(line));
        assert!(found, "{line} was not read");
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// How it has ended.
    fn end(mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        let mut output = String::new();
        self.output.read_to_string(&mut output).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut output).unwrap();
        assert!(!output.contains("FAILED"), "{output}");
        status
    }
}

fn is_child() -> bool {
    std::env::var_os(PROGRAM).is_some()
}

/// Says something, before a signal can come.
fn say(line: &str) {
    println!("{line}");
}

#[test]
fn the_first_ctrl_c_cancels_main_which_may_clean_up() {
    if is_child() {
        let result = runner::run(async {
            let cancelled = catch(async {
                say("waits");
                sleep(HOUR).await;
            });
            cancelled.await.unwrap_err();
            sleep(Duration::from_millis(1)).await;
            say("cleaned up");
            sleep(HOUR).await;
        });
        // It was thrown once, so the second sleep is cut off by the second one only.
        assert!(matches!(result, Err(RunError::Interrupted)), "{result:?}");
        return say("interrupted");
    }
    let mut program = Program::begin("the_first_ctrl_c_cancels_main_which_may_clean_up");
    program.expect("waits");
    program.interrupt();
    program.expect("cleaned up");
    program.interrupt();
    program.expect("interrupted");
    assert!(program.end().success());
}

#[test]
fn a_ctrl_c_that_main_lets_out_is_the_error_of_the_run() {
    if is_child() {
        let result = runner::run(async {
            say("waits");
            sleep(HOUR).await;
        });
        assert!(matches!(result, Err(RunError::Interrupted)), "{result:?}");
        // Now nobody hears it.
        say("ran");
        loop {
            std::thread::park();
        }
    }
    let mut program = Program::begin("a_ctrl_c_that_main_lets_out_is_the_error_of_the_run");
    program.expect("waits");
    program.interrupt();
    program.expect("ran");
    program.interrupt();
    assert_eq!(program.end().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn a_ctrl_c_that_the_loop_does_not_hear_is_the_last_but_one() {
    if is_child() {
        let never = runner::run(async {
            say("computes");
            block_for(HOUR);
        });
        unreachable!("{never:?}");
    }
    let mut program = Program::begin("a_ctrl_c_that_the_loop_does_not_hear_is_the_last_but_one");
    program.expect("computes");
    program.interrupt();
    // Two that are pending at once would be one: whoever sends signals cannot see when one has been handled.
    while program.child.try_wait().unwrap().is_none() {
        program.interrupt();
        std::thread::yield_now();
    }
    assert_eq!(program.end().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn a_runner_that_is_told_so_leaves_ctrl_c_alone() {
    if is_child() {
        let never = Runner::new().interrupts(false).run(async {
            say("waits");
            sleep(HOUR).await;
        });
        unreachable!("{never:?}");
    }
    let mut program = Program::begin("a_runner_that_is_told_so_leaves_ctrl_c_alone");
    program.expect("waits");
    program.interrupt();
    assert_eq!(program.end().signal(), Some(Signal::INT.as_raw()));
}

/// Many, while the loop sleeps, runs, and wakes up; each is handled, whatever it interrupts.
#[test]
fn every_ctrl_c_between_runs_and_in_them_is_handled() {
    if is_child() {
        let mut runner = Runner::new();
        let mut interrupted = 0;
        while interrupted < 100 {
            let result = runner.run(async {
                say("next");
                loop {
                    sleep(Duration::from_micros(50)).await;
                }
            });
            match result {
                Err(RunError::Interrupted) => interrupted += 1,
                other => panic!("{other:?}"),
            }
        }
        return say("all");
    }
    let mut program = Program::begin("every_ctrl_c_between_runs_and_in_them_is_handled");
    for _ in 0..100 {
        program.expect("next");
        program.interrupt();
    }
    program.expect("all");
    assert!(program.end().success());
}

/// In a run on the simulated loop nobody waits for signals: the program does.
#[test]
fn a_ctrl_c_reaches_a_simulated_loop_too() {
    if is_child() {
        let mut runner = Runner::with_loops(|| Ok(Loop::simulated()));
        let result = runner.run(async {
            say("waits");
            loop {
                sleep(HOUR).await;
            }
        });
        assert!(matches!(result, Err(RunError::Interrupted)), "{result:?}");
        assert!(!runner.event_loop().unwrap().is_closed());
        return say("interrupted");
    }
    let mut program = Program::begin("a_ctrl_c_reaches_a_simulated_loop_too");
    program.expect("waits");
    program.interrupt();
    program.expect("interrupted");
    assert!(program.end().success());
}
