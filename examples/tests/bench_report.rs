//! What `coro bench` makes of measurements: medians, targets, JSON.

use std::io;
use std::process::Command;
use std::time::Duration;

use coro_examples::bench::child::run;
use coro_examples::bench::machine::Machine;
use coro_examples::bench::report::{Report, print_table, print_targets};
use coro_examples::bench::results::{Clock, Results, Summary};
use coro_examples::bench::shared::contender::Contender::{self, Glommio, Monoio, Native, TokioLocal};
use coro_examples::bench::shared::record::{Answer, Measured, Record};
use coro_examples::bench::shared::scenario::{Scenario, Size};
use coro_examples::bench::target::{Verdict, judge};

/// A thousand operations that took `ns` each.
fn record(scenario: Scenario, contender: Contender, ns: u64) -> Record {
    let measured = Measured { operations: 1_000, nanoseconds: 1_000 * ns, ..Measured::default() };
    Record { scenario, contender, size: Size { tasks: 1, rounds: 1_000 }, measured }
}

fn summaries(records: impl IntoIterator<Item = Record>) -> Vec<Summary> {
    records.into_iter().filter_map(|record| Summary::of(vec![record], Clock::Real)).collect()
}

/// The verdict on the line that begins so, and what was found.
fn verdict_on(line: &str, summaries: &[Summary]) -> (Verdict, String) {
    let mut judged = judge(summaries).into_iter().filter(|judged| judged.line.starts_with(line));
    let found = judged.next().unwrap_or_else(|| panic!("there is no target {line}"));
    assert!(judged.next().is_none(), "{line} is not one target");
    (found.verdict, found.found)
}

#[test]
fn a_ratio_is_met_at_its_bar_and_not_below() {
    let spawned = |native, tokio| {
        summaries([
            record(Scenario::SpawnAll, Native, native),
            record(Scenario::SpawnAll, TokioLocal, tokio),
            record(Scenario::SpawnAll, Monoio, 70),
        ])
    };
    let line = "spawn-all native: 5 x";
    assert_eq!(verdict_on(line, &spawned(50, 250)), (Verdict::Met, "5.00".to_string()));
    assert_eq!(verdict_on(line, &spawned(50, 249)), (Verdict::NotMet, "4.98".to_string()));
    assert_eq!(verdict_on("spawn-all native: as fast as monoio", &spawned(71, 1)).0, Verdict::NotMet);
    assert_eq!(verdict_on("spawn-all native: 50 ns", &spawned(50, 1)), (Verdict::Met, "50.0 ns".to_string()));
    assert_eq!(verdict_on("spawn-all native: 50 ns", &spawned(51, 1)).0, Verdict::NotMet);
}

#[test]
fn a_target_without_its_peer_is_unknown() {
    let alone = summaries([record(Scenario::SpawnOne, Native, 20)]);
    let unknown = (Verdict::Unknown, "glommio was not measured".to_string());
    assert_eq!(verdict_on("spawn-one native: 2 x", &alone), unknown);
    let without_us = summaries([record(Scenario::SpawnOne, Glommio, 40)]);
    let unknown = (Verdict::Unknown, "native was not measured".to_string());
    assert_eq!(verdict_on("spawn-one native: 2 x", &without_us), unknown);
    assert_eq!(judge(&[]), [], "what nobody measured is not judged");
}

#[test]
fn a_peer_whose_yield_is_no_switch_does_not_compete() {
    let mut stuck = record(Scenario::Yield, Monoio, 5);
    stuck.measured.same_task = Some(0.99);
    let mut fair = record(Scenario::Yield, Glommio, 27);
    fair.measured.same_task = Some(0.0);
    let ours = record(Scenario::Yield, Native, 9);
    let line = "yield native: faster than every peer";
    let against = |peers: &[&Record]| {
        verdict_on(line, &summaries([&ours].into_iter().chain(peers.iter().copied()).cloned()))
    };
    assert_eq!(against(&[&stuck, &fair]), (Verdict::Met, "3.00 x glommio".to_string()));
    stuck.measured.same_task = Some(0.01);
    assert_eq!(against(&[&stuck, &fair]).0, Verdict::NotMet);
}

#[test]
fn writes_are_compared_as_if_ours_were_at_least_one() {
    let with_writes = |contender, writes| {
        let mut record = record(Scenario::RemoteLoad, contender, 10);
        record.measured.writes = writes;
        record
    };
    let line = "remote-load native: 100 x fewer writes";
    let against = |own, others| {
        verdict_on(line, &summaries([with_writes(Native, own), with_writes(TokioLocal, others)]))
    };
    assert_eq!(against(Some(0), Some(100)), (Verdict::Met, "0 against 100".to_string()));
    assert_eq!(against(Some(0), Some(99)).0, Verdict::NotMet);
    assert_eq!(against(Some(2), Some(199)).0, Verdict::NotMet);
    assert_eq!(against(None, Some(199)).0, Verdict::Unknown);
}

#[test]
fn memory_counts_without_the_state_of_the_task_itself() {
    let asleep = |bytes_per_task, resident_bytes| {
        let mut record = record(Scenario::Memory, Native, 1);
        record.measured.bytes_per_task = Some(bytes_per_task);
        record.measured.future_bytes = Some(56);
        record.measured.resident_bytes = Some(resident_bytes);
        summaries([record])
    };
    let besides = "memory native: 160 bytes";
    assert_eq!(verdict_on(besides, &asleep(216.0, 1)), (Verdict::Met, "160 bytes".to_string()));
    assert_eq!(verdict_on(besides, &asleep(217.0, 1)).0, Verdict::NotMet);
    let resident = "memory native: 250 MB";
    assert_eq!(verdict_on(resident, &asleep(1.0, 249_999_999)).0, Verdict::Met);
    assert_eq!(verdict_on(resident, &asleep(1.0, 250_000_000)).0, Verdict::NotMet);
}

#[test]
fn the_median_counts_and_one_that_failed_is_named() {
    let mut results = Results::default();
    for ns in [30, 10, 900, 20, 40] {
        results.add(Scenario::Yield, Native, Answer::Record(record(Scenario::Yield, Native, ns)));
    }
    results.add(Scenario::Yield, Glommio, Answer::Unable("no io_uring".to_string()));
    let [summary] = results.summaries(Clock::Real).try_into().expect("one was measured");
    assert_eq!((summary.least, summary.figure, summary.most, summary.rounds), (10.0, 30.0, 900.0, 5));
    assert!(results.is_missing(Scenario::Yield, Glommio) && !results.is_missing(Scenario::Yield, Native));
    assert_eq!(results.missing().len(), 1);
}

#[test]
fn processor_time_is_compared_where_it_is_asked_for_and_means_something() {
    let of = |scenario, clock| {
        let mut record = record(scenario, Native, 10);
        record.measured.cpu_nanoseconds = 7_000;
        record.measured.bytes_per_task = Some(200.0);
        let Summary { figure, unit, .. } = Summary::of(vec![record], clock).expect("there is one");
        format!("{figure} {unit}")
    };
    assert_eq!(of(Scenario::Yield, Clock::Real), "10 ns");
    assert_eq!(of(Scenario::Yield, Clock::Processor), "7 ns cpu");
    assert_eq!(of(Scenario::TimersPending, Clock::Real), "7 ns cpu");
    assert_eq!(of(Scenario::Remote, Clock::Processor), "10 ns");
    assert_eq!(of(Scenario::Memory, Clock::Processor), "200 bytes");
}

fn report() -> Report {
    let mut yields = record(Scenario::Yield, Native, 10);
    yields.measured.same_task = Some(0.25);
    let mut results = Results::default();
    results.add(Scenario::Yield, Native, Answer::Record(yields));
    results.add(Scenario::Yield, TokioLocal, Answer::Record(record(Scenario::Yield, TokioLocal, 45)));
    results.add(Scenario::Yield, Glommio, Answer::Unable("no io_uring".to_string()));
    let text = String::from;
    let machine =
        Machine { processor: text("Z80"), cores: 1, kernel: text("6.1"), load: text("0.00 0.00 0.00") };
    Report {
        machine,
        clock: Clock::Real,
        quick: true,
        rounds: 1,
        summaries: results.summaries(Clock::Real),
        missing: results.missing(),
        targets: judge(&results.summaries(Clock::Real)),
        instructions: Vec::new(),
        records: results.records(),
    }
}

#[test]
fn a_report_is_the_same_after_its_way_through_json() {
    let report = report();
    let json = serde_json::to_string(&report).expect("it can be written");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("it can be read"), report);
    let answer = Answer::Record(record(Scenario::TimersCancel, Contender::TokioCurrentThread, 7));
    let json = serde_json::to_string(&answer).expect("it can be written");
    assert_eq!(serde_json::from_str::<Answer>(&json).expect("it can be read"), answer);
    assert!(json.contains(r#""scenario":"timers-cancel","contender":"tokio-current-thread""#), "{json}");
}

#[test]
fn the_table_has_a_line_for_everybody() {
    let mut out = Vec::new();
    print_table(&report(), &mut out).expect("a vector can be written");
    print_targets(&report(), &mut out).expect("a vector can be written");
    let out = String::from_utf8(out).expect("it is text");
    let expected = "\
Z80, 1 cores, Linux 6.1, load 0.00 0.00 0.00; medians of 1 rounds
scenario        contender             operations             each    spread x tokio-local  notes
yield           native                      1000          10.0 ns         -          4.50  same_task 25 %
yield           tokio-local                 1000          45.0 ns         -          1.00
glommio could not do yield: no io_uring

NOT MET  target  yield native: 5 x as fast as tokio-local                         4.50
";
    assert!(out.starts_with(expected), "{out}");
}

#[test]
fn names_are_those_of_the_command_line() {
    use clap::ValueEnum;
    fn named<T: ValueEnum>(value: &T) -> String {
        value.to_possible_value().expect("none is hidden").get_name().to_string()
    }
    for scenario in Scenario::ALL {
        assert_eq!(named(&scenario), scenario.to_string());
    }
    for contender in Contender::ALL {
        assert_eq!(named(&contender), contender.to_string());
    }
    assert_eq!(Scenario::value_variants(), Scenario::ALL);
    assert_eq!(Contender::value_variants(), Contender::ALL);
}

#[test]
fn a_child_that_hangs_is_ended_and_one_that_is_not_there_is_named() {
    let mut hangs = Command::new("tail");
    hangs.args(["-f", "/dev/null"]);
    let error = run(&mut hangs, Duration::ZERO).expect_err("it never ends");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let error = run(&mut Command::new("no-such-program"), Duration::ZERO).expect_err("it is not there");
    assert!(error.to_string().starts_with("no-such-program: "), "{error}");
}
