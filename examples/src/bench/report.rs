//! What is printed, and what is written as JSON.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::instructions::Instructions;
use super::machine::Machine;
use super::results::{Clock, Missing, Summary};
use super::shared::contender::Contender;
use super::shared::record::{Measured, Record};
use super::target::Judged;

/// Everything that came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Which time the figures are.
    pub clock: Clock,
    /// Whether a hundredth of the work was done.
    pub quick: bool,
    /// How many rounds there were.
    pub rounds: u32,
    /// The medians.
    pub summaries: Vec<Summary>,
    /// Who could not do what.
    pub missing: Vec<Missing>,
    /// The targets, and whether they are met.
    pub targets: Vec<Judged>,
    /// Instructions for an operation, if they were counted.
    pub instructions: Vec<Instructions>,
    /// Every measurement.
    pub records: Vec<Record>,
}

/// Whom the others are compared with.
const BASE: Contender = Contender::TokioLocal;

/// Prints a line for each contender at each scenario.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn print_table(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Machine { processor, cores, kernel, load } = &report.machine;
    writeln!(
        out,
        "{processor}, {cores} cores, Linux {kernel}, load {load}; medians of {} rounds",
        report.rounds
    )?;
    writeln!(
        out,
        "{:<15} {:<21} {:>10} {:>16} {:>9} {:>13}  notes",
        "scenario", "contender", "operations", "each", "spread", "x tokio-local"
    )?;
    let mut previous = None;
    for summary in &report.summaries {
        let scenario = summary.median.scenario;
        if previous.replace(scenario).is_some_and(|previous| previous != scenario) {
            writeln!(out)?;
        }
        print_row(report, summary, out)?;
    }
    for Missing { contender, scenario, why } in &report.missing {
        writeln!(out, "{contender} could not do {scenario}: {why}")?;
    }
    Ok(())
}

fn print_row(report: &Report, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let Record { scenario, contender, measured, .. } = &summary.median;
    let base = report
        .summaries
        .iter()
        .find(|other| other.median.scenario == *scenario && other.median.contender == BASE);
    let figure = summary.figure;
    let each = format!("{figure:.1} {}", summary.unit);
    let spread = match summary.rounds {
        1 => "-".to_string(),
        _ => format!("{:.0} %", (summary.most - summary.least) / figure * 100.0),
    };
    let ratio = base.map_or_else(|| "-".to_string(), |base| format!("{:.2}", base.figure / figure));
    let operations = measured.operations;
    let line = format!(
        "{scenario:<15} {contender:<21} {operations:>10} {each:>16} {spread:>9} {ratio:>13}  {}",
        notes(measured)
    );
    writeln!(out, "{}", line.trim_end())
}

/// What else is to be known of a measurement.
fn notes(measured: &Measured) -> String {
    let mut notes = Vec::new();
    if let Some(same) = measured.same_task.filter(|&same| same >= 0.01) {
        notes.push(format!("same_task {:.0} %", same * 100.0));
    }
    if let Some(polls) = measured.polls {
        notes.push(format!("{polls} polls, {} writes", measured.writes.unwrap_or(0)));
    }
    if let Some(late) = measured.late_ns {
        notes.push(format!("{:.2} ms late", late as f64 / 1e6));
    }
    if measured.all_pending == Some(false) {
        notes.push("some were due before all were set".to_string());
    }
    if let Some(bytes) = measured.future_bytes {
        notes.push(format!("{bytes} of them its own"));
    }
    notes.extend(measured.with.clone());
    notes.join("; ")
}

/// Prints the instructions for an operation, if they were counted.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn print_instructions(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.instructions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:<15} {:<21} {:>12}", "scenario", "contender", "instructions")?;
    for Instructions { scenario, contender, each } in &report.instructions {
        writeln!(out, "{scenario:<15} {contender:<21} {each:>12.0}")?;
    }
    Ok(())
}

/// Prints the targets and the aims.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn print_targets(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for Judged { line, found, verdict, aim } in &report.targets {
        let kind = if *aim { "aim" } else { "target" };
        writeln!(out, "{verdict:<8} {kind:<7} {line:<64} {found}")?;
    }
    if report.quick {
        writeln!(out, "This was a hundredth of the work: too little to compare.")?;
    }
    Ok(())
}
