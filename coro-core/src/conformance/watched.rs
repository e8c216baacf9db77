//! A driver that says when it is looked at.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Trace;
use crate::driver::{Completed, Completion, Driver, Notify, Operation, Simulated, Slot, Socket, Wait};
use crate::event_loop::Loop;
use crate::time::Time;

/// A simulated driver that says when it is looked at, and how much may run between two looks.
#[derive(Debug)]
pub struct Watched {
    inner: Simulated,
    trace: Trace,
    patience: u32,
}

impl Watched {
    /// A loop on such a driver, and what it says: `look`, each time.
    pub fn make_loop(patience: u32) -> (Loop, Trace) {
        let trace = Trace::new();
        (Loop::with_driver(Self { inner: Simulated::new(), trace: trace.clone(), patience }), trace)
    }
}

impl Driver for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        self.inner.submit(slot, operation)
    }

    fn cancel(&mut self, slot: Slot) {
        self.inner.cancel(slot);
    }

    fn begin_job(&mut self, slot: Slot) -> bool {
        self.inner.begin_job(slot)
    }

    fn close(&mut self, socket: Socket) {
        self.inner.close(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.trace.log("look");
        self.inner.wait(wait, completions)
    }

    fn waited(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.trace.log("look");
        self.inner.waited(wait, completions)
    }

    fn real_time(&self, wait: Wait) -> Option<Duration> {
        self.inner.real_time(wait)
    }

    fn has_more(&self) -> bool {
        self.inner.has_more()
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.inner.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.inner.block_for(duration);
    }

    fn is_closed_world(&self) -> bool {
        self.inner.is_closed_world()
    }

    fn patience(&self) -> u32 {
        self.patience
    }
}
