//! rustls, unmodified, over the connections of fibers.

mod fiber_common;

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use coro_core::sim::{Policy, Sim};
use coro_core::task::TaskError;
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{WaitError, sleep, wait};
use fiber_common::*;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};

type Client = StreamOwned<ClientConnection, FiberStream>;
type Server = StreamOwned<ServerConnection, FiberStream>;

fn connect(config: &Arc<ClientConfig>, address: SocketAddr) -> io::Result<Client> {
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    Ok(StreamOwned::new(connection, FiberStream::connect(address)?))
}

fn accept(config: &Arc<ServerConfig>, stream: FiberStream) -> Server {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

/// Says that there is no more, and waits for the other to say so.
fn finish(mut client: Client) {
    client.conn.send_close_notify();
    client.flush().unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
}

/// Echoes lines until the client says that there are no more. Gives how many there were.
fn echo(mut stream: Server) -> io::Result<usize> {
    let (mut lines, mut line) = (0, String::new());
    let mut reader = BufReader::new(&mut stream);
    while reader.read_line(&mut line)? > 0 {
        reader.get_mut().write_all(line.as_bytes())?;
        line.clear();
        lines += 1;
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(lines)
}

#[test]
fn several_handshakes_and_conversations_go_on_at_the_same_time() {
    let (log, own) = (Log::default(), Rc::new(Tls::new()));
    let shared = log.clone();
    simulated(move || {
        let (tls, served) = (Rc::clone(&own), shared.clone());
        let address = serve(move |stream| {
            let lines = echo(accept(&tls.server, stream)).unwrap();
            served.add(format_args!("server: {lines} lines"));
        });
        let clients: Vec<_> = (1..=3)
            .map(|client| {
                let (tls, log) = (Rc::clone(&own), shared.clone());
                spawn(move || {
                    let mut stream = connect(&tls.client, address).unwrap();
                    while stream.conn.is_handshaking() {
                        stream.conn.complete_io(&mut stream.sock).unwrap();
                    }
                    log.add(format_args!("client {client}: {:?}", stream.conn.protocol_version().unwrap()));
                    let mut answers = String::new();
                    for word in ["one\n", "two\n"] {
                        sleep(secs(client)).unwrap();
                        stream.write_all(word.as_bytes()).unwrap();
                        let mut answer = vec![0; word.len()];
                        stream.read_exact(&mut answer).unwrap();
                        answers.push_str(str::from_utf8(&answer).unwrap());
                        log.add(format_args!("client {client}: {}", word.trim()));
                    }
                    assert_eq!(answers, "one\ntwo\n");
                    finish(stream);
                })
            })
            .collect();
        clients.into_iter().for_each(join);
    });
    log.expect(&[
        "0 client 1: TLSv1_3",
        "0 client 2: TLSv1_3",
        "0 client 3: TLSv1_3",
        "1 client 1: one",
        "2 client 2: one",
        "2 client 1: two",
        "2 server: 2 lines",
        "3 client 3: one",
        "4 client 2: two",
        "4 server: 2 lines",
        "6 client 3: two",
        "6 server: 2 lines",
    ]);
}

#[test]
fn it_works_over_the_kernel_too() {
    on_both(|| {
        let tls = Rc::new(Tls::new());
        let own = Rc::clone(&tls);
        let address = serve(move |stream| {
            let mut stream = accept(&own.server, stream);
            let mut question = Vec::new();
            stream.read_to_end(&mut question).unwrap();
            stream.write_all(&question).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        });
        let clients: Vec<_> = (0..8_u8)
            .map(|client| {
                let tls = Rc::clone(&tls);
                spawn(move || {
                    let mut stream = connect(&tls.client, address).unwrap();
                    let question = vec![client; 100_000];
                    stream.write_all(&question).unwrap();
                    stream.conn.send_close_notify();
                    stream.flush().unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).unwrap();
                    assert!(answer == question);
                })
            })
            .collect();
        clients.into_iter().for_each(join);
    });
}

#[test]
fn it_works_whatever_pieces_the_network_makes_of_it() {
    let tls = Rc::new(Tls::new());
    for seed in 0..20 {
        let sim = Sim::new(seed).policy(Policy::Random).short_transfers().window(300);
        let ran = sim.run(|world| {
            let own = Rc::clone(&tls);
            let server = world.host("server", move || {
                let tls = Rc::clone(&own);
                task(move || {
                    let listener = FiberListener::bind(SocketAddr::from(([0, 0, 0, 0], 443))).unwrap();
                    let (stream, _) = listener.accept().unwrap();
                    assert_eq!(echo(accept(&tls.server, stream)).unwrap(), 40);
                })
            });
            let millis = std::time::Duration::from_millis;
            world.links().latency(millis(1)..=millis(80));
            let own = Rc::clone(&tls);
            task(move || {
                sleep(secs(1)).unwrap();
                let mut stream = connect(&own.client, server.at(443)).unwrap();
                for number in 0..40 {
                    let line = format!("{number:0>400}\n");
                    stream.write_all(line.as_bytes()).unwrap();
                    let mut answer = vec![0; line.len()];
                    stream.read_exact(&mut answer).unwrap();
                    assert!(answer == line.as_bytes());
                }
                finish(stream);
            })
        });
        ran.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

#[test]
fn a_peer_that_goes_away_without_a_word_is_an_error() {
    simulated(|| {
        let tls = Rc::new(Tls::new());
        let own = Rc::clone(&tls);
        let address = serve(move |stream| {
            let mut stream = accept(&own.server, stream);
            stream.write_all(b"half a sen").unwrap();
        });
        let mut stream = connect(&tls.client, address).unwrap();
        let mut answer = Vec::new();
        let error = stream.read_to_end(&mut answer).unwrap_err();
        assert_eq!((error.kind(), answer), (ErrorKind::UnexpectedEof, b"half a sen".to_vec()));
    });
}

#[test]
fn a_cancellation_and_a_timeout_come_through_the_handshake() {
    simulated(|| {
        let tls = Rc::new(Tls::new());
        // It accepts, and says nothing.
        let address = serve(|stream| sleep(secs(3600)).map(|()| drop(stream)).unwrap());
        let own = Rc::clone(&tls);
        let client = spawn(move || {
            let mut stream = connect(&own.client, address).unwrap();
            stream.sock.set_read_timeout(Some(secs(10))).unwrap();
            assert_eq!(stream.write_all(b"hello").unwrap_err().kind(), ErrorKind::TimedOut);
            assert_eq!(now(), secs(10));
            let error = stream.write_all(b"hello").unwrap_err();
            Err::<(), _>(error.downcast::<WaitError>().unwrap())
        });
        sleep(secs(15)).unwrap();
        client.cancel();
        assert!(matches!(join(client), Err(WaitError::Cancelled(_))));
        assert_eq!(now(), secs(15));
        // As the error of the task itself.
        let client = spawn_task(move || match connect(&tls.client, address).unwrap().flush() {
            Ok(()) => Ok(()),
            Err(error) => Err(error.downcast::<WaitError>().unwrap().into()),
        });
        sleep(secs(1)).unwrap();
        client.cancel();
        assert!(matches!(wait(client).unwrap(), Err(TaskError::Cancelled(_))));
    });
}
