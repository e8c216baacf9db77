//! All the answers, and their medians.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shared::contender::Contender;
use super::shared::record::{Answer, Record};
use super::shared::scenario::Scenario;

/// Which time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Real time, as far as the scenario does not wait for it.
    Real,
    /// Processor time, where no other thread takes part: what others do on the machine disturbs it less.
    Processor,
}

impl Clock {
    /// What is compared of a record, in the unit of its scenario.
    pub fn figure(self, record: &Record) -> f64 {
        match self.unit(record.scenario) {
            "bytes" => record.measured.bytes_per_task.unwrap_or(0.0),
            "ns cpu" => record.cpu_ns(),
            _ => record.ns(),
        }
    }

    /// The unit of a figure.
    pub fn unit(self, scenario: Scenario) -> &'static str {
        match (scenario, self) {
            (Scenario::Memory, _) => "bytes",
            (Scenario::TimersPending, _) => "ns cpu",
            (Scenario::Remote | Scenario::RemoteLoad, _) | (_, Self::Real) => "ns",
            (_, Self::Processor) => "ns cpu",
        }
    }
}

/// What the rounds of one contender at one scenario came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The record of the median round.
    pub median: Record,
    /// Its figure.
    pub figure: f64,
    /// The unit of the figure.
    pub unit: String,
    /// The least figure of the rounds.
    pub least: f64,
    /// The largest figure of the rounds.
    pub most: f64,
    /// How many rounds there were.
    pub rounds: usize,
}

impl Summary {
    /// The summary of these records, if there are any. Of an even number, the lower one of the middle counts.
    pub fn of(mut records: Vec<Record>, clock: Clock) -> Option<Self> {
        records.sort_by(|one, other| clock.figure(one).total_cmp(&clock.figure(other)));
        let (least, most) = (clock.figure(records.first()?), clock.figure(records.last()?));
        let rounds = records.len();
        let median = records.swap_remove((rounds - 1) / 2);
        let (figure, unit) = (clock.figure(&median), clock.unit(median.scenario).to_string());
        Some(Self { median, figure, unit, least, most, rounds })
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
    pub fn summaries(&self, clock: Clock) -> Vec<Summary> {
        self.records.values().cloned().filter_map(|records| Summary::of(records, clock)).collect()
    }
}
