//! tokio's `current_thread` runtime, whose tasks are `Send`.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::{JoinError, JoinHandle};

pub use tokio::sync::mpsc::channel;
pub use tokio::sync::oneshot::channel as one_shot;
pub use tokio::task::{spawn, yield_now};

pub use crate::state::Locked as State;

#[path = "../work.rs"]
mod work;
pub use work::perform;

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(main))
}

pub fn value<T>(joined: Result<T, JoinError>) -> T {
    joined.expect("the task ended well")
}

pub fn detach<T>(task: JoinHandle<T>) {
    drop(task);
}

pub fn sleep(duration: Duration) -> impl Future<Output = ()> {
    tokio::time::sleep(duration)
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
