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
        if header.stage.get() != Stage::Waiting {
            cold_path();
            header.note_late_run();
            return;
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
            match Self::step(body, header, core) {
                Poll::Pending => header.stage.set(Stage::Waiting),
                Poll::Ready(result) => given = Some(result),
            }
        }));
        let result = match (stepped, given) {
            (Ok(()), None) => return,
            (Ok(()), Some(result)) => result,
            (Err(payload), _) => {
                drop(core.end_throw());
                // SAFETY: it is a cell of this type, and busy with this.
                return unsafe { Self::panicked(head, core, Panic::new(payload)) };
            }
        };
        // SAFETY: it is a cell of this type, and busy with this.
        unsafe { Self::finish(head, core, result) };
    }

    /// # Safety
    ///
    /// As [`Methods`] says, for one that the caller has made busy.
    #[cold]
    unsafe fn panicked(head: NonNull<Head>, core: &Core, panic: Panic) {
        // SAFETY: as promised.
        unsafe { Self::finish(head, core, Err(TaskError::Panicked(panic))) };
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

    #[inline(always)]
    fn step(body: Pin<&mut B>, header: &Header, core: &Core) -> Poll<Result<B::Output, TaskError>> {
        if header.request.get() != Request::None {
            cold_path();
            return Self::throwing_step(body, header, core);
        }
        let polled =
            with_waker_of(header.word(), false, |waker| body.step(&mut Context::from_waker(waker), None));
        match polled {
            // A return does not outrun a cancellation that was requested before it: the value is lost.
            Poll::Ready(Ok(_)) if header.request.get() != Request::None => {
                Poll::Ready(Err(header.take_request()))
            }
            polled => polled,
        }
    }

    /// The step of one that was asked to end.
    #[cold]
    #[inline(never)]
    fn throwing_step(
        mut body: Pin<&mut B>,
        header: &Header,
        core: &Core,
    ) -> Poll<Result<B::Output, TaskError>> {
        let mut step = begin_throw(header, core);
        loop {
            let seeking = matches!(step, Step::Seeking);
            let (thrown, is_plain) = match step {
                Step::Plain => (None, true),
                Step::Seeking => (None, false),
                Step::Throwing(error) => (Some(error), false),
            };
            let polled = with_waker_of(header.word(), seeking, |waker| {
                body.as_mut().step(&mut Context::from_waker(waker), thrown)
            });
            let unheard = if seeking { end_throw(header, core) } else { None };
            match (polled, unheard) {
                (Poll::Pending, Some(unheard)) => step = Step::Throwing(unheard),
                (Poll::Ready(Ok(_)), Some(unheard)) => return Poll::Ready(Err(unheard)),
                (Poll::Ready(Ok(_)), None) if header.request.get() != Request::None => {
                    return Poll::Ready(Err(header.take_request()));
                }
                (Poll::Pending, None) => {
                    if !is_plain {
                        throw_again(header, core);
                    }
                    return Poll::Pending;
                }
                (polled, _) => return polled,
            }
        }
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
