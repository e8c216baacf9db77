//! What is told on the standard error, by programs that are this one, run as children; and by loops as they go.

use std::convert::Infallible;
use std::future::pending;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use coro_core::conformance::reports;
use coro_core::native::{Native, spawn};
use coro_core::prelude::*;
use coro_core::runner::Runner;
use coro_core::time::block_for;

/// Which program a child is.
const PROGRAM: &str = "CORO_TEST_LOUD";

/// What the program of a test, which is that test, prints on the standard error, with these variables.
fn told_by(test: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env_remove("CORO_DEBUG")
        .env(PROGRAM, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    told.lines().filter_map(|line| line.strip_prefix("coro: ")).map(ToString::to_string).collect()
}

fn is_child() -> bool {
    std::env::var_os(PROGRAM).is_some()
}

#[test]
#[cfg_attr(miri, ignore = "it runs a child")]
fn a_handler_that_panics_is_reported_with_what_it_panicked_on() {
    if is_child() {
        let event_loop = Loop::simulated();
        event_loop.set_exception_handler(Some(Rc::new(|_| panic!("in the handler"))));
        let _call = event_loop.call_soon(|| panic!("in the callback"));
        return event_loop.run(async {}).unwrap();
    }
    let told = told_by("a_handler_that_panics_is_reported_with_what_it_panicked_on", &[]);
    let panicked = "the exception handler panicked on it: in the handler";
    assert_eq!(told, ["a callback panicked: in the callback", panicked]);
}

#[test]
#[cfg_attr(miri, ignore = "it runs a child")]
fn without_a_handler_everything_is_printed() {
    if is_child() {
        let event_loop = Loop::simulated();
        event_loop.spawn(pending::<()>()).named("left").detach();
        event_loop.spawn(async { panic!("planted") }).named("failed").detach();
        let _stopped = event_loop.run_until_complete(event_loop.spawn(async {}));
        return event_loop.close().unwrap();
    }
    let told = told_by("without_a_handler_everything_is_printed", &[]);
    assert_eq!(
        told,
        [
            "Task exception was never retrieved: the task panicked: planted",
            "Task was destroyed but it is pending!",
        ]
    );
}

#[test]
#[cfg_attr(miri, ignore = "it runs a child")]
fn the_environment_turns_debug_mode_on_for_runners() {
    const TEST: &str = "the_environment_turns_debug_mode_on_for_runners";
    if is_child() {
        let slow = async || block_for(Duration::from_secs(1));
        let mut runner = Runner::with_loops(|| Ok(Loop::simulated()));
        runner.run(slow()).unwrap();
        let quiet = Runner::with_loops(|| Ok(Loop::simulated())).debug(false).run(slow());
        return quiet.unwrap();
    }
    let told = |variables| told_by(TEST, variables);
    let [slow] = &told(&[("CORO_DEBUG", "1")])[..] else { panic!("one of the two tells") };
    assert!(slow.starts_with("Executing <Task finished name='Task-1'"), "{slow}");
    assert!(slow.ends_with(" took 1.000 seconds"), "{slow}");
    for off in [&[][..], &[("CORO_DEBUG", "")], &[("CORO_DEBUG", "0")]] {
        assert_eq!(told(off), [""; 0]);
    }
}

#[test]
fn a_loop_that_is_dropped_unclosed_is_named_in_debug_mode() {
    let tells = |debug, close: fn(&Loop)| {
        let event_loop = Loop::simulated();
        let reported = reports(&event_loop);
        event_loop.set_debug(debug);
        close(&event_loop);
        drop(event_loop);
        reported.take()
    };
    assert_eq!(tells(true, |_| ()), ["simulated unclosed"]);
    assert_eq!(tells(false, |_| ()), [""; 0]);
    assert_eq!(tells(true, |event_loop| event_loop.close().unwrap()), [""; 0]);
    assert_eq!(tells(true, |event_loop| event_loop.run(async {}).unwrap()), [""; 0]);
}

/// What is not run to its end all the same was awaited: it has yielded, it waits, it was delegated to, or it panicked at once.
#[test]
fn a_coroutine_that_somebody_has_seen_to_is_not_named() {
    let event_loop = Loop::simulated();
    let reported = reports(&event_loop);
    event_loop.set_debug(true);
    let main = async {
        let sub = || Native::<(), (), (), ()>::new(async |co| co.yield_(()).await);
        let mut delegates = Native::<(), (), (), ()>::new(async move |co| co.yield_from(sub()).await);
        delegates.start().unwrap();
        sub().start().unwrap();
        let waits = Native::<(), Infallible, (), TaskError>::new(async |co| co.wait(pending()).await);
        let waits = Loop::current().unwrap().spawn(waits);
        yield_now().await;
        waits.cancel();
        let mut throws = sub();
        throws.throw(()).unwrap();
        let panics = spawn(async {
            let mut panics = Native::<(), (), (), ()>::new(async |_| panic!("planted"));
            _ = panics.start();
        });
        assert!(panics.await.is_err());
        // The only one.
        drop(sub());
    };
    event_loop.run(main).unwrap();
    let [told] = &reported.take()[..] else { panic!("one was never awaited") };
    assert!(told.starts_with("never awaited"), "{told}");
}
