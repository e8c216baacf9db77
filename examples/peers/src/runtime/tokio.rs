//! What both runtimes of tokio have.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::{JoinError, JoinHandle};

pub use tokio::sync::mpsc::channel;
pub use tokio::sync::oneshot::channel as one_shot;
pub use tokio::task::yield_now;

pub const HAS_GROUPS: bool = true;

pub fn value<T>(joined: Result<T, JoinError>) -> T {
    joined.expect("the task ended well")
}

pub fn detach<T>(task: JoinHandle<T>) {
    drop(task);
}

pub fn sleep(duration: Duration) -> impl Future<Output = ()> {
    tokio::time::sleep(duration)
}

pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(duration, future).await.ok()
}

pub async fn send<T>(sender: &Sender<T>, item: T) {
    let _ = sender.send(item).await;
}

pub async fn receive<T>(receiver: &mut Receiver<T>) -> T {
    receiver.recv().await.expect("the sender lives")
}

pub fn with() -> String {
    "tokio::sync".to_string()
}
