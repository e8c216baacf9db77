//! Code that is called by code that knows nothing of fibers, and waits: iterators, comparators, visitors, destructors.
//!
//! Each runs in several fibers at once, and what happens is compared as a whole: none waits for the others.

use std::cell::RefCell;
use std::fmt::{self, Display, Write};
use std::rc::Rc;
use std::time::Duration;

use coro_core::task::TaskError;
use coro_core::{EventLoop, Loop, gather, time};
use coro_fiber::{WaitError, sleep, wait};

/// What happened, with the second.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Display) {
        let second = (time::now() - time::Time::ZERO).as_secs();
        self.0.borrow_mut().push(format!("{second} {what}"));
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Runs a fiber for each item, all at the same time, and gives what happened.
fn run_all<I: 'static>(items: impl IntoIterator<Item = I>, body: impl Fn(I, &Log) + 'static) -> Vec<String> {
    let (log, body, items) = (Log::default(), Rc::new(body), Vec::from_iter(items));
    let shared = log.clone();
    let ran = Loop::simulated().run(coro_fiber::task(move |_| {
        let fibers = items.into_iter().map(|item| {
            let (body, log) = (Rc::clone(&body), shared.clone());
            coro_fiber::spawn(move |_| {
                body(item, &log);
                Ok(())
            })
        });
        wait(gather(fibers))??;
        Ok(())
    }));
    ran.unwrap();
    log.0.take()
}

/// An item after each step.
struct Ticks {
    step: u64,
    next: u64,
}

impl Iterator for Ticks {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        sleep(secs(self.step)).unwrap();
        self.next += 1;
        Some(self.next)
    }
}

#[test]
fn an_iterator_waits_for_its_items() {
    let happened = run_all([("a", 2), ("b", 3)], |(name, step), log| {
        let mut ticks =
            Ticks { step, next: 0 }.inspect(|tick| log.add(format_args!("{name}{tick}"))).peekable();
        // The adapters of the standard library, one after the other.
        assert_eq!(ticks.peek(), Some(&1));
        let even = ticks.by_ref().filter(|tick| tick % 2 == 0).map(|tick| tick * 10).next();
        assert_eq!(even, Some(20));
        let (low, high): (Vec<_>, Vec<_>) = ticks.take(2).partition(|tick| *tick < 4);
        log.add(format_args!("{name} {low:?} {high:?}"));
    });
    let expected =
        ["2 a1", "3 b1", "4 a2", "6 b2", "6 a3", "8 a4", "8 a [3] [4]", "9 b3", "12 b4", "12 b [3] [4]"];
    assert_eq!(happened, expected);
}

#[test]
fn a_sort_waits_in_its_comparator() {
    let happened = run_all([("a", 2), ("b", 3)], |(name, step), log| {
        let mut items = [3, 1, 2];
        items.sort_by(|one, other| {
            sleep(secs(step)).unwrap();
            log.add(format_args!("{name} {one}?{other}"));
            one.cmp(other)
        });
        assert_eq!(items, [1, 2, 3]);
    });
    // As many, and the same, as if it did not wait.
    let mut asked = Vec::new();
    [3, 1, 2].sort_by(|one: &i32, other| {
        asked.push(format!("{one}?{other}"));
        one.cmp(other)
    });
    let mut expected = Vec::new();
    for (name, step) in [("a", 2), ("b", 3)] {
        // Of two that are due at once, the one whose sleep began first.
        let of_fiber =
            (1..).zip(&asked).map(|(nth, pair)| (nth * step, (nth - 1) * step, format!("{name} {pair}")));
        expected.extend(of_fiber);
    }
    expected.sort();
    let expected: Vec<_> = expected.iter().map(|(second, _, what)| format!("{second} {what}")).collect();
    assert_eq!(happened, expected);
}

/// Formats its number, a digit a second.
struct Digits(u32);

impl Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digit in self.0.to_string().chars() {
            sleep(secs(1)).map_err(|_| fmt::Error)?;
            f.write_char(digit)?;
        }
        Ok(())
    }
}

#[test]
fn a_format_waits_in_its_arguments() {
    let happened = run_all([12, 345], |number, log| {
        log.add(format!("{} and {}", Digits(number), Digits(number)));
    });
    assert_eq!(happened, ["4 12 and 12", "6 345 and 345"]);
}

enum Tree {
    Leaf(&'static str),
    Branch(Vec<Tree>),
}

/// A library's: it takes a plain closure.
fn visit(
    tree: &Tree,
    depth: usize,
    visitor: &mut dyn FnMut(usize, &str) -> Result<(), WaitError>,
) -> Result<(), WaitError> {
    match tree {
        Tree::Leaf(name) => visitor(depth, name),
        Tree::Branch(children) => children.iter().try_for_each(|child| visit(child, depth + 1, visitor)),
    }
}

#[test]
fn a_visitor_waits_at_any_depth_and_stops_when_it_is_cancelled() {
    let happened = run_all(["patient", "hasty"], |name, log| {
        let tree = Tree::Branch(vec![
            Tree::Leaf("a"),
            Tree::Branch(vec![Tree::Leaf("b"), Tree::Branch(vec![Tree::Leaf("c")])]),
        ]);
        let own = log.clone();
        let walk = coro_fiber::spawn(move |_| {
            let walked = visit(&tree, 0, &mut |depth, leaf| {
                sleep(secs(2))?;
                own.add(format_args!("{name} {leaf} at {depth}"));
                Ok(())
            });
            Ok(walked?)
        });
        if name == "hasty" {
            sleep(secs(5)).unwrap();
            walk.cancel();
        }
        let end = match wait(walk).unwrap() {
            Ok(()) => "ended",
            Err(TaskError::Cancelled(_)) => "was cancelled",
            Err(_) => "failed",
        };
        log.add(format_args!("{name} {end}"));
    });
    let expected = [
        "2 patient a at 1",
        "2 hasty a at 1",
        "4 patient b at 2",
        "4 hasty b at 2",
        "5 hasty was cancelled",
        "6 patient c at 3",
        "6 patient ended",
    ];
    assert_eq!(happened, expected);
}

/// Says goodbye, which takes a while.
struct Goodbye {
    name: String,
    step: u64,
    log: Log,
}

impl Drop for Goodbye {
    fn drop(&mut self) {
        let said = match sleep(secs(self.step)) {
            Ok(()) => "goodbye",
            Err(error) if error.is_end() => "cut off",
            Err(_) => "failed",
        };
        self.log.add(format_args!("{} {said}", self.name));
    }
}

#[test]
fn a_destructor_waits_where_the_value_goes() {
    let happened = run_all([("a", 2), ("b", 3)], |(name, step), log| {
        let goodbye = |number| Goodbye { name: format!("{name}{number}"), step, log: log.clone() };
        let mut kept = vec![goodbye(1), goodbye(2), goodbye(3)];
        kept.truncate(2);
        drop(kept.remove(0));
        let _at_the_end = (goodbye(4), kept);
    });
    let expected = [
        "2 a3 goodbye",
        "3 b3 goodbye",
        "4 a1 goodbye",
        "6 b1 goodbye",
        "6 a4 goodbye",
        "8 a2 goodbye",
        "9 b4 goodbye",
        "12 b2 goodbye",
    ];
    assert_eq!(happened, expected);
}

#[test]
fn a_destructor_after_a_cancellation_waits_and_one_during_it_is_cut_off() {
    let log = Log::default();
    let own = log.clone();
    let ran = Loop::simulated().run(coro_fiber::task(move |_| {
        let goodbye = |name: &str| Goodbye { name: name.to_string(), step: 4, log: own.clone() };
        let (returns, dropping) = (goodbye("returns"), goodbye("dropping"));
        let tasks = [
            coro_fiber::spawn(move |_| {
                let _goodbye = returns;
                Ok(sleep(secs(60))?)
            }),
            coro_fiber::spawn(move |_| {
                drop(dropping);
                sleep(secs(60)).unwrap();
                Ok(())
            }),
        ];
        sleep(secs(1))?;
        tasks.iter().for_each(|task| _ = task.cancel());
        let [returns, dropping] = tasks;
        assert!(matches!(wait(returns)?, Err(TaskError::Cancelled(_))));
        own.add("returned");
        // The destructor has swallowed it.
        Ok(wait(dropping)??)
    }));
    ran.unwrap();
    assert_eq!(log.0.take(), ["1 dropping cut off", "5 returns goodbye", "5 returned"]);
}
