//! The holes that remain, as the documentation of the crate states them: programs without `unsafe` that use a thread-local
//! after it is gone. They are run under the address sanitizer, which must see it; and their mended forms, where it must not.
//!
//! Each runs in a process of its own: this one again, with one test and a variable that says so.

use std::any::Any;
use std::cell::RefCell;
use std::future::pending;
use std::hint::black_box;
use std::pin::Pin;
use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::task::{Context, Waker};

use coro_core::prelude::*;
use coro_fiber::{Co, Options, WaitError, on_fiber, scope};

const CHILD: &str = "CORO_FIBER_HOLE";
const READS: &str = "the destructor reads";
const HAS_READ: &str = "it has read";

/// This program, whose output is collected.
fn this() -> Command {
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.stdin(std::process::Stdio::null());
    this
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the address sanitizer is in this program: it answers for itself.
fn is_sanitized() -> bool {
    let asked = this().arg("--list").env("ASAN_OPTIONS", "help=1").output().unwrap();
    said(&asked).contains("AddressSanitizer")
}

/// Runs `program` on a thread, in a process of its own. `None` where nobody would see what it does.
fn of_a_child(test: &str, program: fn()) -> Option<Output> {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        std::thread::spawn(program).join().unwrap();
        std::process::exit(0);
    }
    if !is_sanitized() {
        assert!(std::env::var_os("ASAN_OPTIONS").is_none(), "a sanitizer is meant to be here, and is not");
        println!("skipped: this program was built without -Zsanitizer=address");
        return None;
    }
    Some(this().args(["--exact", test, "--nocapture"]).env(CHILD, test).output().unwrap())
}

/// It has read what was gone, and the sanitizer has ended it there.
#[track_caller]
fn assert_seen(output: Option<Output>) {
    let Some(output) = output else { return };
    let said = said(&output);
    let (_, after) = said.split_once(READS).expect(&said);
    assert!(
        after.contains("ERROR: AddressSanitizer: heap-use-after-free") && !after.contains(HAS_READ),
        "{said}"
    );
    assert!(!output.status.success(), "{said}");
}

/// It has read what was there.
#[track_caller]
fn assert_clean(output: Option<Output>) {
    let Some(output) = output else { return };
    let said = said(&output);
    assert!(output.status.success() && said.contains(HAS_READ), "{said}");
}

thread_local! {
    static KEPT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    static TEXT: String = "of the thread".to_string();
}

/// Looks at a text of its thread when it is dropped.
struct ReadsAtDrop<'a>(&'a str);

impl Drop for ReadsAtDrop<'_> {
    fn drop(&mut self) {
        read_it(self.0);
    }
}

#[inline(never)]
fn read_it(text: &str) {
    eprintln!("{READS}");
    let first = black_box(text).as_bytes()[0];
    eprintln!("{HAS_READ} {first}");
}

/// Waits for ever, where it refers to a local of its thread.
fn wait_with_a_local() -> Result<(), WaitError> {
    TEXT.with(|text| {
        let _reads = ReadsAtDrop(text);
        coro_fiber::wait(pending::<()>())
    })
}

/// A loop with a fiber that is suspended there.
fn suspended_in_a_local() -> Loop {
    let event_loop = Loop::simulated();
    let waits = event_loop.spawn(coro_fiber::task(|_| Ok(wait_with_a_local()?)));
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    assert!(!waits.is_done());
    event_loop
}

#[test]
fn a_loop_with_a_suspended_fiber_in_a_thread_local_is_unwound_too_late() {
    let ended = of_a_child("a_loop_with_a_suspended_fiber_in_a_thread_local_is_unwound_too_late", || {
        // The locals of a thread go in the order in which they were first used, the last one first.
        KEPT.with(|_| ());
        KEPT.set(Some(Box::new(suspended_in_a_local())));
    });
    assert_seen(ended);
}

#[test]
fn so_is_a_future_that_runs_on_a_fiber() {
    let ended = of_a_child("so_is_a_future_that_runs_on_a_fiber", || {
        KEPT.with(|_| ());
        let mut future = on_fiber(wait_with_a_local);
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        KEPT.set(Some(Box::new(future)));
    });
    assert_seen(ended);
}

#[test]
fn in_a_variable_it_is_unwound_in_time() {
    let ended = of_a_child("in_a_variable_it_is_unwound_in_time", || {
        KEPT.with(|_| ());
        let event_loop = suspended_in_a_local();
        black_box(&event_loop);
    });
    assert_clean(ended);
}

#[test]
fn a_loop_that_was_run_may_be_kept_in_a_thread_local() {
    let ended = of_a_child("a_loop_that_was_run_may_be_kept_in_a_thread_local", || {
        KEPT.with(|_| ());
        let event_loop = suspended_in_a_local();
        event_loop.run(async {}).unwrap();
        KEPT.set(Some(Box::new(event_loop)));
    });
    assert_clean(ended);
}

/// Lends a local of a thread to another thread, and forgets the fiber that does. The other one looks when the owner has ended,
/// which the standard library would wait for it to do.
fn lend_and_forget() {
    let (tell, told) = channel::<()>();
    let (report, reported) = channel();
    let owner = std::thread::spawn(move || {
        scope(|scope| {
            let mut lends =
                scope.fiber_with(&Options::new().stack_bytes(1 << 20), move |co: &mut Co<'_, (), (), ()>| {
                    TEXT.with(|text| {
                        std::thread::scope(|threads| {
                            threads.spawn(move || {
                                assert!(told.recv().is_err(), "the owner is gone");
                                read_it(text);
                                report.send(()).unwrap();
                            });
                            co.yield_(())
                        })
                    })
                });
            lends.start().unwrap();
            std::mem::forget(lends);
        });
    });
    owner.join().unwrap();
    drop(tell);
    reported.recv().unwrap();
}

#[test]
fn a_local_that_a_forgotten_fiber_has_lent_to_a_thread_is_used_when_it_is_gone() {
    let test = "a_local_that_a_forgotten_fiber_has_lent_to_a_thread_is_used_when_it_is_gone";
    let ended = of_a_child(test, lend_and_forget);
    assert_seen(ended);
}
