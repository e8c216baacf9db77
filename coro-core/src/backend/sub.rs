//! What can be delegated to.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::{Any, type_name};
use core::fmt;
use core::task::{Context, Poll, Waker};

use super::{BoxedFrame, Engine, Frame, FrameInfo, Level, Machine, Phase, Resume, Step, Sub};
use crate::coroutine::{Coroutine, Input, Misuse, MisuseKind, Nothing, Outcome, Shared, State, Thrown};

/// A coroutine that another one can delegate to: it receives, yields and raises the same types.
///
/// The coroutines of all flavours are, their adapters, and [`Shared`] handles to any coroutine. The chain owns it while
/// it runs.
pub trait IntoSub<S, Y, E> {
    /// What it returns: the value of the delegation.
    type Return;

    /// Puts it on its way. A coroutine that is suspended at a `yield` goes on with `first`; one that is not has no
    /// use for it.
    ///
    /// # Errors
    ///
    /// Why it cannot be delegated to: it is finished or running (also if it is parked while it is closed), or is
    /// suspended and there is no `first` for it.
    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, Self::Return, E>, MisuseKind>;
}

/// What can be delegated to, and go to another thread meanwhile: the coroutines of
/// [`native::new`](crate::native::new()) whose bodies can, and iterators that can.
///
/// It says of a type that all the frames of its [`Delegation`] may go. That is why nobody else implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be delegated to by a coroutine that may go to another thread",
    note = "the body of `native::new` delegates only to what can go with it; `Native::new` delegates to anything"
)]
pub trait MovableSub<S, Y, E>: IntoSub<S, Y, E> + Send + Sealed {}

/// Keeps [`MovableSub`] here.
pub trait Sealed {}

/// A coroutine on its way to be delegated to, and how to take the value out of its frame when it has returned.
pub struct Delegation<S, Y, R, E> {
    pub(super) sub: Sub<S, Y, E>,
    pub(super) take: Take<R>,
}

/// Takes the value out of a frame that has returned.
pub(super) type Take<R> = fn(Box<dyn Any>) -> Option<R>;

impl<S, Y, R, E> Delegation<S, Y, R, E> {
    /// Of a frame that has no chain.
    fn single(frame: BoxedFrame<S, Y, E>, first: Option<S>, take: Take<R>) -> Self {
        Self { sub: Sub { above: None, frame, first }, take }
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> Delegation<S, Y, R, E> {
    /// Puts `coroutine` on its way as a frame that is resumed through the contract, as anybody else would: for
    /// adapters and for coroutines written by hand. It costs a level, and keeps its own chain.
    ///
    /// # Errors
    ///
    /// As [`IntoSub::into_sub`].
    pub fn of<C>(coroutine: C, first: Option<S>) -> Result<Self, MisuseKind>
    where
        C: Coroutine<Send = S, Yield = Y, Return = R, Error = E> + 'static,
    {
        let first = match (coroutine.state(), first) {
            // What is parked goes on when it is woken.
            (State::Created | State::Running, _) => None,
            (State::Suspended, Some(value)) => Some(value),
            (State::Suspended, None) => return Err(MisuseKind::NoInput),
            (State::Finished, _) => return Err(MisuseKind::Finished),
        };
        let frame = Box::new(Opaque { coroutine, returned: None });
        Ok(Self::single(frame, first, |frame| frame.downcast::<Opaque<C>>().ok()?.returned))
    }
}

impl<S, Y, E> Delegation<S, Y, (), E> {
    /// The same, whose value is the default of another type.
    #[cfg(feature = "testing")]
    pub(crate) fn returning_default<R: Default>(self) -> Delegation<S, Y, R, E> {
        Delegation { sub: self.sub, take: |_| Some(R::default()) }
    }
}

impl<S, Y, R, E> fmt::Debug for Delegation<S, Y, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sub.fmt(f)
    }
}

/// What can be delegated to, whatever its type.
pub trait AnySub<S, Y, R, E> {
    /// [`IntoSub::into_sub`], behind a pointer.
    ///
    /// # Errors
    ///
    /// As there.
    fn boxed_into_sub(self: Box<Self>, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind>;
}

impl<S, Y, E, C: IntoSub<S, Y, E>> AnySub<S, Y, C::Return, E> for C {
    fn boxed_into_sub(
        self: Box<Self>,
        first: Option<S>,
    ) -> Result<Delegation<S, Y, C::Return, E>, MisuseKind> {
        self.into_sub(first)
    }
}

impl<S, Y, R, E> IntoSub<S, Y, E> for Box<dyn AnySub<S, Y, R, E> + '_> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.boxed_into_sub(first)
    }
}

/// A coroutine that can also be delegated to, whatever its type.
pub trait AnyCoroutine<S, Y, R, E>:
    Coroutine<Send = S, Yield = Y, Return = R, Error = E> + AnySub<S, Y, R, E>
{
}

impl<S, Y, R, E, C> AnyCoroutine<S, Y, R, E> for C where
    C: Coroutine<Send = S, Yield = Y, Return = R, Error = E> + AnySub<S, Y, R, E>
{
}

impl<S, Y, R, E> IntoSub<S, Y, E> for Box<dyn AnyCoroutine<S, Y, R, E> + '_> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.boxed_into_sub(first)
    }
}

impl<G> IntoSub<G::Send, G::Yield, G::Error> for Machine<G>
where
    G: Engine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    type Return = G::Return;

    fn into_sub(
        self,
        first: Option<G::Send>,
    ) -> Result<Delegation<G::Send, G::Yield, G::Return, G::Error>, MisuseKind> {
        match self.closing {
            None => {}
            // Somebody waits for the answer to a close.
            Some(closing) if closing.root => return Err(MisuseKind::Running),
            // An exit on its way down from a sub of its own: only it knows how that goes on.
            Some(_) => return Delegation::of(self, first),
        }
        let first = match (self.phase, first) {
            (Phase::Created | Phase::Parked | Phase::ParkedAbove, _) => None,
            (Phase::Suspended | Phase::Delegating, Some(value)) => Some(value),
            (Phase::Suspended | Phase::Delegating, None) => return Err(MisuseKind::NoInput),
            (Phase::Finished, _) => return Err(MisuseKind::Finished),
            (Phase::Begun, _) => return Err(MisuseKind::Running),
        };
        let (root, above) = self.into_frames();
        let sub = Sub { above, frame: Box::new(root), first };
        Ok(Delegation { sub, take: |frame| frame.downcast::<Level<G>>().ok()?.take_returned() })
    }
}

/// A coroutine behind a handle stays where it is: others may resume it meanwhile.
impl<C> IntoSub<C::Send, C::Yield, C::Error> for Shared<C>
where
    C: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    type Return = C::Return;

    fn into_sub(
        self,
        first: Option<C::Send>,
    ) -> Result<Delegation<C::Send, C::Yield, C::Return, C::Error>, MisuseKind> {
        match self.state() {
            // Somebody else has it.
            State::Running => Err(MisuseKind::Running),
            _ => Delegation::of(self, first),
        }
    }
}

/// A frame that is resumed through the contract, as anybody else would.
struct Opaque<C: Coroutine> {
    coroutine: C,
    returned: Option<C::Return>,
}

impl<C> Frame<C::Send, C::Yield, C::Error> for Opaque<C>
where
    C: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    fn run(&mut self, wake: Option<&Waker>, resume: Resume<C::Send, C::Error>) -> Step<C::Yield, C::Error> {
        let input = match resume {
            Resume::Continue => None,
            Resume::Send(value) => Some(Input::Send(value)),
            Resume::Throw(error) => Some(Input::Throw(error)),
            Resume::Close => Some(Input::Close),
        };
        match self.coroutine.poll_resume(&mut Context::from_waker(wake.unwrap_or(Waker::noop())), input) {
            Poll::Pending => Step::Parked,
            Poll::Ready(Ok(Outcome::Yielded(value)) | Err(Misuse::IgnoredExit(value))) => {
                Step::Yielded(value)
            }
            Poll::Ready(Ok(Outcome::Returned(value))) => {
                self.returned = Some(value);
                Step::Returned
            }
            Poll::Ready(Ok(Outcome::Raised(error))) => Step::Raised(error),
            Poll::Ready(Ok(Outcome::Closed)) => Step::Raised(Thrown::Exit),
            Poll::Ready(Err(Misuse::ForeignPending)) => Step::Foreign,
            Poll::Ready(Err(misuse)) => Step::Raised(Thrown::Misuse(misuse.kind())),
        }
    }

    fn has_landing(&self) -> bool {
        // It decides for itself.
        true
    }

    fn take_sub(&mut self) -> Option<Sub<C::Send, C::Yield, C::Error>> {
        None
    }

    fn hand_back(&mut self, _sub: Box<dyn Frame<C::Send, C::Yield, C::Error>>) {
        unreachable!("a coroutine behind a handle keeps its own chain")
    }

    fn info(&self) -> FrameInfo {
        let state = self.coroutine.state();
        FrameInfo { flavour: None, name: type_name::<C>(), made_at: None, state }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.coroutine.delegates()
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<super::FrameTrace> {
        self.coroutine.backtrace()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// An iterator, as something to delegate to: it yields its items. It cannot receive: a value that is sent to it
/// raises [`MisuseKind::CannotReceive`] in the delegator, an error is raised there, and a close does nothing to it.
#[derive(Debug)]
pub struct Plain<I>(pub I);

impl<S, Y, E, I> IntoSub<S, Y, E> for Plain<I>
where
    I: Iterator<Item = Y> + 'static,
    S: Nothing,
{
    type Return = ();

    fn into_sub(self, _first: Option<S>) -> Result<Delegation<S, Y, (), E>, MisuseKind> {
        Ok(Delegation::single(Box::new(self), None, |_| Some(())))
    }
}

impl<I> Sealed for Plain<I> {}

impl<S, Y, E, I> MovableSub<S, Y, E> for Plain<I>
where
    I: Iterator<Item = Y> + Send + 'static,
    S: Nothing,
{
}

impl<S, Y, E, I> Frame<S, Y, E> for Plain<I>
where
    I: Iterator<Item = Y> + 'static,
    S: Nothing,
{
    fn run(&mut self, _wake: Option<&Waker>, resume: Resume<S, E>) -> Step<Y, E> {
        match resume {
            Resume::Send(value) if !value.is_nothing() => {
                Step::Raised(Thrown::Misuse(MisuseKind::CannotReceive))
            }
            Resume::Continue | Resume::Send(_) => self.0.next().map_or(Step::Returned, Step::Yielded),
            Resume::Throw(error) => Step::Raised(error),
            Resume::Close => Step::Raised(Thrown::Exit),
        }
    }

    fn has_landing(&self) -> bool {
        true
    }

    fn take_sub(&mut self) -> Option<Sub<S, Y, E>> {
        None
    }

    fn hand_back(&mut self, _sub: Box<dyn Frame<S, Y, E>>) {
        unreachable!("an iterator does not delegate")
    }

    fn info(&self) -> FrameInfo {
        FrameInfo { flavour: None, name: type_name::<I>(), made_at: None, state: State::Suspended }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
