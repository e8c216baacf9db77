//! The laws of the queue.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use super::setting::{MakeLoop, log, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop};
use crate::queue::{
    BaseQueue, GetNowaitError, LifoQueue, PriorityQueue, PutNowaitError, Queue, QueueShutDown, Store,
    TooManyTaskDone, Unput,
};
use crate::task::JoinHandle;
use crate::time::{sleep, yield_now};

fn getter<F: Flavour>(
    event_loop: &Loop,
    queue: &Queue<i64>,
    trace: &Trace,
    name: &'static str,
) -> JoinHandle<i64> {
    let (queue, trace) = (queue.clone(), trace.clone());
    plan()
        .wait(move || async move {
            let item = queue.get().await.unwrap();
            trace.log(format!("{name} got {item}"));
        })
        .spawn::<F>(event_loop)
}

fn putter<F: Flavour>(event_loop: &Loop, queue: &Queue<i64>, trace: &Trace, item: i64) -> JoinHandle<i64> {
    let (queue, trace) = (queue.clone(), trace.clone());
    plan()
        .wait(move || async move {
            queue.put(item).await.unwrap();
            trace.log(format!("put {item}"));
        })
        .spawn::<F>(event_loop)
}

fn run<F: Flavour>(event_loop: &Loop, main: Plan) {
    let task = main.spawn::<F>(event_loop);
    event_loop.run_until_complete(task).unwrap();
}

/// Rule 34: those who wait first get first.
pub fn getters_are_served_first_come_first_served<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::unbounded());
    for name in ["a", "b", "c"] {
        getter::<F>(&event_loop, &queue, &trace, name).detach();
    }
    let items = queue.clone();
    let main = turns(1).call(move || {
        for item in 1..=3 {
            items.put_nowait(item).unwrap();
        }
    });
    run::<F>(&event_loop, main.wait(yield_now));
    trace.expect(&["a got 1", "b got 2", "c got 3"]);
}

/// A getter that gives up while it waits leaves the others in their places.
pub fn a_cancelled_waiting_getter_leaves_the_line<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::unbounded());
    getter::<F>(&event_loop, &queue, &trace, "first").detach();
    let second = getter::<F>(&event_loop, &queue, &trace, "second");
    getter::<F>(&event_loop, &queue, &trace, "third").detach();
    let items = queue.clone();
    let main =
        turns(1).call(move || assert!(second.cancel())).wait(yield_now).wait(yield_now).call(move || {
            items.put_nowait(1).unwrap();
            items.put_nowait(2).unwrap();
        });
    run::<F>(&event_loop, main.wait(yield_now));
    trace.expect(&["first got 1", "third got 2"]);
}

/// A wake-up from elsewhere does not cost a getter its place.
pub fn a_spuriously_woken_getter_keeps_its_place<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::unbounded());
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let (items, log, leak) = (queue.clone(), trace.clone(), Rc::clone(&waker));
    let first = plan().wait(move || async move {
        let mut get = items.get();
        let item = poll_fn(|cx| {
            leak.replace(Some(cx.waker().clone()));
            Pin::new(&mut get).poll(cx)
        });
        log.log(format!("first got {}", item.await.unwrap()));
    });
    first.spawn::<F>(&event_loop).detach();
    getter::<F>(&event_loop, &queue, &trace, "second").detach();
    let items = queue.clone();
    let main = turns(1).call(move || waker.borrow().as_ref().unwrap().wake_by_ref()).wait(yield_now);
    let main = main.wait(yield_now).call(move || {
        items.put_nowait(1).unwrap();
        items.put_nowait(2).unwrap();
    });
    run::<F>(&event_loop, main.wait(yield_now));
    trace.expect(&["first got 1", "second got 2"]);
}

/// A put into a full queue waits; the putters are served in order.
pub fn a_bounded_queue_makes_putters_wait_in_order<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::new(1));
    for item in 1..=3 {
        putter::<F>(&event_loop, &queue, &trace, item).detach();
    }
    let (items, got) = (queue.clone(), trace.clone());
    let main = plan().wait(|| sleep(Duration::from_secs(1))).wait(move || async move {
        for _ in 0..3 {
            got.log(format!("got {}", items.get().await.unwrap()));
            yield_now().await;
        }
    });
    run::<F>(&event_loop, main);
    trace.expect(&["put 1", "got 1", "put 2", "got 2", "put 3", "got 3"]);
}

/// Rule 34: a getter that was woken and cancelled before it ran passes the item on.
pub fn a_cancelled_woken_getter_wakes_the_next<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::unbounded());
    let first = getter::<F>(&event_loop, &queue, &trace, "first");
    getter::<F>(&event_loop, &queue, &trace, "second").detach();
    let items = queue.clone();
    let main = turns(1).call(move || {
        items.put_nowait(7).unwrap();
        assert!(first.cancel());
    });
    run::<F>(&event_loop, main.wait(yield_now).wait(yield_now));
    trace.expect(&["second got 7"]);
}

/// Rule 34: a wake is a hint: who finds nothing when it runs waits again, at the end of the line as in Python.
pub fn a_wake_is_a_hint<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::new(1));
    for name in ["first", "second"] {
        getter::<F>(&event_loop, &queue, &trace, name).detach();
    }
    let (taken, items) = (queue.clone(), queue.clone());
    let main = turns(1).call(move || {
        taken.put_nowait(1).unwrap();
        assert_eq!(taken.get_nowait(), Ok(1));
    });
    let main = main.then(turns(2)).call(log(&trace, "taken"));
    let main = main.call(move || items.put_nowait(2).unwrap()).then(turns(1));
    run::<F>(&event_loop, main.call(move || queue.put_nowait(3).unwrap()).then(turns(1)));
    trace.expect(&["taken", "second got 2", "first got 3"]);

    let queue = Queue::new(1);
    queue.put_nowait(0).unwrap();
    for item in [1, 2] {
        putter::<F>(&event_loop, &queue, &trace, item).detach();
    }
    let (filled, items) = (queue.clone(), queue.clone());
    let main = turns(1).call(move || {
        assert_eq!(filled.get_nowait(), Ok(0));
        filled.put_nowait(9).unwrap();
    });
    let main = main.then(turns(2)).call(log(&trace, "filled"));
    let main = main.wait(move || async move {
        for item in [9, 2, 1] {
            assert_eq!(items.get().await, Ok(item));
            yield_now().await;
        }
    });
    run::<F>(&event_loop, main);
    trace.expect(&["filled", "put 2", "put 1"]);
}

/// A putter that was woken and cancelled before it ran passes the room on.
pub fn a_cancelled_woken_putter_wakes_the_next<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::new(1));
    queue.put_nowait(0).unwrap();
    let first = putter::<F>(&event_loop, &queue, &trace, 1);
    putter::<F>(&event_loop, &queue, &trace, 2).detach();
    let items = queue.clone();
    let main = turns(1).call(move || {
        assert_eq!(items.get_nowait(), Ok(0));
        assert!(first.cancel());
    });
    run::<F>(&event_loop, main.wait(yield_now).wait(yield_now));
    trace.expect(&["put 2"]);
    assert_eq!(queue.get_nowait(), Ok(2));
}

/// A join waits until every item that was put has been worked on, and can be used again.
pub fn join_waits_for_every_task_done<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::<i64>::unbounded());
    let (joined, joining) = (trace.clone(), queue.clone());
    for item in 1..=2 {
        queue.put_nowait(item).unwrap();
    }
    let join = plan().wait(move || async move {
        joining.join().await;
        joined.log("joined");
        joining.join().await;
        joined.log("joined at once");
    });
    let join = Rc::new(RefCell::new(Some(join.spawn::<F>(&event_loop))));
    let (working, worked) = (queue.clone(), trace.clone());
    let worker = plan().wait(move || async move {
        for _ in 0..2 {
            let item = working.get().await.unwrap();
            sleep(Duration::from_secs(1)).await;
            worked.log(format!("worked on {item}"));
            working.task_done().unwrap();
        }
    });
    worker.spawn::<F>(&event_loop).detach();
    let join = join.take().unwrap();
    event_loop.run_until_complete(join).unwrap();
    trace.expect(&["worked on 1", "worked on 2", "joined", "joined at once"]);
}

/// Rule 34: more work done than items put is an error that changes nothing.
pub fn task_done_too_often_is_an_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, queue) = (make(), Queue::unbounded());
    assert_eq!(queue.task_done(), Err(TooManyTaskDone));
    queue.put_nowait(1).unwrap();
    assert_eq!(queue.task_done(), Ok(()));
    assert_eq!(queue.task_done(), Err(TooManyTaskDone));
    let joining = queue.clone();
    run::<F>(&event_loop, plan().wait(move || async move { joining.join().await }));
}

/// The operations that do not wait hand the item back, or tell that there is none.
pub fn nowait_hands_back_and_tells<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, queue) = (make(), Queue::new(2));
    assert_eq!(queue.get_nowait(), Err(GetNowaitError::QueueEmpty));
    queue.put_nowait(1).unwrap();
    queue.put_nowait(2).unwrap();
    assert!(queue.is_full());
    assert_eq!(queue.put_nowait(3), Err(PutNowaitError::QueueFull(3)));
    assert_eq!(queue.len(), 2);
    let items = queue.clone();
    run::<F>(&event_loop, plan().wait(move || async move { assert_eq!(items.get().await, Ok(1)) }));
    assert_eq!(queue.get_nowait(), Ok(2));
    assert!(queue.is_empty());
}

/// The other queues differ in what comes out next, and in nothing else.
pub fn a_lifo_queue_gives_the_newest_and_a_priority_queue_the_smallest<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (newest, smallest, log) = (LifoQueue::new(2), PriorityQueue::new(0), trace.clone());
    let putting = newest.clone();
    let putter = plan().wait(move || async move {
        for item in 1..=4 {
            putting.put(item).await.unwrap();
        }
    });
    putter.spawn::<F>(&event_loop).detach();
    let main = turns(1).wait(move || async move {
        assert!(newest.is_full());
        for _ in 0..4 {
            log.log(format!("newest {}", newest.get().await.unwrap()));
            yield_now().await;
        }
        for item in [3, 1, 2] {
            smallest.put(item).await.unwrap();
        }
        for _ in 0..3 {
            log.log(format!("smallest {}", smallest.get().await.unwrap()));
        }
    });
    run::<F>(&event_loop, main);
    let newest = ["newest 2", "newest 3", "newest 4", "newest 1"];
    trace.expect(&[&newest[..], &["smallest 1", "smallest 2", "smallest 3"]].concat());
}

/// Rule 34: after a shutdown nothing is put, what is left is got and worked on, and then every get fails.
pub fn a_queue_that_is_shut_down_is_drained<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::new(2));
    for item in [1, 2] {
        queue.put_nowait(item).unwrap();
    }
    let (putting, told) = (queue.clone(), trace.clone());
    let putter = plan().wait(move || async move {
        told.log(format!("put {:?}", putting.put(3).await));
        told.log(format!("put {:?}", putting.put(4).await));
    });
    putter.spawn::<F>(&event_loop).detach();
    let joining = queue.clone();
    let join = plan().wait(move || async move { joining.join().await }).call(log(&trace, "joined"));
    join.spawn::<F>(&event_loop).detach();
    let (closing, told) = (queue.clone(), trace.clone());
    let main = turns(1).call(move || closing.shutdown()).wait(yield_now).wait(move || async move {
        assert!(queue.is_shut_down());
        assert_eq!(queue.put_nowait(5), Err(PutNowaitError::QueueShutDown(5)));
        for _ in 0..3 {
            told.log(format!("got {:?}", queue.get().await));
        }
        assert_eq!(queue.get_nowait(), Err(QueueShutDown.into()));
        for work in ["one", "both"] {
            yield_now().await;
            told.log(format!("done with {work}"));
            queue.task_done().unwrap();
        }
        assert_eq!(queue.task_done(), Err(TooManyTaskDone));
    });
    run::<F>(&event_loop, main.wait(yield_now));
    let puts = [format!("put {:?}", Err::<(), _>(Unput(3))), format!("put {:?}", Err::<(), _>(Unput(4)))];
    let gets =
        ["got Ok(1)", "got Ok(2)", "got Err(QueueShutDown)", "done with one", "done with both", "joined"];
    trace.expect(&[&puts.each_ref().map(|put| &put[..])[..], &gets].concat());
}

/// Rule 34: the other queues wait, hand over, count and end alike.
pub fn the_other_queues_wait_and_end_alike<F: Flavour>(make: MakeLoop<'_>) {
    fn law<F: Flavour, S: Store<Item = i64> + 'static>(event_loop: &Loop, queue: &BaseQueue<S>) {
        let trace = Trace::new();
        let [first, second] = ["first", "second"].map(|name| {
            let (queue, trace) = (queue.clone(), trace.clone());
            let gets = plan().wait(move || async move {
                while let Ok(item) = queue.get().await {
                    trace.log(format!("{name} got {item}"));
                    yield_now().await;
                    queue.task_done().unwrap();
                }
                trace.log(format!("{name} ends"));
            });
            gets.spawn::<F>(event_loop)
        });
        second.detach();
        let joining = queue.clone();
        let [puts, ends] = [queue, queue].map(BaseQueue::clone);
        let main = turns(1).call(move || {
            puts.put_nowait(1).unwrap();
            assert!(first.cancel());
        });
        let main = main.wait(move || async move { joining.join().await }).call(log(&trace, "joined"));
        let main = main.wait(move || async move {
            ends.put(2).await.unwrap();
            ends.shutdown();
            assert_eq!(ends.put(3).await, Err(Unput(3)));
            yield_now().await;
            assert!(ends.shutdown_now().is_empty());
        });
        run::<F>(event_loop, main.then(turns(2)));
        trace.expect(&["second got 1", "joined", "second got 2", "second ends"]);
    }
    let event_loop = make();
    law::<F, _>(&event_loop, &LifoQueue::new(2));
    law::<F, _>(&event_loop, &PriorityQueue::new(2));
    law::<F, _>(&event_loop, &Queue::new(2));
}

/// Rule 34: getters that wait are told of a shutdown, all of them, and so are those who come later.
pub fn a_shutdown_ends_the_waits_of_getters<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::<i64>::unbounded());
    for name in ["a", "b"] {
        let (queue, trace) = (queue.clone(), trace.clone());
        let getter = plan().wait(move || async move { trace.log(format!("{name} {:?}", queue.get().await)) });
        getter.spawn::<F>(&event_loop).detach();
    }
    let main = turns(1).call(move || {
        queue.shutdown();
        queue.shutdown();
    });
    run::<F>(&event_loop, main.wait(yield_now));
    trace.expect(&["a Err(QueueShutDown)", "b Err(QueueShutDown)"]);
}

/// Rule 34: a shutdown at once empties the queue, and counts the work on what was in it as done: a join still waits for
/// the work on what was got before.
pub fn a_shutdown_at_once_unblocks_join_as_far_as_work_is_done<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, queue) = (make(), Trace::new(), Queue::unbounded());
    for item in 1..=3 {
        queue.put_nowait(item).unwrap();
    }
    let joining = queue.clone();
    let join = plan().wait(move || async move { joining.join().await }).call(log(&trace, "joined"));
    join.spawn::<F>(&event_loop).detach();
    let told = trace.clone();
    let main = turns(1).wait(move || async move {
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(queue.shutdown_now(), [2, 3]);
        assert!(queue.is_empty());
        assert_eq!(queue.statistics().unfinished, 1);
        yield_now().await;
        told.log("one is left");
        queue.task_done().unwrap();
        assert_eq!(queue.shutdown_now(), []);
        queue.join().await;
    });
    run::<F>(&event_loop, main.wait(yield_now));
    trace.expect(&["one is left", "joined"]);
}
