//! An error of the program's own, on its way through code that does not know its type.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names the errors on their way, of all threads.
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The errors themselves. They may be bound to their thread; the [`ThrownError`]s that name them are not.
    static KEPT: RefCell<BTreeMap<u64, Box<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

/// An error of the program's own, whatever its type: [`downcast`](Self::downcast) gives it back.
///
/// It is [`Send`] and [`Sync`], as errors are expected to be, for instance in a [`std::io::Error`], though the error in it
/// need not be: that stays in the thread of its fiber, where alone it can be taken, and is dropped with this or with the
/// thread.
pub struct ThrownError {
    key: u64,
    type_name: &'static str,
}

impl ThrownError {
    pub(crate) fn new<E: 'static>(error: E) -> Self {
        let (key, type_name) = (NEXT.fetch_add(1, Ordering::Relaxed), type_name::<E>());
        // While the thread ends nothing is kept any more: then the error is dropped here.
        let _ = KEPT.try_with(|kept| kept.borrow_mut().insert(key, Box::new(error)));
        Self { key, type_name }
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
        match self.take() {
            None => Err(self),
            Some(error) => match error.downcast() {
                Ok(error) => Ok(*error),
                Err(error) => {
                    let _ = KEPT.try_with(|kept| kept.borrow_mut().insert(self.key, error));
                    Err(self)
                }
            },
        }
    }

    fn take(&self) -> Option<Box<dyn Any>> {
        KEPT.try_with(|kept| kept.borrow_mut().remove(&self.key)).ok().flatten()
    }
}

impl Drop for ThrownError {
    fn drop(&mut self) {
        // Out of the borrow, because its destructor may do anything.
        drop(self.take());
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
