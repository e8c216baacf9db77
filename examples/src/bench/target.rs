//! What the figures are to be, held against what they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::results::Summary;
use super::shared::contender::Contender::{self, Fiber, Generator, Glommio, Monoio, Native, TokioLocal};
use super::shared::record::Record;
use super::shared::scenario::Scenario;

/// An item of `prodcons` in Go on one core, in nanoseconds: a figure that is quoted, not measured here.
pub const GO_PRODCONS_NS: f64 = 34.8;
/// What an idle native task may take besides its own state, in bytes.
pub const BYTES_BESIDES: f64 = 160.0;
/// What a process with a million idle native tasks may take.
pub const RESIDENT_BYTES: u64 = 250_000_000;
/// A yield after which the same task runs more often than this gives way to nobody.
const MOST_SAME_TASK: f64 = 0.5;

/// Whether a target is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    NotMet,
    /// Something was not measured.
    Unknown,
}

impl Verdict {
    fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::NotMet }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Met => "met",
            Self::NotMet => "NOT MET",
            Self::Unknown => "unknown",
        })
    }
}

/// A target, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What it says.
    pub line: String,
    /// What was found instead of a number, or the number.
    pub found: String,
    /// Whether it is met.
    pub verdict: Verdict,
    /// Whether it is only an aim: one that is missed does not fail a check.
    pub aim: bool,
}

/// What is asked of the medians.
#[derive(Debug, Clone, Copy)]
enum Bar {
    /// So many times as fast as this one.
    Faster(Contender, f64),
    /// Faster than every peer whose operation is the same.
    FasterThanAll,
    /// Faster than a figure that is quoted, in nanoseconds.
    FasterThanQuoted(&'static str, f64),
    /// An operation takes so many nanoseconds at most: an aim.
    Aim(f64),
    /// So many times fewer system calls that write than this one.
    FewerWrites(Contender, f64),
    /// So many bytes at most besides the task's own state.
    BytesBesides(f64),
    /// So many bytes at most for the process.
    Resident(u64),
}

/// All bars, in the order of the list that is printed.
const BARS: &[(Scenario, Contender, Bar)] = &[
    (Scenario::Yield, Native, Bar::Faster(TokioLocal, 5.0)),
    (Scenario::Yield, Native, Bar::FasterThanAll),
    (Scenario::Yield, Native, Bar::Aim(8.0)),
    (Scenario::Yield, Generator, Bar::Faster(TokioLocal, 4.5)),
    (Scenario::Yield, Generator, Bar::FasterThanAll),
    (Scenario::Yield, Generator, Bar::Aim(9.0)),
    (Scenario::Yield, Fiber, Bar::Faster(TokioLocal, 3.5)),
    (Scenario::Yield, Fiber, Bar::FasterThanAll),
    (Scenario::Yield, Fiber, Bar::Aim(12.0)),
    (Scenario::SpawnAll, Native, Bar::Faster(TokioLocal, 5.0)),
    (Scenario::SpawnAll, Native, Bar::Faster(Monoio, 1.0)),
    (Scenario::SpawnAll, Native, Bar::Aim(50.0)),
    (Scenario::SpawnOne, Native, Bar::Faster(Glommio, 2.0)),
    (Scenario::SpawnOne, Native, Bar::Aim(20.0)),
    (Scenario::Pingpong, Native, Bar::Faster(TokioLocal, 3.0)),
    (Scenario::Pingpong, Native, Bar::Aim(70.0)),
    (Scenario::Prodcons, Native, Bar::Faster(TokioLocal, 3.0)),
    (Scenario::Prodcons, Native, Bar::FasterThanQuoted("Go on one core", GO_PRODCONS_NS)),
    (Scenario::Prodcons, Native, Bar::Aim(28.0)),
    (Scenario::Lock, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Lock, Native, Bar::Aim(10.0)),
    (Scenario::Semaphore, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Semaphore, Native, Bar::Aim(10.0)),
    (Scenario::Queue, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Queue, Native, Bar::Aim(20.0)),
    (Scenario::HandOver, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::HandOver, Native, Bar::Aim(12.0)),
    (Scenario::Gather, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Group, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Timeout, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Timeout, Native, Bar::Aim(25.0)),
    (Scenario::TimersCancel, Native, Bar::Faster(TokioLocal, 10.0)),
    (Scenario::TimersCancel, Native, Bar::Faster(Monoio, 1.0)),
    (Scenario::TimersCancel, Native, Bar::Aim(25.0)),
    (Scenario::Remote, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::RemoteLoad, Native, Bar::FewerWrites(TokioLocal, 100.0)),
    (Scenario::RemoteLoad, Generator, Bar::FewerWrites(TokioLocal, 100.0)),
    (Scenario::RemoteLoad, Fiber, Bar::FewerWrites(TokioLocal, 100.0)),
    (Scenario::RemoteLoad, Native, Bar::Faster(TokioLocal, 1.0)),
    (Scenario::Memory, Native, Bar::BytesBesides(BYTES_BESIDES)),
    (Scenario::Memory, Native, Bar::Resident(RESIDENT_BYTES)),
];

/// Holds every target against the medians. One whose scenario was measured for nobody is left out.
pub fn judge(summaries: &[Summary]) -> Vec<Judged> {
    let was_measured = |scenario| summaries.iter().any(|summary| summary.median.scenario == scenario);
    let bars = BARS.iter().filter(|(scenario, ..)| was_measured(*scenario));
    bars.map(|&(scenario, ours, bar)| bar.judge(scenario, ours, summaries)).collect()
}

impl Bar {
    fn judge(self, scenario: Scenario, ours: Contender, summaries: &[Summary]) -> Judged {
        let (found, verdict) = self
            .find(scenario, ours, summaries)
            .unwrap_or_else(|who| (format!("{who} was not measured"), Verdict::Unknown));
        let line = format!("{scenario} {ours}: {self}");
        Judged { line, found, verdict, aim: matches!(self, Self::Aim(_)) }
    }

    /// What was found, or who is missing.
    fn find(
        self,
        scenario: Scenario,
        ours: Contender,
        summaries: &[Summary],
    ) -> Result<(String, Verdict), Contender> {
        let summary = |contender| {
            let is = |record: &Record| record.scenario == scenario && record.contender == contender;
            summaries.iter().find(|summary| is(&summary.median)).ok_or(contender)
        };
        let own = summary(ours)?;
        let (figure, measured) = (own.figure, &own.median.measured);
        Ok(match self {
            Self::Faster(theirs, times) => {
                let ratio = summary(theirs)?.figure / figure;
                (format!("{ratio:.2}"), Verdict::of(ratio >= times))
            }
            Self::FasterThanAll => faster_than_all(own, summaries)?,
            Self::FasterThanQuoted(_, limit) => (format!("{figure:.1} ns"), Verdict::of(figure < limit)),
            Self::Aim(limit) => (format!("{figure:.1} ns"), Verdict::of(figure <= limit)),
            Self::FewerWrites(theirs, times) => {
                let (Some(own), Some(others)) = (measured.writes, summary(theirs)?.median.measured.writes)
                else {
                    return Ok(("the kernel does not count them".to_string(), Verdict::Unknown));
                };
                let met = others as f64 >= times * own.max(1) as f64;
                (format!("{own} against {others}"), Verdict::of(met))
            }
            Self::BytesBesides(limit) => {
                let besides = figure - measured.future_bytes.unwrap_or(0) as f64;
                (format!("{besides:.0} bytes"), Verdict::of(besides <= limit))
            }
            Self::Resident(limit) => {
                let resident = measured.resident_bytes.unwrap_or(u64::MAX);
                (format!("{} MB", resident / 1_000_000), Verdict::of(resident < limit))
            }
        })
    }
}

/// Whether `own` is faster than every peer at its scenario. A peer whose yield is no switch does not compete.
fn faster_than_all(own: &Summary, summaries: &[Summary]) -> Result<(String, Verdict), Contender> {
    let is_switch = |record: &Record| record.measured.same_task.is_none_or(|same| same <= MOST_SAME_TASK);
    let competes = |record: &Record| {
        record.scenario == own.median.scenario && !record.contender.is_ours() && is_switch(record)
    };
    let rivals = summaries.iter().filter(|summary| competes(&summary.median));
    let best = rivals.min_by(|one, other| one.figure.total_cmp(&other.figure)).ok_or(TokioLocal)?;
    let ratio = best.figure / own.figure;
    Ok((format!("{ratio:.2} x {}", best.median.contender), Verdict::of(ratio > 1.0)))
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faster(theirs, 1.0) => write!(f, "as fast as {theirs}, or faster"),
            Self::Faster(theirs, times) => write!(f, "{times} x as fast as {theirs}"),
            Self::FasterThanAll => write!(f, "faster than every peer that switches"),
            Self::FasterThanQuoted(whom, limit) => write!(f, "faster than {whom} ({limit} ns, quoted)"),
            Self::Aim(limit) => write!(f, "{limit} ns"),
            Self::FewerWrites(theirs, times) => write!(f, "{times} x fewer writes than {theirs}"),
            Self::BytesBesides(limit) => write!(f, "{limit} bytes besides its own state"),
            Self::Resident(limit) => write!(f, "{} MB for a million tasks", limit / 1_000_000),
        }
    }
}
