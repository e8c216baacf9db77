//! ureq over the connections of fibers, through its own connectors.

mod fiber_common;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use coro_examples::fiber_http::{
    FiberConnector, LiteralResolver, Request, Response, agent, serve_connection,
};
use coro_fiber::net::FiberStream;
use coro_fiber::{WaitError, sleep};
use fiber_common::*;
use rustls::{ServerConnection, StreamOwned};
use ureq::config::Config;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Error, SendBody, Timeout};

/// Says what it was asked, after as many seconds as the path says.
fn slow_echo(request: &Request) -> Response {
    let seconds = request.target.trim_start_matches('/').parse().unwrap_or(0);
    sleep(secs(seconds)).unwrap();
    let mut said = format!("{} {} ", request.method, request.target).into_bytes();
    said.extend(&request.body);
    Response::new(200, "text/plain", said)
}

/// A server that counts its connections.
fn start() -> (SocketAddr, Rc<Cell<u32>>) {
    let connections = Rc::new(Cell::new(0));
    let counted = Rc::clone(&connections);
    let address = serve(move |stream| {
        counted.set(counted.get() + 1);
        drop(serve_connection(stream, slow_echo));
    });
    (address, connections)
}

fn get(agent: &Agent, url: &str) -> Result<String, Error> {
    agent.get(url).call()?.into_body().read_to_string()
}

#[test]
fn several_requests_of_one_agent_wait_at_the_same_time() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let (address, connections) = start();
        let agent = agent(Config::default());
        let requests: Vec<_> = [3, 1, 2]
            .map(|seconds| {
                let (agent, log) = (agent.clone(), shared.clone());
                spawn(move || {
                    for _ in 0..2 {
                        let said = get(&agent, &format!("http://{address}/{seconds}")).unwrap();
                        assert_eq!(said, format!("GET /{seconds} "));
                        log.add(said);
                    }
                })
            })
            .into_iter()
            .collect();
        requests.into_iter().for_each(join);
        // The second requests went over the connections of the first.
        assert_eq!(connections.get(), 3);
        let said = agent.post(format!("http://{address}/0")).send("a body").unwrap();
        assert_eq!(said.into_body().read_to_string().unwrap(), "POST /0 a body");
        assert_eq!(connections.get(), 3);
    });
    log.expect(&["1 GET /1 ", "2 GET /2 ", "2 GET /1 ", "3 GET /3 ", "4 GET /2 ", "6 GET /3 "]);
}

#[test]
fn it_works_over_the_kernel_too() {
    on_both(|| {
        let (address, connections) = start();
        let agent = agent(Config::default());
        let requests: Vec<_> = (0..8_u8)
            .map(|client| {
                let agent = agent.clone();
                spawn(move || {
                    let body = vec![b'0' + client; 200_000];
                    let answer = agent.post(format!("http://{address}/")).send(&body[..]).unwrap();
                    let mut said = Vec::new();
                    answer.into_body().into_reader().read_to_end(&mut said).unwrap();
                    assert!(said == [b"POST / ", &body[..]].concat());
                })
            })
            .collect();
        requests.into_iter().for_each(join);
        assert_eq!(connections.get(), 8);
    });
}

#[test]
fn a_request_over_tls_waits_in_the_connectors_of_ureq() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let tls = Rc::new(Tls::new());
        let own = Rc::clone(&tls);
        let address = serve(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&own.server)).unwrap();
            drop(serve_connection(StreamOwned::new(connection, stream), slow_echo));
        });
        let roots = RootCerts::new_with_certs(&[Certificate::from_der(&tls.certificate).to_owned()]);
        let provider = Arc::clone(tls.client.crypto_provider());
        let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
        let config = Agent::config_builder().tls_config(tls).build();
        let connector = ().chain(FiberConnector).chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, LiteralResolver);
        let requests: Vec<_> = [2, 1]
            .map(|seconds| {
                let (agent, log) = (agent.clone(), shared.clone());
                spawn(move || log.add(get(&agent, &format!("https://{address}/{seconds}")).unwrap()))
            })
            .into_iter()
            .collect();
        requests.into_iter().for_each(join);
    });
    log.expect(&["1 GET /1 ", "2 GET /2 "]);
}

#[test]
fn a_timeout_is_ureqs_and_exact_in_virtual_time() {
    simulated(|| {
        let (address, _) = start();
        let agent = agent(Agent::config_builder().timeout_per_read(Some(secs(5))).build());
        let error = get(&agent, &format!("http://{address}/60")).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::PerRead)), "{error:?}");
        assert_eq!(now(), secs(5));
        assert_eq!(get(&agent, &format!("http://{address}/4")).unwrap(), "GET /4 ");
        // A peer that does not read what is sent.
        let address = serve(|stream| sleep(secs(3600)).map(|()| drop(stream)).unwrap());
        let agent = coro_examples::fiber_http::agent(
            Agent::config_builder().timeout_per_write(Some(secs(7))).build(),
        );
        let mut endless = io::repeat(b'x');
        let sent = agent.post(format!("http://{address}/")).send(SendBody::from_reader(&mut endless));
        assert!(matches!(sent, Err(Error::Timeout(Timeout::PerWrite))), "{sent:?}");
        assert_eq!(now(), secs(9 + 7));
    });
}

#[test]
fn a_cancellation_comes_through_the_request_and_its_body() {
    simulated(|| {
        let (address, _) = start();
        let agent = agent(Config::default());
        let own = agent.clone();
        let head = spawn(move || get(&own, &format!("http://{address}/60")).unwrap_err());
        let address = serve(|mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbegun").unwrap();
            sleep(secs(3600)).unwrap();
        });
        let body = spawn(move || get(&agent, &format!("http://{address}/")).unwrap_err());
        sleep(secs(1)).unwrap();
        for request in [head, body] {
            request.cancel();
            let Error::Io(error) = join(request) else { unreachable!() };
            assert!(matches!(error.downcast(), Ok(WaitError::Cancelled(_))));
        }
        assert_eq!(now(), secs(1));
    });
}

#[test]
fn a_kept_connection_that_the_server_closed_or_wrote_to_is_not_used_again() {
    simulated(|| {
        let connections = Rc::new(Cell::new(0));
        let counted = Rc::clone(&connections);
        let address = serve(move |mut stream: FiberStream| {
            counted.set(counted.get() + 1);
            let mut request = [0; 512];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            sleep(secs(5)).unwrap();
            if counted.get() == 1 {
                return;
            }
            stream.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").unwrap();
            sleep(secs(3600)).unwrap();
        });
        let (agent, url) = (agent(Config::default()), format!("http://{address}/"));
        for connection in 1..=3 {
            assert_eq!(get(&agent, &url).unwrap(), "ok");
            assert_eq!(connections.get(), connection);
            sleep(secs(6)).unwrap();
        }
    });
}

#[test]
fn an_agent_on_another_thread_says_where_it_belongs_and_goes_on_at_home() {
    simulated(|| {
        let (address, connections) = start();
        let agent = agent(Config::default());
        let url = format!("http://{address}/0");
        assert_eq!(get(&agent, &url).unwrap(), "GET /0 ");
        let (abroad, there) = (agent.clone(), url.clone());
        let error = std::thread::spawn(move || get(&abroad, &there).unwrap_err()).join().unwrap();
        let Error::Io(error) = error else { panic!("{error}") };
        assert!(matches!(error.downcast(), Ok(WaitError::Outside)));
        assert_eq!(get(&agent, &url).unwrap(), "GET /0 ");
        assert_eq!(connections.get(), 2);
        // An answer whose body is read elsewhere.
        let answer = agent.get(&url).call().unwrap();
        let drained = std::thread::spawn(move || answer.into_body().read_to_string()).join().unwrap();
        assert_eq!(drained.unwrap(), "GET /0 ");
    });
}

#[test]
fn an_agent_that_is_shut_down_ends_the_requests_that_wait() {
    simulated(|| {
        let (address, _) = start();
        let agent = agent(Config::default());
        let (own, url) = (agent.clone(), format!("http://{address}/60"));
        let waits = spawn(move || (get(&own, &url).unwrap_err(), now()));
        sleep(secs(3)).unwrap();
        agent.shutdown();
        let (error, when) = join(waits);
        assert!(
            matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof),
            "{error:?}"
        );
        assert_eq!(when, secs(3));
    });
}

#[test]
fn a_name_is_not_looked_up() {
    simulated(|| {
        let agent = agent(Config::default());
        assert!(matches!(get(&agent, "http://localhost/"), Err(Error::HostNotFound)));
        let refused = get(&agent, "http://[::1]:1/").unwrap_err();
        assert!(matches!(refused, Error::Io(_)), "{refused:?}");
    });
}
