//! Values that stay on their thread, for libraries that ask for [`Send`].

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names the values, of all threads.
static NEXT: AtomicU64 = AtomicU64::new(0);

coro_core::__local! {
    /// The values that were made in this thread.
    static HERE: RefCell<BTreeMap<u64, Rc<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A handle that is [`Send`] and [`Sync`], to a value that need not be: that stays in the thread in which the handle was
/// made, and only there can it be used.
///
/// Some libraries ask for connections that can be sent to other threads, though they never send them. A
/// [`FiberStream`](crate::net::FiberStream) belongs to its loop; this stands for one, and reads and writes as it does.
///
/// Dropping the handle drops the value. In another thread that is not possible: the value is dropped when its own thread
/// ends.
///
/// # Examples
///
/// ```
/// use coro_fiber::Tethered;
/// use std::cell::Cell;
///
/// let here = Tethered::new(Cell::new(1));
/// here.with(|value| value.set(2)).unwrap();
/// let here = std::thread::spawn(move || {
///     assert!(here.with(|value| value.set(3)).is_err());
///     here
/// });
/// assert_eq!(here.join().unwrap().into_inner().unwrap().get(), 2);
/// ```
pub struct Tethered<T: 'static> {
    key: u64,
    /// Neither holds one, nor borrows one, nor drops one on another thread.
    value: PhantomData<fn() -> T>,
}

/// The value of a [`Tethered`] cannot be reached from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{type_name} was made in another thread, or this one is ending: use it in the thread that made it")]
pub struct NotHere {
    type_name: &'static str,
}

impl<T> Tethered<T> {
    /// Leaves `value` in this thread.
    ///
    /// While a thread ends nothing can be left in it any more: the value is dropped then.
    pub fn new(value: T) -> Self {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        let _ = HERE.try_with(|here| here.borrow_mut().insert(key, Rc::new(value)));
        Self { key, value: PhantomData }
    }

    /// Calls `look` with the value. It may suspend the fiber.
    ///
    /// # Errors
    ///
    /// [`NotHere`], in another thread.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> Result<R, NotHere> {
        let value = HERE.try_with(|here| here.borrow().get(&self.key).map(Rc::clone)).ok().flatten();
        match value.and_then(|value| value.downcast::<T>().ok()) {
            Some(value) => Ok(look(&value)),
            None => Err(NotHere { type_name: type_name::<T>() }),
        }
    }

    /// The value itself.
    ///
    /// # Errors
    ///
    /// The handle, in another thread, or if a fiber was leaked that looks at the value.
    pub fn into_inner(self) -> Result<T, Self> {
        let Some(value) = self.take() else { return Err(self) };
        match value.downcast::<T>().map(Rc::try_unwrap) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(shared)) => {
                let _ = HERE.try_with(|here| here.borrow_mut().insert(self.key, shared));
                Err(self)
            }
            Err(_) => unreachable!("a key has one type"),
        }
    }

    fn take(&self) -> Option<Rc<dyn Any>> {
        HERE.try_with(|here| here.borrow_mut().remove(&self.key)).ok().flatten()
    }
}

impl<T> Drop for Tethered<T> {
    fn drop(&mut self) {
        // Out of the borrow, because its destructor may do anything.
        drop(self.take());
    }
}

impl<T> fmt::Debug for Tethered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tethered").field(&type_name::<T>()).finish()
    }
}

impl From<NotHere> for io::Error {
    fn from(error: NotHere) -> Self {
        Self::other(error)
    }
}

impl<T> Read for Tethered<T>
where
    for<'a> &'a T: Read,
{
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.with(|mut value| value.read(into))?
    }
}

impl<T> Write for Tethered<T>
where
    for<'a> &'a T: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|mut value| value.write(bytes))?
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|mut value| value.flush())?
    }
}
