//! What does it cost to make a coroutine, under the contract and on the bare engine beneath it?
//!
//! `create` makes one and drops it; `to the first yield` runs it so far before. `bare` is the engine by itself:
//! `Box::pin` of an `async` block, `genawaiter::rc::Gen`, and `corosensei::Coroutine` on a stack that was used before, as
//! a fiber of ours gets it, or on a fresh one. What they allocate is in `examples/tests/allocations.rs`.
//!
//! ```text
//! cargo bench -p coro-examples --bench create
//! ```

mod common;

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use coro_core::native::{self, Native};
use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;
use corosensei::stack::DefaultStack;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// As large as those of our fibers.
const STACK_BYTES: usize = 64 * 1024;

/// Makes one with `make`, and perhaps runs it to its first yield with `run`.
fn both<T>(group: &mut Group<'_>, flavour: &str, form: &str, mut make: impl FnMut() -> T, run: fn(&mut T)) {
    group.bench_function(BenchmarkId::new(flavour, format!("{form}, create")), |bench| {
        bench.iter(|| drop(black_box(make())));
    });
    group.bench_function(BenchmarkId::new(flavour, format!("{form}, to the first yield")), |bench| {
        bench.iter(|| {
            let mut made = black_box(make());
            run(&mut made);
            drop(black_box(made));
        });
    });
}

fn contract<C>(group: &mut Group<'_>, flavour: &str, form: &str, make: impl FnMut() -> C)
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    both(group, flavour, form, make, |coroutine| match coroutine.start() {
        Ok(Outcome::Yielded(value)) => _ = black_box(value),
        _ => unreachable!(),
    });
}

fn native(group: &mut Group<'_>) {
    contract(group, "native", "static", || native::new(async |co| co.yield_(0).await.map(|_| ())));
    contract(group, "native", "boxed", || Native::new(async |co| co.yield_(0).await.map(|_| ())));
    let bare = || -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {
            let mut polled = false;
            poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
                .await;
        })
    };
    both(group, "native", "bare", bare, |body| {
        let polled = body.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        _ = black_box(polled);
    });
}

fn generator(group: &mut Group<'_>) {
    contract(group, "generator", "static", || coro_gen::new(async |co| co.yield_(0).await.map(|_| ())));
    contract(group, "generator", "boxed", || Gen::new(async |co| co.yield_(0).await.map(|_| ())));
    let bare = || {
        genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move {
            co.yield_(0).await;
        })
    };
    both(group, "generator", "bare", bare, |generator| _ = black_box(generator.resume_with(0)));
}

fn fiber(group: &mut Group<'_>) {
    scope(|scope| {
        let own = || scope.own(Fiber::new(|co| co.yield_(0).map(|_| ())));
        contract(group, "fiber", "owned", own);
        contract(group, "fiber", "of the scope", || scope.fiber(|co| co.yield_(0).map(|_| ())));
    });
    bare_fiber(group, "bare, pooled", true);
    bare_fiber(group, "bare, fresh", false);
}

/// A stack is what is left of a suspended fiber, and only by unwinding it.
fn bare_fiber(group: &mut Group<'_>, form: &str, pooled: bool) {
    let mut pool = None;
    for (what, started) in [("create", false), ("to the first yield", true)] {
        group.bench_function(BenchmarkId::new("fiber", format!("{form}, {what}")), |bench| {
            bench.iter(|| {
                let stack = pool.take().unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("memory"));
                let mut fiber = corosensei::Coroutine::<u64, u64, (), _>::with_stack(stack, |yielder, _| {
                    yielder.suspend(0);
                });
                if started {
                    _ = black_box(fiber.resume(0));
                }
                fiber.force_unwind();
                pool = pooled.then(|| fiber.into_stack());
            });
        });
    }
}

fn create(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("create");
    native(&mut group);
    generator(&mut group);
    fiber(&mut group);
    group.finish();
}

criterion_group! {
    name = benches;
    config = common::quick();
    targets = create
}
criterion_main!(benches);
