//! Runs many programs and compares the traces.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};

use super::interpret::{self, Make};
use super::law::Laws;
use super::syntax::Case;
use super::{python, reference, strategy};

/// How many programs to run, and where the regressions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// How many.
    pub programs: u32,
    /// The file of the regressions; none if empty.
    pub regressions: &'static str,
}

impl Runs {
    /// As many as the environment says (`CORO_PROGRAMS`), if it does.
    ///
    /// # Panics
    ///
    /// If it says something that is not a number.
    pub fn or_from_environment(self) -> Self {
        let programs = from_environment("CORO_PROGRAMS").map_or(self.programs, |count| count as u32);
        Self { programs, ..self }
    }

    fn runner(&self, seed: u64) -> TestRunner {
        let file = (!self.regressions.is_empty())
            .then(|| Box::new(FileFailurePersistence::Direct(self.regressions)) as Box<_>);
        TestRunner::new(Config {
            cases: self.programs,
            max_shrink_iters: 20_000,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: file,
            ..Config::default()
        })
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

fn seed() -> u64 {
    from_environment("CORO_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish())
}

/// Performs random programs with coroutines that `make` makes, and compares them with the
/// [reference interpreter](mod@reference).
///
/// # Errors
///
/// The smallest program found on which they differ, and the seed.
pub fn against_reference(runs: &Runs, make: Make) -> Result<Laws, String> {
    let seed = seed();
    let laws = RefCell::new(Laws::new());
    let slow = Cell::new(0);
    let result = runs.runner(seed).run(&strategy::case(), |case| {
        let Some(expected) = reference::run(&case) else {
            slow.set(slow.get() + 1);
            return Ok(());
        };
        for law in expected.laws {
            *laws.borrow_mut().entry(law).or_default() += 1;
        }
        compare(&expected.trace, &interpret::run(&case, make)).map_err(TestCaseError::fail)
    });
    result.map_err(|failure| format!("CORO_SEED={seed}: {failure}"))?;
    let laws = laws.take();
    let mut report = format!("CORO_SEED={seed}: {} programs, {} too slow", runs.programs, slow.get());
    for (law, count) in &laws {
        let _ = write!(report, "\n{count:>8} {law}");
    }
    println!("{report}");
    Ok(laws)
}

/// How many programs one process of Python runs.
const BATCH: u32 = 500;

/// Performs random programs with coroutines that `make` makes, and compares them with CPython, one process for
/// hundreds of them. Says so and does nothing where there is no `python3`.
///
/// # Errors
///
/// The smallest program found on which they differ, and the seed.
pub fn against_python(runs: &Runs, make: Make) -> Result<(), String> {
    let Some(version) = python::version() else {
        println!("SKIPPED: there is no python3 to compare with");
        return Ok(());
    };
    let kept = Kept::beside(runs.regressions);
    for (seed, programs) in kept.read() {
        batches(&Runs { programs, ..*runs }, seed, make, version).map_err(|(_, difference)| difference)?;
    }
    let seed = seed();
    println!("CORO_SEED={seed}: {} programs against Python {}.{}", runs.programs, version.0, version.1);
    batches(runs, seed, make, version).map_err(|(programs, difference)| {
        kept.write(seed, programs);
        difference
    })
}

/// Runs the programs of a seed in batches. If they fail: after how many, and how.
fn batches(runs: &Runs, seed: u64, make: Make, version: python::Version) -> Result<(), (u32, String)> {
    let (mut runner, strategy) = (runs.runner(seed), strategy::case());
    let mut done = 0;
    while done < runs.programs {
        let count = (runs.programs - done).min(BATCH);
        done += count;
        let failed = |difference: String| (done, format!("CORO_SEED={seed}: {difference}"));
        let trees: Result<Vec<_>, _> = (0..count).map(|_| strategy.new_tree(&mut runner)).collect();
        let mut trees = trees.map_err(|reason| failed(reason.to_string()))?;
        trees.retain(|tree| reference::run(&tree.current()).is_some());
        let cases: Vec<_> = trees.iter().map(ValueTree::current).collect();
        if let Some((at, _)) = differing(&cases, make, version).map_err(failed)? {
            return Err(failed(shrink(&mut trees[at], make, version).map_err(failed)?));
        }
    }
    Ok(())
}

/// The seeds on which Python once differed, and how many programs it took, in a file beside the regressions.
struct Kept(Option<PathBuf>);

impl Kept {
    fn beside(regressions: &str) -> Self {
        Self((!regressions.is_empty()).then(|| Path::new(regressions).with_extension("python.txt")))
    }

    fn read(&self) -> Vec<(u64, u32)> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let line = |line: &str| {
            let (seed, programs) = line.split_once(' ')?;
            Some((seed.parse().ok()?, programs.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    fn write(&self, seed: u64, programs: u32) {
        let Some(file) = &self.0 else { return };
        let kept = self.read().into_iter().chain([(seed, programs)]);
        let text: String = kept.map(|(seed, programs)| format!("{seed} {programs}\n")).collect();
        let made = file.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = made.and_then(|()| fs::write(file, text)) {
            println!("{}: {error}", file.display());
        }
    }
}

/// The first of the cases on which they differ, and how.
fn differing(
    cases: &[Case],
    make: Make,
    version: python::Version,
) -> Result<Option<(usize, String)>, String> {
    let expected = python::run(cases)?;
    Ok(cases.iter().zip(expected).enumerate().find_map(|(at, (case, expected))| {
        let ours = interpret::run(case, make);
        let ours: Vec<_> = ours.iter().map(|line| python::normalise(line, version)).collect();
        compare(&expected, &ours).err().map(|difference| (at, difference))
    }))
}

fn shrink(
    tree: &mut impl ValueTree<Value = Case>,
    make: Make,
    version: python::Version,
) -> Result<String, String> {
    let mut smallest = None;
    for _ in 0..400 {
        let case = tree.current();
        let fails = differing(std::slice::from_ref(&case), make, version)?;
        let again = fails.is_some();
        if let Some((_, difference)) = fails {
            let shown = format!("{difference}\n{case:#?}");
            smallest = Some(format!("{shown}\n{}", python::source(&[case])));
        }
        if !(if again { tree.simplify() } else { tree.complicate() }) {
            break;
        }
    }
    Ok(smallest.unwrap_or_else(|| "it differed once, and not again".to_string()))
}

fn compare(expected: &[String], found: &[String]) -> Result<(), String> {
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
