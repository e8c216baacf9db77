//! Where on its stack a body begins.
//!
//! Stacks are whole pages. If all bodies began at the top of theirs, what is touched at every switch would lie in the same
//! few sets of the caches for all fibers. So each begins a little deeper than the one before; by half a page at most, so
//! that a body with little on its stack touches no second page.

use std::cell::Cell;
use std::hint::black_box;
use std::mem::MaybeUninit;

/// In lines of the cache.
const DEPTHS: u8 = 32;

thread_local! {
    static NEXT: Cell<u8> = const { Cell::new(0) };
}

/// Runs `body`, deeper on the stack than for the fiber before.
pub(crate) fn staggered<T>(body: impl FnOnce() -> T) -> T {
    // While the thread ends there is no next one.
    let depth = NEXT.try_with(|next| next.replace((next.get() + 1) % DEPTHS)).unwrap_or(0);
    let (mut body, mut result) = (Some(body), None);
    at(depth, &mut || result = body.take().map(|body| body()));
    match result {
        Some(result) => result,
        None => unreachable!("it has run, once"),
    }
}

fn at(depth: u8, run: &mut dyn FnMut()) {
    match depth.checked_ilog2() {
        None => run(),
        Some(0) => padded::<64>(0, run),
        Some(1) => padded::<128>(depth - 2, run),
        Some(2) => padded::<256>(depth - 4, run),
        Some(3) => padded::<512>(depth - 8, run),
        Some(_) => padded::<1024>(depth - 16, run),
    }
}

/// Goes on beneath this many bytes more.
#[inline(never)]
fn padded<const BYTES: usize>(depth: u8, run: &mut dyn FnMut()) {
    let padding = [const { MaybeUninit::<u8>::uninit() }; BYTES];
    black_box(&padding);
    at(depth, run);
    // So that the call before is not the last thing here, and the padding stays meanwhile.
    black_box(&padding);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ptr;

    use super::*;

    #[test]
    fn bodies_begin_at_different_depths_of_half_a_page() {
        let depth = || {
            staggered(|| {
                let here = black_box(0u8);
                ptr::from_ref(&here).addr()
            })
        };
        let depths: BTreeSet<_> = (0..DEPTHS).map(|_| depth()).collect();
        // Not all: those that are deeper by fewer frames may catch up.
        assert!(depths.len() > 24, "{depths:?}");
        let (first, last) = (depths.first().unwrap(), depths.last().unwrap());
        // With the frames that it takes, which are large in a debug build.
        assert!((1984..8192).contains(&(last - first)), "{}", last - first);
    }
}
