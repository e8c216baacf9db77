//! compio, on io_uring if the kernel has it.

use std::future::Future;
use std::io;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use compio::runtime::{JoinHandle, Runtime};

pub use async_channel::bounded as channel;
pub use compio::runtime::spawn;
pub use futures_channel::oneshot::channel as one_shot;
// It has none of its own.
pub use futures_lite::future::yield_now;

pub use crate::state::{HAS_GROUPS, Plain as State, group};

#[path = "../work.rs"]
mod work;
pub use work::perform;

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(Runtime::new()?.block_on(main))
}

pub fn value<T, E: std::fmt::Debug>(joined: Result<T, E>) -> T {
    joined.expect("the task ended well")
}

pub fn detach<T>(task: JoinHandle<T>) {
    task.detach();
}

pub fn sleep(duration: Duration) -> impl Future<Output = ()> {
    compio::time::sleep(duration)
}

pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    compio::time::timeout(duration, future).await.ok()
}

pub async fn send<T>(sender: &Sender<T>, item: T) {
    let _ = sender.send(item).await;
}

pub async fn receive<T>(receiver: &mut Receiver<T>) -> T {
    receiver.recv().await.expect("the sender lives")
}

pub fn with() -> String {
    let driver =
        Runtime::try_with_current(|runtime| format!("{:?}", runtime.driver_type())).unwrap_or_default();
    format!("{driver}, async-channel")
}
