//! tungstenite, unmodified, over the connections of fibers.

mod fiber_common;

use std::io::ErrorKind;

use coro_core::task::TaskError;
use coro_fiber::net::FiberStream;
use coro_fiber::{WaitError, sleep, wait};
use fiber_common::*;
use tungstenite::error::ProtocolError;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, HandshakeError, Message, WebSocket, accept, accept_hdr, client};

/// Answers what it is told, a second later and in capitals, until the client closes.
fn shout(stream: FiberStream, log: &Log) {
    let mut socket = accept(stream).unwrap();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                log.add(format_args!("server: {text}"));
                sleep(secs(1)).unwrap();
                socket.send(Message::text(text.to_uppercase())).unwrap();
            }
            Ok(Message::Close(frame)) => log.add(format_args!("server: {}", frame.unwrap().reason)),
            Ok(_) => {}
            Err(Error::ConnectionClosed) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn connect(address: std::net::SocketAddr) -> WebSocket<FiberStream> {
    let stream = FiberStream::connect(address).unwrap();
    let (socket, response) = client(format!("ws://{address}/"), stream).unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    socket
}

fn close(mut socket: WebSocket<FiberStream>, reason: &str) {
    let frame = CloseFrame { code: CloseCode::Normal, reason: reason.to_string().into() };
    socket.close(Some(frame)).unwrap();
    loop {
        match socket.read() {
            Ok(message) => assert!(message.is_close()),
            Err(error) => return assert!(matches!(error, Error::ConnectionClosed), "{error}"),
        }
    }
}

#[test]
fn several_clients_shake_hands_talk_and_close_at_the_same_time() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let served = shared.clone();
        let address = serve(move |stream| shout(stream, &served));
        let clients: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .zip(2..)
            .map(|(name, step)| {
                let log = shared.clone();
                spawn(move || {
                    let mut socket = connect(address);
                    log.add(format_args!("{name}: connected"));
                    for number in 0..2 {
                        sleep(secs(step)).unwrap();
                        // It is answered on the way, by whoever reads.
                        socket.send(Message::Ping(vec![1, 2, 3].into())).unwrap();
                        socket.send(Message::text(format!("{name}{number}"))).unwrap();
                        let pong = socket.read().unwrap();
                        assert_eq!(pong, Message::Pong(vec![1, 2, 3].into()));
                        log.add(format_args!("{name}: {}", socket.read().unwrap()));
                    }
                    close(socket, name);
                    log.add(format_args!("{name}: closed"));
                })
            })
            .collect();
        clients.into_iter().for_each(join);
    });
    log.expect(&[
        "0 a: connected",
        "0 b: connected",
        "0 c: connected",
        "2 server: a0",
        "3 server: b0",
        "3 a: A0",
        "4 server: c0",
        "4 b: B0",
        "5 server: a1",
        "5 c: C0",
        "6 a: A1",
        "6 server: a",
        "6 a: closed",
        "7 server: b1",
        "8 b: B1",
        "8 server: b",
        "8 b: closed",
        "9 server: c1",
        "10 c: C1",
        "10 server: c",
        "10 c: closed",
    ]);
}

#[test]
fn long_messages_cross_on_both_loops() {
    on_both(|| {
        let address = serve(|stream| {
            let mut socket = accept(stream).unwrap();
            while let Ok(message) = socket.read() {
                if message.is_binary() {
                    socket.send(message).unwrap();
                }
            }
        });
        let clients: Vec<_> = (0..4_u8)
            .map(|client| {
                spawn(move || {
                    let mut socket = connect(address);
                    for length in [0, 1, 125, 126, 70_000, 300_000] {
                        let message = Message::binary(vec![client; length]);
                        socket.send(message.clone()).unwrap();
                        assert_eq!(socket.read().unwrap(), message);
                    }
                    close(socket, "done");
                })
            })
            .collect();
        clients.into_iter().for_each(join);
    });
}

#[test]
fn a_handshake_is_refused_by_a_callback_that_waits() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let served = shared.clone();
        let address = serve(move |stream| {
            #[expect(clippy::result_large_err, reason = "tungstenite asks for it")]
            let decide = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                sleep(secs(3)).unwrap();
                served.add(format_args!("asked for {}", request.uri()));
                if request.uri().path() == "/open" {
                    return Ok(response);
                }
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::FORBIDDEN;
                Err(refusal)
            };
            if let Ok(mut socket) = accept_hdr(stream, decide) {
                socket.send(Message::text("welcome")).unwrap();
            }
        });
        let refused = spawn(move || {
            let stream = FiberStream::connect(address).unwrap();
            match client(format!("ws://{address}/closed"), stream) {
                Err(HandshakeError::Failure(Error::Http(response))) => response.status(),
                _ => unreachable!(),
            }
        });
        sleep(secs(1)).unwrap();
        let stream = FiberStream::connect(address).unwrap();
        let (mut socket, _) = client(format!("ws://{address}/open"), stream).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text("welcome"));
        shared.add("welcome");
        assert_eq!(join(refused), StatusCode::FORBIDDEN);
        assert!(matches!(
            socket.read().unwrap_err(),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        ));
    });
    log.expect(&["3 asked for /closed", "4 asked for /open", "4 welcome"]);
}

#[test]
fn a_timeout_and_a_cancellation_come_through() {
    simulated(|| {
        let address = serve(|stream| {
            let mut socket = accept(stream).unwrap();
            while socket.read().is_ok() {}
        });
        let client = spawn(move || {
            let mut socket = connect(address);
            socket.get_ref().set_read_timeout(Some(secs(5))).unwrap();
            let Error::Io(error) = socket.read().unwrap_err() else { unreachable!() };
            assert_eq!((error.kind(), now()), (ErrorKind::TimedOut, secs(5)));
            socket.get_ref().set_read_timeout(None).unwrap();
            let Error::Io(error) = socket.read().unwrap_err() else { unreachable!() };
            assert!(matches!(error.downcast(), Ok(WaitError::Cancelled(_))));
            // It is told once: the goodbye may wait.
            close(socket, "cancelled");
        });
        sleep(secs(60)).unwrap();
        client.cancel();
        join(client);
        // A handshake that is cancelled is over, and none that could go on.
        let listener = coro_fiber::net::FiberListener::bind(anywhere()).unwrap();
        let silent = listener.local_addr().unwrap();
        let shaking = spawn_task::<()>(move || {
            let stream = FiberStream::connect(silent).unwrap();
            match client_error(stream) {
                Error::Io(error) => Err(error.downcast::<WaitError>().unwrap().into()),
                error => panic!("{error}"),
            }
        });
        sleep(secs(1)).unwrap();
        shaking.cancel();
        assert!(matches!(wait(shaking).unwrap(), Err(TaskError::Cancelled(_))));
    });
}

fn client_error(stream: FiberStream) -> Error {
    match client("ws://localhost/", stream) {
        Err(HandshakeError::Failure(error)) => error,
        Err(HandshakeError::Interrupted(_)) => panic!("interrupted"),
        Ok(_) => unreachable!(),
    }
}
