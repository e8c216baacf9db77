//! Groups and pools, as in gevent.

mod pool_common;

use std::future::pending;
use std::rc::Rc;

use coro_core::prelude::*;
use coro_fiber::{Full, Group, Pool, TimedOut, wait};
use pool_common::{SECOND, fails, naps, note, run};

#[test]
fn a_spawn_waits_for_a_place_and_the_first_who_came_is_the_first_served() {
    let (log, _) = run(|co, log| {
        let pool = Pool::new(2);
        assert_eq!((pool.size(), pool.free_count(), pool.full(), pool.is_empty()), (2, 2, false, true));
        for (name, seconds) in [("a", 3), ("b", 1), ("c", 1), ("d", 1)] {
            co.wait(pool.spawn(naps(log, name, seconds)))?;
            note(log, format!("{name} spawned, {} free", pool.free_count()));
        }
        assert!(pool.full());
        co.wait(pool.join())?;
        note(log, format!("joined, {} free", pool.free_count()));
        assert!(pool.is_empty());
        Ok(())
    });
    assert_eq!(
        log,
        [
            "0 a spawned, 1 free",
            "0 b spawned, 0 free",
            "0 a begins",
            "0 b begins",
            "1 b ends",
            "1 c spawned, 0 free",
            "1 c begins",
            "2 c ends",
            "2 d spawned, 0 free",
            "2 d begins",
            "3 a ends",
            "3 d ends",
            "3 joined, 2 free"
        ]
    );
}

#[test]
fn a_full_pool_hands_the_body_back() {
    run(|co, _| {
        let pool = Pool::new(1);
        let first = pool.try_spawn(|co| co.wait(sleep(SECOND))).unwrap();
        let Err(Full(body)) = pool.try_spawn(|_| Ok(7)) else { unreachable!() };
        co.wait(pool.wait_available())?;
        assert!(first.ready());
        let second = pool.try_spawn(body).unwrap();
        assert_eq!(co.wait(second.get())??, 7);
        let none = Pool::new(0);
        assert!(none.full() && none.try_spawn(|_| Ok(())).is_err());
        Ok(())
    });
}

#[test]
fn a_wait_for_a_place_that_nobody_leaves_is_reported_with_who_has_it() {
    let stalled = Loop::simulated().run(coro_fiber::task(|co| {
        let pool = Pool::new(1);
        for _ in 0..2 {
            co.wait(pool.spawn(|co| co.wait(pending::<()>())))?;
        }
        Ok(())
    }));
    let report = stalled.unwrap_err().to_string();
    assert!(report.contains("a permit of semaphore 1, taken by Task-2"), "{report}");

    // Room for results is nobody's to give back but who waits for it.
    let stalled = Loop::simulated().run(coro_fiber::task(|co| {
        let pool = Pool::new(2);
        let results = pool.imap(|_, item| Ok(item), 0..2).maxsize(1);
        co.wait(pending::<()>())?;
        drop(results);
        Ok(())
    }));
    let report = stalled.unwrap_err().to_string();
    assert!(report.contains("a permit of semaphore") && !report.contains("taken by"), "{report}");
}

#[test]
fn a_cancelled_wait_for_a_place_runs_nothing_and_lets_the_next_one_in() {
    let (log, _) = run(|co, log| {
        let pool = Pool::new(1);
        co.wait(pool.spawn(naps(log, "a", 1)))?;
        let waits = |name| {
            let (pool, body) = (pool.clone(), naps(log, name, 1));
            coro_fiber::spawn(move |_| wait(pool.spawn(body)).map(drop).map_err(Into::into))
        };
        let (given_up, next) = (waits("given up"), waits("next"));
        co.wait(yield_now())?;
        given_up.cancel();
        co.wait(next)??;
        co.wait(pool.join())?;
        drop(given_up);
        Ok(())
    });
    assert_eq!(log, ["0 a begins", "1 a ends", "1 next begins", "2 next ends"]);
}

#[test]
fn a_member_that_fails_panics_or_is_cancelled_gives_its_place_back() {
    let (_, reports) = run(|co, _| {
        let pool = Pool::new(1);
        co.wait(pool.spawn(|_| fails::<()>("planted")))?;
        co.wait(pool.spawn(|_| -> TaskResult<()> { panic!("planted") }))?;
        let cancelled = co.wait(pool.spawn(|co| co.wait(std::future::pending::<()>())))?;
        cancelled.cancel();
        // And one that never begins.
        let unbegun = co.wait(pool.spawn(|_| Ok(())))?;
        unbegun.cancel();
        assert_eq!(co.wait(pool.apply(|_| Ok(7)))??, 7);
        assert_eq!(pool.free_count(), 1);
        Ok(())
    });
    assert_eq!(reports, ["planted", "the task panicked: planted"]);
}

#[test]
fn a_join_is_over_when_nobody_is_there_or_in_time() {
    let (log, _) = run(|co, log| {
        let group = Group::new();
        co.wait(group.join())?;
        group.spawn(naps(log, "a", 2));
        assert_eq!(group.len(), 1);
        assert_eq!(co.wait(group.join_timeout(SECOND))?, Err(TimedOut));
        assert_eq!(co.wait(group.join_timeout(2 * SECOND))?, Ok(()));
        group.spawn(naps(log, "b", 1));
        co.wait(group.join())?;
        note(log, "joined");
        Ok(())
    });
    assert_eq!(log, ["0 a begins", "2 a ends", "2 b begins", "3 b ends", "3 joined"]);
}

#[test]
fn a_try_join_has_the_first_failure_and_the_others_go_on() {
    let (log, reports) = run(|co, log| {
        let group = Group::new();
        let failing = |what: &'static str, seconds: u32| {
            group.spawn(move |co| {
                co.wait(sleep(seconds * SECOND))?;
                fails::<()>(what)
            })
        };
        let (late, early) = (failing("late", 2), failing("early", 1));
        group.spawn(naps(log, "a", 3));
        let killed = group.spawn(|co| co.wait(std::future::pending::<()>()));
        killed.cancel();
        assert_eq!(co.wait(group.try_join())?.unwrap_err().to_string(), "early");
        note(log, "failed");
        assert_eq!(co.wait(group.try_join())?.unwrap_err().to_string(), "late");
        co.wait(group.try_join())?.unwrap();
        assert!(early.exception().is_some() && late.exception().is_some());
        note(log, "joined");
        Ok(())
    });
    assert_eq!(
        (log, reports),
        (vec!["0 a begins".into(), "1 failed".into(), "3 a ends".into(), "3 joined".into()], vec![])
    );
}

#[test]
fn a_kill_ends_all_and_waits_for_their_cleanups_and_who_begins_meanwhile_never_runs() {
    let (log, _) = run(|co, log| {
        let group = Group::new();
        for name in ["a", "b"] {
            let (group, log) = (group.clone(), Rc::clone(log));
            let own = Rc::clone(&log);
            let _member = group.clone().spawn(move |co| {
                let waited = co.wait(std::future::pending::<()>());
                co.wait(sleep(SECOND))?;
                group.spawn(naps(&own, "born in a cleanup", 9));
                note(&log, format!("{name} cleaned up"));
                waited
            });
        }
        co.wait(yield_now())?;
        let unbegun = group.spawn(naps(log, "unbegun", 9));
        co.wait(group.kill())?;
        note(log, "killed");
        assert!(unbegun.exception().unwrap().is_cancelled());
        // It can be used again.
        group.spawn(naps(log, "c", 1));
        co.wait(group.join())
    });
    assert_eq!(log, ["1 a cleaned up", "1 b cleaned up", "1 killed", "1 c begins", "2 c ends"]);
}

#[test]
fn a_member_that_kills_its_group_ends_with_the_others() {
    let (log, _) = run(|co, log| {
        let group = Group::new();
        group.spawn(naps(log, "a", 5));
        let own = group.clone();
        let killer = group.spawn(move |co| {
            co.wait(sleep(SECOND))?;
            co.wait(own.kill())
        });
        co.wait(group.join())?;
        note(log, "joined");
        assert!(killer.exception().unwrap().is_cancelled());
        // The kill that was cut off is over.
        group.spawn(naps(log, "b", 1));
        co.wait(group.join())
    });
    assert_eq!(log, ["0 a begins", "1 joined", "1 b begins", "2 b ends"]);
}

#[test]
fn a_group_takes_tasks_of_every_flavour_and_says_where_they_were_spawned() {
    run(|co, _| {
        let group = Group::new();
        let native = group.start(async { sleep(SECOND).await });
        let fiber = group.spawn(|_| Ok(()));
        let info = fiber.info();
        assert_eq!((info.spawned_at.file(), info.spawned_at.line()), (file!(), line!() - 2));
        group.cancel();
        co.wait(group.join())?;
        assert!(native.exception().unwrap().is_cancelled());
        let pool = Pool::new(1);
        let spawning = pool.spawn(|_| Ok(()));
        let spawned_at = line!() - 1;
        assert_eq!(co.wait(spawning)?.info().spawned_at.line(), spawned_at);
        Ok(())
    });
}

#[test]
fn a_pool_that_is_dropped_leaves_its_members_alone() {
    let (log, _) = run(|co, log| {
        let pool = Pool::new(1);
        let member = co.wait(pool.spawn(naps(log, "a", 1)))?;
        drop(pool);
        co.wait(member.wait())
    });
    assert_eq!(log, ["0 a begins", "1 a ends"]);
}
