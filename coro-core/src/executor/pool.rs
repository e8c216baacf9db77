//! Pools of threads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use super::cell::{JobCell, Work};
use super::threads::{Statistics, Threads};
use super::{Job, PoolError, Submitted};
use crate::event_loop::{Core, PoolId, RemoteHandle, leave};

/// Threads that run functions which block: `concurrent.futures.ThreadPoolExecutor`.
///
/// They are begun when they are needed, and used again: a job goes to one that is idle, else to a new one, and if there
/// are [`max_workers`](Self::max_workers) of them it waits for its turn. They are named `NAME_0`, `NAME_1` and so on.
///
/// Cloning gives another handle to the same pool. When the last one is dropped, the pool takes no more jobs, runs those
/// that it has, and is not waited for: [`shutdown`](Self::shutdown) waits.
///
/// ```
/// use coro_core::executor::ThreadPool;
///
/// let pool = ThreadPool::named("reader", 2)?;
/// let job = pool.submit(|| std::thread::current().name().map(str::to_string));
/// assert_eq!(job.wait()?.as_deref(), Some("reader_0"));
/// pool.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
///
/// [concurrent.futures](https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor).
#[derive(Clone)]
pub struct ThreadPool(Arc<Owner>);

/// The hold of the handles, for the threads are one of their own.
struct Owner {
    threads: Arc<Threads>,
    id: PoolId,
    /// It has the size that Python gives.
    usual_size: bool,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.threads.close();
    }
}

/// How many pools there have been, and how many of them without a name.
static POOLS: AtomicUsize = AtomicUsize::new(0);
static UNNAMED: AtomicUsize = AtomicUsize::new(0);

/// The most workers that a pool has if nothing is said.
const MOST: usize = 32;
/// More than the processors, for those that wait.
const MORE: usize = 4;

impl ThreadPool {
    /// A pool of as many workers as the machine has processors, and four more, but 32 at most. It is called
    /// `ThreadPoolExecutor-0`, or the next number.
    pub fn new() -> Self {
        let name = format!("ThreadPoolExecutor-{}", UNNAMED.fetch_add(1, Ordering::Relaxed));
        Self::of_usual_size(name)
    }

    /// The one that a loop makes for itself.
    pub(crate) fn of_loop() -> Self {
        Self::of_usual_size("asyncio".to_string())
    }

    fn of_usual_size(name: String) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::make(name, MOST.min(processors + MORE), true)
    }

    /// A pool of at most so many workers, which are called by its name and a number.
    ///
    /// # Errors
    ///
    /// [`PoolError`], for no workers, or a name that no thread can have.
    pub fn named(name: impl Into<String>, max_workers: usize) -> Result<Self, PoolError> {
        let name = name.into();
        match max_workers {
            0 => Err(PoolError::NoWorkers),
            _ if name.contains('\0') => Err(PoolError::ZeroInName),
            _ => Ok(Self::make(name, max_workers, false)),
        }
    }

    fn make(name: String, max_workers: usize, usual_size: bool) -> Self {
        let id = PoolId(POOLS.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(Owner { threads: Arc::new(Threads::new(name, max_workers)), id, usual_size }))
    }

    /// What its threads are called, before their numbers.
    pub fn name(&self) -> &str {
        &self.0.threads.name
    }

    /// How many threads it has at most.
    pub fn max_workers(&self) -> usize {
        self.0.threads.max_workers
    }

    /// What it does at the moment. In a simulated world it has no threads.
    pub fn statistics(&self) -> Statistics {
        self.0.threads.statistics()
    }

    /// Runs `function` on a thread, for threads to wait for.
    ///
    /// That is a thread in a simulated world, too, which cannot be repeated: there, and wherever a loop is to wait,
    /// [`run`](Self::run) does it.
    ///
    /// A pool that was shut down refuses it: the job ends with [`JobError::ShutDown`](super::JobError::ShutDown).
    pub fn submit<T: Send + 'static>(&self, function: impl FnOnce() -> T + Send + 'static) -> Submitted<T> {
        let submitted = Submitted::new(function);
        if let Some(work) = submitted.work() {
            self.submit_work(work);
        }
        submitted
    }

    /// Runs `function` on a thread, for the loop that runs on this one to wait for: `run_in_executor` with a pool.
    ///
    /// # Panics
    ///
    /// If no loop runs on this thread.
    #[track_caller]
    pub fn run<T: Send + 'static>(&self, function: impl FnOnce() -> T + Send + 'static) -> Job<T> {
        let core = Core::current_or_panic("ThreadPool::run");
        self.run_on(&core, function)
    }

    pub(crate) fn run_on<T: Send + 'static>(
        &self,
        core: &Core,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        let function = || {
            // A world calls it on the thread of the loop.
            let _left = leave();
            function()
        };
        let cell = Arc::new(JobCell::new(function, Some(core.remote_inbox())));
        let place = core.begin_job(self, Arc::clone(&cell) as _);
        Job::new(cell, place)
    }

    pub(crate) fn submit_work(&self, work: Arc<dyn Work>) {
        self.0.threads.submit(work);
    }

    /// Takes no more jobs, and blocks the thread until those that it has are over, begun or not, and its threads have
    /// ended. Called by one of its own jobs it does not wait.
    ///
    /// While it waits, no loop of this thread turns: a job that needs one would wait for ever.
    pub fn shutdown(&self) {
        self.0.threads.close();
        // Jobs of a simulated world have no thread to be waited for.
        if let Some(core) = Core::current() {
            core.finish_jobs(self.id());
        }
        self.0.threads.join();
    }

    /// Takes no more jobs, refuses those that have not begun, with
    /// [`JobError::Abandoned`](super::JobError::Abandoned), and waits for nobody. Gives how many it refused.
    ///
    /// Jobs that have begun go on: a thread cannot be ended from outside.
    pub fn abandon(&self) -> usize {
        let threads = self.0.threads.abandon();
        threads + Core::current().map_or(0, |core| core.abandon_jobs(self.id()))
    }

    /// Takes no more jobs, and wakes the loop of this handle when the threads have done those that they have.
    pub(crate) fn close(&self, watcher: RemoteHandle) {
        self.0.threads.close();
        self.0.threads.watch(watcher);
    }

    pub(crate) fn threads_are_over(&self) -> bool {
        self.0.threads.is_over()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.threads.is_closed()
    }

    pub(crate) fn id(&self) -> PoolId {
        self.0.id
    }

    /// How many jobs run at once in a simulated world: the same on every machine, or a run could not be repeated on
    /// another one.
    pub(crate) fn simulated_workers(&self) -> usize {
        if self.0.usual_size { 1 + MORE } else { self.max_workers() }
    }
}

impl Default for ThreadPool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("name", &self.name())
            .field("max_workers", &self.max_workers())
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
