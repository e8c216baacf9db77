//! All the answers, and their medians.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shared::contender::Contender;
use super::shared::record::{Answer, Record};
use super::shared::scenario::Scenario;

/// What is compared, in the unit of its scenario.
pub fn figure(record: &Record) -> f64 {
    match record.scenario {
        Scenario::TimersPending => record.cpu_ns(),
        Scenario::Memory => record.measured.bytes_per_task.unwrap_or(f64::NAN),
        _ => record.ns(),
    }
}

/// The unit of a figure.
pub fn unit(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::TimersPending => "ns cpu",
        Scenario::Memory => "bytes",
        _ => "ns",
    }
}

/// What the rounds of one contender at one scenario came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The record of the median round.
    pub median: Record,
    /// The least figure of the rounds.
    pub least: f64,
    /// The largest figure of the rounds.
    pub most: f64,
    /// How many rounds there were.
    pub rounds: usize,
}

impl Summary {
    /// The summary of these records, if there are any. Of an even number, the lower one of the middle counts.
    pub fn of(mut records: Vec<Record>) -> Option<Self> {
        records.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
        let (least, most) = (figure(records.first()?), figure(records.last()?));
        let rounds = records.len();
        Some(Self { median: records.swap_remove((rounds - 1) / 2), least, most, rounds })
    }

    /// The median figure.
    pub fn figure(&self) -> f64 {
        figure(&self.median)
    }
}

/// A contender that could not do a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Who.
    pub contender: Contender,
    /// What.
    pub scenario: Scenario,
    /// Why.
    pub why: String,
}

/// The answers of all rounds.
#[derive(Debug, Default)]
pub struct Results {
    records: BTreeMap<(Scenario, Contender), Vec<Record>>,
    missing: BTreeMap<(Scenario, Contender), String>,
}

impl Results {
    /// Adds an answer.
    pub fn add(&mut self, scenario: Scenario, contender: Contender, answer: Answer) {
        match answer {
            Answer::Record(record) => self.records.entry((scenario, contender)).or_default().push(record),
            Answer::Unable(why) => {
                self.missing.insert((scenario, contender), why);
            }
        }
    }

    /// Whether `contender` failed at `scenario` before, so that there is no use in asking again.
    pub fn is_missing(&self, scenario: Scenario, contender: Contender) -> bool {
        self.missing.contains_key(&(scenario, contender))
    }

    /// Who could not do what.
    pub fn missing(&self) -> Vec<Missing> {
        let missing =
            |(&(scenario, contender), why): (&_, &String)| Missing { contender, scenario, why: why.clone() };
        self.missing.iter().map(missing).collect()
    }

    /// All records, scenario by scenario.
    pub fn records(&self) -> Vec<Record> {
        self.records.values().flatten().cloned().collect()
    }

    /// The medians, scenario by scenario.
    pub fn summaries(&self) -> Vec<Summary> {
        self.records.values().cloned().filter_map(Summary::of).collect()
    }
}
