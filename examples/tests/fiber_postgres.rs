//! A client on postgres-protocol's messages, against a small server that says what PostgreSQL would.
//!
//! The codec turns bytes into messages and back, and knows no I/O. What is between it and the connection is a loop around
//! `read`, as it would be on a thread.

mod fiber_common;

use std::io::{self, ErrorKind, Read, Write};

use bytes::{BufMut, BytesMut};
use coro_core::task::TaskError;
use coro_fiber::net::FiberStream;
use coro_fiber::{WaitError, sleep, wait};
use fallible_iterator::FallibleIterator;
use fiber_common::*;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

const SALT: [u8; 4] = *b"salt";

/// A client of the simple protocol, over whatever it is given.
struct Client<S> {
    stream: S,
    received: BytesMut,
}

impl<S: Read + Write> Client<S> {
    fn connect(stream: S, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self { stream, received: BytesMut::new() };
        client.send(|out| frontend::startup_message([("user", user)], out))?;
        loop {
            match client.receive()? {
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(user.as_bytes(), password.as_bytes(), body.salt());
                    client.send(|out| frontend::password_message(hash.as_bytes(), out))?;
                }
                Message::AuthenticationOk | Message::ParameterStatus(_) => {}
                Message::ReadyForQuery(_) => return Ok(client),
                Message::ErrorResponse(body) => return Err(refused(&body)),
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    /// The first column of each row.
    fn query(&mut self, query: &str) -> io::Result<Vec<String>> {
        self.send(|out| frontend::query(query, out))?;
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match self.receive()? {
                Message::DataRow(row) => {
                    let range = row.ranges().next()?.flatten().unwrap_or(0..0);
                    rows.push(String::from_utf8_lossy(&row.buffer()[range]).into_owned());
                }
                Message::RowDescription(_) | Message::CommandComplete(_) => {}
                Message::ErrorResponse(body) => failed = Some(refused(&body)),
                Message::ReadyForQuery(_) => return failed.map_or(Ok(rows), Err),
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> io::Result<()> {
        let mut out = BytesMut::new();
        write(&mut out)?;
        self.stream.write_all(&out)
    }

    fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.received)? {
                return Ok(message);
            }
            let mut chunk = [0; 512];
            match self.stream.read(&mut chunk)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.received.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

fn refused(body: &postgres_protocol::message::backend::ErrorResponseBody) -> io::Error {
    let message = body.fields().find(|field| Ok(field.type_() == b'M')).unwrap().unwrap();
    io::Error::other(String::from_utf8_lossy(message.value_bytes()).into_owned())
}

/// A message of the server's: its tag, its length, and what is in it.
fn message(out: &mut BytesMut, tag: u8, fill: impl FnOnce(&mut BytesMut)) {
    let mut body = BytesMut::new();
    fill(&mut body);
    out.put_u8(tag);
    out.put_u32(body.len() as u32 + 4);
    out.put(body);
}

fn ready(out: &mut BytesMut) {
    message(out, b'Z', |body| body.put_u8(b'I'));
}

fn error(out: &mut BytesMut, what: &str) {
    message(out, b'E', |body| body.put_slice(format!("SERROR\0C42601\0M{what}\0\0").as_bytes()));
}

/// Reads a message of the client's: its length is before it, and a tag before that, but for the first.
fn read_body(mut stream: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// Asks for alice's password, and answers `count N` with N rows, one a second.
fn serve_queries(mut stream: FiberStream, log: &Log) -> io::Result<()> {
    read_body(&stream)?;
    let mut out = BytesMut::new();
    message(&mut out, b'R', |body| {
        body.put_u32(5);
        body.put_slice(&SALT);
    });
    stream.write_all(&out.split())?;
    stream.read_exact(&mut [0])?;
    if read_body(&stream)? != format!("{}\0", md5_hash(b"alice", b"secret", SALT)).as_bytes() {
        error(&mut out, "wrong password");
        return stream.write_all(&out);
    }
    message(&mut out, b'R', |body| body.put_u32(0));
    message(&mut out, b'S', |body| body.put_slice(b"server_version\x0018\0"));
    ready(&mut out);
    stream.write_all(&out.split())?;
    while stream.read(&mut [0])? == 1 {
        let query = read_body(&stream)?;
        let query = str::from_utf8(&query).unwrap().trim_end_matches('\0').to_string();
        log.add(format_args!("server: {query}"));
        match query.strip_prefix("count ").map(str::parse) {
            Some(Ok(count)) => rows(&mut stream, count)?,
            _ => error(&mut out, "syntax error"),
        }
        ready(&mut out);
        stream.write_all(&out.split())?;
    }
    Ok(())
}

fn rows(stream: &mut FiberStream, count: u32) -> io::Result<()> {
    let mut out = BytesMut::new();
    message(&mut out, b'T', |body| {
        body.put_u16(1);
        body.put_slice(b"number\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0");
    });
    for number in 1..=count {
        sleep(secs(1))?;
        let number = number.to_string();
        message(&mut out, b'D', |body| {
            body.put_u16(1);
            body.put_u32(number.len() as u32);
            body.put_slice(number.as_bytes());
        });
        // A row in two pieces.
        let (head, tail) = out.split_at(3);
        stream.write_all(head)?;
        stream.write_all(tail)?;
        out.clear();
    }
    message(&mut out, b'C', |body| body.put_slice(format!("SELECT {count}\0").as_bytes()));
    stream.write_all(&out)
}

#[test]
fn several_clients_query_at_the_same_time() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let served = shared.clone();
        let address = serve(move |stream| serve_queries(stream, &served).unwrap());
        let clients: Vec<_> = [("a", 3), ("b", 2)]
            .map(|(name, count)| {
                let log = shared.clone();
                spawn(move || {
                    let stream = FiberStream::connect(address).unwrap();
                    let mut client = Client::connect(stream, "alice", "secret").unwrap();
                    for count in [count, 1] {
                        let rows = client.query(&format!("count {count}")).unwrap();
                        log.add(format_args!("{name}: {rows:?}"));
                    }
                    // An error of the server's leaves the connection as it was.
                    assert_eq!(client.query("nonsense").unwrap_err().to_string(), "syntax error");
                    assert!(client.query("count 0").unwrap().is_empty());
                    log.add(format_args!("{name}: done"));
                })
            })
            .into_iter()
            .collect();
        clients.into_iter().for_each(join);
    });
    log.expect(&[
        "0 server: count 3",
        "0 server: count 2",
        "2 b: [\"1\", \"2\"]",
        "2 server: count 1",
        "3 a: [\"1\", \"2\", \"3\"]",
        "3 b: [\"1\"]",
        "3 server: count 1",
        "3 server: nonsense",
        "3 server: count 0",
        "3 b: done",
        "4 a: [\"1\"]",
        "4 server: nonsense",
        "4 server: count 0",
        "4 a: done",
    ]);
}

#[test]
fn it_works_over_the_kernel_and_a_wrong_password_does_not() {
    on_both(|| {
        let address = serve(|stream| serve_queries(stream, &Log::default()).unwrap());
        let stream = FiberStream::connect(address).unwrap();
        let mut client = Client::connect(stream, "alice", "secret").unwrap();
        assert!(client.query("count 0").unwrap().is_empty());
        let stream = FiberStream::connect(address).unwrap();
        let Err(error) = Client::connect(stream, "alice", "guess") else { unreachable!() };
        assert_eq!(error.to_string(), "wrong password");
    });
}

#[test]
fn a_query_that_is_cancelled_ends_where_it_waits() {
    simulated(|| {
        let address = serve(|stream| drop(serve_queries(stream, &Log::default())));
        let query = spawn_task(move || {
            let stream = FiberStream::connect(address).unwrap();
            let mut client = Client::connect(stream, "alice", "secret").unwrap();
            client.query("count 60").map_err(|error| error.downcast::<WaitError>().unwrap().into())
        });
        sleep(secs(2)).unwrap();
        query.cancel();
        assert!(matches!(wait(query).unwrap(), Err(TaskError::Cancelled(_))));
        assert_eq!(now(), secs(2));
    });
}
