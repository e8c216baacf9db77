//! What is measured of a process while it works.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use super::record::Measured;

/// Begun before the work, stopped after it.
#[derive(Debug)]
pub struct Meter {
    writes: Option<u64>,
    cpu: u64,
    start: Instant,
}

impl Meter {
    /// Begins to measure.
    pub fn start() -> Self {
        // The clock last: what comes before it is not work.
        Self { writes: writes(), cpu: cpu_nanoseconds(), start: Instant::now() }
    }

    /// What `operations` took since the start. In a box: a future with a large result may write all of that into the
    /// place of the answer each time it is polled, also when there is none.
    pub fn stop(&self, operations: u64) -> Box<Measured> {
        let nanoseconds = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let cpu_nanoseconds = cpu_nanoseconds() - self.cpu;
        let writes = writes().zip(self.writes).map(|(after, before)| after - before);
        Box::new(Measured { operations, nanoseconds, cpu_nanoseconds, writes, ..Measured::default() })
    }
}

static NO_CPU_TIME: AtomicBool = AtomicBool::new(false);

/// Says that there is no clock of processor time: valgrind has none that can be found as the kernel's is.
pub fn leave_out_cpu_time() {
    NO_CPU_TIME.store(true, Ordering::Relaxed);
}

/// The processor time of this process, of all its threads.
fn cpu_nanoseconds() -> u64 {
    if NO_CPU_TIME.load(Ordering::Relaxed) {
        return 0;
    }
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

/// How many system calls of this process wrote something, if the kernel counts them.
fn writes() -> Option<u64> {
    number_after(&fs::read_to_string("/proc/self/io").ok()?, "syscw:")
}

/// The resident memory of this process, in bytes, if the kernel tells.
pub fn resident_bytes() -> Option<u64> {
    Some(number_after(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")? * 1024)
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
