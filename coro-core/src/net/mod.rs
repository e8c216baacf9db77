//! TCP over the loop's driver.

mod listener;
mod stream;

pub use listener::{Accept, TcpListener};
pub use stream::{Connect, TcpStream};
