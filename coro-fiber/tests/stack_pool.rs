//! The stacks of a thread: how many, from where, and what becomes of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::rc::Rc;

use coro_core::native;
use coro_core::prelude::*;
use coro_fiber::{Fiber, Options, ScopedFiber, StackPool, scope};

type Numbers = Fiber<(), u64, u64, ()>;

/// Yields its number, and returns it.
fn number(options: &Options, number: u64) -> Numbers {
    options.fiber(move |co| {
        co.yield_(number)?;
        Ok(number)
    })
}

fn pool(capacity: usize) -> (StackPool, Options) {
    let pool = StackPool::builder().capacity(capacity).build();
    let options = Options::new().pool(&pool);
    (pool, options)
}

#[test]
fn stacks_begin_at_different_depths_of_their_pages() {
    let options = pool(200).1;
    let depths: Vec<usize> = scope(|scope| {
        let fiber = |_| {
            scope.own(options.fiber::<(), usize, (), (), _>(|co| {
                let here = black_box(0u8);
                co.yield_(std::ptr::from_ref(&here).addr())
            }))
        };
        let mut fibers: Vec<_> = (0..200).map(fiber).collect();
        fibers.iter_mut().map(|fiber| fiber.start().unwrap().yielded().unwrap() % 4096).collect()
    });
    let different: BTreeSet<_> = depths.iter().collect();
    if cfg!(unix) {
        // By lines of the cache, over half a page.
        assert_eq!(different.len(), 32, "{depths:?}");
    }
}

#[test]
fn a_thread_has_a_pool_for_each_size() {
    let of_this_thread = StackPool::of_this_thread();
    let before = of_this_thread.statistics();
    scope(|scope| {
        let mut usual =
            [Options::new(), Options::new().stack_bytes(65_536), Options::new().stack_bytes(40_000)]
                .map(|options| scope.own(number(&options, 1)));
        let mut other = scope.own(number(&Options::new().stack_bytes(1 << 17), 1));
        for fiber in usual.iter_mut().chain([&mut other]) {
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        }
        assert_eq!(of_this_thread.statistics().in_use, before.in_use + 3);
    });
    std::thread::spawn(|| assert_eq!(StackPool::of_this_thread().statistics().free, 0)).join().unwrap();
}

#[test]
fn too_many_free_stacks_give_their_memory_back() {
    // Room for ten, as each takes 64 KiB and a guard page.
    let pool = StackPool::builder().warm_bytes(10 * 70 * 1024).build();
    let options = Options::new().pool(&pool);
    let run = |count: u64| {
        scope(|scope| {
            let mut fibers: Vec<_> = (0..count).map(|n| scope.own(number(&options, n))).collect();
            for (n, fiber) in (0..).zip(&mut fibers) {
                assert_eq!(fiber.start(), Ok(Outcome::Yielded(n)));
            }
        });
    };
    run(9);
    assert_eq!((pool.statistics().free, pool.statistics().given_back), (9, 0));
    run(100);
    // Half of them each time.
    assert_eq!((pool.statistics().free, pool.statistics().given_back), (100, 95));
    // They are used again.
    run(100);
    assert_eq!((pool.statistics().free, pool.statistics().in_use), (100, 0));
}

#[test]
fn a_pool_lives_as_long_as_a_fiber_on_one_of_its_stacks() {
    scope(|scope| {
        let mut fibers: Vec<_> = {
            let (_pool, options) = pool(100);
            (0..100).map(|n| scope.own(number(&options, n))).collect()
        };
        for (n, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(n)));
        }
        fibers.truncate(50);
        for (n, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.send(()), Ok(Outcome::Returned(n)));
        }
    });
}

/// Leaves a text on the stack of a fiber that nobody can resume any more, and says where.
fn forget(options: &Options, text: &'static str) -> usize {
    let at = Rc::new(Cell::new(0));
    let seen = Rc::clone(&at);
    scope(|scope| {
        let mut forgotten = scope.own(options.fiber::<(), u64, (), (), _>(move |co| {
            let mut on_the_stack = [0; 64];
            on_the_stack[..text.len()].copy_from_slice(text.as_bytes());
            seen.set(black_box(&on_the_stack).as_ptr().expose_provenance());
            co.yield_(1)?;
            black_box(&on_the_stack);
            Ok(())
        }));
        assert_eq!(forgotten.start(), Ok(Outcome::Yielded(1)));
        std::mem::forget(forgotten);
    });
    at.get()
}

#[test]
fn a_forgotten_fiber_keeps_its_stack_when_its_pool_and_its_thread_are_gone() {
    let texts = ["in a pool of its own", "in the thread's"];
    let addresses = std::thread::spawn(move || {
        let (pool, options) = pool(10);
        // Others of the same chunk, which are free when the pool goes.
        scope(|scope| {
            let mut others = [1, 2].map(|n| scope.own(number(&options, n)));
            others.iter_mut().for_each(|other| _ = other.start());
        });
        let first = forget(&options, texts[0]);
        assert_eq!((pool.statistics().in_use, pool.statistics().free), (1, 1));
        [first, forget(&Options::new(), texts[1])]
    });
    let addresses = addresses.join().unwrap();
    // Enough that the memory would be used for something else, were it free.
    for _ in 0..10 {
        let other = || scope(|scope| _ = scope.own(number(&Options::new(), 1)).start());
        std::thread::spawn(other).join().unwrap();
    }
    for (address, text) in addresses.into_iter().zip(texts) {
        // SAFETY: the array is on a stack that is never unmapped nor used again.
        let left = unsafe { *std::ptr::with_exposed_provenance::<[u8; 64]>(address) };
        assert_eq!(&left[..text.len()], text.as_bytes());
    }
}

#[test]
fn fibers_begin_while_their_thread_ends() {
    struct AtTheEnd(Option<Numbers>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let fiber = self.0.take().unwrap();
            assert_eq!(scope(|scope| scope.own(fiber).start()), Ok(Outcome::Yielded(5)));
        }
    }
    thread_local! {
        static KEPT: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    std::thread::spawn(|| {
        // Destroyed after the thread's pools, which are older.
        KEPT.with(|kept| *kept.borrow_mut() = None);
        scope(|scope| _ = scope.own(number(&Options::new(), 1)).start());
        KEPT.set(Some(AtTheEnd(Some(number(&Options::new(), 5)))));
    })
    .join()
    .unwrap();
}

#[test]
fn a_hundred_thousand_fibers_live_at_once() {
    let count = 100_000;
    scope(|scope| {
        let mut fibers: Vec<ScopedFiber<'_, (), u64, u64, ()>> =
            (0..count).map(|n| scope.own(number(&Options::new(), n))).collect();
        for (n, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(n)));
        }
        assert_eq!(StackPool::of_this_thread().statistics().in_use as u64, count);
        for (n, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.send(()), Ok(Outcome::Returned(n)));
        }
    });
    let statistics = StackPool::of_this_thread().statistics();
    assert_eq!((statistics.in_use, statistics.free as u64), (0, count));
}

/// In so long a turn, memory is asked for ahead.
#[test]
fn many_fibers_among_other_tasks_take_turns() {
    const TASKS: usize = 20_000;
    // Some end in each of the turns.
    let rounds = |number: usize| 1 + number % 5;
    let order = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&order);
    let run = Loop::simulated().run(coro_fiber::task(move |co| {
        let tasks: Vec<_> = (0..TASKS)
            .map(|number| {
                let log = Rc::clone(&log);
                let note = move |round| log.borrow_mut().push((round, number));
                if number % 3 == 0 {
                    return native::spawn(async move {
                        for round in 0..rounds(number) {
                            note(round);
                            yield_now().await;
                        }
                    });
                }
                coro_fiber::spawn(move |co| {
                    for round in 0..rounds(number) {
                        note(round);
                        co.wait(yield_now())?;
                    }
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            co.wait(task)??;
        }
        Ok(())
    }));
    run.unwrap();
    let expected = (0..5).flat_map(|round| (0..TASKS).map(move |number| (round, number)));
    let expected: Vec<_> = expected.filter(|&(round, number)| round < rounds(number)).collect();
    assert!(*order.borrow() == expected, "all take their turns, in order");
}
