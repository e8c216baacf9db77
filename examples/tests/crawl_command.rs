//! The command: arguments, files and exit statuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `coro crawl` with `arguments` in `directory`.
fn coro(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coro"))
        .arg("crawl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_file_without_urls_gives_the_header_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("urls"), "\n  \n").unwrap();
    let output = coro(directory.path(), &["--urls", "urls", "--flavour", "all"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        fs::read_to_string(directory.path().join("foundurls.txt")).unwrap(),
        "source_url\tparsed_url\n"
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "generator: the same 0 links as native\nfiber: the same 0 links as native\n");
}

#[test]
fn lines_that_are_no_urls_are_logged_once_each() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("urls"), b"nonsense\n nonsense \r\n\xff\n").unwrap();
    let output = coro(directory.path(), &["--urls", "urls", "--out", "found", "--loop", "sim"]);
    assert_eq!(output.status.code(), Some(0));
    let expected = "00:00:00 DEBUG:asyncio: Using selector: SimulatedSelector
00:00:00 ERROR:areq: aiohttp exception for nonsense [None]: not a valid URL: relative URL without a base
00:00:00 ERROR:areq: aiohttp exception for \u{fffd} [None]: not a valid URL: relative URL without a base
";
    assert_eq!(stderr(&output), expected);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_file_that_cannot_be_read_is_a_usage_error() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["missing", "."] {
        let output = coro(directory.path(), &["--urls", file]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).starts_with(&format!("coro: {file}: ")), "{output:?}");
        assert_eq!(stderr(&output).lines().count(), 1);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("urls"), "").unwrap();
    for out in [".", "missing/found", "urls/found"] {
        let output = coro(directory.path(), &["--urls", "urls", "--out", out]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{output:?}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &[] as &[&str],
        &["--urls", "urls", "--site", "http://127.0.0.1/"],
        &["--site", "nonsense"],
        &["--site", "ftp://127.0.0.1/"],
        &["--site", "http://127.0.0.1/", "--jobs", "0"],
        &["--urls", "urls", "--flavour", "vanilla"],
    ] {
        assert_eq!(coro(directory.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn numbers_out_of_their_bounds_are_refused_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    for (flag, value, range) in [
        ("--jobs <J>", "100000", "1..=1000"),
        ("--jobs <J>", "0", "1..=1000"),
        ("--max-pages <N>", "1000001", "1..=1000000"),
        ("--max-pages <N>", "0", "1..=1000000"),
    ] {
        let name = flag.split(' ').next().unwrap();
        let output = coro(directory.path(), &["--site", "http://127.0.0.1/", "--loop", "sim", name, value]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(
            stderr(&output),
            format!("coro: invalid value '{value}' for '{flag}': {value} is not in {range}\n")
        );
    }
}

#[test]
fn a_site_that_cannot_be_reached_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let output =
        coro(directory.path(), &["--site", "http://127.0.0.1:9/", "--loop", "sim", "--flavour", "all"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(said.lines().next(), Some("native: 0 pages with 0 links, 1 failures, in 0.000 s"));
    let line = "00:00:00 ERROR:site: Cannot fetch http://127.0.0.1:9/ [None]: cannot connect to 127.0.0.1:9: connection refused";
    assert_eq!(stderr(&output).lines().collect::<Vec<_>>(), [line; 3]);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_unless_its_reader_has_gone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("urls"), "").unwrap();
    for arguments in ["--urls urls --flavour all", "--site http://127.0.0.1:9/ --loop sim"] {
        let start = |stdout: Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_coro"));
            command.arg("crawl").args(arguments.split(' ')).current_dir(directory.path());
            command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
        };
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = start(full.into()).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}: {output:?}");
        assert!(stderr(&output).ends_with("coro: No space left on device (os error 28)\n"), "{output:?}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = start(writer.into()).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
        assert!(!stderr(&output).contains("coro: "), "{output:?}");
    }
}
