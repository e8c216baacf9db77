//! The programs of the asyncio chapter of Doug Hellmann's *Python 3 Module of the Week*, by their names there.
//!
//! They are small, and each shows one thing; what it prints is the point. So every body, but for those of `show_task.rs`, is
//! written once, under the attribute [`coroutine`](macro@coro_core::coroutine), in files that follow the sections of the
//! chapter.
//!
//! Where Python had to start several coroutines at once, the chapter's programs gave them to `wait` or `as_completed`, which
//! put them into a set and started them in its order. Ours start tasks in the order in which they are given, and so give them
//! in the order that the golden shows.
//!
//! References: <https://pymotw.com/3/asyncio/>. Goldens: the files in `goldens/motw`.

mod callbacks;
mod coroutines;
mod debugging;
mod futures;
mod queue;
mod show_task;
mod synchronization;
mod tasks;

use clap::ValueEnum;
use coro_core::RunError;
use coro_core::stats::Flavour;

use super::Context;

/// A program of the chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Motw {
    /// A coroutine is made, and runs when the loop does
    Coroutine,
    /// A coroutine returns a value
    CoroutineReturn,
    /// A coroutine awaits two others, one after the other
    CoroutineChain,
    /// Callbacks in the order in which they were registered
    CallSoon,
    /// Callbacks after a delay
    CallLater,
    /// Callbacks at a time of the loop's clock
    CallAt,
    /// A loop that runs until it is stopped
    Stop,
    /// A future that the loop runs until it is set
    FutureEventLoop,
    /// A future that is awaited
    FutureAwait,
    /// Callbacks of a future, in the order in which they were added
    FutureCallback,
    /// A task as it is shown, before its first step and after its last
    CreateTask,
    /// The same, of one that is cancelled before it begins
    CancelTask,
    /// A task of a coroutine, given to another one
    EnsureFuture,
    /// A step that takes long
    Debug,
    /// The same, which is told in debug mode
    DebugVerbose,
    /// A task that is cancelled while it sleeps, and sees it
    #[value(name = "cancel_task2")]
    CancelTask2,
    /// Results in the order of the tasks
    Gather,
    /// Results in the order in which they come
    AsCompleted,
    /// Results once all tasks have ended
    Wait,
    /// Those that end in time, and the others cancelled
    WaitTimeout,
    /// A lock, given to who waits first
    Lock,
    /// An event, which everybody waits for
    Event,
    /// A condition, which one, two and then all are notified of
    Condition,
    /// A bounded queue, a producer and two consumers
    Queue,
}

/// Runs `$body` to its end, in `$flavour`.
macro_rules! run_task {
    ($flavour:expr, $event_loop:expr, $body:ident($($argument:expr),* $(,)?)) => {
        match $flavour {
            coro_core::stats::Flavour::Native => $event_loop.run($body::native($($argument),*)),
            coro_core::stats::Flavour::Generator => $event_loop.run($body::generator($($argument),*)),
            coro_core::stats::Flavour::Fiber => $event_loop.run($body::fiber($($argument),*)),
        }
    };
}
pub(super) use run_task;

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(motw: Motw, flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let run = match motw {
        Motw::Coroutine => coroutines::coroutine,
        Motw::CoroutineReturn => coroutines::coroutine_return,
        Motw::CoroutineChain => coroutines::coroutine_chain,
        Motw::CallSoon => callbacks::call_soon,
        Motw::CallLater => callbacks::call_later,
        Motw::CallAt => callbacks::call_at,
        Motw::Stop => callbacks::stop,
        Motw::FutureEventLoop => futures::event_loop,
        Motw::FutureAwait => futures::awaited,
        Motw::FutureCallback => futures::callback,
        Motw::CreateTask => show_task::create_task,
        Motw::CancelTask => show_task::cancel_task,
        Motw::EnsureFuture => tasks::ensure_future,
        Motw::Debug => debugging::quiet,
        Motw::DebugVerbose => debugging::verbose,
        Motw::CancelTask2 => tasks::cancel_task2,
        Motw::Gather => tasks::gather,
        Motw::AsCompleted => tasks::as_completed,
        Motw::Wait => tasks::wait,
        Motw::WaitTimeout => tasks::wait_timeout,
        Motw::Lock => synchronization::lock,
        Motw::Event => synchronization::event,
        Motw::Condition => synchronization::condition,
        Motw::Queue => queue::run,
    };
    run(flavour, context)
}
