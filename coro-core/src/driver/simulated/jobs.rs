//! How long functions that block take, in a world without threads.

use super::host::HostId;
use super::world::{Event, Flying, World};
use crate::driver::{Completed, Slot};

impl World {
    /// A thread begins a job.
    pub(super) fn begin_job(&mut self, host: HostId, slot: Slot) {
        let begun = self.now();
        let time = self.choices.duration(&self.job_time);
        if time.is_zero() {
            self.job_over(host, slot);
        } else {
            self.schedule(begun + time, host, host, Event::JobOver { slot, begun });
        }
    }

    pub(super) fn job_over(&mut self, host: HostId, slot: Slot) {
        self.choices.digest().add(slot.0);
        self.finish(host, slot, Completed::Done);
    }

    /// Nobody waits for a job any more. Whether a thread has it already is left to chance, until time has passed. False
    /// if it is none.
    pub(super) fn cancel_job(&mut self, host: HostId, slot: Slot) -> bool {
        let found = self.flying.iter().find_map(|(key, flying)| match flying {
            Flying { to, event: Event::JobOver { slot: other, begun }, .. }
                if (*to, *other) == (host, slot) =>
            {
                Some((*key, *begun))
            }
            _ => None,
        });
        let Some((key, begun)) = found else { return false };
        if begun == self.now() && self.choices.choose(2) > 0 {
            self.flying.remove(&key);
            self.finish(host, slot, Completed::cancelled());
        }
        true
    }

    /// A host has crashed: its threads are gone.
    #[cfg(feature = "testing")]
    pub(super) fn forget_jobs(&mut self, host: HostId) {
        self.flying.retain(|_, flying| flying.to != host || !matches!(flying.event, Event::JobOver { .. }));
    }
}
