//! What does a resume cost through a chain of delegations?
//!
//! The chain is that of `yield_from`: one resume reaches the innermost body directly. Beside it nested `.await`, which
//! walks down from the outermost at every resume.
//!
//! ```text
//! cargo bench -p coro-examples --bench delegation
//! ```

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;

use coro_core::backend::{AnyCoroutine, AnySub};
use coro_core::coroutine::Shared;
use coro_core::native::{Co, Native};
use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};

type Body = dyn AnyCoroutine<u64, u64, (), ()>;

fn native(depth: usize) -> Box<Body> {
    Box::new(Native::new(async move |co| {
        if depth > 1 {
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
        if depth > 1 {
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
        if depth > 1 {
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
        0 | 1 => native(1),
        depth => Box::new(Gen::new(async move |co| co.yield_from(mixed_sub(depth - 1)).await)),
    }
}

fn mixed_sub(depth: usize) -> Box<dyn AnySub<u64, u64, (), ()>> {
    match depth {
        0 | 1 => native(1),
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
        if depth > 1 {
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
    let mut chain = native(1);
    chain.start().expect("it is new");
    for _ in 1..depth {
        let sub = chain;
        chain = Box::new(Native::new(async move |co| co.yield_from_started(sub, 0).await));
        chain.start().expect("it is new");
    }
    chain
}

/// Every level is behind a handle, which keeps a chain of its own.
fn shared(depth: usize) -> Box<Body> {
    let mut chain = native(1);
    for _ in 1..depth {
        let sub = Shared::new(chain);
        chain = Box::new(Native::new(async move |co| co.yield_from(sub).await));
    }
    chain
}

fn send<C>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, depth: usize, mut chain: C)
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    if chain.state() == State::Created {
        assert_eq!(chain.start(), Ok(Outcome::Yielded(0)));
    }
    group.bench_function(BenchmarkId::new(name, depth), |bench| {
        bench.iter(|| match chain.send(black_box(1)) {
            Ok(Outcome::Yielded(sum)) => sum,
            other => unreachable!("{other:?}"),
        });
    });
}

fn depths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delegation");
    for depth in [1, 10, 100, 1_000, 10_000] {
        send(&mut group, "native", depth, native(depth));
        send(&mut group, "generator", depth, generator(depth));
        scope(|scope| send(&mut group, "fiber", depth, scope.own(fiber(depth))));
        send(&mut group, "mixed", depth, mixed(depth));
        send(&mut group, "started", depth, started(depth));
        if depth <= 1_000 {
            send(
                &mut group,
                "nested await",
                depth,
                Box::new(Native::new(async move |co| nested(co, depth).await)),
            );
            send(&mut group, "shared handles", depth, shared(depth));
        }
    }
    group.finish();
}

criterion_group!(benches, depths);
criterion_main!(benches);
