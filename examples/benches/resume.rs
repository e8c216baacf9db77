//! What does one resume cost, under the contract and on the bare engine beneath it?
//!
//! Each sends a number in and gets a number out, from a body that adds them up for ever. `bare` is the engine by
//! itself: a poll of a boxed future, `genawaiter::rc::Gen::resume_with`, `corosensei::Coroutine::resume`.
//!
//! ```text
//! cargo bench -p coro-examples --bench resume
//! ```

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use coro_core::native::Native;
use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;
use corosensei::CoroutineResult;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn contract<C>(group: &mut Group<'_>, name: &str, mut coroutine: C)
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    assert_eq!(coroutine.start(), Ok(Outcome::Yielded(0)));
    group.bench_function(name, |bench| {
        bench.iter(|| match coroutine.send(black_box(1)) {
            Ok(Outcome::Yielded(sum)) => sum,
            other => unreachable!("{other:?}"),
        });
    });
}

fn native(group: &mut Group<'_>) {
    contract(
        group,
        "native",
        Native::new(async |co| {
            let mut sum = 0;
            loop {
                sum += co.yield_(sum).await?;
            }
        }),
    );
    let mut sum = 0u64;
    let mut body: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
        loop {
            sum += 1;
            let mut polled = false;
            poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
                .await;
            black_box(sum);
        }
    });
    group.bench_function("native/bare", |bench| {
        let mut cx = Context::from_waker(Waker::noop());
        bench.iter(|| body.as_mut().poll(&mut cx));
    });
}

fn generator(group: &mut Group<'_>) {
    contract(
        group,
        "generator",
        Gen::new(async |co| {
            let mut sum = 0;
            loop {
                sum += co.yield_(sum).await?;
            }
        }),
    );
    let mut bare = genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move {
        let mut sum = 0;
        loop {
            sum += co.yield_(sum).await;
        }
    });
    bare.resume_with(0);
    group.bench_function("generator/bare", |bench| {
        bench.iter(|| match bare.resume_with(black_box(1)) {
            genawaiter::GeneratorState::Yielded(sum) => sum,
            genawaiter::GeneratorState::Complete(()) => unreachable!(),
        });
    });
}

fn fiber(group: &mut Group<'_>) {
    let body = Fiber::new(|co| {
        let mut sum = 0;
        loop {
            sum += co.yield_(sum)?;
        }
    });
    scope(|scope| contract(group, "fiber", scope.own(body)));
    let mut bare = corosensei::Coroutine::<u64, u64, ()>::new(|yielder, _| {
        let mut sum = 0;
        loop {
            sum += yielder.suspend(sum);
        }
    });
    bare.resume(0);
    group.bench_function("fiber/bare", |bench| {
        bench.iter(|| match bare.resume(black_box(1)) {
            CoroutineResult::Yield(sum) => sum,
            CoroutineResult::Return(()) => unreachable!(),
        });
    });
}

fn resume(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resume");
    native(&mut group);
    generator(&mut group);
    fiber(&mut group);
    group.finish();
}

criterion_group!(benches, resume);
criterion_main!(benches);
