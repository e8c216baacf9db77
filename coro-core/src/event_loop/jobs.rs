//! Jobs: functions that block, beside the loop.
//!
//! A driver whose world has a time of its own says when a job is over ([`Driver::begin_job`](crate::driver::Driver::begin_job)):
//! then the loop calls it, as a callback. All others leave jobs to the threads of their pool, which wake the task that
//! waits, as any thread does.

mod unheard;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::core::Core;
use super::inbox::RemoteHandle;
use super::{Exception, Loop, Noted, Waiting};
use crate::driver::{Completed, Slot};
use crate::executor::{Job, JobError, ThreadPool, Work};
pub(crate) use unheard::Unheard;

/// Names a pool in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolId(pub(crate) usize);

/// What a loop knows of jobs.
#[derive(Default)]
pub(super) struct Jobs {
    /// The pool of the loop, once it is needed.
    default: RefCell<Option<ThreadPool>>,
    /// The loop takes no more jobs for its own pool.
    closed: Cell<bool>,
    /// How many have been begun: the last one's number.
    last: Cell<u32>,
    /// How many of those that threads run somebody here waits for.
    on_threads: Cell<usize>,
    /// Somebody has.
    took_threads: Cell<bool>,
    /// Those of the world, by their pools.
    lanes: RefCell<BTreeMap<PoolId, Lane>>,
    /// One is being called.
    inside: Cell<bool>,
    /// The one that was called last.
    called: Cell<Option<u32>>,
}

/// The jobs of a pool that the world times.
#[derive(Default)]
struct Lane {
    workers: usize,
    /// In the order of their beginning.
    running: Vec<Rc<Timed>>,
    waiting: VecDeque<Rc<Timed>>,
}

impl Lane {
    fn into_all(self) -> impl Iterator<Item = Rc<Timed>> {
        self.running.into_iter().chain(self.waiting)
    }
}

/// A job that the world times.
pub(crate) struct Timed {
    number: u32,
    pool: PoolId,
    work: Arc<dyn Work>,
    /// Once it has begun.
    slot: Cell<Option<Slot>>,
}

impl std::fmt::Debug for Timed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timed").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Where a job is run, for whoever waits for it.
#[derive(Debug)]
pub(crate) struct Place {
    core: Weak<Core>,
    number: u32,
    noted: Noted,
    /// By the world, or else by a thread.
    timed: Option<Rc<Timed>>,
}

impl Place {
    /// On a thread, from wherever it was submitted.
    pub(crate) fn on_threads(core: &Core) -> Self {
        core.jobs.await_thread();
        Self { core: core.weak(), number: core.jobs.next_number(), noted: Noted::default(), timed: None }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Says that the present task waits for it.
    pub(crate) fn note_wait(&self) {
        Core::note_wait(|_| Waiting::Job(self.number));
        self.noted.note(|_| Waiting::Job(self.number));
    }

    /// Whether it has begun, if that is for the world to say.
    pub(crate) fn has_begun(&self) -> Option<bool> {
        self.timed.as_ref().map(|timed| timed.slot.get().is_some())
    }

    /// Nobody waits for it any more.
    pub(crate) fn release(&mut self) {
        self.noted.clear();
        if let Some(core) = self.core.upgrade().filter(|_| self.timed.is_none()) {
            core.jobs.on_threads.set(core.jobs.on_threads.get() - 1);
        }
        self.core = Weak::new();
    }

    /// Nobody waits for it any more. True if it has begun, perhaps, by what the world says: that is asked then.
    pub(crate) fn cancel(&self) -> bool {
        let Some(slot) = self.timed.as_ref().and_then(|timed| timed.slot.get()) else { return false };
        if let Some(core) = self.core.upgrade() {
            core.driver.borrow_mut().cancel(slot);
            core.rouse_host();
        }
        true
    }

    /// Tells the loop of a panic that nobody reads, and lets go of it.
    pub(crate) fn tell(&mut self, unheard: Option<Unheard>) {
        let core = self.core.upgrade();
        self.release();
        if let (Some(unheard), Some(core)) = (unheard, core) {
            unheard.tell(&core);
        }
    }
}

impl Jobs {
    fn next_number(&self) -> u32 {
        self.last.set(self.last.get().wrapping_add(1));
        self.last.get()
    }

    fn await_thread(&self) {
        self.on_threads.set(self.on_threads.get() + 1);
        self.took_threads.set(true);
    }

    #[cfg(feature = "testing")]
    pub(super) fn took_threads(&self) -> bool {
        self.took_threads.get()
    }

    /// Whether one is being called, which must not turn the loop.
    pub(super) fn is_inside(&self) -> bool {
        self.inside.get()
    }

    /// Whether somebody here waits for what a thread does.
    pub(super) fn wait_for_threads(&self) -> bool {
        self.on_threads.get() > 0
    }

    /// The number of the one that was called since this was last forgotten.
    #[cfg(feature = "testing")]
    pub(super) fn called(&self) -> &Cell<Option<u32>> {
        &self.called
    }
}

/// # Functions that block
impl Loop {
    /// [`run_in_executor`](crate::executor::run_in_executor) on this loop.
    pub fn run_in_executor<T: Send + 'static>(
        &self,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        self.core.run_in_executor(function)
    }

    /// Makes this the pool of the loop, in place of the one that it makes for itself when it is first needed. The loop
    /// shuts it down at the end of its [run](super::EventLoop::run).
    ///
    /// Jobs of the one before are left alone.
    pub fn set_default_executor(&self, pool: ThreadPool) {
        let outdated = self.core.jobs.default.replace(Some(pool));
        drop(outdated);
    }

    /// The pool of the loop, which is made for that if need be.
    pub fn default_executor(&self) -> ThreadPool {
        self.core.default_executor()
    }
}

/// Beginning.
impl Core {
    pub(crate) fn run_in_executor<T: Send + 'static>(
        &self,
        function: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        self.default_executor().run_on(self, function)
    }

    fn default_executor(&self) -> ThreadPool {
        self.jobs.default.borrow_mut().get_or_insert_with(ThreadPool::of_loop).clone()
    }

    /// Has a job run: by the world of the driver, or else by a thread of its pool.
    pub(crate) fn begin_job(&self, pool: &ThreadPool, work: Arc<dyn Work>) -> Place {
        let is_own = || self.jobs.default.borrow().as_ref().is_some_and(|own| own.id() == pool.id());
        if pool.is_closed() || self.closed.get() || (self.jobs.closed.get() && is_own()) {
            if let (_, Some(unheard)) = work.refuse(JobError::ShutDown) {
                unheard.tell(self);
            }
            return Place {
                core: Weak::new(),
                number: self.jobs.next_number(),
                noted: Noted::default(),
                timed: None,
            };
        }
        let number = self.jobs.next_number();
        let slot = Cell::new(None);
        let timed = Rc::new(Timed { number, pool: pool.id(), work, slot });
        if self.enqueue(&timed, pool) {
            self.rouse_host();
            return Place { core: self.weak(), number, noted: Noted::default(), timed: Some(timed) };
        }
        let place = Place { core: self.weak(), number, noted: Noted::default(), timed: None };
        self.jobs.await_thread();
        pool.submit_work(Arc::clone(&timed.work));
        place
    }

    /// Gives a job to the world, now or when a worker is free. False if the driver has none.
    fn enqueue(&self, timed: &Rc<Timed>, pool: &ThreadPool) -> bool {
        let is_full = {
            let mut lanes = self.jobs.lanes.borrow_mut();
            let lane = lanes.get_mut(&pool.id()).filter(|lane| lane.running.len() >= lane.workers);
            lane.map(|lane| lane.waiting.push_back(Rc::clone(timed))).is_some()
        };
        if is_full {
            return true;
        }
        if !self.begin_timed(timed) {
            return false;
        }
        let mut lanes = self.jobs.lanes.borrow_mut();
        let lane = lanes.entry(pool.id()).or_default();
        lane.workers = pool.simulated_workers();
        lane.running.push(Rc::clone(timed));
        true
    }

    fn begin_timed(&self, timed: &Rc<Timed>) -> bool {
        let slot = self.operations.borrow_mut().insert_job(timed);
        let begun = self.driver.borrow_mut().begin_job(slot);
        if begun {
            timed.slot.set(Some(slot));
        } else {
            self.operations.borrow_mut().remove_job(slot);
        }
        begun
    }
}

/// Ending.
impl Core {
    /// A job that the world times is over, or was cancelled in time.
    pub(super) fn job_is_over(&self, timed: Rc<Timed>, result: Completed) {
        if let Completed::Failed(_) = result {
            if let (_, Some(unheard)) = timed.work.refuse(JobError::Cancelled) {
                unheard.tell(self);
            }
            return self.free_worker(&timed);
        }
        let core = self.weak();
        let call = self.call_soon(Box::new(move || {
            if let Some(core) = core.upgrade() {
                core.jobs.called.set(Some(timed.number));
                core.call_job(&timed);
                core.free_worker(&timed);
            }
        }));
        drop(call);
    }

    /// Calls a job, as a thread would.
    fn call_job(&self, timed: &Timed) {
        let inside = self.jobs.inside.replace(true);
        // It catches its panics.
        let unheard = timed.work.run();
        self.jobs.inside.set(inside);
        if let Some(unheard) = unheard {
            unheard.tell(self);
        }
    }

    /// A worker goes on with the next job.
    fn free_worker(&self, timed: &Timed) {
        loop {
            let next = {
                let mut lanes = self.jobs.lanes.borrow_mut();
                let Some(lane) = lanes.get_mut(&timed.pool) else { return };
                lane.running.retain(|running| running.number != timed.number);
                let next = if lane.running.len() < lane.workers { lane.waiting.pop_front() } else { None };
                if lane.running.is_empty() && next.is_none() {
                    lanes.remove(&timed.pool);
                }
                next
            };
            let Some(next) = next else { return };
            if next.work.is_waiting() && self.begin_timed(&next) {
                if let Some(lane) = self.jobs.lanes.borrow_mut().get_mut(&next.pool) {
                    lane.running.push(next);
                }
                return;
            }
        }
    }

    /// Calls all jobs of a pool that the world times, now, in the order of their beginning: somebody blocks until they are
    /// over.
    pub(crate) fn finish_jobs(&self, pool: PoolId) {
        let lane = self.jobs.lanes.borrow_mut().remove(&pool);
        for timed in lane.into_iter().flat_map(Lane::into_all) {
            self.call_job(&timed);
        }
    }

    /// Refuses the jobs of a pool that wait for a worker of the world. Gives how many there were.
    pub(crate) fn abandon_jobs(&self, pool: PoolId) -> usize {
        let waiting =
            self.jobs.lanes.borrow_mut().get_mut(&pool).map(|lane| std::mem::take(&mut lane.waiting));
        self.refuse_all(waiting.into_iter().flatten())
    }

    fn refuse_all(&self, jobs: impl Iterator<Item = Rc<Timed>>) -> usize {
        let refused = jobs.filter(|timed| {
            let (refused, unheard) = timed.work.refuse(JobError::Abandoned);
            if let Some(unheard) = unheard {
                unheard.tell(self);
            }
            refused
        });
        refused.count()
    }

    /// Its own pool takes no more jobs, and is to tell when it has none.
    pub(super) fn close_jobs(&self) {
        self.jobs.closed.set(true);
        let own = self.jobs.default.borrow().clone();
        if let Some(own) = own {
            own.close(RemoteHandle::new(self.remote_inbox()));
        }
    }

    /// Whether its own pool has jobs, or the world any: those of other pools would go on without the loop only on threads.
    pub(super) fn has_jobs(&self) -> bool {
        let own = self.jobs.default.borrow();
        own.as_ref().is_some_and(|own| !own.threads_are_over()) || self.has_timed_jobs()
    }

    /// Whether the world times jobs of this loop.
    pub(crate) fn has_timed_jobs(&self) -> bool {
        !self.jobs.lanes.borrow().is_empty()
    }

    /// The loop is gone: what has not begun never will, nor end what the world timed.
    pub(super) fn end_jobs(&self) {
        let own = self.jobs.default.take();
        let lanes = self.jobs.lanes.take();
        let refused = self.refuse_all(lanes.into_values().flat_map(Lane::into_all))
            + own.map_or(0, |own| own.abandon());
        if refused > 0 {
            self.report(Exception::JobsAbandoned(refused));
        }
    }
}
