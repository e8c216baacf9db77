//! What a suspended fiber shows of its stack, and that it does not notice. Run under the address sanitizer.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use coro_core::coroutine::OwnStack;
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::stats::{self, Flavour};
use coro_core::task::Backtrace;
use coro_core::time::{now, sleep, yield_now};
use coro_fiber::{Fiber, Options, StackPool, TaskCo, in_fiber, scope, stack_used};

const SECOND: Duration = Duration::from_secs(1);

#[inline(never)]
fn leaf(co: &mut TaskCo<'_>) -> TaskResult<u32> {
    co.wait(sleep(SECOND))?;
    Ok(black_box(1))
}

#[inline(never)]
fn middle(co: &mut TaskCo<'_>) -> TaskResult<u32> {
    Ok(leaf(co)? + black_box(1))
}

#[inline(never)]
fn body(co: &mut TaskCo<'_>) -> TaskResult<u32> {
    Ok(middle(co)? + black_box(1))
}

/// Runs `look` when the tasks that were spawned before have had their first turn.
fn look_at<T: 'static>(event_loop: &Loop, look: impl FnOnce() -> T + 'static) -> T {
    let looker = async move {
        yield_now().await;
        look()
    };
    event_loop.run(looker).unwrap()
}

/// What is on the stack of each frame, the innermost frame first, without what it does not show.
fn stacks(backtrace: &Backtrace) -> Vec<Option<String>> {
    let shown = |stack: &OwnStack| match stack {
        OwnStack::Captured(captured) => Some(captured.to_string()),
        _ => None,
    };
    backtrace.frames.iter().map(|frame| shown(&frame.stack)).collect()
}

/// Where the names are, which are there in this order.
fn assert_in_order(text: &str, names: &[&str]) {
    let lines: Vec<_> = names
        .iter()
        .map(|name| {
            text.lines().position(|line| line.ends_with(name)).unwrap_or_else(|| panic!("{name}: {text}"))
        })
        .collect();
    assert!(lines.is_sorted(), "{lines:?}: {text}");
}

#[test]
fn the_calls_of_a_waiting_fiber_are_shown_from_the_leaf_to_the_body_and_no_others() {
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(Options::new().name("reader").task(body)).named("Ann");
    let shown = look_at(&event_loop, move || task.backtrace().unwrap().to_string());
    assert!(shown.starts_with("<Task pending name='Ann' fiber coro=<reader() running at "), "{shown}");
    assert!(shown.contains("  0: fiber reader, Running, made at "), "{shown}");
    assert_in_order(&shown, &["backtrace::leaf", "backtrace::middle", "backtrace::body"]);
    for other in ["answer_probe", "JoinHandle", "look_at", "corosensei::", "force_capture"] {
        assert!(!shown.contains(other), "{other}: {shown}");
    }
}

#[test]
fn each_fiber_of_a_chain_has_its_calls() {
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(coro_fiber::task(|co: &mut TaskCo<'_>| {
        let between = Native::new(async |co| {
            let inner = Fiber::new(|co: &mut TaskCo<'_>| leaf(co));
            co.yield_from(inner).await
        });
        co.yield_from(between)
    }));
    let stacks = look_at(&event_loop, move || stacks(&task.backtrace().unwrap()));
    let [Some(inner), None, Some(outer)] = &stacks[..] else { panic!("{stacks:?}") };
    assert_in_order(inner, &["backtrace::leaf"]);
    assert!(outer.contains("yield_from") && !outer.contains("backtrace::leaf"), "{outer}");
}

#[test]
fn a_fiber_that_has_not_begun_has_a_frame_and_no_stack_and_one_that_has_ended_nothing() {
    let event_loop = Loop::simulated();
    let mut task = event_loop.spawn(coro_fiber::task(body));
    let before = task.backtrace().unwrap();
    let [frame] = &before.frames[..] else { panic!("{before}") };
    assert_eq!(frame.info.state, State::Created);
    assert!(matches!(frame.stack, OwnStack::None), "{before}");
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 3);
    assert!(task.backtrace().is_none());
}

#[test]
fn a_fiber_that_runs_has_no_backtrace_and_is_left_out_of_all_of_them() {
    let event_loop = Loop::simulated();
    let waiting = event_loop.spawn(coro_fiber::task(body)).named("waits");
    let own = Rc::new(RefCell::new(None::<JoinHandle<bool>>));
    let handle = Rc::clone(&own);
    let inner = event_loop.clone();
    let task = event_loop.spawn(coro_fiber::task(move |co: &mut TaskCo<'_>| {
        co.wait(yield_now())?;
        let all = inner.all_backtraces();
        let names: Vec<_> = all.iter().map(|backtrace| backtrace.task.name.to_string()).collect();
        assert_eq!(names, ["waits", "last"]);
        assert!(in_fiber());
        Ok(handle.borrow().as_ref().unwrap().backtrace().is_none())
    }));
    *own.borrow_mut() = Some(task);
    let last = event_loop.spawn(async { sleep(SECOND).await }).named("last");
    event_loop.run_until_complete(last).unwrap();
    assert!(own.take().unwrap().try_result().unwrap().unwrap());
    drop(waiting);
}

/// Goes down until at most so much of the stack is left, and waits there. Gives what was left.
#[inline(never)]
fn fill(co: &mut TaskCo<'_>, left: usize) -> TaskResult<usize> {
    let block = black_box([1u8; 256]);
    let used = stack_used().unwrap();
    let room = used.stack_bytes - used.now;
    let room = if room > left {
        fill(co, left)?
    } else {
        co.wait(sleep(SECOND))?;
        room
    };
    black_box(block);
    Ok(room)
}

/// Of a fiber on a stack of which so much is left.
#[cfg(unix)]
fn of_a_full_stack(left: usize) -> (Backtrace, usize) {
    let event_loop = Loop::simulated();
    let task = Options::new().stack_bytes(32 * 1024).task(move |co| fill(co, left));
    let mut task = event_loop.spawn(task);
    event_loop.run_until_complete(event_loop.spawn(async { yield_now().await })).unwrap();
    let backtrace = task.backtrace().unwrap();
    let room = event_loop.run_until_complete(&mut task).unwrap();
    (backtrace, room)
}

#[cfg(unix)]
#[test]
fn a_stack_with_too_little_room_is_not_looked_at() {
    for left in [8 * 1024, 15 * 1024] {
        let (backtrace, room) = of_a_full_stack(left);
        assert!(room <= left && room > left - 2 * 1024, "{room}");
        assert!(matches!(backtrace.frames[0].stack, OwnStack::NoRoom(16_384)), "{backtrace}");
        assert!(
            backtrace.to_string().contains("too full to look at: 16384 bytes must be free"),
            "{backtrace}"
        );
    }
    let (backtrace, room) = of_a_full_stack(20 * 1024);
    assert!(room > 17 * 1024, "{room}");
    assert!(matches!(backtrace.frames[0].stack, OwnStack::Captured(_)), "{backtrace}");
}

#[cfg(unix)]
#[test]
fn a_look_takes_less_than_half_of_the_room_that_it_asks_for() {
    let event_loop = Loop::simulated();
    let pool = StackPool::builder().build();
    let task = Options::new().pool(&pool).task(|co| {
        let before = stack_used().unwrap();
        co.wait(sleep(SECOND))?;
        Ok((before, stack_used().unwrap()))
    });
    let mut task = event_loop.spawn(task);
    event_loop.run_until_complete(event_loop.spawn(async { yield_now().await })).unwrap();
    let backtrace = task.backtrace().unwrap();
    let (before, after) = event_loop.run_until_complete(&mut task).unwrap();
    assert!(matches!(backtrace.frames[0].stack, OwnStack::Captured(_)), "{backtrace}");
    assert_eq!(after.now, before.now);
    assert!(after.peak - after.now < 8 * 1024, "{before:?} {after:?}");
}

/// A program in which fibers send, wait, and end in all ways; `look` is called between their turns.
fn program(look: impl Fn(&[JoinHandle<u32>]) + 'static) -> (Vec<String>, stats::Counts) {
    let before = stats::counts(Flavour::Fiber);
    let event_loop = Loop::simulated();
    let log = Rc::new(RefCell::new(Vec::new()));
    let handles: Vec<_> = (1..4)
        .map(|number| {
            let log = Rc::clone(&log);
            event_loop.spawn(coro_fiber::task(move |co: &mut TaskCo<'_>| {
                for round in 0..3 {
                    log.borrow_mut().push(format!("{} {number} {round}", now()));
                    co.wait(sleep(SECOND * number))?;
                    co.wait(yield_now())?;
                }
                middle(co)
            }))
        })
        .collect();
    let seen = Rc::clone(&log);
    event_loop
        .run(async move {
            for _ in 0..10 {
                sleep(SECOND / 2).await;
                look(&handles);
            }
            handles[1].cancel();
            for handle in handles {
                look(std::slice::from_ref(&handle));
                let result = handle.await;
                seen.borrow_mut().push(format!("{} {result:?}", now()));
            }
        })
        .unwrap();
    let after = stats::counts(Flavour::Fiber);
    let counts = stats::Counts {
        resumes: after.resumes - before.resumes,
        yields: after.yields - before.yields,
        parks: after.parks - before.parks,
    };
    (log.take(), counts)
}

#[test]
fn a_program_goes_on_as_if_nobody_had_looked() {
    let unseen = program(|_| ());
    let looks = Rc::new(Cell::new(0));
    let count = Rc::clone(&looks);
    let seen = program(move |tasks| {
        for task in tasks.iter().filter(|task| !task.is_done()) {
            for _ in 0..20 {
                assert!(task.backtrace().is_some());
                count.set(count.get() + 1);
            }
        }
    });
    assert_eq!(seen, unseen);
    assert!(looks.get() >= 500, "{}", looks.get());
}

#[test]
fn a_thousand_looks_leave_a_fiber_at_its_yield() {
    scope(|scope| {
        let mut fiber = scope.fiber::<u32, u32, (u32, usize), ()>(|co| {
            let before = stack_used().map_or(0, |used| used.now);
            let sent = co.yield_(1)?;
            Ok((sent, stack_used().map_or(0, |used| used.now) - before))
        });
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        for _ in 0..1_000 {
            assert_eq!(fiber.backtrace().len(), 1);
            assert_eq!(fiber.state(), State::Suspended);
            assert!(!in_fiber());
        }
        assert_eq!(fiber.send(7), Ok(Outcome::Returned((7, 0))));
        assert!(fiber.backtrace().is_empty());
    });
}

#[test]
fn a_fiber_that_was_looked_at_is_unwound_when_it_is_dropped() {
    struct Tells(Rc<Cell<bool>>);

    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    let dropped = Rc::new(Cell::new(false));
    let tells = Tells(Rc::clone(&dropped));
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(move |co| {
            let _tells = tells;
            co.yield_(())
        });
        fiber.start().unwrap();
        drop(fiber.backtrace());
        assert!(!dropped.get());
    });
    assert!(dropped.get());
}

#[test]
fn a_look_by_a_destructor_during_a_panic_leaves_the_fiber_able_to_wait() {
    struct Looks(Rc<RefCell<Option<JoinHandle<u32>>>>);

    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let shown = self.0.borrow().as_ref().unwrap().backtrace().unwrap();
            assert!(matches!(shown.frames[0].stack, OwnStack::Captured(_)), "{shown}");
        }
    }

    let event_loop = Loop::simulated();
    let task = Rc::new(RefCell::new(Some(event_loop.spawn(coro_fiber::task(|co: &mut TaskCo<'_>| {
        co.wait(yield_now())?;
        body(co)
    })))));
    let looks = Looks(Rc::clone(&task));
    let panics = event_loop.spawn(async move {
        let _looks = looks;
        yield_now().await;
        panic!("with a look");
    });
    assert!(event_loop.run_until_complete::<()>(panics).is_err());
    let task = task.take().unwrap();
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 3);
}
