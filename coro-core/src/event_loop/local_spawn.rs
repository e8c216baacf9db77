//! A loop, as the `futures` crates know those who spawn.

use futures_task::{LocalFutureObj, LocalSpawn, SpawnError};

use super::{EventLoop, Loop};

/// Spawns native tasks, which nobody has a handle of: [`LocalSpawnExt`](https://docs.rs/futures/latest/futures/task/trait.LocalSpawnExt.html)
/// makes handles of its own.
///
/// # Errors
///
/// A loop that is closed refuses.
impl LocalSpawn for Loop {
    #[track_caller]
    fn spawn_local_obj(&self, future: LocalFutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.status_local()?;
        self.spawn(future).detach();
        Ok(())
    }

    fn status_local(&self) -> Result<(), SpawnError> {
        if self.is_closed() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}
