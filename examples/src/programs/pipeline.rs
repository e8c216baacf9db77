//! A pipeline of typed coroutines: source → filter → running average → sink.
//!
//! This demonstrates:
//!
//! 1. `send`: each stage answers a value with a value, and keeps its state in its local variables;
//! 2. `close`, which a stage can use for its last words: the sink sums up;
//! 3. the same stages fed by hand, without a loop, and driven by the loop, as actors (`drive`);
//! 4. that they are written once: the attribute `coroutine` makes the three flavours of them.
//!
//! Golden: `pipeline.py.out`, from Python's generators, fed by hand both times.

use std::convert::Infallible;

use coro_core::coroutine::CloseError;
use coro_core::event_loop::Driven;
use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_fiber::scope;

use super::{Context, yielded};
use crate::say;
use crate::transcript::Transcript;

const READINGS: [f64; 8] = [21.5, -99.0, 22.5, 23.0, -99.0, 20.0, 24.5, 19.25];

/// The sensor answers -99 when it is broken.
fn valid(reading: f64) -> Option<f64> {
    (reading > -50.0).then_some(reading)
}

#[derive(Default)]
struct Average {
    sum: f64,
    count: u32,
}

impl Average {
    fn add(&mut self, value: f64) -> f64 {
        self.sum += value;
        self.count += 1;
        self.sum / f64::from(self.count)
    }
}

fn print_average(received: u32, average: f64, out: &Transcript) {
    say!(out, "average of {received}: {average:.3}");
}

fn print_end(received: u32, out: &Transcript) {
    say!(out, "sink closed after {received} averages");
}

/// Takes the readings, one after the other.
#[coro_core::coroutine(yields = f64, flavours(native, generator, fiber))]
fn source() -> Result<(), Thrown<Infallible>> {
    for reading in READINGS {
        yield_!(reading)?;
    }
    Ok(())
}

/// Answers a reading with itself if it is one.
#[coro_core::coroutine(send = f64, yields = Option<f64>, flavours(native, generator, fiber))]
fn only_valid() -> Result<(), Thrown<Infallible>> {
    let mut kept = None;
    loop {
        kept = valid(yield_!(kept)?);
    }
}

/// Answers a value with the mean of all so far.
#[coro_core::coroutine(send = f64, yields = f64, flavours(native, generator, fiber))]
fn running_average() -> Result<(), Thrown<Infallible>> {
    let (mut average, mut mean) = (Average::default(), 0.0);
    loop {
        mean = average.add(yield_!(mean)?);
    }
}

/// Prints what it is sent; when it is closed, how much that was.
#[coro_core::coroutine(send = f64, yields = (), flavours(native, generator, fiber))]
fn sink(out: Transcript) -> Result<(), Thrown<Infallible>> {
    let mut received = 0;
    while let Ok(average) = yield_!() {
        received += 1;
        print_average(received, average, &out);
    }
    print_end(received, &out);
    Ok(())
}

/// A stage of the pipeline, of whatever flavour.
trait Stage<S, Y>: Coroutine<Send = S, Yield = Y, Return = (), Error = Infallible> {}

impl<S, Y, C> Stage<S, Y> for C where C: Coroutine<Send = S, Yield = Y, Return = (), Error = Infallible> {}

/// The stages, in one flavour.
struct Stages<A, B, C, D> {
    source: A,
    filter: B,
    average: C,
    sink: D,
}

/// The stages as they are, or given to somebody by a method of theirs.
macro_rules! stages {
    ($flavour:ident, $out:expr $(, $by:ident: $whom:expr)?) => {
        Stages {
            source: $($whom.$by)?(source::$flavour()),
            filter: $($whom.$by)?(only_valid::$flavour()),
            average: $($whom.$by)?(running_average::$flavour()),
            sink: $($whom.$by)?(sink::$flavour($out.clone())),
        }
    };
}

/// What a close came to. The stages have no errors of their own, so that nothing but a misuse can go wrong.
fn closed<S, Y, R>(closed: Result<Option<R>, CloseError<S, Y, Infallible>>) -> Result<(), TaskError> {
    match closed {
        // To end with the exit that it was asked for is how a stage should end.
        Ok(_) | Err(CloseError::Raised(Thrown::Exit)) => Ok(()),
        Err(CloseError::Misuse(misuse)) => Err(misuse.into()),
        Err(CloseError::Raised(Thrown::Misuse(kind))) => Err(TaskError::Misuse(kind)),
        Err(CloseError::Raised(Thrown::Error(never))) => match never {},
    }
}

/// Feeds the stages by hand: plain calls, no loop.
fn by_hand<A, B, C, D>(stages: Stages<A, B, C, D>) -> Result<(), TaskError>
where
    A: Stage<(), f64>,
    B: Stage<f64, Option<f64>>,
    C: Stage<f64, f64>,
    D: Stage<f64, ()>,
{
    let Stages { mut source, mut filter, mut average, mut sink } = stages;
    yielded(filter.start())?;
    yielded(average.start())?;
    yielded(sink.start())?;
    while let Some(reading) = yielded(source.next())? {
        let Some(Some(kept)) = yielded(filter.send(reading))? else { continue };
        let Some(mean) = yielded(average.send(kept))? else { continue };
        yielded(sink.send(mean))?;
    }
    closed(filter.close())?;
    closed(average.close())?;
    closed(sink.close())
}

/// Feeds the stages on the loop, which drives them: every answer is awaited.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn on_the_loop<A, B, C, D>(stages: Stages<Driven<A>, Driven<B>, Driven<C>, Driven<D>>) -> TaskResult<()>
where
    A: Stage<(), f64> + 'static,
    B: Stage<f64, Option<f64>> + 'static,
    C: Stage<f64, f64> + 'static,
    D: Stage<f64, ()> + 'static,
{
    let Stages { source, filter, average, sink } = stages;
    yielded(wait!(filter.start())?)?;
    yielded(wait!(average.start())?)?;
    yielded(wait!(sink.start())?)?;
    while let Some(reading) = yielded(wait!(source.next())?)? {
        let Some(Some(kept)) = yielded(wait!(filter.send(reading))?)? else { continue };
        let Some(mean) = yielded(wait!(average.send(kept))?)? else { continue };
        yielded(wait!(sink.send(mean))?)?;
    }
    closed(wait!(filter.close())?)?;
    closed(wait!(average.close())?)?;
    Ok(closed(wait!(sink.close())?)?)
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If a stage cannot be resumed, or the loop cannot run the program to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "by hand");
    match flavour {
        Flavour::Native => by_hand(stages!(native, out)),
        Flavour::Generator => by_hand(stages!(generator, out)),
        Flavour::Fiber => scope(|scope| by_hand(stages!(fiber, out, own: scope))),
    }?;
    say!(out, "on the loop");
    match flavour {
        Flavour::Native => event_loop.run(on_the_loop::native(stages!(native, out, drive: event_loop))),
        Flavour::Generator => {
            event_loop.run(on_the_loop::generator(stages!(generator, out, drive: event_loop)))
        }
        Flavour::Fiber => event_loop.run(on_the_loop::fiber(stages!(fiber, out, drive: event_loop))),
    }
}
