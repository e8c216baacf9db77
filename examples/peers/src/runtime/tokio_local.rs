//! tokio's `LocalRuntime`.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, LocalOptions};

pub use super::tokio::*;
pub use crate::state::Plain as State;
pub use tokio::task::spawn_local as spawn;

#[path = "../work.rs"]
mod work;
pub use work::perform;

pub fn block_on<F: Future>(main: F) -> io::Result<F::Output> {
    Ok(Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?.block_on(main))
}
