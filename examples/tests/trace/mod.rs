//! What is done to a coroutine, and what comes of it.

use std::fmt::Debug;

use coro_core::prelude::*;

/// What a test does to a coroutine.
#[derive(Clone)]
pub enum Op<S, E> {
    /// Runs it to its first yield.
    Start,
    /// Sends it a value.
    Send(S),
    /// Throws an error into it.
    Throw(E),
    /// Asks it to end.
    Close,
}

/// Does `ops` to `coroutine`, and writes down what came of each.
pub fn trace<C>(mut coroutine: C, ops: &[Op<C::Send, C::Error>]) -> Vec<String>
where
    C: Coroutine<Send: Clone + Debug, Yield: Debug, Return: Debug, Error: Clone + Debug>,
{
    let mut lines = Vec::new();
    for op in ops {
        let resumed = match op.clone() {
            Op::Start => coroutine.start(),
            Op::Send(value) => coroutine.send(value),
            Op::Throw(error) => coroutine.throw(error),
            Op::Close => coroutine.resume(Input::Close),
        };
        lines.push(match resumed {
            Ok(outcome) => format!("{outcome:?}"),
            Err(misuse) => format!("{misuse:?}"),
        });
    }
    lines.push(format!("{:?}", coroutine.state()));
    lines
}
