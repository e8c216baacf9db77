//! The cell of a task: one allocation for what its loop knows of it, its body, and then its result.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use super::arena::{self, Home};
use super::header::{Header, Origin, Stage};
use super::{Panic, TaskBody, TaskError, task_waker};
use crate::event_loop::{Core, Head, Runnable, Table, find};

/// A task, whatever its body: a hold on its cell.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct TaskRef(
    /// **Invariant:** that of a [`TaskCell`].
    Runnable,
);

/// A task, by its result: what its handle holds.
pub(crate) struct Joinable<T> {
    /// **Invariant:** the output of its body is a `T`.
    task: TaskRef,
    of: PhantomData<fn() -> T>,
}

#[repr(C)]
struct TaskCell<B: TaskBody> {
    header: Header,
    /// **Invariant:** it has the body until the stage of the header is `Ended`, then the output, and nothing when that is
    /// `Taken`. While it is `Busy`, only the one who made it so touches this; else nobody keeps a reference to it.
    content: UnsafeCell<Content<B>>,
}

/// `repr(C)`: a pointer to it is one to what is in it.
#[repr(C)]
union Content<B: TaskBody> {
    /// Pinned: it is dropped where it is.
    body: ManuallyDrop<B>,
    output: ManuallyDrop<Output<B>>,
}

type Output<B> = Result<<B as TaskBody>::Output, TaskError>;

/// What a task can be asked for beyond being run. What the functions are given points to the whole of a live cell of
/// their type; all but the first are for one that has ended, and whose output is there.
pub(crate) struct Methods {
    /// Ends one that waits: drops the body, and leaves this result. Gives the panic of a destructor.
    destroy: unsafe fn(NonNull<Head>) -> Option<Panic>,
    /// Moves the output to a place for a `Poll<Result<_, TaskError>>`, which is pending.
    take_output: unsafe fn(NonNull<Head>, NonNull<()>),
    /// Takes the output if it is an error.
    take_error: unsafe fn(NonNull<Head>) -> Option<TaskError>,
    /// Drops the output. Unwinds with the panic of a destructor.
    drop_output: unsafe fn(NonNull<Head>),
}

impl TaskRef {
    /// A new task, and what its handle holds of it.
    #[inline(always)]
    pub(crate) fn new<B: TaskBody + 'static>(origin: Origin, body: B) -> (Self, Joinable<B::Output>) {
        let (mut place, home) = arena::allocate::<TaskCell<B>>();
        let header = Header::new(Head::new(TaskCell::<B>::TABLE), home, origin);
        let content = UnsafeCell::new(Content { body: ManuallyDrop::new(body) });
        // SAFETY: it is the caller's alone.
        let cell = NonNull::from(unsafe { place.as_mut() }.write(TaskCell { header, content }));
        // SAFETY: it begins with its head (`repr(C)`, twice), the pointer is to all of it, and only `free` frees it.
        let task = Self(unsafe { Runnable::from_new(cell.cast()) });
        (task.clone(), Joinable { task, of: PhantomData })
    }

    /// The task that is this, if it is one.
    #[cfg(feature = "testing")]
    pub(crate) fn of(runnable: &Runnable) -> Option<&Self> {
        // SAFETY: it is one (`repr(transparent)`), and that of a task.
        runnable.table().task.is_some().then(|| unsafe { &*(&raw const *runnable).cast::<Self>() })
    }

    #[inline(always)]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: by the invariant it begins with one, and it is alive, because this holds it. Nobody makes a `&mut` to
        // it.
        unsafe { self.0.as_ptr().cast::<Header>().as_ref() }
    }

    /// Those of its type.
    #[inline(always)]
    fn methods(&self) -> &'static Methods {
        match self.0.table().task {
            Some(methods) => methods,
            None => unreachable!("by the invariant it is a task"),
        }
    }

    pub(crate) fn as_runnable(&self) -> &Runnable {
        &self.0
    }

    /// Asks the task to end: an error is thrown where it waits, when it next runs. False if it has ended.
    pub(crate) fn cancel(&self) -> bool {
        let asked = self.header().mark_cancelled();
        // Whoever has the handle is on the loop's thread: queued in order, whether or not the loop runs.
        if asked && let Some(core) = find(self.header().core) {
            core.schedule(self);
        }
        asked
    }

    /// Ends the task without running it: its loop is closed. Gives the panic of a destructor, if there was one.
    pub(crate) fn destroy(&self) -> Option<Panic> {
        let header = self.header();
        if header.stage.get() != Stage::Waiting {
            return None;
        }
        // SAFETY: it is a live cell, of the type of its methods, and it waits.
        unsafe { (self.methods().destroy)(self.0.as_ptr()) }
    }

    /// If the result is an error that nobody can read any more, takes it, to be reported.
    #[inline(always)]
    pub(crate) fn take_unread_error(&self) -> Option<TaskError> {
        let header = self.header();
        if header.stage.get() == Stage::Ended && header.is_unread() { self.take_error() } else { None }
    }

    /// Of a task that has ended.
    fn take_error(&self) -> Option<TaskError> {
        // SAFETY: it is a live cell, of the type of its methods, and it has ended.
        let unread = unsafe { (self.methods().take_error)(self.0.as_ptr()) };
        unread.filter(|error| !error.is_cancelled() && !matches!(error, TaskError::LoopClosed))
    }

    /// If nobody but the caller holds it, drops its output. Gives the panic of a destructor.
    pub(crate) fn drop_unheld_output(&self) -> Option<Panic> {
        if !self.0.is_last_hold() || self.header().stage.get() != Stage::Ended {
            return None;
        }
        let drop_output = self.methods().drop_output;
        // SAFETY: it is a live cell, of the type of its methods, and it has ended.
        catch_unwind(AssertUnwindSafe(|| unsafe { drop_output(self.0.as_ptr()) })).err().map(Panic::new)
    }
}

impl<T> Joinable<T> {
    /// The result, once, if the task has ended.
    #[inline(always)]
    pub(crate) fn poll_output(&self) -> Poll<Result<T, TaskError>> {
        let mut output = Poll::Pending;
        let header = self.task.header();
        if header.stage.get() == Stage::Ended {
            // SAFETY: it is a live cell, of the type of its methods, and it has ended. By the invariant, `output` is a place
            // for what its body gives.
            unsafe {
                (self.task.methods().take_output)(self.task.0.as_ptr(), NonNull::from(&mut output).cast())
            };
        }
        output
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }
}

/// The functions of the tables. Each is given a pointer to the whole of a live cell of this type.
impl<B: TaskBody + 'static> TaskCell<B> {
    const TABLE: &'static Table =
        &Table { run: Self::run, discard: Self::discard, free: Self::free, task: Some(Self::METHODS) };
    const METHODS: &'static Methods = &Methods {
        destroy: Self::destroy,
        take_output: Self::take_output,
        take_error: Self::take_error,
        drop_output: Self::drop_output,
    };

    /// Where the body is, or the output.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says.
    #[inline(always)]
    unsafe fn content(head: NonNull<Head>) -> *mut Content<B> {
        // SAFETY: in bounds, because it is a cell.
        UnsafeCell::raw_get(unsafe { &raw const (*head.cast::<Self>().as_ptr()).content })
    }

    /// # Safety
    ///
    /// As [`Table`] says.
    unsafe fn run(runnable: &Runnable, core: &Core) {
        // SAFETY: it is one (`repr(transparent)`), and by the promise that of a task.
        let task = unsafe { &*(&raw const *runnable).cast::<TaskRef>() };
        let header = task.header();
        if header.stage.get() != Stage::Waiting {
            // It has ended since it was queued.
            return;
        }
        let before = core.set_current_task(header.word);
        header.stage.set(Stage::Busy);
        // SAFETY: it is a cell of this type.
        let content = unsafe { Self::content(task.0.as_ptr()) };
        // What it gave, apart: a result can be large, and most steps give none.
        let mut given = None;
        // With the judgement of the result: a value that a cancellation outran is dropped there.
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: it waited, so this is the body, and nobody else touches it while it is busy.
            let body = unsafe { &mut *content.cast::<B>() };
            // SAFETY: it stays in the cell until it is dropped there.
            let body = unsafe { Pin::new_unchecked(body) };
            if let Poll::Ready(result) = Self::step(body, header) {
                given = Some(result);
            }
        }));
        let result = match (stepped, given) {
            (Ok(()), None) => {
                header.stage.set(Stage::Waiting);
                core.set_current_task(before);
                return;
            }
            (Ok(()), Some(result)) => result,
            (Err(payload), _) => Err(TaskError::Panicked(Panic::new(payload))),
        };
        // SAFETY: it is a cell of this type, and busy with this.
        let panic = unsafe { Self::end(task.0.as_ptr(), result) };
        if let Some(panic) = panic {
            // SAFETY: it is a cell of this type, and it has ended.
            match unsafe { Self::output(task.0.as_ptr()) } {
                // One panic is the result.
                Err(TaskError::Panicked(_)) => core.report_destructor(header, panic),
                output => {
                    let displaced = std::mem::replace(output, Err(TaskError::Panicked(panic)));
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(displaced))) {
                        core.report_destructor(header, Panic::new(panic));
                    }
                }
            }
        }
        core.set_current_task(before);
        core.task_ended(task);
    }

    #[inline(always)]
    fn step(body: Pin<&mut B>, header: &Header) -> Poll<Result<B::Output, TaskError>> {
        let waker = task_waker(header.word);
        let error = header.must_cancel.take().then_some(TaskError::Cancelled);
        match body.step(&mut Context::from_waker(&waker), error) {
            // A return does not outrun a cancellation that was requested before it: the value is lost.
            Poll::Ready(Ok(_)) if header.must_cancel.get() => Poll::Ready(Err(TaskError::Cancelled)),
            polled => polled,
        }
    }

    /// Drops the body, and leaves `result`. Gives the panic of the body's destructor.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says, for one that the caller has made busy.
    unsafe fn end(head: NonNull<Head>, result: Result<B::Output, TaskError>) -> Option<Panic> {
        // SAFETY: as promised.
        let content = unsafe { Self::content(head) };
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: not ended, so this is the body, and nobody else touches it while it is busy. It is dropped once:
            // nobody takes it for the body after this.
            unsafe { content.cast::<B>().drop_in_place() }
        }));
        // SAFETY: writable, as above; what was the body is gone.
        unsafe { content.write(Content { output: ManuallyDrop::new(result) }) };
        // SAFETY: every cell begins with its header.
        unsafe { head.cast::<Header>().as_ref() }.stage.set(Stage::Ended);
        dropped.err().map(Panic::new)
    }

    /// # Safety
    ///
    /// As [`Methods`] says, for one that waits.
    unsafe fn destroy(head: NonNull<Head>) -> Option<Panic> {
        // SAFETY: every cell begins with its header.
        unsafe { head.cast::<Header>().as_ref() }.stage.set(Stage::Busy);
        // SAFETY: as promised, and it is busy now.
        unsafe { Self::end(head, Err(TaskError::LoopClosed)) }
    }

    /// # Safety
    ///
    /// As [`Methods`] says, for one that has ended. The reference must be gone before anything of the user's runs.
    #[inline(always)]
    unsafe fn output<'a>(head: NonNull<Head>) -> &'a mut Output<B> {
        // SAFETY: as promised.
        let content = unsafe { Self::content(head) };
        // SAFETY: it has ended, so this is the output, and nobody else has a reference to it.
        unsafe { &mut *content.cast::<Output<B>>() }
    }

    /// Moves the output out.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says, for one that has ended.
    #[inline(always)]
    unsafe fn take(head: NonNull<Head>) -> Output<B> {
        // SAFETY: every cell begins with its header.
        unsafe { head.cast::<Header>().as_ref() }.stage.set(Stage::Taken);
        // SAFETY: as promised.
        let output = unsafe { Self::output(head) };
        // SAFETY: it is valid, and not read again, now that it is taken.
        unsafe { std::ptr::read(output) }
    }

    /// # Safety
    ///
    /// As [`Methods`] says.
    unsafe fn take_output(head: NonNull<Head>, place: NonNull<()>) {
        // SAFETY: as promised.
        let output = unsafe { Self::take(head) };
        // SAFETY: it is a place for one, as promised, and what is there needs no drop.
        unsafe { place.cast::<Poll<Output<B>>>().write(Poll::Ready(output)) }
    }

    /// # Safety
    ///
    /// As [`Methods`] says.
    unsafe fn take_error(head: NonNull<Head>) -> Option<TaskError> {
        // SAFETY: as promised.
        if unsafe { Self::output(head) }.is_ok() {
            return None;
        }
        // SAFETY: as promised.
        unsafe { Self::take(head) }.err()
    }

    /// # Safety
    ///
    /// As [`Methods`] says.
    unsafe fn drop_output(head: NonNull<Head>) {
        // SAFETY: as promised.
        drop(unsafe { Self::take(head) });
    }

    /// Drops the header of a cell, and gives where its memory came from.
    ///
    /// # Safety
    ///
    /// As [`Table`] says for `free`.
    unsafe fn drop_header(head: NonNull<Head>) -> Home {
        let header = head.cast::<Header>();
        // SAFETY: every cell begins with its header.
        let home = unsafe { header.as_ref() }.home;
        // SAFETY: as promised, it is used no more.
        unsafe { header.drop_in_place() };
        home
    }

    /// # Safety
    ///
    /// As [`Table`] says.
    unsafe fn discard(runnable: Runnable, _core: &Core) {
        // It is in the table of the loop as well, which ends it.
        drop(runnable);
    }

    /// # Safety
    ///
    /// As [`Table`] says.
    unsafe fn free(head: NonNull<Head>) {
        // SAFETY: every cell begins with its header.
        let stage = unsafe { head.cast::<Header>().as_ref() }.stage.get();
        let output = match stage {
            // SAFETY: it has ended.
            Stage::Ended => Some(unsafe { Self::take(head) }),
            Stage::Taken => None,
            // It was never given to a loop, or its loop went without a word: as if destroyed.
            Stage::Waiting => {
                // SAFETY: it waits.
                drop(unsafe { Self::destroy(head) });
                None
            }
            // Whoever is busy with it holds it. If it was free all the same, they would find it gone.
            Stage::Busy => return,
        };
        // SAFETY: nobody holds it any more, and nobody sees it after this. What is not a header has been taken or dropped.
        let home = unsafe { Self::drop_header(head) };
        // SAFETY: it came from there, with that home.
        unsafe { arena::free(head.cast::<Self>(), home) };
        // At the end: its destructor may panic.
        drop(output);
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header().fmt(f)
    }
}
