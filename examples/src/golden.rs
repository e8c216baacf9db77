//! What CPython printed for the same programs, and how a transcript is held against it.
//!
//! [`difference`] holds a transcript against CPython's. Three kinds of text cannot be the same there:
//!
//! - random hexadecimal names. Each is replaced by its number, in the order in which the names appear first, so that
//!   it does matter which of them is named where;
//! - the printed form of objects, of the type of a task, what debug mode adds to it, and readings of a clock. They are
//!   masked, and not compared;
//! - durations, at the end of a line and with a unit. They are compared as numbers, within [`TOLERANCE`].
//!
//! [`difference_between_ours`] holds two transcripts of our own, from two flavours or two loops, against each other.
//! There it is the names and the time of day alone that are replaced: durations and the printed form of objects must be the same.
//!
//! Everything else is compared byte for byte.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// How far, in seconds, a duration may be from CPython's, which was measured on a real clock.
pub const TOLERANCE: f64 = 0.1;

/// One golden output: a file, or the part of a shared file that belongs to a program.
#[derive(Debug, Clone, Copy)]
pub struct Golden {
    file: &'static str,
    part: Part,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Whole,
    /// The lines that begin with one of these.
    Beginning(&'static [&'static str]),
    /// What comes after this.
    After(&'static str),
    /// What is under the heading that begins with this.
    Section(&'static str),
    /// The line of `yield_from_loop` for this threshold, in the two lines that the program prints.
    Threshold(u32),
}

/// The output of the cases of a tutorial, each under a heading.
const TUTORIAL: &str = include_str!("../goldens/tutorial_cases.out");

/// The output of several short programs.
const MISC: &str = include_str!("../goldens/misc.py.out");

impl Golden {
    /// A file of its own.
    pub const fn whole(file: &'static str) -> Self {
        Self { file, part: Part::Whole }
    }

    /// What comes after `text` in the file.
    pub const fn after(self, text: &'static str) -> Self {
        Self { file: self.file, part: Part::After(text) }
    }

    /// The section of the tutorial's cases whose heading begins with `heading`.
    pub const fn tutorial(heading: &'static str) -> Self {
        Self { file: TUTORIAL, part: Part::Section(heading) }
    }

    /// The lines of the shared file that begin with one of `beginnings`.
    pub const fn misc(beginnings: &'static [&'static str]) -> Self {
        Self { file: MISC, part: Part::Beginning(beginnings) }
    }

    /// The values of `yield_from_loop` for a threshold of 30 to 49.
    pub const fn threshold(threshold: u32) -> Self {
        Self { file: MISC, part: Part::Threshold(threshold) }
    }

    /// What the program should print.
    pub fn text(&self) -> String {
        match self.part {
            // The exit status that was recorded after the output.
            Part::Whole => self.file.strip_suffix("rc=0\n").unwrap_or(self.file).to_string(),
            Part::After(text) => {
                let rest = self.file.split_once(text).map_or("", |(_, rest)| rest);
                rest.strip_suffix("rc=0\n").unwrap_or(rest).to_string()
            }
            Part::Section(heading) => {
                let section = self.file.split("## ").find_map(|section| section.strip_prefix(heading));
                section
                    .and_then(|section| section.split_once('\n'))
                    .map_or("", |(_, lines)| lines)
                    .to_string()
            }
            Part::Beginning(beginnings) => self
                .file
                .split_inclusive('\n')
                .filter(|line| beginnings.iter().any(|beginning| line.starts_with(beginning)))
                .collect(),
            Part::Threshold(threshold) => {
                let beginning = format!("yield_from_loop T= {threshold} ");
                let line = self.file.lines().find_map(|line| line.strip_prefix(beginning.as_str()));
                // `[9, 8, 7] (6, 9, 8)` stands for the lines `9 8 7` and `(6, 9, 8)`.
                line.unwrap_or_default()
                    .replace("] ", "\n")
                    .replace('[', "")
                    .split_once('\n')
                    .map_or_else(String::new, |(printed, next)| {
                        format!("{}\n{next}\n", printed.replace(", ", " "))
                    })
            }
        }
    }
}

/// Where two transcripts differ first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    line: usize,
    expected: String,
    found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}:\n  - {}\n  + {}", self.line, self.expected, self.found)
    }
}

/// The first difference between what CPython printed and what was found, if there is one. Durations may differ by
/// `tolerance` seconds.
pub fn difference(golden: &str, found: &str, tolerance: f64) -> Option<Difference> {
    first_difference(golden, found, |golden, found| same_line(golden, found, tolerance))
}

/// The first difference between two transcripts of our own, if there is one.
pub fn difference_between_ours(expected: &str, found: &str) -> Option<Difference> {
    first_difference(expected, found, |expected, found| expected == found)
}

fn first_difference(expected: &str, found: &str, same: impl Fn(&str, &str) -> bool) -> Option<Difference> {
    let (expected, found) = (numbered(expected), numbered(found));
    let mut lines = (expected.split('\n'), found.split('\n'));
    for line in 1.. {
        let (expected, found) = match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            pair => pair,
        };
        if !expected.zip(found).is_some_and(|(expected, found)| same(expected, found)) {
            let shown = |text: Option<&str>| text.map_or("(nothing)".to_string(), |text| format!("{text:?}"));
            return Some(Difference { line, expected: shown(expected), found: shown(found) });
        }
    }
    None
}

/// `text` without the time of day and without places in files, and with `<name 1>`, `<name 2>`… in place of random names, in
/// the order in which they appear first.
fn numbered(text: &str) -> String {
    static NAMES: LazyLock<Regex> = LazyLock::new(|| pattern(r"<[0-9a-f]{10}>"));
    static PLACES: LazyLock<Regex> = LazyLock::new(|| pattern(r" at [^ >]+:\d+>"));
    let mut numbers = HashMap::new();
    let number = |found: &Captures<'_>| {
        let next = numbers.len() + 1;
        format!("<name {}>", numbers.entry(found[0].to_string()).or_insert(next))
    };
    static TIME_OF_DAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^clock time: .*$"));
    let text = TIME_OF_DAY.replace_all(text, "clock time: <now>");
    let text = NAMES.replace_all(&text, number);
    // Where something was made is for each flavour to say: a test of its own compares that.
    PLACES.replace_all(&text, " at <place>>").into_owned()
}

fn same_line(golden: &str, found: &str, tolerance: f64) -> bool {
    let (golden, golden_seconds) = masked(golden);
    let (found, found_seconds) = masked(found);
    let near = match (golden_seconds, found_seconds) {
        (Some(one), Some(other)) => f64::abs(one - other) <= tolerance,
        (one, other) => one == other,
    };
    near && golden == found
}

/// `line` with a mark in place of what is masked, and the duration that it ends with.
fn masked(line: &str) -> (String, Option<f64>) {
    static OBJECTS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^t: type .*$|<(?:coroutine|generator) object (?:main|gen)[^>]*>|(?:^loop  time:| invoked at) .*$",
        )
    });
    static DURATION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?P<at> at )?(?P<number>\d+\.\d+)(?P<unit> seconds\.?| s| True)?$"));
    // What debug mode adds: ours knows tasks by their bodies' names, and no result by its type.
    static RESULT: LazyLock<Regex> = LazyLock::new(|| pattern(r" result=None created at <place>>"));
    let line = RESULT.replace_all(line, ">");
    let line = OBJECTS.replace_all(&line, "<object>");
    let mut seconds = None;
    let line = DURATION.replace(&line, |found: &Captures<'_>| {
        let [at, unit] = ["at", "unit"].map(|name| found.name(name).map_or("", |part| part.as_str()));
        // A bare number is no duration: it is compared as it stands.
        if at.is_empty() && unit.is_empty() {
            return found[0].to_string();
        }
        seconds = found["number"].parse().ok();
        format!("{at}<seconds>{unit}")
    });
    (line.into_owned(), seconds)
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and the tests have seen it compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(expected: &str, found: &str) -> bool {
        difference(expected, found, TOLERANCE).is_none()
    }

    #[test]
    fn durations_may_differ_a_little() {
        assert!(same("Program finished in 17.01 seconds.\n", "Program finished in 17.00 seconds.\n"));
        assert!(same("res at 10.01", "res at 10.00"));
        assert!(same("gather [[1]] 10.01 True", "gather [[1]] 10.00 True"));
        assert!(!same("Program finished in 17.01 seconds.\n", "Program finished in 18.00 seconds.\n"));
        assert!(!same("gather [[1]] 10.01 True", "gather [[1]] 10.00 False"));
    }

    #[test]
    fn other_numbers_are_compared_as_they_stand() {
        assert!(!same("average of 1: 21.500", "average of 1: 21.501"));
        assert!(!same("one: 43200 seconds", "one: 43201 seconds"));
    }

    #[test]
    fn places_in_files_may_differ_and_what_is_there_may_not() {
        assert!(same("<Task coro=<f() running at a.py:12>>", "<Task coro=<f() running at src/b.rs:7>>"));
        assert!(!same("<Task coro=<f() running at a.py:12>>", "<Task coro=<g() running at a.py:12>>"));
        assert!(!same("<Task coro=<f() running at a.py:12>>", "<Task coro=<f() running at a.py>>"));
    }

    #[test]
    fn names_are_compared_by_their_first_appearance() {
        assert!(same("added <b3f7bcf679> to queue.", "added <0000000000> to queue."));
        assert!(!same("added <b3f7bcf679> to queue.", "added <b3f7bcf67> to queue."));
        let two = "put <aaaaaaaaaa>\nput <bbbbbbbbbb>\ngot <aaaaaaaaaa>\ngot <bbbbbbbbbb>\n";
        let renamed = "put <0123456789>\nput <aaaaaaaaaa>\ngot <0123456789>\ngot <aaaaaaaaaa>\n";
        let swapped = "put <0123456789>\nput <aaaaaaaaaa>\ngot <aaaaaaaaaa>\ngot <0123456789>\n";
        assert!(same(two, renamed));
        assert_eq!(difference_between_ours(two, renamed), None);
        for found in [difference(two, swapped, TOLERANCE), difference_between_ours(two, swapped)] {
            let shown = "line 3:\n  - \"got <name 1>\"\n  + \"got <name 2>\"";
            assert_eq!(found.map(|found| found.to_string()).as_deref(), Some(shown));
        }
    }

    #[test]
    fn objects_are_masked_for_cpython_only() {
        for (golden, ours, others) in [
            ("t: type <class 'Task'>", "t: type JoinHandle<u32>", "t: type JoinHandle<u64>"),
            (
                "<coroutine object main at 0x10>",
                "<coroutine object main, Created>",
                "<coroutine object main, Done>",
            ),
        ] {
            assert!(same(golden, ours));
            assert_eq!(difference_between_ours(ours, ours), None);
            assert!(difference_between_ours(ours, others).is_some(), "{ours}");
        }
        assert!(difference_between_ours("res at 10.00", "res at 10.01").is_some());
    }

    #[test]
    fn readings_of_clocks_are_masked() {
        assert!(
            same("loop  time: 611.5", "loop  time: 0")
                && same("callback 1 invoked at 611", "callback 1 invoked at 0.2")
        );
        assert!(!same("callback 1 invoked at 611", "callback 2 invoked at 0.2"));
        assert!(difference_between_ours("callback 1 invoked at 0.2", "callback 1 invoked at 0.1").is_some());
        assert_eq!(difference_between_ours("clock time: 1.5", "clock time: 2"), None);
        assert!(difference_between_ours("clock time: 1.5", "time: 2").is_some());
    }

    #[test]
    fn missing_and_additional_lines_are_differences() {
        assert_eq!(difference("a\n", "a\n", 0.0), None);
        let shown = difference("a\nb\n", "a\n", 0.0).map(|difference| difference.to_string());
        assert_eq!(shown.as_deref(), Some("line 2:\n  - \"b\"\n  + \"\""));
        assert!(difference("a\n", "a\nb\n", 0.0).is_some());
        assert!(difference("", "a", 0.0).is_some());
    }

    #[test]
    fn parts_of_the_shared_file_are_found() {
        assert_eq!(Golden::threshold(47).text(), "9 8 7 6 9 8\n(6, 9, 8)\n");
        assert_eq!(Golden::threshold(30).text(), "9 8 7 6\n(8, 7, 6)\n");
        assert_eq!(Golden::misc(&["main done", "child"]).text(), "main done\nchild cancelled at shutdown\n");
    }
}
