//! The laws of shields and cancel scopes: around a future, and around a part of a body.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use super::setting::{MakeLoop, log, reports, run, secs};
use super::timeout::cancelled_after;
use super::{Flavour, Plan, Trace, plan};
use crate::Thrown;
use crate::event_loop::EventLoop;
use crate::native::catch;
use crate::scope::{CancelScope, EnteredScope, TimeoutError, fail_after, move_on_after, shield, timeout};
use crate::task::TaskError;
use crate::time::{now, sleep, yield_now};

/// Rule 22: a shield ends for who waits, and its task runs on; if that fails then, it is reported, once.
pub fn a_shield_keeps_a_cancellation_from_its_task<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let inner = plan().wait(|| sleep(secs(5))).call(log(&trace, "ran on")).call(|| panic!("late"));
    let inner = inner.spawn::<F>(&event_loop).named("inner");
    let waits = plan().wait(move || async move { drop(shield(inner).await) });
    assert!(cancelled_after::<F>(&event_loop, 1, waits).unwrap_err().is_cancelled());
    trace.expect(&["ran on"]);
    reported.expect(&["inner never retrieved: the task panicked: late"]);
}

/// Rule 22: when the task in a shield is cancelled, who waits is told so, and was not asked to end.
pub fn the_cancelled_task_of_a_shield_tells_who_waits<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let inner = plan().wait(pending).spawn::<F>(&event_loop);
    let (asking, again) = (inner.canceller(), trace.clone());
    let waits = plan().wait(move || async move { again.log(shield(inner).await.unwrap_err()) });
    let waits = waits.spawn::<F>(&event_loop);
    let main = plan().wait(yield_now).call(move || assert!(asking.cancel())).wait(|| sleep(secs(1)));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["the task was cancelled"]);
    assert_eq!((waits.is_done(), waits.cancelling()), (true, 0));
}

/// What a body does in a scope that it enters, and after it.
fn scoped(scope: &CancelScope, body: Plan, trace: &Trace, handler: fn(&Trace) -> Plan) -> Plan {
    let entered = Rc::new(Cell::new(None));
    let (entering, leaving, scope) = (Rc::clone(&entered), Rc::clone(&entered), scope.clone());
    let (caught, trace) = (trace.clone(), trace.clone());
    plan()
        .call(move || entering.set(Some(EnteredScope::new(&scope))))
        .then(body)
        .call(move || assert!(leaving.take().unwrap().exit(Ok(())).unwrap().is_ok()))
        .except(move |thrown: Thrown<TaskError>| {
            caught.log(&thrown);
            // It waits again before it lets out what it was told.
            let told = caught.clone();
            handler(&caught).except(move |again| {
                told.log(format!("again: {again}"));
                match entered.take().unwrap().exit::<()>(Err(again)) {
                    Ok(Err(own)) => {
                        plan().call(move || trace.log(format!("stays: {own}"))).wait(|| sleep(secs(1)))
                    }
                    Ok(Ok(())) => plan(),
                    Err(thrown) => {
                        trace.log(format!("goes on: {thrown}"));
                        plan().raise(thrown)
                    }
                }
            })
        })
}

/// Rule 29: a scope throws at every wait in it, says why, and takes its own error when that comes out; then the body goes on.
pub fn a_scope_throws_at_every_wait_until_it_is_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, scope) = (make(), Trace::new(), CancelScope::new());
    let body = scoped(&scope, plan().wait(pending), &trace, |trace| {
        plan().call(log(trace, "cleans up")).wait(|| sleep(secs(60))).call(log(trace, "not reached"))
    });
    let task = body.spawn::<F>(&event_loop);
    let again = scope.clone();
    let main = plan().wait(yield_now).call(move || again.cancel_with("enough")).wait(|| sleep(secs(2)));
    let main = main.spawn::<F>(&event_loop);
    let by = main.id();
    event_loop.run_until_complete(main).unwrap();
    let told = "the task was cancelled: enough";
    trace.expect(&[told, "cleans up", &format!("again: {told}"), &format!("stays: {told}")]);
    assert_eq!((task.is_done(), task.is_cancelled(), task.cancelling()), (true, false, 0));
    assert!(scope.cancelled_caught());
    assert_eq!(scope.cancelled().unwrap().by(), Some(by));
}

/// Waits in a scope in another one, both entered by the body, and tells which of them takes what is thrown.
fn nested_parts(outer: &CancelScope, inner: &CancelScope, trace: &Trace) -> Plan {
    let (scopes, entered) = ([outer.clone(), inner.clone()], Rc::new(Cell::new(None)));
    let (entering, trace) = (Rc::clone(&entered), trace.clone());
    let enters = plan().call(move || {
        let [outer, inner] = &scopes;
        entering.set(Some((EnteredScope::new(outer), EnteredScope::new(inner))));
    });
    enters.wait(pending).except(move |thrown| {
        let (outer, inner) = entered.take().unwrap();
        let result = inner.exit::<()>(Err(thrown)).map(|inside| assert!(inside.is_err()));
        if result.is_ok() {
            trace.log("inner is over");
        }
        let goes_on = plan().wait(yield_now).call(log(&trace, "in outer"));
        let ends = if result.is_ok() { goes_on } else { plan() };
        ends.then_with(move || match outer.exit(result) {
            Ok(inside) => plan().call(log(&trace, if inside.is_ok() { "done" } else { "outer is over" })),
            Err(thrown) => plan().raise(thrown),
        })
    })
}

/// Rule 29: of scopes in each other, each takes its own error; when both are cancelled, or only the outer one, that takes it.
pub fn of_scopes_in_each_other_each_takes_its_own<F: Flavour>(make: MakeLoop<'_>) {
    for (part, outermost, innermost) in [(false, true), (true, false), (true, true)]
        .into_iter()
        .flat_map(|(o, i)| [(true, o, i), (false, o, i)])
    {
        let (event_loop, trace) = (make(), Trace::new());
        // Alone, the inner one has a deadline.
        let inner = if outermost { CancelScope::new() } else { CancelScope::after(secs(1)) };
        let (outer, again) = (CancelScope::new(), trace.clone());
        let (own, owns) = (outer.clone(), inner.clone());
        let nested = if part {
            nested_parts(&outer, &inner, &trace)
        } else {
            plan().wait(move || async move {
                let body = async {
                    if owns.run(pending::<()>()).await.is_err() {
                        again.log("inner is over");
                    }
                    yield_now().await;
                    again.log("in outer");
                };
                again.log(if own.run(body).await.is_ok() { "done" } else { "outer is over" });
            })
        };
        let task = nested.spawn::<F>(&event_loop);
        let cancelled = [inner.clone(), outer.clone()];
        let main = plan().wait(|| sleep(secs(1))).call(move || {
            let both = cancelled.into_iter().zip([outermost && innermost, outermost]);
            both.filter(|(_, cancels)| *cancels).for_each(|(scope, _)| scope.cancel());
        });
        run::<F>(&event_loop, main.wait(|| sleep(secs(1)))).unwrap();
        if outermost {
            trace.expect(&["outer is over"]);
        } else {
            trace.expect(&["inner is over", "in outer", "done"]);
        }
        assert_eq!((outer.cancelled_caught(), inner.cancelled_caught()), (outermost, !outermost));
        assert!(task.is_done() && !task.is_cancelled());
        assert_eq!((task.cancelling(), event_loop.pending_timers()), (0, 0));
    }
}

/// Rule 29: around a future the same: a catch in it is told, and what waits after that is dropped.
pub fn a_scope_around_a_future_is_level_triggered<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let main = plan().wait(move || async move {
        let stubborn = |trace: Trace| async move {
            assert!(catch(pending::<()>()).await.is_err());
            trace.log("told");
            yield_now().await;
            trace.log("went on");
        };
        assert_eq!(fail_after(secs(1), stubborn(again.clone())).await, Err(TimeoutError));
        assert_eq!(move_on_after(secs(1), stubborn(again.clone())).await, None);
        // An edge is not.
        assert_eq!(timeout(secs(1), stubborn(again.clone())).await, Ok(()));
        assert_eq!(now().as_secs_f64(), 3.0);
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["told", "told", "told", "went on"]);
}

/// Rule 29: nothing from outside comes through a shield, until it is left; its own deadline is inside.
pub fn a_shielded_cleanup_may_wait_for_its_grace_period<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let around = plan().wait(move || async move {
        let work = async {
            assert!(catch(pending::<()>()).await.is_err());
            let grace = CancelScope::after(secs(5)).shielded();
            assert!(grace.run(sleep(secs(2))).await.is_ok());
            again.log(format!("cleaned up at {}", now()));
            let grace = CancelScope::after(secs(5)).shielded();
            assert!(grace.run(sleep(secs(60))).await.is_err());
            again.log(format!("gave up at {}", now()));
            yield_now().await;
            again.log("not reached");
        };
        assert_eq!(move_on_after(secs(1), work).await, None);
    });
    run::<F>(&event_loop, around).unwrap();
    trace.expect(&["cleaned up at 3.000000000", "gave up at 8.000000000"]);
}

/// Rule 29: a shield that a body has entered keeps out the cancellation of the task too; it is thrown at the next wait after
/// that.
pub fn a_shield_keeps_a_cancellation_until_it_is_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let entered = Rc::new(Cell::new(None));
    let (entering, leaving, caught) = (Rc::clone(&entered), Rc::clone(&entered), trace.clone());
    let body = plan()
        .call(move || entering.set(Some(EnteredScope::new(&CancelScope::new().shielded()))))
        .wait(|| sleep(secs(3)))
        .call(log(&trace, "done in the shield"))
        .call(move || assert!(leaving.take().unwrap().exit(Ok(())).unwrap().is_ok()))
        .call(log(&trace, "left it"))
        .wait(|| sleep(secs(1)))
        .call(log(&trace, "not reached"))
        .except(move |thrown| {
            caught.log(&thrown);
            plan().raise(thrown)
        });
    assert!(cancelled_after::<F>(&event_loop, 1, body).unwrap_err().is_cancelled());
    trace.expect(&["done in the shield", "left it", "the task was cancelled"]);
    drop(entered);
    let again = trace.clone();
    let around = plan().wait(move || async move {
        assert!(CancelScope::new().shielded().run(sleep(secs(3))).await.is_ok());
        again.log("done in the shield");
        sleep(secs(1)).await;
        again.log("not reached");
    });
    assert!(cancelled_after::<F>(&event_loop, 1, around).unwrap_err().is_cancelled());
    trace.expect(&["done in the shield"]);
}
