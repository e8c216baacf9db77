//! Two yields cannot be under way at once.

use coro_gen::Gen as Body;

fn main() {
    let twice = Body::<u32, u32, (), ()>::new(async |co| {
        let first = co.yield_(1);
        let second = co.yield_(2);
        first.await?;
        second.await?;
        Ok(())
    });
    drop(twice);
}
