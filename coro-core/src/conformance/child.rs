//! The laws of the children of groups: which are refused, how they begin, and who hears of their end.

use std::cell::Cell;
use std::future::{Future, pending};
use std::rc::Rc;

use super::group::{FORMS, Form, after, child, cleaned, failing, grouped, grouped_then, told};
use super::setting::{MakeLoop, log, reports, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::Thrown;
use crate::context::{self, ContextVar};
use crate::event_loop::EventLoop;
use crate::group::{BorrowingGroup, GroupError, Refusal, StartError, Started, TaskGroup};
use crate::native::catch;
use crate::scope::timeout;
use crate::task::{self, TaskError};
use crate::time::{now, sleep, yield_now};

/// Rule 25: a group takes no child before it is entered, while it shuts down and after its end; the child comes back.
pub fn a_group_hands_back_what_it_refuses<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let (again, logs) = (group.clone(), trace.clone());
    let refused = move |group: &TaskGroup, why: Refusal| {
        let refused = group.create_task(child::<F>(plan().call(log(&logs, "ran")))).unwrap_err();
        assert_eq!(refused.why(), why);
        refused.into_child()
    };
    let main = plan().wait(move || async move {
        let never = refused(&again, Refusal::NotEntered);
        let late = refused.clone();
        let body = async {
            again.cancel();
            drop(refused(&again, Refusal::ShuttingDown));
            Ok(())
        };
        again.run(body).await.unwrap();
        drop(late(&again, Refusal::Finished));
        let entered = again.run(async { Ok(()) }).await;
        assert!(matches!(entered, Err(GroupError::AlreadyEntered)));
        // It is as good as new.
        let other = TaskGroup::new();
        other.run(async { other.create_task(never)?.await }).await.unwrap();
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["ran"]);
}

/// A group that is dropped cancels its children, and what they fail with then is reported.
pub fn a_dropped_group_cancels_its_children<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let reported = reports(&event_loop);
    let logs = trace.clone();
    let main = plan().wait(move || async move {
        let body = async {
            group.create_task(cleaned::<F>("child", 1, &logs))?.detach();
            let fails = plan()
                .wait(pending)
                .except(|_| plan().wait(|| sleep(secs(2))).raise(Thrown::Error(TaskError::other("late"))));
            group.create_task(child::<F>(fails))?.named("fails").detach();
            sleep(secs(60)).await;
            Ok(())
        };
        let mut running = Box::pin(group.run(body));
        let mut polls = 0;
        std::future::poll_fn(|cx| {
            assert!(running.as_mut().poll(cx).is_pending());
            polls += 1;
            if polls > 1 {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        yield_now().await;
        drop(running);
        logs.log("dropped");
        assert_eq!(group.create_task(child::<F>(plan())).unwrap_err().why(), Refusal::ShuttingDown);
        sleep(secs(5)).await;
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["dropped", "child: the task was cancelled", "child is clean"]);
    reported.expect(&["fails never retrieved: late"]);
}

/// Rule 25: a group leaves the counter as it found it: also that of a task that has swallowed a cancellation.
pub fn a_group_in_a_cleanup_leaves_the_counter_alone<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let again = trace.clone();
        let task = plan().wait(pending).except(move |_| {
            let create = |group: &TaskGroup| {
                group.create_task(failing::<F>(1, "out of luck")).unwrap().detach();
            };
            grouped_then(form, &group, create, pending, Ok(()), &again, after(&again))
        });
        let task = task.spawn::<F>(&event_loop);
        let asking = task.canceller();
        run::<F>(&event_loop, plan().wait(yield_now).call(move || assert!(asking.cancel()))).unwrap();
        event_loop.run_until_complete(task).unwrap();
        trace.expect(&["group: 1 error in a group: out of luck", "cancelling: 1", "went on"]);
    }
}

/// Rule 25: what fails in a group ends the group in which its body waits, children and all, and counts for nobody.
pub fn a_failed_child_ends_the_group_in_its_body<F: Flavour>(make: MakeLoop<'_>) {
    for form in FORMS {
        let (event_loop, trace, outer) = (make(), Trace::new(), TaskGroup::new());
        let (logs, again) = (trace.clone(), trace.clone());
        let create = move |group: &TaskGroup| {
            group.create_task(cleaned::<F>("outer child", 1, &logs)).unwrap().detach();
            group.create_task(failing::<F>(1, "out of luck")).unwrap().detach();
        };
        let body = move || async move {
            let inner = TaskGroup::new();
            let waits = async {
                inner.create_task(cleaned::<F>("inner child", 2, &again))?.detach();
                pending::<Result<(), TaskError>>().await
            };
            again.log(told(&inner.run(waits).await));
        };
        let task = grouped_then(form, &outer, create, body, Ok(()), &trace, after(&trace));
        run::<F>(&event_loop, task).unwrap();
        let cancelled = "the task was cancelled";
        trace.expect(&[
            &format!("outer child: {cancelled}"),
            &format!("inner child: {cancelled}"),
            "outer child is clean",
            "inner child is clean",
            "group: 1 error in a group: out of luck",
            "cancelling: 0",
            "went on",
        ]);
        assert_eq!(event_loop.time().as_secs_f64(), 3.0);
        assert!(event_loop.all_tasks().is_empty());
    }
}

/// A child whose destructor panics has failed, also if it gave a value.
pub fn a_panic_in_the_destructor_of_a_child_fails_the_group<F: Flavour>(make: MakeLoop<'_>) {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let create = |group: &TaskGroup| {
        group.create_task(child::<F>(plan().hold(Bomb))).unwrap().detach();
    };
    run::<F>(&event_loop, grouped(Form::Around, &group, create, pending, Ok(()), &trace)).unwrap();
    trace.expect(&["group: 1 error in a group: the task panicked: in a destructor"]);
}

/// trio's `nursery.start`: it waits until the child is ready. Until then its errors are for who waits, then for the group.
pub fn start_waits_until_a_child_is_ready<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let (again, cancelled) = (trace.clone(), trace.clone());
    let ready = |ready: Started<i64>| {
        let ready = plan().wait(|| sleep(secs(1))).call(move || ready.ready(7).unwrap());
        child::<F>(ready.wait(|| sleep(secs(1))).raise(Thrown::Error(TaskError::other("after it was ready"))))
    };
    let main = plan().wait(move || async move {
        let body = async {
            let early = group.start(|_: Started<()>| failing::<F>(0, "too early")).await;
            assert!(matches!(&early, Err(StartError::Failed(error)) if error.to_string() == "too early"));
            let mute = group.start(|_: Started<()>| child::<F>(plan().returns(3))).await;
            assert!(matches!(mute, Err(StartError::Returned(3))));
            // It has not told, and never will.
            let waits = group.start(|_: Started<()>| cleaned::<F>("unready", 1, &cancelled));
            assert!(timeout(secs(1), waits).await.is_err());
            let (_child, seven) = group.start(ready).await?;
            again.log(format!("ready with {seven} at {}", now()));
            pending::<Result<(), TaskError>>().await
        };
        again.log(told(&group.run(body).await));
        let late = group.start(|_: Started<()>| child::<F>(plan())).await;
        assert!(matches!(late, Err(StartError::Refused(Refusal::Finished))));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[
        "unready: the task was cancelled: the time is up",
        "unready is clean",
        "ready with 7 at 3.000000000",
        "group: 1 error in a group: after it was ready",
    ]);
}

/// Results are taken as the children end; an error ends the group.
pub fn a_join_set_gives_results_as_they_come<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let again = trace.clone();
    let ends = Rc::new(Cell::new(0));
    let counted = Rc::clone(&ends);
    let main = plan().wait(move || async move {
        let body = async {
            let mut set = group.join_set();
            let number =
                |seconds: u64| child::<F>(plan().wait(move || sleep(secs(seconds))).returns(seconds as i64));
            assert!(set.join_next().await.is_none());
            for seconds in [3, 1, 2] {
                set.create_task(number(seconds))?;
            }
            while let Some(result) = set.join_next().await {
                again.log(result?);
                counted.set(counted.get() + 1);
                if counted.get() < 6 {
                    set.create_task(number(counted.get()))?;
                }
            }
            assert!(set.is_empty());
            set.create_task(failing::<F>(1, "last"))?;
            set.join_next().await;
            Ok(())
        };
        again.log(told(&group.run(body).await));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["1", "2", "1", "3", "2", "3", "4", "5", "group: 1 error in a group: last"]);
}

/// Rule 12: the group has an eager child in its first step. An error in that fails the group, and a cancellation by the
/// group reaches it: one of its own making, and a later one.
pub fn an_eager_child_belongs_to_its_group_from_its_first_step<F: Flavour>(make: MakeLoop<'_>) {
    let eager = |group: &TaskGroup, plan: Plan| {
        task::Builder::new().eager(true).spawn_in(group, child::<F>(plan)).unwrap()
    };
    for form in [Form::Around, Form::Part] {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            group.create_task(cleaned::<F>("never begun", 1, &logs)).unwrap().detach();
            eager(group, cleaning("sibling", &logs)).detach();
            let fails = plan().call(log(&logs, "fails")).raise(Thrown::Error(TaskError::other("at once")));
            let handle = eager(group, fails);
            logs.log(format!("done: {}, children: {}", handle.is_done(), group.len()));
            let refused = task::Builder::new().spawn_in(group, child::<F>(plan())).unwrap_err();
            assert_eq!(refused.why(), Refusal::ShuttingDown);
        };
        run::<F>(&event_loop, grouped(form, &group, create, pending, Ok(()), &trace)).unwrap();
        trace.expect(&[
            "fails",
            "done: true, children: 2",
            "sibling: the task was cancelled",
            "sibling is clean",
            "group: 1 error in a group: at once",
        ]);
        let (event_loop, group) = (make(), TaskGroup::new());
        let logs = trace.clone();
        let create = move |group: &TaskGroup| {
            let own = group.clone();
            let cancels = plan().call(move || own.cancel_with("enough"));
            eager(group, cancels.then(cleaning("own", &logs))).detach();
        };
        run::<F>(&event_loop, grouped(form, &group, create, pending, Ok(()), &trace)).unwrap();
        trace.expect(&["own: the task was cancelled: enough", "own is clean", "group: cancelled"]);
    }
}

/// Waits for a minute, and says when it is cancelled, and that it is clean.
fn cleaning(name: &'static str, trace: &Trace) -> Plan {
    let trace = trace.clone();
    plan().wait(|| sleep(secs(60))).except(move |thrown| {
        trace.log(format!("{name}: {thrown}"));
        let clean = move || trace.log(format!("{name} is clean"));
        plan().wait(|| sleep(secs(1))).call(clean).raise(thrown)
    })
}

/// A child has the name, the context and the place of its builder, and is shown as what it is; a set can take its result.
pub fn a_builder_begins_a_child<F: Flavour>(make: MakeLoop<'_>) {
    static NUMBER: ContextVar<i64> = ContextVar::new("number");
    let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
    let (again, context) = (trace.clone(), context::Context::new());
    let given = context.clone();
    let main = plan().wait(move || async move {
        let body = async {
            let (logs, named) = (again.clone(), task::Builder::new().name("download").context(given.clone()));
            let body = plan().call(move || {
                logs.log(task::current().unwrap().info().name);
                NUMBER.set(7);
            });
            let (child, line) = (named.spawn_in(&group, child::<F>(body.returns(3)))?, line!());
            again.log(format!("begun: {}", child.is_done()));
            assert_eq!((child.info().spawned_at.file(), child.info().spawned_at.line()), (file!(), line));
            assert!(!child.info().function.contains("InGroup"), "{}", child.info().function);
            let mut set = group.join_set();
            set.push(child);
            again.log(set.join_next().await.unwrap()?);
            Ok(())
        };
        again.log(told(&group.run(body).await));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["begun: false", "download", "3", "group: done"]);
    assert_eq!(context.get(&NUMBER), Some(7));
}

/// Children that borrow are polled in place, and end as tasks would: what fails cancels the others and the body, cleanups
/// are waited for, also when the cancellation comes from outside.
pub fn children_may_borrow<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let task = plan().wait(move || async move {
        let (names, begun) = (["first".to_string(), "second".to_string()], Cell::new(0));
        let clean = async |name: &str| {
            begun.set(begun.get() + 1);
            let result = catch(sleep(secs(60))).await;
            sleep(secs(1)).await;
            again.log(format!("{name} is clean"));
            result.map_err(TaskError::from)
        };
        for fails in [true, false] {
            let group = BorrowingGroup::new();
            let body = async {
                for name in &names {
                    group.add(clean(name))?;
                }
                if fails {
                    group.add(async {
                        sleep(secs(1)).await;
                        panic!("out of luck")
                    })?;
                }
                let _held = again.on_drop("body is interrupted");
                pending::<Result<(), TaskError>>().await
            };
            again.log(told(&group.run(body).await));
            assert_eq!(begun.take(), 2);
            assert_eq!(group.add(async {}).unwrap_err().why(), Refusal::Finished);
        }
    });
    let task = task.spawn::<F>(&event_loop);
    let asking = task.canceller();
    let main = plan().wait(|| sleep(secs(5))).call(move || assert!(asking.cancel())).wait(|| sleep(secs(5)));
    run::<F>(&event_loop, main).unwrap();
    let ends = ["body is interrupted", "first is clean", "second is clean"];
    let failed = "group: 1 error in a group: the task panicked: out of luck";
    trace.expect(&[&ends[..], &[failed], &ends].concat());
    assert!(task.is_cancelled());
}

/// The laws of groups, and of waiting for several tasks: a part of [`event_loop_conformance!`](crate::event_loop_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __group_scenarios {
    ($flavour:ty, $make_loop:expr) => {
        $crate::__scenarios!(
            group,
            $flavour,
            (&$make_loop),
            [
                a_group_waits_for_its_children,
                a_failed_child_cancels_its_siblings_and_the_body,
                errors_arrive_as_one_group,
                a_cancelled_child_fails_no_group,
                a_cancellation_from_outside_passes_through_a_group,
                errors_hide_a_cancellation_until_the_next_wait,
                groups_in_groups_keep_their_counts,
                a_group_can_be_cancelled_without_an_error,
                an_awaited_child_is_cancelled_once,
                a_cancellation_passes_a_limit_around_a_group,
                a_limit_around_a_group_waits_for_its_children,
            ]
        );
        $crate::__scenarios!(
            child,
            $flavour,
            (&$make_loop),
            [
                a_group_hands_back_what_it_refuses,
                a_dropped_group_cancels_its_children,
                a_group_in_a_cleanup_leaves_the_counter_alone,
                a_failed_child_ends_the_group_in_its_body,
                a_panic_in_the_destructor_of_a_child_fails_the_group,
                start_waits_until_a_child_is_ready,
                a_join_set_gives_results_as_they_come,
                an_eager_child_belongs_to_its_group_from_its_first_step,
                a_builder_begins_a_child,
                children_may_borrow,
            ]
        );
        $crate::__scenarios!(circle, $flavour, (&$make_loop), [a_circle_through_a_group_can_be_cancelled]);
        $crate::__scenarios!(
            combinator,
            $flavour,
            (&$make_loop),
            [
                a_cancelled_gather_ends_its_tasks_first,
                a_cancelled_task_does_not_cancel_its_gather,
                gather_returns_exceptions_if_asked,
                a_scope_around_a_gather_waits_for_its_tasks,
                wait_knows_three_conditions,
                wait_ends_at_its_time,
                a_wait_that_is_given_up_leaves_its_tasks,
                as_completed_ends_at_its_time,
                as_completed_is_a_stream,
                a_race_waits_for_its_losers,
                a_cancelled_race_ends_its_tasks_first,
                a_staggered_race_begins_one_after_the_other,
                a_cancelled_staggered_race_ends_its_tasks_first,
            ]
        );
    };
}
