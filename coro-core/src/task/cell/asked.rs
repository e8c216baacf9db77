//! What a task can be asked for from outside, whatever its body.

use std::panic::resume_unwind;

use super::TaskRef;
use crate::event_loop::{Callback, find};
use crate::task::header::Stage;
use crate::task::{AnyFuture, Backtrace, DoneCallback, Label, TaskInfo};

impl TaskRef {
    /// What it looks like where it waits. `None` if it is being run, or has ended.
    ///
    /// # Panics
    ///
    /// With a coroutine that somebody wrote by hand.
    pub(crate) fn backtrace(&self) -> Option<Backtrace> {
        let header = self.header();
        if header.stage.get() != Stage::Waiting {
            return None;
        }
        // SAFETY: it is a live cell, of the type of its methods, and it waits.
        let frames = unsafe { (self.methods().backtrace)(self.0.as_ptr()) };
        let mut frames = frames.unwrap_or_else(|payload| resume_unwind(payload));
        frames.reverse();
        let waits_for = find(header.core).map_or_else(Vec::new, |core| core.waits_of(header.id()));
        Some(Backtrace { task: self.info(), waits_for, frames })
    }

    /// Notes what its body is called, while that can be asked.
    pub(crate) fn note_label(&self) {
        let header = self.header();
        if header.stage.get() == Stage::Waiting && !header.has_label() {
            // SAFETY: it is a live cell, of the type of its methods, and it waits.
            let info = unsafe { (self.methods().info)(self.0.as_ptr()) };
            if let Ok(Some(info)) = info {
                // Later it may not be there to be asked.
                header.set_label(Label { function: info.name, defined_at: info.made_at });
            }
        }
    }

    /// What it looks like now.
    pub(crate) fn info(&self) -> TaskInfo {
        self.note_label();
        self.header().info(Label { function: (self.methods().name)(), defined_at: None })
    }

    /// Has its loop call `function` once it has ended, with it.
    pub(crate) fn add_done_callback(&self, function: impl FnOnce(&AnyFuture) + 'static) -> DoneCallback {
        let this = AnyFuture::of_task(self.clone());
        let callback = Callback::new(Box::new(move || function(&this)));
        match find(self.header().core) {
            Some(core) if self.header().is_done() => core.queue_callback(&callback),
            Some(_) => self.header().add_callback(callback.clone()),
            None => drop(callback.take()),
        }
        DoneCallback(callback)
    }

    /// Does not. False if it was not to.
    pub(crate) fn remove_done_callback(&self, callback: &DoneCallback) -> bool {
        let removed = self.header().remove_callback(&callback.0);
        removed.map(|callback| drop(callback.take())).is_some()
    }
}
