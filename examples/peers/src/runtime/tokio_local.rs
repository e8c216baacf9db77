//! tokio's `LocalRuntime`.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, LocalOptions};

use tokio::task::JoinSet;

pub use super::tokio::*;
pub use crate::state::Plain as State;
pub use tokio::task::spawn_local as spawn;

#[path = "../work.rs"]
mod work;
pub use work::perform;

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?.block_on(main))
}

pub async fn group<F: Future<Output = u64> + 'static>(tasks: impl Iterator<Item = F>) -> u64 {
    let mut set = JoinSet::new();
    for task in tasks {
        set.spawn_local(task);
    }
    set.join_all().await.into_iter().sum()
}
