//! The crawler against a server that is not ours: the fixture of the Python program, run by Python.

mod crawl_common;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crawl_common::{GOLDEN_HOST, fixture_urls, sorted};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/crawler/fixture.py");
const FOUND: &str = include_str!("../goldens/crawler/foundurls.sorted.txt");
const LOG: &str = include_str!("../goldens/crawler/areq.sorted.log");

/// The server's process, ended with the test.
struct Fixture {
    process: Child,
    origin: String,
}

impl Fixture {
    /// Starts it, if there is a Python.
    fn start() -> Option<Self> {
        let mut command = Command::new("python3");
        command.args([FIXTURE, "0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let mut port = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut port).ok()?;
        Some(Self { process, origin: format!("127.0.0.1:{}", port.trim()) })
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn every_flavour_gives_the_golden() {
    let Some(fixture) = Fixture::start() else {
        // Not with a macro: those are kept from view for a test that passes.
        let skipped = "SKIPPED every_flavour_gives_the_golden: there is no python3 to run the fixture with";
        writeln!(io::stderr(), "{skipped}").unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (urls, out) = (folder.path().join("urls.txt"), folder.path().join("foundurls.txt"));
    fs::write(&urls, fixture_urls(&fixture.origin).join("\n")).unwrap();
    for flavour in ["native", "generator", "fiber"] {
        let output = Command::new(env!("CARGO_BIN_EXE_coro"))
            .args(["crawl", "--flavour", flavour, "--urls"])
            .args([urls.as_os_str(), "--out".as_ref(), out.as_os_str()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let found = fs::read_to_string(&out).unwrap().replace(&fixture.origin, GOLDEN_HOST);
        assert_eq!(sorted(found.lines()), sorted(FOUND.lines()), "{flavour}");
        let log = String::from_utf8(output.stderr).unwrap().replace(&fixture.origin, GOLDEN_HOST);
        let without_time = log.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest));
        assert_eq!(sorted(without_time), sorted(LOG.lines()), "{flavour}");
    }
}
