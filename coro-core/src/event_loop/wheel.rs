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
pub(super) struct Key(
    /// The index, and above it the generation: written and read in one piece.
    u64,
);

impl Key {
    fn new(index: u32, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | u64::from(index))
    }

    fn index(self) -> u32 {
        self.0 as u32
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
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

#[cold]
fn new_level() -> Box<Level> {
    Box::new(Level { occupied: 0, slots: [EMPTY; SLOTS] })
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

    #[inline(always)]
    pub(super) fn insert(&mut self, deadline: u64, value: T) -> Key {
        let index = self.allocate(deadline, value);
        self.len += 1;
        if deadline < self.elapsed {
            self.sequence += 1;
            let node = &mut self.nodes[index as usize];
            node.level = LATE;
            (node.previous, node.next) = ((self.sequence >> 32) as u32, self.sequence as u32);
            self.late.insert((deadline, self.sequence), index);
        } else {
            self.link(index, deadline);
        }
        Key::new(index, self.nodes[index as usize].generation)
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let node = self.nodes.get_mut(key.index() as usize)?;
        if node.generation == key.generation() { node.value.as_mut() } else { None }
    }

    /// When an entry is due, while it is there.
    /// Tells of each entry, in no order.
    pub(super) fn each(&self, mut tell: impl FnMut(u64, &T)) {
        for node in &self.nodes {
            if let Some(value) = &node.value {
                tell(node.deadline, value);
            }
        }
    }

    pub(super) fn deadline(&self, key: Key) -> Option<u64> {
        let node = self.nodes.get(key.index() as usize)?;
        (node.generation == key.generation() && node.value.is_some()).then_some(node.deadline)
    }

    /// Takes an entry out, and gives its value to `take`, which spares moving it.
    #[inline(always)]
    pub(super) fn remove_with<R>(&mut self, key: Key, take: impl FnOnce(T) -> R) -> Option<R> {
        self.get_mut(key)?;
        self.unlink(key.index());
        self.release(key.index()).map(take)
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
    pub(super) fn pop_due(&mut self, now: u64) -> Option<(u64, T)> {
        if let Some(late) = self.late.first_entry() {
            let deadline = late.key().0;
            let index = (deadline <= now).then(|| late.remove())?;
            return self.release(index).map(|value| (deadline, value));
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
                // At this level a slot is one deadline.
                return self.release(index).map(|value| (begins, value));
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
            let Node { next, deadline, .. } = self.nodes[index as usize];
            self.link(index, deadline);
            index = next;
        }
    }

    /// Appends an entry to the slot of its deadline.
    #[inline(always)]
    fn link(&mut self, index: u32, deadline: u64) {
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
    #[inline(always)]
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

    #[inline(always)]
    fn slot_mut(&mut self, level: usize, slot: usize) -> &mut Slot {
        &mut self.level_mut(level).slots[slot]
    }

    #[inline(always)]
    fn level_mut(&mut self, level: usize) -> &mut Level {
        self.levels[level].get_or_insert_with(new_level)
    }

    /// A node, in no slot yet. Its fields are written one by one: a node that is moved is a stall each time.
    #[inline(always)]
    fn allocate(&mut self, deadline: u64, value: T) -> u32 {
        match self.nodes.get_mut(self.free as usize) {
            Some(node) => {
                node.deadline = deadline;
                node.value = Some(value);
                std::mem::replace(&mut self.free, node.next)
            }
            None => self.grow(deadline, value),
        }
    }

    #[cold]
    fn grow(&mut self, deadline: u64, value: T) -> u32 {
        let index = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        assert!(index != NONE, "a loop has no room for more than {NONE} timers");
        let (previous, next) = (NONE, NONE);
        self.nodes.push(Node {
            deadline,
            generation: 0,
            previous,
            next,
            level: 0,
            slot: 0,
            value: Some(value),
        });
        index
    }

    #[inline(always)]
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
mod tests;
