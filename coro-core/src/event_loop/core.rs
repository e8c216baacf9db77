//! What a loop knows: its tasks, its queue, its timers, its mail and its driver.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use slab::Slab;

use super::NO_LOOP;
use super::cleanup::{Place, Unclosed};
use super::inbox::Inbox;
use super::operation::Operations;
use super::ready::{Callback, Ready, ReadyQueue};
use super::record::Lease;
use super::reports::print;
use super::timer::{Action, TimerKey, Timers};
use super::word::{MAIL, SLOTS, Word};
use super::{Exception, ExceptionHandler};
use crate::driver::Driver;
use crate::task::{AnyTask, Header, IntoTask, JoinHandle, Joiner, Panic, TaskCell, TaskError, TaskId};
use crate::time::Time;

/// The slot of the task at `index` of the tasks: the first one is that of the mailbox.
fn place(index: usize) -> u32 {
    match u32::try_from(index + 1) {
        Ok(slot) if slot < SLOTS => slot,
        _ => panic!("a loop has no room for more than {} tasks", SLOTS - 1),
    }
}

/// The other way round; that of no task for the mailbox.
fn index(slot: u32) -> usize {
    (slot as usize).wrapping_sub(1)
}

/// The insides of a loop. No borrow of any part is held while a task, a callback, a waker or a destructor of the
/// user's runs.
pub(crate) struct Core {
    this: Weak<Self>,
    pub(super) driver: RefCell<Box<dyn Driver>>,
    pub(super) lease: Lease,
    /// Empty, but for its room, while nobody is being woken.
    woken: Cell<Vec<u32>>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) timers: RefCell<Timers>,
    pub(super) operations: RefCell<Operations>,
    pub(super) ready: RefCell<ReadyQueue>,
    pub(super) tasks: RefCell<Slab<Rc<dyn AnyTask>>>,
    last_task: Cell<u64>,
    /// The slot of the task that runs; that of the mailbox if none does.
    pub(super) current_task: Cell<u32>,
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
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
}

/// The current loop, and finding it.
impl Core {
    pub(super) fn new(driver: Box<dyn Driver>) -> Rc<Self> {
        let lease = Lease::new(driver.notifier());
        let inbox = Arc::new(Inbox::new(lease.record()));
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            driver: RefCell::new(driver),
            lease,
            woken: Cell::default(),
            inbox,
            timers: RefCell::default(),
            operations: RefCell::default(),
            ready: RefCell::default(),
            tasks: RefCell::default(),
            last_task: Cell::new(0),
            current_task: Cell::new(MAIL),
            exception_handler: RefCell::new(None),
            stopping: Cell::new(false),
            running: Cell::new(false),
            closed: Cell::new(false),
            generators: RefCell::default(),
            cleanups: Cell::new(0),
            last_cleanup: RefCell::default(),
            last_cleanups: Cell::new(false),
        })
    }

    /// The loop that runs on this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        // During the thread's end there is none.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    #[track_caller]
    pub(crate) fn current_or_panic(what: &str) -> Rc<Self> {
        match Self::current() {
            Some(core) => core,
            None => panic!("{what}() {NO_LOOP}"),
        }
    }

    /// Makes this the current loop of the thread, unless there is one.
    pub(super) fn enter(self: &Rc<Self>) -> Option<Entered> {
        CURRENT.with(|current| {
            let mut current = current.borrow_mut();
            if current.is_some() {
                return None;
            }
            *current = Some(Rc::clone(self));
            self.running.set(true);
            Some(Entered)
        })
    }

    /// Queues a task of the current loop, if that is its loop.
    pub(crate) fn wake_on_current(word: Word) -> bool {
        CURRENT
            .try_with(|current| match &*current.borrow() {
                Some(core) if core.lease.name() == word.record() => {
                    let tasks = core.tasks.borrow();
                    if let Some(task) =
                        tasks.get(index(word.slot())).filter(|task| task.header().word == word)
                    {
                        core.schedule(task.header());
                    }
                    true
                }
                _ => false,
            })
            .unwrap_or(false)
    }

    /// Why waiting for the task behind `header` would be wrong here, if it would.
    pub(crate) fn join_error(header: &Header) -> Option<TaskError> {
        let core = Self::current()?;
        if !core.owns(header) {
            return Some(TaskError::ForeignLoop);
        }
        let awaits_itself = !header.is_done() && core.current_task.get() == header.word.slot();
        awaits_itself.then_some(TaskError::AwaitsItself)
    }

    /// Reports an error that was dropped unread with the last handle of its task, to the task's own loop.
    pub(crate) fn report_unread(header: &Header, error: TaskError) {
        let exception = Exception::NeverRetrieved(header.info(), error);
        match header.core.upgrade() {
            Some(core) => core.report(exception),
            None => print(&exception),
        }
    }

    /// Whether a task is one of this loop.
    pub(crate) fn owns(&self, header: &Header) -> bool {
        std::ptr::eq(header.core.as_ptr(), self)
    }
}

/// Undoes [`Core::enter`].
pub(super) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        let core = CURRENT.with(|current| current.borrow_mut().take());
        if let Some(core) = core {
            core.running.set(false);
        }
    }
}

/// Scheduling.
impl Core {
    pub(super) fn spawn<T>(&self, task: T, spawned_at: &'static Location<'static>) -> JoinHandle<T::Output>
    where
        T: IntoTask<Coroutine: 'static>,
        T::Output: 'static,
    {
        let coroutine = task.into_task().into_inner();
        self.last_task.set(self.last_task.get() + 1);
        let cell = {
            let mut tasks = self.tasks.borrow_mut();
            let slot = tasks.vacant_entry();
            let id = TaskId::new(self.last_task.get());
            let word = self.lease.record().word(self.lease.name(), place(slot.key()));
            let header = Header::new(id, word, self.weak(), T::FLAVOUR, spawned_at);
            let cell = Rc::new(TaskCell::new(header, coroutine));
            slot.insert(Rc::clone(&cell) as Rc<dyn AnyTask>);
            cell
        };
        if self.closed.get() {
            // Nothing will ever run it: its handle says so.
            self.remove(cell.header());
            self.destroy(&*cell);
        } else {
            self.schedule(cell.header());
        }
        JoinHandle::new(cell)
    }

    /// Queues a task, unless it is queued or has ended.
    pub(crate) fn schedule(&self, header: &Header) {
        if !header.is_done() && !header.queued.replace(true) {
            self.ready.borrow_mut().push(Ready::Task(header.word));
        }
    }

    /// Lets go of the place of a task.
    fn remove(&self, header: &Header) {
        let slot = header.word.slot();
        let removed = self.tasks.borrow_mut().try_remove(index(slot));
        self.lease.record().vacate(slot);
        drop(removed);
    }

    pub(super) fn call_soon(&self, function: Box<dyn FnOnce()>) -> Callback {
        let callback = Callback::new(function);
        if self.closed.get() {
            self.drop_callback(&callback);
        } else {
            self.ready.borrow_mut().push(Ready::Call(callback.clone()));
        }
        callback
    }

    /// Lets go of a callback that will not be called. A destructor of what it captured may panic.
    pub(super) fn drop_callback(&self, callback: &Callback) {
        let function = callback.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(function))) {
            self.report(Exception::CallbackPanicked(Panic::new(payload)));
        }
    }

    pub(super) fn call_at(&self, deadline: Time, callback: Callback) -> TimerKey {
        if self.closed.get() {
            self.drop_callback(&callback);
            return TimerKey::new(self.this.clone(), deadline, None);
        }
        self.add_timer(deadline, Action::Call(callback))
    }

    /// A timer that wakes a task.
    pub(crate) fn add_waker_timer(&self, deadline: Time, waker: &Waker) -> TimerKey {
        self.add_timer(deadline, Action::Wake(waker.clone()))
    }

    fn add_timer(&self, deadline: Time, action: Action) -> TimerKey {
        let key = self.timers.borrow_mut().insert(deadline, action);
        TimerKey::new(self.this.clone(), deadline, Some(key))
    }

    pub(crate) fn time(&self) -> Time {
        self.driver.borrow().now()
    }

    pub(crate) fn block_for(&self, duration: Duration) {
        self.driver.borrow_mut().block_for(duration);
    }

    pub(super) fn remote_inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    pub(crate) fn weak(&self) -> Weak<Self> {
        self.this.clone()
    }
}

/// Running.
impl Core {
    /// Queues what other threads woke and called, in the order in which they did, and marks the loop as awake. False if
    /// there was nothing.
    pub(super) fn receive(&self) -> bool {
        let mut woken = self.woken.take();
        self.lease.record().take_woken(&mut woken);
        let received = !woken.is_empty();
        while let Some(slot) = woken.pop() {
            if slot == MAIL {
                self.receive_calls();
            } else if let Some(task) = self.task_in(slot) {
                self.schedule(task.header());
            }
        }
        // With its room, for the next time.
        self.woken.set(woken);
        received
    }

    fn receive_calls(&self) {
        for (cancelled, function) in self.inbox.take_calls() {
            self.call_soon(Box::new(move || {
                if !cancelled.load(Ordering::SeqCst) {
                    function();
                }
            }));
        }
    }

    /// The task that has a slot.
    pub(super) fn task_in(&self, slot: u32) -> Option<Rc<dyn AnyTask>> {
        self.tasks.borrow().get(index(slot)).cloned()
    }

    pub(super) fn run_one(&self, ready: Ready) {
        match ready {
            Ready::Call(callback) => {
                let Some(function) = callback.take() else { return };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(function)) {
                    self.report(Exception::CallbackPanicked(Panic::new(payload)));
                }
            }
            Ready::Task(word) => {
                if let Some(task) = self.task_in(word.slot()).filter(|task| task.header().word == word) {
                    self.run_task(task);
                }
            }
        }
    }

    fn run_task(&self, task: Rc<dyn AnyTask>) {
        task.header().queued.set(false);
        let before = self.current_task.replace(task.header().word.slot());
        let done = task.resume();
        self.current_task.set(before);
        if done {
            self.remove(task.header());
            self.task_done(&*task);
            self.release(task);
        }
    }

    /// Lets go of a task that has ended. If its handle is gone, that drops its result, whose destructor may panic.
    pub(super) fn release(&self, task: Rc<dyn AnyTask>) {
        let info = task.header().info();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(task))) {
            self.report(Exception::DestructorPanicked(info, Panic::new(payload)));
        }
    }

    /// Tells whoever waits for a task that it has ended. Nobody is run inline.
    fn task_done(&self, task: &dyn AnyTask) {
        match task.header().take_joiner() {
            Some(Joiner::Waker(waker)) => waker.wake(),
            Some(Joiner::Member(group, index)) => group.member_done(index),
            Some(Joiner::Call(function)) => {
                self.call_soon(function);
            }
            None => {}
        }
        if let Some(error) = task.take_unread_error() {
            self.report(Exception::NeverRetrieved(task.header().info(), error));
        }
    }

    pub(super) fn destroy(&self, task: &dyn AnyTask) {
        if let Some(panic) = task.destroy() {
            self.report(Exception::DestructorPanicked(task.header().info(), panic));
        }
        self.task_done(task);
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.close();
    }
}
