//! The simulator: what it finds, and that it repeats it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::sim::{self, Explorer, FailureKind, Policy, Sim, World};
use coro_core::time::{now, sleep, yield_now};

#[test]
fn a_lost_update_is_found_and_shrunk() {
    let program = |_: &World| async {
        let count = Rc::new(Cell::new(0));
        let add = |_| {
            let count = Rc::clone(&count);
            spawn(async move {
                let before = count.get();
                yield_now().await;
                count.set(before + 1);
            })
        };
        for task in (0..2).map(add).collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(count.get(), 2);
    };
    let failure = sim::explore(0..100, program).unwrap_err();
    println!("{failure}");
    assert!(matches!(failure.kind, FailureKind::Panicked { .. }));
    let again = Explorer::new(Sim::new(0)).replay(&failure.replay, program).unwrap().unwrap_err();
    assert_eq!(again.schedule, failure.schedule);
}

#[test]
fn time_jumps() {
    let seconds = Sim::new(3).run(|_| async {
        sleep(Duration::from_secs(3_600)).await;
        now().as_secs_f64()
    });
    assert_eq!(seconds.unwrap(), 3_600.0);
}

#[test]
fn production_order_is_fifo() {
    for policy in [Policy::Fifo, Policy::Random, Policy::Pct { depth: 3, steps: 20 }] {
        let order = Sim::new(3).policy(policy).run(|_| async {
            let order = Rc::new(std::cell::RefCell::new(Vec::new()));
            let tasks: Vec<_> = (0..5)
                .map(|task| {
                    let order = Rc::clone(&order);
                    spawn(async move {
                        for _ in 0..2 {
                            order.borrow_mut().push(task);
                            yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        println!("{policy:?} {:?}", order.unwrap());
    }
}
