//! Runs every program in every flavour on every loop, and holds the transcripts against each other.
//!
//! Every transcript must be that of CPython, as far as [`golden`](crate::golden) says, and, but for random names,
//! exactly that of the native flavour on the simulated loop; and every program must take exactly its length on the loop's clock. The switches are counted in
//! each engine: a program that suspends in an engine other than its own is reported, and so is one whose flavours
//! count differently.

use std::io::{self, Write};
use std::time::Duration;

use coro_core::stats::{Counts, Flavour, counts};
use coro_core::{EventLoop, RunError};

use crate::golden::{TOLERANCE, difference, difference_between_ours};
use crate::loop_kind::LoopKind;
use crate::measure::ns_per_resume;
use crate::programs::{CASES, Case, Context, Program};
use crate::table::Row;
use crate::transcript::Transcript;

/// How to compare.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How much faster than real time the kernel's loop runs. `None` chooses for each program, by its length.
    pub speed: Option<f64>,
    /// How long, in real seconds, a program may take at the speed that is chosen for it.
    pub seconds_per_run: f64,
    /// How many resumes a sample of the cost of a resume has.
    pub resumes: u32,
    /// How many pages a crawl visits at most.
    pub crawl_pages: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { speed: None, seconds_per_run: 0.1, resumes: 200_000, crawl_pages: 2_000 }
    }
}

impl Settings {
    /// The speed at which a program of this length is run.
    pub fn speed_for(&self, length: Duration) -> f64 {
        let chosen = (length.as_secs_f64() / self.seconds_per_run).ceil().max(1.0);
        self.speed.unwrap_or(chosen)
    }
}

/// What came out.
#[derive(Debug)]
pub struct Comparison {
    /// One for each flavour on each loop, in the order of the flavours, then the loops.
    pub rows: Vec<Row>,
    /// What was not as it should be, as text for a reader. Empty if all is well.
    pub problems: Vec<String>,
}

impl Comparison {
    /// The row of one flavour on one loop.
    pub fn row_mut(&mut self, flavour: Flavour, loop_kind: LoopKind) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.flavour == flavour && row.loop_kind == loop_kind)
    }
}

/// One run of a program.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it printed.
    pub text: String,
    /// How long it took on the clock of the loop.
    pub length: Duration,
    /// The switches of its own engine.
    pub own: Counts,
    /// The switches of the two other engines together.
    pub others: Counts,
}

/// Runs a program once, silently.
///
/// # Errors
///
/// If the loop cannot be made, or cannot run the program to its end.
pub fn run_once(
    program: Program,
    flavour: Flavour,
    loop_kind: LoopKind,
    speed: Option<f64>,
) -> Result<Ran, RunError> {
    let all_counts = || Flavour::ALL.map(counts);
    let before = all_counts();
    let context = Context { event_loop: loop_kind.make(speed)?, out: Transcript::silent() };
    let start = context.event_loop.time();
    program.run(flavour, &context)?;
    let length = context.event_loop.time() - start;
    let (mut own, mut others) = (Counts::default(), Counts::default());
    for ((engine, before), after) in Flavour::ALL.into_iter().zip(before).zip(all_counts()) {
        let sum = if engine == flavour { &mut own } else { &mut others };
        *sum = *sum + (after - before);
    }
    Ok(Ran { text: context.out.text(), length, own, others })
}

/// What is wrong with a run of `case`, given the native run on the simulated loop.
pub fn problems_of(case: &Case, ran: &Ran, reference: &Ran) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(difference) = difference(&case.golden.text(), &ran.text, TOLERANCE) {
        problems.push(format!("differs from the golden in {difference}"));
    }
    if let Some(difference) = difference_between_ours(&reference.text, &ran.text) {
        problems.push(format!("differs from native on sim in {difference}"));
    }
    if ran.length != case.length {
        problems.push(format!("took {:?} on the loop's clock instead of {:?}", ran.length, case.length));
    }
    if ran.others != Counts::default() {
        problems.push(format!("ran in engines of other flavours: {:?}", ran.others));
    }
    let switches = |counts: Counts| (counts.parks, counts.yields);
    if switches(ran.own) != switches(reference.own) {
        let (own, native) = (ran.own, reference.own);
        problems.push(format!("counts {own:?}, but native on sim counts {native:?}"));
    }
    problems
}

/// Compares everything, printing a line for each program.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn compare(settings: &Settings, out: &mut dyn Write) -> io::Result<Comparison> {
    let mut comparison = Comparison { rows: empty_rows(), problems: Vec::new() };
    for case in CASES {
        let known = comparison.problems.len();
        match compare_case(case, settings, &mut comparison) {
            Ok(facts) => {
                let verdict = if comparison.problems.len() == known { "equal" } else { "DIFFERENT" };
                writeln!(out, "{verdict:<9} {:<35} {facts}", case.line)?;
            }
            Err(error) => {
                comparison.problems.push(format!("{}: {error}", case.line));
                writeln!(out, "{:<9} {}", "FAILED", case.line)?;
            }
        }
        for problem in &comparison.problems[known..] {
            writeln!(out, "    {}", problem.replace('\n', "\n    "))?;
        }
        out.flush()?;
    }
    for row in &mut comparison.rows {
        match ns_per_resume(row.flavour, row.loop_kind, settings.resumes) {
            Ok(measured) => row.ns_per_resume = measured,
            Err(error) => comparison.problems.push(format!("measuring a resume: {error}")),
        }
    }
    Ok(comparison)
}

fn empty_rows() -> Vec<Row> {
    let row = |flavour, loop_kind| Row {
        flavour,
        loop_kind,
        equal: 0,
        total: 0,
        parks: 0,
        yields: 0,
        crawl: None,
        ns_per_resume: f64::NAN,
    };
    Flavour::ALL.into_iter().flat_map(|flavour| LoopKind::ALL.map(|kind| row(flavour, kind))).collect()
}

/// Runs one program everywhere, and gives what is to be known of it in half a line.
fn compare_case(
    case: &Case,
    settings: &Settings,
    comparison: &mut Comparison,
) -> Result<String, Box<dyn std::error::Error>> {
    let program = case.program()?;
    let reference = run_once(program, Flavour::Native, LoopKind::Sim, None)?;
    let speed = settings.speed_for(reference.length);
    let mut switches = Vec::new();
    let Comparison { rows, problems } = comparison;
    for row in rows {
        let (flavour, loop_kind) = (row.flavour, row.loop_kind);
        row.total += 1;
        let found = match run_once(program, flavour, loop_kind, Some(speed)) {
            Ok(ran) => {
                row.parks += ran.own.parks;
                row.yields += ran.own.yields;
                switches.push((flavour, ran.own.parks, ran.own.yields));
                problems_of(case, &ran, &reference)
            }
            Err(error) => vec![error.to_string()],
        };
        row.equal += usize::from(found.is_empty());
        let line = case.line;
        problems.extend(found.into_iter().map(|what| format!("{line}, {flavour} on {loop_kind}: {what}")));
    }
    let length = reference.length.as_secs_f64();
    let at = if length > 0.0 { format!("{length:>5} s at --speed {speed:<7}") } else { " ".repeat(24) };
    // All loops count alike, else it is among the problems.
    switches.dedup();
    Ok(format!("{at} {}", describe(&switches)))
}

/// The parks and yields, of all flavours at once if they agree.
fn describe(switches: &[(Flavour, u64, u64)]) -> String {
    let agree = switches.windows(2).all(|pair| (pair[0].1, pair[0].2) == (pair[1].1, pair[1].2));
    match switches.first() {
        Some((_, parks, yields)) if agree => format!("parks {parks:>4}  yields {yields:>3}"),
        _ => {
            let each = |(flavour, parks, yields): &_| format!("{flavour}: parks {parks} yields {yields}");
            switches.iter().map(each).collect::<Vec<_>>().join(", ")
        }
    }
}
