//! The runtimes. Each file has
//!
//! - `block_on`, which makes a runtime with its drivers for I/O and time, and runs a future on it;
//! - `spawn`, `value` (what a joined task gave) and `detach`;
//! - `yield_now`, `sleep` and `timeout`, the runtime's own if it has them; `group`, if it `HAS_GROUPS`;
//! - `channel`, `send` and `receive`: its own queue with a bound, else that of async-channel; `one_shot`, its own or
//!   that of futures;
//! - `State`, for what tasks share, and `with`, what is to be noted of all this.

pub mod async_executor;
pub mod compio;
pub mod glommio;
pub mod monoio;
mod tokio;
pub mod tokio_current_thread;
pub mod tokio_local;
