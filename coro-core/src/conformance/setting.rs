//! What the scenarios of the loop share.

use std::rc::Rc;
use std::time::Duration;

use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Exception, Executed, Loop, RunError};
use crate::time::yield_now;

/// Makes the loops that the scenarios run on.
pub type MakeLoop<'a> = &'a dyn Fn() -> Loop;

/// More than a loop may run before it looks at what else there is, and more than another thread may take that has to do
/// something for it.
pub(super) const BUSY_TURNS: u32 = 1_000_000;

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A function that logs.
pub(super) fn log(trace: &Trace, event: &'static str) -> impl FnOnce() + 'static {
    let trace = trace.clone();
    move || trace.log(event)
}

/// Collects what goes to the exception handler of a loop, a line each.
pub fn reports(event_loop: &Loop) -> Trace {
    let trace = Trace::new();
    let log = trace.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| {
        log.log(match exception {
            Exception::DrainFailed(error) => {
                format!("drain: {}", error.to_string().lines().next().unwrap_or_default())
            }
            Exception::JobPanicked(panic) => format!("job: {panic}"),
            Exception::JobsAbandoned(count) => format!("{count} jobs abandoned"),
            Exception::Unsent(count) => format!("{count} unsent"),
            Exception::CallbackPanicked(panic) => format!("callback: {panic}"),
            Exception::NeverRetrieved(task, error) => format!("{} never retrieved: {error}", task.name),
            Exception::PendingDestroyed(task) => format!("{} destroyed", task.name),
            Exception::CleanupRaised(_, error) => {
                format!("cleanup: {}", error.downcast_ref::<&str>().unwrap_or(&"another error"))
            }
            Exception::Leaked(frame) => format!("{} leaked", frame.name),
            Exception::DestructorPanicked(task, panic) => format!("{} destructor: {panic}", task.name),
            Exception::NeverRead(error) => format!("never read: {error}"),
            Exception::SlowStep(Executed::Task(task), took) => format!("{} took {took:?}", task.name),
            Exception::SlowStep(Executed::Callback(at), took) => {
                format!("callback of line {} took {took:?}", at.line())
            }
            Exception::NeverAwaited(frame) => {
                format!("never awaited, of line {}", frame.made_at.map_or(0, |at| at.line()))
            }
            Exception::Unclosed(driver) => format!("{driver} unclosed"),
        });
    })));
    trace
}

/// Lets the others have so many turns.
pub(super) fn turns(count: usize) -> Plan {
    (0..count).fold(plan(), |plan, _| plan.wait(yield_now))
}

/// Runs a task as the main one.
pub(super) fn run<F: Flavour>(event_loop: &Loop, main: Plan) -> Result<i64, RunError> {
    let task = main.spawn::<F>(event_loop);
    event_loop.run_until_complete(task)
}
