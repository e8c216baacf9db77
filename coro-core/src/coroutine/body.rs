//! What a body ends with.

use super::Thrown;

/// What a body ends with: `Result<R, Thrown<E>>`, under whatever alias.
///
/// It names the two types of a result that a program has given a name of its own; the
/// [`coroutine`](macro@crate::coroutine) attribute reads them so.
#[diagnostic::on_unimplemented(
    message = "a coroutine ends with a `Result<R, Thrown<E>>`, not with `{Self}`",
    label = "write `Result<{Self}, Thrown<E>>`, and end the body with `Ok(value)`",
    note = "`E` is the program's own error, thrown in and raised out; `Infallible` if there is none"
)]
pub trait BodyResult {
    /// What the coroutine returns.
    type Return;
    /// What is thrown into it and raised out of it.
    type Error;
}

impl<R, E> BodyResult for Result<R, Thrown<E>> {
    type Return = R;
    type Error = E;
}
