//! Drivers: one written outside the crate, ones that break their contract, the clocks, and the stall report.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use coro_core::driver::{
    Completed, Completion, Driver, Notify, Operation, Paced, Simulated, Slot, Socket, Wait,
};
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::time::{self, Time};
use futures::{AsyncReadExt, AsyncWriteExt};

/// What a broken driver does.
#[derive(Debug, Clone, Copy)]
enum Lie {
    CompleteTheUnknown,
    CompleteTwice,
    CountTooMuch,
    SendHalf,
}

/// A driver written with the public interface alone: it passes everything on, and lies once.
#[derive(Debug)]
struct Liar {
    inner: Simulated,
    lie: Lie,
    told: bool,
}

impl Driver for Liar {
    fn name(&self) -> &'static str {
        "liar"
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        match (self.lie, operation) {
            (Lie::CountTooMuch, Operation::Receive { buffer, .. }) => {
                Some(Completed::Transferred { count: buffer.len() + 1, buffer })
            }
            (Lie::SendHalf, Operation::Send { buffer, .. }) => {
                Some(Completed::Transferred { count: buffer.len() / 2, buffer })
            }
            (_, operation) => self.inner.submit(slot, operation),
        }
    }

    fn cancel(&mut self, slot: Slot) {
        self.inner.cancel(slot);
    }

    fn close(&mut self, socket: Socket) {
        self.inner.close(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.inner.wait(wait, completions)?;
        let lie = match (self.lie, completions.first()) {
            (Lie::CompleteTheUnknown, _) => Some(Slot(77)),
            (Lie::CompleteTwice, Some(completion)) => Some(completion.slot),
            _ => None,
        };
        if let Some(slot) = lie.filter(|_| !self.told) {
            self.told = true;
            completions.push(Completion { slot, result: Completed::Done });
        }
        Ok(())
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.inner.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.inner.block_for(duration);
    }
}

async fn one_message() -> io::Result<()> {
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    let address = listener.local_address();
    let server = spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.read_exact(&mut [0; 2]).await
    });
    yield_now().await;
    TcpStream::connect(address).await?.write_all(b"hi").await?;
    server.await.map_err(io::Error::other)?
}

fn run_on_liar(lie: Lie) -> Result<io::Result<()>, RunError> {
    Loop::with_driver(Liar { inner: Simulated::new(), lie, told: false }).run(one_message())
}

#[test]
fn a_completion_of_an_unknown_slot_ends_the_run_with_an_error() {
    let error = run_on_liar(Lie::CompleteTheUnknown).unwrap_err();
    assert_eq!(error.to_string(), "the driver failed: it completed Slot(77), which is not in flight");
}

#[test]
fn a_second_completion_ends_the_run_with_an_error() {
    let error = run_on_liar(Lie::CompleteTwice).unwrap_err().to_string();
    assert!(
        error.starts_with("the driver failed: it completed Slot(") && error.ends_with("twice"),
        "{error}"
    );
}

#[test]
fn a_count_beyond_the_buffer_is_an_error_of_the_operation() {
    let error = run_on_liar(Lie::CountTooMuch).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the driver reported 16385 bytes in a buffer of 16384");
}

#[test]
fn a_send_of_less_than_everything_is_an_error_of_the_operation() {
    let error = run_on_liar(Lie::SendHalf).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the driver sent 1 bytes of 2 and called it done");
}

#[test]
fn a_stall_is_reported_with_those_who_wait() {
    let event_loop = Loop::simulated();
    let main = async {
        let queue = Queue::<u32>::unbounded();
        let consumer = spawn({
            let queue = queue.clone();
            async move { queue.get().await.unwrap() }
        });
        consumer.named("consumer").await
    };
    let Err(RunError::Stalled(stalled)) = event_loop.run(main) else { panic!("it stalls") };
    let names: Vec<_> = stalled.waiting.iter().map(|stuck| &*stuck.task.name).collect();
    assert_eq!(names, ["Task-1", "consumer"]);
    assert!(
        stalled.to_string().starts_with("stalled: nothing can wake the 2 task(s) that wait\n  <Task pending")
    );
}

#[test]
fn a_simulated_loop_waits_for_other_threads_while_one_has_a_handle() {
    for _ in 0..100 {
        let event_loop = Loop::simulated();
        let remote = event_loop.remote();
        let thread = std::thread::spawn(move || drop(remote));
        let stalled = event_loop.run_until_complete(event_loop.spawn(std::future::pending::<()>()));
        assert!(matches!(stalled, Err(RunError::Stalled(_))));
        thread.join().unwrap();
        event_loop.set_exception_handler(Some(std::rc::Rc::new(|_| ())));
    }
}

#[test]
fn the_simulated_clock_jumps_and_stands_still_between() {
    let event_loop = Loop::simulated();
    let readings = event_loop.run(async {
        let start = time::now();
        for _ in 0..1_000 {
            yield_now().await;
        }
        let busy = time::now();
        sleep(Duration::from_nanos(1)).await;
        let tick = time::now();
        time::block_for(Duration::from_secs(2));
        [start, busy, tick, time::now()].map(Time::as_nanos)
    });
    assert_eq!(readings.unwrap(), [0, 0, 1, 2_000_000_001]);
}

#[test]
fn a_simulated_program_does_the_same_every_time() {
    let run = || {
        let event_loop = Loop::simulated();
        let trace = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let log = std::rc::Rc::clone(&trace);
        let main = async move {
            let queue = Queue::new(2);
            let tasks: Vec<_> = (0..5u64)
                .map(|number| {
                    let (queue, log) = (queue.clone(), std::rc::Rc::clone(&log));
                    spawn(async move {
                        for round in 0..4 {
                            sleep(Duration::from_millis(number * 7 % 5 + round)).await;
                            queue.put((number, round)).await.unwrap();
                            let got: (u64, u64) = queue.get().await.unwrap();
                            log.borrow_mut().push((time::now(), number, got));
                        }
                    })
                })
                .collect();
            one_message().await.unwrap();
            gather(tasks).await.unwrap();
        };
        event_loop.run(main).unwrap();
        trace.take()
    };
    let once = run();
    assert_eq!(once.len(), 20);
    assert_eq!(once, run());
}

/// A clock that is always late: every wait takes an hour longer than asked for.
#[derive(Debug, Default)]
struct Late(Simulated);

impl Driver for Late {
    fn name(&self) -> &'static str {
        "late"
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
        self.0.wait(wait, completions)?;
        self.0.block_for(Duration::from_secs(3_600));
        Ok(())
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.0.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.0.block_for(duration);
    }
}

#[test]
fn a_paced_clock_reads_the_deadline_however_late_the_machine_is() {
    let event_loop = Loop::with_driver(Paced::new(Late::default(), 2.0).unwrap());
    let readings = event_loop.run(async {
        let mut readings = Vec::new();
        for seconds in [1, 5, 2] {
            sleep(Duration::from_secs(seconds)).await;
            readings.push(time::now().as_secs_f64());
        }
        time::block_for(Duration::from_secs(10));
        readings.push(time::now().as_secs_f64());
        readings
    });
    assert_eq!(readings.unwrap(), [1.0, 6.0, 8.0, 18.0]);
}

#[test]
fn a_paced_clock_moves_while_the_program_is_busy() {
    let event_loop = Loop::with_driver(Paced::new(Late::default(), 1.0).unwrap());
    let main = async {
        let deadline = spawn(sleep(Duration::from_secs(1)));
        while !deadline.is_done() {
            yield_now().await;
        }
    };
    event_loop.run(main).unwrap();
}

#[test]
fn a_pace_that_is_no_pace_is_refused() {
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Paced::new(Simulated::new(), speed).is_err());
    }
}

#[test]
fn extreme_deadlines_saturate() {
    let event_loop = Loop::with_driver(Paced::new(Simulated::new(), 1e-9).unwrap());
    let endless = event_loop.spawn(sleep(Duration::MAX));
    event_loop.spawn(time::sleep_until(Time::from_nanos(i64::MIN))).detach();
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(!endless.is_done());
    endless.cancel();
    assert!(event_loop.run_until_complete(endless).is_err());
}
