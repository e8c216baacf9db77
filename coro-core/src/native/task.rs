//! Native tasks: any future, as a coroutine that yields nothing.

use core::any::type_name;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::InPlace;
use crate::backend::{Airlock, Engine, Machine, Progress};
use crate::coroutine::{Coroutine, InputOf, Resumed, State, Thrown};
use crate::event_loop::{Loop, RunError};
use crate::runner;
use crate::stats::Flavour;
use crate::task::{JoinHandle, TaskError};

/// A future as a coroutine that an event loop drives. Made by [`task()`].
///
/// A loop polls the future where the task is. Resumed by hand, it gets a place of its own on the heap first.
pub struct Task<F: Future> {
    /// Until it is resumed by hand.
    future: Option<F>,
    begun: Option<Begun<F>>,
    made_at: &'static Location<'static>,
}

/// A task that was resumed by hand.
pub(super) type Begun<F> = Machine<FutureEngine<F>>;

/// Makes a task of `future`. Nothing runs until it is spawned.
///
/// # Cancellation
///
/// A cancellation drops the future where it is suspended: its destructors run, the code after the `.await` does
/// not. In a [`catch`](super::catch), only what is in that is dropped, and the code after it runs.
#[track_caller]
pub fn task<F: Future>(future: F) -> Task<F> {
    Task { future: Some(future), begun: None, made_at: Location::caller() }
}

/// Spawns `future` on the running loop.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    Loop::spawn_on_running("native::spawn", task(future))
}

/// Runs `future` on a new loop of the default driver, to its end. [Ctrl-C](crate::runner::Runner#ctrl-c) interrupts it.
///
/// # Errors
///
/// [`RunError`], if the program could not run to its end.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let answer = coro_core::native::run(async {
///     coro_core::time::sleep(Duration::from_millis(1)).await;
///     42
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[track_caller]
pub fn run<F: Future + 'static>(future: F) -> Result<F::Output, RunError> {
    runner::run(task(future))
}

impl<F: Future> Task<F> {
    /// For the cell of a task.
    #[inline(always)]
    pub(crate) fn into_body(self) -> InPlace<F> {
        let Self { future, begun, made_at } = self;
        match future {
            Some(future) => InPlace::new(future),
            None => InPlace::begun(begun.unwrap_or_else(|| begin(None, made_at))),
        }
    }
}

fn begin<F: Future>(future: Option<F>, made_at: &'static Location<'static>) -> Begun<F> {
    let engine = FutureEngine { airlock: Airlock::default(), future: future.map(Box::pin) };
    Machine::new(engine, type_name::<F>(), made_at)
}

impl<F: Future> Coroutine for Task<F> {
    type Send = ();
    type Yield = Infallible;
    type Return = F::Output;
    type Error = TaskError;

    fn state(&self) -> State {
        self.begun.as_ref().map_or(State::Created, Coroutine::state)
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let Self { future, begun, made_at } = self;
        begun.get_or_insert_with(|| begin(future.take(), made_at)).poll_resume(cx, input)
    }
}

impl<F: Future> fmt::Debug for Task<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// The future of a task that is resumed by hand.
pub(super) struct FutureEngine<F> {
    /// Never used by the body: a plain future has no `Co`, so no throw can land in it.
    airlock: Airlock<(), Infallible, TaskError>,
    /// `None` once it has ended.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Engine for FutureEngine<F> {
    type Send = ();
    type Yield = Infallible;
    type Return = F::Output;
    type Error = TaskError;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);
    const WAITS_ON_ANY_FUTURE: bool = true;

    fn airlock(&self) -> &Airlock<(), Infallible, TaskError> {
        &self.airlock
    }

    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<F::Output, Thrown<TaskError>>> {
        let Some(future) = &mut self.future else { unreachable!("a body that has ended is not run") };
        match future.as_mut().poll(&mut Context::from_waker(wake.unwrap_or(Waker::noop()))) {
            Poll::Ready(output) => Progress::Ended(Ok(output)),
            Poll::Pending => Progress::Suspended,
        }
    }

    fn end(&mut self) {
        self.future = None;
    }
}
