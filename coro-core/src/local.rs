//! Values that each thread has for itself: the standard library's, or under `--cfg coro_threads` those of the thread that a
//! fiber belongs to, also seen from the thread that stands for the fiber.
//!
//! With that configuration the fibers of `coro_fiber` are threads, of which one runs at a time, so that Miri, which cannot
//! switch stacks, runs everything above the switch. A fiber sees the locals of its thread; so the locals of this project
//! are made by `__local!`, and the thread of a fiber adopts those of its maker.

#![allow(unsafe_code)]

/// Makes thread-locals, as `thread_local!` does; each needs a `const` initial value.
#[cfg(not(coro_threads))]
#[doc(hidden)]
#[macro_export]
macro_rules! __local {
    ($($local:tt)*) => {
        ::std::thread_local! { $($local)* }
    };
}

#[cfg(coro_threads)]
#[doc(hidden)]
#[macro_export]
macro_rules! __local {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block;)*) => {
        $($(#[$meta])* static $name: $crate::local::Key<$type> = $crate::local::Key::new(|| $init);)*
    };
}

#[cfg(coro_threads)]
pub use adopted::{Adoptable, Gone, Key};

#[cfg(coro_threads)]
mod adopted {
    use std::any::Any;
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;
    use std::fmt;
    use std::mem::needs_drop;
    use std::ptr;
    use std::rc::Rc;

    /// A thread-local, by the address of the static.
    #[derive(Debug)]
    pub struct Key<T: 'static> {
        init: fn() -> T,
    }

    /// The locals of the thread have been dropped.
    #[derive(Debug)]
    pub struct Gone;

    /// The locals of a thread. They are leaked, but for what is in them.
    struct Locals {
        values: RefCell<BTreeMap<usize, Value>>,
        gone: Cell<bool>,
    }

    struct Value {
        value: Rc<dyn Any>,
        needs_drop: bool,
    }

    thread_local! {
        /// Its own, or those that it has adopted.
        static LOCALS: Cell<Option<&'static Locals>> = const { Cell::new(None) };
        static REAPER: Reaper = const { Reaper };
    }

    /// Drops what is in the locals of a thread, at its end.
    struct Reaper;

    impl Drop for Reaper {
        fn drop(&mut self) {
            let Some(locals) = LOCALS.get() else { return };
            locals.gone.set(true);
            loop {
                let key =
                    locals.values.borrow().iter().find(|(_, value)| value.needs_drop).map(|(key, _)| *key);
                let Some(key) = key else { return };
                let value = locals.values.borrow_mut().remove(&key);
                drop(value);
            }
        }
    }

    impl Locals {
        fn current() -> &'static Self {
            if let Some(locals) = LOCALS.get() {
                return locals;
            }
            let locals = Box::leak(Box::new(Self { values: RefCell::default(), gone: Cell::new(false) }));
            LOCALS.set(Some(locals));
            // While the thread ends, what is made anew is leaked.
            let _ = REAPER.try_with(|_| ());
            locals
        }
    }

    impl<T: 'static> Key<T> {
        #[doc(hidden)]
        pub const fn new(init: fn() -> T) -> Self {
            Self { init }
        }

        /// See [`std::thread::LocalKey::try_with`].
        ///
        /// # Errors
        ///
        /// While the thread ends, if the value has a destructor.
        pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Result<R, Gone> {
            let (locals, key) = (Locals::current(), ptr::from_ref(self).addr());
            let found = locals.values.borrow().get(&key).map(|found| Rc::clone(&found.value));
            let value = match found {
                Some(found) => found,
                None if needs_drop::<T>() && locals.gone.get() => return Err(Gone),
                None => {
                    let value: Rc<dyn Any> = Rc::new((self.init)());
                    let kept = Value { value: Rc::clone(&value), needs_drop: needs_drop::<T>() };
                    locals.values.borrow_mut().insert(key, kept);
                    value
                }
            };
            let Some(value) = value.downcast_ref() else { unreachable!("each static has its own") };
            Ok(look(value))
        }

        /// See [`std::thread::LocalKey::with`].
        ///
        /// # Panics
        ///
        /// As that.
        pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
            match self.try_with(look) {
                Ok(looked) => looked,
                Err(Gone) => panic!("a thread-local was used after its destruction"),
            }
        }
    }

    impl<T: 'static> Key<Cell<T>> {
        /// See [`Cell::get`].
        pub fn get(&'static self) -> T
        where
            T: Copy,
        {
            self.with(Cell::get)
        }

        /// See [`Cell::set`].
        pub fn set(&'static self, value: T) {
            self.with(|cell| cell.set(value));
        }

        /// See [`Cell::replace`].
        pub fn replace(&'static self, value: T) -> T {
            self.with(|cell| cell.replace(value))
        }
    }

    impl<T: 'static> Key<RefCell<T>> {
        /// See [`RefCell::replace`].
        pub fn set(&'static self, value: T) {
            drop(self.with(|cell| cell.replace(value)));
        }

        /// See [`RefCell::take`].
        pub fn take(&'static self) -> T
        where
            T: Default,
        {
            self.with(RefCell::take)
        }
    }

    /// The locals of a thread, on their way to one that stands for a fiber of it.
    pub struct Adoptable(&'static Locals);

    // SAFETY: the only use that another thread can make of it is `adopt`, whose caller answers for the rest.
    unsafe impl Send for Adoptable {}

    impl Adoptable {
        /// Those of this thread.
        pub fn current() -> Self {
            Self(Locals::current())
        }

        /// Makes them those of this thread, which has none yet.
        ///
        /// # Safety
        ///
        /// From here on at most one of this thread and those that share the locals runs at a time, each sees what the
        /// one before it did, and this one ends before they do.
        pub unsafe fn adopt(self) {
            LOCALS.set(Some(self.0));
        }
    }

    impl fmt::Debug for Adoptable {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Adoptable").finish_non_exhaustive()
        }
    }
}
