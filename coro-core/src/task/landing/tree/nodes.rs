//! The places of a tree of landings.
//!
//! Each is written and read where it is, field by field: what is moved as a whole soon after it was written in pieces waits
//! for the memory, and most landings are over as soon as they have begun.

use std::task::Waker;

use super::Kind;
use crate::task::Cancelled;

/// The key of no landing.
pub(in crate::task::landing) const NONE: usize = usize::MAX;

pub(in crate::task::landing) struct Node {
    linked: bool,
    pub(in crate::task::landing) kind: Kind,
    /// The one that it is in; the next free place, if it is not linked.
    pub(super) parent: usize,
    /// How many there are directly in it.
    pub(in crate::task::landing) inside: u32,
    pub(in crate::task::landing) waker: Option<Waker>,
    /// What it has not heard yet.
    pub(in crate::task::landing) thrown: Option<Cancelled>,
    /// What it was last told has been heard by another one, who has passed it on.
    pub(in crate::task::landing) passed_on: bool,
    /// A shield has kept out what it threw, and has been left.
    pub(in crate::task::landing) again: bool,
}

#[derive(Default)]
pub(in crate::task::landing) struct Nodes {
    places: Vec<Node>,
    /// The first one that is not linked; the last one of them names the next one to be made.
    free: usize,
}

impl Nodes {
    #[inline(always)]
    pub(super) fn insert(&mut self, kind: Kind, parent: usize, waker: Waker) -> usize {
        let key = self.free;
        let Some(node) = self.places.get_mut(key) else { return self.push(kind, parent, waker) };
        self.free = node.parent;
        (node.linked, node.kind, node.parent, node.inside) = (true, kind, parent, 0);
        (node.waker, node.thrown) = (Some(waker), None);
        (node.passed_on, node.again) = (false, false);
        key
    }

    #[cold]
    fn push(&mut self, kind: Kind, parent: usize, waker: Waker) -> usize {
        let (waker, thrown) = (Some(waker), None);
        let (passed_on, again) = (false, false);
        self.places.push(Node { linked: true, kind, parent, inside: 0, waker, thrown, passed_on, again });
        self.free = self.places.len();
        self.places.len() - 1
    }

    /// One that has no waker any more, and nothing to hear.
    #[inline(always)]
    pub(super) fn remove(&mut self, key: usize) {
        if let Some(node) = self.places.get_mut(key).filter(|node| node.linked) {
            (node.linked, node.parent) = (false, self.free);
            self.free = key;
        }
    }

    #[inline(always)]
    pub(in crate::task::landing) fn get(&self, key: usize) -> Option<&Node> {
        self.places.get(key).filter(|node| node.linked)
    }

    #[inline(always)]
    pub(in crate::task::landing) fn get_mut(&mut self, key: usize) -> Option<&mut Node> {
        self.places.get_mut(key).filter(|node| node.linked)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.places.iter().enumerate().filter(|(_, node)| node.linked)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.places.iter_mut().filter(|node| node.linked)
    }

    /// Those that are in `left` are in `parent` from now on.
    #[cold]
    pub(super) fn adopt(&mut self, left: usize, parent: usize) {
        self.iter_mut().filter(|node| node.parent == left).for_each(|node| node.parent = parent);
    }
}
