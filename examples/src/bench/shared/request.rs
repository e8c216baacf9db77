//! What a child is asked to do.

use std::fmt::Display;

use clap::Args;

use super::contender::Contender;
use super::core::pin;
use super::meter::leave_out_cpu_time;
use super::record::{Answer, Measured, Record};
use super::scenario::{Scenario, Size};

/// One measurement, as the arguments of a child.
#[derive(Debug, Clone, Copy, Args)]
pub struct Request {
    /// What to do
    #[arg(long, value_enum)]
    pub scenario: Scenario,
    /// Who does it
    #[arg(long, value_enum)]
    pub contender: Contender,
    /// Do this many times less
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub divisor: u64,
    /// Stay on this core
    #[arg(long, value_name = "N")]
    pub core: Option<usize>,
    /// The process is interpreted by valgrind: do it once only, and without what valgrind has not
    #[arg(long)]
    pub interpreted: bool,
}

impl Request {
    /// The same as arguments.
    pub fn arguments(&self) -> Vec<String> {
        let Self { scenario, contender, divisor, core, interpreted } = self;
        let mut arguments = vec![
            format!("--scenario={scenario}"),
            format!("--contender={contender}"),
            format!("--divisor={divisor}"),
        ];
        arguments.extend(core.map(|core| format!("--core={core}")));
        arguments.extend(interpreted.then(|| "--interpreted".to_string()));
        arguments
    }

    /// How much is to be done.
    pub fn size(&self) -> Size {
        self.scenario.size(self.divisor, self.contender == Contender::Fiber)
    }

    /// Does it with `perform`, once at a tenth of the size, then in earnest.
    pub fn answer<E: Display>(&self, perform: impl Fn(Scenario, Size) -> Result<Measured, E>) -> Answer {
        if let Some(core) = self.core
            && let Err(error) = pin(core)
        {
            return Answer::Unable(format!("it cannot stay on core {core}: {error}"));
        }
        if self.interpreted {
            leave_out_cpu_time();
        } else if self.scenario.warms_up() {
            let smaller = Self { divisor: self.divisor.saturating_mul(10), ..*self };
            if let Err(error) = perform(self.scenario, smaller.size()) {
                return Answer::Unable(error.to_string());
            }
        }
        let Self { scenario, contender, .. } = *self;
        match perform(scenario, self.size()) {
            Ok(Measured { operations, .. }) if operations != scenario.operations(self.size()) => {
                Answer::Unable(format!(
                    "it did {operations} of {} operations",
                    scenario.operations(self.size())
                ))
            }
            Ok(measured) => Answer::Record(Record { scenario, contender, size: self.size(), measured }),
            Err(error) => Answer::Unable(error.to_string()),
        }
    }
}
