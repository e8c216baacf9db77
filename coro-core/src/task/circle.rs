//! Circles of tasks that wait for each other, in which there is a group.
//!
//! A cancelled wait for a task asks that task to end, and comes back when it has. Whoever awaits the task whose group it is in,
//! or is in a group in that one, and so on, would wait for ever: the group waits for it.
//!
//! ```text
//!   parent ── waits for its children ──▶ child ── awaits, perhaps by way of others ──▶ parent
//! ```
//!
//! While nobody is cancelled that is a deadlock like any other, and may yet be resolved: the group may be dropped. When the
//! group has asked its children to end, it is over: a wait in the circle that has passed a cancellation on gets it back, as if
//! the task that it waits for had ended with it. Only then is it noted whose child a task is, so a group costs nothing for this.

use super::TaskRef;
use super::header::Joiner;

impl TaskRef {
    /// A group of this task has asked its children to end, and waits for them.
    pub(crate) fn waits_for_children(&self) {
        self.header().note_parent();
        self.break_circle();
    }

    /// The task that runs awaits this one, which was asked to end in its place.
    pub(crate) fn asked_in_place(&self) {
        if self.header().is_parent() {
            self.break_circle();
        }
    }

    /// Looks whether it waits for itself, and if so has somebody in the circle wait no longer.
    fn break_circle(&self) {
        let Some(core) = self.core() else { return };
        // Each with the place of the one that it waits for, and whether it awaits that one.
        let mut found = vec![(self.clone(), 0, false)];
        let mut at = 0;
        while at < found.len() {
            let mut dependents = Vec::new();
            found[at].0.header().each_dependent(|word, awaits| dependents.push((word, awaits)));
            for (word, awaits) in dependents {
                let Some(task) = core.task_named(word) else { continue };
                if word == self.header().word() {
                    if awaits && found[at].0.give_back() {
                        return;
                    }
                    let mut place = at;
                    while place != 0 {
                        let (_, awaited, awaits) = found[place];
                        if awaits && found[awaited].0.give_back() {
                            return;
                        }
                        place = awaited;
                    }
                } else if !found.iter().any(|(known, ..)| known.header().word() == word) {
                    found.push((task, at, awaits));
                }
            }
            at += 1;
        }
    }

    /// Whoever awaits it gets back what was passed on to it. False if nothing was.
    fn give_back(&self) -> bool {
        let header = self.header();
        match header.take_joiner() {
            Some(Joiner::Cancels(waker, mut landing, with)) => {
                let owed = landing.take_owed(&with);
                if owed {
                    landing.pass_on(&with);
                }
                drop(waker);
                owed
            }
            other => {
                if other.is_some() {
                    drop(header.replace_joiner(other));
                }
                false
            }
        }
    }
}
