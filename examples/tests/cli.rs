//! The command, as a person meets it.

use std::process::{Command, Output, Stdio};

use coro_examples::golden::{Golden, TOLERANCE, difference};
use coro_examples::programs::Program;

fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coro"));
    command.args(line.split_whitespace());
    command
}

fn coro(line: &str) -> Output {
    command(line).output().expect("the command can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is text")
}

/// A wrong command line is answered with status 2 and this line, and nothing else.
#[track_caller]
fn refuses(line: &str, answer: &str) {
    let output = coro(line);
    assert_eq!(text(&output.stderr), format!("coro: {answer}\n"), "coro {line}");
    assert_eq!(output.status.code(), Some(2), "coro {line}");
    assert!(output.stdout.is_empty(), "coro {line}");
}

#[test]
fn unknown_names_are_answered_with_a_suggestion() {
    refuses("run chaned", "there is no 'chaned'; tip: did you mean 'chained'?");
    refuses(
        "run bogus",
        "there is no 'bogus'; tip: 'coro list' names the programs, 'coro help' the commands",
    );
    refuses("lst", "there is no 'lst'; tip: did you mean 'list'?");
    refuses("chained", "there is no command 'chained'; tip: coro run chained");
    refuses("run", "run needs the name of a program; tip: 'coro list' names them");
}

#[test]
fn an_answer_is_one_line_whatever_was_asked() {
    for arguments in [&["run", "a\nb\r\x1b[31mc"] as &[_], &["a\nb\x1b"], &["crawl", "--urls", "a\nb\r\x1bc"]]
    {
        let output = command("").args(arguments).output().expect("the command can be started");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said:?}");
        assert!(said.starts_with("coro: ") && said.ends_with('\n'), "{said:?}");
        assert_eq!(said.chars().filter(|letter| letter.is_control()).count(), 1, "{said:?}");
    }
}

#[test]
fn unknown_flavours_and_loops_are_answered_with_the_known_ones() {
    refuses(
        "run chained --flavour fibre",
        "invalid value 'fibre' for '--flavour <FLAVOUR>' [possible values: native, generator, fiber, all]; \
         tip: a similar value exists: 'fiber'",
    );
    refuses(
        "run chained --loop epol",
        "invalid value 'epol' for '--loop <LOOP>' [possible values: sim, select, poll, epoll, guest]; \
         tip: a similar value exists: 'epoll'",
    );
}

#[test]
fn unknown_flags_and_arguments_are_refused() {
    refuses(
        "run chained --flavor native",
        "unexpected argument '--flavor' found; tip: a similar argument exists: '--flavour'",
    );
    refuses("run chained -p 3", "unexpected argument '-p' found");
    refuses("run chained extra", "unexpected argument 'extra' found");
    refuses("run asyncq -p x", "invalid value 'x' for '--nprod <N>': invalid digit found in string");
    refuses("run asyncq --low 5 --high 2", "--low 5 is above --high 2: swap them");
}

#[test]
fn speeds_that_are_none_are_refused() {
    for speed in ["0", "NaN", "-1", "inf", "fast"] {
        let answer =
            format!("invalid value '{speed}' for '--speed <X>': give a positive number, such as 10 or 0.5");
        refuses(&format!("run chained --loop epoll --speed {speed}"), &answer);
        refuses(&format!("compare --speed {speed}"), &answer);
    }
    let advice = "--speed is for the loops over the kernel, and virtual time needs none: add --loop epoll, or leave it out";
    refuses("run chained --speed 10", advice);
}

#[test]
fn all_flavours_of_chained_print_the_golden_three_times() {
    let golden = Golden::whole(include_str!("../goldens/chained.py.out")).text();
    for line in
        ["run chained --flavour all --loop sim", "run chained --loop epoll --speed 1000", "run chained"]
    {
        let output = coro(line);
        assert!(output.status.success(), "coro {line}");
        assert_eq!(difference(&golden.repeat(3), &text(&output.stdout), TOLERANCE), None, "coro {line}");
        let headers = text(&output.stderr);
        assert_eq!(headers.lines().filter(|header| header.starts_with("== ")).count(), 3, "{headers}");
    }
}

#[test]
fn flags_are_taken_before_and_after_the_name_of_the_program() {
    let golden = Golden::whole(include_str!("../goldens/asyncq.py-p0-c3.out")).text();
    for line in [
        "run --flavour fiber --loop sim asyncq -p 0 -c 3",
        "run asyncq --nprod 0 --flavour fiber --ncon 3 --loop sim",
        "run --loop epoll asyncq -p0 -c3 --flavour fiber --speed 10",
    ] {
        let output = coro(line);
        assert_eq!(difference(&golden, &text(&output.stdout), TOLERANCE), None, "coro {line}");
        assert!(output.stderr.is_empty(), "coro {line}");
    }
}

#[test]
fn list_names_every_program() {
    let output = coro("list");
    assert!(output.status.success());
    let listed = text(&output.stdout);
    assert_eq!(listed.lines().count(), Program::list().len());
    assert!(listed.contains("chained           Coroutines that call coroutines"), "{listed}");
}

#[test]
fn reader_that_has_seen_enough_ends_the_program_quietly() {
    for line in ["run asyncq -c 1000", "list"] {
        let started = command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.expect("the command can be started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the command ends");
        assert!(output.status.success(), "coro {line}");
        assert!(!text(&output.stderr).contains("panicked"), "coro {line}");
    }
}
