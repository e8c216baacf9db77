//! The landings of a task, and the scopes of its body.

use std::mem::replace;
use std::rc::Rc;
use std::task::Waker;

use slab::Slab;

use crate::scope::State;
use crate::task::{Cancelled, Header, word_of};

/// The key of no landing.
pub(super) const NONE: usize = usize::MAX;

/// The landings of a task.
pub(in crate::task) struct Landings {
    pub(super) nodes: Slab<Node>,
    /// The one that is being polled, innermost.
    pub(super) current: usize,
    /// How many of them are not scopes, through which a cancellation of the task passes.
    hearing: usize,
    /// What other tasks were asked to end with in the place of this one, and none of them has answered.
    pub(super) owed: Vec<Cancelled>,
    /// The scopes that the body has entered, and what the shields among them keep out.
    scopes: Vec<Rc<State>>,
    kept: Option<Cancelled>,
}

/// What a landing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It hears what is thrown.
    Landing,
    /// What is thrown passes it, unless it comes from it.
    Scope,
    /// The same, and nothing passes it into what is in it, until the shields of the task are lifted.
    Shield,
    /// The same, for ever.
    FirmShield,
}

impl Kind {
    fn is_shield(self) -> bool {
        matches!(self, Self::Shield | Self::FirmShield)
    }
}

pub(super) struct Node {
    pub(super) kind: Kind,
    parent: usize,
    /// How many there are directly in it.
    pub(super) inside: u32,
    pub(super) waker: Option<Waker>,
    /// What it has not heard yet.
    pub(super) thrown: Option<Cancelled>,
    /// What it was last told has been heard by another one, who has passed it on.
    pub(super) passed_on: bool,
    /// A shield has kept out what it threw, and has been left.
    pub(super) again: bool,
}

impl Default for Landings {
    fn default() -> Self {
        Self {
            nodes: Slab::new(),
            current: NONE,
            hearing: 0,
            owed: Vec::new(),
            scopes: Vec::new(),
            kept: None,
        }
    }
}

/// The tree.
impl Landings {
    pub(super) fn link(&mut self, kind: Kind) -> usize {
        let node = Node {
            kind,
            parent: self.current,
            inside: 0,
            waker: None,
            thrown: None,
            passed_on: false,
            again: false,
        };
        self.hearing += usize::from(kind != Kind::Scope);
        self.count(self.current, 1);
        self.nodes.insert(node)
    }

    fn count(&mut self, parent: usize, more: i32) {
        if let Some(node) = self.nodes.get_mut(parent) {
            node.inside = node.inside.saturating_add_signed(more);
        }
    }

    /// Those in it are from now on in the one that it is in.
    pub(super) fn unlink(&mut self, key: usize) -> Option<Node> {
        let node = self.nodes.try_remove(key)?;
        self.hearing -= usize::from(node.kind != Kind::Scope);
        self.count(node.parent, node.inside as i32 - 1);
        if node.inside > 0 {
            for (_, other) in &mut self.nodes {
                if other.parent == key {
                    other.parent = node.parent;
                }
            }
        }
        if self.current == key {
            self.current = node.parent;
        }
        Some(node)
    }

    /// It is polled, in what is being polled now: usually the same as before.
    pub(super) fn polled(&mut self, key: usize) {
        let current = self.current;
        let Some(node) = self.nodes.get_mut(key) else { return };
        let before = replace(&mut node.parent, current);
        if before != current {
            self.count(before, -1);
            self.count(current, 1);
        }
    }

    pub(super) fn take_thrown(&mut self, key: usize) -> Option<Cancelled> {
        self.nodes.get_mut(key)?.thrown.take()
    }

    /// Whether `key` is in `outer`, with no shield between them.
    fn reaches(&self, outer: usize, key: usize) -> bool {
        let mut parent = self.nodes.get(key).map_or(NONE, |node| node.parent);
        while parent != outer {
            match self.nodes.get(parent) {
                Some(node) if !node.kind.is_shield() => parent = node.parent,
                _ => return false,
            }
        }
        true
    }

    /// Whether one that is in `outer` has something to be told.
    pub(super) fn is_thrown_in(&self, outer: usize) -> bool {
        self.nodes.iter().any(|(key, node)| node.thrown.is_some() && self.reaches(outer, key))
    }

    /// Tells the leaves of what is in `outer`. Gives the wakers of those that another one than the task's own has to wake.
    pub(super) fn throw_in(&mut self, outer: usize, cancelled: &Cancelled) -> Vec<Waker> {
        let is_leaf = |node: &Node| node.inside == 0 || node.kind.is_shield();
        let leaves = self.nodes.iter().filter(|(_, node)| is_leaf(node)).map(|(key, _)| key);
        let leaves: Vec<_> = leaves.filter(|key| self.reaches(outer, *key)).collect();
        let mut wakers = Vec::new();
        for key in leaves {
            let Some(node) = self.nodes.get_mut(key) else { continue };
            (node.thrown, node.passed_on) = (Some(cancelled.clone()), false);
            // One of ours is that of the task, which is about to be polled. To clone another one would run its code.
            wakers.extend(node.waker.take_if(|waker| word_of(waker).is_none()));
        }
        wakers
    }

    /// [`throw_in`](Self::throw_in) the whole body.
    pub(in crate::task) fn throw(&mut self, cancelled: &Cancelled) -> Vec<Waker> {
        self.throw_in(NONE, cancelled)
    }

    /// Whether a cancellation can be heard.
    pub(in crate::task) fn can_hear(&self) -> bool {
        self.hearing > 0
    }

    /// From now on its shields keep nothing out, but for the firm ones, as those of its body do since the loop says so. What
    /// they have kept out is forgotten: the task is asked again. False if there were none.
    pub(in crate::task) fn lift_shields(&mut self) -> bool {
        let before = self.hearing;
        for (_, node) in self.nodes.iter_mut().filter(|(_, node)| node.kind == Kind::Shield) {
            node.kind = Kind::Scope;
            self.hearing -= 1;
        }
        let lifted = self.hearing < before || self.scopes.iter().any(|scope| scope.can_be_lifted());
        if lifted {
            self.kept = None;
        }
        lifted
    }

    /// Nobody has heard it.
    pub(in crate::task) fn withdraw(&mut self) {
        for (_, node) in &mut self.nodes {
            node.thrown = None;
        }
    }

    pub(super) fn take_owed(&mut self, cancelled: &Cancelled) -> bool {
        let at = self.owed.iter().position(|owed| owed.is(cancelled));
        at.map(|at| self.owed.swap_remove(at)).is_some()
    }

    /// Tells a landing. Gives its waker, or that there is none.
    pub(super) fn tell(
        &mut self,
        key: usize,
        cancelled: &Cancelled,
        passed_on: bool,
    ) -> Option<Option<Waker>> {
        let node = self.nodes.get_mut(key)?;
        (node.thrown, node.passed_on) = (Some(cancelled.clone()), passed_on);
        Some(node.waker.take())
    }

    /// Tells the one that `key` is in what `key` has heard.
    pub(super) fn pass_on(&mut self, key: usize, cancelled: &Cancelled) -> Option<Option<Waker>> {
        let parent = self.nodes.get(key)?.parent;
        self.tell(parent, cancelled, true)
    }

    /// Tells the one that `key` is in what `key` was told, and has not heard.
    pub(super) fn forward(&mut self, key: usize, cancelled: &Cancelled) -> Option<Option<Waker>> {
        let node = self.nodes.get(key)?;
        let (parent, passed_on) = (node.parent, node.passed_on);
        self.tell(parent, cancelled, passed_on)
    }

    /// Whether what `key` was told has been heard before.
    pub(super) fn is_passed_on(&self, key: usize) -> bool {
        self.nodes.get(key).is_some_and(|node| node.passed_on)
    }
}

/// The scopes of the body.
impl Landings {
    /// What the body is to be thrown now, if `asked` was asked for. What is asked from outside and does not pass a shield is
    /// kept.
    pub(in crate::task) fn next_throw(&mut self, asked: Option<Cancelled>) -> Option<Cancelled> {
        let mut throws = None;
        for scope in self.scopes.iter().rev() {
            // The outermost one has the last word.
            throws = scope.throws().or(throws);
            if scope.is_shield() {
                self.kept = asked.or(self.kept.take());
                self.note_thrown();
                return throws;
            }
        }
        self.note_thrown();
        asked.or(throws)
    }

    fn note_thrown(&self) {
        for scope in self.scopes.iter().rev() {
            if scope.throws().is_some() {
                scope.note_thrown();
            }
            if scope.is_shield() {
                return;
            }
        }
    }

    /// Whether a scope throws at the next wait too.
    pub(in crate::task) fn throws_again(&self) -> bool {
        for scope in self.scopes.iter().rev() {
            if scope.throws().is_some() {
                return true;
            }
            if scope.is_shield() {
                return false;
            }
        }
        false
    }

    pub(in crate::task) fn has_scopes(&self) -> bool {
        !self.scopes.is_empty()
    }

    pub(in crate::task) fn is_shielded(&self) -> bool {
        self.scopes.iter().any(|scope| scope.is_shield())
    }
}

impl Header {
    /// The body enters a scope. Gives the landing whose coroutine it is.
    pub(crate) fn enter_scope(&self, scope: Rc<State>) -> usize {
        self.with_landings(|landings| {
            landings.scopes.push(scope);
            landings.current
        })
    }

    /// The body leaves a scope, if it has not left it. Gives whether it is cancelled from outside of that as well.
    pub(crate) fn leave_scope(&self, scope: &Rc<State>) -> bool {
        let (left, kept, outside) = self.with_landings(|landings| {
            let at = landings.scopes.iter().rposition(|entered| Rc::ptr_eq(entered, scope));
            let left = at.map(|at| landings.scopes.remove(at));
            let kept = if landings.is_shielded() { None } else { landings.kept.take() };
            let outside = landings.scopes.iter().any(|scope| scope.cancelled().is_some());
            (left, kept, outside)
        });
        if left.is_some() {
            self.scope_left(kept);
        }
        outside
    }
}
