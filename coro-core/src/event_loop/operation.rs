//! Operations in flight: what the driver was asked for, and who waits for it.

use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::jobs::Timed;
use super::word::Word;
use super::{Core, Waiting};
use crate::driver::{Completed, Completion, Operation, Slot, Socket};
use crate::task::word_of;

/// The operations of a loop that are not over.
#[derive(Debug, Default)]
pub(super) struct Operations {
    /// With the number of each, for a place is used again.
    places: Slab<(u32, State)>,
    last: u32,
}

impl Operations {
    /// The slot of the next operation: its place, and above that its number.
    fn next_slot(&mut self) -> Slot {
        self.last = self.last.wrapping_add(1);
        Slot(u64::from(self.last) << 32 | self.places.vacant_key() as u64)
    }

    fn insert(&mut self, slot: Slot, state: State) {
        let place = self.places.insert((number(slot), state));
        debug_assert_eq!(place, place_of(slot));
    }

    fn get_mut(&mut self, slot: Slot) -> Option<&mut State> {
        let (of, state) = self.places.get_mut(place_of(slot))?;
        (*of == number(slot)).then_some(state)
    }

    /// A place for a job of which the driver says when it is over.
    pub(super) fn insert_job(&mut self, timed: &Rc<Timed>) -> Slot {
        let slot = self.next_slot();
        self.insert(slot, State::Job(Rc::clone(timed)));
        slot
    }

    /// The driver does not.
    pub(super) fn remove_job(&mut self, slot: Slot) {
        drop(self.remove(slot));
    }

    fn remove(&mut self, slot: Slot) -> Option<State> {
        self.get_mut(slot)?;
        self.places.try_remove(place_of(slot)).map(|(_, state)| state)
    }
}

fn place_of(slot: Slot) -> usize {
    slot.0 as u32 as usize
}

fn number(slot: Slot) -> u32 {
    (slot.0 >> 32) as u32
}

#[derive(Debug)]
enum State {
    /// With what it is.
    InFlight(Option<Waker>, &'static str),
    Over(Completed),
    /// Nobody waits for it any more.
    Abandoned,
    /// Nobody waits for it, but it is to be finished: a write to a stream that was dropped.
    Detached,
    /// A job, which is called when it is over.
    Job(Rc<Timed>),
}

/// An operation that was begun. Dropping it asks the driver to cancel it.
#[derive(Debug)]
pub(crate) struct Pending {
    core: Weak<Core>,
    state: PendingState,
    /// How many bytes a send has to take.
    to_send: Option<usize>,
}

#[derive(Debug)]
enum PendingState {
    Slot(Slot),
    Over(Option<Completed>),
}

impl Pending {
    /// The result, once. Afterwards it stays pending.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Completed> {
        self.poll_completed(cx).map(|completed| match (completed, self.to_send) {
            (Completed::Transferred { count, .. }, Some(all)) if count != all => {
                io::Error::other(format!("the driver sent {count} bytes of {all} and called it done")).into()
            }
            (completed, _) => completed,
        })
    }

    /// The result, once, if the operation was over at once: for whoever does not wait.
    pub(crate) fn take_over(&mut self) -> Option<Completed> {
        match &mut self.state {
            PendingState::Over(completed) => completed.take(),
            PendingState::Slot(_) => None,
        }
    }

    fn poll_completed(&mut self, cx: &Context<'_>) -> Poll<Completed> {
        let slot = match &mut self.state {
            // Over at once: the one kind that a task can do again and again in one step.
            PendingState::Over(Some(_)) if Core::on_current(Core::may_go_on) == Some(false) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            PendingState::Over(completed) => return completed.take().map_or(Poll::Pending, Poll::Ready),
            PendingState::Slot(slot) => *slot,
        };
        let Some(core) = self.core.upgrade() else {
            self.state = PendingState::Over(None);
            return Poll::Ready(loop_is_gone().into());
        };
        let mut operations = core.operations.borrow_mut();
        match operations.get_mut(slot) {
            Some(State::InFlight(waker, what)) => {
                let (outdated, what) = (waker.replace(cx.waker().clone()), *what);
                drop(operations);
                drop(outdated);
                Core::note_wait(|_| Waiting::Io(what));
                Poll::Pending
            }
            Some(State::Over(_)) => {
                let state = operations.remove(slot);
                self.state = PendingState::Over(None);
                match state {
                    Some(State::Over(completed)) => Poll::Ready(completed),
                    _ => Poll::Pending,
                }
            }
            Some(State::Abandoned | State::Detached | State::Job(_)) | None => Poll::Pending,
        }
    }

    /// Lets the operation finish by itself.
    pub(crate) fn detach(mut self) {
        if let PendingState::Slot(slot) = self.state {
            self.state = PendingState::Over(None);
            if let Some(core) = self.core.upgrade() {
                core.leave(slot, State::Detached);
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(core) = self.core.upgrade() else { return };
        match &mut self.state {
            PendingState::Slot(slot) => {
                core.leave(*slot, State::Abandoned);
                core.driver.borrow_mut().cancel(*slot);
                core.rouse_host();
            }
            PendingState::Over(completed) => core.discard(completed.take()),
        }
    }
}

impl Core {
    /// Begins an operation.
    pub(crate) fn submit(&self, operation: Operation) -> Pending {
        let slot = self.operations.borrow_mut().next_slot();
        let to_send = match &operation {
            Operation::Send { buffer, .. } => Some(buffer.len()),
            _ => None,
        };
        let what = operation.what();
        let completed = self.driver.borrow_mut().submit(slot, operation);
        let state = match completed {
            Some(completed) => PendingState::Over(Some(checked(completed))),
            None => {
                self.operations.borrow_mut().insert(slot, State::InFlight(None, what));
                PendingState::Slot(slot)
            }
        };
        self.rouse_host();
        Pending { core: self.weak(), state, to_send }
    }

    /// Gives up a socket; what is being sent is sent first.
    pub(crate) fn close_socket(&self, socket: Socket) {
        self.driver.borrow_mut().close(socket);
        self.rouse_host();
    }

    /// Takes the driver's word for an operation, after checking it.
    pub(super) fn complete(&self, completion: Completion) -> io::Result<()> {
        let Completion { slot, result } = completion;
        let mut operations = self.operations.borrow_mut();
        match operations.get_mut(slot) {
            Some(state @ State::InFlight(..)) => {
                let before = std::mem::replace(state, State::Over(checked(result)));
                drop(operations);
                let State::InFlight(waker, _) = before else { return Ok(()) };
                if let Some(waker) = waker {
                    waker.wake();
                }
                Ok(())
            }
            Some(State::Abandoned | State::Detached) => {
                drop(operations.remove(slot));
                drop(operations);
                self.discard(Some(result));
                Ok(())
            }
            Some(State::Job(timed)) => {
                let timed = Rc::clone(timed);
                operations.remove_job(slot);
                drop(operations);
                self.job_is_over(timed, result);
                Ok(())
            }
            Some(State::Over(_)) => Err(io::Error::other(format!("it completed {slot:?} twice"))),
            None => Err(io::Error::other(format!("it completed {slot:?}, which is not in flight"))),
        }
    }

    /// Tells of each task that waits for an operation, and for which.
    pub(super) fn each_operation(&self, mut tell: impl FnMut(Word, &'static str)) {
        for (_, (_, state)) in &self.operations.borrow().places {
            if let State::InFlight(Some(waker), what) = state
                && let Some(word) = word_of(waker)
            {
                tell(word, what);
            }
        }
    }

    /// How many operations are to be finished though nobody waits for them.
    pub(super) fn unsent(&self) -> usize {
        let operations = self.operations.borrow();
        operations.places.iter().filter(|(_, (_, state))| matches!(state, State::Detached)).count()
    }

    /// Nobody waits for an operation any more.
    fn leave(&self, slot: Slot, left: State) {
        let state = {
            let mut operations = self.operations.borrow_mut();
            match operations.get_mut(slot) {
                // Its waker goes outside of the borrow.
                Some(state @ State::InFlight(..)) => Some(std::mem::replace(state, left)),
                Some(State::Over(_)) => operations.remove(slot),
                _ => None,
            }
        };
        if let Some(State::Over(completed)) = state {
            self.discard(Some(completed));
        }
    }

    /// Nobody wants this result: a socket that it opened is closed.
    fn discard(&self, completed: Option<Completed>) {
        if let Some(Completed::Opened { socket, .. }) = completed {
            self.close_socket(socket);
        }
    }
}

/// A count that does not fit its buffer would be believed by whoever reads the buffer.
fn checked(completed: Completed) -> Completed {
    match completed {
        Completed::Transferred { buffer, count } if count > buffer.len() => {
            io::Error::other(format!("the driver reported {count} bytes in a buffer of {}", buffer.len()))
                .into()
        }
        completed => completed,
    }
}

pub(crate) fn loop_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the event loop of this socket is gone")
}

/// Begins operations from anywhere in the program.
pub(crate) fn current_core(what: &str) -> io::Result<Rc<Core>> {
    Core::current()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, format!("{what} {}", super::NO_LOOP)))
}
