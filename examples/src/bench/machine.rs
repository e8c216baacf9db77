//! On what it was measured.

use std::fs;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

/// The machine, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor.
    pub processor: String,
    /// How many cores the process may use.
    pub cores: usize,
    /// The kernel.
    pub kernel: String,
    /// How busy it was when the measurements began: the load averages of 1, 5 and 15 minutes.
    pub load: String,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let model = read("/proc/cpuinfo");
        let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = read("/proc/loadavg");
        Self {
            processor: model.map_or("unknown", |(_, model)| model).to_string(),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_string(),
            load: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        }
    }
}
