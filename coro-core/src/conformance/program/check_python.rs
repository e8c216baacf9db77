//! Runs many programs and compares them with CPython.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};

use super::check::{Runs, compare, count, report, seed};
use super::interpret::{self, Make};
use super::kept::Kept;
use super::law::Laws;
use super::syntax::Case;
use super::{python, reference, strategy};

/// How many programs one process of Python runs.
const BATCH: u32 = 500;

/// Performs random programs with coroutines that `make` makes, and compares them with CPython, one process for
/// hundreds of them. Gives how often the programs met each law; where there is no `python3`, says so and gives
/// nothing.
///
/// # Errors
///
/// The smallest program found on which they differ, and the seed.
pub fn against_python(runs: &Runs, make: Make) -> Result<Option<Laws>, String> {
    let Some(version) = python::version() else {
        println!("SKIPPED: there is no python3 to compare with");
        return Ok(None);
    };
    let (seed, kept) = (seed(), Kept::new(runs.regressions));
    let known: Vec<_> = kept.read()?.into_iter().filter(is_in_python).collect();
    if let Some((at, difference)) = differing(&known, make, version)? {
        return Err(format!("{difference}\n{}", known[at]));
    }
    let mut laws = Laws::new();
    for mut trees in batches(*runs, seed) {
        trees.retain(|tree| is_in_python(&tree.current()));
        let cases: Vec<_> = trees.iter().map(ValueTree::current).collect();
        if let Some((at, difference)) = differing(&cases, make, version)? {
            let (case, difference) =
                shrink(&mut trees[at], make, version)?.unwrap_or((cases[at].clone(), difference));
            kept.keep(&case);
            let source = python::source(std::slice::from_ref(&case));
            return Err(format!("CORO_SEED={seed}: {difference}\n{case:#?}\n{case}\n{source}"));
        }
        cases.iter().for_each(|case| count(&mut laws, reference::run(case).laws));
    }
    let (programs, python) = (runs.programs, format!("Python {}.{}", version.0, version.1));
    println!("CORO_SEED={seed}: {programs} programs against {python}{}", report(&laws));
    Ok(Some(laws))
}

/// A program, and the smaller ones like it.
type Tree = <BoxedStrategy<Case> as Strategy>::Tree;

/// Programs for Python from a seed, hundreds at a time.
fn batches(runs: Runs, seed: u64) -> impl Iterator<Item = Vec<Tree>> {
    let (mut runner, strategy, programs) =
        (runs.runner(seed), strategy::patient_case().boxed(), runs.programs);
    (0..programs).step_by(BATCH as usize).map(move |done| {
        let count = (programs - done).min(BATCH);
        (0..count).map(|_| strategy.new_tree(&mut runner).expect("no strategy here rejects")).collect()
    })
}

fn is_in_python(case: &Case) -> bool {
    reference::run(case).in_python
}

/// Random cases from a fresh seed, hundreds at a time, to be recorded: with few scripts, for the size of the file.
pub(super) fn cases(programs: u32) -> impl Iterator<Item = Vec<Case>> {
    let batches = batches(Runs { programs, regressions: "" }, seed());
    let short = |mut case: Case| {
        case.scripts.truncate(2);
        case
    };
    batches.map(move |trees| trees.iter().map(ValueTree::current).map(short).filter(is_in_python).collect())
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
        compare(&expected, &python::normalised(&ours, version)).err().map(|difference| (at, difference))
    }))
}

/// A smaller case on which they differ, and how.
fn shrink(
    tree: &mut impl ValueTree<Value = Case>,
    make: Make,
    version: python::Version,
) -> Result<Option<(Case, String)>, String> {
    let mut smallest = None;
    for _ in 0..400 {
        let case = tree.current();
        let cases: &[Case] = if is_in_python(&case) { std::slice::from_ref(&case) } else { &[] };
        let found = differing(cases, make, version)?;
        let goes_on = if found.is_some() { tree.simplify() } else { tree.complicate() };
        smallest = found.map(|(_, difference)| (case, difference)).or(smallest);
        if !goes_on {
            break;
        }
    }
    Ok(smallest)
}
