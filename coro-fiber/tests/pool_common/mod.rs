//! What the tests of pools share.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::event_loop::Exception;
use coro_core::prelude::*;
use coro_core::time;
use coro_fiber::TaskCo;

pub const SECOND: Duration = Duration::from_secs(1);

pub type Log = Rc<RefCell<Vec<String>>>;

/// Runs `body`, and gives what it logged, and what was reported.
pub fn run(
    body: impl FnOnce(&mut TaskCo<'_>, &Log) -> TaskResult<()> + 'static,
) -> (Vec<String>, Vec<String>) {
    let (log, reports) = (Log::default(), Log::default());
    let (own, reported) = (Rc::clone(&log), Rc::clone(&reports));
    let event_loop = Loop::simulated();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| {
        reported.borrow_mut().push(match exception {
            Exception::NeverRetrieved(_, error) => error.to_string(),
            other => other.to_string(),
        });
    })));
    event_loop.run(coro_fiber::task(move |co| body(co, &own))).unwrap();
    (log.take(), reports.take())
}

pub fn note(log: &Log, what: impl std::fmt::Display) {
    log.borrow_mut().push(format!("{} {what}", time::now().as_secs_f64()));
}

/// A body that naps, and says when it began and ended.
pub fn naps(
    log: &Log,
    name: &'static str,
    seconds: u32,
) -> impl FnOnce(&mut TaskCo<'_>) -> TaskResult<&'static str> + 'static {
    let log = Rc::clone(log);
    move |co| {
        note(&log, format!("{name} begins"));
        co.wait(sleep(seconds * SECOND))?;
        note(&log, format!("{name} ends"));
        Ok(name)
    }
}

pub fn fails<T>(what: &'static str) -> TaskResult<T> {
    Err(TaskError::other(what).into())
}
