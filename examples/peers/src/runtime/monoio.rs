//! monoio, on io_uring if the kernel has it. Its feature `sync` makes a wake from another thread sound.

use std::future::Future;
use std::io;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use monoio::task::JoinHandle;
use monoio::{FusionDriver, RuntimeBuilder};

pub use async_channel::bounded as channel;
pub use futures_channel::oneshot::channel as one_shot;
// It has none of its own.
pub use futures_lite::future::yield_now;
pub use monoio::spawn;

use crate::shared::record::Measured;
use crate::shared::scenario::{Scenario, Size};
pub use crate::state::{HAS_GROUPS, Plain as State, group};

#[path = "../work.rs"]
mod work;

/// Does the work of `scenario`, but where one task that yields would keep all others from their turn: monoio puts a
/// task that wakes itself at the front of its queue. Such work never ends.
pub fn perform(scenario: Scenario, size: Size) -> io::Result<Measured> {
    match scenario {
        Scenario::Oneshot | Scenario::RemoteLoad | Scenario::HandOver => {
            Err(io::Error::other("a task that yields has the next turn as well, so that the others starve"))
        }
        _ => work::perform(scenario, size),
    }
}

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(RuntimeBuilder::<FusionDriver>::new().enable_all().build()?.block_on(main))
}

pub fn value<T>(joined: T) -> T {
    joined
}

pub fn detach<T>(task: JoinHandle<T>) {
    drop(task);
}

pub fn sleep(duration: Duration) -> impl Future<Output = ()> {
    monoio::time::sleep(duration)
}

pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    monoio::time::timeout(duration, future).await.ok()
}

pub async fn send<T>(sender: &Sender<T>, item: T) {
    let _ = sender.send(item).await;
}

pub async fn receive<T>(receiver: &mut Receiver<T>) -> T {
    receiver.recv().await.expect("the sender lives")
}

pub fn with() -> String {
    let driver = if monoio::utils::detect_uring() { "io_uring" } else { "epoll" };
    format!("{driver}, async-channel")
}
