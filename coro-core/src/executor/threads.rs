//! The threads of a pool, and the queue that they work off.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::JobError;
use super::cell::Work;
use crate::event_loop::{RemoteHandle, Unheard};
use crate::task::Panic;

/// Shared by a pool and its threads.
pub(super) struct Threads {
    pub(super) name: String,
    pub(super) max_workers: usize,
    state: Mutex<State>,
    /// There is something to do, or nothing will come any more.
    changed: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<dyn Work>>,
    /// Threads that wait.
    idle: usize,
    /// Threads that run a job.
    running: usize,
    /// All threads.
    workers: usize,
    /// How many there have ever been: the next one's number.
    begun: usize,
    handles: Vec<JoinHandle<()>>,
    /// It takes no more jobs.
    closed: bool,
    /// Loops that wait for its end.
    watchers: Vec<RemoteHandle>,
}

/// What a pool does at the moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many threads it has.
    pub threads: usize,
    /// How many of them have nothing to do.
    pub idle: usize,
    /// How many of them run a job.
    pub running: usize,
    /// How many jobs wait for a thread, those that were cancelled included until it is their turn.
    pub waiting: usize,
}

impl State {
    fn is_over(&self) -> bool {
        self.closed && self.queue.is_empty() && self.running == 0
    }

    /// Those to be told, if it is over.
    fn take_watchers(&mut self) -> Vec<RemoteHandle> {
        if self.is_over() { std::mem::take(&mut self.watchers) } else { Vec::new() }
    }
}

impl Threads {
    pub(super) fn new(name: String, max_workers: usize) -> Self {
        let (state, changed, ended) = Default::default();
        Self { name, max_workers, state, changed, ended }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing of the user's runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn statistics(&self) -> Statistics {
        let state = self.lock();
        Statistics {
            threads: state.workers,
            idle: state.idle,
            running: state.running,
            waiting: state.queue.len(),
        }
    }

    /// Gives a job to a thread: to an idle one, else to a new one, else to the first that has nothing else to do.
    pub(super) fn submit(self: &Arc<Self>, work: Arc<dyn Work>) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return tell(work.refuse(JobError::ShutDown).1);
        }
        state.queue.push_back(work);
        if state.queue.len() > state.idle
            && state.workers < self.max_workers
            && let Err(error) = self.begin_thread(&mut state)
            && state.workers == 0
        {
            let refused = state.queue.pop_back();
            drop(state);
            return tell(refused.and_then(|work| work.refuse(JobError::NoThread(error)).1));
        }
        drop(state);
        self.changed.notify_one();
    }

    fn begin_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let threads = Arc::clone(self);
        let name = format!("{}_{}", self.name, state.begun);
        let handle = thread::Builder::new().name(name).spawn(move || threads.work())?;
        state.handles.push(handle);
        state.begun += 1;
        state.workers += 1;
        Ok(())
    }

    /// What a thread does.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.queue.pop_front() {
                state.running += 1;
                drop(state);
                run(work);
                state = self.lock();
                state.running -= 1;
            } else if state.closed {
                break;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                continue;
            }
            let watchers = state.take_watchers();
            if !watchers.is_empty() {
                drop(state);
                wake(watchers);
                state = self.lock();
            }
        }
        state.workers -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Takes no more jobs. Those that it has are run.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let watchers = state.take_watchers();
        drop(state);
        self.changed.notify_all();
        wake(watchers);
    }

    /// Blocks until every job is over, and every thread has ended. Not if this is one of them.
    pub(super) fn join(&self) {
        let mut state = self.lock();
        let own = thread::current().id();
        if state.handles.iter().any(|handle| handle.thread().id() == own) {
            return;
        }
        while state.workers > 0 {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            // It does not panic: whatever a job does is caught.
            let _ = handle.join();
        }
    }

    /// Refuses the jobs that have not begun. Gives how many there were.
    pub(super) fn abandon(&self) -> usize {
        self.close();
        let queue = std::mem::take(&mut self.lock().queue);
        let refused = queue.into_iter().filter(|work| {
            let (refused, unheard) = work.refuse(JobError::Abandoned);
            tell(unheard);
            refused
        });
        let refused = refused.count();
        let watchers = self.lock().take_watchers();
        wake(watchers);
        refused
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    /// Wakes the loop of this handle when it is over.
    pub(super) fn watch(&self, watcher: RemoteHandle) {
        let mut state = self.lock();
        state.watchers.push(watcher);
        let watchers = state.take_watchers();
        drop(state);
        wake(watchers);
    }
}

/// Runs a job. It catches its panics, but those who are woken may be foreign.
fn run(work: Arc<dyn Work>) {
    match catch_unwind(AssertUnwindSafe(|| work.run())) {
        Ok(unheard) => tell(unheard),
        Err(payload) => tell(Unheard::of(Some(Panic::new(payload)), None)),
    }
}

fn tell(unheard: Option<Unheard>) {
    if let Some(unheard) = unheard {
        unheard.send();
    }
}

fn wake(watchers: Vec<RemoteHandle>) {
    for watcher in watchers {
        // If its loop is closed, nobody waits.
        let _ = watcher.call_soon_threadsafe(|| ());
    }
}
