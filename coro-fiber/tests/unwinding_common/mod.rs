//! What the tests of dropped fibers share.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use coro_fiber::{Co, wait};

/// Counts what is dropped.
#[derive(Clone, Default)]
pub struct Count(Rc<Cell<u32>>);

impl Count {
    pub fn guard(&self) -> Guard {
        Guard(self.clone())
    }

    pub fn get(&self) -> u32 {
        self.0.get()
    }

    pub fn set(&self, count: u32) {
        self.0.set(count);
    }
}

pub struct Guard(Count);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

pub type Body = fn(&mut Co<'_, (), (), ()>);

/// What a body may do that never ends.
pub const ENDLESS: [Body; 3] = [
    |co| loop {
        let _: Result<_, _> = catch_unwind(AssertUnwindSafe(|| co.yield_(())));
    },
    |co| {
        let _: Result<_, _> = catch_unwind(AssertUnwindSafe(|| co.yield_(())));
        loop {
            let _: Result<_, _> = co.wait(pending::<()>());
        }
    },
    |co| {
        let _: Result<_, _> = catch_unwind(AssertUnwindSafe(|| co.yield_(())));
        loop {
            let _: Result<_, _> = catch_unwind(|| wait(pending::<()>()));
        }
    },
];
