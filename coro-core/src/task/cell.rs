//! The cell of a task: one allocation for what its loop knows of it, its body, and then its result.

#![allow(unsafe_code)]

mod asked;
mod running;

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::Poll;

use super::arena::{self, Home};
use super::header::{Header, Origin, Stage};
use super::{Cancelled, Panic, TaskBody, TaskError};
use crate::coroutine::{FrameInfo, FrameTrace};
use crate::event_loop::{Core, Head, Runnable, Table};

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
/// their type; all but the first four are for one that has ended, and whose output is there.
pub(crate) struct Methods {
    /// Ends one that waits: drops the body, and leaves this result. Gives the panic of a destructor.
    destroy: unsafe fn(NonNull<Head>) -> Option<Panic>,
    /// What the body is called: as far as its type tells, and what one that waits says of itself, unless it panics
    /// because somebody wrote it by hand.
    name: fn() -> &'static str,
    info: unsafe fn(NonNull<Head>) -> std::thread::Result<Option<FrameInfo>>,
    /// The frames of one that waits, from the outside in. Gives the panic of a coroutine that somebody wrote by hand.
    backtrace: unsafe fn(NonNull<Head>) -> std::thread::Result<Vec<FrameTrace>>,
    /// Takes the output if it is an error.
    take_error: unsafe fn(NonNull<Head>) -> Option<TaskError>,
    /// The cancellation that it ended with, if it did.
    cancelled: unsafe fn(NonNull<Head>) -> Option<Cancelled>,
    /// Drops the output. Unwinds with the panic of a destructor.
    drop_output: unsafe fn(NonNull<Head>),
}

/// A place for a task with such a body.
pub(crate) struct TaskPlace<B: TaskBody> {
    /// **Invariant:** it was given by the arena with this home, and is nobody else's.
    block: NonNull<MaybeUninit<TaskCell<B>>>,
    home: Home,
}

impl<B: TaskBody + 'static> TaskPlace<B> {
    pub(crate) fn new() -> Self {
        let (block, home) = arena::allocate();
        Self { block, home }
    }

    /// If there is one at hand. Mostly it cannot panic.
    #[inline(always)]
    pub(crate) fn at_hand() -> Option<Self> {
        let (block, home) = arena::allocate_at_hand()?;
        Some(Self { block, home })
    }

    /// A new task, which is to be queued, and what its handle holds of it.
    #[inline(always)]
    pub(crate) fn fill(self, origin: Origin, body: B) -> (TaskRef, Joinable<B::Output>) {
        let Self { block, home } = *ManuallyDrop::new(self);
        let header = Header::new(TaskCell::<B>::TABLE, home, TaskCell::<B>::CONTENT_AT, origin);
        let content = UnsafeCell::new(Content { body: ManuallyDrop::new(body) });
        // Through the pointer of the arena, to which it goes back: one to the cell alone would be for less than the block.
        let cell = block.cast::<TaskCell<B>>();
        // SAFETY: by the invariant it is ours alone.
        unsafe { cell.write(TaskCell { header, content }) };
        // SAFETY: it begins with its head (`repr(C)`, twice), the pointer is to all of it, and only `free` frees it.
        let task = TaskRef(unsafe { Runnable::from_counted(cell.cast()) });
        (task.clone(), Joinable { task, of: PhantomData })
    }
}

impl<B: TaskBody> Drop for TaskPlace<B> {
    /// It was not needed.
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: by the invariant.
        unsafe { arena::free(self.block, self.home) };
    }
}

impl TaskRef {
    /// The task that is this, if it is one.
    #[inline(always)]
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

    #[inline(always)]
    pub(crate) fn as_runnable(&self) -> &Runnable {
        &self.0
    }

    #[inline(always)]
    pub(crate) fn into_runnable(self) -> Runnable {
        self.0
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

    /// The cancellation that it has ended with, if it has, and nobody has taken it.
    pub(crate) fn cancelled(&self) -> Option<Cancelled> {
        if self.header().stage.get() != Stage::Ended {
            return None;
        }
        // SAFETY: it is a live cell, of the type of its methods, and it has ended.
        unsafe { (self.methods().cancelled)(self.0.as_ptr()) }
    }

    /// Drops its output, if it is there. Gives the panic of a destructor.
    pub(crate) fn drop_output(&self) -> Option<Panic> {
        if self.header().stage.get() != Stage::Ended {
            return None;
        }
        let drop_output = self.methods().drop_output;
        // SAFETY: it is a live cell, of the type of its methods, and it has ended.
        catch_unwind(AssertUnwindSafe(|| unsafe { drop_output(self.0.as_ptr()) })).err().map(Panic::new)
    }
}

impl<T> Joinable<T> {
    /// Where its output is, if it has ended and nobody has taken that.
    #[inline(always)]
    fn output(&self) -> Option<NonNull<Result<T, TaskError>>> {
        let header = self.task.header();
        if header.stage.get() != Stage::Ended {
            return None;
        }
        // SAFETY: it is within the cell: there is its content, which is the output, by the invariant one of this type.
        Some(unsafe { self.task.0.as_ptr().byte_add(header.content_at.into()) }.cast())
    }

    /// The result, once, if the task has ended.
    #[inline(always)]
    pub(crate) fn poll_output(&self) -> Poll<Result<T, TaskError>> {
        let Some(output) = self.output() else { return Poll::Pending };
        self.task.header().note_taken();
        // SAFETY: it is there. It is not read again, now that it is taken.
        Poll::Ready(unsafe { output.read() })
    }

    /// Whether it has ended with an error, other than by being cancelled, which has not been taken.
    pub(crate) fn has_failed(&self) -> bool {
        // SAFETY: it is there. Nobody has another reference to it, and nothing of the user's runs while there is this one.
        let output = self.output().map(|output| unsafe { output.as_ref() });
        matches!(output, Some(Err(error)) if !error.is_cancelled())
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }
}

/// The functions of the tables. Each is given a pointer to the whole of a live cell of this type.
impl<B: TaskBody + 'static> TaskCell<B> {
    const TABLE: &'static Table = &Table {
        run: Self::run,
        fetch: if B::IS_FAR { Some(Self::fetch) } else { None },
        discard: Self::discard,
        free: Self::free,
        task: Some(Self::METHODS),
    };
    const METHODS: &'static Methods = &Methods {
        destroy: Self::destroy,
        name: B::type_name,
        info: Self::info,
        backtrace: Self::backtrace,
        take_error: Self::take_error,
        cancelled: Self::cancelled,
        drop_output: Self::drop_output,
    };

    const CONTENT_AT: u16 = {
        let at = offset_of!(Self, content);
        assert!(at <= u16::MAX as usize, "the body of a task is aligned to 32 KiB at most");
        at as u16
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
        unsafe { head.cast::<Header>().as_ref() }.note_taken();
        // SAFETY: as promised.
        let output = unsafe { Self::output(head) };
        // SAFETY: it is valid, and not read again, now that it is taken.
        unsafe { std::ptr::read(output) }
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
    unsafe fn cancelled(head: NonNull<Head>) -> Option<Cancelled> {
        // SAFETY: as promised. To clone a cancellation runs nothing of the user's.
        match unsafe { Self::output(head) } {
            Err(TaskError::Cancelled(cancelled)) => Some(cancelled.clone()),
            _ => None,
        }
    }

    /// # Safety
    ///
    /// As [`Methods`] says.
    unsafe fn drop_output(head: NonNull<Head>) {
        // SAFETY: as promised.
        drop(unsafe { Self::take(head) });
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
        let header = unsafe { head.cast::<Header>().as_ref() };
        if header.is_taken() && header.is_bare() {
            // SAFETY: it came from there, with that home; nobody holds it, and there is nothing to drop.
            unsafe { arena::free(head.cast::<Self>(), header.home) };
        } else {
            // SAFETY: as promised.
            unsafe { Self::free_filled(head) };
        }
    }

    /// # Safety
    ///
    /// As [`Table`] says for `free`.
    #[cold]
    unsafe fn free_filled(head: NonNull<Head>) {
        let header = head.cast::<Header>();
        // SAFETY: every cell begins with its header.
        let stage = unsafe { header.as_ref() }.stage.get();
        // SAFETY: as above.
        let home = unsafe { header.as_ref() }.home;
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
            Stage::Busy | Stage::Begun => return,
        };
        // SAFETY: nobody holds it any more, and nobody sees it after this. What is not a header has been taken or dropped.
        unsafe { header.drop_in_place() };
        // SAFETY: it came from there, with that home.
        unsafe { arena::free(head.cast::<Self>(), home) };
        // At the end: its destructor may panic.
        drop(output);
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}
