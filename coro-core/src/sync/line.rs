//! Those who wait for one thing, first come, first served.
//!
//! The places are nodes of a slab, linked by their indices: to enter, to leave from anywhere and to call the first one
//! take a few steps each, and no allocation once the slab has room. A node is in one of three states:
//!
//! ```text
//!            1 enter              2 call
//!   free ───────────────▶ waiting ──────▶ called
//!    ▲                       │               │
//!    └───────────────────────┴───────────────┘
//!          3 leave, or the turn is taken
//! ```
//!
//! A waiting node says whom to wake and is linked with its neighbours; one that was called does neither, until its owner
//! polls it or goes away; a free one is linked with the other free ones.
//!
//! A task that was cancelled waits no longer, though it has not run yet. When it is called, it turns out that its wait was
//! cut off: its node is then as one that was called, but has no turn to take or to pass on, and the next one is called.
//! Whoever waits again all the same goes to the end of the line.
//!
//! A task of ours waits by its word. A foreign waker is cloned, called and dropped while nothing of the line is borrowed: it
//! may run anything, and come back here.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::replace;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::holders::Holders;
use super::roster::Roster;
use super::who::Who;
use crate::event_loop::{ObjectName, Wanted, Word};
use crate::task::word_of;

/// The index of no node.
const NOBODY: usize = usize::MAX;

/// A line of waiters. Its room is kept for those who come later.
pub(crate) struct Line {
    /// With the nodes, once somebody has had to wait: apart, so that whoever wants to know can look at them.
    pub(super) roster: OnceCell<Rc<Roster>>,
    first: Cell<usize>,
    last: Cell<usize>,
    free: Cell<usize>,
    /// How many have entered, ever: the number of the next one.
    entered: Cell<u64>,
    /// How many of them were called, or left uncalled.
    gone: Cell<u64>,
    pub(crate) name: ObjectName,
    /// What those who enter want.
    pub(super) wanted: Cell<Wanted>,
    /// Who has it, if only one can.
    pub(super) holder: Cell<Word>,
    /// If several can.
    pub(super) holders: Option<Holders>,
}

pub(super) struct Node {
    pub(super) who: Who,
    pub(super) wanted: Wanted,
    number: u64,
    previous: usize,
    next: usize,
}

/// A place in a line, or none. It belongs to one line: the one that it is always given to.
#[derive(Debug)]
pub(crate) struct Place(usize);

impl Place {
    pub(crate) const NONE: Self = Self(NOBODY);

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0 == NOBODY
    }

    /// Its number, while it is one. That of a place that was given up goes to a later one.
    #[inline]
    pub(crate) fn index(&self) -> usize {
        self.0
    }
}

/// What a place has come to.
enum Turn {
    /// It is none.
    Outside,
    Waiting,
    Called,
}

impl Line {
    /// An empty one, for something that so many can have: with whoever has it.
    pub(crate) fn held_by(wanted: Wanted, holders: &Holders) -> Self {
        Self { holders: Some(holders.clone()), ..Self::of(wanted) }
    }

    /// An empty one, of those who want this.
    pub(crate) fn of(wanted: Wanted) -> Self {
        Self {
            roster: OnceCell::new(),
            first: Cell::new(NOBODY),
            last: Cell::new(NOBODY),
            free: Cell::new(NOBODY),
            entered: Cell::new(0),
            gone: Cell::new(0),
            name: ObjectName::default(),
            wanted: Cell::new(wanted),
            holder: Cell::new(Word::NOBODY),
            holders: None,
        }
    }

    /// The nodes, made if nobody has waited before, under the name of what is waited for.
    #[inline]
    fn make_nodes(&self, name: &ObjectName) -> &RefCell<Vec<Node>> {
        let make = || Roster::register(name, self.holder.get(), self.holders.clone());
        &self.roster.get_or_init(make).nodes
    }

    /// The nodes, for one who has a place.
    #[inline]
    fn nodes(&self) -> &RefCell<Vec<Node>> {
        match self.roster.get() {
            Some(roster) => &roster.nodes,
            None => unreachable!("where there is a place there are nodes"),
        }
    }
}

/// For those who wait.
impl Line {
    /// Waits in line for what `attempt` takes. It is told whether the line has called, and asked only then or on
    /// arrival: one who waits keeps its place, and takes nothing out of turn.
    #[inline(always)]
    pub(crate) fn poll<R>(
        &self,
        place: &mut Place,
        cx: &Context<'_>,
        attempt: impl FnMut(bool) -> Option<R>,
    ) -> Poll<R> {
        self.poll_named(&self.name, place, cx, attempt)
    }

    /// [`poll`](Self::poll), where this is one of several lines for one object, which has this name.
    #[inline(always)]
    pub(crate) fn poll_named<R>(
        &self,
        name: &ObjectName,
        place: &mut Place,
        cx: &Context<'_>,
        mut attempt: impl FnMut(bool) -> Option<R>,
    ) -> Poll<R> {
        // The way of one who need not wait is short, and becomes part of the caller.
        if place.is_none()
            && let Some(result) = attempt(false)
        {
            return Poll::Ready(result);
        }
        self.wait_named(name, place, cx, attempt)
    }

    /// [`poll`](Self::poll) for one who waits, or has found on arrival that it must.
    #[inline(always)]
    pub(super) fn wait<R>(
        &self,
        place: &mut Place,
        cx: &Context<'_>,
        attempt: impl FnMut(bool) -> Option<R>,
    ) -> Poll<R> {
        self.wait_named(&self.name, place, cx, attempt)
    }

    /// [`poll_named`](Self::poll_named) for one who waits, or has found on arrival that it must. Says that the present task
    /// waits, if somebody wants to know.
    #[inline(never)]
    fn wait_named<R>(
        &self,
        name: &ObjectName,
        place: &mut Place,
        cx: &Context<'_>,
        mut attempt: impl FnMut(bool) -> Option<R>,
    ) -> Poll<R> {
        let arrives = place.is_none();
        let called = match self.turn(place, cx.waker()) {
            Turn::Waiting => {
                self.note_wait(name);
                return Poll::Pending;
            }
            Turn::Called => true,
            Turn::Outside => false,
        };
        // Whose wait was cut off looks again as one who arrives: it may be free since.
        if !arrives && let Some(result) = attempt(called) {
            return Poll::Ready(result);
        }
        let who = Who::of(cx.waker());
        // A foreign clone may have run anything, even what is waited for.
        if matches!(who, Who::Foreign(_))
            && let Some(result) = attempt(called)
        {
            return Poll::Ready(result);
        }
        *place = self.enter(name, who);
        self.note_wait(name);
        Poll::Pending
    }

    /// Gives up a place. True if it had been called: then its turn must be passed on.
    #[inline]
    pub(crate) fn leave(&self, place: &mut Place) -> bool {
        let Place(index) = replace(place, Place::NONE);
        index != NOBODY && self.leave_node(index)
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get() == NOBODY
    }

    /// How many wait, and have not been called.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.entered.get() - self.gone.get()) as usize
    }

    /// The index of the place of the one who has waited longest.
    #[inline]
    pub(crate) fn first_index(&self) -> Option<usize> {
        let first = self.first.get();
        (first != NOBODY).then_some(first)
    }

    /// The indices of the places of all who wait, in the order of the line.
    pub(crate) fn each_index(&self, mut with: impl FnMut(usize)) {
        let Some(roster) = self.roster.get() else { return };
        let nodes = roster.nodes.borrow();
        let mut index = self.first.get();
        while let Some(node) = nodes.get(index) {
            with(index);
            index = node.next;
        }
    }

    #[inline(always)]
    fn enter(&self, name: &ObjectName, who: Who) -> Place {
        let (last, number) = (self.last.get(), self.entered.get());
        self.entered.set(number + 1);
        let wanted = self.wanted.get();
        let node = Node { who, wanted, number, previous: last, next: NOBODY };
        let mut nodes = self.make_nodes(name).borrow_mut();
        let index = self.free.get();
        let index = match nodes.get_mut(index) {
            Some(free) => {
                self.free.set(free.next);
                // What it displaces has no waker that could run.
                *free = node;
                index
            }
            None => {
                nodes.push(node);
                nodes.len() - 1
            }
        };
        match nodes.get_mut(last) {
            Some(before) => before.next = index,
            None => self.first.set(index),
        }
        self.last.set(index);
        Place(index)
    }

    /// Whose turn it is, for the owner of a place. One that was called takes its turn, and has no place any more.
    #[inline(always)]
    fn turn(&self, place: &mut Place, waker: &Waker) -> Turn {
        if place.is_none() {
            return Turn::Outside;
        }
        let mut nodes = self.nodes().borrow_mut();
        let turn = match &nodes[place.0].who {
            Who::Called => Turn::Called,
            Who::CutOff => Turn::Outside,
            Who::Task(word) if word_of(waker) == Some(*word) => return Turn::Waiting,
            Who::Foreign(known) if known.will_wake(waker) => return Turn::Waiting,
            Who::Task(_) | Who::Foreign(_) => {
                drop(nodes);
                return self.update(place, waker);
            }
        };
        self.free(&mut nodes, place.0);
        *place = Place::NONE;
        turn
    }

    /// [`turn`](Self::turn) for one who waits with another waker now.
    #[cold]
    fn update(&self, place: &mut Place, waker: &Waker) -> Turn {
        let who = Who::of(waker);
        let mut nodes = self.nodes().borrow_mut();
        let known = &mut nodes[place.0].who;
        if known.waits() {
            let outdated = replace(known, who);
            drop(nodes);
            drop(outdated);
            return Turn::Waiting;
        }
        // The clone has called it, or found its wait cut off.
        let turn = if matches!(known, Who::CutOff) { Turn::Outside } else { Turn::Called };
        self.free(&mut nodes, place.0);
        *place = Place::NONE;
        turn
    }

    fn leave_node(&self, index: usize) -> bool {
        let mut nodes = self.nodes().borrow_mut();
        let who = replace(&mut nodes[index].who, Who::Called);
        if who.waits() {
            self.unlink(&mut nodes, index);
        }
        self.free(&mut nodes, index);
        drop(nodes);
        matches!(who, Who::Called)
    }

    fn unlink(&self, nodes: &mut [Node], index: usize) {
        self.gone.set(self.gone.get() + 1);
        let (previous, next) = (nodes[index].previous, nodes[index].next);
        match nodes.get_mut(previous) {
            Some(node) => node.next = next,
            None => self.first.set(next),
        }
        match nodes.get_mut(next) {
            Some(node) => node.previous = previous,
            None => self.last.set(previous),
        }
    }

    fn free(&self, nodes: &mut [Node], index: usize) {
        nodes[index].next = self.free.replace(index);
    }
}

/// For those who call.
impl Line {
    /// Calls the one who has waited longest, if anybody waits, cancelled or not. False if nobody does.
    #[inline(always)]
    pub(crate) fn call_next(&self) -> bool {
        !self.is_empty() && self.call_before(u64::MAX)
    }

    /// Calls the one who has waited longest and is not cancelled. False if nobody is left.
    #[inline(always)]
    pub(crate) fn call_next_present(&self) -> bool {
        !self.is_empty() && self.call_first()
    }

    #[inline(never)]
    fn call_first(&self) -> bool {
        while let Some((index, who)) = self.pop_before(u64::MAX) {
            if who.call() {
                return true;
            }
            self.nodes().borrow_mut()[index].who = Who::CutOff;
        }
        false
    }

    /// Calls everybody who waits by now. Who enters while they are called waits on.
    pub(crate) fn call_all(&self) {
        let entered = self.entered.get();
        while self.call_before(entered) {}
    }

    /// Calls the first one, if its number is less than `limit`.
    #[inline(never)]
    fn call_before(&self, limit: u64) -> bool {
        let popped = self.pop_before(limit);
        let called = popped.is_some();
        if let Some((_, who)) = popped {
            who.wake();
        }
        called
    }

    #[inline(always)]
    fn pop_before(&self, limit: u64) -> Option<(usize, Who)> {
        let mut nodes = self.roster.get()?.nodes.borrow_mut();
        let index = self.first.get();
        let first = nodes.get_mut(index).filter(|first| first.number < limit)?;
        let (who, next) = (replace(&mut first.who, Who::Called), first.next);
        self.gone.set(self.gone.get() + 1);
        self.first.set(next);
        match nodes.get_mut(next) {
            Some(node) => node.previous = NOBODY,
            None => self.last.set(NOBODY),
        }
        Some((index, who))
    }
}
