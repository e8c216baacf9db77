//! How the body of a task is run, to its next wait or its end.

use std::hint::cold_path;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use super::{Content, Output, TaskCell, TaskRef};
use crate::coroutine::{FrameInfo, FrameTrace};
use crate::event_loop::{Core, Head, Runnable};
use crate::task::cancelling::{Step, begin_throw, end_throw, throw_again};
use crate::task::header::{Header, Request, Stage};
use crate::task::{Panic, TaskBody, TaskError, with_waker_of};

impl<B: TaskBody + 'static> TaskCell<B> {
    /// # Safety
    ///
    /// As [`Table`] says.
    pub(super) unsafe fn run(head: NonNull<Head>, core: &Core) {
        // SAFETY: every cell begins with its header, and it is held meanwhile.
        let header = unsafe { head.cast::<Header>().as_ref() };
        if header.stage.get() != Stage::Waiting || header.request.get() != Request::None {
            cold_path();
            // SAFETY: as promised.
            if unsafe { Self::run_rarely(head, core) } {
                return;
            }
        }
        if B::IS_FAR {
            core.fetch_upcoming();
        }
        header.stage.set(Stage::Busy);
        // SAFETY: it is a cell of this type.
        let content = unsafe { Self::content(head) };
        // What it gave, apart: a result can be large, and most steps give none.
        let mut given = None;
        // With the judgement of the result: a value that a cancellation outran is dropped there.
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: it waited, so this is the body, and nobody else touches it while it is busy.
            let body = unsafe { &mut *content.cast::<B>() };
            // SAFETY: it stays in the cell until it is dropped there.
            let body = unsafe { Pin::new_unchecked(body) };
            match with_waker_of(header.word(), |waker| body.step(&mut Context::from_waker(waker))) {
                Poll::Pending => header.stage.set(Stage::Waiting),
                Poll::Ready(result) if core.is_seeking() || header.request.get() != Request::None => {
                    given = Some(judge(header, core, result));
                }
                Poll::Ready(result) => given = Some(result),
            }
        }));
        let result = match (stepped, given) {
            (Ok(()), None) => return,
            (Ok(()), Some(result)) => result,
            (Err(payload), _) => {
                drop(core.end_throw());
                Err(TaskError::Panicked(Panic::new(payload)))
            }
        };
        // SAFETY: it is a cell of this type, and busy with this.
        unsafe { Self::finish(head, core, result) };
    }

    /// Runs one that was asked to end. False for one whose step has [begun](Stage::Begun) here: its body is to be run where
    /// every step runs it. In two places it would be inlined in neither.
    ///
    /// # Safety
    ///
    /// As [`Table`] says.
    #[cold]
    #[inline(never)]
    unsafe fn run_rarely(head: NonNull<Head>, core: &Core) -> bool {
        // SAFETY: every cell begins with its header, and it is held meanwhile.
        let header = unsafe { head.cast::<Header>().as_ref() };
        match header.stage.get() {
            Stage::Begun => return false,
            Stage::Waiting => header.stage.set(Stage::Busy),
            Stage::Busy | Stage::Ended | Stage::Taken => {
                header.note_late_run();
                return true;
            }
        }
        let run_body = || {
            header.stage.set(Stage::Begun);
            // SAFETY: as promised, of the same cell.
            unsafe { Head::run(head, core) };
        };
        let error = match begin_throw(header, core) {
            Step::Plain => {
                run_body();
                return true;
            }
            Step::Throwing(error) => Some(error),
            Step::Seeking => {
                core.seek(run_body);
                end_throw(header, core)
            }
        };
        if let Some(error) = error {
            header.stage.set(Stage::Busy);
            // SAFETY: it is a cell of this type, and it waited.
            if !unsafe { Self::throw(head, core, error) } {
                run_body();
            }
        }
        if header.is_waiting() {
            throw_again(header, core);
        }
        true
    }

    /// Throws at the body. False if that is to be run for it.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says, for one that the caller has made busy.
    unsafe fn throw(head: NonNull<Head>, core: &Core, error: TaskError) -> bool {
        // SAFETY: every cell begins with its header, and it is held meanwhile.
        let header = unsafe { head.cast::<Header>().as_ref() };
        // SAFETY: it is a cell of this type.
        let content = unsafe { Self::content(head) };
        let thrown = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: as promised, this is the body, and nobody else touches it.
            let body = unsafe { &mut *content.cast::<B>() };
            // SAFETY: it stays in the cell until it is dropped there.
            let body = unsafe { Pin::new_unchecked(body) };
            let thrown =
                with_waker_of(header.word(), |waker| body.throw(&mut Context::from_waker(waker), error));
            thrown.map(|polled| polled.map(|result| judge(header, core, result)))
        }));
        let result = match thrown {
            Ok(None) => return false,
            Ok(Some(Poll::Pending)) => {
                header.stage.set(Stage::Waiting);
                return true;
            }
            Ok(Some(Poll::Ready(result))) => result,
            Err(payload) => Err(TaskError::Panicked(Panic::new(payload))),
        };
        // SAFETY: as promised.
        unsafe { Self::finish(head, core, result) };
        true
    }

    /// # Safety
    ///
    /// As [`Methods`] says, for one that the caller has made busy.
    #[inline(always)]
    unsafe fn finish(head: NonNull<Head>, core: &Core, result: Output<B>) {
        // SAFETY: as promised.
        if let Some(panic) = unsafe { Self::end(head, result) } {
            // SAFETY: it is a cell of this type, and it has ended.
            unsafe { Self::destructor_panicked(head, core, panic) };
        }
        // SAFETY: it is that of a task. The hold is not given up here.
        core.task_ended(ManuallyDrop::new(TaskRef(unsafe { Runnable::from_counted(head) })));
    }

    /// That is the result, or reported.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says, for one that has ended.
    #[cold]
    unsafe fn destructor_panicked(head: NonNull<Head>, core: &Core, panic: Panic) {
        // SAFETY: it is that of a task. The hold is not given up here.
        let task = ManuallyDrop::new(TaskRef(unsafe { Runnable::from_counted(head) }));
        // SAFETY: as promised.
        match unsafe { Self::output(head) } {
            // One panic is the result.
            Err(TaskError::Panicked(_)) => core.report_destructor(&task, panic),
            output => {
                let error = TaskError::Panicked(panic);
                task.header().note_failed(&error);
                let displaced = std::mem::replace(output, Err(error));
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(displaced))) {
                    core.report_destructor(&task, Panic::new(panic));
                }
            }
        }
    }

    /// # Safety
    ///
    /// As [`Table`] says, for one that is not being run.
    pub(super) unsafe fn fetch(head: NonNull<Head>) {
        // SAFETY: every cell begins with its header.
        let header = unsafe { head.cast::<Header>().as_ref() };
        if header.is_waiting() {
            // SAFETY: it is a cell of this type.
            let content = unsafe { Self::content(head) };
            // SAFETY: it waits, so this is the body, and nobody else touches it meanwhile.
            unsafe { &*content.cast::<B>() }.fetch();
        }
    }

    /// # Safety
    ///
    /// As [`Methods`](super::Methods) says, for one that waits.
    pub(super) unsafe fn info(head: NonNull<Head>) -> std::thread::Result<Option<FrameInfo>> {
        // SAFETY: every cell begins with its header.
        let stage = unsafe { &head.cast::<Header>().as_ref().stage };
        // SAFETY: it is a cell of this type.
        let content = unsafe { Self::content(head) };
        // Nobody else may run or end the body meanwhile.
        stage.set(Stage::Busy);
        let info = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: it waited, so this is the body, and nobody else touches it while it is busy.
            unsafe { &*content.cast::<B>() }.info()
        }));
        stage.set(Stage::Waiting);
        info
    }

    /// # Safety
    ///
    /// As [`Methods`](super::Methods) says, for one that waits.
    pub(super) unsafe fn backtrace(head: NonNull<Head>) -> std::thread::Result<Vec<FrameTrace>> {
        // SAFETY: every cell begins with its header.
        let stage = unsafe { &head.cast::<Header>().as_ref().stage };
        // SAFETY: it is a cell of this type.
        let content = unsafe { Self::content(head) };
        // Nobody else may look at the body meanwhile, nor run or end it.
        stage.set(Stage::Busy);
        let frames = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: it waited, so this is the body, and nobody else touches it while it is busy.
            let body = unsafe { &mut *content.cast::<B>() };
            // SAFETY: it stays in the cell until it is dropped there.
            unsafe { Pin::new_unchecked(body) }.backtrace()
        }));
        stage.set(Stage::Waiting);
        frames
    }

    /// Drops the body, and leaves `result`. Gives the panic of the body's destructor.
    ///
    /// # Safety
    ///
    /// As [`Methods`] says, for one that the caller has made busy.
    #[inline(always)]
    pub(super) unsafe fn end(head: NonNull<Head>, result: Output<B>) -> Option<Panic> {
        // SAFETY: as promised.
        let content = unsafe { Self::content(head) };
        if let Err(error) = &result {
            // SAFETY: every cell begins with its header.
            unsafe { head.cast::<Header>().as_ref() }.note_failed(error);
        }
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: not ended, so this is the body, and nobody else touches it while it is busy. It is dropped once:
            // nobody takes it for the body after this.
            unsafe { content.cast::<B>().drop_in_place() }
        }));
        // SAFETY: writable, as above; what was the body is gone.
        unsafe { content.write(Content { output: ManuallyDrop::new(result) }) };
        // SAFETY: every cell begins with its header.
        unsafe { head.cast::<Header>().as_ref() }.note_ended();
        dropped.err().map(Panic::new)
    }
}

/// What a task ends with whose body has ended. A return does not outrun a cancellation that was requested before it, or that
/// is being thrown: the value is lost.
#[cold]
fn judge<T>(header: &Header, core: &Core, result: Result<T, TaskError>) -> Result<T, TaskError> {
    match (result, end_throw(header, core)) {
        (Ok(_), Some(unheard)) => Err(unheard),
        (Ok(_), None) if header.request.get() != Request::None => Err(header.take_request()),
        (result, _) => result,
    }
}
