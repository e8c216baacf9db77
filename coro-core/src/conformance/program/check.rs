//! Runs many programs and compares them with the reference.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use super::interpret::{self, Delegating, Make};
use super::kept::Kept;
use super::law::Laws;
use super::reference::Expected;
use super::syntax::Case;
use super::{reference, strategy};

/// How many programs to run, and where the regressions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// How many.
    pub programs: u32,
    /// The file in which the cases are that once failed: they are run first. None if empty.
    pub regressions: &'static str,
}

impl Runs {
    /// As many as each law needs to be met [often enough](super::law::LEAST).
    pub const USUAL: u32 = 2_500;

    /// As many as the environment says (`CORO_PROGRAMS`), if it does.
    ///
    /// # Panics
    ///
    /// If it says something that is not a number.
    pub fn or_from_environment(self) -> Self {
        let programs = from_environment("CORO_PROGRAMS").map_or(self.programs, |count| count as u32);
        Self { programs, ..self }
    }

    pub(super) fn runner(&self, seed: u64) -> TestRunner {
        TestRunner::new(Config {
            cases: self.programs,
            max_shrink_iters: 20_000,
            rng_seed: RngSeed::Fixed(seed),
            // By `Kept`.
            failure_persistence: None,
            ..Config::default()
        })
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

pub(super) fn seed() -> u64 {
    from_environment("CORO_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish())
}

/// Performs random programs with coroutines that `make` makes, and compares them with the
/// [reference interpreter](mod@reference).
///
/// # Errors
///
/// The smallest program found on which they differ, and the seed.
pub fn against_reference(runs: &Runs, make: Make) -> Result<Laws, String> {
    let (seed, kept) = (seed(), Kept::new(runs.regressions));
    for case in kept.read()? {
        conforms(&case, make).map_err(|difference| format!("{difference}\n{case}"))?;
    }
    let laws = RefCell::new(Laws::new());
    let result = runs.runner(seed).run(&strategy::case(), |case| {
        let met = conforms(&case, make).map_err(TestCaseError::fail)?;
        count(&mut laws.borrow_mut(), met);
        Ok(())
    });
    result.map_err(|failure| match failure {
        TestError::Abort(reason) => format!("CORO_SEED={seed}: {reason}"),
        TestError::Fail(reason, case) => {
            kept.keep(&case);
            format!("CORO_SEED={seed}: {reason}\n{case:#?}\n{case}")
        }
    })?;
    let laws = laws.take();
    println!("CORO_SEED={seed}: {} programs{}", runs.programs, report(&laws));
    Ok(laws)
}

/// Compares what `case` does with what it should. Gives how often it met each law.
fn conforms(case: &Case, make: Make) -> Result<Laws, String> {
    let expected = reference::run(case);
    compare(&expected.trace, &interpret::run(case, make))?;
    let mut laws = delegates_otherwise(case, make)?;
    count(&mut laws, expected.laws);
    Ok(laws)
}

/// Performs `case` with other ways to delegate (D10): none may tell them from the one that is written. Gives how often
/// that was tried.
fn delegates_otherwise(case: &Case, make: Make) -> Result<Laws, String> {
    let mut met = Laws::new();
    for script in &case.scripts {
        let case = Case { scripts: vec![script.clone()], ..case.clone() };
        let Expected { trace, laws, .. } = reference::run(&case);
        // Behind a handle, what is parked belongs to whoever resumed it.
        if !laws.contains_key("D8 a parked sub") {
            let nested = interpret::run_delegating(&case, make, Delegating::Nested);
            compare(&trace, &nested).map_err(|difference| format!("nested: {difference}"))?;
            count(&mut met, [("D10 nesting is not seen", 1)]);
        }
        // A body that does not let go on what it is asked to end with can tell whose that is.
        let stubborn = ["D5 an exit discards the value of the sub", "D5 the sub ignores the exit"];
        if stubborn.iter().all(|law| !laws.contains_key(law)) {
            let inlined = interpret::run_delegating(&case, make, Delegating::Inlined);
            count(&mut met, [("D10 inlining is not seen", u32::from(inlined != trace))]);
            let same = |line: &String| line.replace(" delegating", "");
            let [trace, inlined] = [trace, inlined].map(|trace| trace.iter().map(same).collect::<Vec<_>>());
            compare(&trace, &inlined).map_err(|difference| format!("inlined: {difference}"))?;
        }
    }
    Ok(met)
}

pub(super) fn count(laws: &mut Laws, met: impl IntoIterator<Item = (&'static str, u32)>) {
    for (law, times) in met {
        *laws.entry(law).or_default() += times;
    }
}

pub(super) fn report(laws: &Laws) -> String {
    laws.iter().fold(String::new(), |text, (law, times)| format!("{text}\n{times:>8} {law}"))
}

pub(super) fn compare(expected: &[String], found: &[String]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let mut text = "the traces differ (expected | found):".to_string();
    for number in 0..expected.len().max(found.len()) {
        let line = |trace: &[String]| trace.get(number).cloned().unwrap_or_default();
        let (expected, found) = (line(expected), line(found));
        let mark = if expected == found { ' ' } else { '!' };
        let _ = write!(text, "\n{mark} {expected:<50} | {found}");
    }
    Err(text)
}
