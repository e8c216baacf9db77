//! Hosts that come and go in a simulated run.

use std::rc::Rc;

use super::failure::FailureKind;
use super::running::{Live, Running, panicked};
use super::world::{Command, Crash, Start};
use crate::driver::simulated::Simulated;
use crate::driver::simulated::host::HostId;
use crate::event_loop::stepping::Ready;
use crate::event_loop::{Exception, Loop, pushed_here};
use crate::task::TaskError;

impl Running<'_> {
    /// Does what the program has asked for.
    pub(super) fn obey(&mut self) -> Result<(), FailureKind> {
        let commands = std::mem::take(&mut *self.world.0.commands.borrow_mut());
        for command in commands {
            match command {
                Command::Start(host) => {
                    if self.hosts.len() > host.0 {
                        self.note(host, "starts again");
                    }
                    self.world.0.network.borrow_mut().restart(host);
                    let start = self.world.0.hosts.borrow()[host.0].start.clone();
                    self.begin(host, start);
                }
                Command::Crash(host, how) => {
                    self.note(host, if how == Crash::Power { "loses its power" } else { "is killed" });
                    self.world.0.network.borrow_mut().crash(host, how == Crash::Power);
                    self.end(host);
                }
            }
            self.check(HostId(0))?;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, host: HostId, start: Option<Start>) {
        let event_loop = Loop::with_driver(Simulated::of_host(&self.world.0.network, host));
        if self.trace.is_some() {
            event_loop.core().watch();
        }
        let (reported, name) = (Rc::clone(&self.reported), self.world.name(host));
        event_loop.set_exception_handler(Some(Rc::new(move |exception| {
            reported.borrow_mut().push(match exception {
                Exception::NeverRetrieved(task, TaskError::Panicked(panic)) => {
                    panicked(format!("{name}/{}", task.name), panic)
                }
                exception => FailureKind::Reported(format!("{name}: {exception}")),
            });
        })));
        let main = start.map(|start| start(&event_loop));
        while self.hosts.len() <= host.0 {
            self.hosts.push(None);
        }
        self.hosts[host.0] = Some(Live { event_loop, main });
    }

    /// Drops all that a host runs. What goes wrong meanwhile is its own.
    pub(super) fn end(&mut self, host: HostId) {
        let Some(live) = self.hosts.get_mut(host.0).and_then(Option::take) else { return };
        live.event_loop.set_exception_handler(Some(Rc::new(|_| ())));
        let (gone, ready) = std::mem::take(&mut self.ready).into_iter().partition(|(of, _)| *of == host);
        self.ready = ready;
        self.batch = self.batch.min(self.ready.len());
        let gone: Vec<(HostId, Ready)> = gone;
        for (_, ready) in gone {
            ready.discard(live.event_loop.core());
        }
        live.event_loop.core().close_as_current();
        // What was sent to it is not received any more.
        self.received = pushed_here();
    }
}
