//! The work, in our three flavours: the same program three times, each suspending in its own engine.

pub mod fiber;
pub mod generator;
pub mod native;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use coro_core::sync::Sender;
use coro_core::{Loop, RunError};

use super::shared::contender::Contender;
use super::shared::record::Measured;
use super::shared::request::Request;
use super::shared::scenario::{Scenario, Size};

/// Does what the request says on a new loop of the default driver, and prints the answer. If the process is interpreted,
/// the loop is a simulated one.
///
/// # Errors
///
/// If nobody reads it.
pub fn answer(request: &Request) -> io::Result<()> {
    let perform = |scenario, size| {
        let event_loop =
            if request.interpreted { Loop::simulated() } else { Loop::new().map_err(RunError::from)? };
        perform(&event_loop, request.contender, scenario, size)
    };
    request.answer(perform).print()
}

/// Why the work could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unable {
    /// The loop could not run it to its end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Somebody else's work was asked for.
    #[error("{0} is a peer: it has a binary of its own")]
    Peer(Contender),
}

/// Does the work of `scenario` in one of our flavours on `event_loop`, which is closed then.
///
/// # Errors
///
/// [`Unable`].
pub fn perform(
    event_loop: &Loop,
    contender: Contender,
    scenario: Scenario,
    size: Size,
) -> Result<Measured, Unable> {
    Ok(match contender {
        Contender::Native => native::perform(event_loop, scenario, size),
        Contender::Generator => generator::perform(event_loop, scenario, size),
        Contender::Fiber => fiber::perform(event_loop, scenario, size),

        peer => return Err(Unable::Peer(peer)),
    }?)
}

/// The one-shots that wait for their answer.
type Asked = Rc<RefCell<Vec<Sender<u64>>>>;

/// Answers all that have asked, and gives how many.
fn answer_all(asked: &Asked) -> u64 {
    let asked = asked.take();
    let answered = asked.len() as u64;
    for sender in asked {
        // One that nobody waits for is missing from the sum of the answers.
        let _ = sender.send(1);
    }
    answered
}
