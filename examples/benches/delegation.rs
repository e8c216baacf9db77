//! What does a resume cost through a chain of delegations?
//!
//! The chain is that of `yield_from`: one resume reaches the innermost body directly. Beside it nested `.await`, which
//! walks down from the outermost at every resume, as do generators of genawaiter and fibers of corosensei that resume
//! one another, and CPython's `yield from`. The depth is the number of delegations: at depth 1 the body that yields is
//! one level up. What it costs to delegate is in the group `delegating`.
//!
//! ```text
//! cargo bench -p coro-examples --bench delegation
//! cargo bench -p coro-examples --bench delegation -- --plotting-backend plotters
//! ```
//!
//! The second draws the chart as well, in `target/criterion`, which takes longer than the measurement.

mod common;

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::time::Instant;

use coro_core::backend::{AnyCoroutine, AnySub, IntoSub};
use coro_core::coroutine::Shared;
use coro_core::native::{self, Co, Native};
use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;
use corosensei::CoroutineResult;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use genawaiter::GeneratorState;
use python::Python;

#[path = "python/mod.rs"]
mod python;

type Group<'a> = BenchmarkGroup<'a, WallTime>;
type Body = dyn AnyCoroutine<u64, u64, (), ()>;
type Resume = Box<dyn FnMut(u64) -> Option<u64>>;

fn native(depth: usize) -> Box<Body> {
    Box::new(Native::new(async move |co| {
        if depth > 0 {
            return co.yield_from(native(depth - 1)).await;
        }
        let mut sum = 0;
        loop {
            sum += co.yield_(sum).await?;
        }
    }))
}

fn generator(depth: usize) -> Box<Body> {
    Box::new(Gen::new(async move |co| {
        if depth > 0 {
            return co.yield_from(generator(depth - 1)).await;
        }
        let mut sum = 0;
        loop {
            sum += co.yield_(sum).await?;
        }
    }))
}

fn fiber(depth: usize) -> Fiber<u64, u64, (), ()> {
    Fiber::new(move |co| {
        if depth > 0 {
            return co.yield_from(fiber(depth - 1));
        }
        let mut sum = 0;
        loop {
            sum += co.yield_(sum)?;
        }
    })
}

/// The outermost is no fiber, so that it can be resumed anywhere.
fn mixed(depth: usize) -> Box<Body> {
    match depth {
        0 => native(0),
        depth => Box::new(Gen::new(async move |co| co.yield_from(mixed_sub(depth - 1)).await)),
    }
}

fn mixed_sub(depth: usize) -> Box<dyn AnySub<u64, u64, (), ()>> {
    match depth {
        0 => native(0),
        depth if depth % 3 == 0 => {
            Box::new(Native::new(async move |co| co.yield_from(mixed_sub(depth - 1)).await))
        }
        depth if depth % 3 == 1 => {
            Box::new(Gen::new(async move |co| co.yield_from(mixed_sub(depth - 1)).await))
        }
        depth => Box::new(Fiber::new(move |co| co.yield_from(mixed_sub(depth - 1)))),
    }
}

/// The static form: a chain of plain calls that await each other.
fn nested<'a>(
    co: &'a mut Co<u64, u64, ()>,
    depth: usize,
) -> Pin<Box<dyn Future<Output = Result<(), Thrown<()>>> + 'a>> {
    Box::pin(async move {
        if depth > 0 {
            return nested(co, depth - 1).await;
        }
        let mut sum = 0;
        loop {
            sum += co.yield_(sum).await?;
        }
    })
}

/// Every level is started before the next one delegates to it.
fn started(depth: usize) -> Box<Body> {
    let mut chain = native(0);
    chain.start().expect("it is new");
    for _ in 0..depth {
        let sub = chain;
        chain = Box::new(Native::new(async move |co| co.yield_from_started(sub, 0).await));
        chain.start().expect("it is new");
    }
    chain
}

/// Every level is behind a handle, which keeps a chain of its own.
fn shared(depth: usize) -> Box<Body> {
    let mut chain = native(0);
    for _ in 0..depth {
        let sub = Shared::new(chain);
        chain = Box::new(Native::new(async move |co| co.yield_from(sub).await));
    }
    chain
}

/// Bare generators, of which each resumes the next one and yields what that yielded.
fn nested_genawaiter(depth: usize) -> Resume {
    let mut generator = genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move {
        let mut sent = 0;
        if depth > 0 {
            let mut inner = nested_genawaiter(depth - 1);
            while let Some(yielded) = inner(sent) {
                sent = co.yield_(yielded).await;
            }
        } else {
            let mut sum = 0;
            loop {
                sum += co.yield_(sum).await;
            }
        }
    });
    Box::new(move |sent| match generator.resume_with(sent) {
        GeneratorState::Yielded(value) => Some(value),
        GeneratorState::Complete(()) => None,
    })
}

/// The same of bare fibers.
fn nested_corosensei(depth: usize) -> Resume {
    let mut fiber = corosensei::Coroutine::<u64, u64, ()>::new(move |yielder, _| {
        let mut sent = 0;
        if depth > 0 {
            let mut inner = nested_corosensei(depth - 1);
            while let Some(yielded) = inner(sent) {
                sent = yielder.suspend(yielded);
            }
        } else {
            let mut sum = 0;
            loop {
                sum += yielder.suspend(sum);
            }
        }
    });
    Box::new(move |sent| match fiber.resume(sent) {
        CoroutineResult::Yield(value) => Some(value),
        CoroutineResult::Return(()) => None,
    })
}

fn send<C>(group: &mut Group<'_>, name: &str, depth: usize, mut chain: C)
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    if chain.state() == State::Created {
        assert_eq!(chain.start(), Ok(Outcome::Yielded(0)));
    }
    group.bench_function(BenchmarkId::new(name, depth), |bench| {
        bench.iter(|| match chain.send(black_box(1)) {
            Ok(Outcome::Yielded(sum)) => _ = black_box(sum),
            _ => unreachable!(),
        });
    });
}

fn resume(group: &mut Group<'_>, name: &str, depth: usize, mut chain: Resume) {
    assert_eq!(chain(0), Some(0));
    group.bench_function(BenchmarkId::new(name, depth), |bench| {
        bench.iter(|| match chain(black_box(1)) {
            Some(sum) => _ = black_box(sum),
            None => unreachable!(),
        });
    });
}

fn depths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delegation");
    let mut python = Python::start();
    for depth in [1, 10, 100, 1_000, 10_000] {
        send(&mut group, "native", depth, native(depth));
        send(&mut group, "generator", depth, generator(depth));
        scope(|scope| send(&mut group, "fiber", depth, scope.own(fiber(depth))));
        send(&mut group, "mixed", depth, mixed(depth));
        send(&mut group, "started", depth, started(depth));
        if depth > 1_000 {
            continue;
        }
        let nested = Native::new(async move |co| nested(co, depth).await);
        send(&mut group, "nested await", depth, nested);
        send(&mut group, "shared handles", depth, shared(depth));
        resume(&mut group, "nested genawaiter", depth, nested_genawaiter(depth));
        resume(&mut group, "nested corosensei", depth, nested_corosensei(depth));
        if let Some(python) = &mut python {
            group.bench_function(BenchmarkId::new("CPython", depth), |bench| {
                bench.iter_custom(|sends| python.sends(depth, sends));
            });
        }
    }
    group.finish();
}

/// Delegates as often as it is told to, each time to a new sub.
fn delegating<C>(group: &mut Group<'_>, name: &str, make: impl Fn() -> C + Clone)
where
    C: IntoSub<u64, u64, (), Return = u64> + 'static,
{
    let made = make.clone();
    group.bench_function(BenchmarkId::new("create and drop", name), |bench| {
        bench.iter(|| drop(black_box(made())));
    });
    let mut delegator = native::borrowing::<u64, u64, (), (), _>(async |co| {
        let mut times = co.yield_(0).await?;
        loop {
            let mut sum = 0;
            for _ in 0..times {
                sum += co.yield_from(black_box(make())).await?;
            }
            times = co.yield_(sum).await?;
        }
    });
    assert_eq!(delegator.start(), Ok(Outcome::Yielded(0)));
    group.bench_function(BenchmarkId::new("create and delegate", name), |bench| {
        bench.iter_custom(|times| {
            let begin = Instant::now();
            let sum = delegator.send(times);
            let taken = begin.elapsed();
            assert_eq!(sum, Ok(Outcome::Yielded(times)));
            taken
        });
    });
}

/// Of a sub that returns at once: what a delegation costs is the difference between the two.
fn subs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delegating");
    delegating(&mut group, "native", || native::new(async |_| Ok(1)));
    delegating(&mut group, "native, boxed", || Native::new(async |_| Ok(1)));
    delegating(&mut group, "generator", || coro_gen::new(async |_| Ok(1)));
    delegating(&mut group, "fiber", || Fiber::new(|_| Ok(1)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = common::quick();
    targets = depths, subs
}
criterion_main!(benches);
