//! A fiber is resumed in a scope only.

use coro_core::prelude::*;
use coro_fiber::Fiber;

fn main() {
    let mut fiber = Fiber::<u8, u8, (), ()>::new(|co| co.yield_(1).map(drop));
    fiber.start();
    fiber.send(1);
}
