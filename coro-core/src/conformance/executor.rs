//! The laws of functions that block, beside the loop.
//!
//! In a world without threads a job is called on the thread of the loop. So one that is to be held up is let go before the
//! loop looks again.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

use super::setting::{MakeLoop, run};
use super::{Flavour, plan, reports};
use crate::event_loop::{EventLoop, Loop};
use crate::executor::{JobError, ThreadPool, run_in_executor};
use crate::native;
use crate::time::yield_now;

/// Holds up those who pass, until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        drop(self.1.wait_while(self.0.lock().unwrap(), |open| !*open).unwrap());
    }
}

/// A pool of one thread, whose first job waits for the gate.
fn one_worker() -> (ThreadPool, Arc<Gate>) {
    (ThreadPool::named("one", 1).unwrap(), Arc::default())
}

/// What was done, on any thread.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Vec<&'static str>>>);

impl Done {
    fn note(&self, what: &'static str) -> impl FnOnce() + Send + 'static {
        let done = self.clone();
        move || done.0.lock().unwrap().push(what)
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }

    async fn wait(&self, count: usize) {
        while self.all().len() < count {
            yield_now().await;
        }
    }
}

/// A job gives what its function returns, an error of its own as well.
pub fn a_job_gives_its_result<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        assert_eq!(run_in_executor(|| 6 * 7).await.unwrap(), 42);
        let failed = run_in_executor(|| "seven".parse::<i32>()).await.unwrap();
        assert!(failed.is_err());
    });
    run::<F>(&make(), main).unwrap();
}

/// A panic travels to whoever waits.
pub fn a_panic_of_a_job_travels<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        let error = run_in_executor(|| panic!("cannot")).await.unwrap_err();
        assert_eq!(error.to_string(), "the job panicked: cannot");
        assert!(matches!(error, JobError::Panicked(_)));
        // The thread goes on.
        assert_eq!(run_in_executor(|| 1).await.unwrap(), 1);
    });
    run::<F>(&make(), main).unwrap();
}

/// One worker takes one job after the other.
pub fn jobs_of_one_worker_keep_their_order<F: Flavour>(make: MakeLoop<'_>) {
    let done = Done::default();
    let log = done.clone();
    let main = plan().wait(move || async move {
        let pool = ThreadPool::named("one", 1).unwrap();
        let jobs = ["a", "b", "c"].map(|name| pool.run(log.note(name)));
        for job in jobs {
            job.await.unwrap();
        }
    });
    run::<F>(&make(), main).unwrap();
    assert_eq!(done.all(), ["a", "b", "c"]);
}

/// Where a job is called there is no loop, and its end is no business of the loop that waits.
pub fn a_job_has_no_loop<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        assert!(run_in_executor(|| Loop::current().is_none()).await.unwrap());
        // It may have one of its own.
        let own = run_in_executor(|| Loop::simulated().run(async { 3 }).unwrap());
        assert_eq!(own.await.unwrap(), 3);
        assert!(Loop::current().is_some());
    });
    run::<F>(&make(), main).unwrap();
}

/// Rule 42: a wait that is given up takes a job with it that has not begun.
pub fn a_job_that_has_not_begun_is_cancelled<F: Flavour>(make: MakeLoop<'_>) {
    let done = Done::default();
    let log = done.clone();
    let main = plan().wait(move || async move {
        let (pool, gate) = one_worker();
        let holds_up = Arc::clone(&gate);
        let first = pool.run(move || holds_up.pass());
        let captured = Arc::new(());
        let (held, second) = (Arc::clone(&captured), log.note("never"));
        let second = pool.run(move || {
            drop(held);
            second();
        });
        let third = pool.run(log.note("third"));
        assert!(!second.has_begun());
        drop(second);
        // With all that it has captured.
        assert_eq!(Arc::strong_count(&captured), 1);
        gate.open();
        first.await.unwrap();
        third.await.unwrap();
    });
    run::<F>(&make(), main).unwrap();
    assert_eq!(done.all(), ["third"]);
}

/// Rule 42: one that has begun goes on to its end.
pub fn a_cancelled_wait_does_not_stop_the_job<F: Flavour>(make: MakeLoop<'_>) {
    let done = Done::default();
    let log = done.clone();
    let main = plan().wait(move || async move {
        let (pool, gate) = one_worker();
        let (holds_up, effect) = (Arc::clone(&gate), log.note("effect"));
        let job = pool.run(move || {
            holds_up.pass();
            effect();
        });
        while !job.has_begun() {
            yield_now().await;
        }
        drop(job);
        assert_eq!(log.all(), [""; 0]);
        gate.open();
        log.wait(1).await;
    });
    run::<F>(&make(), main).unwrap();
    assert_eq!(done.all(), ["effect"]);
}

/// A panic that nobody waits for is told to the loop.
pub fn a_panic_of_a_job_that_nobody_awaits_is_reported<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reports = reports(&event_loop);
    let reported = reports.clone();
    let main = plan().wait(move || async move {
        let (pool, gate) = one_worker();
        let holds_up = Arc::clone(&gate);
        let job = pool.run(move || {
            holds_up.pass();
            panic!("unheard");
        });
        while !job.has_begun() {
            yield_now().await;
        }
        drop(job);
        gate.open();
        while format!("{reported:?}") == "[]" {
            yield_now().await;
        }
    });
    run::<F>(&event_loop, main).unwrap();
    reports.expect(&["job: unheard"]);
}

/// Of a job that was over and never awaited, too.
pub fn a_panic_that_is_never_read_is_reported<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reports = reports(&event_loop);
    let main = plan().wait(|| async {
        let job = run_in_executor(|| panic!("unread"));
        while !job.is_done() {
            yield_now().await;
        }
        drop(job);
    });
    run::<F>(&event_loop, main).unwrap();
    reports.expect(&["job: unread"]);
}

/// Rule 47: a run waits for the jobs that its main task left, and its pool takes no more.
pub fn a_run_waits_for_the_jobs_it_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, done) = (make(), Done::default());
    let reports = reports(&event_loop);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let log = done.clone();
    let main = F::coroutine(
        plan()
            .call(move || {
                for name in names {
                    run_in_executor(log.note(name)).detach();
                }
            })
            .into_script(),
    );
    event_loop.run(crate::task::from_coroutine(main)).unwrap();
    let mut all = done.all();
    all.sort_unstable();
    assert_eq!(all, names);
    let late = event_loop.run_in_executor(|| ());
    assert!(late.is_done());
    drop(late);
    reports.expect(&[]);
}

/// Rule 42: a shutdown waits for every job, and the pool takes no more.
pub fn a_shutdown_waits_for_every_job<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        let (pool, done) = (ThreadPool::named("pool", 2).unwrap(), Done::default());
        for name in ["a", "b", "c", "d"] {
            pool.run(done.note(name)).detach();
        }
        pool.shutdown();
        let mut all = done.all();
        all.sort_unstable();
        assert_eq!(all, ["a", "b", "c", "d"]);
        let late = pool.run(done.note("late")).await;
        assert!(matches!(late, Err(JobError::ShutDown)), "{late:?}");
        assert!(late.unwrap_err().to_string().contains("make another pool"));
        assert_eq!(done.all().len(), 4);
    });
    run::<F>(&make(), main).unwrap();
}

/// Rule 42: whoever does not want to wait abandons the pool: what has begun goes on, the rest never begins.
pub fn an_abandoned_pool_refuses_what_has_not_begun<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        let ((pool, gate), done) = (one_worker(), Done::default());
        let (holds_up, first) = (Arc::clone(&gate), done.note("first"));
        let first = pool.run(move || {
            holds_up.pass();
            first();
        });
        while !first.has_begun() {
            yield_now().await;
        }
        let second = pool.run(done.note("never"));
        pool.run(done.note("never either")).detach();
        assert_eq!(pool.abandon(), 2);
        gate.open();
        assert!(matches!(second.await, Err(JobError::Abandoned)));
        first.await.unwrap();
        assert_eq!(done.all(), ["first"]);
    });
    run::<F>(&make(), main).unwrap();
}

/// Threads that are idle are used again: no more are begun than work at once.
pub fn many_jobs_share_few_workers<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        let pool = ThreadPool::named("pool", 3).unwrap();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..50).map(|number| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            pool.run(move || {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                now.fetch_sub(1, SeqCst);
                number
            })
        });
        let mut sum = 0;
        for job in jobs.collect::<Vec<_>>() {
            sum += job.await.unwrap();
        }
        assert_eq!(sum, 49 * 50 / 2);
        assert!(most.load(SeqCst) <= 3 && pool.statistics().threads <= 3);
    });
    run::<F>(&make(), main).unwrap();
}

/// What a thread has submitted, a loop can wait for.
pub fn a_submitted_job_can_be_awaited<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, (pool, gate)) = (make(), one_worker());
    let holds_up = Arc::clone(&gate);
    let before = pool.submit(move || {
        holds_up.pass();
        1
    });
    let main = plan().wait(move || async move {
        let second = pool.submit(|| 2);
        gate.open();
        assert_eq!(before.wrap_future().await.unwrap() + second.wrap_future().await.unwrap(), 3);
    });
    run::<F>(&event_loop, main).unwrap();
}

/// Rule 46: jobs that are over at once do not keep the others from running.
pub fn jobs_that_are_over_at_once_give_way<F: Flavour>(make: MakeLoop<'_>) {
    let main = plan().wait(|| async {
        let (turns, pool) = (Rc::new(Cell::new(0)), ThreadPool::new());
        pool.shutdown();
        let counted = Rc::clone(&turns);
        let other = native::spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        for _ in 0..1_000 {
            assert!(pool.run(|| ()).await.is_err());
        }
        // At most 128 a turn.
        assert!(turns.get() >= 1_000 / 128, "{}", turns.get());
        other.cancel();
    });
    run::<F>(&make(), main).unwrap();
}
