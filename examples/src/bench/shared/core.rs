//! On which core a process works. Only Linux can be told.

#[cfg(target_os = "linux")]
pub use linux::{last_core, move_elsewhere, pin};
#[cfg(not(target_os = "linux"))]
pub use unknown::{last_core, move_elsewhere, pin};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::sync::OnceLock;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// The other cores, once this process was pinned to one.
    static OTHERS: OnceLock<CpuSet> = OnceLock::new();

    /// Keeps this thread, and those it will start, on one core.
    ///
    /// # Errors
    ///
    /// If the process may not run there.
    pub fn pin(core: usize) -> io::Result<()> {
        if core >= CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no such core"));
        }
        let mut others = sched_getaffinity(None)?;
        others.unset(core);
        let _ = OTHERS.set(others);
        let mut one = CpuSet::new();
        one.set(core);
        Ok(sched_setaffinity(None, &one)?)
    }

    /// Moves this thread to the cores that the pinned one leaves free, if there are any.
    pub fn move_elsewhere() {
        if let Some(others) = OTHERS.get().filter(|others| others.count() > 0) {
            // Where it is not allowed, the two share a core. That is slower, and as true.
            let _ = sched_setaffinity(None, others);
        }
    }

    /// The core on which to measure: the last one that this process may use, as the first ones serve most interrupts.
    pub fn last_core() -> Option<usize> {
        let allowed = sched_getaffinity(None).ok()?;
        (0..CpuSet::MAX_CPU).rev().find(|&core| allowed.is_set(core))
    }
}

#[cfg(not(target_os = "linux"))]
mod unknown {
    /// Cannot be done here.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn pin(_core: usize) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Leaves the thread where it is.
    pub fn move_elsewhere() {}

    /// Which cores there are is not known here.
    pub fn last_core() -> Option<usize> {
        None
    }
}
