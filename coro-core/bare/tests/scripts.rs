//! What the scripts do, and what the contract says where there is no loop.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::task::Poll;

use coro_bare::{Frames, castle, door, lines, resume_in_frame};
use coro_core::coroutine::{Adapt, AsyncContext, Ending, Resumed, with};
use coro_core::native::Native;
use coro_core::prelude::*;

/// What the player reads, if anything.
fn read<C: Coroutine<Yield = String, Return = String>>(resumed: Poll<Resumed<C>>) -> Option<String> {
    match resumed {
        Poll::Ready(Ok(Outcome::Yielded(text) | Outcome::Returned(text))) => Some(text),
        Poll::Ready(_) => Some("refused".to_string()),
        Poll::Pending => None,
    }
}

#[test]
fn a_script_waits_for_frames_and_delegates() {
    let frames = Frames::default();
    let mut script = castle::native(frames.clone());
    let mut show = |said: Option<&str>| {
        let input = said.map(|said| Input::Send(said.to_string()));
        let shown = read::<Native<_, _, _>>(resume_in_frame(&mut script, input));
        frames.advance();
        shown
    };
    let inputs =
        [None, Some("Bilbo"), Some("too early"), None, None, Some("open"), Some("friend"), Some("hello")];
    let shown = inputs.map(|said| show(said).unwrap_or_default());
    assert_eq!(
        shown,
        [
            "who are you?",
            "",
            "refused",
            "",
            "say a word (1)",
            "say a word (2)",
            "Bilbo went in after 2",
            "refused"
        ]
    );
}

#[test]
fn a_script_that_is_resumed_by_hand_says_that_it_would_wait() {
    let mut script = castle::native(Frames::default());
    assert!(matches!(script.start(), Ok(Outcome::Yielded(_))));
    let refused = script.send("Bilbo".to_string()).unwrap_err();
    assert_eq!(refused, Misuse::WouldPark);
    let refused: &dyn std::error::Error = &refused;
    assert_eq!(
        refused.to_string(),
        "the coroutine waits for a wake-up: resume it on an event loop, or with poll_resume()"
    );
    assert_eq!(script.close(), Ok(None));
}

#[test]
fn a_script_borrows_its_text_and_is_adapted() {
    let text = String::from("once upon a time\nthere was\na test");
    let mut long = lines::native(&text).map_yield(str::len).items();
    assert_eq!(long.by_ref().map(Result::unwrap).collect::<Vec<_>>(), [16, 9, 6]);
    assert_eq!(long.returned(), Some(3));
}

#[test]
fn a_delegate_is_seen_and_a_throw_reaches_it() {
    let mut script = Native::<String, String, u32, &str>::new(async |co| {
        let inner = Native::<String, String, u32, &str>::new(async |co| {
            let thrown = co.yield_("inner".to_string()).await;
            Ok(u32::from(thrown == Err(Thrown::Error("hey"))))
        });
        Ok(10 + co.yield_from(inner).await?)
    });
    assert_eq!(script.start(), Ok(Outcome::Yielded("inner".to_string())));
    assert_eq!(script.delegates().len(), 1);
    assert_eq!(script.throw("hey"), Ok(Outcome::Returned(11)));
    assert_eq!(door::native("x").close(), Ok(None));
}

/// Tells what becomes of it.
struct Told(Rc<RefCell<Vec<&'static str>>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.borrow_mut().push("dropped");
    }
}

impl AsyncContext<Infallible> for Told {
    type Value = ();

    async fn enter(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().push("entered");
        Ok(())
    }

    async fn exit(self, _: Ending) -> Result<(), Infallible> {
        self.0.borrow_mut().push("left");
        Ok(())
    }
}

#[test]
fn an_async_generator_that_is_dropped_half_way_is_dropped_at_once() {
    let trace = Rc::default();
    let held = Told(Rc::clone(&trace));
    let body = Native::<(), u32, ()>::new(async move |co| {
        let _held = held;
        co.yield_(1).await?;
        Ok(())
    });
    let mut generator = AsyncGenerator::new(body);
    let mut item = Box::pin(generator.next());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(item.as_mut().poll(&mut cx), Poll::Ready(Ok(Some(1))));
    drop(item);
    assert_eq!(*trace.borrow(), [""; 0]);
    drop(generator);
    assert_eq!(*trace.borrow(), ["dropped"]);
}

#[test]
fn a_context_whose_body_is_dropped_is_dropped_and_one_whose_body_ends_is_left() {
    let trace = Rc::default();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut waits = Box::pin(with(Told(Rc::clone(&trace)), async |()| pending().await));
    assert_eq!(waits.as_mut().poll(&mut cx), Poll::<Result<(), _>>::Pending);
    drop(waits);
    assert_eq!(trace.take(), ["entered", "dropped"]);
    let mut ends = Box::pin(with(Told(Rc::clone(&trace)), async |()| Ok(7)));
    assert_eq!(ends.as_mut().poll(&mut cx), Poll::Ready(Ok(7)));
    assert_eq!(trace.take(), ["entered", "left", "dropped"]);
}
