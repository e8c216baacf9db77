//! A timing wheel: a set of deadlines, in order, with insertion and removal in constant time.
//!
//! Eleven levels of 64 slots. At level 0 a slot is one nanosecond, at each further level 64 times as long, so that the
//! levels together reach over all of time. An entry lies at the level of the highest digit (of six bits) in which its
//! deadline differs from `elapsed`, in the slot of that digit. When `elapsed` reaches a slot, its entries move down.
//!
//! ```text
//!   level 2  │····│····│ d  │····│      elapsed = …│digit 2│digit 1│digit 0│
//!   level 1  │····│ c  │····│····│      a, b differ from it in digit 0 only,
//!   level 0  │ a  │····│ b  │····│      c in digit 1, d in digit 2
//! ```
//!
//! **Invariant:** everything at a level is earlier than everything above it, so that the first entry is in the first
//! occupied slot of the lowest occupied level. **Invariant:** entries of one deadline are always in one list, in the
//! order of their insertion: whatever moves one of them moves them all.

use std::collections::BTreeMap;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
/// How far a list is walked to find its first deadline.
const WALK: usize = if cfg!(test) { 4 } else { 64 };
/// No entry.
const NONE: u32 = u32::MAX;
/// The level of an entry that is in no slot: it was late when it was inserted.
const LATE: u8 = LEVELS as u8;

/// Names an entry. Never the same for two, until 2³² entries have been in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Node<T> {
    deadline: u64,
    generation: u32,
    /// In its slot; of a late entry, the two halves of its sequence number.
    previous: u32,
    /// As `previous`. Of a free node, the next free one.
    next: u32,
    level: u8,
    slot: u8,
    /// `None` if the node is free.
    value: Option<T>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    first: u32,
    last: u32,
    /// The earliest deadline in it; 0 if that is not known.
    earliest: u64,
}

const EMPTY: Slot = Slot { first: NONE, last: NONE, earliest: 0 };

#[derive(Debug)]
struct Level {
    /// A bit for each slot that is not empty.
    occupied: u64,
    slots: [Slot; SLOTS],
}

/// Values, each with the time at which it is due.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    /// Everything in a slot is due at this time or later.
    elapsed: u64,
    levels: [Option<Box<Level>>; LEVELS],
    /// A bit for each level that is not empty.
    occupied: u16,
    nodes: Vec<Node<T>>,
    free: u32,
    /// What was inserted with a deadline before `elapsed`: seldom anything.
    late: BTreeMap<(u64, u64), u32>,
    sequence: u64,
    len: usize,
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self {
            elapsed: 0,
            levels: Default::default(),
            occupied: 0,
            nodes: Vec::new(),
            free: NONE,
            late: BTreeMap::new(),
            sequence: 0,
            len: 0,
        }
    }
}

impl<T> Wheel<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, deadline: u64, value: T) -> Key {
        let node = Node {
            deadline,
            generation: 0,
            previous: NONE,
            next: NONE,
            level: 0,
            slot: 0,
            value: Some(value),
        };
        let index = self.allocate(node);
        self.len += 1;
        if deadline < self.elapsed {
            self.sequence += 1;
            let node = &mut self.nodes[index as usize];
            node.level = LATE;
            (node.previous, node.next) = ((self.sequence >> 32) as u32, self.sequence as u32);
            self.late.insert((deadline, self.sequence), index);
        } else {
            self.link(index);
        }
        Key { index, generation: self.nodes[index as usize].generation }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let node = self.nodes.get_mut(key.index as usize)?;
        if node.generation == key.generation { node.value.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.get_mut(key)?;
        self.unlink(key.index);
        self.release(key.index)
    }

    /// When to look again: at the first deadline, or before. It is before only where so many share a slot that finding the
    /// first one among them would take long; looking then moves them to finer slots.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        if let Some(((deadline, _), _)) = self.late.first_key_value() {
            return Some(*deadline);
        }
        let (level, slot) = self.first_occupied()?;
        let Slot { first, earliest, .. } = self.slot(level, slot);
        if earliest != 0 {
            return Some(earliest);
        }
        let mut earliest = u64::MAX;
        let mut index = first;
        for _ in 0..WALK {
            let Some(node) = self.nodes.get(index as usize) else {
                self.slot_mut(level, slot).earliest = earliest;
                return Some(earliest);
            };
            earliest = earliest.min(node.deadline);
            index = node.next;
        }
        Some(self.begin_of(level, slot))
    }

    /// Takes the first value that is due by `now`: in the order of the deadlines, and for one deadline in the order of
    /// their insertion.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<T> {
        if let Some(late) = self.late.first_entry() {
            let index = (late.key().0 <= now).then(|| late.remove())?;
            return self.release(index);
        }
        loop {
            let Some((level, slot)) = self.first_occupied() else {
                self.elapsed = self.elapsed.max(now);
                return None;
            };
            let begins = self.begin_of(level, slot);
            if begins > now {
                // Nothing lies between: what is in slots stays where it belongs.
                self.elapsed = self.elapsed.max(now);
                return None;
            }
            self.elapsed = self.elapsed.max(begins);
            if level == 0 {
                let index = self.slot(level, slot).first;
                self.unlink(index);
                return self.release(index);
            }
            self.move_down(level, slot);
        }
    }

    /// Takes everything out, in no particular order.
    pub(super) fn clear(&mut self) -> Vec<T> {
        let nodes = std::mem::take(self).nodes;
        nodes.into_iter().filter_map(|node| node.value).collect()
    }

    fn first_occupied(&self) -> Option<(usize, usize)> {
        if self.occupied == 0 {
            return None;
        }
        let level = self.occupied.trailing_zeros() as usize;
        let slots = self.levels[level].as_ref()?.occupied;
        Some((level, slots.trailing_zeros() as usize))
    }

    /// The first point in time that belongs to a slot.
    fn begin_of(&self, level: usize, slot: usize) -> u64 {
        let shift = BITS * level as u32;
        // The digits above the level's are those of `elapsed`.
        let above = self.elapsed.checked_shr(shift + BITS).unwrap_or(0);
        above.checked_shl(shift + BITS).unwrap_or(0) | ((slot as u64) << shift)
    }

    /// Puts the entries of a slot where they belong, now that `elapsed` has reached it.
    fn move_down(&mut self, level: usize, slot: usize) {
        let mut index = std::mem::replace(self.slot_mut(level, slot), EMPTY).first;
        self.mark_empty(level, slot);
        while index != NONE {
            let next = self.nodes[index as usize].next;
            self.link(index);
            index = next;
        }
    }

    /// Appends an entry to the slot of its deadline.
    fn link(&mut self, index: u32) {
        let deadline = self.nodes[index as usize].deadline;
        let differs = (deadline ^ self.elapsed) | 1;
        let level = ((u64::BITS - 1 - differs.leading_zeros()) / BITS) as usize;
        let slot = (deadline >> (BITS * level as u32)) as usize % SLOTS;
        let place = self.slot_mut(level, slot);
        let last = std::mem::replace(&mut place.last, index);
        if last == NONE {
            (place.first, place.earliest) = (index, deadline);
        } else if place.earliest != 0 {
            place.earliest = place.earliest.min(deadline);
        }
        let node = &mut self.nodes[index as usize];
        (node.previous, node.next) = (last, NONE);
        (node.level, node.slot) = (level as u8, slot as u8);
        match self.nodes.get_mut(last as usize) {
            Some(last) => last.next = index,
            None => {
                self.occupied |= 1 << level;
                self.level_mut(level).occupied |= 1 << slot;
            }
        }
    }

    /// Takes an entry out of where it is.
    fn unlink(&mut self, index: u32) {
        let Node { deadline, previous, next, level, slot, .. } = self.nodes[index as usize];
        if level == LATE {
            self.late.remove(&(deadline, u64::from(previous) << 32 | u64::from(next)));
            return;
        }
        let (level, slot) = (level as usize, slot as usize);
        if let Some(previous) = self.nodes.get_mut(previous as usize) {
            previous.next = next;
        }
        if let Some(next) = self.nodes.get_mut(next as usize) {
            next.previous = previous;
        }
        let place = self.slot_mut(level, slot);
        if previous == NONE {
            place.first = next;
        }
        if next == NONE {
            place.last = previous;
        }
        if place.earliest == deadline {
            place.earliest = 0;
        }
        if place.first == NONE {
            self.mark_empty(level, slot);
        }
    }

    fn mark_empty(&mut self, level: usize, slot: usize) {
        let slots = self.level_mut(level);
        slots.occupied &= !(1 << slot);
        if slots.occupied == 0 {
            self.occupied &= !(1 << level);
        }
    }

    fn slot(&self, level: usize, slot: usize) -> Slot {
        self.levels[level].as_ref().map_or(EMPTY, |level| level.slots[slot])
    }

    fn slot_mut(&mut self, level: usize, slot: usize) -> &mut Slot {
        &mut self.level_mut(level).slots[slot]
    }

    fn level_mut(&mut self, level: usize) -> &mut Level {
        self.levels[level].get_or_insert_with(|| Box::new(Level { occupied: 0, slots: [EMPTY; SLOTS] }))
    }

    fn allocate(&mut self, mut node: Node<T>) -> u32 {
        match self.nodes.get_mut(self.free as usize) {
            Some(free) => {
                node.generation = free.generation;
                let index = std::mem::replace(&mut self.free, free.next);
                *free = node;
                index
            }
            None => {
                let index = u32::try_from(self.nodes.len()).unwrap_or(NONE);
                assert!(index != NONE, "a loop has no room for more than {NONE} timers");
                self.nodes.push(node);
                index
            }
        }
    }

    fn release(&mut self, index: u32) -> Option<T> {
        let free = self.free;
        let node = self.nodes.get_mut(index as usize)?;
        node.generation = node.generation.wrapping_add(1);
        node.next = free;
        self.free = index;
        self.len -= 1;
        node.value.take()
    }
}

#[cfg(test)]
mod tests {
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
                        prop_assert_eq!(wheel.remove(keys[which]), expected);
                    }
                    Op::Remove(_) => {}
                    Op::Pop(time) => {
                        now = time.max(now);
                        loop {
                            let due = model.first().is_some_and(|(deadline, _)| *deadline <= now);
                            let expected = due.then(|| model.remove(0).1);
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
        assert_eq!(wheel.remove(first), Some('a'));
        let second = wheel.insert(1, 'b');
        assert_eq!((first.index, wheel.remove(first)), (second.index, None));
        assert_eq!(wheel.remove(second), Some('b'));
    }
}
