//! When a loop looks at its driver while work is ready.

use coro_core::EventLoop;
use coro_core::conformance::Watched;
use coro_core::time::{Time, yield_now};

/// How many looks a run of a thousand yields takes, and how many turns.
fn looks_and_turns(patience: u32) -> (u64, u64) {
    let (event_loop, trace) = Watched::make_loop(patience);
    event_loop
        .run(async {
            for _ in 0..1_000 {
                yield_now().await;
            }
        })
        .unwrap();
    (trace.take().len() as u64, event_loop.metrics().turns)
}

/// Exact, so that a run can be replayed.
#[test]
fn a_driver_without_patience_is_looked_at_every_turn() {
    let (looks, turns) = looks_and_turns(1);
    assert!(turns > 1_000);
    assert_eq!(looks, turns);
}

#[test]
fn a_driver_with_patience_is_looked_at_after_as_many_as_it_allows() {
    let (looks, turns) = looks_and_turns(100);
    assert!(turns > 1_000);
    // One for each hundred, and those at the beginning and at the end.
    assert!((1_000 / 100..1_000 / 100 + 5).contains(&looks), "{looks}");
}

#[test]
fn late_timers_go_off_in_order_and_in_parts_with_looks_between() {
    let (event_loop, trace) = Watched::make_loop(128);
    for number in 0..3_000 {
        let trace = trace.clone();
        event_loop.call_at(Time::ZERO, move || trace.log(number.to_string()));
    }
    event_loop.run(yield_now()).unwrap();
    let log = trace.take();
    let timers: Vec<_> = log.iter().filter(|line| *line != "look").cloned().collect();
    assert_eq!(timers, (0..3_000).map(|number| number.to_string()).collect::<Vec<_>>());
    let parts = log.split(|line| line == "look").map(<[String]>::len);
    assert_eq!(parts.max(), Some(1_024));
}
