//! The children of a group: what can be one, and what its task runs.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::State;
use crate::coroutine::{FrameInfo, FrameTrace, Thrown};
use crate::event_loop::Core;
use crate::native::{self, Native};
use crate::stats::Flavour;
use crate::task::{CoroutineTask, IntoTask, Panic, Prepared, TaskBody, TaskCoroutine, TaskError};

/// What a future returns that is the child of a group: an `Err` is an error of the child, and fails the group.
#[diagnostic::on_unimplemented(
    message = "a child of a task group cannot return `{Self}`",
    note = "return `()`, or a `Result<_, TaskError>`, of which an error fails the group"
)]
pub trait Returned {
    /// The value.
    type Value;

    /// The value, or what went wrong.
    ///
    /// # Errors
    ///
    /// What went wrong.
    fn returned(self) -> Result<Self::Value, TaskError>;
}

impl Returned for () {
    type Value = ();

    fn returned(self) -> Result<(), TaskError> {
        Ok(())
    }
}

/// A body that never returns, such as a loop without an end.
impl Returned for Never {
    type Value = ();

    fn returned(self) -> Result<(), TaskError> {
        self
    }
}

/// The type `!`, which has no stable name but as what a function returns.
type Never = <fn() -> ! as never::Function>::Output;

mod never {
    pub trait Function {
        type Output;
    }

    impl<T> Function for fn() -> T {
        type Output = T;
    }
}

impl<T> Returned for Result<T, TaskError> {
    type Value = T;

    fn returned(self) -> Self {
        self
    }
}

/// What can be the child of a group: a task of every flavour, of which an error that is raised fails the group; and a
/// future that returns `()` or a `Result`.
pub trait IntoChild: IntoTask {
    /// What it gives, if it does not fail.
    type Value;

    /// The value, or the error with which it has returned.
    ///
    /// # Errors
    ///
    /// That.
    fn returned(output: Self::Output) -> Result<Self::Value, TaskError>;
}

impl<F: Future<Output: Returned>> IntoChild for F {
    type Value = <F::Output as Returned>::Value;

    fn returned(output: F::Output) -> Result<Self::Value, TaskError> {
        output.returned()
    }
}

impl<F: Future<Output: Returned>> IntoChild for native::Task<F> {
    type Value = <F::Output as Returned>::Value;

    fn returned(output: F::Output) -> Result<Self::Value, TaskError> {
        output.returned()
    }
}

impl<R, F> IntoChild for Native<(), std::convert::Infallible, R, TaskError, F>
where
    F: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized,
{
    type Value = R;

    fn returned(output: R) -> Result<R, TaskError> {
        Ok(output)
    }
}

impl<C: TaskCoroutine> IntoChild for CoroutineTask<C> {
    type Value = C::Return;

    fn returned(output: C::Return) -> Result<C::Return, TaskError> {
        Ok(output)
    }
}

/// The task of a child.
pub(super) struct Child<C> {
    pub(super) child: C,
    pub(super) place: Place,
}

/// The place of a child in its group, until it has ended or is dropped.
pub(super) struct Place {
    group: Rc<State>,
    key: usize,
    ended: bool,
    /// While it is to say that it is ready, an error of it is for who waits for that.
    starting: Option<Rc<Cell<bool>>>,
}

impl Place {
    pub(super) fn new(group: &Rc<State>, starting: Option<Rc<Cell<bool>>>) -> Self {
        Self { group: Rc::clone(group), key: group.reserve(), ended: false, starting }
    }

    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// Tells the group how the child has ended. What is for somebody else stays.
    fn end<T>(&mut self, result: Result<T, TaskError>) -> Result<T, TaskError> {
        self.ended = true;
        let starting = self.starting.as_ref().is_some_and(|starting| starting.get());
        match result {
            Err(error) if !starting && !error.is_cancelled() => {
                self.group.child_ended(self.key, Some(error));
                Err(TaskError::GivenToGroup)
            }
            result => {
                self.group.child_ended(self.key, None);
                result
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.ended {
            self.group.child_ended(self.key, None);
        }
    }
}

pin_project! {
    /// The body of a child, which tells its group how it ends.
    pub struct InGroup<C: IntoChild> {
        // `None` once it has ended.
        #[pin]
        body: Option<C::Body>,
        place: Place,
    }
}

impl<C: IntoChild> IntoTask for Child<C> {
    type Output = C::Value;
    type Body = InGroup<C>;

    const FLAVOUR: Option<Flavour> = C::FLAVOUR;

    fn into_task(self) -> Prepared<InGroup<C>> {
        let Self { child, place } = self;
        Prepared::new(InGroup { body: Some(child.into_task().into_inner()), place })
    }
}

impl<C: IntoChild> TaskBody for InGroup<C> {
    type Output = C::Value;

    const IS_FAR: bool = C::Body::IS_FAR;

    fn fetch(&self) {
        self.body.iter().for_each(C::Body::fetch);
    }

    fn step(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<C::Value, TaskError>> {
        match catch_unwind(AssertUnwindSafe(|| self.as_mut().body().step(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(self.ended(Ok(output))),
            Err(payload) => Poll::Ready(self.ended(Err(payload))),
        }
    }

    fn throw(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: TaskError,
    ) -> Option<Poll<Result<C::Value, TaskError>>> {
        match catch_unwind(AssertUnwindSafe(|| self.as_mut().body().throw(cx, error))) {
            Ok(None) => None,
            Ok(Some(Poll::Pending)) => Some(Poll::Pending),
            Ok(Some(Poll::Ready(output))) => Some(Poll::Ready(self.ended(Ok(output)))),
            Err(payload) => Some(Poll::Ready(self.ended(Err(payload)))),
        }
    }

    fn type_name() -> &'static str {
        C::Body::type_name()
    }

    fn info(&self) -> Option<FrameInfo> {
        self.body.as_ref()?.info()
    }

    fn backtrace(self: Pin<&mut Self>) -> Vec<FrameTrace> {
        self.project().body.as_pin_mut().map_or_else(Vec::new, TaskBody::backtrace)
    }
}

impl<C: IntoChild> InGroup<C> {
    fn body(self: Pin<&mut Self>) -> Pin<&mut C::Body> {
        match self.project().body.as_pin_mut() {
            Some(body) => body,
            None => unreachable!("a child that has ended is not run"),
        }
    }

    /// What its task ends with.
    fn ended(
        self: Pin<&mut Self>,
        output: std::thread::Result<Result<C::Output, TaskError>>,
    ) -> Result<C::Value, TaskError> {
        let mut this = self.project();
        let result = output
            .and_then(|output| catch_unwind(AssertUnwindSafe(|| output.and_then(C::returned))))
            .unwrap_or_else(|payload| Err(TaskError::Panicked(Panic::new(payload))));
        // Now, and not with the task: a panic of a destructor fails the group too.
        let dropped = catch_unwind(AssertUnwindSafe(|| this.body.set(None))).map_err(Panic::new);
        let result = match (result, dropped) {
            (Ok(_), Err(panic)) => Err(TaskError::Panicked(panic)),
            (Err(error), Err(panic)) => {
                report_destructor(panic);
                Err(error)
            }
            (result, Ok(())) => result,
        };
        this.place.end(result)
    }
}

#[cold]
fn report_destructor(panic: Panic) {
    if let (Some(task), Some(core)) = (Core::running_task(), Core::current()) {
        core.report_destructor(&task, panic);
    }
}
