//! A future as the body of a group.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use super::entered::{BodyEnd, Entered};
use super::state::Children;
use super::{GroupError, State};
use crate::coroutine::Thrown;
use crate::native::catch;
use crate::scope::{CancelScope, Scoped};
use crate::task::{Cancelled, Kind, Landing, TaskError};

/// Runs `body` and waits for the children.
pub(super) async fn run<T, F>(state: Rc<State>, body: F) -> Result<T, GroupError>
where
    F: Future<Output = Result<T, TaskError>>,
{
    let mut entered = Entered::new(&state)?;
    entered.body_ended(match catch(Scoped::new(body, Rc::clone(&state.scope))).await {
        Ok(Ok(Ok(value))) => BodyEnd::Value(value),
        Ok(Ok(Err(error))) => BodyEnd::Raised(error),
        Ok(Err(_)) => BodyEnd::Own,
        Err(cancelled) => BodyEnd::Outside(cancelled.into()),
    });
    if !state.is_aborted()
        && let Err(cancelled) = catch(Children::new(&state)).await
    {
        entered.interrupted(cancelled.into());
    }
    if !state.is_empty() {
        uninterrupted(Children::new(&state)).await;
    }
    finish(entered).await
}

/// All have ended.
pub(super) async fn finish<T>(entered: Entered<T>) -> Result<T, GroupError> {
    match entered.exit() {
        Ok(result) => result,
        Err(Thrown::Error(TaskError::Cancelled(cancelled))) => match let_out(cancelled).await {},
        Err(_) => unreachable!("nothing else is thrown into a future"),
    }
}

/// Waits for `future`. What is thrown meanwhile is thrown at the next wait.
pub(crate) async fn uninterrupted<F: Future>(future: F) -> F::Output {
    match CancelScope::firm().run(future).await {
        Ok(output) => output,
        Err(_) => unreachable!("nobody cancels the scope"),
    }
}

/// Lets out what was caught, to what the future is in that waits for this, and which is dropped then.
pub(crate) async fn let_out(cancelled: Cancelled) -> Infallible {
    let mut landing = Landing::new();
    let mut passed = false;
    poll_fn(move |cx| {
        let again = landing.poll_as(cx, Kind::Landing);
        if !std::mem::replace(&mut passed, true) || again.is_some() {
            landing.pass_on(again.as_ref().unwrap_or(&cancelled));
        }
        Poll::Pending
    })
    .await
}
