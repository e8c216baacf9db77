//! The native flavour under random programs.

use std::path::Path;

use coro_core::conformance::Natives;
use coro_core::conformance::program::{python, recorded};

coro_core::program_conformance!(Natives);

#[test]
#[cfg_attr(miri, ignore = "thousands of programs")]
fn the_reference_matches_recorded_python() {
    let count = recorded::reference_against_recorded().unwrap_or_else(|difference| panic!("{difference}"));
    assert!(count >= 3_000, "{count} programs are recorded");
}

/// How a delegation that begins with a value is printed: by hand, without `yield from`. Where it begins with none,
/// Python itself says whether that is written right.
#[test]
#[cfg_attr(miri, ignore = "hundreds of programs, and processes")]
fn a_delegation_by_hand_is_that_of_python() {
    if python::version().is_none() {
        println!("SKIPPED: there is no python3 to ask");
        return;
    }
    let cases = recorded::cases().unwrap_or_else(|error| panic!("{error}"));
    let cases = &cases[..1_000];
    let [ours, theirs] = [python::run_by_hand(cases), python::run(cases)].map(Result::unwrap);
    for ((ours, theirs), case) in ours.iter().zip(&theirs).zip(cases) {
        assert_eq!(ours, theirs, "{case}");
    }
}

/// Not a test: it writes the recorded programs anew.
#[test]
#[ignore = "writes the file that CORO_RECORD names"]
fn record() {
    let file = std::env::var_os("CORO_RECORD").expect("CORO_RECORD names the file");
    recorded::record(3_500, Path::new(&file)).unwrap_or_else(|error| panic!("{error}"));
}
