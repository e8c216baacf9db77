//! What does one resume cost, under the contract and on the bare engine beneath it?
//!
//! Each sends a number in and gets a number out, from a body that adds them up for ever.
//!
//! - `static`: the coroutine keeps the type of its body, and a resume calls it directly;
//! - `boxed`: the type of the body is erased, that of the coroutine is not;
//! - `dyn`: behind a `Box<dyn Coroutine>`, from the static form;
//! - `bare`: the engine by itself, `genawaiter::rc::Gen::resume_with`, `corosensei::Coroutine::resume` and the poll of a
//!   future, through which nothing passes;
//! - `bare dyn`: the same behind a `Box<dyn FnMut>` or in a `Pin<Box<dyn Future>>`.
//!
//! ```text
//! cargo bench -p coro-examples --bench resume
//! ```

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::native::{self, Native};
use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;
use corosensei::CoroutineResult;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use genawaiter::GeneratorState;

type Group<'a> = BenchmarkGroup<'a, WallTime>;
type AnyOne<'a> = Box<dyn Coroutine<Send = u64, Yield = u64, Return = (), Error = ()> + 'a>;

/// The body of the stackless flavours: the same tokens, each time with a type of its own.
macro_rules! adder {
    () => {
        async |co| {
            let mut sum = 0;
            loop {
                sum += co.yield_(sum).await?;
            }
        }
    };
}

fn contract<C>(group: &mut Group<'_>, flavour: &str, form: &str, mut coroutine: C)
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    assert_eq!(coroutine.start(), Ok(Outcome::Yielded(0)));
    group.bench_function(BenchmarkId::new(flavour, form), |bench| {
        bench.iter(|| match coroutine.send(black_box(1)) {
            Ok(Outcome::Yielded(sum)) => _ = black_box(sum),
            _ => unreachable!(),
        });
    });
}

fn native(group: &mut Group<'_>) {
    contract(group, "native", "static", native::new(adder!()));
    contract(group, "native", "boxed", Native::new(adder!()));
    let coroutine: AnyOne<'_> = Box::new(native::new(adder!()));
    contract(group, "native", "dyn", coroutine);

    let mut cx = Context::from_waker(Waker::noop());
    let mut body = pin!(bare_future());
    group.bench_function(BenchmarkId::new("native", "bare"), |bench| {
        bench.iter(|| body.as_mut().poll(&mut cx).is_pending());
    });
    let mut body: Pin<Box<dyn Future<Output = ()>>> = Box::pin(bare_future());
    group.bench_function(BenchmarkId::new("native", "bare dyn"), |bench| {
        bench.iter(|| body.as_mut().poll(&mut cx).is_pending());
    });
}

async fn bare_future() {
    let mut sum = 0u64;
    loop {
        sum += 1;
        black_box(sum);
        let mut polled = false;
        poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

fn generator(group: &mut Group<'_>) {
    contract(group, "generator", "static", coro_gen::new(adder!()));
    contract(group, "generator", "boxed", Gen::new(adder!()));
    let coroutine: AnyOne<'_> = Box::new(coro_gen::new(adder!()));
    contract(group, "generator", "dyn", coroutine);

    bare_generator(group, "bare", bare_resume());
    let erased: Box<dyn FnMut(u64) -> GeneratorState<u64, ()>> = Box::new(bare_resume());
    bare_generator(group, "bare dyn", erased);
}

fn bare_resume() -> impl FnMut(u64) -> GeneratorState<u64, ()> {
    let mut generator = genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move {
        let mut sum = 0;
        loop {
            sum += co.yield_(sum).await;
        }
    });
    move |sent| generator.resume_with(sent)
}

fn bare_generator(group: &mut Group<'_>, form: &str, mut resume: impl FnMut(u64) -> GeneratorState<u64, ()>) {
    resume(0);
    group.bench_function(BenchmarkId::new("generator", form), |bench| {
        bench.iter(|| match resume(black_box(1)) {
            GeneratorState::Yielded(sum) => _ = black_box(sum),
            GeneratorState::Complete(()) => unreachable!(),
        });
    });
}

fn fiber(group: &mut Group<'_>) {
    scope(|scope| {
        contract(group, "fiber", "static", scope.own(fiber_adder()));
        let coroutine: AnyOne<'_> = Box::new(scope.own(fiber_adder()));
        contract(group, "fiber", "dyn", coroutine);
    });

    bare_fiber(group, "bare", bare_switch());
    let erased: Box<dyn FnMut(u64) -> CoroutineResult<u64, ()>> = Box::new(bare_switch());
    bare_fiber(group, "bare dyn", erased);
}

fn fiber_adder() -> Fiber<u64, u64, (), ()> {
    Fiber::new(|co| {
        let mut sum = 0;
        loop {
            sum += co.yield_(sum)?;
        }
    })
}

fn bare_switch() -> impl FnMut(u64) -> CoroutineResult<u64, ()> {
    let mut fiber = corosensei::Coroutine::<u64, u64, ()>::new(|yielder, _| {
        let mut sum = 0;
        loop {
            sum += yielder.suspend(sum);
        }
    });
    move |sent| fiber.resume(sent)
}

fn bare_fiber(group: &mut Group<'_>, form: &str, mut resume: impl FnMut(u64) -> CoroutineResult<u64, ()>) {
    resume(0);
    group.bench_function(BenchmarkId::new("fiber", form), |bench| {
        bench.iter(|| match resume(black_box(1)) {
            CoroutineResult::Yield(sum) => _ = black_box(sum),
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

criterion_group! {
    name = benches;
    config = Criterion::default()
        .without_plots()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = resume
}
criterion_main!(benches);
