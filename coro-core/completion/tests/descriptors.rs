//! No socket is left behind, whatever is cancelled and whenever the driver goes. A file of its own: it counts the
//! descriptors of the process.

#![cfg(target_os = "linux")]

use std::net::SocketAddr;

use coro_completion::CompletionDriver;
use coro_core::driver::{Completed, Driver, Operation, Slot, Wait};

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn nothing_leaks() {
    let before = open_descriptors();
    let mut driver = CompletionDriver::new().unwrap();
    let own = open_descriptors();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    // So short a backlog that not all of them can be connected.
    let listening = driver.submit(Slot(0), Operation::Listen { address, backlog: 0 });
    let Some(Completed::Opened { socket: listener, local, .. }) = listening else { panic!("{listening:?}") };
    for slot in 1..=8 {
        assert!(driver.submit(Slot(slot), Operation::Connect { address: local }).is_none());
    }
    for slot in 9..=16 {
        assert!(driver.submit(Slot(slot), Operation::Accept { socket: listener }).is_none());
    }
    (1..=16).for_each(|slot| driver.cancel(Slot(slot)));
    let (mut completions, mut cancelled) = (Vec::new(), 0);
    while completions.len() < 16 {
        driver.wait(Wait::Forever, &mut completions).unwrap();
    }
    for completion in completions.drain(..) {
        match completion.result {
            // In the place of the loop, for which nobody waits any more.
            Completed::Opened { socket, .. } => driver.close(socket),
            Completed::Failed(_) => cancelled += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!((1..16).contains(&cancelled), "{cancelled}");
    driver.close(listener);
    // An answer says that what was asked before is done.
    assert!(driver.submit(Slot(17), Operation::Accept { socket: listener }).is_none());
    while completions.is_empty() {
        driver.wait(Wait::Forever, &mut completions).unwrap();
    }
    assert_eq!(open_descriptors(), own);
    // With something in flight.
    driver.submit(Slot(18), Operation::Listen { address, backlog: 8 });
    assert!(driver.submit(Slot(19), Operation::Connect { address: local }).is_none());
    driver.wait(Wait::Poll, &mut completions).unwrap();
    drop(driver);
    assert_eq!(open_descriptors(), before);
}
