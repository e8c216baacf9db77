//! What a machine can check of the house rules.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the workspace.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        ["coro-core", "coro-fiber", "coro-gen", "examples"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                // What a nested package has built is not ours.
                if !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

#[test]
fn the_readme_is_short_and_shows_its_two_commands() {
    let readme = read("README.md");
    let mut code = false;
    let prose = readme.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code && !line.starts_with("```")
    });
    let words: usize = prose.map(|line| line.split_whitespace().count()).sum();
    assert!(words <= 500, "{words} words");
    for command in ["cargo run --release", "cargo test --workspace"] {
        assert!(readme.contains(command), "{command}");
    }
}

#[test]
fn the_architecture_is_short_and_names_what_exists() {
    let text = read("ARCHITECTURE.md");
    let words = text.split_whitespace().count();
    assert!(words <= 3_900, "{words} words");
    let paths: Vec<_> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.starts_with("coro-") || code.starts_with("examples/"))
        .filter(|code| code.contains('/'))
        .collect();
    assert!(paths.len() > 5);
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn files_are_of_a_size_that_can_be_read() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        // A suite of laws is a list: it is as long as the law.
        let limit = if path.components().any(|part| part.as_os_str() == "conformance") { 500 } else { 400 };
        assert!(lines <= limit, "{}: {lines} lines", path.display());
    }
}

#[test]
fn every_scenario_is_in_the_suite() {
    let mut suite = read("coro-core/src/conformance/mod.rs");
    // Some are listed beside their laws.
    for module in ["child", "waits"] {
        suite.extend(read(format!("coro-core/src/conformance/{module}.rs")).split("macro_rules! ").skip(1));
    }
    let is_separator = |letter: char| !letter.is_alphanumeric() && letter != '_';
    let suite: HashSet<&str> = suite.split(is_separator).collect();
    let mut scenarios = 0;
    for module in [
        "cancellation",
        "channel",
        "child",
        "combinator",
        "condition",
        "context",
        "coroutine",
        "delegation",
        "drive",
        "event_loop",
        "executor",
        "future",
        "group",
        "loud",
        "network",
        "queue",
        "scope",
        "semaphore",
        "shutdown",
        "sync",
        "task",
        "waits",
    ] {
        let source = read(format!("coro-core/src/conformance/{module}.rs"));
        for line in source.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
            let (name, _) = line.split_once("<F: Flavour>").expect("a scenario is generic over the flavour");
            assert!(suite.contains(name), "{module}::{name} is not in the suite");
            scenarios += 1;
        }
    }
    assert!(scenarios > 80, "{scenarios}");
}

#[test]
fn unsafe_code_is_in_the_listed_modules_only() {
    let architecture = read("ARCHITECTURE.md");
    let section = architecture.split("## Unsafe code").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut allowed = 0;
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        if source.lines().any(|line| line == "#![allow(unsafe_code)]") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            assert!(section.contains(&format!("`{name}`")), "{name} is not listed");
            allowed += 1;
        }
    }
    assert_eq!(section.matches(".rs`").count(), allowed, "a module is listed that has no unsafe code");
    for (krate, says) in [
        ("coro-core/src/lib.rs", "deny"),
        ("coro-core/bare/src/lib.rs", "forbid"),
        ("coro-core/completion/src/lib.rs", "forbid"),
        ("coro-core/macros/src/lib.rs", "forbid"),
        ("coro-fiber/src/lib.rs", "deny"),
        ("coro-fiber/abort/src/main.rs", "forbid"),
        ("coro-gen/src/lib.rs", "deny"),
        ("examples/src/lib.rs", "forbid"),
        ("examples/src/main.rs", "forbid"),
        ("examples/peers/src/main.rs", "forbid"),
        ("examples/peers/simulators/src/main.rs", "forbid"),
    ] {
        let wanted = format!("#![{says}(unsafe_code)]");
        assert!(read(krate).lines().any(|line| line == wanted), "{krate}");
    }
}

#[test]
fn no_test_sleeps_for_real() {
    let sleep = ["thread", "sleep("].join("::");
    // A loop over the kernel that is asked to block does it so, and what catches sleeps must see some. Everybody else
    // asks the loop, or waits.
    let allowed = [
        ("coro-core/src/driver/readiness/mod.rs", 1),
        ("coro-core/tests/sim_trap.rs", 3),
        ("coro-core/tests/sim_report.rs", 1),
    ];
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let sleeps = code.filter(|line| line.contains(&sleep)).count();
        let allowed =
            allowed.iter().find(|(name, _)| path == root().join(name)).map_or(0, |(_, count)| *count);
        assert_eq!(sleeps, allowed, "{}", path.display());
    }
}
