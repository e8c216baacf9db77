//! The stack of a fiber: when it has one, how large it is, and what if there is none.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use coro_core::coroutine::MisuseKind;
use coro_core::prelude::*;
use coro_core::time::sleep;
use coro_fiber::{Fiber, Options, StackError, StackPool, scope, stack_used};

type Numbers = Fiber<(), u64, u64, ()>;

/// Yields its number, and returns it.
fn number(options: &Options, number: u64) -> Numbers {
    options.fiber(move |co| {
        co.yield_(number)?;
        Ok(number)
    })
}

/// Writes to the stack until so many bytes below `from`, and to a few more.
#[inline(never)]
fn touch(from: usize, bytes: usize) -> u8 {
    let block = black_box([1u8; 1024]);
    let here = std::ptr::from_ref(&block).addr();
    let below = if from - here < bytes { touch(from, bytes) } else { 0 };
    black_box(block)[0] ^ below
}

fn touch_bytes(bytes: usize) {
    let here = black_box(0u8);
    black_box(touch(std::ptr::from_ref(&here).addr(), bytes));
}

fn pool(capacity: usize) -> (StackPool, Options) {
    let pool = StackPool::builder().capacity(capacity).build();
    let options = Options::new().pool(&pool);
    (pool, options)
}

fn no_stack<Y, R, E>() -> Outcome<Y, R, E> {
    Outcome::Raised(Thrown::Misuse(MisuseKind::NoStack))
}

#[test]
fn fibers_that_wait_for_their_turn_have_no_stack() {
    let (pool, options) = pool(1);
    let fibers: Vec<_> = (0..1_000).map(|n| number(&options, n)).collect();
    assert_eq!((pool.statistics().in_use, pool.statistics().reserved_bytes), (0, 0));
    scope(|scope| {
        for (n, fiber) in (0..).zip(fibers) {
            let mut fiber = scope.own(fiber);
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(n)));
            assert_eq!(pool.statistics().in_use, 1);
            assert_eq!(fiber.send(()), Ok(Outcome::Returned(n)));
        }
    });
    let statistics = pool.statistics();
    assert_eq!((statistics.in_use, statistics.free, statistics.refused), (0, 1, 0));
}

#[test]
fn an_ended_fiber_gives_its_stack_back_before_it_is_dropped() {
    let (pool, options) = pool(1);
    scope(|scope| {
        let mut ended = [(); 3].map(|()| scope.own(options.fiber::<(), (), u64, (), _>(|_| Ok(1))));
        for fiber in &mut ended {
            assert_eq!(fiber.start(), Ok(Outcome::Returned(1)));
        }
        let mut panics = scope.own(options.fiber::<(), (), (), (), _>(|_| panic!("planted")));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.start())).unwrap_err();
        assert_eq!(pool.statistics().in_use, 0);
    });
}

#[test]
fn a_fiber_that_gets_no_stack_never_runs_and_its_body_is_dropped() {
    let (pool, options) = pool(1);
    let (dropped, trace) = (Rc::new(()), Rc::new(RefCell::new(Vec::new())));
    let weak = Rc::downgrade(&dropped);
    scope(|scope| {
        let mut first = scope.own(number(&options, 1));
        assert_eq!(first.start(), Ok(Outcome::Yielded(1)));
        let (held, seen) = (dropped, Rc::clone(&trace));
        let mut second = scope.own(options.fiber::<(), u64, (), (), _>(move |_| {
            seen.borrow_mut().push(Rc::strong_count(&held));
            Ok(())
        }));
        assert_eq!(second.start(), Ok(no_stack()));
        assert_eq!(second.state(), State::Finished);
        assert!(weak.upgrade().is_none());
        assert_eq!(second.send(()), Err(Misuse::Finished(Some(()))));
        // Nothing else is wrong.
        assert_eq!(first.send(()), Ok(Outcome::Returned(1)));
        assert_eq!(scope.own(number(&options, 3)).start(), Ok(Outcome::Yielded(3)));
    });
    assert!(trace.borrow().is_empty());
    assert_eq!((pool.statistics().in_use, pool.statistics().refused), (0, 1));
}

#[test]
fn a_task_without_a_stack_fails_and_the_others_run_on() {
    let (_pool, options) = pool(2);
    let sleepy = options.clone();
    let results = Loop::simulated().run(async move {
        let task = |n: u64| {
            sleepy.task(move |co| {
                co.wait(sleep(std::time::Duration::from_secs(n)))?;
                Ok(n)
            })
        };
        let spawned: Vec<_> = (1..=3).map(|n| Loop::spawn_on_running("test", task(n))).collect();
        let mut results = Vec::new();
        for handle in spawned {
            results.push(handle.await);
        }
        results
    });
    let results = results.unwrap();
    assert!(
        matches!(results[..], [Ok(1), Ok(2), Err(TaskError::Misuse(MisuseKind::NoStack))]),
        "{results:?}"
    );
}

#[test]
fn a_delegation_to_a_fiber_without_a_stack_raises_where_it_was_asked_for() {
    let (_pool, options) = pool(1);
    let inner = options.clone();
    scope(|scope| {
        let mut outer =
            scope.own(options.fiber::<(), u64, (), (), _>(
                move |co| match co.yield_from(number(&inner, 7)) {
                    Err(Thrown::Misuse(MisuseKind::NoStack)) => co.yield_(1),
                    other => unreachable!("{other:?}"),
                },
            ));
        assert_eq!(outer.start(), Ok(Outcome::Yielded(1)));
        assert_eq!(outer.send(()), Ok(Outcome::Returned(())));
    });
}

#[test]
fn a_reserved_stack_is_taken_at_once_or_refused() {
    let (pool, options) = pool(1);
    let reserved: Numbers = options.reserve(|co| co.yield_(1).map(|()| 2)).unwrap();
    assert_eq!(pool.statistics().in_use, 1);
    let refused: Result<Numbers, _> = options.reserve(|_| Ok(0));
    assert_eq!(refused.unwrap_err(), StackError::Full { capacity: 1 });
    scope(|scope| {
        let mut reserved = scope.own(reserved);
        assert_eq!(reserved.state(), State::Created);
        assert_eq!(reserved.start(), Ok(Outcome::Yielded(1)));
        assert_eq!(reserved.send(()), Ok(Outcome::Returned(2)));
    });
    // Dropped unbegun, it gives its stack back, too.
    let reserved: Result<Numbers, _> = options.reserve(|_| Ok(0));
    drop(reserved);
    assert_eq!(pool.statistics().in_use, 0);
}

#[test]
fn sizes_are_rounded_up_and_impossible_ones_refused() {
    let size = |bytes| StackPool::builder().stack_bytes(bytes).build().statistics().stack_bytes;
    for small in [0, 1, 4095, 4096, 32 * 1024] {
        assert_eq!(size(small), 32 * 1024, "{small}");
        let mut runs = 0;
        scope(|scope| {
            let options = Options::new().stack_bytes(small);
            let mut fiber = scope.own(options.fiber::<(), (), u64, (), _>(|_| Ok(1)));
            assert_eq!(fiber.start(), Ok(Outcome::Returned(1)));
            runs += 1;
        });
        assert_eq!(runs, 1);
    }
    assert_eq!(size(32 * 1024 + 1), 64 * 1024);
    assert_eq!(size(100_000), 128 * 1024);
    for huge in [usize::MAX, usize::MAX / 2 + 2, 1 << (usize::BITS - 1)] {
        let refused: Result<Numbers, _> = Options::new().stack_bytes(huge).reserve(|_| Ok(0));
        assert_eq!(refused.unwrap_err(), StackError::TooLarge { bytes: huge });
        scope(|scope| {
            assert_eq!(scope.own(number(&Options::new().stack_bytes(huge), 1)).start(), Ok(no_stack()));
        });
    }
    // More than the processor can address.
    let refused: Result<Numbers, _> = Options::new().stack_bytes(1 << (usize::BITS - 4)).reserve(|_| Ok(0));
    assert!(matches!(refused, Err(StackError::System { .. })), "{refused:?}");
}

#[test]
fn a_large_stack_is_as_large_as_it_says() {
    let options = Options::new().stack_bytes(8 << 20);
    let used = coro_core::Loop::simulated().run(options.task(|_| {
        touch_bytes(7 << 20);
        Ok(stack_used())
    }));
    if let Some(used) = used.unwrap() {
        assert_eq!(used.stack_bytes, 8 << 20);
        assert!((7 << 20..8 << 20).contains(&used.peak), "{used:?}");
        assert!(used.now < 8 << 10, "{used:?}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let messages = [
        StackError::TooLarge { bytes: 5 },
        StackError::Full { capacity: 3 },
        StackError::System { bytes: 65_536, code: 12 },
    ];
    assert_eq!(
        messages.map(|error| error.to_string()),
        [
            "no address space has room for a stack of 5 bytes: ask for less",
            "all 3 stacks of the pool are in use: let a fiber end first, or give the pool more",
            "the system refused a stack of 65536 bytes (Cannot allocate memory (os error 12)): let fibers end \
             first, or raise its limit (`ulimit -v`, vm.max_map_count)",
        ]
    );
}

#[test]
fn what_is_used_of_a_stack_is_told() {
    assert_eq!(stack_used(), None);
    scope(|scope| {
        let mut fiber = scope.own(Fiber::<(), Option<coro_fiber::StackUsed>, (), ()>::new(|co| {
            co.yield_(stack_used())?;
            touch_bytes(40 * 1024);
            co.yield_(stack_used())?;
            co.yield_(stack_used()).map(|_| ())
        }));
        let mut used = || fiber.next().unwrap().yielded().unwrap();
        let [Some(before), Some(after), Some(later)] = [used(), used(), used()] else { return };
        assert_eq!(stack_used(), None);
        assert!(before.now <= before.peak && before.peak < 20 * 1024, "{before:?}");
        assert!(after.now < 20 * 1024 && (40 * 1024..60 * 1024).contains(&after.peak), "{after:?}");
        assert_eq!((later.peak, later.stack_bytes), (after.peak, 64 * 1024));
    });
    if cfg!(debug_assertions) {
        // Another one on the same stack is not held to account for it.
        let used = scope(|scope| scope.own(Fiber::<(), (), _, ()>::new(|_| Ok(stack_used()))).start());
        let used = used.unwrap().returned().unwrap();
        assert!(used.is_none_or(|used| used.peak < 20 * 1024), "{used:?}");
    }
}

#[test]
fn the_least_stack_is_enough_for_a_panic_with_a_backtrace() {
    let options = Options::new().stack_bytes(0);
    scope(|scope| {
        let mut fiber = scope.own(options.fiber::<(), (), bool, (), _>(|_| {
            let backtrace = std::backtrace::Backtrace::force_capture().to_string();
            let caught = std::panic::catch_unwind(|| panic!("planted, with {:e}", black_box(1.0e300 / 3.0)));
            Ok(backtrace.contains("corosensei") && caught.is_err())
        }));
        assert_eq!(fiber.start(), Ok(Outcome::Returned(true)));
    });
}
