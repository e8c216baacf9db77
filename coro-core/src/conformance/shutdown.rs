//! The laws of a soft shutdown: what the grace period is for, and what comes after it.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use super::loud::program;
use super::setting::{MakeLoop, log, reports, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::coroutine::Thrown;
use crate::event_loop::EventLoop;
use crate::group::TaskGroup;
use crate::native::catch;
use crate::scope::{CancelScope, EnteredScope};
use crate::task::{TaskError, from_coroutine};
use crate::time::{sleep, yield_now};

/// A part of a body that takes so many seconds, in a shield.
fn shielded(trace: &Trace, seconds: u64, then: &'static str) -> Plan {
    let entered: Rc<RefCell<Option<EnteredScope>>> = Rc::default();
    let leaving = Rc::clone(&entered);
    let scope = CancelScope::new().shielded();
    plan()
        .call(move || *entered.borrow_mut() = Some(EnteredScope::new(&scope)))
        .wait(move || sleep(secs(seconds)))
        .call(log(trace, then))
        .call(move || drop(leaving.borrow_mut().take()))
}

/// Rule 29: at the end of a run, a cleanup may wait as long as the grace period lasts; then what is left is destroyed.
pub fn what_main_left_has_its_grace_period<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    event_loop.set_grace(Some(secs(5)));
    let quick =
        shielded(&trace, 3, "quick has saved").wait(|| sleep(secs(60))).call(log(&trace, "not reached"));
    let quick = quick.spawn::<F>(&event_loop).named("quick");
    let slow = plan().wait(|| sleep(secs(60))).except(|_| plan().wait(|| sleep(secs(60))));
    let slow = slow.hold(trace.on_drop("slow is gone"));
    let slow = slow.spawn::<F>(&event_loop).named("slow");
    assert_eq!(program::<F>(&event_loop, plan().wait(|| sleep(secs(1))).returns(7)).unwrap(), 7);
    trace.expect(&["quick has saved", "slow is gone"]);
    reported.expect(&["slow destroyed"]);
    assert!(quick.is_cancelled() && slow.is_done());
    assert_eq!(event_loop.time().as_secs_f64(), 6.0);
}

/// Rule 29: when the grace period is over, shields hold no more. Who is in one is cancelled, and what they then do without
/// waiting for it is done; who waits again is destroyed.
pub fn a_shield_holds_until_the_grace_period_is_over<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    event_loop.set_grace(Some(secs(5)));
    let named = |plan: Plan, name: &str| plan.spawn::<F>(&event_loop).named(name);
    // The part of a body.
    let told = trace.clone();
    let part = shielded(&trace, 60, "not reached").except(move |thrown| {
        told.log(format!("part: {thrown}"));
        plan().wait(yield_now).call(log(&told, "part is clean")).raise(thrown)
    });
    let part = named(part, "part");
    // A future, which has heard that it is cancelled before.
    let told = trace.clone();
    let around = plan().wait(move || async move {
        told.log(format!("around: {}", catch(pending::<()>()).await.unwrap_err()));
        let cleanup = CancelScope::new().shielded().run(catch(sleep(secs(60))));
        told.log(format!("around: {}", cleanup.await.unwrap().unwrap_err()));
    });
    let around = named(around, "around");
    // A group waits for a child that has been cancelled so.
    let told = trace.clone();
    let parent = plan().wait(move || async move {
        let group = TaskGroup::new();
        let child = shielded(&told, 60, "not reached").raise(Thrown::Error(TaskError::other("not reached")));
        let child = child.except(|_| plan().wait(yield_now).raise(Thrown::Error(TaskError::other("late"))));
        let child = from_coroutine(F::coroutine(child.into_script()));
        let body = async {
            group.create_task(child)?.named("child").detach();
            Ok(())
        };
        told.log(format!("parent: {}", group.run(body).await.unwrap_err()));
    });
    let parent = named(parent, "parent");
    let stubborn = shielded(&trace, 60, "not reached").except(|_| plan().wait(|| sleep(secs(1))));
    named(stubborn.hold(trace.on_drop("stubborn is gone")), "stubborn").detach();
    assert_eq!(program::<F>(&event_loop, plan().wait(|| sleep(secs(1))).returns(7)).unwrap(), 7);
    trace.expect(&[
        "around: the task was cancelled",
        "part: the task was cancelled: the grace period is over",
        "around: the task was cancelled: the grace period is over",
        "part is clean",
        "parent: 1 error in a group: late",
        "stubborn is gone",
    ]);
    reported.expect(&["stubborn destroyed"]);
    assert_eq!([part, parent, around].map(|task| task.is_cancelled()), [true, true, false]);
    assert_eq!(event_loop.time().as_secs_f64(), 6.0);
}
