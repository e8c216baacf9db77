//! Runs of guests: where they may take place, and how they end.

#![cfg(target_os = "linux")]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use coro_core::conformance::reports;
use coro_core::driver::{Completed, Completion, Driver, Notify, Operation, Simulated, Slot, Socket, Wait};
use coro_core::event_loop::Exception;
use coro_core::guest::Guest;
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::sync::oneshot;
use coro_core::time::Time;
use tokio::runtime::LocalRuntime;
use tokio::task::{LocalSet, spawn_local};

/// A guest of its own driver: the kernel's, at its pace.
fn guest() -> Guest {
    Guest::new(Loop::new().unwrap()).unwrap()
}

fn on_tokio<T>(main: impl Future<Output = T>) -> T {
    LocalRuntime::new().unwrap().block_on(main)
}

#[test]
fn a_loop_is_current_only_while_it_turns() {
    on_tokio(async {
        let guest = Rc::new(guest());
        let outside = Rc::clone(&guest);
        let task = spawn_local(async move {
            tokio::task::yield_now().await;
            let event_loop = outside.event_loop();
            assert!(Loop::current().is_none() && event_loop.is_running());
            // A run, and nobody else may run it or close it.
            assert!(matches!(event_loop.run_forever(), Err(RunError::Nested)));
            assert!(matches!(outside.run_forever().await, Err(RunError::Nested)));
            assert!(matches!(event_loop.close(), Err(RunError::Running)));
            event_loop.spawn(async { Loop::current().is_some() }).await.unwrap()
        });
        let main = async move { task.await.unwrap() };
        assert!(guest.run(main).await.unwrap());
        assert!(!guest.event_loop().is_running());
    });
}

#[test]
fn a_guest_in_a_task_of_another_loop_is_refused() {
    on_tokio(async {
        let main = async { guest().run(async {}).await };
        assert!(matches!(guest().run(main).await.unwrap(), Err(RunError::Nested)));
    });
}

#[test]
fn a_guest_runs_on_a_local_set_and_as_the_main_future_of_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let main = || async {
        sleep(Duration::from_millis(1)).await;
        spawn_local(async { 7 }).await.unwrap()
    };
    assert_eq!(LocalSet::new().block_on(&runtime, async { guest().run(main()).await.unwrap() }), 7);
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let main = async {
        sleep(Duration::from_millis(1)).await;
        tokio::spawn(async { 8 }).await.unwrap()
    };
    assert_eq!(many.block_on(guest().run(main)).unwrap(), 8);
}

#[test]
fn a_run_ends_as_that_of_a_loop() {
    on_tokio(async {
        let (guest, trace) = (guest(), Rc::new(RefCell::new(Vec::new())));
        let reported = reports(guest.event_loop());
        let log = Rc::clone(&trace);
        let main = async move {
            let left = spawn(async move {
                let _guard = OnDrop(Some(move || {
                    // Cancelled, and not destroyed: it is still among those of the loop.
                    log.borrow_mut().push(Loop::current().unwrap().all_tasks().len());
                }));
                pending::<()>().await;
            });
            left.detach();
            yield_now().await;
            assert!(Loop::current().is_none(), "planted");
        };
        match guest.run(main).await {
            Err(RunError::Task(TaskError::Panicked(panic))) => assert_eq!(panic.message(), "planted"),
            other => panic!("{other:?}"),
        }
        assert_eq!(*trace.borrow(), [1]);
        reported.expect(&[]);
        assert!(guest.event_loop().is_closed());
        assert!(matches!(guest.run(async {}).await, Err(RunError::Closed)));
    });
}

#[test]
fn a_dropped_run_closes_the_loop_and_reports_what_it_destroyed() {
    on_tokio(async {
        let guest = guest();
        let reported = reports(guest.event_loop());
        let dropped = Rc::new(Cell::new(false));
        let flag = Rc::clone(&dropped);
        let main = async move {
            // Destructors may use the loop.
            let guard = OnDrop(Some(move || flag.set(Loop::current().is_some())));
            spawn(pending::<()>()).named("child").detach();
            pending::<()>().await;
            drop(guard);
        };
        let ran = tokio::time::timeout(Duration::from_millis(5), guest.run(main)).await;
        assert!(ran.is_err() && dropped.get() && guest.event_loop().is_closed());
        assert!(!guest.event_loop().is_running());
        reported.expect(&["child destroyed", "Task-1 destroyed"]);
    });
}

struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0.take().unwrap()();
    }
}

#[test]
fn a_dropped_wait_for_a_task_leaves_it_for_the_next_run() {
    on_tokio(async {
        let guest = guest();
        let (sender, receiver) = oneshot();
        let mut task = guest.event_loop().spawn(receiver);
        let waited =
            tokio::time::timeout(Duration::from_millis(5), guest.run_until_complete(&mut task)).await;
        assert!(waited.is_err() && !guest.event_loop().is_running());
        sender.send(3).unwrap();
        // As a plain loop, too.
        guest.event_loop().stop();
        assert!(guest.run_forever().await.is_ok());
        assert_eq!(guest.run_until_complete(task).await.unwrap().unwrap(), 3);
    });
}

#[test]
fn a_loop_that_was_a_guest_runs_by_itself_again() {
    let event_loop = Loop::new().unwrap();
    on_tokio(async {
        let guest = Guest::new(event_loop.clone()).unwrap();
        let task = event_loop.spawn(sleep(Duration::from_millis(1)));
        guest.run_until_complete(task).await.unwrap();
    });
    let remote = event_loop.remote();
    let (sender, receiver) = oneshot();
    let mut waiting = event_loop.spawn(receiver);
    event_loop.call_soon(move || {
        // It begins to wait after this turn, for a wake that only its own driver sees.
        drop(std::thread::spawn(move || {
            remote.call_soon_threadsafe(|| Loop::current().unwrap().stop()).unwrap();
        }));
    });
    assert!(matches!(event_loop.run_until_complete(&mut waiting), Err(RunError::Stopped)));
    sender.send(1).unwrap();
    assert_eq!(event_loop.run_until_complete(waiting).unwrap().unwrap(), 1);
}

#[test]
fn a_stop_from_outside_ends_a_run() {
    on_tokio(async {
        let guest = Rc::new(guest());
        let stopping = Rc::clone(&guest);
        spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            stopping.event_loop().stop();
        });
        guest.run_forever().await.unwrap();
    });
}

#[test]
fn a_program_is_hosted_without_a_change() {
    let event_loop = Loop::new().unwrap().hosted_by(LocalRuntime::new().unwrap()).unwrap();
    let twice = event_loop.clone().hosted_by(LocalRuntime::new().unwrap());
    assert_eq!(twice.unwrap_err().to_string(), "the loop has a runtime already");
    let inner = event_loop.clone();
    let main = async move {
        assert!(matches!(inner.run_forever(), Err(RunError::Nested)));
        let other = inner.clone();
        let refused = spawn_local(async move { other.run_forever() }).await.unwrap();
        assert!(matches!(refused, Err(RunError::Nested)));
        tokio::time::sleep(Duration::from_millis(1)).await;
        // Dropped inside a runtime, with its own.
        drop(Loop::simulated().hosted_by(LocalRuntime::new().unwrap()));
        5
    };
    assert_eq!(event_loop.run(main).unwrap(), 5);
    assert!(event_loop.is_closed());
}

#[test]
fn a_driver_that_tokio_cannot_wait_for_is_refused() {
    let refused = Guest::new(Loop::with_driver(Deaf(Simulated::new())));
    assert_eq!(refused.unwrap_err().to_string(), "a guest cannot wait for the driver deaf: use epoll");
}

/// A driver without a descriptor, for which something may happen outside.
#[derive(Debug)]
struct Deaf(Simulated);

impl Driver for Deaf {
    fn name(&self) -> &'static str {
        "deaf"
    }

    fn now(&self) -> Time {
        self.0.now()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        self.0.submit(slot, operation)
    }

    fn cancel(&mut self, slot: Slot) {
        self.0.cancel(slot);
    }

    fn close(&mut self, socket: Socket) {
        self.0.close(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.0.wait(wait, completions)
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.0.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.0.block_for(duration);
    }
}

#[test]
fn what_could_not_be_drained_is_reported() {
    on_tokio(async {
        let guest = Guest::new(Loop::simulated()).unwrap();
        let drained = Rc::new(Cell::new(0));
        let count = Rc::clone(&drained);
        guest.event_loop().set_exception_handler(Some(Rc::new(move |exception| {
            assert!(matches!(exception, Exception::Unsent(_)), "{exception}");
            count.set(count.get() + 1);
        })));
        let main = async {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let mut client = TcpStream::connect(listener.local_address()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            // More than there is room for, and nobody reads.
            let filled = poll_fn(|cx| {
                while let Poll::Ready(written) =
                    futures::AsyncWrite::poll_write(std::pin::Pin::new(&mut client), cx, &[0; 10_000])
                {
                    written.unwrap();
                }
                Poll::Ready(())
            });
            filled.await;
            drop(client);
            Box::leak(Box::new(server));
        };
        guest.run(main).await.unwrap();
        assert_eq!(drained.get(), 1);
        assert_eq!(guest.event_loop().time().as_secs_f64(), 1.0);
    });
}
