//! Whose turn it is: whether a yield gives way to anybody.

use std::cell::Cell;

/// How many tasks take part in the check, and how often each yields.
pub const TASKS: u64 = 100;
/// See [`TASKS`].
pub const YIELDS: u64 = 100;

thread_local! {
    static LAST: Cell<Option<u64>> = const { Cell::new(None) };
    static TURNS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Says that it is the turn of this task.
pub fn note(task: u64) {
    let (turns, same) = TURNS.get();
    let again = LAST.replace(Some(task)) == Some(task);
    TURNS.set((turns + 1, same + u64::from(again)));
}

/// Which part of the turns went to the task that had the one before. The count begins anew.
pub fn same_task() -> f64 {
    LAST.set(None);
    let (turns, same) = TURNS.take();
    same as f64 / turns.max(1) as f64
}
