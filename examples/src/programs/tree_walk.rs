//! Trees of ten thousand numbers, walked in order by a recursive generator.
//!
//! This demonstrates:
//!
//! 1. recursion by delegation (`yield_from!`): the walk of a tree is the walk of its left, its value, the walk of its
//!    right;
//! 2. that an item costs the same at any depth: in a tree that is one long vine, the bodies are run as often as in a
//!    balanced one. Passing every item up through all the levels would run them fifty million times;
//! 3. that ten thousand levels overflow nothing.
//!
//! Golden: `tree_walk.py.out`, from Python's generators, which count the runs of their bodies themselves.

use std::convert::Infallible;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use coro_core::prelude::*;
use coro_core::stats::{Flavour, counts};
use coro_fiber::scope;

use super::{Context, yielded};
use crate::say;

const NUMBERS: u32 = 10_000;

#[derive(Debug, Clone, Copy)]
struct Node {
    left: Option<usize>,
    value: u32,
    right: Option<usize>,
}

/// The nodes lie side by side, so that to drop a deep tree is no recursion.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    root: Option<usize>,
}

impl Tree {
    fn add(&mut self, left: Option<usize>, value: u32, right: Option<usize>) -> Option<usize> {
        self.nodes.push(Node { left, value, right });
        Some(self.nodes.len() - 1)
    }

    fn add_balanced(&mut self, values: Range<u32>) -> Option<usize> {
        if values.is_empty() {
            return None;
        }
        let middle = values.start.midpoint(values.end);
        let left = self.add_balanced(values.start..middle);
        let right = self.add_balanced(middle + 1..values.end);
        self.add(left, middle, right)
    }

    fn balanced() -> Self {
        let mut tree = Self::default();
        tree.root = tree.add_balanced(0..NUMBERS);
        tree
    }

    /// Every node has the rest of the tree on its left.
    fn left_vine() -> Self {
        let mut tree = Self::default();
        tree.root = (0..NUMBERS).fold(None, |below, value| tree.add(below, value, None));
        tree
    }

    fn right_vine() -> Self {
        let mut tree = Self::default();
        tree.root = (0..NUMBERS).rev().fold(None, |below, value| tree.add(None, value, below));
        tree
    }
}

/// The values beneath a node, in order.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn walk(tree: Rc<Tree>, node: usize) -> Result<(), Thrown<Infallible>> {
    let Node { left, value, right } = tree.nodes[node];
    if let Some(left) = left {
        yield_from!(sub!(walk(Rc::clone(&tree), left)))?;
    }
    yield_!(value)?;
    if let Some(right) = right {
        yield_from!(sub!(walk(Rc::clone(&tree), right)))?;
    }
    Ok(())
}

/// Reads a walk to its end: whether its items were in order, and how deep it was at the first, the middle and the last.
fn read(mut walk: impl Coroutine<Send = (), Yield = u32>) -> Result<(bool, Vec<usize>), TaskError> {
    let (mut items, mut depths) = (0, Vec::new());
    let mut in_order = true;
    while let Some(item) = yielded(walk.next())? {
        in_order &= item == items;
        items += 1;
        if [1, NUMBERS / 2, NUMBERS].contains(&items) {
            depths.push(walk.delegates().len());
        }
    }
    Ok((in_order && items == NUMBERS, depths))
}

fn measure(name: &str, tree: Tree, flavour: Flavour, context: &Context) -> Result<(), RunError> {
    /// A vine of fibers is ten thousand stacks at once. Each takes two of the 65,530 mappings that Linux allows in a
    /// process: one at a time.
    static DEEP: Mutex<()> = Mutex::new(());

    let Some(root) = tree.root else { return Ok(()) };
    let tree = Rc::new(tree);
    let before = counts(flavour);
    let (in_order, depths) = match flavour {
        Flavour::Native => read(walk::native(tree, root)),
        Flavour::Generator => read(walk::generator(tree, root)),
        Flavour::Fiber => {
            let _deep = DEEP.lock().unwrap_or_else(PoisonError::into_inner);
            scope(|scope| read(scope.own(walk::fiber(tree, root))))
        }
    }?;
    // They are counted when they are gone.
    let counted = counts(flavour) - before;
    let order = if in_order { "in order" } else { "in disorder" };
    say!(context.out, "{name}: {} items {order}, {} runs of a body", counted.yields, counted.resumes);
    let depths: Vec<_> = depths.iter().map(ToString::to_string).collect();
    say!(context.out, "  delegations at the first, the middle and the last item: {}", depths.join(", "));
    Ok(())
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If a walk cannot be resumed.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    measure("balanced", Tree::balanced(), flavour, context)?;
    measure("vine to the left", Tree::left_vine(), flavour, context)?;
    measure("vine to the right", Tree::right_vine(), flavour, context)
}
