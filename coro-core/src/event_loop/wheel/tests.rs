//! The wheel against a sorted list.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Op {
    Insert(u64),
    Remove(usize),
    Pop(u64),
    Next,
}

/// Deadlines that are near, in the past, and over all levels.
fn ops() -> impl Strategy<Value = Vec<Op>> {
    let time = prop_oneof![0u64..200, 0u64..100_000, any::<u64>(), (0u32..64).prop_map(|bit| 1 << bit)];
    let (insert, pop) = (time.clone().prop_map(Op::Insert), time.prop_map(Op::Pop));
    let remove = any::<usize>().prop_map(Op::Remove);
    vec(prop_oneof![4 => insert, 2 => remove, 2 => pop, 1 => Just(Op::Next)], 0..200)
}

proptest! {
    #[test]
    fn prop_a_wheel_is_a_sorted_list(ops in ops()) {
        let mut wheel = Wheel::default();
        let mut model: Vec<(u64, usize)> = Vec::new();
        let mut keys = Vec::new();
        let mut now = 0;
        for op in ops {
            match op {
                Op::Insert(deadline) => {
                    let value = keys.len();
                    keys.push(wheel.insert(deadline, value));
                    // Behind all of the same deadline.
                    let place = model.partition_point(|(other, _)| *other <= deadline);
                    model.insert(place, (deadline, value));
                }
                Op::Remove(which) if !keys.is_empty() => {
                    let which = which % keys.len();
                    let place = model.iter().position(|(_, value)| *value == which);
                    let expected = place.map(|place| model.remove(place).1);
                    prop_assert_eq!(wheel.get_mut(keys[which]).copied(), expected);
                    prop_assert_eq!(wheel.remove_with(keys[which], |value| value), expected);
                }
                Op::Remove(_) => {}
                Op::Pop(time) => {
                    now = time.max(now);
                    loop {
                        let due = model.first().is_some_and(|(deadline, _)| *deadline <= now);
                        let expected = due.then(|| model.remove(0));
                        prop_assert_eq!(wheel.pop_due(now), expected);
                        if expected.is_none() {
                            break;
                        }
                    }
                }
                Op::Next => {
                    let first = model.first().map(|(deadline, _)| *deadline);
                    let mut looks = 0;
                    let mut next = wheel.next_deadline();
                    prop_assert_eq!(next.is_some(), first.is_some());
                    while next < first {
                        // Too early, but not often: each look goes down a level.
                        looks += 1;
                        prop_assert!(looks < LEVELS, "{next:?} is early for {first:?} still");
                        now = now.max(next.unwrap_or(now));
                        prop_assert_eq!(wheel.pop_due(now), None);
                        next = wheel.next_deadline();
                    }
                    prop_assert_eq!(next, first);
                }
            }
            prop_assert_eq!(wheel.len(), model.len());
        }
        let mut left: Vec<_> = model.into_iter().map(|(_, value)| value).collect();
        let mut cleared = wheel.clear();
        left.sort_unstable();
        cleared.sort_unstable();
        prop_assert_eq!(cleared, left);
    }
}

#[test]
fn a_place_is_used_again_under_another_name() {
    let mut wheel = Wheel::default();
    let first = wheel.insert(1, 'a');
    assert_eq!(wheel.remove_with(first, |value| value), Some('a'));
    let second = wheel.insert(1, 'b');
    assert_eq!((first.index(), wheel.remove_with(first, |value| value)), (second.index(), None));
    assert_eq!(wheel.remove_with(second, |value| value), Some('b'));
}
