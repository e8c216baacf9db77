//! What a simulated run tells: who waits for what, and what comes from outside.

#[cfg(not(feature = "sim-trap"))]
use std::{thread, time::Duration};

use std::future::pending;

use coro_core::group::TaskGroup;
use coro_core::native::spawn;
use coro_core::net::TcpListener;
use coro_core::sim::{self, FailureKind, Policy, Sim, World};
use coro_core::sync::{
    Barrier, CapacityLimiter, Condition, Event, Lock, RwLock, Semaphore, broadcast, oneshot,
    open_memory_channel, watch,
};
use coro_core::task;
#[cfg(not(feature = "sim-trap"))]
use coro_core::time::sleep;
use coro_core::time::yield_now;
use coro_core::{EventLoop, Loop, Queue, RunError, gather};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

async fn two_locks() {
    let (fork, knife) = (Lock::new(()), Lock::new(()));
    let eat = |name, first: &Lock<()>, second: &Lock<()>| {
        let (first, second) = (first.clone(), second.clone());
        let eating = async move {
            let _one = first.lock().await;
            yield_now().await;
            let _other = second.lock().await;
        };
        spawn(eating).named(name)
    };
    let both = [eat("left", &fork, &knife), eat("right", &knife, &fork)];
    gather(both).await.unwrap();
}

const DEADLOCK: [&str; 4] = [
    "stalled: nothing can wake the 3 task(s) that wait",
    " waits for the next of several tasks",
    " waits for lock 1, taken by right",
    " waits for lock 2, taken by left",
];

fn check_deadlock(report: &str) {
    for (line, end) in report.lines().zip(DEADLOCK) {
        assert!(line.ends_with(end), "{line} does not end with {end}");
    }
    assert!(report.ends_with("\n  a deadlock: left → right → left"), "{report}");
}

#[test]
fn a_deadlock_is_reported_with_its_circle_in_production_too() {
    let Err(RunError::Stalled(stalled)) = Loop::simulated().run(two_locks()) else { panic!("it stalls") };
    let circle: Vec<_> = stalled.cycle().iter().map(|task| task.name.to_string()).collect();
    assert_eq!(circle, ["left", "right"]);
    check_deadlock(&stalled.to_string());
}

#[test]
fn a_deadlock_goes_through_the_children_of_a_group() {
    let program = async {
        let (lock, group, never) = (Lock::new(()), TaskGroup::new(), task::Future::<()>::new());
        let wanted = lock.clone();
        let _held = lock.lock().await;
        let body = async {
            group.create_task(async { drop(never.await) })?.named("asks").detach();
            group.create_task(async move { drop(wanted.lock().await) })?.named("locks").detach();
            Ok(())
        };
        drop(group.run(body).await);
    };
    let line = line!() - 10;
    let Err(RunError::Stalled(stalled)) = Loop::simulated().run(program) else { panic!("it stalls") };
    let report = stalled.to_string();
    let ends = [
        "that wait".to_string(),
        " waits for its children asks, locks".to_string(),
        format!(" waits for the result of future 1, made at {}:{line}", file!()),
        " waits for lock 2, taken by Task-1".to_string(),
        "a deadlock: Task-1 → locks → Task-1".to_string(),
    ];
    for (line, end) in report.lines().zip(&ends) {
        assert!(line.ends_with(end), "{report}");
    }
    assert_eq!(report.lines().count(), ends.len());
}

#[test]
fn what_is_behind_the_waker_of_another_library_is_said_to_be_unseen() {
    let both = || {
        let waits: FuturesUnordered<_> =
            [5, 6].map(|_| async { pending::<()>().await }).into_iter().collect();
        waits.count()
    };
    let Err(RunError::Stalled(stalled)) = Loop::simulated().run(both()) else { panic!("it stalls") };
    let report = stalled.to_string();
    assert!(report.ends_with("> waits for something unseen, perhaps through another's waker"), "{report}");
}

#[test]
fn a_deadlock_is_found_by_exploration() {
    let failure = sim::explore(0..100, |_: &World| two_locks()).unwrap_err();
    let FailureKind::Stalled(report) = &failure.kind else { panic!("{failure}") };
    assert!(report.contains("a deadlock: left → right → left"), "{report}");
}

/// What is behind the name of a task.
fn waits_in(line: &str, before: &str) -> String {
    line.split_once(before).map_or(String::new(), |(_, waits)| waits.trim_end_matches('>').to_string())
}

/// The report of a program that waits for what `wait` makes, in its second line. Who looks before that sees the same.
fn stall_of<F: Future>(wait: impl FnOnce() -> F + 'static) -> String
where
    F::Output: 'static,
{
    let event_loop = Loop::simulated();
    let main = event_loop.spawn(async { drop(wait().await) });
    event_loop.stop();
    event_loop.run_forever().unwrap();
    let looked = waits_in(&format!("{main:?}"), "rs:").split_once(' ').map(|(_, waits)| waits.to_string());
    let Err(RunError::Stalled(stalled)) = event_loop.run_until_complete(main) else { panic!("it stalls") };
    let report = stalled.to_string();
    let waits = waits_in(report.lines().nth(1).unwrap(), "> ");
    // To be found would cost a oneshot too much.
    if !waits.contains("oneshot") {
        assert_eq!(looked.unwrap_or_default(), waits);
    }
    waits
}

#[test]
fn every_leaf_says_what_it_waits_for() {
    let event = Event::new();
    assert_eq!(stall_of(move || event.wait()), "waits for event 1");
    let queue = Queue::<u32>::unbounded();
    assert_eq!(stall_of(move || queue.get()), "waits for an item of queue 1");
    let full = Queue::new(1);
    full.put_nowait(1).unwrap();
    let put = full.clone();
    assert_eq!(stall_of(move || put.put(2)), "waits for room in queue 1");
    assert_eq!(stall_of(move || full.join()), "waits for the work of queue 1");
    let (sender, receiver) = oneshot::<u32>();
    assert_eq!(stall_of(move || receiver), "waits for the value of oneshot 1");
    drop(sender);
    let child = || spawn(pending::<()>()).named("child");
    assert_eq!(stall_of(child), "waits for the end of child");
    // That of another library says nothing, so somebody says that.
    let unseen = "waits for something unseen, perhaps through another's waker";
    assert_eq!(stall_of(pending::<()>), unseen);
    let accept = || async {
        let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.accept().await.map(drop)
    };
    assert_eq!(stall_of(accept), "waits for a connection to accept");
    let either = || {
        let (one, other) = (Event::new(), Queue::<()>::unbounded());
        async move { futures::future::select(one.wait(), other.get()).await }
    };
    assert_eq!(stall_of(either), "waits for event 1, or for an item of queue 2");
}

#[test]
fn every_primitive_says_what_it_waits_for() {
    let semaphore = Semaphore::new(0);
    assert_eq!(stall_of(move || semaphore.acquire()), "waits for a permit of semaphore 1");
    let limiter = CapacityLimiter::new(0);
    assert_eq!(stall_of(move || limiter.acquire()), "waits for a token of limiter 1");
    let held = Condition::new(0).try_lock().unwrap();
    assert_eq!(stall_of(move || held.wait()), "waits for condition 1");
    let barrier = Barrier::new(2).unwrap();
    assert_eq!(stall_of(move || barrier.wait()), "waits for barrier 1");
    let (lock, other) = (RwLock::new(0), RwLock::new(0));
    let guards = (lock.try_write().unwrap(), other.try_read().unwrap());
    assert_eq!(stall_of(move || lock.read()), "waits for reading lock 1");
    assert_eq!(stall_of(move || other.write()), "waits for writing lock 1");
    drop(guards);
    let (sends, receives) = open_memory_channel::<u32>(0);
    assert_eq!(stall_of(move || async move { receives.receive().await }), "waits for an item of channel 1");
    let (full, kept) = open_memory_channel(1);
    full.send_nowait(1).unwrap();
    assert_eq!(stall_of(move || async move { full.send(2).await }), "waits for room in channel 1");
    let (sets, mut watches) = watch::channel(0);
    assert_eq!(stall_of(move || async move { watches.changed().await }), "waits for a change of watch 1");
    let (news, mut hears) = broadcast::channel::<u32>(1);
    assert_eq!(stall_of(move || async move { hears.receive().await }), "waits for an item of broadcast 1");
    drop((sends, kept, sets, news));
}

/// The report of a task that has something and waits for its child, which waits for the same thing.
macro_rules! deadlock_over {
    ($thing:expr, $take:ident) => {{
        let thing = $thing;
        let main = async move {
            let _held = thing.$take().await;
            spawn(async move { drop(thing.$take().await) }).named("child").await
        };
        let Err(RunError::Stalled(stalled)) = Loop::simulated().run(main) else { panic!("it stalls") };
        assert_eq!(stalled.cycle().len(), 2, "{stalled}");
        stalled.to_string()
    }};
}

#[test]
fn who_has_what_is_waited_for_is_told() {
    let reports = [
        (deadlock_over!(Lock::new(0), lock), "lock 1, taken by "),
        (deadlock_over!(Semaphore::new(1), acquire), "a permit of semaphore 1, taken by "),
        (deadlock_over!(CapacityLimiter::new(1), acquire), "a token of limiter 1, taken by "),
        (deadlock_over!(RwLock::new(0), write), "writing lock 1, taken by "),
        (deadlock_over!(Condition::new(0), lock), "lock 1, taken by "),
    ];
    for (report, part) in reports {
        assert!(report.contains(part) && report.contains("a deadlock: "), "{part}\n{report}");
    }
}

#[test]
fn a_run_on_several_hosts_says_whose_tasks_wait() {
    let failure = Sim::new(0).policy(Policy::Fifo).run(|world| {
        world.host("stuck", || async { Event::new().wait().await });
        std::future::pending::<()>()
    });
    let failure = failure.unwrap_err();
    let FailureKind::Stalled(report) = &failure.kind else { panic!("{failure}") };
    let lines: Vec<_> = report.lines().collect();
    assert!(lines[0].starts_with("main: stalled: nothing can wake the 1 task(s)"), "{report}");
    assert!(lines[2].starts_with("stuck: stalled"), "{report}");
    assert!(lines[3].ends_with("waits for event 1"), "{report}");
    assert_eq!(failure.schedule[1], "0.000000000  stuck/main (native), begun: waits for event 1");
}

/// Caught before, with the trap.
#[cfg(not(feature = "sim-trap"))]
#[test]
fn another_thread_is_noticed() {
    let failure = Sim::new(0).run(|_| async {
        let (sender, receiver) = futures::channel::oneshot::channel();
        thread::spawn(move || sender.send(()).unwrap()).join().unwrap();
        // Woken by a thread, it might come at another time in the next run.
        let waiter = spawn(async { receiver.await.unwrap() });
        let remote = Loop::current().unwrap().remote();
        thread::spawn(move || remote.call_soon_threadsafe(|| ()).unwrap()).join().unwrap();
        waiter.await.unwrap();
        yield_now().await;
    });
    assert_eq!(failure.unwrap_err().kind, FailureKind::Thread);
}

/// The one test here that takes real time: that is what is to be noticed. Caught before, with the trap.
#[cfg(not(feature = "sim-trap"))]
#[test]
fn a_step_that_takes_real_time_is_noted() {
    let failure = Sim::new(0).run(|_| async {
        spawn(async { thread::sleep(Duration::from_millis(101)) }).named("slow").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        panic!("it fails, so that there is a report");
    });
    let failure: Box<_> = failure.map(|never: ()| never).unwrap_err();
    let [hint] = &failure.hints[..] else { panic!("{failure}") };
    assert!(hint.contains("name='slow'") && hint.contains("std::thread::sleep"), "{hint}");
    assert!(failure.to_string().contains("\nnote: one step of"), "{failure}");
}
