//! A typed coroutine on the loop: each send a request, each yield its answer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use super::{EventLoop, Loop};
use crate::coroutine::{
    Closed, Coroutine, FrameTrace, Input, InputOf, Misuse, Nothing, Outcome, Resumed, State, Thrown, closed,
    finished,
};
use crate::task::{JoinHandle, TaskError, TaskInfo, from_coroutine};

/// The handle to a coroutine that a loop drives. Made by [`EventLoop::drive`].
///
/// Its operations are futures: a request is queued at once, and the answer awaited. The coroutine waits between
/// requests as a task does, so it serves as an actor or as a stage of a pipeline. Requests are served in order.
///
/// Dropping the handle drops the coroutine once the requests made so far are served.
///
/// # Cancellation
///
/// Weak: dropping the future of an operation does not withdraw the request; its answer is dropped.
///
/// # Examples
///
/// ```
/// use coro_core::coroutine::{Misuse, Outcome};
/// use coro_core::native::Native;
/// use coro_core::{EventLoop, Loop};
///
/// let event_loop = Loop::simulated();
/// let doubler = event_loop.drive(Native::<u32, u32, ()>::new(async |co| {
///     let mut answer = 0;
///     loop {
///         answer = 2 * co.yield_(answer).await?;
///     }
/// }));
/// event_loop
///     .run(async move {
///         assert_eq!(doubler.start().await, Ok(Outcome::Yielded(0)));
///         assert_eq!(doubler.send(21).await, Ok(Outcome::Yielded(42)));
///     })
///     .unwrap();
/// ```
#[must_use = "dropping the handle ends the coroutine"]
pub struct Driven<C: Coroutine> {
    mailbox: Rc<Mailbox<C>>,
    task: JoinHandle<()>,
}

struct Mailbox<C: Coroutine> {
    requests: RefCell<VecDeque<Request<C>>>,
    worker: Cell<Option<Waker>>,
    state: Cell<State>,
    open: Cell<bool>,
}

struct Request<C: Coroutine> {
    ask: Ask<C>,
    reply: Rc<Reply<C>>,
}

enum Ask<C: Coroutine> {
    Resume(Option<InputOf<C>>),
    /// A start or a send of nothing, depending on where the coroutine stands when its turn comes.
    Next(fn() -> C::Send),
}

impl<C: Coroutine> Ask<C> {
    fn input(self, state: State) -> Option<InputOf<C>> {
        match self {
            Self::Resume(input) => input,
            Self::Next(_) if state == State::Created => None,
            Self::Next(nothing) => Some(Input::Send(nothing())),
        }
    }
}

struct Reply<C: Coroutine> {
    answer: Cell<Option<Resumed<C>>>,
    asker: Cell<Option<Waker>>,
}

impl<C> Driven<C>
where
    C: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    #[track_caller]
    pub(super) fn spawn(event_loop: &Loop, coroutine: C) -> Self {
        let mailbox = Rc::new(Mailbox {
            requests: RefCell::default(),
            worker: Cell::new(None),
            state: Cell::new(coroutine.state()),
            open: Cell::new(true),
        });
        let server = Server { coroutine, mailbox: Rc::clone(&mailbox), asker: None, finished: false };
        let task = event_loop.spawn(from_coroutine(server));
        Self { mailbox, task }
    }
}

/// Serves the requests one by one, until the handle is gone. It is a coroutine written by hand, so that the engine
/// of the one it drives is the only one that switches.
struct Server<C: Coroutine> {
    coroutine: C,
    mailbox: Rc<Mailbox<C>>,
    /// Who waits for the answer to the resume in progress.
    asker: Option<Rc<Reply<C>>>,
    finished: bool,
}

impl<C: Coroutine> Server<C> {
    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let input = match &self.asker {
                Some(_) => None,
                None => match ready!(self.mailbox.poll_request(cx)) {
                    Some(request) => {
                        self.asker = Some(request.reply);
                        request.ask.input(self.coroutine.state())
                    }
                    None => return Poll::Ready(()),
                },
            };
            self.mailbox.state.set(State::Running);
            let polled = self.coroutine.poll_resume(cx, input);
            self.mailbox.state.set(self.coroutine.state());
            let answer = ready!(polled);
            if let Some(asker) = self.asker.take() {
                asker.give(answer);
            }
        }
    }
}

impl<C: Coroutine> Coroutine for Server<C> {
    type Send = ();
    type Yield = Infallible;
    type Return = ();
    type Error = TaskError;

    fn state(&self) -> State {
        if self.finished { State::Finished } else { State::Running }
    }

    fn backtrace(&mut self) -> Vec<FrameTrace> {
        self.coroutine.backtrace()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let outcome = match input {
            Some(Input::Throw(error)) => Outcome::Raised(error),
            Some(Input::Close) => Outcome::Closed,
            Some(Input::Send(())) => return Poll::Ready(Err(Misuse::Running(input))),
            None if self.finished => return Poll::Ready(Err(Misuse::Finished(None))),
            None => {
                ready!(self.poll_serve(cx));
                Outcome::Returned(())
            }
        };
        self.finished = true;
        Poll::Ready(Ok(outcome))
    }
}

/// If the server goes, by a panic of the body or with its loop, nobody is left waiting.
impl<C: Coroutine> Drop for Server<C> {
    fn drop(&mut self) {
        self.mailbox.state.set(State::Finished);
        if let Some(asker) = self.asker.take() {
            asker.give(Err(Misuse::Finished(None)));
        }
        let unserved = self.mailbox.requests.take();
        for request in unserved {
            request.refuse();
        }
    }
}

impl<C: Coroutine> Request<C> {
    /// The coroutine is gone. The answers are those of a finished one.
    fn refuse(self) {
        self.reply.give(finished(self.ask.input(State::Finished)));
    }
}

impl<C: Coroutine> Mailbox<C> {
    fn poll_request(&self, cx: &Context<'_>) -> Poll<Option<Request<C>>> {
        let request = self.requests.borrow_mut().pop_front();
        if request.is_some() || !self.open.get() {
            return Poll::Ready(request);
        }
        drop(self.worker.replace(Some(cx.waker().clone())));
        Poll::Pending
    }

    fn wake(&self) {
        if let Some(waker) = self.worker.take() {
            waker.wake();
        }
    }
}

impl<C: Coroutine> Reply<C> {
    fn give(&self, answer: Resumed<C>) {
        self.answer.set(Some(answer));
        if let Some(waker) = self.asker.take() {
            waker.wake();
        }
    }
}

impl<C: Coroutine> Driven<C> {
    /// Runs a new coroutine to its first `yield`.
    ///
    /// # Errors
    ///
    /// As [`Coroutine::start`].
    pub fn start(&self) -> Answer<C> {
        self.ask(Ask::Resume(None))
    }

    /// Starts a new coroutine, else sends it nothing.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::next`](crate::coroutine::CoroutineExt::next).
    pub fn next(&self) -> Answer<C>
    where
        C::Send: Nothing,
    {
        self.ask(Ask::Next(C::Send::nothing))
    }

    /// Makes `value` the result of the `yield` that the body is suspended at; answers with the next.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::send`](crate::coroutine::CoroutineExt::send).
    pub fn send(&self, value: C::Send) -> Answer<C> {
        self.ask(Ask::Resume(Some(Input::Send(value))))
    }

    /// Raises `error` at the `yield` that the body is suspended at.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::throw`](crate::coroutine::CoroutineExt::throw).
    pub fn throw(&self, error: impl Into<Thrown<C::Error>>) -> Answer<C> {
        self.ask(Ask::Resume(Some(Input::Throw(error.into()))))
    }

    /// Asks the body to end, and gives the value that it returned on that, if it did.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::close`](crate::coroutine::CoroutineExt::close).
    pub fn close(&self) -> impl Future<Output = Closed<C>> + use<C> {
        let answer = self.ask(Ask::Resume(Some(Input::Close)));
        async move { closed(answer.await) }
    }

    /// Where the coroutine stands.
    pub fn state(&self) -> State {
        self.mailbox.state.get()
    }

    /// The task that drives it.
    pub fn task(&self) -> TaskInfo {
        self.task.info()
    }

    fn ask(&self, ask: Ask<C>) -> Answer<C> {
        let reply = Rc::new(Reply { answer: Cell::new(None), asker: Cell::new(None) });
        let request = Request { ask, reply: Rc::clone(&reply) };
        if self.task.is_done() {
            request.refuse();
        } else {
            self.mailbox.requests.borrow_mut().push_back(request);
            self.mailbox.wake();
        }
        Answer { reply }
    }
}

impl<C: Coroutine> Drop for Driven<C> {
    fn drop(&mut self) {
        self.mailbox.open.set(false);
        self.mailbox.wake();
    }
}

impl<C: Coroutine> fmt::Debug for Driven<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("state", &self.state()).field("task", &self.task).finish()
    }
}

/// The answer to a request, on its way. Made by [`Driven`].
#[must_use = "the request is made, but its answer is lost unless it is awaited"]
pub struct Answer<C: Coroutine> {
    reply: Rc<Reply<C>>,
}

impl<C: Coroutine> Future for Answer<C> {
    type Output = Resumed<C>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answer) = self.reply.answer.take() {
            return Poll::Ready(answer);
        }
        drop(self.reply.asker.replace(Some(cx.waker().clone())));
        Poll::Pending
    }
}

impl<C: Coroutine> fmt::Debug for Answer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
