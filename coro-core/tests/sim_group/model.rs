//! How a group has to end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro_core::TaskError;
use coro_core::random;
use coro_core::time::{Time, now};

/// How a group has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Cancelled,
    /// With the errors of these names, from wherever in it.
    Failed(Vec<String>),
}

/// What has happened in a group.
#[derive(Default)]
pub struct Ledger {
    under_way: Cell<usize>,
    /// What was raised by those who are over, in that order.
    raised: RefCell<Vec<String>>,
    /// It was cancelled from within, or somebody let out a cancellation.
    cancelled: Cell<bool>,
    /// When something was first raised.
    failed_at: Cell<Option<Time>>,
    checked: Cell<bool>,
}

thread_local! {
    /// In this run somebody has swallowed a cancellation. Whoever was asked to end waits on then, perhaps for long.
    static SWALLOWED: Cell<bool> = const { Cell::new(false) };
}

/// A run begins.
pub fn begin() {
    SWALLOWED.set(false);
}

/// Somebody was asked to end, and goes on as if he was not.
pub fn swallow() {
    SWALLOWED.set(true);
}

/// More than all cleanups together take, and less than what nobody has cut off.
const SOON: Duration = Duration::from_secs(1);

impl Ledger {
    pub fn new() -> Rc<Self> {
        Rc::default()
    }

    /// An error that is told from others.
    pub fn error(&self) -> TaskError {
        TaskError::other(format!("error {}", random::number()))
    }

    /// It is cancelled from within.
    pub fn cancel(&self) {
        self.cancelled.set(true);
    }

    /// How many are under way, body and children.
    pub fn under_way(&self) -> usize {
        self.under_way.get()
    }

    /// Compares the end with what has happened.
    ///
    /// # Panics
    ///
    /// If it had to end otherwise.
    pub fn check(&self, end: &End) {
        self.checked.set(true);
        if let Some(failed_at) = self.failed_at.get().filter(|_| !SWALLOWED.get()) {
            assert!(now() - failed_at < SOON, "what failed at {failed_at} did not end the others");
        }
        let raised = self.raised.borrow();
        match end {
            // Nothing is lost, nothing is there twice, and nothing comes from elsewhere.
            End::Failed(errors) => assert_eq!(sorted(errors), sorted(&raised)),
            End::Done => assert!(raised.is_empty(), "{raised:?} got lost"),
            End::Cancelled => {
                assert!(raised.is_empty(), "{raised:?} hidden by a cancellation");
                assert!(self.cancelled.get(), "nobody cancelled it");
            }
        }
    }
}

impl Drop for Ledger {
    /// A group that gives nothing has passed on a cancellation from outside, which errors would have hidden.
    fn drop(&mut self) {
        if !self.checked.get() && !std::thread::panicking() {
            assert_eq!(self.raised.take(), Vec::<String>::new(), "lost with a cancellation");
        }
    }
}

fn sorted(errors: &[String]) -> Vec<String> {
    let mut errors = errors.to_vec();
    errors.sort();
    errors
}

/// One who is under way.
pub struct Work(Rc<Ledger>);

impl Work {
    pub fn begin(ledger: &Rc<Ledger>) -> Self {
        ledger.under_way.set(ledger.under_way.get() + 1);
        Self(Rc::clone(ledger))
    }

    /// It is over, and has raised this.
    pub fn end(self, result: &Result<(), TaskError>) {
        let errors = match result {
            Ok(()) => return,
            Err(error) if error.is_cancelled() => return self.0.cancelled.set(true),
            Err(TaskError::Group(errors)) => errors.leaves().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        self.0.raised.borrow_mut().extend(errors);
        self.0.failed_at.set(self.0.failed_at.get().or_else(|| Some(now())));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}
