//! What a task looks like from outside.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::TaskId;
use crate::event_loop::Waiting;
use crate::stats::Flavour;

/// What a task looks like from outside.
///
/// It is shown as CPython shows one, with the place where the body was made, if the flavour knows it, else where the task was
/// spawned: `<Task pending name='Task-2' coro=<download() running at src/main.rs:12>>`. In the alternate form (`{:#?}`) are
/// the flavour and the place of the spawn as well.
#[derive(Clone)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its identity.
    pub id: TaskId,
    /// Its name: `Task-1`, `Task-2`, … in the order of spawning, unless it was given another.
    pub name: Rc<str>,
    /// The engine that suspends it; `None` for a coroutine written by hand.
    pub flavour: Option<Flavour>,
    /// The type of its body, as the compiler names it. A body whose type is erased is asked for it, which cannot be done while
    /// it runs, nor when it has ended; then this is the answer that was given before, or the name of what is left of the type.
    pub function: &'static str,
    /// Where its body was made, if that is known; as [`function`](Self::function).
    pub defined_at: Option<&'static Location<'static>>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// How many cancellations were requested.
    pub cancelling: u32,
    /// Whether it has ended.
    pub done: bool,
    /// Whether it has ended with an error.
    pub failed: bool,
    /// Whether it has ended cancelled, which is an error.
    pub cancelled: bool,
    /// What it waits for, as far as its leaves are ours, but for oneshots: more than one if it waits for several things at
    /// once. Only where somebody has looked, with [`all_tasks`](crate::EventLoop::all_tasks) or
    /// [`JoinHandle::waits_for`](super::JoinHandle::waits_for).
    pub waits_for: Vec<Waiting>,
    /// The same in words, with tasks by their names.
    pub(super) waits: String,
}

/// What the body of a task is called, and where it was made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Label {
    pub(super) function: &'static str,
    pub(super) defined_at: Option<&'static Location<'static>>,
}

impl TaskInfo {
    /// Puts in words what it waits for.
    pub(crate) fn tell_waits(&mut self, name: impl Fn(TaskId) -> Option<String>) {
        let name = |id: TaskId| name(id).unwrap_or_else(|| id.to_string());
        let waits: Vec<_> = self.waits_for.iter().map(|waiting| waiting.describe(name)).collect();
        self.waits = waits.join(", or ");
    }

    /// Shown with the result, as CPython shows a task that has one: `… result='done'>`. For whoever has taken it.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, native::spawn};
    ///
    /// async fn add() -> u32 {
    ///     1 + 1
    /// }
    ///
    /// let shown = Loop::simulated().run(async {
    ///     let mut task = spawn(add());
    ///     let sum = (&mut task).await.unwrap();
    ///     task.info().with_result(sum).to_string()
    /// });
    /// let shown = shown.unwrap();
    /// assert!(shown.starts_with("<Task finished name='Task-2' coro=<add() done, defined at "), "{shown}");
    /// assert!(shown.ends_with("> result=2>"), "{shown}");
    /// ```
    pub fn with_result(&self, result: impl fmt::Display) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            write!(f, "{}", self.opening())?;
            write!(f, " result={result}>")
        })
    }

    fn opening(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let state = match (self.done, self.cancelling) {
                (true, _) if self.cancelled => "cancelled",
                (true, _) => "finished",
                (false, 0) => "pending",
                (false, _) => "cancelling",
            };
            let stands = if self.done { "done, defined" } else { "running" };
            let place = self.defined_at.unwrap_or(self.spawned_at);
            write!(f, "<Task {state} name='{}'", self.name)?;
            if f.alternate()
                && let Some(flavour) = self.flavour
            {
                write!(f, " {flavour}")?;
            }
            let function = function_name(self.function);
            write!(f, " coro=<{function}() {stands} at {}:{}>", place.file(), place.line())?;
            if f.alternate() {
                write!(f, " created at {}:{}", self.spawned_at.file(), self.spawned_at.line())?;
            }
            if self.waits.is_empty() { Ok(()) } else { write!(f, " waits {}", self.waits) }
        })
    }
}

impl fmt::Debug for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { write!(f, "{:#}>", self.opening()) } else { write!(f, "{}>", self.opening()) }
    }
}

/// The name of the function that a body of this type is, or is written in.
fn function_name(of_type: &str) -> String {
    let (mut plain, mut depth) = (String::new(), 0_u32);
    for character in of_type.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let mut named = plain.rsplit("::").filter(|part| !part.is_empty() && !part.starts_with('{'));
    // What the attribute `coroutine` makes is a function of this name, of a type that is called as the user's function.
    let is_flavour = |name: &str| Flavour::ALL.iter().any(|flavour| flavour.to_string() == name);
    match (named.next(), named.next()) {
        (Some(flavour), Some(name)) if is_flavour(flavour) => name,
        (name, _) => name.unwrap_or(of_type),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn the_name_of_a_function_is_the_last_one_that_was_given() {
        for (of_type, name) in [
            ("app::download", "download"),
            ("app::download::{{closure}}", "download"),
            ("app::main::{{closure}}::{{closure}}", "main"),
            ("app::Client<app::Pool<u8>>::get<dyn Fn() + Send>::{{closure}}", "get"),
            ("<app::Client<T> as app::Get>::get::{{closure}}", "get"),
            ("coro_core::native::task::Task<app::Future>", "Task"),
            ("app::download::native::{{closure}}", "download"),
            ("<app::download>::fiber::{{closure}}", "fiber"),
            ("native", "native"),
            ("", ""),
        ] {
            assert_eq!(function_name(of_type), name, "{of_type}");
        }
    }
}
