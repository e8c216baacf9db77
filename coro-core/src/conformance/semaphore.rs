//! The laws of permits and tokens.

use std::cell::RefCell;
use std::rc::Rc;

use super::setting::{MakeLoop, run, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::sync::bounded_semaphore::ReleasedTooOften;
use crate::sync::capacity_limiter::{Borrower, CannotBorrow};
use crate::sync::semaphore::{Permit, WouldWait};
use crate::sync::{BoundedSemaphore, CapacityLimiter, Semaphore};
use crate::time::yield_now;

/// Takes a permit, tells so, waits for a turn and gives it back. The guard lives in the body, across its waits.
fn holder(semaphore: &Semaphore, trace: &Trace, name: &'static str) -> Plan {
    let permit: Rc<RefCell<Option<Permit>>> = Rc::default();
    let (semaphore, trace, acquired) = (semaphore.clone(), trace.clone(), Rc::clone(&permit));
    let takes = plan().wait(move || async move {
        let permit = semaphore.acquire().await;
        trace.log(name);
        acquired.replace(Some(permit));
    });
    takes.wait(yield_now).call(move || drop(permit.take()))
}

/// Rule 31: who waits first has a permit first, as many at once as there are.
pub fn permits_go_to_those_who_waited_first<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, semaphore) = (make(), Trace::new(), Semaphore::new(2));
    for name in ["a", "b", "c", "d"] {
        holder(&semaphore, &trace, name).spawn::<F>(&event_loop).detach();
    }
    let (full, log) = (semaphore.clone(), trace.clone());
    let main = plan().call(move || {
        log.log("a turn");
        assert!(full.is_locked());
        assert_eq!((full.statistics().value, full.statistics().held, full.statistics().waiting), (0, 2, 2));
    });
    run::<F>(&event_loop, main.then(turns(4))).unwrap();
    trace.expect(&["a", "b", "a turn", "c", "d"]);
    assert_eq!(semaphore.statistics().value, 2);
}

/// Rule 31: while somebody who was woken has not run, who comes waits behind, even if there are more permits.
pub fn a_semaphore_is_locked_while_a_woken_waiter_has_not_run<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, semaphore) = (make(), Trace::new(), Semaphore::new(0));
    holder(&semaphore, &trace, "waiter").spawn::<F>(&event_loop).detach();
    let free = semaphore.clone();
    let main = turns(1).call(move || {
        free.release().unwrap();
        free.release().unwrap();
        assert_eq!(free.statistics().value, 1);
        assert!(free.is_locked());
        assert!(matches!(free.try_acquire(), Err(WouldWait)));
    });
    run::<F>(&event_loop, main.then(holder(&semaphore, &trace, "newcomer"))).unwrap();
    trace.expect(&["waiter", "newcomer"]);
    assert!(!semaphore.is_locked());
}

/// Rule 31: a wake serves as many as there are permits, also those who came while the woken one had not run.
pub fn a_woken_waiter_wakes_as_many_as_there_are_permits<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, semaphore) = (make(), Trace::new(), Semaphore::new(0));
    holder(&semaphore, &trace, "first").spawn::<F>(&event_loop).detach();
    let (free, again, log) = (semaphore.clone(), event_loop.clone(), trace.clone());
    let main = turns(1).call(move || {
        for name in ["second", "third"] {
            holder(&free, &log, name).spawn::<F>(&again).detach();
        }
        for _ in 0..3 {
            free.release().unwrap();
        }
    });
    run::<F>(&event_loop, main.then(turns(4))).unwrap();
    trace.expect(&["first", "second", "third"]);
    assert_eq!(semaphore.statistics().value, 3);
}

/// Rule 31: a waiter that was woken and cancelled before it ran gives its permit back; the last one leaves it free.
pub fn a_cancelled_woken_waiter_gives_its_permit_back<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, semaphore) = (make(), Trace::new(), Semaphore::new(1));
    let held = semaphore.try_acquire().unwrap();
    let [first, last] = ["a", "b"].map(|name| holder(&semaphore, &trace, name).spawn::<F>(&event_loop));
    let main = turns(1).call(move || {
        drop(held);
        assert!(first.cancel());
    });
    let main = main.then(turns(3)).call(move || assert!(last.is_done()));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["b"]);

    let (held, free) = (semaphore.try_acquire().unwrap(), semaphore.clone());
    let only = holder(&semaphore, &trace, "nobody").spawn::<F>(&event_loop);
    let main = turns(1).call(move || {
        drop(held);
        assert!(only.cancel());
    });
    let main = main.wait(yield_now).call(move || drop(free.try_acquire().unwrap()));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[]);
}

/// Rule 31: who gives up in the middle of the line is gone at once, and takes no permit with it.
pub fn a_cancelled_waiter_leaves_the_line_of_a_semaphore<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, semaphore) = (make(), Trace::new(), Semaphore::new(0));
    let names = ["first", "middle", "last"];
    let [first, middle, last] = names.map(|name| holder(&semaphore, &trace, name).spawn::<F>(&event_loop));
    first.detach();
    last.detach();
    let free = semaphore.clone();
    let main = turns(1).call(move || assert!(middle.cancel())).wait(yield_now).call(move || {
        free.release().unwrap();
        free.release().unwrap();
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["first", "last"]);
}

/// Rule 31: a bounded semaphore never has more permits than at first.
pub fn releasing_a_bounded_semaphore_too_often_is_an_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, semaphore) = (make(), BoundedSemaphore::new(1));
    let again = semaphore.clone();
    let main = plan().wait(move || async move {
        drop(again.acquire().await);
        assert_eq!(again.release(), Err(ReleasedTooOften));
        again.acquire().await.forget();
        assert!(again.is_locked());
        assert_eq!(again.release(), Ok(()));
        assert_eq!(again.release(), Err(ReleasedTooOften));
        drop(again.acquire().await);
    });
    run::<F>(&event_loop, main).unwrap();
    assert_eq!(semaphore.statistics().value, 1);
}

/// A task has one token of a limiter at most; more tokens serve those who wait, fewer take none away.
pub fn a_limiter_knows_its_borrowers_and_changes_its_size<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, limiter) = (make(), Trace::new(), CapacityLimiter::new(1));
    assert!(matches!(limiter.try_acquire(), Err(CannotBorrow::NoTask)));
    for name in ["a", "b", "c"] {
        let (limiter, trace) = (limiter.clone(), trace.clone());
        let borrower = plan().wait(move || async move {
            let token = limiter.acquire().await.unwrap();
            trace.log(name);
            assert!(matches!(limiter.try_acquire(), Err(CannotBorrow::AlreadyBorrowed(_))));
            assert!(matches!(limiter.acquire().await, Err(CannotBorrow::AlreadyBorrowed(_))));
            for _ in 0..4 {
                yield_now().await;
            }
            drop(token);
        });
        borrower.spawn::<F>(&event_loop).detach();
    }
    let (grows, log, other) = (limiter.clone(), trace.clone(), Borrower::new());
    let main = turns(1).call(move || {
        assert!(matches!(grows.try_acquire(), Err(CannotBorrow::WouldWait)));
        log.log("two");
        grows.set_total_tokens(2);
    });
    let (shrinks, log) = (limiter.clone(), trace.clone());
    let main = main.wait(yield_now).call(move || {
        log.log("none");
        shrinks.set_total_tokens(0);
        assert_eq!((shrinks.statistics().total, shrinks.statistics().borrowed), (0, 2));
    });
    let (all, log) = (limiter.clone(), trace.clone());
    let main = main.then(turns(5)).call(move || {
        log.log("all");
        assert_eq!((all.statistics().borrowed, all.statistics().waiting), (0, 1));
        all.set_total_tokens(usize::MAX);
        assert_eq!(all.total_tokens(), usize::MAX);
    });
    let main = main.then(turns(6)).wait(move || async move {
        let mine = limiter.acquire().await.unwrap();
        let others = limiter.acquire_on_behalf_of(other).await.unwrap();
        assert_eq!((others.borrower(), limiter.statistics().borrowers.len()), (other, 2));
        let again = limiter.try_acquire_on_behalf_of(other);
        assert_eq!(again.err(), Some(CannotBorrow::AlreadyBorrowed(other)));
        drop((mine, others));
        assert_eq!(limiter.statistics().borrowers, []);
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["a", "two", "b", "none", "all", "c"]);
}
