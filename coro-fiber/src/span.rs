//! The spans of `tracing` that a fiber has entered: they are left with its stack, and entered again with it.
//!
//! A subscriber keeps a list of the entered spans for each thread. What a fiber has entered must not be in that list while
//! another runs: it would be the parent of that one's spans, and come out of the list in the wrong order. So whenever the
//! fiber switches out, its spans are exited, from the top, until the list is as it was when it was resumed; and when it is
//! resumed they are entered again, from the bottom. That is all that is done to them: the spans live, because their guards
//! are on the fiber's stack.
//!
//! The list cannot be read, but for its top. A span that is in it twice, because the fiber has entered the one in which it
//! was resumed, is only told by exiting it.
//!
//! A subscriber may run anything, so nobody is in a fiber while these are called.

use std::cell::{Cell, RefCell};

use tracing_core::dispatcher::{self, Dispatch};
use tracing_core::span::Id;

/// Against a subscriber that names a current span and never lets go of it.
const MOST: usize = 1 << 12;

#[derive(Default)]
pub(crate) struct Spans {
    /// The span in which it was resumed, if there was one, and how often that was on top of the list.
    outer: Cell<Option<(Id, usize)>>,
    /// While it is suspended, what it had entered, from the bottom, and whom it had told.
    own: RefCell<Option<(Dispatch, Vec<Id>)>>,
}

impl Spans {
    /// The fiber has been resumed.
    #[inline(always)]
    pub(crate) fn enter(&self) {
        if dispatcher::has_been_set() {
            self.enter_own();
        }
    }

    /// The fiber gives the thread back.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        if dispatcher::has_been_set() {
            self.exit_own();
        }
    }

    #[inline(never)]
    fn enter_own(&self) {
        let dispatch = present();
        self.outer.set(current(&dispatch).map(|outer| {
            let times = exit_top(&dispatch, &outer);
            enter_again(&dispatch, &outer, times);
            (outer, times)
        }));
        if let Some((dispatch, own)) = self.own.take() {
            own.iter().for_each(|span| dispatch.enter(span));
        }
    }

    #[inline(never)]
    fn exit_own(&self) {
        let (dispatch, outer) = (present(), self.outer.take());
        let mut own = Vec::new();
        while let Some(span) = current(&dispatch)
            && outer.as_ref().is_none_or(|(outer, _)| *outer != span)
            && own.len() < MOST
        {
            dispatch.exit(&span);
            own.push(span);
        }
        if let Some((outer, times)) = outer {
            let found = exit_top(&dispatch, &outer);
            enter_again(&dispatch, &outer, times);
            own.extend((times..found).map(|_| outer.clone()));
        }
        if !own.is_empty() {
            own.reverse();
            *self.own.borrow_mut() = Some((dispatch, own));
        }
    }
}

/// That of this thread. Called from inside of `get_default` it would not be told what it tells itself.
fn present() -> Dispatch {
    dispatcher::get_default(Dispatch::clone)
}

fn current(dispatch: &Dispatch) -> Option<Id> {
    dispatch.current_span().id().cloned()
}

/// Exits a span for as often as it is on top.
fn exit_top(dispatch: &Dispatch, span: &Id) -> usize {
    let mut times = 0;
    while times < MOST && current(dispatch).as_ref() == Some(span) {
        dispatch.exit(span);
        times += 1;
    }
    times
}

fn enter_again(dispatch: &Dispatch, span: &Id, times: usize) {
    for _ in 0..times {
        dispatch.enter(span);
    }
}
