//! Every program, in every flavour, on every loop, against what CPython printed.

use std::time::Duration;

use clap::ValueEnum;
use coro_core::stats::{Counts, Flavour};
use coro_examples::compare::{Ran, Settings, compare, problems_of, run_once};
use coro_examples::golden::{Golden, TOLERANCE, difference, difference_between_ours};
use coro_examples::loop_kind::LoopKind;
use coro_examples::programs::motw::Motw;
use coro_examples::programs::tutorial::Tutorial;
use coro_examples::programs::{CASES, Program, VERBOSE};

/// The kernel's clock, so fast that nothing is to be waited for, yet slow enough that waits are real.
fn fast() -> Settings {
    Settings { seconds_per_run: 0.02, resumes: 100, ..Settings::default() }
}

fn program(line: &str) -> Program {
    Program::parse_line(line).expect("the line names a program")
}

fn run(line: &str, flavour: Flavour) -> Ran {
    run_once(program(line), flavour, LoopKind::Sim, None).expect("the program runs to its end")
}

fn check_all_cases(loop_kind: LoopKind) {
    let mut problems = Vec::new();
    for case in CASES {
        let reference = run(case.line, Flavour::Native);
        let speed = Some(fast().speed_for(case.length));
        for flavour in Flavour::ALL {
            let ran = run_once(program(case.line), flavour, loop_kind, speed);
            let ran = ran.expect("the program runs to its end");
            let found = problems_of(case, &ran, &reference);
            problems.extend(found.into_iter().map(|what| format!("{}, {flavour}: {what}", case.line)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_flavour_gives_the_golden_in_virtual_time() {
    check_all_cases(LoopKind::Sim);
}

#[cfg(target_os = "linux")]
#[test]
fn every_flavour_gives_the_golden_on_a_paced_epoll_loop() {
    check_all_cases(LoopKind::Epoll);
}

#[cfg(unix)]
#[test]
fn every_flavour_gives_the_golden_on_a_paced_poll_loop() {
    check_all_cases(LoopKind::Poll);
}

#[cfg(unix)]
#[test]
fn every_flavour_gives_the_golden_on_a_paced_select_loop() {
    check_all_cases(LoopKind::Select);
}

#[test]
fn every_flavour_gives_the_golden_as_the_guest_of_tokio() {
    check_all_cases(LoopKind::Guest);
}

#[test]
fn every_program_has_a_case() {
    for (name, about) in Program::list() {
        assert!(
            CASES.iter().any(|case| case.line.split(' ').next() == Some(&name)),
            "{name} is not compared"
        );
        assert!(!about.is_empty(), "{name} is not described");
    }
}

#[test]
fn every_program_of_the_chapter_and_every_case_of_the_tutorial_is_compared() {
    check_named::<Motw>("motw");
    check_named::<Tutorial>("tutorial");
}

fn check_named<T: ValueEnum>(program: &str) {
    for value in T::value_variants() {
        let name = value.to_possible_value().expect("none is skipped").get_name().to_string();
        let mut cases = CASES.iter().chain([&VERBOSE]);
        assert!(cases.any(|case| case.line == format!("{program} {name}")), "{name} is not compared");
    }
}

#[test]
fn debug_mode_names_the_step_that_took_long() {
    let reference = run(VERBOSE.line, Flavour::Native);
    for flavour in Flavour::ALL {
        let ran = run(VERBOSE.line, flavour);
        assert_eq!(problems_of(&VERBOSE, &ran, &reference), [""; 0], "{flavour}");
    }
}

#[test]
fn endless_gives_the_golden_for_every_threshold() {
    for threshold in 30..=49 {
        let golden = Golden::threshold(threshold).text();
        assert_eq!(golden.lines().count(), 2, "there is a golden for {threshold}");
        for flavour in Flavour::ALL {
            assert_eq!(run(&format!("endless --threshold {threshold}"), flavour).text, golden);
        }
    }
}

#[test]
fn asyncq_works_with_a_thousand_consumers() {
    let native = run("asyncq -c 1000", Flavour::Native);
    let added = native.text.lines().filter(|line| line.contains(" added ")).count();
    let got = native.text.lines().filter(|line| line.contains(" got element ")).count();
    assert!(added > 0);
    assert_eq!(added, got);
    for flavour in Flavour::ALL {
        let ran = run("asyncq -c 1000", flavour);
        assert_eq!(difference_between_ours(&native.text, &ran.text), None, "{flavour}");
        assert_eq!((ran.own.parks, ran.length), (native.own.parks, native.length), "{flavour}");
    }
}

#[test]
fn chess_takes_twelve_hours_or_one() {
    for flavour in Flavour::ALL {
        let ran = run("chess", flavour);
        let expected = "one after the other: 43200 seconds\nfrom board to board: 3600 seconds\n";
        assert!(ran.text.starts_with(expected), "{flavour}: {}", ran.text);
        assert_eq!(ran.length, Duration::from_secs(43_200 + 3_600 + 55), "{flavour}");
    }
}

#[test]
fn pipeline_gives_the_same_numbers_by_hand_and_on_the_loop() {
    for flavour in Flavour::ALL {
        let text = run("pipeline", flavour).text;
        let (by_hand, on_the_loop) = text.split_once("on the loop\n").expect("there are two halves");
        assert_eq!(by_hand.strip_prefix("by hand\n"), Some(on_the_loop), "{flavour}");
    }
}

#[test]
fn programs_switch_in_their_own_engine_only() {
    for case in CASES {
        for flavour in Flavour::ALL {
            assert_eq!(run(case.line, flavour).others, Counts::default(), "{}, {flavour}", case.line);
        }
    }
    let chained = run("chained", Flavour::Fiber).own;
    // Two sleeps for each of three chains, and a wake-up of the main task for each chain's end.
    assert_eq!((chained.parks, chained.yields), (9, 0));
}

#[test]
fn comparison_finds_nothing_and_fills_every_row() {
    let mut printed = Vec::new();
    let comparison = compare(&fast(), &mut printed).expect("a vector can be written");
    assert!(comparison.problems.is_empty(), "{}", comparison.problems.join("\n"));
    assert_eq!(comparison.rows.len(), Flavour::ALL.len() * LoopKind::ALL.len());
    for row in &comparison.rows {
        assert_eq!((row.equal, row.total), (CASES.len(), CASES.len()));
        assert!(row.parks > 0 && row.yields > 0 && row.ns_per_resume > 0.0, "{row:?}");
    }
    let printed = String::from_utf8(printed).expect("the lines are text");
    assert_eq!(printed.lines().count(), CASES.len(), "{printed}");
}

#[test]
fn comparison_names_whatever_is_wrong() {
    let case = &CASES[0];
    let right = run(case.line, Flavour::Native);
    assert_eq!(problems_of(case, &right, &right), [""; 0]);

    let mut wrong = right.clone();
    wrong.text = wrong.text.replacen("One", "Uno", 1);
    let problems = problems_of(case, &wrong, &right);
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0], "differs from the golden in line 1:\n  - \"One\"\n  + \"Uno\"");

    let slow = Ran { length: right.length + Duration::from_nanos(1), ..right.clone() };
    assert_eq!(problems_of(case, &slow, &right), ["took 1.000000001s on the loop's clock instead of 1s"]);

    let lazy = Ran { own: Counts { parks: 0, ..right.own }, ..right.clone() };
    assert!(problems_of(case, &lazy, &right)[0].starts_with("counts "));

    let borrowed = Ran { others: Counts { parks: 1, ..Counts::default() }, ..right.clone() };
    assert!(problems_of(case, &borrowed, &right)[0].starts_with("ran in engines of other flavours"));
}

#[test]
fn goldens_are_not_empty() {
    for case in CASES {
        let golden = case.golden.text();
        assert!(golden.ends_with('\n') && !golden.contains("rc=0"), "{}: {golden:?}", case.line);
        assert!(difference(&golden, "", TOLERANCE).is_some(), "{}", case.line);
    }
}
