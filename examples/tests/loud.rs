//! The README shows what programs print.

use std::io::{self, Write};

use coro_examples::loud::{deadlock, slow_steps};

#[track_caller]
fn is_shown(report: fn(&mut dyn Write) -> io::Result<()>) {
    let readme = include_str!("../../README.md");
    let mut printed = Vec::new();
    report(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(
        readme.contains(&format!("```text\n{printed}```\n")),
        "the README does not show this:\n{printed}"
    );
}

#[test]
fn the_readme_shows_the_report_of_a_deadlock() {
    is_shown(deadlock);
}

#[test]
fn the_readme_shows_slow_steps() {
    is_shown(slow_steps);
}
