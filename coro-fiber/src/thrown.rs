//! An error of the program's own, on its way through code that does not know its type.

use std::any::{Any, type_name};
use std::fmt;

use crate::tethered::Tethered;

/// An error of the program's own, whatever its type: [`downcast`](Self::downcast) gives it back.
///
/// It is [`Send`] and [`Sync`], as errors are expected to be, for instance in a [`std::io::Error`], though the error in it
/// need not be: that stays in the thread of its fiber, where alone it can be taken, and is dropped with this or with the
/// thread.
pub struct ThrownError {
    error: Tethered<Box<dyn Any>>,
    type_name: &'static str,
}

impl ThrownError {
    pub(crate) fn new<E: 'static>(error: E) -> Self {
        Self { error: Tethered::new(Box::new(error)), type_name: type_name::<E>() }
    }

    /// The type of the error, as the compiler names it.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The error itself.
    ///
    /// # Errors
    ///
    /// This, if it is of another type, or of another thread.
    pub fn downcast<E: 'static>(self) -> Result<E, Self> {
        let Self { error, type_name } = self;
        match error.into_inner().map(Box::<dyn Any>::downcast) {
            Ok(Ok(error)) => Ok(*error),
            Ok(Err(other)) => Err(Self { error: Tethered::new(other), type_name }),
            Err(error) => Err(Self { error, type_name }),
        }
    }
}

impl fmt::Debug for ThrownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ThrownError").field(&self.type_name).finish()
    }
}

impl fmt::Display for ThrownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an error of type {} was thrown into the fiber", self.type_name)
    }
}

impl std::error::Error for ThrownError {}
