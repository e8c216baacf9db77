//! HTTP on fibers: the server, its synchronous handler, and what that calls.

mod fiber_common;

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use coro_core::{EventLoop, JoinHandle, Loop};
use coro_examples::fiber_http::{
    Request, Response, Totals, agent, data, serve as serve_http, serve_connection,
};
use coro_examples::http::{Session, Settings};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{WaitError, sleep};
use fiber_common::*;
use ureq::config::Config;

const TOTALS: &str = r#"{"north":430,"south":200}"#;

/// Serves until the loop ends, or the task is cancelled.
fn start(handle: impl Fn(&Request) -> Response + 'static) -> (SocketAddr, JoinHandle<Result<(), WaitError>>) {
    let listener = FiberListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    (address, spawn(move || serve_http(&listener, handle)))
}

fn start_totals(upstream: SocketAddr) -> SocketAddr {
    let totals = Totals::new(agent(Config::default()), format!("http://{upstream}"));
    let (address, task) = start(move |request| totals.handle(request));
    task.detach();
    address
}

fn get(url: String) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let answer = agent(config).get(url).call().unwrap();
    (answer.status().as_u16(), answer.into_body().read_to_string().unwrap())
}

#[test]
fn handlers_wait_in_the_libraries_that_they_call_and_for_nobody_else() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        // The data come slowly, and in pieces that end anywhere.
        let upstream = shared.clone();
        let upstream = serve(move |stream| {
            let mut reader = BufReader::new(&stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: ";
                if line.starts_with("GET /rates.json") {
                    upstream.add("rates asked for");
                    drip(&stream, &[head, "24\r\n\r\n{\"EUR\": 11", "0, \"USD\": 100}"]);
                } else if line.starts_with("GET /sales.csv") {
                    upstream.add("sales asked for");
                    drip(&stream, &[head, "59\r\n\r\nregion,currency,amount\nnorth,EUR,3\nsou"]);
                    drip(&stream, &["th,USD,2\nnorth,", "USD,1\n"]);
                }
                line.clear();
            }
        });
        let address = start_totals(upstream);
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let log = shared.clone();
                spawn(move || {
                    sleep(secs(client)).unwrap();
                    let answer = get(format!("http://{address}/totals"));
                    assert_eq!(answer, (200, TOTALS.to_string()));
                    log.add(format_args!("client {client} answered"));
                })
            })
            .collect();
        sleep(secs(3) / 2).unwrap();
        // Who asks for nothing is answered at once.
        assert_eq!(get(format!("http://{address}/")).0, 404);
        shared.add("not found");
        clients.into_iter().for_each(join);
    });
    log.expect(&[
        "0 rates asked for",
        "1 rates asked for",
        "1 not found",
        "2 rates asked for",
        "3 sales asked for",
        "4 sales asked for",
        "5 sales asked for",
        "7 client 0 answered",
        "8 client 1 answered",
        "9 client 2 answered",
    ]);
}

#[test]
fn an_asynchronous_client_and_a_synchronous_one_get_the_same_on_both_loops() {
    on_both(|| {
        let (upstream, task) = start(data);
        task.detach();
        let address = start_totals(upstream);
        let url = format!("http://{address}/totals");
        let fibers: Vec<_> = (0..10)
            .map(|_| {
                let url = url.clone();
                spawn(move || get(url))
            })
            .collect();
        let session = Session::new(Settings::default());
        let natives: Vec<_> = (0..10)
            .map(|_| {
                let (session, url) = (session.clone(), url.parse().unwrap());
                Loop::current().unwrap().spawn(async move {
                    let mut response = session.get(&url).await.unwrap();
                    let mut body = Vec::new();
                    while let Some(chunk) = response.chunk().await.unwrap() {
                        body.extend_from_slice(&chunk);
                    }
                    body
                })
            })
            .collect();
        assert!(fibers.into_iter().all(|client| join(client) == (200, TOTALS.to_string())));
        assert!(natives.into_iter().all(|client| join(client) == TOTALS.as_bytes()));
    });
}

#[test]
fn what_is_wrong_behind_the_handler_is_its_answer() {
    simulated(|| {
        let answered = |status, content_type, body: &'static str| {
            let (upstream, task) = start(move |request: &Request| match &*request.target {
                "/rates.json" => Response::new(status, content_type, body),
                _ => Response::new(200, "text/csv", "region,currency,amount\nx,GBP,1\n"),
            });
            task.detach();
            get(format!("http://{}/totals", start_totals(upstream)))
        };
        assert_eq!(answered(500, "text/plain", "broken"), (502, "http status: 500".to_string()));
        let (status, why) = answered(200, "application/json", "{\"EUR\": ");
        assert!(status == 502 && why.contains("EOF while parsing"), "{why}");
        assert_eq!(answered(200, "application/json", "{}"), (502, "no rate for GBP".to_string()));
        let nobody = FiberListener::bind(anywhere()).unwrap().local_addr().unwrap();
        let (status, why) = get(format!("http://{}/totals", start_totals(nobody)));
        assert!(status == 502 && why.contains("refused"), "{why}");
    });
}

#[test]
fn a_server_that_is_cancelled_answers_what_it_handles_and_takes_no_more() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let (address, server) = start(|_| {
            sleep(secs(5)).unwrap();
            Response::text(200, "late")
        });
        let own = shared.clone();
        let busy = spawn(move || {
            own.add(get(format!("http://{address}/")).1);
        });
        let own = shared.clone();
        let idle = spawn(move || {
            let mut stream = FiberStream::connect(address).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            own.add("idle ended");
        });
        sleep(secs(2)).unwrap();
        server.cancel();
        assert!(matches!(join(server), Err(WaitError::Cancelled(_))));
        assert!(FiberStream::connect(address).is_err());
        join(idle);
        join(busy);
    });
    log.expect(&["2 idle ended", "5 late"]);
}

#[test]
fn a_peer_that_says_nothing_is_given_up() {
    simulated(|| {
        let (address, server) = start(data);
        let mut stream = FiberStream::connect(address).unwrap();
        stream.write_all(b"GET /rates.json HTTP/1.1\r\n").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert_eq!(now(), secs(30));
        server.detach();
    });
}

/// A connection in memory, without a fiber: what is asked, and what is answered.
struct Memory {
    asked: Cursor<Vec<u8>>,
    /// How much a read gives.
    piece: usize,
    answered: Vec<u8>,
}

impl Read for &mut Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.piece);
        self.asked.read(&mut into[..most])
    }
}

impl Write for &mut Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a connection says to `asked`, whole or byte by byte.
fn say(asked: &str) -> String {
    let answers = [usize::MAX, 1].map(|piece| {
        let mut memory = Memory { asked: Cursor::new(asked.into()), piece, answered: Vec::new() };
        let served = serve_connection(&mut memory, |request| {
            let body = String::from_utf8_lossy(&request.body);
            Response::text(200, format!("{} {} {body}", request.method, request.target))
        });
        if let Err(error) = served {
            memory.answered.extend(format!("{:?}", error.kind()).bytes());
        }
        String::from_utf8(memory.answered).unwrap()
    });
    assert_eq!(answers[0], answers[1]);
    answers[0].clone()
}

fn text(head: &str, body: &str) -> String {
    let length = body.len();
    let (status, rest) = head.split_once('|').unwrap_or((head, ""));
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n{rest}\r\n{body}"
    )
}

const CLOSE: &str = "connection: close\r\n";

#[test]
fn requests_follow_each_other_until_one_is_the_last() {
    assert_eq!(say(""), "");
    assert_eq!(say("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"), text("200 OK", "GET /a?b "));
    let two = "POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyzGET /b HTTP/1.1\r\nConnection: Close\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
    let last = text(&format!("200 OK|{CLOSE}"), "GET /b ");
    assert_eq!(say(two), text("200 OK", "POST /a xyz") + &last);
    assert_eq!(say("GET /b HTTP/1.0\r\n\r\nGET /c HTTP/1.0\r\n\r\n"), last);
    let kept = "GET /a HTTP/1.0\r\nconnection: x, Keep-Alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
    assert_eq!(say(kept), text("200 OK", "GET /a ") + &last);
    let head = say("HEAD /a HTTP/1.1\r\n\r\n");
    assert!(head.contains("content-length: 8\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn what_is_no_request_is_answered_and_the_last() {
    let refused = |status: &str, why| text(&format!("{status}|{CLOSE}"), why);
    let next = "\r\n\r\nGET /next HTTP/1.1\r\n\r\n";
    assert_eq!(say(&format!("nonsense{next}")), refused("400 Bad Request", "this is not HTTP/1.1"));
    for length in ["x", "-1", "+1", "", "1, 1", "1\r\ncontent-length: 2", "99999999999999999999999"] {
        assert_eq!(
            say(&format!("POST / HTTP/1.1\r\ncontent-length: {length}{next}")),
            refused("400 Bad Request", "the length of the body makes no sense")
        );
    }
    let twice = say("POST / HTTP/1.1\r\ncontent-length: 1\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(twice, text("200 OK", "POST / x"));
    assert_eq!(
        say(&format!("POST / HTTP/1.1\r\ncontent-length: 1048577{next}")),
        refused("413 Payload Too Large", "the body is too long")
    );
    assert_eq!(
        say(&format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked{next}")),
        refused("501 Not Implemented", "send the body with its length")
    );
    let many = "a: b\r\n".repeat(65);
    assert_eq!(
        say(&format!("GET / HTTP/1.1\r\n{many}{next}")),
        refused("431 Request Header Fields Too Large", "the request has too many headers")
    );
    let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(40_000));
    assert_eq!(
        say(&long),
        refused("431 Request Header Fields Too Large", "the head of the request is too long")
    );
}

#[test]
fn what_is_cut_short_is_an_error() {
    assert_eq!(say("GET / HT"), "UnexpectedEof");
    assert_eq!(say("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nxy"), "UnexpectedEof");
}

#[test]
fn the_command_serves_until_it_is_ended() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_coro"))
        .args(["serve", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").unwrap().strip_suffix("/totals").unwrap();
    // On threads, which wait for each other's answers no more than fibers do.
    let answers = std::thread::scope(|threads| {
        let ask = || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(secs(30))).unwrap();
            stream.write_all(b"GET /totals HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
            io::read_to_string(stream).unwrap()
        };
        let asking: Vec<_> = (0..4).map(|_| threads.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect::<Vec<_>>()
    });
    server.kill().unwrap();
    server.wait().unwrap();
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(TOTALS), "{answer}");
    }
}

#[test]
fn an_address_that_is_taken_is_one_line_on_the_standard_error() {
    let taken = std::net::TcpListener::bind(anywhere()).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_coro")).args(["serve", &address]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("coro: ") && said.contains("in use") && said.lines().count() == 1, "{said}");
}

#[test]
fn a_handler_that_would_wait_outside_a_fiber_answers_with_the_error() {
    let totals = Totals::new(agent(Config::default()), "http://127.0.0.1:1");
    let asked = Cell::new(0);
    let served = serve_connection(
        &mut Memory {
            asked: Cursor::new(b"GET /totals HTTP/1.1\r\n\r\n".into()),
            piece: 8,
            answered: Vec::new(),
        },
        |request| {
            let response = totals.handle(request);
            asked.set(response.status);
            response
        },
    );
    assert!(served.is_ok());
    assert_eq!(asked.get(), 502);
}
