//! The handle of a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::cell::Joinable;
use super::header::{Header, Joiner};
use super::{AnyFuture, Backtrace, Canceller, DoneCallback, TaskError, TaskId, TaskInfo, TaskRef};
use crate::context::Context as Variables;
use crate::event_loop::{Callback, Core, Waiting, find};

/// Waits for a task and takes its result: in a native body with `.await`, in a generator or a fiber with
/// `co.wait(handle)`.
///
/// Dropping it [detaches](Self::detach) the task, which runs on; an error that nobody can read any more goes to the loop's
/// [exception handler](crate::Loop::set_exception_handler).
///
/// # Panics
///
/// When it is polled again after it has given its result, as any future may.
///
/// # Cancellation
///
/// Strict: dropping the wait leaves the task alone. When the task that waits is *cancelled*, this one is
/// [cancelled](Self::cancel) in its place: that one goes on when this one has ended, with the error if this one let it
/// out, else with the result. A wait that is dropped meanwhile, by a `select!` for example, leaves both as they are: each
/// was asked to end.
#[must_use = "dropping the handle detaches the task; call detach() if that is meant"]
pub struct JoinHandle<T> {
    task: Joinable<T>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(task: Joinable<T>) -> Self {
        Self { task }
    }

    /// Asks the task to end: [`TaskError::Cancelled`] is thrown where it waits, when it next runs. A task that has
    /// not begun never runs. False if it has ended already.
    ///
    /// A wait is over at once: whoever is behind it in a line is served next. If the task awaits another task, that one is
    /// asked instead, and the error is thrown here when that one has ended cancelled.
    ///
    /// The task may catch the error and go on; then nothing more is thrown, and [`cancelling`](Self::cancelling) tells
    /// that it was asked. Asked again, it is interrupted again, in a cleanup too.
    pub fn cancel(&self) -> bool {
        self.canceller().cancel()
    }

    /// [`cancel`](Self::cancel), with a message: [`Cancelled::message`](super::Cancelled::message).
    pub fn cancel_with(&self, message: &str) -> bool {
        self.canceller().cancel_with(message)
    }

    /// How many cancellations were asked for and not [withdrawn](Self::uncancel).
    pub fn cancelling(&self) -> u32 {
        self.header().cancelling()
    }

    /// Withdraws a request to cancel, and gives how many are left. When none is, an error that was to be thrown at the
    /// next wait is not; one that has ended a wait already comes.
    pub fn uncancel(&self) -> u32 {
        self.header().uncancel()
    }

    /// Whether the task has ended, and was cancelled. False while it only was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.header().is_cancelled()
    }

    /// Has its loop call `function` when the task has ended; at the next turn, if it has. The result is for whoever has this
    /// handle; [`on_done`](Self::on_done) hands it to a callback.
    ///
    /// Several are called in the order in which they were added, each in a copy of the [context](crate::context) that was
    /// current then, before whoever awaits the task goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, native::spawn};
    ///
    /// Loop::simulated().run(async {
    ///     let task = spawn(async { 7 });
    ///     task.add_done_callback(|task| println!("{task:?} is over: {}", task.is_done()));
    ///     task.await.unwrap()
    /// });
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.Task.add_done_callback`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.add_done_callback).
    pub fn add_done_callback(&self, function: impl FnOnce(&AnyFuture) + 'static) -> DoneCallback {
        self.task.task().add_done_callback(function)
    }

    /// Does not call it when the task has ended. False if it was not to, for example because it is queued by now.
    pub fn remove_done_callback(&self, callback: &DoneCallback) -> bool {
        self.task.task().remove_done_callback(callback)
    }

    /// The same task, whatever its type, as [futures](super::Future) can be too.
    pub fn erased(&self) -> AnyFuture {
        AnyFuture::of_task(self.task.task().clone())
    }

    /// The context of the task: a handle to its values. It is let go when the task has ended, and this one has none then.
    pub fn context(&self) -> Variables {
        self.header().context()
    }

    /// What can cancel the task while somebody else has this handle.
    pub fn canceller(&self) -> Canceller {
        Canceller::new(self.task.task().clone())
    }

    /// Lets the task run on by itself; what dropping the handle does, in a word.
    pub fn detach(self) {}

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.header().is_done()
    }

    /// Names the task, for debugging.
    #[must_use = "gives the handle back"]
    pub fn named(self, name: &str) -> Self {
        self.header().set_name(name);
        self
    }

    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// What the task looks like now.
    pub fn info(&self) -> TaskInfo {
        self.task.task().info()
    }

    /// What the task waits for, and who has that, as [`all_tasks`](crate::EventLoop::all_tasks) finds it. Its `Debug` tells too.
    pub fn waits_for(&self) -> Vec<Waiting> {
        self.info_with_waits().waits_for
    }

    fn info_with_waits(&self) -> TaskInfo {
        let info = self.info();
        match find(self.header().core) {
            Some(core) => core.with_waits(info),
            None => info,
        }
    }

    /// Where the task is suspended; of a fiber, with the calls on its stack. `None` if it is being run, which it is if it asks
    /// for itself, and if it has ended.
    ///
    /// A look does not wake the task, nor run anything of it. That of a fiber is taken on the fiber's own stack, in some
    /// microseconds, if 16 KiB of that are left ([`OwnStack::NoRoom`](crate::coroutine::OwnStack::NoRoom)). The names of
    /// functions are looked up when it is displayed. The calls *inside* a future, and so those of an `on_fiber`, are out of
    /// sight.
    ///
    /// # Panics
    ///
    /// If [`Coroutine::backtrace`](crate::Coroutine::backtrace) of a coroutine that was written by hand does.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::prelude::*;
    /// use coro_core::time::sleep;
    /// use std::time::Duration;
    ///
    /// let event_loop = Loop::simulated();
    /// let task = event_loop.spawn(async { sleep(Duration::from_secs(1)).await });
    /// let shown = event_loop.run(async move { task.backtrace().unwrap().to_string() }).unwrap();
    /// assert!(shown.starts_with("<Task pending name='Task-1' native coro=<"), "{shown}");
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.Task.print_stack`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.print_stack).
    pub fn backtrace(&self) -> Option<Backtrace> {
        self.task.task().backtrace()
    }

    /// The result, if the task has ended and it was not taken before.
    pub fn try_result(&mut self) -> Option<Result<T, TaskError>> {
        match self.task.poll_output() {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        self.task.task()
    }

    /// Whether the task has ended with an error, other than by being cancelled, which has not been taken.
    pub(crate) fn has_failed(&self) -> bool {
        self.task.has_failed()
    }

    pub(crate) fn header(&self) -> &Header {
        self.task.task().header()
    }

    /// Hands the result to `function` once the task has ended. Its loop calls it, in the turn after that; it is not called
    /// if the loop is closed first.
    ///
    /// # References
    ///
    /// [`asyncio.Task.add_done_callback`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.add_done_callback).
    pub fn on_done(mut self, function: impl FnOnce(Result<T, TaskError>) + 'static) -> Canceller
    where
        T: 'static,
    {
        let task = self.task.task().clone();
        let call = move || {
            if let Some(result) = self.try_result() {
                function(result);
            }
        };
        Core::call_when_done(task.header(), Box::new(call));
        Canceller::new(task)
    }

    pub(crate) fn call_on_done(&self, call: Option<Box<dyn FnOnce()>>) {
        self.header().set_joiner(call.map(|call| Joiner::Call(Callback::new(call))));
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, TaskError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let ready @ Poll::Ready(_) = self.task.poll_output() {
            return ready;
        }
        let (header, waker) = (self.header(), cx.waker());
        let joined = if header.is_waiting() {
            Core::join(self.task.task(), waker)
        } else {
            self.join_otherwise(waker)
        };
        match joined {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // Else nobody waits for it, and nothing of it is left to read.
        if !self.header().is_taken() {
            self.detach_task();
        }
    }
}

impl<T> JoinHandle<T> {
    /// The task is being run, perhaps by this one itself, or its result has been taken.
    #[cold]
    fn join_otherwise(&self, waker: &Waker) -> Result<(), TaskError> {
        assert!(!self.header().is_taken(), "a JoinHandle was polled after it gave its result: await it once");
        Core::join_otherwise(self.task.task(), waker)
    }

    #[cold]
    fn detach_task(&self) {
        let owed = match self.header().replace_joiner(None) {
            Some(Joiner::Cancels(_, landing, cancelled))
                if !self.is_done() && landing.take_owed(&cancelled) =>
            {
                Some((landing, cancelled))
            }
            _ => None,
        };
        self.header().drop_handle();
        if let Some((mut landing, cancelled)) = owed {
            // It was asked in the place of who waited, and nobody will see how it ends.
            landing.pass_on(&cancelled);
        }
        if let Some(error) = self.task.task().take_unread_error() {
            Core::report_unread(self.task.task(), error);
        }
        // Now, and not when the last one goes who happens to hold the task.
        drop(self.task.poll_output());
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info_with_waits().fmt(f)
    }
}
