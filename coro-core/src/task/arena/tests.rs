//! Blocks in use stay apart, and chunks that are not in use go.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Two of one size, and one of another; each holds what must not change while it is in use.
enum Block {
    Small(NonNull<MaybeUninit<[u64; 9]>>, Home, u64),
    Large(NonNull<MaybeUninit<[u64; 20]>>, Home, u64),
    TooLarge(NonNull<MaybeUninit<[u64; 100]>>, Home, u64),
}

fn filled<const N: usize>(mark: u64) -> (NonNull<MaybeUninit<[u64; N]>>, Home) {
    let (mut block, home) = allocate::<[u64; N]>();
    // SAFETY: it is ours alone.
    unsafe { block.as_mut() }.write([mark; N]);
    (block, home)
}

fn check<const N: usize>(block: NonNull<MaybeUninit<[u64; N]>>, home: Home, mark: u64) {
    // SAFETY: it was filled, and is ours alone.
    assert_eq!(unsafe { block.cast::<[u64; N]>().read() }, [mark; N]);
    // SAFETY: it came from there with this home, and is used no more.
    unsafe { free(block.cast::<[u64; N]>(), home) };
}

impl Block {
    fn new(kind: u8, mark: u64) -> Self {
        match kind {
            0 => {
                let (block, home) = filled(mark);
                Self::Small(block, home, mark)
            }
            1 => {
                let (block, home) = filled(mark);
                Self::Large(block, home, mark)
            }
            _ => {
                let (block, home) = filled(mark);
                Self::TooLarge(block, home, mark)
            }
        }
    }

    /// It is as it was left. Gives it back.
    fn check(self) {
        match self {
            Self::Small(block, home, mark) => check(block, home, mark),
            Self::Large(block, home, mark) => check(block, home, mark),
            Self::TooLarge(block, home, mark) => check(block, home, mark),
        }
    }
}

fn chunks<T>() -> usize {
    let class = class_of(Layout::new::<T>()).unwrap();
    ARENA.with(|Arena(classes)| classes[class].borrow().chunks.iter().flatten().count())
}

proptest! {
    // Under Miri there are no files to keep failures in.
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 64 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn prop_blocks_in_use_are_apart(ops in vec((0u8..3, any::<prop::sample::Index>()), 0..600)) {
        let mut blocks = Vec::new();
        for (mark, (kind, place)) in ops.into_iter().enumerate() {
            // More are taken than given back.
            if mark % 3 == 2 && !blocks.is_empty() {
                let block: Block = blocks.swap_remove(place.index(blocks.len()));
                block.check();
            } else {
                blocks.push(Block::new(kind, mark as u64));
            }
        }
        blocks.into_iter().for_each(Block::check);
    }
}

#[test]
fn chunks_that_are_not_in_use_are_given_back_but_for_one() {
    type Size = [u64; 33];
    let blocks: Vec<_> = (0..1000).map(filled::<33>).collect();
    let most = chunks::<Size>();
    assert!(most > 3, "{most}");
    for (mark, (block, home)) in blocks.into_iter().enumerate() {
        check(block, home, mark as u64);
    }
    // Those used last keep theirs.
    assert!(chunks::<Size>() <= 2, "{}", chunks::<Size>());
    let (block, home) = filled::<33>(7);
    check(block, home, 7);
    assert!(chunks::<Size>() <= 2);
}
