//! Values whose destructors panic, at every point of a resume in turn: nothing is dropped twice, nothing is kept, and
//! what is left of the coroutine answers. Run under Miri.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use coro_core::backend::IntoSub;
use coro_core::coroutine::{Resumed, Shared};
use coro_core::native::{Co, Native};
use coro_core::prelude::*;

/// How many bombs there are, and which one, counted in the order in which they are dropped, goes off.
#[derive(Clone, Default)]
struct Minefield {
    live: Rc<Cell<usize>>,
    fuse: Rc<Cell<usize>>,
}

struct Bomb(Minefield);

impl Minefield {
    fn bomb(&self) -> Bomb {
        self.live.set(self.live.get() + 1);
        Bomb(self.clone())
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.live.set(self.0.live.get() - 1);
        // Only one, so that it never meets another panic.
        if self.0.fuse.get() > 0 {
            self.0.fuse.set(self.0.fuse.get() - 1);
            assert!(self.0.fuse.get() > 0, "the bomb went off");
        }
    }
}

type Mined = Native<Bomb, Bomb, Bomb, Bomb>;
/// What a coroutine is resumed with.
type Feed = fn(Bomb) -> Option<Input<Bomb, Bomb>>;

/// Lets each bomb in turn go off, until there is none that does.
fn mine(scenario: impl Fn(&Minefield)) {
    for fuse in (1..).step_by(if cfg!(miri) { 7 } else { 1 }) {
        let mines = Minefield::default();
        mines.fuse.set(fuse);
        let ran = catch_unwind(AssertUnwindSafe(|| scenario(&mines)));
        assert_eq!(mines.live.get(), 0, "bomb {fuse}");
        if let Err(payload) = &ran {
            assert_eq!(payload.downcast_ref(), Some(&"the bomb went off"));
        }
        if mines.fuse.replace(0) > 0 {
            assert!(ran.is_ok());
            assert!(fuse > 5, "it was a scenario with bombs");
            return;
        }
    }
}

/// Resumes it as often as it takes to end it. It answers, whatever went off meanwhile; what went off is returned.
fn exercise(coroutine: &mut Mined, mines: &Minefield, inputs: &[Feed]) {
    for input in inputs {
        let resumed = catch_unwind(AssertUnwindSafe(|| {
            let bomb = mines.bomb();
            drop(poll(coroutine, input(bomb)));
        }));
        if let Err(payload) = resumed {
            assert_eq!(payload.downcast_ref(), Some(&"the bomb went off"));
        }
        drop(coroutine.delegates());
    }
    let ended = poll(coroutine, Some(Input::Throw(Thrown::Exit)));
    drop(ended);
}

fn poll(coroutine: &mut Mined, input: Option<Input<Bomb, Bomb>>) -> Poll<Resumed<Mined>> {
    coroutine.poll_resume(&mut Context::from_waker(Waker::noop()), input)
}

fn nothing(_: Bomb) -> Option<Input<Bomb, Bomb>> {
    None
}

fn send(bomb: Bomb) -> Option<Input<Bomb, Bomb>> {
    Some(Input::Send(bomb))
}

fn throw(bomb: Bomb) -> Option<Input<Bomb, Bomb>> {
    Some(Input::Throw(Thrown::Error(bomb)))
}

fn exit(_: Bomb) -> Option<Input<Bomb, Bomb>> {
    Some(Input::Throw(Thrown::Exit))
}

fn close(_: Bomb) -> Option<Input<Bomb, Bomb>> {
    Some(Input::Close)
}

/// Waits for what is pending once. A local that is dropped when the value of a function is there already would make the
/// compiler leak that value, if it panics (rust-lang/rust#47949): here nothing of ours is.
async fn wait(co: &mut Co<'_, Bomb, Bomb, Bomb>, held: Bomb) -> Result<(), Thrown<Bomb>> {
    let mut waited = false;
    let once =
        poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending });
    let result = co.wait(once).await;
    drop(held);
    result
}

/// Yields, waits, drops a yield half-way, swallows errors, and delegates `depth` levels deep to the same.
fn body(mines: &Minefield, depth: usize) -> Mined {
    let mines = mines.clone();
    let captured = mines.bomb();
    Native::new(async move |co| {
        let held = mines.bomb();
        drop(co.yield_(mines.bomb()).await);
        let _ = wait(co, mines.bomb()).await;
        if let Some(depth) = depth.checked_sub(1) {
            let sub = body(&mines, depth);
            let _ = if depth == 0 { co.yield_from(Shared::new(sub)).await } else { co.yield_from(sub).await };
        }
        let _ = co.yield_(mines.bomb()).await;
        let last = co.yield_(mines.bomb()).await;
        let waited = wait(co, mines.bomb()).await;
        drop((last, held, captured));
        waited?;
        Ok(mines.bomb())
    })
}

const INPUTS: [Feed; 5] = [nothing, send, throw, exit, close];

#[test]
fn a_destructor_may_panic_anywhere_in_a_resume() {
    // Each kind of input, at each place.
    for input in INPUTS {
        for place in (0..14).step_by(if cfg!(miri) { 6 } else { 1 }) {
            let mut inputs = [nothing as Feed; 20];
            for (index, slot) in inputs.iter_mut().enumerate() {
                *slot = if index == place {
                    input
                } else if index % 2 == 0 {
                    nothing
                } else {
                    send
                };
            }
            mine(|mines| exercise(&mut body(mines, 2), mines, &inputs));
        }
    }
}

#[test]
fn a_destructor_may_panic_while_a_coroutine_is_dropped_or_handed_over() {
    for steps in (0..8).step_by(if cfg!(miri) { 3 } else { 1 }) {
        let inputs: [Feed; 8] = [nothing, send, nothing, nothing, send, nothing, nothing, send];
        mine(|mines| {
            let mut coroutine = body(mines, 2);
            for input in &inputs[..steps] {
                drop(poll(&mut coroutine, input(mines.bomb())));
            }
            drop(coroutine.into_sub(Some(mines.bomb())));
            drop(body(mines, 0));
            drop((mines.bomb(), mines.bomb(), mines.bomb()));
        });
    }
}
