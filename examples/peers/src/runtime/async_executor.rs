//! async-executor's `LocalExecutor` on async-io's reactor: what smol is made of.

use std::future::Future;
use std::io;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_executor::{LocalExecutor, Task};
use async_io::Timer;

pub use async_channel::bounded as channel;
pub use futures_channel::oneshot::channel as one_shot;
pub use futures_lite::future::yield_now;

pub use crate::state::{HAS_GROUPS, Plain as State, group};

#[path = "../work.rs"]
mod work;
pub use work::perform;

thread_local! {
    static EXECUTOR: &'static LocalExecutor<'static> = Box::leak(Box::default());
}

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(async_io::block_on(EXECUTOR.with(|executor| executor.run(main))))
}

pub fn spawn<F: Future + 'static>(future: F) -> Task<F::Output> {
    EXECUTOR.with(|executor| executor.spawn(future))
}

pub fn value<T>(joined: T) -> T {
    joined
}

pub fn detach<T>(task: Task<T>) {
    task.detach();
}

pub async fn sleep(duration: Duration) {
    Timer::after(duration).await;
}

/// It has none of its own.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    let timer = async {
        Timer::after(duration).await;
        None
    };
    futures_lite::future::or(async { Some(future.await) }, timer).await
}

pub async fn send<T>(sender: &Sender<T>, item: T) {
    let _ = sender.send(item).await;
}

pub async fn receive<T>(receiver: &mut Receiver<T>) -> T {
    receiver.recv().await.expect("the sender lives")
}

pub fn with() -> String {
    "async-channel".to_string()
}
