//! Cases with the traces that CPython gave, for machines without Python.
//!
//! The file has the version of Python in its first line, then each case (the text of a [`Case`]) with its trace below,
//! indented.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::check::compare;
use super::interpret::{self, Make};
use super::syntax::Case;
use super::{check_python, python, reference};

const RECORDED: &[u8] = include_bytes!("recorded.txt.gz");

/// A case, and what Python wrote.
type Vector = (Case, Vec<String>);

/// Performs the recorded cases with coroutines that `make` makes. Gives how many there were.
///
/// # Errors
///
/// The first case on which they differ from what CPython did, or what is wrong with the file.
pub fn against_recorded(make: Make) -> Result<usize, String> {
    let (version, vectors) = parse(&unpack(RECORDED)?)?;
    for (case, expected) in &vectors {
        let ours = python::normalised(&interpret::run(case, make), version);
        compare(expected, &ours).map_err(|difference| format!("{difference}\n{case}"))?;
    }
    Ok(vectors.len())
}

/// Compares the [reference interpreter](mod@reference) with what CPython did.
///
/// # Errors
///
/// As [`against_recorded`].
pub fn reference_against_recorded() -> Result<usize, String> {
    let (version, vectors) = parse(&unpack(RECORDED)?)?;
    for (case, expected) in &vectors {
        let ours = python::normalised(&reference::run(case).trace, version);
        compare(expected, &ours).map_err(|difference| format!("{difference}\n{case}"))?;
    }
    Ok(vectors.len())
}

/// The recorded cases, without what CPython did.
///
/// # Errors
///
/// What is wrong with the file.
pub fn cases() -> Result<Vec<Case>, String> {
    let (_, vectors) = parse(&unpack(RECORDED)?)?;
    Ok(vectors.into_iter().map(|(case, _)| case).collect())
}

/// Asks CPython about random cases, and writes the file.
///
/// # Errors
///
/// There is no Python, it failed, or the file cannot be written.
pub fn record(programs: u32, file: &Path) -> Result<(), String> {
    let version = python::version().ok_or("there is no python3")?;
    let mut text = format!("python {}.{}\n", version.0, version.1);
    for cases in check_python::cases(programs) {
        for (case, trace) in cases.iter().zip(python::run(&cases)?) {
            let _ = writeln!(text, "{case}");
            for line in trace {
                let _ = writeln!(text, " {line}");
            }
        }
    }
    fs::write(file, pack(&text)?).map_err(|error| format!("{}: {error}", file.display()))
}

fn parse(text: &str) -> Result<(python::Version, Vec<Vector>), String> {
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| python::parse_version(line.strip_prefix("python ")?));
    let mut vectors: Vec<Vector> = Vec::new();
    for line in lines {
        match (line.strip_prefix(' '), vectors.last_mut()) {
            (Some(event), Some((_, trace))) => trace.push(event.to_string()),
            _ => vectors.push((line.parse().map_err(|error| format!("{error}"))?, Vec::new())),
        }
    }
    Ok((version.ok_or("the first line has no version")?, vectors))
}

fn unpack(packed: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

fn pack(text: &str) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).map_err(|error| error.to_string())
}
