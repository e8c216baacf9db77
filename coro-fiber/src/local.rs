//! Values that each fiber has for itself.
//!
//! They are kept at the bottom of the fiber's stack ([`Locals`] in `Here`), in the order in which they were made. So they
//! are dropped there when the body has ended or has been unwound, the last one first, while the fiber is still one: a
//! destructor may look at the others, and wait. A fiber that has none has an empty list.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr;
use std::rc::Rc;

use coro_core::context::Place;
use coro_core::coroutine::Thrown;

use crate::Co;
use crate::current::with_current;

/// Makes [`FiberLocal`]s, as `thread_local!` makes thread-locals: one value for each fiber, made when it is first looked at.
///
/// One that is `inherited` can be passed on to a child, see [`inheriting`](crate::inheriting); its value is cloned then.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
///
/// coro_fiber::fiber_local! {
///     /// Who is served here.
///     pub static USER: Cell<u32> = Cell::new(0);
///     inherited static REQUEST: String = "none".to_string();
/// }
/// let seen = coro_fiber::run(|co| {
///     USER.set(7);
///     let other = coro_fiber::spawn(|_| Ok(USER.get()));
///     Ok((co.wait(other)??, USER.get()))
/// });
/// assert_eq!(seen.unwrap(), (0, 7));
/// ```
#[macro_export]
macro_rules! fiber_local {
    () => {};
    ($(#[$meta:meta])* $vis:vis inherited static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$meta])* $vis static $name: $crate::FiberLocal<$type> = $crate::FiberLocal::inherited(|| $init);
        $($crate::fiber_local! { $($rest)* })?
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$meta])* $vis static $name: $crate::FiberLocal<$type> = $crate::FiberLocal::new(|| $init);
        $($crate::fiber_local! { $($rest)* })?
    };
}

/// A value for each fiber: gevent's `local`. Made by [`fiber_local!`](crate::fiber_local), as a `static`.
///
/// It belongs to the innermost fiber that runs, and is made when that first looks at it. It is dropped when the body of the
/// fiber has ended or has been unwound; of several, the one that was made last is dropped first.
///
/// Outside a fiber there is no value, and no fallback: one of the thread would be shared by all native tasks there, and
/// be dropped at a time when what it refers to may be gone. For the same reason a local is `'static`: a
/// [`ScopedFiber`](crate::ScopedFiber) cannot be put into one.
///
/// # References
///
/// [`gevent.local`](https://www.gevent.org/api/gevent.local.html).
pub struct FiberLocal<T: 'static> {
    init: fn() -> T,
    pass: Option<Pass>,
}

/// Makes the value of a child.
type Pass = fn(&dyn Any) -> Option<Rc<dyn Any>>;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// There is no fiber on this thread.
    #[error("a fiber-local was used outside a fiber: run the code with coro_fiber::run() or spawn()")]
    Outside,
    /// The fiber has ended, and its locals are being dropped; this one is gone, or was never made.
    #[error("a fiber-local was used while those of its fiber are dropped")]
    Gone,
}

impl<T: 'static> FiberLocal<T> {
    /// For a `static`; `init` makes the value of each fiber.
    pub const fn new(init: fn() -> T) -> Self {
        Self { init, pass: None }
    }

    /// [`new`](Self::new), for a value that a child may inherit.
    pub const fn inherited(init: fn() -> T) -> Self
    where
        T: Clone,
    {
        Self { init, pass: Some(|value| Some(Rc::new(value.downcast_ref::<T>()?.clone()))) }
    }

    /// Looks at the value of the fiber that runs. `look` may wait.
    ///
    /// # Panics
    ///
    /// Where [`try_with`](Self::try_with) is an error.
    #[track_caller]
    pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        match self.try_with(look) {
            Ok(looked) => looked,
            Err(error) => panic!("{error}"),
        }
    }

    /// Looks at the value of the fiber that runs. `look` may wait.
    ///
    /// # Errors
    ///
    /// [`LocalError`].
    pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Result<R, LocalError> {
        let key = ptr::from_ref(self).addr();
        let found = with_current(|here| here.locals.find(key)).ok_or(LocalError::Outside)?;
        let value = match found {
            Found::Value(value) => value,
            Found::Gone => return Err(LocalError::Gone),
            Found::Nothing => {
                // It may look at others, and wait.
                let value: Rc<dyn Any> = Rc::new((self.init)());
                let kept = Local { key, value: Rc::clone(&value), pass: self.pass };
                with_current(|here| here.locals.push(kept)).ok_or(LocalError::Outside)?;
                value
            }
        };
        match value.downcast_ref() {
            Some(value) => Ok(look(value)),
            None => unreachable!("each static has its own"),
        }
    }
}

/// As those of `LocalKey`, with the same panics as [`with`](FiberLocal::with).
impl<T: 'static> FiberLocal<Cell<T>> {
    /// A copy of the value.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Sets the value.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        drop(self.replace(value));
    }

    /// Sets the value, and gives the one before.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// Takes the value, and leaves the default one.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }
}

/// As those of `LocalKey`, with the same panics as [`with`](FiberLocal::with), and those of a `RefCell`.
impl<T: 'static> FiberLocal<RefCell<T>> {
    /// Looks at the value.
    #[track_caller]
    pub fn with_borrow<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| look(&cell.borrow()))
    }

    /// Changes the value.
    #[track_caller]
    pub fn with_borrow_mut<R>(&'static self, change: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| change(&mut cell.borrow_mut()))
    }

    /// Sets the value, and gives the one before.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// Takes the value, and leaves the default one.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }
}

impl<T: fmt::Debug> fmt::Debug for FiberLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiberLocal").field("inherited", &self.pass.is_some()).finish_non_exhaustive()
    }
}

/// A body that begins with what the fiber that runs now has to pass on: clones of the values of its `inherited` locals, those
/// that it has looked at. Outside a fiber, nothing.
///
/// # Examples
///
/// ```
/// use coro_fiber::{inheriting, spawn};
/// use std::cell::RefCell;
///
/// coro_fiber::fiber_local!(inherited static REQUEST: RefCell<String> = RefCell::default());
///
/// let seen = coro_fiber::run(|co| {
///     REQUEST.replace("7".to_string());
///     let child = spawn(inheriting(|_| Ok(REQUEST.take())));
///     let stranger = spawn(|_| Ok(REQUEST.take()));
///     Ok((co.wait(child)??, co.wait(stranger)??, REQUEST.take()))
/// });
/// assert_eq!(seen.unwrap(), ("7".to_string(), String::new(), "7".to_string()));
/// ```
pub fn inheriting<F, S, Y, R, E>(body: F) -> impl FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>>
where
    F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>>,
{
    let passed = with_current(|here| here.locals.0.borrow().clone()).unwrap_or_default().passed();
    move |co| {
        with_current(|here| here.locals.0.replace(List { locals: passed, gone: false }));
        body(co)
    }
}

/// The locals of a fiber.
#[derive(Default)]
pub(crate) struct Locals(RefCell<List>);

#[derive(Default, Clone)]
struct List {
    locals: Vec<Local>,
    /// The fiber has ended.
    gone: bool,
}

#[derive(Clone)]
struct Local {
    /// The address of the static.
    key: usize,
    value: Rc<dyn Any>,
    pass: Option<Pass>,
}

enum Found {
    Value(Rc<dyn Any>),
    Nothing,
    Gone,
}

impl List {
    /// Those of a child. This runs clones of the user's.
    fn passed(self) -> Vec<Local> {
        let pass = |local: Local| Some(Local { value: local.pass?(&*local.value)?, ..local });
        self.locals.into_iter().filter_map(pass).collect()
    }
}

/// What a stack says of the context in which it runs, where it says anything.
static CONTEXT: FiberLocal<Place> = FiberLocal::new(Place::new);

impl Locals {
    /// Looks at what the stack says of its context, if it does, or is made to.
    pub(crate) fn with_place<R>(&self, make: bool, look: impl FnOnce(&Place) -> R) -> Option<R> {
        let key = ptr::from_ref(&CONTEXT).addr();
        let place = match self.find(key) {
            Found::Value(place) => place,
            Found::Nothing if make => {
                let place: Rc<dyn Any> = Rc::new(Place::new());
                self.push(Local { key, value: Rc::clone(&place), pass: CONTEXT.pass });
                place
            }
            Found::Nothing | Found::Gone => return None,
        };
        place.downcast_ref().map(look)
    }

    fn find(&self, key: usize) -> Found {
        let list = self.0.borrow();
        match list.locals.iter().find(|local| local.key == key) {
            Some(local) => Found::Value(Rc::clone(&local.value)),
            None if list.gone => Found::Gone,
            None => Found::Nothing,
        }
    }

    fn push(&self, local: Local) {
        self.0.borrow_mut().locals.push(local);
    }

    /// Drops all, the last one first, also if a destructor panics. Takes no memory from then on.
    #[inline(always)]
    pub(crate) fn clear(&self) {
        let mut list = self.0.borrow_mut();
        list.gone = true;
        if list.locals.capacity() > 0 {
            drop(list);
            self.drop_all();
        }
    }

    #[cold]
    fn drop_all(&self) {
        struct Goes<'a>(&'a Locals);

        impl Drop for Goes<'_> {
            fn drop(&mut self) {
                self.0.drop_all();
            }
        }

        let last = self.0.borrow_mut().locals.pop();
        if last.is_none() {
            // Nobody drops what is around them.
            self.0.borrow_mut().locals = Vec::new();
        }
        if let Some(last) = last {
            let _others = Goes(self);
            drop(last);
        }
    }
}
