//! The laws of task groups: around a future, and in a body.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::rc::Rc;

use super::setting::{MakeLoop, log, reports, run, secs};
use super::{Flavour, Plan, Subject, Trace, plan};
use crate::Thrown;
use crate::event_loop::EventLoop;
use crate::group::{EnteredGroup, GroupError, TaskGroup};
use crate::scope::{TimeoutError, move_on_after, timeout};
use crate::sync::Event;
use crate::task::{CoroutineTask, JoinHandle, TaskError, from_coroutine};
use crate::time::{now, sleep, yield_now};

pub(super) type Child = CoroutineTask<Subject<(), std::convert::Infallible, i64, TaskError>>;

/// A child of the flavour.
pub(super) fn child<F: Flavour>(plan: Plan) -> Child {
    from_coroutine(F::coroutine(plan.into_script()))
}

/// A child that waits for a minute; cancelled, it takes so many seconds to clean up.
pub(super) fn cleaned<F: Flavour>(name: &'static str, seconds: u64, trace: &Trace) -> Child {
    cleaned_after::<F, _>(|| sleep(secs(60)), name, seconds, trace)
}

/// The same, with another wait.
fn cleaned_after<F: Flavour, W: Future<Output = ()> + 'static>(
    wait: impl FnOnce() -> W + 'static,
    name: &'static str,
    seconds: u64,
    trace: &Trace,
) -> Child {
    let told = trace.clone();
    child::<F>(plan().wait(wait).except(move |thrown| {
        told.log(format!("{name}: {thrown}"));
        let interrupted = told.clone();
        let cleanup =
            plan().wait(move || sleep(secs(seconds))).call(move || told.log(format!("{name} is clean")));
        cleanup.raise(thrown).except(move |again| {
            interrupted.log(format!("{name} again: {again}"));
            plan().raise(again)
        })
    }))
}

/// A child that fails after so many seconds.
pub(super) fn failing<F: Flavour>(seconds: u64, with: &'static str) -> Child {
    child::<F>(plan().wait(move || sleep(secs(seconds))).raise(Thrown::Error(TaskError::other(with))))
}

/// How the body of a group is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// As a future.
    Around,
    /// As a part of the body of a task of the flavour.
    Part,
}

pub(super) const FORMS: [Form; 2] = [Form::Around, Form::Part];

/// How a group has ended.
pub(super) fn told<T>(result: &Result<T, GroupError>) -> String {
    match result {
        Ok(_) => "group: done".to_string(),
        Err(GroupError::Cancelled(_)) => "group: cancelled".to_string(),
        Err(error) => format!("group: {error}"),
    }
}

/// A group whose body creates children, waits for `leaf`, and ends with `result`. Tells how it ends.
pub(super) fn grouped<L: Future<Output = ()> + 'static>(
    form: Form,
    group: &TaskGroup,
    create: impl FnOnce(&TaskGroup) + 'static,
    leaf: impl FnOnce() -> L + 'static,
    result: Result<(), TaskError>,
    trace: &Trace,
) -> Plan {
    grouped_then(form, group, create, leaf, result, trace, plan)
}

/// The same, and what the task does after it.
pub(super) fn grouped_then<L: Future<Output = ()> + 'static>(
    form: Form,
    group: &TaskGroup,
    create: impl FnOnce(&TaskGroup) + 'static,
    leaf: impl FnOnce() -> L + 'static,
    result: Result<(), TaskError>,
    trace: &Trace,
    after: impl FnOnce() -> Plan + 'static,
) -> Plan {
    let (group, again, out) = (group.clone(), trace.clone(), trace.clone());
    match form {
        Form::Around => {
            let around = move || async move {
                let body = async {
                    create(&group);
                    leaf().await;
                    again.log("body ends");
                    result
                };
                let result = group.run(body).await;
                again.log(told(&result));
            };
            plan().wait(around).then_with(after).except(move |thrown| {
                out.log(format!("let out: {thrown}"));
                plan().raise(thrown)
            })
        }
        Form::Part => {
            let entered: Rc<RefCell<Option<EnteredGroup<()>>>> = Rc::default();
            let (entering, leaving) = (Rc::clone(&entered), Rc::clone(&entered));
            let ends = trace.clone();
            let after: After = Rc::new(Cell::new(Some(Box::new(after))));
            let leave = move |entered: Rc<RefCell<Option<EnteredGroup<()>>>>, result| {
                entered.borrow_mut().as_mut().unwrap().body_ended(result);
                settle(entered, out, after)
            };
            let thrown_at = leave.clone();
            plan()
                .call(move || {
                    entering.replace(Some(EnteredGroup::new(&group).unwrap()));
                    create(&group);
                })
                .wait(leaf)
                .call(move || ends.log("body ends"))
                .then_with(move || leave(leaving, result.map_err(Thrown::Error)))
                .except(move |thrown| thrown_at(entered, Err(thrown)))
        }
    }
}

/// What a task does after its group.
type After = Rc<Cell<Option<Box<dyn FnOnce() -> Plan>>>>;

/// What `co.group` does after its part of the body.
fn settle(entered: Rc<RefCell<Option<EnteredGroup<()>>>>, trace: Trace, after: After) -> Plan {
    let children = entered.borrow_mut().as_mut().unwrap().children();
    let Some(children) = children else {
        let entered = entered.take().unwrap();
        return match entered.exit() {
            Ok(result) => {
                trace.log(told(&result));
                after.take().unwrap()()
            }
            Err(thrown) => {
                trace.log(format!("let out: {thrown}"));
                plan().raise(thrown)
            }
        };
    };
    let (waits, again) = (Rc::clone(&entered), after.clone());
    let waited = move |entered: Rc<RefCell<Option<EnteredGroup<()>>>>, result, after| {
        entered.borrow_mut().as_mut().unwrap().waited(result);
        settle(entered, trace, after)
    };
    let thrown_at = waited.clone();
    plan()
        .wait(move || children)
        .then_with(move || waited(waits, Ok(()), after))
        .except(move |thrown| thrown_at(entered, Err(thrown), again))
}

/// What a task does after its group that is looked at: it tells how often it was asked to end, and waits.
pub(super) fn after(trace: &Trace) -> impl FnOnce() -> Plan + 'static {
    let trace = trace.clone();
    move || {
        trace.log(format!("cancelling: {}", crate::task::current().unwrap().cancelling()));
        let next = plan().wait(yield_now).call(log(&trace, "went on"));
        next.except(move |thrown| {
            trace.log(format!("next wait: {thrown}"));
            plan().raise(thrown)
        })
    }
}

/// Rule 25: a group is over when its body and all children have ended, and children may create others.
pub fn a_group_waits_for_its_children<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            let (again, inner) = (group.clone(), logs.clone());
            let creates = plan().wait(|| sleep(secs(2))).call(move || {
                let late = plan().wait(|| sleep(secs(3))).call(log(&inner, "grandchild ends"));
                again.create_task(child::<F>(late)).unwrap().detach();
                inner.log("child ends");
            });
            group.create_task(child::<F>(creates)).unwrap().detach();
        };
        run::<F>(&event_loop, grouped(form, &group, create, || sleep(secs(1)), Ok(()), &trace)).unwrap();
        trace.expect(&["body ends", "child ends", "grandchild ends", "group: done"]);
        assert_eq!(event_loop.time().as_secs_f64(), 5.0);
        assert_eq!((event_loop.all_tasks().len(), event_loop.pending_timers()), (0, 0));
    }
}

/// Rule 25: the error of a child cancels its siblings, and the body; all are waited for; nobody was asked to end by it.
pub fn a_failed_child_cancels_its_siblings_and_the_body<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let reported = reports(&event_loop);
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            group.create_task(cleaned::<F>("first", 2, &logs)).unwrap().detach();
            group.create_task(failing::<F>(1, "out of luck")).unwrap().detach();
            group.create_task(cleaned::<F>("second", 1, &logs)).unwrap().detach();
        };
        let held = trace.on_drop("body is interrupted");
        let body = move || async move {
            let _held = held;
            pending().await
        };
        let task =
            grouped_then(form, &group, create, body, Ok(()), &trace, after(&trace)).spawn::<F>(&event_loop);
        event_loop.run_until_complete(task).unwrap();
        let mut events = trace.take();
        // The body waits for a future that is dropped: at which moment of that turn is its own affair.
        let dropped = events.iter().position(|event| event == "body is interrupted").unwrap();
        assert!(dropped < 3, "{events:?}");
        events.remove(dropped);
        assert_eq!(
            events,
            [
                "first: the task was cancelled",
                "second: the task was cancelled",
                "second is clean",
                "first is clean",
                "group: 1 error in a group: out of luck",
                "cancelling: 0",
                "went on",
            ]
        );
        assert_eq!(event_loop.time().as_secs_f64(), 3.0);
        reported.expect(&[]);
    }
}

/// Rule 25: the errors of all arrive as one, in the order in which they came, that of the body last.
pub fn errors_arrive_as_one_group<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let reported = reports(&event_loop);
        let create = |group: &TaskGroup| {
            for name in ["one", "two"] {
                let fails = plan()
                    .wait(|| sleep(secs(60)))
                    .except(move |_| plan().raise(Thrown::Error(TaskError::other(name))));
                group.create_task(child::<F>(fails)).unwrap().detach();
            }
            let panics = plan().wait(|| sleep(secs(60))).except(|_| panic!("three"));
            group.create_task(child::<F>(panics)).unwrap().detach();
        };
        let error = Err(TaskError::other("body"));
        run::<F>(&event_loop, grouped(form, &group, create, || sleep(secs(1)), error, &trace)).unwrap();
        let errors = "one; two; the task panicked: three; body";
        trace.expect(&["body ends", &format!("group: 4 errors in a group: {errors}")]);
        reported.expect(&[]);
    }
}

/// Rule 25: a child that is cancelled has not failed.
pub fn a_cancelled_child_fails_no_group<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            let cancelled = group.create_task(cleaned::<F>("child", 1, &logs)).unwrap();
            let other = plan().wait(|| sleep(secs(1))).call(move || assert!(cancelled.cancel()));
            group.create_task(child::<F>(other)).unwrap().detach();
            // Cancelled before it begins, it never runs.
            let never = group.create_task(child::<F>(plan().call(log(&logs, "not reached")))).unwrap();
            never.cancel();
        };
        run::<F>(&event_loop, grouped(form, &group, create, yield_now, Ok(()), &trace)).unwrap();
        trace.expect(&["body ends", "child: the task was cancelled", "child is clean", "group: done"]);
    }
}

/// Rule 25: a cancellation from outside ends the body, or the wait for the children, and the children; then it goes on.
pub fn a_cancellation_from_outside_passes_through_a_group<F: Flavour>(make: MakeLoop<'_>) {
    for (form, body_waits) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            group.create_task(cleaned::<F>("child", 5, &logs)).unwrap().detach();
        };
        let body = move || async move {
            if body_waits {
                pending().await
            }
        };
        let task =
            grouped_then(form, &group, create, body, Ok(()), &trace, after(&trace)).spawn::<F>(&event_loop);
        let (asking, again) = (task.canceller(), task.canceller());
        let main = plan().wait(|| sleep(secs(1))).call(move || assert!(asking.cancel_with("enough")));
        // Once more, while the children clean up, changes nothing.
        let main = main.wait(|| sleep(secs(1))).call(move || assert!(again.cancel_with("hurry")));
        run::<F>(&event_loop, main.wait(|| sleep(secs(9)))).unwrap();
        let mut expected = vec![
            "child: the task was cancelled",
            "child is clean",
            "let out: the task was cancelled: enough",
        ];
        if !body_waits {
            expected.insert(0, "body ends");
        }
        trace.expect(&expected);
        assert!(task.is_cancelled());
        assert_eq!((task.cancelling(), event_loop.all_tasks().len()), (2, 0));
    }
}

/// Rule 25: errors beat a cancellation from outside, which comes again at the next wait, and counts as before.
pub fn errors_hide_a_cancellation_until_the_next_wait<F: Flavour>(make: MakeLoop<'_>) {
    for (form, late) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let create = move |group: &TaskGroup| {
            let fails = plan().wait(|| sleep(secs(60))).except(|_| {
                plan().wait(|| sleep(secs(5))).raise(Thrown::Error(TaskError::other("in its cleanup")))
            });
            group.create_task(child::<F>(fails)).unwrap().detach();
            if late {
                group.create_task(failing::<F>(0, "first")).unwrap().detach();
            }
        };
        let task = grouped_then(form, &group, create, pending, Ok(()), &trace, after(&trace))
            .spawn::<F>(&event_loop);
        let asking = task.canceller();
        let main = plan().wait(|| sleep(secs(1))).call(move || assert!(asking.cancel_with("enough")));
        run::<F>(&event_loop, main.wait(|| sleep(secs(9)))).unwrap();
        let group = if late {
            "group: 2 errors in a group: first; in its cleanup"
        } else {
            "group: 1 error in a group: in its cleanup"
        };
        let events = trace.take();
        assert_eq!(events[..2], [group, "cancelling: 1"], "{form:?}, late: {late}");
        assert!(events[2].starts_with("next wait: the task was cancelled"), "{events:?}");
        assert!(task.is_cancelled());
        assert_eq!((events.len(), task.cancelling()), (3, 1));
    }
}

/// Rule 25: what fails in a group in a group fails that one, and its error is a group in the group; nobody counts it.
pub fn groups_in_groups_keep_their_counts<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let main = plan().wait(move || async move {
        let cancelling = || crate::task::current().unwrap().cancelling();
        let (outer, inner) = (TaskGroup::new(), TaskGroup::new());
        let result = outer
            .run(async {
                outer.create_task(cleaned::<F>("outer child", 1, &again))?.detach();
                let result = inner
                    .run(async {
                        inner.create_task(cleaned::<F>("inner child", 1, &again))?.detach();
                        inner.create_task(failing::<F>(1, "within"))?.detach();
                        pending::<Result<(), TaskError>>().await
                    })
                    .await;
                assert_eq!(cancelling(), 0);
                again.log(told(&result));
                Ok(result?)
            })
            .await;
        assert_eq!(cancelling(), 0);
        again.log(told(&result));
        let Err(GroupError::Failed(errors)) = result else { panic!("{result:?}") };
        assert!(matches!(errors.errors(), [TaskError::Group(_)]));
        assert_eq!(errors.leaves().count(), 1);
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[
        "inner child: the task was cancelled",
        "inner child is clean",
        "group: 1 error in a group: within",
        "outer child: the task was cancelled",
        "outer child is clean",
        "group: 1 error in a group: (1 error in a group: within)",
    ]);
}

/// Rule 25: a group can be cancelled without an error, while its body waits and after it.
pub fn a_group_can_be_cancelled_without_an_error<F: Flavour>(make: MakeLoop<'_>) {
    for (form, body_waits) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            group.create_task(cleaned::<F>("child", 1, &logs)).unwrap().detach();
        };
        let body = move || async move {
            if body_waits {
                pending().await
            }
        };
        let task =
            grouped_then(form, &group, create, body, Ok(()), &trace, after(&trace)).spawn::<F>(&event_loop);
        let main = plan().wait(|| sleep(secs(1))).call(move || group.cancel_with("enough"));
        run::<F>(&event_loop, main.wait(|| sleep(secs(9)))).unwrap();
        let group = if body_waits { "group: cancelled" } else { "group: done" };
        let mut expected = vec![
            "child: the task was cancelled: enough",
            "child is clean",
            group,
            "cancelling: 0",
            "went on",
        ];
        if !body_waits {
            expected.insert(0, "body ends");
        }
        trace.expect(&expected);
        assert!(task.is_done() && !task.is_cancelled());
    }
}

/// Rules 21, 25: a child that the body awaits is cancelled once, whoever is told first: its cleanup is not interrupted.
pub fn an_awaited_child_is_cancelled_once<F: Flavour>(make: MakeLoop<'_>) {
    for (form, child_first) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let (event_loop, trace, group, event) = (make(), Trace::new(), TaskGroup::new(), Event::new());
        let handle: Rc<RefCell<Option<JoinHandle<i64>>>> = Rc::default();
        let (keep, logs) = (Rc::clone(&handle), trace.clone());
        let create = move |group: &TaskGroup| {
            let waited = event.clone();
            let awaited =
                cleaned_after::<F, _>(move || async move { waited.wait().await }, "awaited", 5, &logs);
            keep.replace(Some(group.create_task(awaited).unwrap()));
            let other = plan().wait(|| sleep(secs(1))).call(move || {
                // Then it is ready before the body hears of anything.
                if child_first {
                    event.set();
                }
            });
            let other = other.raise(Thrown::Error(TaskError::other("other")));
            group.create_task(child::<F>(other)).unwrap().detach();
        };
        let body = move || async move { drop(handle.take().unwrap().await) };
        run::<F>(&event_loop, grouped(form, &group, create, body, Ok(()), &trace)).unwrap();
        let mut events = trace.take();
        // It may see that the child has ended, before it is told itself.
        events.retain(|event| event != "body ends");
        let expected =
            ["awaited: the task was cancelled", "awaited is clean", "group: 1 error in a group: other"];
        assert_eq!(events, expected, "{form:?}, child first: {child_first}");
    }
}

/// Rules 24, 25: a cancellation from outside passes a limit around a group as well, also when nobody has to clean up.
pub fn a_cancellation_passes_a_limit_around_a_group<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let limited = plan().wait(|| async {
        drop(timeout(secs(9), TaskGroup::new().run(pending::<Result<(), TaskError>>())).await);
    });
    let task = limited.spawn::<F>(&event_loop);
    let asking = task.canceller();
    run::<F>(
        &event_loop,
        plan().wait(yield_now).call(move || assert!(asking.cancel())).wait(|| sleep(secs(1))),
    )
    .unwrap();
    assert!(task.is_cancelled());
}

/// Rules 24, 29: the children of a group clean up before a timeout or a scope around it is over.
pub fn a_limit_around_a_group_waits_for_its_children<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let main = plan().wait(move || async move {
        let limited = |name| {
            let (group, again) = (TaskGroup::new(), again.clone());
            async move {
                let body = async {
                    group.create_task(cleaned::<F>(name, 2, &again))?.detach();
                    pending::<Result<(), TaskError>>().await
                };
                group.run(body).await
            }
        };
        assert_eq!(timeout(secs(1), limited("edge")).await.map(drop), Err(TimeoutError));
        again.log(now());
        assert!(move_on_after(secs(1), limited("level")).await.is_none());
        again.log(now());
        assert_eq!(crate::task::current().unwrap().cancelling(), 0);
    });
    run::<F>(&event_loop, main).unwrap();
    let cancelled = "the task was cancelled";
    trace.expect(&[
        &format!("edge: {cancelled}"),
        "edge is clean",
        "3.000000000",
        &format!("level: {cancelled}"),
        "level is clean",
        "6.000000000",
    ]);
}
