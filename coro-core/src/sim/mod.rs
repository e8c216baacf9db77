//! Deterministic simulation: a program under every order of events, and under faults, each run of which can be repeated.
//!
//! A [`Sim`] runs a program, of any flavour and unchanged, in a [`World`] of its own: hosts with a loop and a clock
//! each, a network between them, and a virtual time that passes when nothing is ready. Whatever is left to chance there
//! (which of those that are ready runs next, what arrives first, how long it travels, what is lost, the numbers of
//! [`random`](crate::random)) is a *choice*, and the choices come from a seed and are recorded. So a run that fails is
//! repeated from one word, and [shrunk](explore) to a simple one.
//!
//! ```
//! use coro_core::{native::spawn, sim, time::yield_now};
//! use std::{cell::Cell, rc::Rc};
//!
//! /// A counter that forgets: it is read, and written later.
//! async fn count_to(tasks: u32) -> u32 {
//!     let count = Rc::new(Cell::new(0));
//!     let add = |_| {
//!         let count = Rc::clone(&count);
//!         spawn(async move {
//!             let before = count.get();
//!             yield_now().await;
//!             count.set(before + 1);
//!         })
//!     };
//!     for task in (0..tasks).map(add).collect::<Vec<_>>() {
//!         task.await.unwrap();
//!     }
//!     count.get()
//! }
//!
//! let failure = sim::explore(0..100, |_world| async { assert_eq!(count_to(2).await, 2) }).unwrap_err();
//! println!("{failure}");
//! assert!(failure.schedule.len() < 10);
//! ```
//!
//! # What a program must do
//!
//! Nothing but go through the loop: [`time`](crate::time) for the clock and for waiting, [`net`](crate::net) for the
//! network, [`executor`](crate::executor) for functions that block, [`random`](crate::random) for numbers and hash maps
//! whose order matters. Each seed is run twice, and a run
//! that is not the same again is a [failure](FailureKind::Diverged) of its own.
//!
//! # Out of the kit
//!
//! Threads, real sockets and real sleeps: a wake by another thread is a failure, a step that takes long in real time is
//! noted. Destructors of a host that crashed do run, though nobody hears them.

mod explore;
mod failure;
mod hosting;
mod policy;
mod quiet;
mod replay;
mod running;
mod schedule;
mod shrink;
mod trace;
mod trap;
mod world;

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

pub use explore::{Explored, Explorer, check, explore};
pub use failure::{Failure, FailureKind};
pub use policy::Policy;
pub use replay::ReplayError;
pub use schedule::{Schedule, schedules};
pub use world::{Advance, Backwards, Crash, Host, LinkSettings, World};

use crate::driver::simulated::choices::Choices;
use crate::driver::simulated::world::World as Network;
use crate::task::IntoTask;
use replay::Recorded;
use running::{Ran, Running, own_failure};
use trace::{Trace, Traced};

/// How the clock of a simulated world goes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// When everybody waits, it jumps to the next thing that happens.
    #[default]
    Jumping,
    /// It stands still but for [`World::advance`].
    Manual,
}

/// What a program gives in the end: well, or not.
pub trait Verdict {
    /// What went wrong, if it did.
    fn error(&self) -> Option<String>;
}

impl Verdict for () {
    fn error(&self) -> Option<String> {
        None
    }
}

impl<T, E: std::fmt::Debug> Verdict for Result<T, E> {
    fn error(&self) -> Option<String> {
        self.as_ref().err().map(|error| format!("{error:?}"))
    }
}

/// How runs are made.
#[derive(Debug, Clone)]
struct Settings {
    policy: Policy,
    clock: Clock,
    max_steps: u64,
    window: Option<usize>,
    short_transfers: bool,
    spurious_wakes: u16,
    /// If it was said.
    job_time: Option<RangeInclusive<Duration>>,
}

/// How long a job takes, where orders are explored: long enough for one to overtake another.
const JOB_TIME: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_millis(10);

impl Settings {
    fn job_time(&self) -> RangeInclusive<Duration> {
        // A clock that nobody moves would keep a job from its end.
        let explores = self.policy.explores() && self.clock == Clock::Jumping;
        let usual = if explores { JOB_TIME } else { Duration::ZERO..=Duration::ZERO };
        self.job_time.clone().unwrap_or(usual)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::Random,
            clock: Clock::Jumping,
            max_steps: 1_000_000,
            window: None,
            short_transfers: false,
            spurious_wakes: 0,
            job_time: None,
        }
    }
}

/// One simulated run of a program, from a seed.
///
/// # Examples
///
/// ```
/// use coro_core::net::{TcpListener, TcpStream};
/// use coro_core::sim::Sim;
/// use coro_core::time::{now, sleep};
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use std::time::Duration;
///
/// let arrived = Sim::new(7).run(|world| {
///     let server = world.host("server", || async {
///         let mut listener = TcpListener::bind("0.0.0.0:80".parse().unwrap())?;
///         let (mut stream, _) = listener.accept().await?;
///         stream.write_all(b"hello").await
///     });
///     world.links().latency(Duration::from_millis(10)..=Duration::from_millis(20));
///     async move {
///         sleep(Duration::from_secs(1)).await;
///         let mut stream = TcpStream::connect(server.at(80)).await.unwrap();
///         let mut greeting = String::new();
///         stream.read_to_string(&mut greeting).await.unwrap();
///         (greeting, now().as_secs_f64())
///     }
/// });
/// let (greeting, seconds) = arrived.unwrap();
/// assert_eq!(greeting, "hello");
/// assert!((1.02..=1.06).contains(&seconds));
/// ```
#[derive(Debug, Clone)]
pub struct Sim {
    seed: u64,
    settings: Settings,
    recorded: Option<Recorded>,
}

impl Sim {
    /// A run whose choices are drawn from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, settings: Settings::default(), recorded: None }
    }

    /// In which order what is ready runs: any, if nothing else is said.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How the clock goes: it jumps, if nothing else is said.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// After how many steps a run has failed: a million, if nothing else is said.
    #[must_use]
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.settings.max_steps = steps;
        self
    }

    /// How many bytes a connection holds in each direction before its sender waits: 64 KiB, if nothing else is said.
    #[must_use]
    pub fn window(mut self, bytes: usize) -> Self {
        self.settings.window = Some(bytes.max(1));
        self
    }

    /// Lets receives and sends stop short.
    #[must_use]
    pub fn short_transfers(mut self) -> Self {
        self.settings.short_transfers = true;
        self
    }

    /// After how many steps of a thousand somebody who waits is woken for nothing.
    #[must_use]
    pub fn spurious_wakes(mut self, per_mille: u16) -> Self {
        self.settings.spurious_wakes = per_mille;
        self
    }

    /// How long a [job](crate::executor) takes; chosen anew for each, and plainly the least.
    ///
    /// If nothing else is said, up to ten milliseconds, so that jobs overtake each other; in the order of production, or with a
    /// clock that is moved by hand, no time at all, one after the other.
    #[must_use]
    pub fn job_time(mut self, time: RangeInclusive<Duration>) -> Self {
        self.settings.job_time = Some(time);
        self
    }

    /// Runs the program that `program` makes in a world of its own, and gives its result.
    ///
    /// # Errors
    ///
    /// [`Failure`], if it panicked, stalled, did not end, or something went wrong elsewhere in its world. A result that is
    /// an error is the caller's to judge.
    #[track_caller]
    pub fn run<T>(&self, program: impl FnOnce(&World) -> T) -> Result<T::Output, Box<Failure>>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        quiet::install();
        let name = std::any::type_name_of_val(&program);
        let Run { outcome, record } = self.run_once(program, Location::caller(), Traced::Yes, |_| None);
        outcome.map_err(|kind| record.failure(kind, self, name))
    }

    fn choices(&self) -> Choices {
        match &self.recorded {
            Some(recorded) => Choices::recorded(recorded.choices.clone()),
            None => schedule::drawn_from(self.seed),
        }
    }

    /// Runs the program once, judging its result with `judge`.
    fn run_once<T>(
        &self,
        program: impl FnOnce(&World) -> T,
        place: &'static Location<'static>,
        traced: Traced,
        judge: impl Fn(&T::Output) -> Option<String>,
    ) -> Run<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let mut network = Network::default();
        network.choices = self.choices();
        network.job_time = self.settings.job_time();
        network.short_transfers = self.settings.short_transfers;
        network.window = self.settings.window.unwrap_or(network.window);
        let world = World::new(network);
        let running = Running::new(&self.settings, world.clone(), traced == Traced::Yes);
        let result = Rc::new(RefCell::new(None));
        let Some(event_loop) = running.own_loop() else { unreachable!("it was begun with the run") };
        let mut task = event_loop.core().spawn_at(program(&world), place).named("main");
        let kept = Rc::clone(&result);
        let task = RefCell::new(move || {
            let ended = task.try_result()?;
            let well = ended.is_ok();
            *kept.borrow_mut() = Some(ended);
            Some(well)
        });
        drop(event_loop);
        let Ran { failure, steps, trace, hints } = running.run(&|| (task.borrow_mut())());
        let outcome = match (result.take(), failure) {
            (Some(Err(error)), _) => Err(own_failure(error)),
            (_, Some(failure)) => Err(failure),
            (Some(Ok(output)), None) => match judge(&output) {
                None => Ok(output),
                Some(error) => Err(FailureKind::Failed { host: "main".to_string(), error }),
            },
            (None, None) => unreachable!("it ran until there was a result"),
        };
        let mut network = world.0.network.borrow_mut();
        let digest = network.choices.digest().value();
        let choices = network.choices.record().to_vec();
        Run { outcome, record: Record { choices, digest, steps, trace, hints } }
    }
}

/// What a run came to.
struct Run<T> {
    outcome: Result<T, FailureKind>,
    record: Record,
}

/// What is known of a run beside its outcome.
struct Record {
    choices: Vec<u64>,
    /// Of all that must be the same when it is repeated.
    digest: u64,
    steps: u64,
    trace: Option<Trace>,
    hints: Vec<String>,
}

impl Record {
    /// What there is to tell of a run of `program` that has failed.
    fn failure(self, kind: FailureKind, sim: &Sim, program: &str) -> Box<Failure> {
        let recorded = Recorded { choices: self.choices, explores: sim.settings.policy.explores() };
        Box::new(Failure {
            kind,
            seed: sim.seed,
            replay: recorded.encode(program),
            schedule: self.trace.as_ref().map(Trace::lines).unwrap_or_default(),
            hints: self.hints,
            shrunk: false,
        })
    }
}
