//! A coroutine that may go to another thread delegates only to what can go with it.

use coro_core::coroutine::Shared;
use coro_core::native::{self, Native};

fn main() {
    let stays = Shared::new(Native::<u32, u32, (), ()>::new(async |_| Ok(())));
    drop(native::new::<u32, u32, (), (), _>(async move |co| co.yield_from(stays).await));
}
