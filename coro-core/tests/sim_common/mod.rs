//! What the tests of the simulated world share.

use std::io;
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::sim::{Host, World};
use coro_core::time::Time;
use futures::{AsyncReadExt, AsyncWriteExt};

pub const PORT: u16 = 80;

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

pub fn listen() -> TcpListener {
    TcpListener::bind(([0, 0, 0, 0], PORT).into()).unwrap()
}

/// Sends back what it receives, on every connection.
pub fn echo(world: &World) -> Host {
    world.host("echo", || async {
        let mut listener = listen();
        while let Ok((mut stream, _)) = listener.accept().await {
            spawn(async move {
                let mut buffer = [0; 1_000];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    if stream.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            })
            .detach();
        }
    })
}

pub async fn ask(stream: &mut TcpStream, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
