//! The adapter that runs two coroutines side by side.

use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::task::{Context, Poll, ready};

use crate::coroutine::{
    Coroutine, Input, InputOf, Misuse, MisuseKind, Outcome, Resumed, State, Thrown, finished,
};

/// How a [`Zip`] returned: one of the two did, and the other is where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipEnd<Y, A, B> {
    /// The first returned this. The second was not resumed for that round.
    First(A),
    /// The second returned, when the first had yielded already: the item that found no partner comes with it.
    Second {
        /// What the second returned.
        returned: B,
        /// What the first yielded in the same round.
        unpaired: Y,
    },
}

/// Two coroutines, side by side. Made by [`Adapt::zip`](super::Adapt::zip).
///
/// ```text
///            input            yields            yields, pair handed out
///   First ──────────▶ first ─────────▶ Second ─────────────────────────▶ First
///     │                 │ ends            │ ends
///     │ close           └───▶ Over ◀──────┤
///     └───▶ CloseFirst ───▶ CloseSecond ──┘   (back to First if both yield)
/// ```
pub struct Zip<C: Coroutine, D: Coroutine> {
    first: C,
    second: D,
    round: Round<C>,
    unpaired: (Vec<C::Yield>, Vec<D::Yield>),
}

/// Whose turn it is.
enum Round<C: Coroutine> {
    /// That of the first. While it is parked, this is what the second is to be resumed with.
    First(Option<InputOf<C>>),
    /// That of the second: the first has yielded this.
    Second(C::Yield),
    /// The first is being closed.
    CloseFirst,
    /// The second is being closed: the first has answered so.
    CloseSecond(Answer<C::Yield, C::Error>),
    /// Nobody's: it has ended.
    Over,
}

/// The answer to a close.
enum Answer<Y, E> {
    Ended,
    Raised(Thrown<E>),
    Ignored(Y),
}

impl<C: Coroutine, D: Coroutine> Zip<C, D> {
    pub(super) fn new(first: C, second: D) -> Self {
        Self { first, second, round: Round::First(None), unpaired: (Vec::new(), Vec::new()) }
    }

    /// The coroutines themselves, where they stand.
    pub fn into_inner(self) -> (C, D) {
        (self.first, self.second)
    }

    /// Takes what one of them yielded when the other raised an error, or when they were closed: it belongs to no pair.
    pub fn unpaired(&mut self) -> (Vec<C::Yield>, Vec<D::Yield>) {
        mem::take(&mut self.unpaired)
    }
}

impl<C, D> Coroutine for Zip<C, D>
where
    C: Coroutine<Send: Clone, Error: Clone>,
    D: Coroutine<Send = C::Send, Error = C::Error>,
{
    type Send = C::Send;
    type Yield = (C::Yield, D::Yield);
    type Return = ZipEnd<C::Yield, C::Return, D::Return>;
    type Error = C::Error;

    fn state(&self) -> State {
        match self.round {
            Round::First(_) | Round::CloseFirst => self.first.state(),
            Round::Second(_) | Round::CloseSecond(_) => self.second.state(),
            Round::Over => State::Finished,
        }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        match (self.take_round(), input) {
            (Round::Over, input) => Poll::Ready(finished(input)),
            (round @ (Round::First(_) | Round::Second(_)), Some(Input::Close)) => self.close(cx, round),
            (Round::First(parked), input) => self.poll_first(cx, parked, input),
            (Round::Second(item), input) => self.poll_second(cx, item, input),
            (Round::CloseFirst, input) => self.poll_close_first(cx, input),
            (Round::CloseSecond(first), input) => self.poll_close_second(cx, first, input),
        }
    }
}

impl<C, D> Zip<C, D>
where
    C: Coroutine<Send: Clone, Error: Clone>,
    D: Coroutine<Send = C::Send, Error = C::Error>,
{
    /// Until it is put back, it is over: a panic of a body leaves it so.
    fn take_round(&mut self) -> Round<C> {
        mem::replace(&mut self.round, Round::Over)
    }

    fn poll_first(
        &mut self,
        cx: &mut Context<'_>,
        parked: Option<InputOf<C>>,
        input: Option<InputOf<C>>,
    ) -> Poll<Resumed<Self>> {
        let for_second = input.clone().or_else(|| parked.clone());
        let resumed = match self.first.poll_resume(cx, input) {
            Poll::Ready(resumed) => resumed,
            Poll::Pending => {
                self.round = Round::First(for_second);
                return Poll::Pending;
            }
        };
        match resumed {
            Ok(Outcome::Yielded(item)) | Err(Misuse::IgnoredExit(item)) => {
                self.poll_second(cx, item, for_second)
            }
            Ok(Outcome::Returned(value)) => Poll::Ready(Ok(Outcome::Returned(ZipEnd::First(value)))),
            Ok(Outcome::Raised(error)) => Poll::Ready(Ok(Outcome::Raised(error))),
            Ok(Outcome::Closed) => Poll::Ready(Ok(Outcome::Closed)),
            Err(misuse) => {
                // Refused, or delivered to a body that awaits what nobody wakes: what was under way still is.
                let delivered = matches!(misuse, Misuse::ForeignPending);
                self.round = Round::First(if delivered { for_second } else { parked });
                Poll::Ready(Err(refused(misuse)))
            }
        }
    }

    fn poll_second(
        &mut self,
        cx: &mut Context<'_>,
        item: C::Yield,
        input: Option<InputOf<C>>,
    ) -> Poll<Resumed<Self>> {
        let resumed = match self.second.poll_resume(cx, input) {
            Poll::Ready(resumed) => resumed,
            Poll::Pending => {
                self.round = Round::Second(item);
                return Poll::Pending;
            }
        };
        Poll::Ready(match resumed {
            Ok(Outcome::Yielded(partner)) | Err(Misuse::IgnoredExit(partner)) => {
                self.round = Round::First(None);
                Ok(Outcome::Yielded((item, partner)))
            }
            Ok(Outcome::Returned(returned)) => {
                Ok(Outcome::Returned(ZipEnd::Second { returned, unpaired: item }))
            }
            Ok(Outcome::Raised(error)) => {
                self.unpaired.0.push(item);
                Ok(Outcome::Raised(error))
            }
            Ok(Outcome::Closed) => {
                self.unpaired.0.push(item);
                Ok(Outcome::Closed)
            }
            Err(misuse) => {
                self.round = Round::Second(item);
                Err(refused(misuse))
            }
        })
    }

    fn close(&mut self, cx: &mut Context<'_>, round: Round<C>) -> Poll<Resumed<Self>> {
        let closing = self.poll_close_first(cx, Some(Input::Close));
        if let Poll::Ready(Err(Misuse::Running(_))) = closing
            && matches!(self.round, Round::CloseFirst)
        {
            // Somebody else is running the first: nothing was closed.
            self.round = round;
        } else if let Round::Second(item) = round {
            self.unpaired.0.push(item);
        }
        closing
    }

    fn poll_close_first(&mut self, cx: &mut Context<'_>, input: Option<InputOf<C>>) -> Poll<Resumed<Self>> {
        self.round = Round::CloseFirst;
        match ready!(poll_close(&mut self.first, cx, input)) {
            Ok(first) => self.poll_close_second(cx, first, Some(Input::Close)),
            Err(misuse) => Poll::Ready(Err(refused(misuse))),
        }
    }

    fn poll_close_second(
        &mut self,
        cx: &mut Context<'_>,
        first: Answer<C::Yield, C::Error>,
        input: Option<InputOf<C>>,
    ) -> Poll<Resumed<Self>> {
        match poll_close(&mut self.second, cx, input) {
            Poll::Pending => {
                self.round = Round::CloseSecond(first);
                Poll::Pending
            }
            Poll::Ready(Err(misuse)) => {
                self.round = Round::CloseSecond(first);
                Poll::Ready(Err(refused(misuse)))
            }
            Poll::Ready(Ok(second)) => Poll::Ready(self.closed(first, second)),
        }
    }

    fn closed(
        &mut self,
        first: Answer<C::Yield, C::Error>,
        second: Answer<D::Yield, C::Error>,
    ) -> Resumed<Self> {
        self.round = Round::Over;
        let (first, second) = match (first, second) {
            (Answer::Ignored(item), Answer::Ignored(partner)) => {
                self.round = Round::First(None);
                return Err(Misuse::IgnoredExit((item, partner)));
            }
            answers => answers,
        };
        let mut error = None;
        match first {
            Answer::Ended => {}
            Answer::Raised(raised) => error = Some(raised),
            Answer::Ignored(item) => {
                self.unpaired.0.push(item);
                error = Some(Thrown::Misuse(MisuseKind::IgnoredExit));
            }
        }
        match second {
            Answer::Ended => {}
            Answer::Raised(raised) => error = Some(raised),
            Answer::Ignored(item) => {
                self.unpaired.1.push(item);
                error = error.or(Some(Thrown::Misuse(MisuseKind::IgnoredExit)));
            }
        }
        Ok(error.map_or(Outcome::Closed, Outcome::Raised))
    }
}

/// Goes on with a close, or begins it.
#[expect(clippy::type_complexity, reason = "it is what a resume gives, as an answer")]
fn poll_close<C: Coroutine>(
    coroutine: &mut C,
    cx: &mut Context<'_>,
    input: Option<InputOf<C>>,
) -> Poll<Result<Answer<C::Yield, C::Error>, Misuse<C::Send, C::Yield, C::Error>>> {
    coroutine.poll_resume(cx, input).map(|resumed| match resumed {
        Ok(Outcome::Returned(_) | Outcome::Closed) => Ok(Answer::Ended),
        Ok(Outcome::Raised(error)) => Ok(Answer::Raised(error)),
        Ok(Outcome::Yielded(value)) | Err(Misuse::IgnoredExit(value)) => Ok(Answer::Ignored(value)),
        Err(misuse) => Err(misuse),
    })
}

/// A misuse that has no yielded value: that has been taken out.
fn refused<S, Y, Z, E>(misuse: Misuse<S, Y, E>) -> Misuse<S, Z, E> {
    misuse.map_yield(|_| unreachable!("its value has been taken out"))
}

impl<C: Coroutine, D: Coroutine> fmt::Debug for Zip<C, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zip").field(&self.first.state()).field(&self.second.state()).finish()
    }
}
