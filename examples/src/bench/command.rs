//! The command itself: asks everybody in turns, and reports.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::child::Binaries;
use super::instructions::{Counter, Instructions, is_countable};
use super::machine::Machine;
use super::report::{Report, print_instructions, print_table, print_targets};
use super::results::{Clock, Results};
use super::shared::contender::Contender;
use super::shared::request::Request;
use super::shared::scenario::Scenario;
use super::target::{Verdict, judge};

/// How much less `--quick` does.
const QUICK: u64 = 100;

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Only these scenarios, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAMES")]
    scenario: Vec<Scenario>,
    /// Only these contenders, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAMES")]
    contender: Vec<Contender>,
    /// How often everything is measured; the medians count
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Do a hundredth of the work: to see that it works, not to compare
    #[arg(long)]
    quick: bool,
    /// Write everything to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The binary of the peers, if it is not where its package builds it
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Count instructions as well, with perf or valgrind
    #[arg(long)]
    instructions: bool,
    /// Compare processor time instead of real time: for a machine that others use as well
    #[arg(long)]
    processor_time: bool,
    /// Fail if a target is not met, or cannot be judged
    #[arg(long)]
    check: bool,
}

impl BenchArgs {
    fn scenarios(&self) -> &[Scenario] {
        if self.scenario.is_empty() { &Scenario::ALL } else { &self.scenario }
    }

    fn contenders(&self) -> &[Contender] {
        if self.contender.is_empty() { &Contender::ALL } else { &self.contender }
    }

    fn request(&self, scenario: Scenario, contender: Contender, core: Option<usize>) -> Request {
        let divisor = if self.quick { QUICK } else { 1 };
        Request { scenario, contender, divisor, core, interpreted: false }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benched {
    /// As it should.
    Well,
    /// One of our flavours could not do its work.
    Failed,
    /// A target is not met, and `--check` was asked for.
    Unmet,
}

/// Measures, and prints a table and the targets.
///
/// # Errors
///
/// If the output or the file of JSON cannot be written.
pub fn bench(args: &BenchArgs, out: &mut dyn Write) -> io::Result<Benched> {
    let binaries = Binaries::new(args.peers.as_deref())?;
    // Made at once: better to fail now than when all is measured.
    let mut json = args.json.as_ref().map(File::create).transpose()?;
    if cfg!(debug_assertions) {
        writeln!(out, "This is a debug build: build with --release for meaningful figures.")?;
    }
    let peers = args.contenders().iter().any(|contender| !contender.is_ours());
    if peers && !binaries.has_peers() {
        let package = Binaries::peers_package();
        writeln!(out, "The peers are not built, so ours are alone. To build them:")?;
        writeln!(out, "    (cd {} && cargo build --release)", package.display())?;
    }
    let machine = Machine::this();
    let results = measure(args, &binaries);
    let clock = if args.processor_time { Clock::Processor } else { Clock::Real };
    let summaries = results.summaries(clock);
    let targets = judge(&summaries);
    let report = Report {
        machine,
        clock,
        quick: args.quick,
        rounds: args.rounds,
        summaries,
        missing: results.missing(),
        targets,
        instructions: if args.instructions { count(args, &binaries, out)? } else { Vec::new() },
        records: results.records(),
    };
    print_table(&report, out)?;
    print_instructions(&report, out)?;
    print_targets(&report, out)?;
    if let Some(file) = &mut json {
        serde_json::to_writer_pretty(&mut *file, &report)?;
        writeln!(file)?;
    }
    Ok(verdict(args, &report))
}

/// Everybody in turns, round by round.
fn measure(args: &BenchArgs, binaries: &Binaries) -> Results {
    let mut results = Results::default();
    for &scenario in args.scenarios() {
        for round in 1..=args.rounds {
            for &contender in args.contenders() {
                if !binaries.has(contender) || results.is_missing(scenario, contender) {
                    continue;
                }
                watch(&format!("{scenario}, round {round} of {}: {contender}", args.rounds));
                let request = args.request(scenario, contender, binaries.core);
                results.add(scenario, contender, binaries.ask(&request));
            }
        }
    }
    results
}

/// Counts the instructions of everybody, where there is something to count them with.
fn count(args: &BenchArgs, binaries: &Binaries, out: &mut dyn Write) -> io::Result<Vec<Instructions>> {
    let Some(counter) = Counter::find() else {
        writeln!(out, "No instructions are counted: perf cannot do it here, and valgrind is not installed.")?;
        return Ok(Vec::new());
    };
    let mut counted = Vec::new();
    for &scenario in args.scenarios().iter().filter(|&&scenario| is_countable(scenario)) {
        for &contender in args.contenders().iter().filter(|&&contender| binaries.has(contender)) {
            watch(&format!("{scenario}, instructions: {contender}"));
            match counter.measure(binaries, scenario, contender) {
                Ok(instructions) => counted.push(instructions),
                Err(error) => writeln!(out, "No instructions of {contender} at {scenario}: {error}")?,
            }
        }
    }
    Ok(counted)
}

/// Says how far it is. Who does not watch loses nothing.
fn watch(progress: &str) {
    let _ = writeln!(io::stderr(), "{progress}");
}

fn verdict(args: &BenchArgs, report: &Report) -> Benched {
    if report.missing.iter().any(|missing| missing.contender.is_ours()) {
        return Benched::Failed;
    }
    let unmet = report.targets.iter().any(|target| !target.aim && target.verdict != Verdict::Met);
    if args.check && unmet { Benched::Unmet } else { Benched::Well }
}
