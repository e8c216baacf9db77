//! Nor a suspension point of it: dropped there, it would withdraw, and drop, what was delegated to and forgotten here.

use coro_core::native::Native as Body;

fn main() {
    let lends = Body::<u32, u32, (), ()>::new(async |co| {
        let point = co.yield_(1);
        std::thread::scope(|threads| {
            threads.spawn(move || drop(point));
        });
        Ok(())
    });
    drop(lends);
}
