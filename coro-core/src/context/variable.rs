//! A variable whose value depends on what runs.

use std::any::Any;
use std::fmt;
use std::ptr;
use std::rc::Rc;

use super::Context;
use super::place::{change_current, with_current};

/// A variable with a value in each [`Context`], or none there. It is made as a `static`, which is its identity.
///
/// # References
///
/// [`contextvars.ContextVar`](https://docs.python.org/3/library/contextvars.html#contextvars.ContextVar).
pub struct ContextVar<T: 'static> {
    name: &'static str,
    default: Option<fn() -> T>,
}

impl<T: 'static> ContextVar<T> {
    /// A variable that has no value where none was set. The name is for debugging.
    pub const fn new(name: &'static str) -> Self {
        Self { name, default: None }
    }

    /// A variable that has this value where none was set, made each time that it is asked for.
    pub const fn with_default(name: &'static str, default: fn() -> T) -> Self {
        Self { name, default: Some(default) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value in the current context, or the default one.
    pub fn get(&'static self) -> Option<T>
    where
        T: Clone,
    {
        with_current(|context| self.find(context))
            .map_or_else(|| self.make_default(), |value| Some(clone(&value)))
    }

    /// Looks at the value in the current context, or at the default one. It is not borrowed meanwhile: `look` may set it.
    pub fn with<R>(&'static self, look: impl FnOnce(Option<&T>) -> R) -> R {
        match with_current(|context| self.find(context)) {
            Some(value) => look(value.downcast_ref()),
            None => look(self.make_default().as_ref()),
        }
    }

    /// Sets the value in the current context. What it gives can [undo](Self::reset) that.
    pub fn set(&'static self, value: T) -> Token<T> {
        let value: Rc<dyn Any> = Rc::new(value);
        let set = |context: &Context| {
            let before = context.replace(self.key(), self.name, Some(value));
            Token { variable: self, context: context.clone(), before }
        };
        change_current(set)
    }

    /// Gives the variable the value back that it had before the [`set`](Self::set) which gave `token`, or none.
    ///
    /// # Errors
    ///
    /// [`WrongToken`]: the token is that of another variable, or was made in another context. Nothing changes, and it comes
    /// back.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::context::{Context, ContextVar};
    ///
    /// static LEVEL: ContextVar<u32> = ContextVar::new("level");
    ///
    /// let token = LEVEL.set(1);
    /// let wrong = Context::copy().run(|| LEVEL.reset(token)).unwrap_err();
    /// LEVEL.reset(wrong.token).unwrap();
    /// assert_eq!(LEVEL.get(), None);
    /// ```
    pub fn reset(&'static self, token: Token<T>) -> Result<(), WrongToken<T>> {
        let here = with_current(|context| context.map(|context| context.is(&token.context)));
        if !ptr::eq(self, token.variable) || here != Some(true) {
            return Err(WrongToken { token });
        }
        let outdated = token.context.replace(self.key(), self.name, token.before);
        drop(outdated);
        Ok(())
    }

    pub(super) fn value_in(&'static self, context: Option<&Context>) -> Option<T>
    where
        T: Clone,
    {
        self.find(context).map_or_else(|| self.make_default(), |value| Some(clone(&value)))
    }

    fn find(&'static self, context: Option<&Context>) -> Option<Rc<dyn Any>> {
        context?.find(self.key())
    }

    fn make_default(&self) -> Option<T> {
        self.default.map(|default| default())
    }

    fn key(&'static self) -> usize {
        ptr::from_ref(self).addr()
    }
}

fn clone<T: Clone + 'static>(value: &Rc<dyn Any>) -> T {
    match value.downcast_ref::<T>() {
        Some(value) => value.clone(),
        None => unreachable!("each variable has values of its type"),
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContextVar").field(&self.name).finish()
    }
}

/// What undoes one [`ContextVar::set`], in the context in which that was done. Dropping it leaves the value set.
pub struct Token<T: 'static> {
    variable: &'static ContextVar<T>,
    context: Context,
    before: Option<Rc<dyn Any>>,
}

impl<T> Token<T> {
    /// Whether the variable had a value of its own before.
    pub fn had_value(&self) -> bool {
        self.before.is_some()
    }
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.variable).finish()
    }
}

/// A token was given to another variable than its own, or in another context than its own.
#[derive(Debug, thiserror::Error)]
#[error(
    "the token is of another variable or another context: reset the variable that was set, in the task that set it"
)]
pub struct WrongToken<T: 'static> {
    /// The token.
    pub token: Token<T>,
}
