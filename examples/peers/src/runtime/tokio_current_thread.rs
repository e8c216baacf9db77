//! tokio's `current_thread` runtime, whose tasks are `Send`.

use std::future::Future;
use std::io;

use tokio::runtime::Builder;

use tokio::task::JoinSet;

pub use super::tokio::*;
pub use crate::state::Locked as State;
pub use tokio::task::spawn;

#[path = "../work.rs"]
mod work;
pub use work::perform;

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(main))
}

pub async fn group<F: Future<Output = u64> + Send + 'static>(tasks: impl Iterator<Item = F>) -> u64 {
    let mut set = JoinSet::new();
    for task in tasks {
        set.spawn(task);
    }
    set.join_all().await.into_iter().sum()
}
