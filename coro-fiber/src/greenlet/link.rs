//! Who is called when a result is there.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use coro_core::event_loop::{EventLoop, Loop};

use super::eventual::{Eventual, Failed};

type Function<T> = Box<dyn FnOnce(Result<&T, &Failed>)>;

/// The results that a link is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Value,
    Exception,
}

/// A callback that waits for a result.
struct Call<T> {
    kind: Kind,
    /// Until it is called, or unlinked.
    function: Cell<Option<Function<T>>>,
    /// That in which it was linked.
    event_loop: Loop,
}

/// Those that wait for one result.
pub(super) struct Links<T>(RefCell<Vec<Rc<Call<T>>>>);

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: 'static> Links<T> {
    #[track_caller]
    pub(super) fn add(&self, of: &Rc<Eventual<T>>, kind: Kind, function: Function<T>) -> Link<T> {
        let event_loop = Loop::running("coro_fiber::Eventual::link");
        let call = Rc::new(Call { kind, function: Cell::new(Some(function)), event_loop });
        if of.ready() {
            call.schedule(of);
        } else {
            self.0.borrow_mut().push(Rc::clone(&call));
        }
        Link { call, of: Rc::downgrade(of) }
    }

    /// The result is there.
    pub(super) fn schedule(&self, of: &Rc<Eventual<T>>) {
        for call in self.0.take() {
            call.schedule(of);
        }
    }
}

impl<T: 'static> Call<T> {
    fn schedule(self: &Rc<Self>, of: &Rc<Eventual<T>>) {
        let wanted = match self.kind {
            Kind::Any => true,
            Kind::Value => of.successful(),
            Kind::Exception => !of.successful(),
        };
        if !wanted {
            return drop(self.function.take());
        }
        let (call, of) = (Rc::clone(self), Rc::clone(of));
        self.event_loop.call_soon(move || {
            // Who was unlinked has not seen it.
            if let Some(function) = call.function.take()
                && let Some(result) = of.result()
            {
                function(result);
            }
        });
    }
}

/// A callback that was [linked](Eventual::link) to a result. Dropping this leaves it linked.
pub struct Link<T> {
    call: Rc<Call<T>>,
    of: Weak<Eventual<T>>,
}

impl<T: 'static> Link<T> {
    /// Keeps the callback from being called, if it has not been. What it captured is dropped.
    pub fn unlink(self) {
        if let Some(of) = self.of.upgrade() {
            of.links().0.borrow_mut().retain(|call| !Rc::ptr_eq(call, &self.call));
        }
        drop(self.call.function.take());
    }
}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = self.call.function.take();
        let pending = function.is_some();
        self.call.function.set(function);
        f.debug_struct("Link").field("pending", &pending).finish_non_exhaustive()
    }
}
