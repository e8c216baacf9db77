//! The laws of what a look at the tasks tells of those that wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use super::group::{Form, child, grouped};
use super::setting::{MakeLoop, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop, Waiting};
use crate::group::TaskGroup;
use crate::time::{sleep, yield_now};

/// The waker of another library, as a `FuturesUnordered` has them.
struct Through(Waker);

impl Wake for Through {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// Logs what the tasks wait for, as they are shown.
fn look(event_loop: &Loop, trace: &Trace) {
    event_loop.stop();
    event_loop.run_forever().unwrap();
    for task in event_loop.all_tasks() {
        let shown = format!("{task:?}");
        let waits = shown.rsplit_once(" waits ").map_or("nothing", |(_, waits)| waits.trim_end_matches('>'));
        trace.log(format!("{}: {waits}", task.name));
    }
}

/// Who waits for a future is found, with the place where that was made; and no more when it is done.
pub fn a_look_finds_who_waits_for_a_future<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let spawn = |name, plan: Plan| plan.spawn::<F>(&event_loop).named(name);
    let ((other, future), line) =
        ((event_loop.create_future::<i64>(), event_loop.create_future::<i64>()), line!());
    let [first, second] = [future.clone(), future.clone()];
    let first = spawn("first", plan().wait(move || async move { drop(first.await) }).wait(|| sleep(secs(9))));
    let _second = spawn("second", plan().wait(move || async move { drop(second.await) }));
    let _third = spawn("third", plan().wait(move || async move { drop(other.await) }));
    look(&event_loop, &trace);
    let waits = |number: u32| format!("for the result of future {number}, made at {}:{line}", file!());
    trace.expect(&[
        &*format!("first: {}", waits(1)),
        &*format!("second: {}", waits(1)),
        &*format!("third: {}", waits(2)),
    ]);
    assert!(
        matches!(first.waits_for()[..], [Waiting::Result { future: 1, made_at }] if made_at.line() == line)
    );
    let _set = event_loop.call_soon(move || future.set_result(7).unwrap());
    look(&event_loop, &trace);
    assert_eq!(first.waits_for(), []);
    look(&event_loop, &trace);
    assert!(matches!(first.waits_for()[..], [Waiting::Until(_)]));
    event_loop.close().unwrap();
}

/// A task that waits for the children of its group says which; and no more when they have ended.
pub fn a_look_finds_who_waits_for_children<F: Flavour>(make: MakeLoop<'_>) {
    for form in [Form::Around, Form::Part] {
        let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
        let create = |group: &TaskGroup| {
            for (name, seconds) in [("left", 1), ("right", 2)] {
                let waits = plan().wait(move || sleep(secs(seconds)));
                group.create_task(child::<F>(waits)).unwrap().named(name).detach();
            }
            for number in 2..7 {
                let waits = child::<F>(plan().wait(yield_now));
                group.create_task(waits).unwrap().named(&format!("other {number}")).detach();
            }
        };
        let parent = grouped(form, &group, create, || async {}, Ok(()), &trace);
        let parent = parent.spawn::<F>(&event_loop).named("parent");
        look(&event_loop, &trace);
        let told = format!("{parent:?}");
        let named = "left, right, other 2, other 3, other 4 and 2 more";
        assert!(told.ends_with(&format!(" waits for its children {named}>")), "{told}");
        // They begin, and they end.
        look(&event_loop, &trace);
        look(&event_loop, &trace);
        let told = format!("{parent:?}");
        assert!(told.ends_with(" waits for its children left, right>"), "{told}");
        event_loop.run_until_complete(plan().wait(|| sleep(secs(1))).spawn::<F>(&event_loop)).unwrap();
        let told = format!("{parent:?}");
        assert!(told.ends_with(" waits for its child right>"), "{told}");
        event_loop.run_until_complete(parent).unwrap();
        assert_eq!(event_loop.all_tasks().len(), 0);
    }
}

/// What is waited for through the waker of another library is not seen, and the look says so. One that is to run waits for
/// nothing.
pub fn a_look_says_what_it_does_not_see<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let spawn = |name, plan: Plan| plan.spawn::<F>(&event_loop).named(name);
    let _foreign = spawn(
        "foreign",
        plan().wait(|| async {
            let mut sleep = pin!(sleep(secs(1)));
            let through = |cx: &Context<'_>| Waker::from(Arc::new(Through(cx.waker().clone())));
            poll_fn(|cx| sleep.as_mut().poll(&mut Context::from_waker(&through(cx)))).await;
        }),
    );
    let _yields = spawn("yields", plan().wait(yield_now).wait(|| sleep(secs(1))));
    look(&event_loop, &trace);
    trace.expect(&["foreign: for something unseen, perhaps through another's waker", "yields: nothing"]);
    event_loop.close().unwrap();
}

/// The laws of what is loud, and of those who look: a part of [`event_loop_conformance!`](crate::event_loop_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __loud_scenarios {
    ($flavour:ty, $make_loop:expr) => {
        $crate::__scenarios!(
            loud,
            $flavour,
            (&$make_loop),
            [
                an_interrupt_cancels_main_and_becomes_the_error,
                an_interrupted_main_may_give_a_result,
                a_main_that_was_cancelled_otherwise_is_cancelled,
                a_second_interrupt_ends_the_run_at_once,
                an_interrupt_at_the_end_of_a_run_cuts_that_short,
                an_interrupt_without_a_main_task_ends_the_run,
                each_run_has_a_first_interrupt,
                a_run_reports_the_errors_of_what_main_left,
                a_runner_ends_what_its_programs_left_when_it_is_closed,
                a_slow_step_is_named_in_debug_mode,
                a_coroutine_that_is_never_awaited_is_named_in_debug_mode,
                a_look_at_tasks_tells_what_they_wait_for_and_who_has_it,
                an_interval_ticks_and_makes_up_for_what_it_missed,
            ]
        );
        $crate::__scenarios!(
            shutdown,
            $flavour,
            (&$make_loop),
            [what_main_left_has_its_grace_period, a_shield_holds_until_the_grace_period_is_over]
        );
        $crate::__scenarios!(
            waits,
            $flavour,
            (&$make_loop),
            [
                a_look_finds_who_waits_for_a_future,
                a_look_finds_who_waits_for_children,
                a_look_says_what_it_does_not_see,
            ]
        );
    };
}
