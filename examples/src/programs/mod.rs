//! The programs: one file each, with the three flavours side by side.
//!
//! In every file, what has nothing to do with suspending (texts, draws, sums) is written once, at the top. What
//! suspends is written three times, in the modules `native`, `generator` and `fiber`, where the contrast of the three is
//! the point; elsewhere once, under the attribute [`coroutine`](macro@coro_core::coroutine), which makes the three of
//! it. Either way a flavour suspends in its own engine only: what it waits for are the leaf operations of the library
//! (a sleep, a queue, a handle), never another flavour's version of the program.

pub mod as_completed;
pub mod asyncq;
mod case;
pub mod chained;
pub mod chess;
pub mod comprehensions;
pub mod countasync;
pub mod countsync;
pub mod create_task;
pub mod endless;
pub mod future_and_task;
pub mod gather;
pub mod hello;
pub mod lexer_parser;
pub mod motw;
pub mod next;
pub mod pipeline;
pub mod rand;
pub mod scripted_sequence;
pub mod tree_walk;
pub mod tutorial;
pub mod unawaited;

use std::time::Duration;

use clap::{CommandFactory, Parser};
use coro_core::coroutine::{Misuse, Outcome};
use coro_core::stats::Flavour;
use coro_core::task::IntoTask;
use coro_core::{EventLoop, Loop, RunError, TaskError, TaskResult};

use crate::transcript::Transcript;

pub use case::{CASES, Case, VERBOSE};

/// What a program gets from outside.
#[derive(Debug)]
pub struct Context {
    /// The loop, new and not running. A program uses it for one run, or not at all.
    pub event_loop: Loop,
    /// Where it prints.
    pub out: Transcript,
}

impl Context {
    /// Runs `main` to its end. Gives its result, and how many seconds of the loop's clock it took.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::run`].
    pub fn timed<T>(&self, main: T) -> Result<(T::Output, f64), RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let start = self.event_loop.time();
        let output = self.event_loop.run(main)?;
        Ok((output, (self.event_loop.time() - start).as_secs_f64()))
    }
}

/// A program with its options, as it is named on the command line.
#[derive(Debug, Clone, Copy, Parser)]
#[command(name = "coro run", rename_all = "snake_case")]
pub enum Program {
    /// Three counters wait one second, all at once
    Countasync,
    /// Three counters block the loop for one second each
    Countsync,
    /// Three tasks draw random numbers until one is high enough
    Rand,
    /// Coroutines that call coroutines: three bakers bake, then eat
    Chained,
    /// Producers and consumers around a queue
    Asyncq(asyncq::Options),
    /// An endless generator, read in two goes
    Endless(endless::Options),
    /// A generator object, and next()
    Next,
    /// An asynchronous generator, and lists made of its items
    Comprehensions,
    /// A task that is started, awaited and asked
    CreateTask,
    /// A future that is set, and a task that cannot be
    FutureAndTask,
    /// Two tasks, their results in the order of the arguments
    Gather,
    /// Two tasks, their results as they complete
    AsCompleted,
    /// A task that nobody waits for is cancelled at the end
    Unawaited,
    /// Hello, one second, world
    Hello,
    /// Twenty-four games of chess: twelve hours, or one
    Chess,
    /// A pipeline of coroutines, fed by hand and on the loop
    Pipeline,
    /// A lexer that yields tokens, and a parser that is sent them
    LexerParser,
    /// Sequences of a game, driven by a frame loop
    ScriptedSequence,
    /// Trees walked by a recursive generator, at the same cost at any depth
    TreeWalk,
    /// A case of a tutorial on coroutines, tasks and futures
    Tutorial {
        /// Which one
        case: tutorial::Tutorial,
    },
    /// A program of the asyncio chapter of Python 3 Module of the Week
    Motw {
        /// Its name there
        program: motw::Motw,
    },
}

impl Program {
    /// The names of all programs, with what they do, in the order in which they are listed everywhere.
    pub fn list() -> Vec<(String, String)> {
        let command = Self::command();
        let describe = |program: &clap::Command| {
            (program.get_name().to_string(), program.get_about().map(ToString::to_string).unwrap_or_default())
        };
        command.get_subcommands().map(describe).collect()
    }

    /// The program that a command line names, such as `asyncq -p 2`.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it has no such option.
    pub fn parse_line(line: &str) -> Result<Self, clap::Error> {
        Self::try_parse_from(["coro run"].into_iter().chain(line.split_whitespace()))
    }

    /// What the parser of the command line cannot see.
    ///
    /// # Errors
    ///
    /// What is wrong with the options.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Asyncq(options) => options.check(),
            _ => Ok(()),
        }
    }

    /// Runs the program.
    ///
    /// # Errors
    ///
    /// If it cannot be run to its end.
    pub fn run(&self, flavour: Flavour, context: &Context) -> Result<(), RunError> {
        match *self {
            Self::Countasync => countasync::run(flavour, context),
            Self::Countsync => countsync::run(flavour, context),
            Self::Rand => rand::run(flavour, context),
            Self::Chained => chained::run(flavour, context),
            Self::Asyncq(options) => asyncq::run(flavour, context, options),
            Self::Endless(options) => endless::run(flavour, context, options),
            Self::Next => next::run(flavour, context),
            Self::Comprehensions => comprehensions::run(flavour, context),
            Self::CreateTask => create_task::run(flavour, context),
            Self::FutureAndTask => future_and_task::run(flavour, context),
            Self::Gather => gather::run(flavour, context),
            Self::AsCompleted => as_completed::run(flavour, context),
            Self::Unawaited => unawaited::run(flavour, context),
            Self::Hello => hello::run(flavour, context),
            Self::Chess => chess::run(flavour, context),
            Self::Pipeline => pipeline::run(flavour, context),
            Self::LexerParser => lexer_parser::run(flavour, context),
            Self::ScriptedSequence => scripted_sequence::run(flavour, context),
            Self::TreeWalk => tree_walk::run(flavour, context),
            Self::Tutorial { case } => tutorial::run(case, flavour, context),
            Self::Motw { program } => motw::run(program, flavour, context),
        }
    }
}

/// Runs the main task of a flavour to its end, for a program that only prints.
fn run_main<F>(
    flavour: Flavour,
    context: &Context,
    native: impl FnOnce(Transcript) -> F,
    generator: impl for<'c> AsyncFnOnce(&'c mut coro_gen::TaskCo, Transcript) -> TaskResult<()> + 'static,
    fiber: impl FnOnce(&mut coro_fiber::TaskCo<'_>, &Transcript) -> TaskResult<()> + 'static,
) -> Result<(), RunError>
where
    F: Future<Output = Result<(), TaskError>> + 'static,
{
    let Context { event_loop, out } = context;
    let out = out.clone();
    match flavour {
        Flavour::Native => Ok(event_loop.run(native(out))??),
        Flavour::Generator => event_loop.run(coro_gen::task(async move |co| generator(co, out).await)),
        Flavour::Fiber => event_loop.run(coro_fiber::task(move |co| fiber(co, &out))),
    }
}

/// The value that a resume yielded, or `None` if the coroutine has ended.
fn yielded<S, Y, R, E>(resumed: Result<Outcome<Y, R, E>, Misuse<S, Y, E>>) -> Result<Option<Y>, TaskError> {
    Ok(resumed?.yielded())
}

/// How long the coroutine of the tutorial's last examples sleeps: for the largest number of its sequence.
fn longest(sequence: &[u32]) -> Duration {
    Duration::from_secs(sequence.iter().copied().max().unwrap_or(0).into())
}

/// A truth value as Python prints it.
fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
