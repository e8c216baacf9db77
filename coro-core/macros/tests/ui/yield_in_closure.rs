//! A closure is not a part of the body.

use coro_core::Thrown;

#[coro_core::coroutine(send = u32, yields = u32)]
fn sums(numbers: Vec<u32>) -> Result<Vec<u32>, Thrown<()>> {
    println!("{:?}", numbers.iter().map(|number| yield_!(*number)));
    Ok(numbers.into_iter().map(|number| number + yield_!(number).unwrap()).collect())
}

fn main() {}
