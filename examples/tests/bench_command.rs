//! `coro bench`, as a person meets it.

use std::fs;
use std::process::{Command, Output};

use coro_examples::bench::report::Report;
use coro_examples::bench::shared::contender::Contender;
use coro_examples::bench::shared::record::Answer;
use coro_examples::bench::shared::scenario::Scenario;

fn coro(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coro"));
    command.args(line.split_whitespace()).output().expect("the command can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is text")
}

#[test]
fn it_measures_without_peers_and_writes_json() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("bench.json");
    let file = file.to_str().expect("its name is text");
    let output =
        coro(&format!("bench --quick --rounds 3 --scenario yield,chained --contender native --json {file}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for start in ["yield           native ", "chained         native ", "unknown  target  yield native: 5 x"]
    {
        assert!(printed.lines().any(|line| line.starts_with(start)), "{start}: {printed}");
    }
    assert!(!printed.contains("not built"), "nobody asked for peers: {printed}");
    let json = fs::read_to_string(file).expect("it was written");
    let report: Report = serde_json::from_str(&json).expect("it is a report");
    assert_eq!(report.records.len(), 6);
    assert_eq!(report.summaries.len(), 2);
    assert!(report.quick && report.missing.is_empty());
}

#[test]
fn peers_that_are_not_built_are_named_and_left_out() {
    let output =
        coro("bench --quick --rounds 1 --scenario spawn-one --peers /no/such --contender native,monoio");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("The peers are not built") && printed.contains("cargo build --release"),
        "{printed}"
    );
    assert!(!printed.contains("monoio could not"), "{printed}");
}

#[test]
fn a_check_fails_where_a_target_is_not_met_or_unknown() {
    let line = "bench --quick --rounds 1 --scenario spawn-one --contender native";
    assert_eq!(coro(line).status.code(), Some(0));
    assert_eq!(coro(&format!("{line} --check")).status.code(), Some(1));
    // Nothing is asked of this one.
    let output = coro("bench --quick --rounds 1 --scenario chained --contender native --check");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_peer_that_fails_is_reported_with_its_reason() {
    // Something else is where the peers should be: it says nothing that is an answer.
    let output = coro("bench --quick --rounds 2 --scenario yield --contender glommio --peers /bin/false");
    let printed = text(&output.stdout);
    assert!(printed.contains("glommio could not do yield: exit status: 1"), "{printed}");
    assert_eq!(printed.matches("glommio could not").count(), 1, "{printed}");
    let progress = text(&output.stderr);
    assert_eq!(progress.matches("glommio").count(), 1, "it is not asked again: {progress}");
    assert_eq!(output.status.code(), Some(0), "it is no fault of ours");
}

#[test]
fn a_child_answers_in_one_line_of_json() {
    let output = coro("bench-one --scenario pingpong --contender fiber --divisor 10000");
    let printed = text(&output.stdout);
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let Ok(Answer::Record(record)) = serde_json::from_str(&printed) else { panic!("{printed}") };
    assert_eq!((record.scenario, record.contender), (Scenario::Pingpong, Contender::Fiber));
    assert_eq!(record.measured.operations, 100);
    let refused = text(&coro("bench-one --scenario yield --contender compio").stdout);
    assert!(refused.contains("compio is a peer"), "{refused}");
}

#[test]
fn names_that_are_none_are_refused() {
    for line in ["bench --scenario yeld", "bench --contender tokyo", "bench --rounds 0"] {
        assert_eq!(coro(line).status.code(), Some(2), "{line}");
    }
}
