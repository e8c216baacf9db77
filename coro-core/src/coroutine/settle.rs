//! Waits that have something to put in order when a throw meets them.

use core::fmt;
use core::future::Future;

use super::Thrown;

/// A wait that cannot simply be dropped by a body that goes on: it has something to put in order first.
///
/// `co.settle(wait)`, in every flavour, tells it when something is thrown, and awaits it to its end. That of a
/// [condition](crate::sync::Condition) locks again.
pub trait Settle: Future + Unpin {
    /// Something was thrown at the wait: from now on it only puts things in order, and gives its output. It may be
    /// told again and again.
    fn interrupt(&mut self);
}

/// What was thrown at a wait, once it has put everything in order, and its output.
///
/// With `?` it is only what was thrown, and the output is dropped.
pub struct Interrupted<T, E> {
    /// What was thrown; the last of several.
    pub thrown: Thrown<E>,
    /// What the wait gave then. `None` if it could not be awaited: the stack of the fiber is being unwound, or whoever
    /// resumes the coroutine does not wait.
    pub output: Option<T>,
}

impl<T, E> From<Interrupted<T, E>> for Thrown<E> {
    fn from(interrupted: Interrupted<T, E>) -> Self {
        interrupted.thrown
    }
}

impl<T, E: fmt::Display> fmt::Display for Interrupted<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thrown.fmt(f)
    }
}

impl<T, E: fmt::Debug> fmt::Debug for Interrupted<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted").field("thrown", &self.thrown).finish_non_exhaustive()
    }
}

impl<T, E: core::error::Error + 'static> core::error::Error for Interrupted<T, E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.thrown)
    }
}

/// What is to be done about a wait that was told of a throw.
#[doc(hidden)]
pub struct Settling<E>(Option<Thrown<E>>);

impl<E> Default for Settling<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E> Settling<E> {
    /// The wait is over.
    pub fn end<T>(self, output: T) -> Result<T, Interrupted<T, E>> {
        match self.0 {
            None => Ok(output),
            Some(thrown) => Err(Interrupted { thrown, output: Some(output) }),
        }
    }

    /// `thrown` met the wait. It is to be awaited again, unless that is in vain.
    pub fn interrupt<F: Settle>(
        self,
        wait: &mut F,
        thrown: Thrown<E>,
    ) -> Result<Self, Interrupted<F::Output, E>> {
        wait.interrupt();
        match thrown {
            Thrown::Misuse(_) => Err(Interrupted { thrown, output: None }),
            thrown => Ok(Self(Some(thrown))),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Settling<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settling").field(&self.0).finish()
    }
}
