//! `coro sim`, as a person meets it.

use std::process::{Command, Output};

fn coro(line: &str, replay: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coro"));
    command.args(line.split_whitespace()).env_remove("CORO_SIM_REPLAY");
    command.envs(replay.map(|line| ("CORO_SIM_REPLAY", line)));
    command.output().expect("the command can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is text")
}

/// What is printed about a failure, and the line that repeats it.
#[track_caller]
fn failure(line: &str, replay: Option<&str>) -> (String, String) {
    let output = coro(line, replay);
    assert_eq!(output.status.code(), Some(1), "coro {line}: {}", text(&output.stderr));
    // A run that is repeated shows its panic, with where it came from if that is asked for.
    let complaint = text(&output.stderr);
    assert!(complaint.is_empty() || replay.is_some(), "coro {line}: {complaint}");
    let printed = text(&output.stdout);
    let (report, line) = printed.trim_end().split_once("to repeat it: CORO_SIM_REPLAY=").expect("it can be");
    (report.to_string(), line.to_string())
}

#[test]
fn a_failure_is_printed_and_repeated_by_its_line() {
    for program in ["bank", "retries", "philosophers"] {
        let (report, line) = failure(&format!("sim {program}"), None);
        assert!(report.contains(", shrunk; the run, "), "{report}");
        let run = |report: &str| report.split_once("; the run, ").map(|(_, run)| run.to_string());
        let (again, same) = failure(&format!("sim {program}"), Some(&line));
        assert_eq!(same, line);
        assert_eq!(run(&again), run(&report), "{again}");
        let fixed = coro(&format!("sim {program} --fixed"), Some(&line));
        assert_eq!(fixed.status.code(), Some(0), "{}", text(&fixed.stdout));
        assert!(text(&fixed.stdout).starts_with("nothing was found in 1 run(s), "));
    }
}

#[test]
fn what_was_explored_is_counted() {
    for line in [
        "sim bank --policy fifo --seeds 100",
        "sim bank --fixed --policy pct --seeds 100",
        "sim retries --fixed --seeds 100",
        "sim philosophers --fixed --flavour fiber --seeds 100",
    ] {
        let output = coro(line, None);
        assert_eq!(output.status.code(), Some(0), "coro {line}: {}", text(&output.stdout));
        let printed = text(&output.stdout);
        assert!(printed.starts_with("nothing was found in 100 run(s), "), "coro {line}: {printed}");
        assert_eq!(printed.lines().count(), 1, "coro {line}: {printed}");
    }
}

#[test]
fn all_flavours_fail_alike() {
    let output = coro("sim bank --flavour all", None);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    let reports: Vec<_> = ["native", "generator", "fiber"]
        .map(|flavour| printed.matches(&format!("clearing ({flavour}), woken by post")).count())
        .into();
    assert_eq!(reports, [1, 1, 1], "{printed}");
}

#[test]
fn what_makes_no_sense_is_answered_in_one_line() {
    for (line, replay, answer) in [
        (
            "sim retries --flavour fiber",
            None,
            "the server of retries is made of fibers and its client is native: leave --flavour out",
        ),
        (
            "sim bank",
            Some("coro-"),
            "CORO_SIM_REPLAY: this is not a whole replay line: copy all of it, from `coro-` to the end",
        ),
        ("sim bank --seeds x", None, "invalid value 'x' for '--seeds <N>': invalid digit found in string"),
        (
            "sim bnk",
            None,
            "invalid value 'bnk' for '<PROGRAM>' [possible values: bank, retries, philosophers]; \
             tip: a similar value exists: 'bank'",
        ),
    ] {
        let output = coro(line, replay);
        assert_eq!(text(&output.stderr), format!("coro: {answer}\n"), "coro {line}");
        assert_eq!(output.status.code(), Some(2), "coro {line}");
        assert!(output.stdout.is_empty(), "coro {line}");
    }
}
