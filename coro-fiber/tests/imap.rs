//! A function over many items, in a group or a pool.

mod pool_common;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_fiber::{Group, Pool, TaskCo, wait};
use pool_common::{SECOND, fails, naps, note, run};

#[test]
fn map_gives_the_values_in_the_order_of_the_items_however_they_end() {
    let (log, _) = run(|co, log| {
        let pool = Pool::new(2);
        let own = Rc::clone(log);
        let doubled = pool.map(
            move |_, seconds: u32| {
                coro_fiber::sleep(seconds * SECOND)?;
                note(&own, seconds);
                Ok(2 * seconds)
            },
            [3, 1, 2, 0],
        );
        assert_eq!(co.wait(doubled)??, [6, 2, 4, 0]);
        note(log, "mapped");
        assert_eq!(co.wait(pool.map(|_, item: u8| Ok(item), []))??, []);
        Ok(())
    });
    assert_eq!(log, ["1 1", "3 3", "3 2", "3 0", "3 mapped"]);
}

#[test]
fn map_fails_with_the_first_item_that_does_and_begins_no_other() {
    let (log, reports) = run(|co, log| {
        let pool = Pool::new(2);
        let own = Rc::clone(log);
        let mapped = pool.map(
            move |co, item: u32| {
                note(&own, format!("{item} begins"));
                co.wait(sleep(item * SECOND))?;
                if item == 3 { fails::<()>("not that one") } else { fails("first") }
            },
            [1, 3, 1, 1],
        );
        assert_eq!(co.wait(mapped)?.unwrap_err().to_string(), "first");
        note(log, "failed");
        co.wait(pool.join())
    });
    assert_eq!(log[..2], ["0 1 begins", "0 3 begins"]);
    // Its place may have been taken already, in the same turn.
    assert!(log[2..].iter().filter(|line| line.ends_with("begins")).count() <= 1, "{log:?}");
    assert!(log.contains(&"1 failed".to_string()), "{log:?}");
    assert!(reports.contains(&"not that one".to_string()), "{reports:?}");
}

#[test]
fn imap_is_an_iterator_that_waits_in_order_or_as_they_end() {
    let (log, _) = run(|_, log| {
        let naps = |_: &mut TaskCo<'_>, seconds: u32| {
            coro_fiber::sleep(seconds * SECOND)?;
            Ok(seconds)
        };
        for result in Pool::new(3).imap(naps, [3, 1, 2]) {
            note(log, format!("ordered {}", result??));
        }
        for result in Pool::new(3).imap_unordered(naps, [3, 1, 2]) {
            note(log, format!("unordered {}", result??));
        }
        // Without a bound, and by one who fails in between.
        let mut results = Group::new().imap_unordered(
            |co, seconds: u32| {
                co.wait(sleep(seconds * SECOND))?;
                if seconds == 2 { fails("two") } else { Ok(seconds) }
            },
            [3, 1, 2],
        );
        let taken: Vec<_> =
            results.by_ref().map(|result| result.unwrap().map_err(|error| error.to_string())).collect();
        note(log, format!("{taken:?}"));
        assert!(results.next().is_none());
        Ok(())
    });
    assert_eq!(
        log,
        [
            "3 ordered 3",
            "3 ordered 1",
            "3 ordered 2",
            "4 unordered 1",
            "5 unordered 2",
            "6 unordered 3",
            r#"9 [Ok(1), Err("two"), Ok(3)]"#
        ]
    );
}

#[test]
fn imap_is_a_stream_and_a_future_for_those_without_a_fiber() {
    let gathered = Loop::simulated().run(async {
        let pool = Pool::new(2);
        let mut results = pool.imap(|_, item: u32| Ok(item + 1), 0..3);
        let first = results.next_result().await.unwrap().unwrap();
        let mut stream = std::pin::pin!(results.into_stream());
        let mut rest = Vec::new();
        while let Some(result) =
            std::future::poll_fn(|cx| futures_core::Stream::poll_next(stream.as_mut(), cx)).await
        {
            rest.push(result.unwrap());
        }
        // Outside a fiber the iterator says so, and loses nothing.
        let mut results = pool.imap(|_, item: u32| Ok(item), [7]);
        let refused = results.next().unwrap().unwrap_err().to_string();
        assert!(refused.starts_with("waited outside a fiber"), "{refused}");
        rest.push(results.next_result().await.unwrap().unwrap());
        (first, rest)
    });
    assert_eq!(gathered.unwrap(), (1, vec![2, 3, 7]));
}

#[test]
fn the_items_may_wait_and_may_panic() {
    let (log, _) = run(|_, log| {
        let items = (0..3).inspect(|item| {
            coro_fiber::sleep(SECOND).unwrap();
            assert!(*item < 2, "planted");
        });
        for result in Pool::new(1).imap_unordered(|_, item| Ok(item), items) {
            let result = result?;
            note(log, result.map_or_else(|error| error.to_string(), |item| item.to_string()));
        }
        Ok(())
    });
    assert_eq!(log, ["1 0", "2 1", "3 the task panicked: planted"]);
}

#[test]
fn members_run_ahead_of_who_takes_and_maxsize_bounds_that() {
    for (maxsize, begun_ahead) in [(0, 6), (1, 1), (2, 2), (9, 6)] {
        run(move |co, _| {
            let begun = Rc::new(Cell::new(0));
            let count = Rc::clone(&begun);
            let mut results = Pool::new(4)
                .imap(
                    move |_, item: u32| {
                        count.set(count.get() + 1);
                        Ok(item)
                    },
                    0..6,
                )
                .maxsize(maxsize);
            co.wait(sleep(SECOND))?;
            assert_eq!(begun.get(), begun_ahead, "{maxsize}");
            assert!(results.by_ref().map(|item| item.unwrap().unwrap()).eq(0..6));
            Ok(())
        });
    }
}

#[test]
fn what_is_left_of_a_dropped_imap_is_dropped_and_its_members_run_on() {
    let (log, reports) = run(|co, log| {
        let pool = Pool::new(2);
        let left = Rc::new(());
        let items: Vec<_> = (0..5).map(|item| (item, Rc::clone(&left))).collect();
        let own = Rc::clone(log);
        let mut results = pool.imap_unordered(
            move |co, (item, _left)| {
                co.wait(sleep((item + 1) * SECOND))?;
                note(&own, format!("{item} ends"));
                fails::<()>("planted")
            },
            items,
        );
        assert!(results.next().unwrap()?.is_err());
        drop(results);
        co.wait(pool.join())?;
        assert_eq!(Rc::strong_count(&left), 1);
        Ok(())
    });
    // The second is one of those that had begun; a third may have taken the place of the first.
    assert_eq!(log[..2], ["1 0 ends", "2 1 ends"]);
    assert!(log.len() <= 3, "{log:?}");
    assert_eq!(reports.len(), log.len() - 1);
}

#[test]
fn an_error_that_is_here_and_never_taken_is_reported() {
    let (_, reports) = run(|co, _| {
        let results = Pool::new(2).imap(|_, item: u8| if item == 1 { fails("one") } else { Ok(item) }, 0..3);
        co.wait(sleep(SECOND))?;
        drop(results);
        Ok(())
    });
    assert_eq!(reports, ["one"]);
}

#[test]
fn apply_gives_the_result_itself_and_a_cancelled_one_leaves_the_member() {
    let (log, reports) = run(|co, log| {
        struct NotClone(u8);
        let pool = Pool::new(1);
        assert_eq!(co.wait(pool.apply(|_| Ok(NotClone(7))))??.0, 7);
        assert!(co.wait(pool.apply(|_| fails::<()>("planted")))?.is_err());
        let (own, member) = (pool.clone(), naps(log, "a", 2));
        let applies = coro_fiber::spawn(move |_| {
            let failing = own.apply(move |co| member(co).and_then(|_| fails::<()>("for nobody")));
            Ok(wait(failing)??)
        });
        co.wait(sleep(SECOND))?;
        applies.cancel();
        assert!(co.wait(applies)?.unwrap_err().is_cancelled());
        co.wait(pool.join())
    });
    assert_eq!(
        (log, reports),
        (vec!["0 a begins".into(), "2 a ends".into()], vec!["for nobody".to_string()])
    );
}

#[test]
fn no_more_than_the_size_run_at_once_and_all_items_come_once() {
    for size in 1..5 {
        run(move |co, _| {
            let (running, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let (now, peak) = (Rc::clone(&running), Rc::clone(&most));
            let pool = Pool::new(size);
            let function = move |co: &mut TaskCo<'_>, item: u32| {
                now.set(now.get() + 1);
                peak.set(peak.get().max(now.get()));
                co.wait(sleep(Duration::from_millis(u64::from(item * 7 % 5))))?;
                now.set(now.get() - 1);
                Ok(item)
            };
            // Two who share it.
            let (a, b) = (pool.imap_unordered(function.clone(), 0..20), pool.map(function, 20..40));
            let b = coro_fiber::spawn(move |co| Ok(co.wait(b)??));
            let mut items: BTreeSet<_> = a.map(|item| item.unwrap().unwrap()).collect();
            items.extend(co.wait(b)??);
            assert!(items.into_iter().eq(0..40));
            assert_eq!((most.get(), running.get(), pool.free_count()), (size, 0, size));
            Ok(())
        });
    }
}
