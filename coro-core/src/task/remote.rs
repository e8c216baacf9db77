//! A task, as another thread waits for it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::{Cancelled, IntoTask, Panic, TaskError};
use crate::event_loop::{Core, EventLoop, Exception, Loop, LoopClosed, Place, RemoteHandle, Word, report};
use crate::threads::{Condvar, Mutex, MutexGuard};

impl RemoteHandle {
    /// Has the loop make a coroutine on its own thread, and spawn it: asyncio's `run_coroutine_threadsafe`. A coroutine
    /// itself never leaves its thread, so what goes there is what makes one.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`]: the loop is closed, and the function was dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, time::sleep};
    /// use std::time::Duration;
    ///
    /// let event_loop = Loop::new().unwrap();
    /// let remote = event_loop.remote();
    /// let thread = std::thread::spawn(move || {
    ///     let answer = remote.run_coroutine_threadsafe(|| async {
    ///         sleep(Duration::from_millis(1)).await;
    ///         42
    ///     });
    ///     let answer = answer.unwrap().wait();
    ///     let stop = Loop::current;
    ///     remote.call_soon_threadsafe(move || stop().unwrap().stop()).unwrap();
    ///     answer.unwrap()
    /// });
    /// event_loop.run_forever().unwrap();
    /// assert_eq!(thread.join().unwrap(), 42);
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.run_coroutine_threadsafe`](https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe).
    pub fn run_coroutine_threadsafe<C>(
        &self,
        make: impl FnOnce() -> C + Send + 'static,
    ) -> Result<RemoteFuture<C::Output>, LoopClosed>
    where
        C: IntoTask<Body: 'static>,
        C::Output: Send + 'static,
    {
        let shared = Arc::new(Shared::new());
        let promise = Promise(Some(Arc::clone(&shared)));
        self.call_soon_threadsafe(move || promise.begin(make))?;
        Ok(RemoteFuture { shared, home: self.clone() })
    }
}

/// A task of a loop, as another thread waits for it: what `concurrent.futures.Future` is. Made by
/// [`run_coroutine_threadsafe`](RemoteHandle::run_coroutine_threadsafe).
///
/// Dropping it leaves the task alone. An error that nobody reads goes to the
/// [exception handler](Loop::set_exception_handler) of the loop.
#[must_use = "dropping it leaves the task alone, but nobody reads its result"]
pub struct RemoteFuture<T> {
    shared: Arc<Shared<T>>,
    home: RemoteHandle,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// For threads that wait.
    over: Condvar,
}

struct State<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
    /// Nobody will read the result.
    unread: bool,
}

enum Stage<T> {
    /// It is on its way to the loop.
    Coming,
    Running(Word),
    Over(Result<T, TaskError>),
    /// The result has been taken.
    Taken,
}

impl<T> Shared<T> {
    fn new() -> Self {
        let state = State { stage: Stage::Coming, waker: None, unread: false };
        Self { state: Mutex::new(state), over: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing of the user's runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first result counts. What nobody wants comes back.
    fn finish(&self, result: Result<T, TaskError>) -> Result<(), Result<T, TaskError>> {
        let mut state = self.lock();
        if state.unread || matches!(state.stage, Stage::Over(_) | Stage::Taken) {
            return Err(result);
        }
        state.stage = Stage::Over(result);
        let waker = state.waker.take();
        drop(state);
        self.over.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        matches!(self.lock().stage, Stage::Over(_) | Stage::Taken)
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Result<T, TaskError>> {
        match std::mem::replace(&mut self.stage, Stage::Taken) {
            Stage::Over(result) => Some(result),
            Stage::Taken => Some(Err(TaskError::AlreadyTaken)),
            stage => {
                self.stage = stage;
                None
            }
        }
    }
}

/// Sees to it that there is a result.
struct Promise<T>(Option<Arc<Shared<T>>>);

impl<T: Send + 'static> Promise<T> {
    /// On the thread of the loop.
    fn begin<C>(self, make: impl FnOnce() -> C)
    where
        C: IntoTask<Output = T, Body: 'static>,
    {
        let Some(shared) = self.0.clone() else { return };
        if shared.is_done() {
            // Cancelled on its way.
            return;
        }
        let made = catch_unwind(AssertUnwindSafe(|| Loop::running("run_coroutine_threadsafe").spawn(make())));
        let task = match made {
            Ok(task) => task,
            Err(payload) => return self.keep(Err(TaskError::Panicked(Panic::new(payload)))),
        };
        let mut state = shared.lock();
        match state.stage {
            Stage::Coming => state.stage = Stage::Running(task.header().word()),
            _ => {
                drop(state);
                task.cancel();
            }
        }
        task.on_done(move |result| self.keep(result));
    }

    fn keep(mut self, result: Result<T, TaskError>) {
        let refused = self.0.take().and_then(|shared| shared.finish(result).err());
        report_unread(refused);
    }
}

impl<T> Drop for Promise<T> {
    /// Its loop is closed.
    fn drop(&mut self) {
        drop(self.0.take().map(|shared| shared.finish(Err(TaskError::LoopClosed))));
    }
}

/// Tells whoever is told of an error that nobody reads, on the thread of the loop.
fn report_unread<T>(result: Option<Result<T, TaskError>>) {
    if let Some(Err(error)) = result
        && !error.is_cancelled()
        && !matches!(error, TaskError::LoopClosed)
    {
        report(Exception::NeverRead(error));
    }
}

impl<T> RemoteFuture<T> {
    /// Blocks the thread until the task has ended.
    ///
    /// # Errors
    ///
    /// As those of a [`JoinHandle`](super::JoinHandle); and [`TaskError::WouldBlock`] on the thread of the loop that runs the task,
    /// which would wait for itself.
    pub fn wait(self) -> Result<T, TaskError> {
        if self.is_at_home() {
            return Err(TaskError::WouldBlock);
        }
        let mut state = self.shared.lock();
        loop {
            if let Some(result) = state.take() {
                return result;
            }
            state = self.shared.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`wait`](Self::wait), but no longer than this.
    ///
    /// # Errors
    ///
    /// The handle comes back, if the task has not ended by then.
    pub fn wait_for(self, timeout: Duration) -> Result<Result<T, TaskError>, Self> {
        if self.is_at_home() {
            return Ok(Err(TaskError::WouldBlock));
        }
        let began = Instant::now();
        let mut state = self.shared.lock();
        loop {
            if let Some(result) = state.take() {
                return Ok(result);
            }
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                drop(state);
                return Err(self);
            }
            let waited = self.shared.over.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_at_home(&self) -> bool {
        !self.is_done() && Core::on_current(|core| core.is_home_of(&self.home)) == Some(true)
    }

    /// Asks the task to end, from any thread: [`JoinHandle::cancel`](super::JoinHandle::cancel) is called on its own. If its
    /// coroutine was not made by then, it never is. False if it has ended, as far as is known here.
    pub fn cancel(&self) -> bool {
        let state = self.shared.lock();
        match state.stage {
            Stage::Over(_) | Stage::Taken => false,
            Stage::Coming => {
                drop(state);
                self.shared.finish(Err(Cancelled::new().into())).is_ok()
            }
            Stage::Running(word) => {
                drop(state);
                let cancel = move || _ = Core::on_current(|core| core.task_with(word)).flatten().map(cancel);
                self.home.call_soon_threadsafe(cancel).is_ok()
            }
        }
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.shared.is_done()
    }

    /// For the loop that runs on this thread to wait for: asyncio's `wrap_future`.
    ///
    /// A simulated loop has no part in what another thread does: while it waits for it, its clock stands still.
    ///
    /// # Panics
    ///
    /// If no loop runs on this thread.
    ///
    /// # Cancellation
    ///
    /// Weak: dropping it, as a cancellation does, [cancels](Self::cancel) the task.
    #[track_caller]
    pub fn wrap_future(self) -> Wrapped<T> {
        let place = Place::on_threads(&Core::current_or_panic("RemoteFuture::wrap_future"));
        Wrapped { remote: self, place }
    }
}

fn cancel(task: super::TaskRef) -> bool {
    task.cancel(&Cancelled::new())
}

impl<T> Drop for RemoteFuture<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.unread = true;
        let waker = state.waker.take();
        let over = match state.stage {
            Stage::Over(_) => state.take(),
            _ => None,
        };
        drop(state);
        drop(waker);
        match over {
            Some(Err(error)) => {
                let told = Untold(Some(error));
                // If the loop is closed, it is printed.
                drop(self.home.call_soon_threadsafe(move || told.tell()));
            }
            value => drop(value),
        }
    }
}

/// An error on its way to the loop.
struct Untold(Option<TaskError>);

impl Untold {
    fn tell(mut self) {
        report_unread(self.0.take().map(Err::<(), _>));
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        report_unread(self.0.take().map(Err::<(), _>));
    }
}

impl<T> fmt::Debug for RemoteFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFuture").field("done", &self.is_done()).finish_non_exhaustive()
    }
}

/// A wait for a task of another thread. Made by [`RemoteFuture::wrap_future`].
#[must_use = "dropping it cancels the task"]
pub struct Wrapped<T> {
    remote: RemoteFuture<T>,
    place: Place,
}

impl<T> Future for Wrapped<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Foreign code, to be run outside of the lock.
        let waker = cx.waker().clone();
        let mut state = self.remote.shared.lock();
        if let Some(result) = state.take() {
            return Poll::Ready(result);
        }
        let outdated = state.waker.replace(waker);
        drop(state);
        drop(outdated);
        self.place.note_wait();
        Poll::Pending
    }
}

impl<T> Drop for Wrapped<T> {
    fn drop(&mut self) {
        self.place.release();
        self.remote.cancel();
    }
}

impl<T> fmt::Debug for Wrapped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wrapped").field(&self.remote).finish()
    }
}
