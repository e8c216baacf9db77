//! The laws of TCP streams.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::setting::{BUSY_TURNS, MakeLoop};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop};
use crate::native;
use crate::net::{TcpListener, TcpStream};
use crate::time::{block_for, yield_now};

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, buffer)).await
}

async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 1_000]);
    loop {
        match read(stream, &mut buffer).await.unwrap() {
            0 => return all,
            count => all.extend(&buffer[..count]),
        }
    }
}

async fn write_all(stream: &mut TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let count = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await?;
        bytes = &bytes[count..];
    }
    poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await
}

async fn close(stream: &mut TcpStream) {
    poll_fn(|cx| Pin::new(&mut *stream).poll_close(cx)).await.unwrap();
}

/// A client and a server, each a task of the flavour, over one connection.
fn connected<F, C, S>(
    event_loop: &Loop,
    client: impl FnOnce(TcpStream) -> C + 'static,
    server: impl FnOnce(TcpStream) -> S + 'static,
) where
    F: Flavour,
    C: Future<Output = ()> + 'static,
    S: Future<Output = ()> + 'static,
{
    let inner = event_loop.clone();
    let main = plan().wait(move || async move {
        let mut listener = TcpListener::bind(anywhere()).unwrap();
        let address = listener.local_address();
        assert_ne!(address.port(), 0);
        let server = plan().wait(move || async move {
            let (stream, peer) = listener.accept().await.unwrap();
            assert_eq!(stream.peer_address(), peer);
            server(stream).await;
        });
        let server = server.spawn::<F>(&inner);
        let client = plan().wait(move || async move {
            let stream = TcpStream::connect(address).await.unwrap();
            assert_eq!(stream.peer_address(), address);
            client(stream).await;
        });
        let client = client.spawn::<F>(&inner);
        client.await.unwrap();
        server.await.unwrap();
    });
    run::<F>(event_loop, main);
}

fn run<F: Flavour>(event_loop: &Loop, main: Plan) {
    let task = main.spawn::<F>(event_loop);
    event_loop.run_until_complete(task).unwrap();
}

/// What one side writes the other reads, and back.
pub fn an_echo_goes_round<F: Flavour>(make: MakeLoop<'_>) {
    connected::<F, _, _>(
        &make(),
        |mut stream| async move {
            for message in ["one", "two", "three"] {
                write_all(&mut stream, message.as_bytes()).await.unwrap();
                let mut echoed = [0; 16];
                let count = read(&mut stream, &mut echoed).await.unwrap();
                assert_eq!(&echoed[..count], message.as_bytes());
            }
        },
        |mut stream| async move {
            let mut buffer = [0; 16];
            loop {
                let count = read(&mut stream, &mut buffer).await.unwrap();
                if count == 0 {
                    break;
                }
                write_all(&mut stream, &buffer[..count]).await.unwrap();
            }
        },
    );
}

/// Nobody listens: refused, as an error.
pub fn a_connection_to_nobody_is_refused<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = plan().wait(|| async {
        let address = {
            let listener = TcpListener::bind(anywhere()).unwrap();
            listener.local_address()
        };
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let first = TcpListener::bind(address).unwrap();
        assert_eq!(TcpListener::bind(first.local_address()).unwrap_err().kind(), ErrorKind::AddrInUse);
    });
    run::<F>(&event_loop, main);
}

/// After a close for writing, the peer reads what was sent and then the end, and can still answer.
pub fn the_end_of_the_stream_is_seen_after_the_data<F: Flavour>(make: MakeLoop<'_>) {
    connected::<F, _, _>(
        &make(),
        |mut stream| async move {
            write_all(&mut stream, b"question").await.unwrap();
            close(&mut stream).await;
            assert_eq!(write_all(&mut stream, b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            assert_eq!(read_all(&mut stream).await, b"answer");
        },
        |mut stream| async move {
            assert_eq!(read_all(&mut stream).await, b"question");
            write_all(&mut stream, b"answer").await.unwrap();
        },
    );
}

/// A writer that is faster than the reader waits; not a byte is lost or reordered.
pub fn a_large_transfer_waits_for_the_reader<F: Flavour>(make: MakeLoop<'_>) {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let expected = bytes.clone();
    connected::<F, _, _>(
        &make(),
        move |mut stream| async move { write_all(&mut stream, &bytes).await.unwrap() },
        move |mut stream| async move {
            for _ in 0..10 {
                yield_now().await;
            }
            assert!(read_all(&mut stream).await == expected);
        },
    );
}

/// What a writer accepted is sent even if the stream is dropped at once.
pub fn a_dropped_writer_still_sends_what_it_accepted<F: Flavour>(make: MakeLoop<'_>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    connected::<F, _, _>(
        &make(),
        move |mut stream| async move {
            let bytes = vec![7; 50_000];
            // Until a write would wait: then all there is room for has been accepted.
            let mut accepted = 0;
            while let Some(count) = poll_fn(|cx| match Pin::new(&mut stream).poll_write(cx, &bytes) {
                Poll::Ready(count) => Poll::Ready(Some(count.unwrap())),
                Poll::Pending => Poll::Ready(None),
            })
            .await
            {
                accepted += count;
            }
            sender.send(accepted).unwrap();
        },
        move |mut stream| async move {
            let accepted = loop {
                match receiver.try_recv() {
                    Ok(accepted) => break accepted,
                    Err(_) => yield_now().await,
                }
            };
            assert_eq!(read_all(&mut stream).await.len(), accepted);
        },
    );
}

/// What was written arrives though the writer only reads from then on.
pub fn what_was_written_is_sent_without_a_flush<F: Flavour>(make: MakeLoop<'_>) {
    const BYTES: usize = 5_000_000;
    connected::<F, _, _>(
        &make(),
        |mut stream| async move {
            let bytes = vec![7; BYTES];
            let mut written = 0;
            while written < BYTES {
                written +=
                    poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, &bytes[written..])).await.unwrap();
            }
            assert_eq!(read(&mut stream, &mut [0; 8]).await.unwrap(), 3);
        },
        |mut stream| async move {
            let (mut received, mut buffer) = (0, vec![0; 10_000]);
            while received < BYTES {
                received += read(&mut stream, &mut buffer).await.unwrap();
            }
            write_all(&mut stream, b"yes").await.unwrap();
        },
    );
}

/// A read that is dropped while it waits has taken nothing.
pub fn a_cancelled_read_loses_nothing<F: Flavour>(make: MakeLoop<'_>) {
    connected::<F, _, _>(
        &make(),
        |mut stream| async move {
            // Begun, and dropped.
            let waits =
                poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_read(cx, &mut [0; 4]).is_pending()));
            assert!(waits.await);
            write_all(&mut stream, b"go").await.unwrap();
            assert_eq!(read_all(&mut stream).await, b"everything");
        },
        |mut stream| async move {
            let mut go = [0; 2];
            assert_eq!(read(&mut stream, &mut go).await.unwrap(), 2);
            write_all(&mut stream, b"everything").await.unwrap();
        },
    );
}

/// An accept that is dropped while it waits leaves the connection to the next one.
pub fn a_cancelled_accept_loses_nothing<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = plan().wait(|| async {
        let mut listener = TcpListener::bind(anywhere()).unwrap();
        let waits =
            poll_fn(|cx| Poll::Ready(std::pin::pin!(listener.accept()).as_mut().poll(cx).is_pending()));
        assert!(waits.await);
        let mut client = TcpStream::connect(listener.local_address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        write_all(&mut server, b"hello").await.unwrap();
        drop(server);
        assert_eq!(read_all(&mut client).await, b"hello");
    });
    run::<F>(&event_loop, main);
}

/// Rule 1: what has arrived comes before the timers that are due at the same look.
pub fn what_has_arrived_comes_before_a_timer<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (again, timer) = (trace.clone(), trace.clone());
    connected::<F, _, _>(
        &event_loop,
        move |mut stream| async move {
            // The other one waits now.
            assert_eq!(read(&mut stream, &mut [0; 2]).await.unwrap(), 1);
            Loop::running("test").call_later(Duration::from_secs(1), move || timer.log("timer"));
            write_all(&mut stream, b"x").await.unwrap();
            block_for(Duration::from_secs(2));
            // Nothing is ready now.
            assert_eq!(read(&mut stream, &mut [0; 2]).await.unwrap(), 0);
        },
        move |mut stream| async move {
            write_all(&mut stream, b"x").await.unwrap();
            assert_eq!(read(&mut stream, &mut [0; 2]).await.unwrap(), 1);
            again.log("read");
            drop(stream);
            yield_now().await;
        },
    );
    trace.expect(&["read", "timer"]);
}

/// Rule 1: what has arrived is seen though somebody is always ready.
pub fn what_is_always_ready_keeps_no_stream_waiting<F: Flavour>(make: MakeLoop<'_>) {
    let arrived = Rc::new(Cell::new(false));
    let seen = Rc::clone(&arrived);
    connected::<F, _, _>(
        &make(),
        |mut stream| async move { write_all(&mut stream, b"x").await.unwrap() },
        move |mut stream| async move {
            let busy = plan().wait(move || async move {
                for _ in 0..BUSY_TURNS {
                    if seen.get() {
                        return;
                    }
                    yield_now().await;
                }
                panic!("it has never arrived");
            });
            let busy = busy.spawn::<F>(&Loop::running("test"));
            assert_eq!(read(&mut stream, &mut [0; 2]).await.unwrap(), 1);
            arrived.set(true);
            busy.await.unwrap();
        },
    );
}

/// A peer that is gone makes writes fail, sooner or later, with an error.
pub fn writing_to_a_closed_peer_fails<F: Flavour>(make: MakeLoop<'_>) {
    connected::<F, _, _>(
        &make(),
        |mut stream| async move {
            let error = loop {
                if let Err(error) = write_all(&mut stream, &[0; 1_000]).await {
                    break error;
                }
                yield_now().await;
            };
            assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error:?}");
            // And again: the error is not forgotten.
            assert!(write_all(&mut stream, b"x").await.is_err());
        },
        |stream| async move { drop(stream) },
    );
}

/// Rule 46: a stream that takes whatever it is given does not keep the others from running.
pub fn a_busy_stream_gives_way<F: Flavour>(make: MakeLoop<'_>) {
    let client = |mut stream: TcpStream| async move {
        let turns = Rc::new(Cell::new(0));
        let counted = Rc::clone(&turns);
        let other = native::spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        for _ in 0..1_000 {
            write_all(&mut stream, b"x").await.unwrap();
        }
        // At most 128 writes a turn.
        assert!(turns.get() >= 1_000 / 128, "{}", turns.get());
        other.cancel();
        close(&mut stream).await;
    };
    connected::<F, _, _>(&make(), client, |mut stream| async move {
        assert_eq!(read_all(&mut stream).await.len(), 1_000);
    });
}
