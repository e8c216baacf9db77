//! A pipeline of typed coroutines: source → filter → running average → sink.
//!
//! This demonstrates:
//!
//! 1. `send`: each stage answers a value with a value, and keeps its state in its local variables;
//! 2. `close`, which a stage can use for its last words: the sink sums up;
//! 3. the same stages fed by hand, without a loop, and driven by the loop, as actors (`drive`).
//!
//! Golden: `pipeline.py.out`, from Python's generators, fed by hand both times.

use std::convert::Infallible;

use coro_core::coroutine::CloseError;
use coro_core::event_loop::{Driven, IntoDriven};
use coro_core::prelude::*;
use coro_core::stats::Flavour;

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

/// The stages, in one flavour.
struct Stages<A, B, C, D> {
    source: A,
    filter: B,
    average: C,
    sink: D,
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
    A: Coroutine<Send = (), Yield = f64, Error = Infallible>,
    B: Coroutine<Send = f64, Yield = Option<f64>, Error = Infallible>,
    C: Coroutine<Send = f64, Yield = f64, Error = Infallible>,
    D: Coroutine<Send = f64, Yield = (), Error = Infallible>,
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

/// A stage that a loop drives.
type OnLoop<A> = Driven<<A as IntoDriven>::Coroutine>;

impl<A: IntoDriven, B: IntoDriven, C: IntoDriven, D: IntoDriven> Stages<A, B, C, D> {
    /// Gives each stage to the loop.
    fn drive(self, event_loop: &Loop) -> Stages<OnLoop<A>, OnLoop<B>, OnLoop<C>, OnLoop<D>> {
        Stages {
            source: event_loop.drive(self.source),
            filter: event_loop.drive(self.filter),
            average: event_loop.drive(self.average),
            sink: event_loop.drive(self.sink),
        }
    }
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If a stage cannot be resumed, or the loop cannot run the program to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let out = &context.out;
    say!(out, "by hand");
    match flavour {
        Flavour::Native => by_hand(native::stages(out)),
        Flavour::Generator => by_hand(generator::stages(out)),
        Flavour::Fiber => fiber::by_hand(out),
    }?;
    say!(out, "on the loop");
    match flavour {
        Flavour::Native => native::run(context),
        Flavour::Generator => generator::run(context),
        Flavour::Fiber => fiber::run(context),
    }
}

mod native {
    use super::*;
    use coro_core::native::Native;

    type Stage<S, Y> = Native<S, Y, ()>;
    type All<A, B, C, D> = Stages<Stage<(), A>, Stage<f64, B>, Stage<f64, C>, Stage<f64, D>>;

    pub(super) fn stages(out: &Transcript) -> All<f64, Option<f64>, f64, ()> {
        let out = out.clone();
        Stages {
            source: Native::new(async |co| {
                for reading in READINGS {
                    co.yield_(reading).await?;
                }
                Ok(())
            }),
            filter: Native::new(async |co| {
                let mut kept = None;
                loop {
                    kept = valid(co.yield_(kept).await?);
                }
            }),
            average: Native::new(async |co| {
                let (mut average, mut mean) = (Average::default(), 0.0);
                loop {
                    mean = average.add(co.yield_(mean).await?);
                }
            }),
            sink: Native::new(async move |co| {
                let mut received = 0;
                while let Ok(average) = co.yield_(()).await {
                    received += 1;
                    print_average(received, average, &out);
                }
                print_end(received, &out);
                Ok(())
            }),
        }
    }

    pub(super) fn run(context: &Context) -> Result<(), RunError> {
        let Stages { source, filter, average, sink } = stages(&context.out).drive(&context.event_loop);
        let fed = context.event_loop.run(async move {
            yielded(filter.start().await)?;
            yielded(average.start().await)?;
            yielded(sink.start().await)?;
            while let Some(reading) = yielded(source.next().await)? {
                let Some(Some(kept)) = yielded(filter.send(reading).await)? else { continue };
                let Some(mean) = yielded(average.send(kept).await)? else { continue };
                yielded(sink.send(mean).await)?;
            }
            closed(filter.close().await)?;
            closed(average.close().await)?;
            closed(sink.close().await)
        });
        Ok(fed??)
    }
}

mod generator {
    use super::*;
    use coro_gen::{Gen, task};

    type Stage<S, Y> = Gen<S, Y, ()>;
    type All<A, B, C, D> = Stages<Stage<(), A>, Stage<f64, B>, Stage<f64, C>, Stage<f64, D>>;

    pub(super) fn stages(out: &Transcript) -> All<f64, Option<f64>, f64, ()> {
        let out = out.clone();
        Stages {
            source: Gen::new(async |co| {
                for reading in READINGS {
                    co.yield_(reading).await?;
                }
                Ok(())
            }),
            filter: Gen::new(async |co| {
                let mut kept = None;
                loop {
                    kept = valid(co.yield_(kept).await?);
                }
            }),
            average: Gen::new(async |co| {
                let (mut average, mut mean) = (Average::default(), 0.0);
                loop {
                    mean = average.add(co.yield_(mean).await?);
                }
            }),
            sink: Gen::new(async move |co| {
                let mut received = 0;
                while let Ok(average) = co.yield_(()).await {
                    received += 1;
                    print_average(received, average, &out);
                }
                print_end(received, &out);
                Ok(())
            }),
        }
    }

    pub(super) fn run(context: &Context) -> Result<(), RunError> {
        let Stages { source, filter, average, sink } = stages(&context.out).drive(&context.event_loop);
        context.event_loop.run(task(async move |co| {
            yielded(co.wait(filter.start()).await?)?;
            yielded(co.wait(average.start()).await?)?;
            yielded(co.wait(sink.start()).await?)?;
            while let Some(reading) = yielded(co.wait(source.next()).await?)? {
                let Some(Some(kept)) = yielded(co.wait(filter.send(reading)).await?)? else { continue };
                let Some(mean) = yielded(co.wait(average.send(kept)).await?)? else { continue };
                yielded(co.wait(sink.send(mean)).await?)?;
            }
            closed(co.wait(filter.close()).await?)?;
            closed(co.wait(average.close()).await?)?;
            Ok(closed(co.wait(sink.close()).await?)?)
        }))
    }
}

mod fiber {
    use super::*;
    use coro_fiber::{Fiber, scope, task};

    type Stage<S, Y> = Fiber<S, Y, ()>;
    type All<A, B, C, D> = Stages<Stage<(), A>, Stage<f64, B>, Stage<f64, C>, Stage<f64, D>>;

    fn stages(out: &Transcript) -> All<f64, Option<f64>, f64, ()> {
        let out = out.clone();
        Stages {
            source: Fiber::new(|co| {
                for reading in READINGS {
                    co.yield_(reading)?;
                }
                Ok(())
            }),
            filter: Fiber::new(|co| {
                let mut kept = None;
                loop {
                    kept = valid(co.yield_(kept)?);
                }
            }),
            average: Fiber::new(|co| {
                let (mut average, mut mean) = (Average::default(), 0.0);
                loop {
                    mean = average.add(co.yield_(mean)?);
                }
            }),
            sink: Fiber::new(move |co| {
                let mut received = 0;
                while let Ok(average) = co.yield_(()) {
                    received += 1;
                    print_average(received, average, &out);
                }
                print_end(received, &out);
                Ok(())
            }),
        }
    }

    /// Each stage is resumed in a scope, which it cannot leave.
    pub(super) fn by_hand(out: &Transcript) -> Result<(), TaskError> {
        let Stages { source, filter, average, sink } = stages(out);
        scope(|scope| {
            super::by_hand(Stages {
                source: scope.own(source),
                filter: scope.own(filter),
                average: scope.own(average),
                sink: scope.own(sink),
            })
        })
    }

    pub(super) fn run(context: &Context) -> Result<(), RunError> {
        let Stages { source, filter, average, sink } = stages(&context.out).drive(&context.event_loop);
        context.event_loop.run(task(move |co| {
            yielded(co.wait(filter.start())?)?;
            yielded(co.wait(average.start())?)?;
            yielded(co.wait(sink.start())?)?;
            while let Some(reading) = yielded(co.wait(source.next())?)? {
                let Some(Some(kept)) = yielded(co.wait(filter.send(reading))?)? else { continue };
                let Some(mean) = yielded(co.wait(average.send(kept))?)? else { continue };
                yielded(co.wait(sink.send(mean))?)?;
            }
            closed(co.wait(filter.close())?)?;
            closed(co.wait(average.close())?)?;
            Ok(closed(co.wait(sink.close())?)?)
        }))
    }
}
