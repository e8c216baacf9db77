//! What a thread-local that is set for the time of a call sees of fibers, as the documentation says: their calls do not end in
//! the order in which they began.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use coro_core::prelude::*;
use coro_fiber::{FiberLocal, fiber_local, spawn, yield_now};

type Name = Option<&'static str>;

thread_local! {
    static OF_THE_THREAD: Cell<Name> = const { Cell::new(None) };
}

fiber_local! {
    static OF_THE_FIBER: Cell<Name> = Cell::new(None);
}

/// Where a name is kept.
trait Place {
    fn replace(&'static self, name: Name) -> Name;

    fn get(&'static self) -> Name {
        let name = self.replace(None);
        self.replace(name);
        name
    }

    /// As `scoped_tls` and many others do it: the name is there for the time of the call, and then the one before is again.
    fn set<T>(&'static self, name: &'static str, call: impl FnOnce() -> T) -> T
    where
        Self: Sized,
    {
        struct PutsBack<P: Place + 'static>(&'static P, Name);
        impl<P: Place> Drop for PutsBack<P> {
            fn drop(&mut self) {
                self.0.replace(self.1);
            }
        }
        let _puts_back = PutsBack(self, self.replace(Some(name)));
        call()
    }
}

impl Place for std::thread::LocalKey<Cell<Name>> {
    fn replace(&'static self, name: Name) -> Name {
        self.replace(name)
    }
}

impl Place for FiberLocal<Cell<Name>> {
    fn replace(&'static self, name: Name) -> Name {
        self.replace(name)
    }
}

/// Two fibers, each in a call under its name, which the first one leaves while the second is suspended in its own. What each
/// finds, before, between, and after.
fn two_calls(place: &'static impl Place) -> Vec<(&'static str, Name)> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let own = Rc::clone(&log);
    let main = coro_fiber::task(move |co| {
        let fiber = |name: &'static str, turns: u32| {
            let log = Rc::clone(&own);
            spawn(move |_| {
                place.set(name, || {
                    log.borrow_mut().push((name, place.get()));
                    (0..turns).try_for_each(|_| yield_now())?;
                    log.borrow_mut().push((name, place.get()));
                    Ok::<_, coro_fiber::WaitError>(())
                })?;
                log.borrow_mut().push((name, place.get()));
                Ok(())
            })
        };
        for task in [fiber("a", 1), fiber("b", 2)] {
            co.wait(task)??;
        }
        own.borrow_mut().push(("main", place.get()));
        Ok(())
    });
    Loop::simulated().run(main).unwrap();
    log.take()
}

#[test]
fn what_is_set_for_a_call_in_a_fiber_is_seen_by_others_and_put_back_too_late() {
    let found = two_calls(&OF_THE_THREAD);
    let expected = [
        ("a", Some("a")),
        ("b", Some("b")),
        // It has left its own call, and is in that of the other.
        ("a", Some("b")),
        ("a", None),
        // This one still is in its call, and finds nothing.
        ("b", None),
        // It puts back what it found, though that call is over: in `scoped_tls` it points to what is gone.
        ("b", Some("a")),
        ("main", Some("a")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_fiber_local_is_set_for_the_calls_of_one_fiber() {
    let found = two_calls(&OF_THE_FIBER);
    let expected = [
        ("a", Some("a")),
        ("b", Some("b")),
        ("a", Some("a")),
        ("a", None),
        ("b", Some("b")),
        ("b", None),
        ("main", None),
    ];
    assert_eq!(found, expected);
}
