//! Context variables: values of what runs, and of what it schedules.
//!
//! A request id, a locale, a span: what every function below a task may want to know, and nobody wants to pass through. A
//! [`ContextVar`] is a `static`; its value is in the [`Context`] that is current:
//!
//! | what runs | its context |
//! |---|---|
//! | a task, of any flavour | its own: a copy of the one that was current where it was spawned |
//! | a callback (`call_soon`, `call_later`, `add_done_callback`) | its own: a copy of the one that was current where it was scheduled |
//! | a function in [`Context::run`] | that one; a fiber that is suspended in it is in it again when it goes on |
//! | a fiber that is resumed by hand, in a scope | its own: a copy of that of whoever resumed it first |
//! | a coroutine that is awaited, delegated to, or resumed by hand otherwise | that of whoever resumes it, as a generator of Python's |
//! | what no loop runs | that of the thread |
//!
//! So tasks that take turns do not see each other's values, and nothing has to be switched: the current context is looked up
//! where the loop keeps what it runs. A program without context variables pays for none. To copy a context takes constant
//! time; what is copied is only shared until one of both is changed.
//!
//! What other threads send, `call_soon_threadsafe` for one, begins with the context of the loop's thread, for a value need not
//! be `Send`; and a function in an [executor](crate::executor) begins without any.
//!
//! # Examples
//!
//! ```
//! use coro_core::context::ContextVar;
//! use coro_core::{EventLoop, Loop, native::spawn, time::yield_now};
//!
//! static USER: ContextVar<&str> = ContextVar::new("user");
//!
//! async fn greet() -> String {
//!     yield_now().await;
//!     format!("hello, {}", USER.get().unwrap_or("you"))
//! }
//!
//! let greetings = Loop::simulated().run(async {
//!     USER.set("Ann");
//!     let first = spawn(greet());
//!     USER.set("Bob");
//!     let second = spawn(greet());
//!     (first.await.unwrap(), second.await.unwrap())
//! });
//! assert_eq!(greetings.unwrap(), ("hello, Ann".to_string(), "hello, Bob".to_string()));
//! ```
//!
//! # References
//!
//! [PEP 567](https://peps.python.org/pep-0567/).

mod place;
mod variable;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

pub use place::Place;
pub(crate) use place::{Aside, begin_without, inherited, is_used, set_aside};
pub use variable::{ContextVar, Token, WrongToken};

use place::InPlace;

/// The values of context variables. Cloning gives another handle to the same ones; [`copy`](Self::copy) a copy.
#[derive(Clone, Default)]
pub struct Context(Rc<RefCell<Values>>);

/// Shared by a context and its copies, until one of them is changed. In the order of the keys.
type Values = Rc<Vec<Entry>>;

#[derive(Clone)]
struct Entry {
    /// The address of the variable.
    key: usize,
    name: &'static str,
    value: Rc<dyn Any>,
}

impl Context {
    /// One without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of the current one: Python's `copy_context()`.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::context::{Context, ContextVar};
    ///
    /// static DEPTH: ContextVar<u32> = ContextVar::with_default("depth", || 0);
    ///
    /// DEPTH.set(1);
    /// let copy = Context::copy();
    /// copy.run(|| DEPTH.set(2));
    /// assert_eq!((DEPTH.get(), copy.get(&DEPTH)), (Some(1), Some(2)));
    /// ```
    pub fn copy() -> Self {
        inherited().unwrap_or_default()
    }

    /// Calls `function` in this context, which has what that changes when it returns.
    ///
    /// It may be in use already, further up or in another task, which Python refuses: here that is no other than two handles
    /// to the same values.
    ///
    /// # References
    ///
    /// [`Context.run`](https://docs.python.org/3/library/contextvars.html#contextvars.Context.run).
    pub fn run<R>(&self, function: impl FnOnce() -> R) -> R {
        let _in_it = InPlace::enter(self.clone());
        function()
    }

    /// The value of `variable` in here, or the default one.
    pub fn get<T: Clone + 'static>(&self, variable: &'static ContextVar<T>) -> Option<T> {
        variable.value_in(Some(self))
    }

    /// How many variables have a value in here.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether no variable has a value in here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// One with the same values. Nothing of the user's runs.
    fn duplicate(&self) -> Self {
        let values = Rc::clone(&self.0.borrow());
        Self(Rc::new(RefCell::new(values)))
    }

    fn find(&self, key: usize) -> Option<Rc<dyn Any>> {
        let values = self.0.borrow();
        let found = values.binary_search_by_key(&key, |entry| entry.key).ok()?;
        Some(Rc::clone(&values[found].value))
    }

    /// Gives the value before.
    fn replace(&self, key: usize, name: &'static str, value: Option<Rc<dyn Any>>) -> Option<Rc<dyn Any>> {
        let mut values = self.0.borrow_mut();
        // Only pointers are copied: no code of the user's runs.
        let values = Rc::make_mut(&mut values);
        match (values.binary_search_by_key(&key, |entry| entry.key), value) {
            (Ok(found), Some(value)) => Some(std::mem::replace(&mut values[found].value, value)),
            (Ok(found), None) => Some(values.remove(found).value),
            (Err(at), Some(value)) => {
                values.insert(at, Entry { key, name, value });
                None
            }
            (Err(_), None) => None,
        }
    }
}

/// The names of the variables that have values in it.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.borrow().iter().map(|entry| entry.name).collect();
        f.debug_tuple("Context").field(&names).finish()
    }
}
