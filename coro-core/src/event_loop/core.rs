//! What a loop knows: its tasks, its queue, its timers, its mail and its driver.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, SystemTime};

use slab::Slab;

use super::NO_LOOP;
use super::awaited::Objects;
use super::budget::Budget;
use super::cadence::Cadence;
use super::cleanup::{Place, Unclosed};
use super::current::{self, CoreNumber};
use super::debug::Debugging;
use super::inbox::Inbox;
use super::interrupt::Interrupts;
use super::jobs::Jobs;
use super::metrics::Tally;
use super::operation::Operations;
use super::record::Lease;
use super::runnable::{ReadyQueue, Runnable};
use super::tasks::Tasks;
use super::throwing::Throw;
use super::timer::{Action, TimerKey, Timers};
use super::waiting::Waits;
use super::word::{MAIL, Word};
use super::{ExceptionHandler, Waiting};
use crate::driver::Driver;
use crate::task::{Header, TaskId, TaskRef};
use crate::time::Time;

/// The insides of a loop. No borrow of any part is held while a task, a callback, a waker or a destructor of the
/// user's runs.
pub(crate) struct Core {
    this: Weak<Self>,
    /// Names it among the loops of its thread.
    pub(super) number: CoreNumber,
    pub(super) driver: RefCell<Box<dyn Driver>>,
    /// Where it runs, if not wherever it is run.
    #[cfg(all(feature = "tokio", unix))]
    pub(super) host: std::cell::OnceCell<super::guest::Host>,
    pub(super) lease: Lease,
    /// Empty, but for its room, while nobody is being woken.
    woken: Cell<Vec<u32>>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) interrupts: Interrupts,
    pub(super) debug: Debugging,
    /// How long a run waits for what its main task left, if not as long as it takes.
    pub(super) grace: Cell<Option<Duration>>,
    /// The grace period is over: what is cancelled is, in a shield too.
    pub(super) lifted_shields: Cell<bool>,
    pub(super) timers: RefCell<Timers>,
    /// The clock, when the driver was last looked at.
    pub(super) now: Cell<Time>,
    /// A timer is due by that.
    pub(super) timer_is_due: Cell<bool>,
    pub(super) cadence: Cadence,
    pub(super) tally: Tally,
    pub(super) budget: Budget,
    pub(super) operations: RefCell<Operations>,
    pub(super) jobs: Jobs,
    pub(super) ready: ReadyQueue,
    pub(super) tasks: RefCell<Tasks>,
    pub(super) last_task: Cell<u64>,
    pub(super) exception_handler: RefCell<Option<ExceptionHandler>>,
    pub(super) stopping: Cell<bool>,
    pub(super) running: Cell<bool>,
    pub(super) closed: Cell<bool>,
    /// The generators that have begun here.
    pub(super) generators: RefCell<Slab<Weak<dyn Unclosed>>>,
    /// How many cleanups have not ended.
    pub(super) cleanups: Cell<usize>,
    /// The one that was begun last.
    pub(super) last_cleanup: RefCell<Weak<Place>>,
    /// The run waits for those only.
    pub(super) last_cleanups: Cell<bool>,
    /// What is being thrown into the task that runs, which is polled meanwhile.
    pub(super) throwing: Cell<Throw>,
    /// That task is polled for nothing but to find who hears it.
    pub(super) seeking: Cell<bool>,
    /// Leaves are to say what they wait for.
    pub(super) observed: Cell<bool>,
    pub(super) waits: RefCell<Waits>,
    pub(super) objects: RefCell<Objects>,
    /// Who waits for what, where that is noted.
    pub(super) noted: RefCell<Slab<(Word, Waiting)>>,
}

/// The current loop, and finding it.
impl Core {
    pub(super) fn new(driver: Box<dyn Driver>) -> Rc<Self> {
        let lease = Lease::new(driver.notifier());
        let inbox = Arc::new(Inbox::new(lease.record()));
        let cadence = Cadence::new(driver.patience());
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            number: current::register(this.clone()),
            driver: RefCell::new(driver),
            #[cfg(all(feature = "tokio", unix))]
            host: std::cell::OnceCell::new(),
            lease,
            woken: Cell::default(),
            inbox,
            interrupts: Interrupts::default(),
            debug: Debugging::default(),
            grace: Cell::new(None),
            lifted_shields: Cell::new(false),
            timers: RefCell::default(),
            now: Cell::new(Time::ZERO),
            timer_is_due: Cell::new(false),
            cadence,
            tally: Tally::default(),
            budget: Budget::default(),
            operations: RefCell::default(),
            jobs: Jobs::default(),
            ready: ReadyQueue::default(),
            tasks: RefCell::default(),
            last_task: Cell::new(0),
            exception_handler: RefCell::new(None),
            stopping: Cell::new(false),
            running: Cell::new(false),
            closed: Cell::new(false),
            generators: RefCell::default(),
            cleanups: Cell::new(0),
            last_cleanup: RefCell::default(),
            last_cleanups: Cell::new(false),
            throwing: Cell::default(),
            seeking: Cell::new(false),
            observed: Cell::new(false),
            waits: RefCell::default(),
            objects: RefCell::default(),
            noted: RefCell::default(),
        })
    }

    /// The loop that runs on this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        current::current()
    }

    /// Does `work` with the loop that runs on this thread, if there is one. Nothing of the user's may run in it.
    #[inline(always)]
    pub(crate) fn on_current<T>(work: impl FnOnce(&Self) -> T) -> Option<T> {
        current::with_current(work)
    }

    /// Does `work` with the loop of this number, if it still exists; without counting, if it is the one that runs. Nothing
    /// of the user's may run in it.
    #[inline(always)]
    pub(crate) fn with<T>(number: CoreNumber, work: impl Fn(&Self) -> T) -> Option<T> {
        let current = current::with_current(|core| (core.number == number).then(|| work(core)));
        current.flatten().or_else(|| current::find(number).map(|core| work(&core)))
    }

    #[track_caller]
    pub(crate) fn current_or_panic(what: &str) -> Rc<Self> {
        match Self::current() {
            Some(core) => core,
            None => panic!("{what}() {NO_LOOP}"),
        }
    }

    /// Queues the task that runs, on whatever loop, if it is this one.
    #[inline(always)]
    pub(crate) fn wake_running(word: Word) -> bool {
        current::with_current(|core| core.wake_if_running(word)).unwrap_or(false)
    }

    /// Queues a task of the current loop, if that is its loop. Not for the one that runs.
    pub(crate) fn wake_on_current(word: Word) -> bool {
        let woken = current::with_current(|core| {
            let own = core.lease.name() == word.record();
            if own {
                core.wake_other(word);
            }
            own
        });
        woken == Some(true)
    }

    /// Queues a task of the current loop that waits in line, unless its wait was cut off by a cancellation: then it is
    /// false. `None` if it is of another loop.
    #[inline]
    pub(crate) fn call(word: Word) -> Option<bool> {
        let called = current::with_current(|core| {
            if core.lease.name() != word.record() {
                return None;
            }
            let tasks = core.tasks.borrow();
            let Some(task) = tasks.get(word.slot()).filter(|task| task.header().word() == word) else {
                return Some(true);
            };
            if task.header().is_cut_off() {
                return Some(false);
            }
            core.ready.push(task.as_runnable());
            Some(true)
        });
        called.flatten()
    }

    /// The word of the task that runs, on whatever loop.
    #[inline(always)]
    pub(crate) fn current_word() -> Word {
        current::with_current(Self::running_word).unwrap_or(Word::NOBODY)
    }

    /// The task that runs, on whatever loop.
    pub(crate) fn running_task() -> Option<TaskRef> {
        let running =
            current::with_current(|core| core.ready.with_running(|running| TaskRef::of(running).cloned()));
        running??
    }

    /// Its identity.
    pub(crate) fn running_id() -> Option<TaskId> {
        let id = current::with_current(|core| {
            core.ready.with_running(|running| TaskRef::of(running).map(|task| task.header().id()))
        });
        id??
    }

    pub(crate) fn number(&self) -> CoreNumber {
        self.number
    }

    /// Whether a task is one of this loop.
    pub(crate) fn owns(&self, header: &Header) -> bool {
        self.number == header.core
    }
}

/// Scheduling.
impl Core {
    /// Queues the task that `word` names, unless it is queued or has ended.
    #[inline(always)]
    pub(crate) fn wake(&self, word: Word) {
        if !self.wake_if_running(word) {
            self.wake_other(word);
        }
    }

    #[inline(always)]
    fn wake_other(&self, word: Word) {
        if let Some(task) = self.tasks.borrow().get(word.slot())
            && task.header().word() == word
        {
            self.ready.push(task.as_runnable());
        }
    }

    /// Queues the task that runs, if it is this one: by far the most frequent one to be woken.
    #[inline(always)]
    fn wake_if_running(&self, word: Word) -> bool {
        let itself = self.ready.with_running(|running| {
            let itself = running.word() == word;
            if itself {
                self.ready.push(running);
            }
            itself
        });
        itself.unwrap_or(false)
    }

    /// Queues a task, unless it is queued or has ended.
    pub(crate) fn schedule(&self, task: &TaskRef) {
        if !task.header().is_done() {
            self.ready.push(task.as_runnable());
            self.rouse_host();
        }
    }

    /// A timer that wakes a task.
    #[inline(always)]
    pub(crate) fn add_waker_timer(&self, deadline: Time, waker: Waker) -> TimerKey {
        self.add_timer(deadline, Action::wake(waker))
    }

    #[inline(always)]
    pub(super) fn add_timer(&self, deadline: Time, action: Action) -> TimerKey {
        self.tally.timers_set.add(1);
        let key = self.timers.borrow_mut().insert(deadline, action);
        if deadline <= self.now.get() {
            self.timer_is_due.set(true);
            self.cadence.attend();
        }
        TimerKey::new(self.number, Some(key))
    }

    #[inline(always)]
    pub(crate) fn time(&self) -> Time {
        self.driver.borrow().now()
    }

    pub(crate) fn random(&self) -> u64 {
        self.driver.borrow_mut().random()
    }

    pub(crate) fn wall_clock(&self) -> SystemTime {
        self.driver.borrow().wall_clock()
    }

    pub(crate) fn block_for(&self, duration: Duration) {
        self.driver.borrow_mut().block_for(duration);
    }

    pub(crate) fn remote_inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Another hold on it.
    pub(super) fn this(&self) -> Rc<Self> {
        match self.this.upgrade() {
            Some(this) => this,
            None => unreachable!("whoever has a core holds it"),
        }
    }

    pub(crate) fn weak(&self) -> Weak<Self> {
        self.this.clone()
    }
}

/// Running.
impl Core {
    /// Queues what other threads woke and called, in the order in which they did, and marks the loop as awake. False if
    /// there was nothing.
    #[inline(always)]
    pub(super) fn receive(&self) -> bool {
        !self.lease.record().is_quiet() && self.receive_woken()
    }

    fn receive_woken(&self) -> bool {
        let mut woken = self.woken.take();
        self.lease.record().take_woken(&mut woken);
        let received = !woken.is_empty();
        self.tally.remote_wakes.add(woken.len() as u64);
        while let Some(slot) = woken.pop() {
            if slot == MAIL {
                self.receive_calls();
                self.receive_signals();
            } else if let Some(task) = self.tasks.borrow().get(slot)
                && self.ready.push(task.as_runnable())
            {
                self.tally.queued_remotely.add(1);
            }
        }
        // With its room, for the next time.
        self.woken.set(woken);
        received
    }

    fn receive_calls(&self) {
        for (cancelled, scheduled_at, function) in self.inbox.take_calls() {
            let call = move || {
                if !cancelled.load(Ordering::SeqCst) {
                    function();
                }
            };
            self.call_soon_for(Box::new(call), scheduled_at);
        }
    }

    /// The word of the task that runs, or of nobody.
    #[inline(always)]
    pub(super) fn running_word(&self) -> Word {
        self.ready.with_running(Runnable::word).unwrap_or(Word::NOBODY)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.note_unclosed();
        self.close();
        current::unregister(self.number);
    }
}
