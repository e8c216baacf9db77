//! glommio, on io_uring: it has nothing else.

use std::future::Future;
use std::io;
use std::time::Duration;

use glommio::channels::local_channel::{LocalReceiver, LocalSender, new_bounded};
use glommio::{LocalExecutorBuilder, Placement, Task};

pub use futures_channel::oneshot::channel as one_shot;
pub use glommio::spawn_local as spawn;

use crate::shared::record::Measured;
use crate::shared::scenario::{Scenario, Size};
pub use crate::state::{HAS_GROUPS, Plain as State, group};

#[path = "../work.rs"]
mod work;

/// How many references to a task there may be: glommio counts them in 16 bits, and each wake by another thread is one
/// until it is received. The next one panics, in the thread that wakes, and the task waits for ever.
const MOST_REFERENCES: u64 = i16::MAX as u64;

/// Does the work of `scenario`, but where there may be more wakes under way than glommio can count.
pub fn perform(scenario: Scenario, size: Size) -> io::Result<Measured> {
    let wakes = match scenario {
        Scenario::Remote => size.rounds,
        Scenario::RemoteLoad => size.rounds / size.tasks,
        _ => 0,
    };
    if wakes >= MOST_REFERENCES {
        return Err(io::Error::other(format!(
            "it counts {MOST_REFERENCES} wakes of a task by another thread at most"
        )));
    }
    work::perform(scenario, size)
}

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    let executor = LocalExecutorBuilder::new(Placement::Unbound).make();
    Ok(executor.map_err(|error| io::Error::other(error.to_string()))?.run(main))
}

pub fn value<T>(joined: T) -> T {
    joined
}

pub fn detach<T: 'static>(task: Task<T>) {
    task.detach();
}

pub async fn yield_now() {
    glommio::executor().yield_now().await;
}

pub async fn sleep(duration: Duration) {
    glommio::timer::sleep(duration).await;
}

pub fn channel<T>(capacity: usize) -> (LocalSender<T>, LocalReceiver<T>) {
    new_bounded(capacity)
}

pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    glommio::timer::timeout(duration, async { Ok(future.await) }).await.ok()
}

pub async fn send<T: std::fmt::Debug>(sender: &LocalSender<T>, item: T) {
    let _ = sender.send(item).await;
}

pub async fn receive<T>(receiver: &mut LocalReceiver<T>) -> T {
    receiver.recv().await.expect("the sender lives")
}

pub fn with() -> String {
    "io_uring, local_channel".to_string()
}
