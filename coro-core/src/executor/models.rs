//! Models of a job between its two threads; see `event_loop/models.rs`.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Poll, Wake, Waker};

use loom::thread;

use super::cell::{JobCell, Work};
use crate::event_loop::models::check;
use crate::threads::{Condvar, Mutex};

#[derive(Default)]
struct Woken(Mutex<bool>, Condvar);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

/// A job that counts its runs, and gives something of which it is known whether it still exists.
fn job() -> (Arc<JobCell<Arc<()>>>, Arc<Count>, Arc<()>) {
    let (runs, result) = (Arc::<Count>::default(), Arc::new(()));
    let (counted, given) = (Arc::clone(&runs), Arc::clone(&result));
    let cell = JobCell::new(
        move || {
            counted.fetch_add(1, SeqCst);
            given
        },
        None,
    );
    (Arc::new(cell), runs, result)
}

#[test]
fn a_task_that_waits_is_woken_with_the_result_there() {
    check(|| {
        let ((cell, runs, _result), woken) = (job(), Arc::<Woken>::default());
        let work = Arc::clone(&cell);
        let thread = thread::spawn(move || assert!(work.run().is_none()));
        let waker = Waker::from(Arc::clone(&woken));
        if cell.poll(&waker).is_pending() {
            let mut rung = woken.0.lock().unwrap();
            while !*rung {
                rung = woken.1.wait(rung).unwrap();
            }
            drop(rung);
            assert!(matches!(cell.poll(&waker), Poll::Ready(Ok(_))));
        }
        thread.join().unwrap();
        assert_eq!(runs.load(SeqCst), 1);
    });
}

#[test]
fn a_thread_that_waits_is_woken() {
    check(|| {
        let (cell, _, _) = job();
        let work = Arc::clone(&cell);
        let thread = thread::spawn(move || assert!(work.run().is_none()));
        assert!(matches!(cell.wait(None), Some(Ok(_))));
        thread.join().unwrap();
    });
}

/// It is run to its end, or never begun; its result is dropped, or never made.
#[test]
fn a_job_that_is_withdrawn_while_it_is_begun_leaves_nothing() {
    check(|| {
        let (cell, runs, result) = job();
        let work = Arc::clone(&cell);
        let thread = thread::spawn(move || assert!(work.run().is_none()));
        assert!(cell.withdraw().is_none());
        thread.join().unwrap();
        assert!(runs.load(SeqCst) <= 1);
        assert_eq!(Arc::strong_count(&result), 1);
    });
}

/// As two threads of a pool would, if it were in its queue twice; and whoever cancels is told right.
#[test]
fn a_job_is_run_once_or_refused_once() {
    check(|| {
        let (cell, runs, _result) = job();
        let threads = [(), ()].map(|()| {
            let work = Arc::clone(&cell);
            thread::spawn(move || assert!(work.run().is_none()))
        });
        let (refused, _) = cell.refuse(super::JobError::Cancelled);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(runs.load(SeqCst), usize::from(!refused));
        assert_eq!(cell.wait(None).unwrap().is_err(), refused);
    });
}
