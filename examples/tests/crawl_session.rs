//! The client session: connections, errors, limits.

mod crawl_common;

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use coro_core::net::TcpListener;
use coro_core::{gather, native::spawn, time};
use coro_examples::http::{FetchError, Session, Settings};
use crawl_common::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{AsyncReadExt, AsyncWriteExt};
use url::Url;

fn session() -> Session {
    Session::new(Settings::default())
}

/// The message of the error that fetching `url` gives.
async fn error(url: &Url) -> String {
    let message = fetch(&session(), url).await.unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_connection_is_used_again() {
    for event_loop in both_loops() {
        let statistics = coro_core::EventLoop::run(&event_loop, async {
            let server = serve(&[("/a", "a"), ("/b", "b"), ("/empty", "")]);
            let session = session();
            for path in ["/a", "/b", "/empty", "/a"] {
                fetch(&session, &server.url(path).unwrap()).await.unwrap();
            }
            let missing = session.get(&server.url("/missing").unwrap()).await.unwrap();
            assert_eq!((missing.status(), missing.reason()), (404, "Not Found"));
            missing.release().await;
            fetch(&session, &server.url("/b").unwrap()).await.unwrap();
            server.statistics()
        });
        let statistics = statistics.unwrap();
        assert_eq!((statistics.accepted, statistics.requests), (1, 6));
    }
}

#[test]
fn a_response_that_is_dropped_closes_its_connection() {
    let statistics = simulate(async {
        let large = "x".repeat(1_000_000);
        let server = serve(&[("/", &large)]);
        let session = session();
        let url = server.url("/").unwrap();
        drop(session.get(&url).await.unwrap());
        assert_eq!(fetch(&session, &url).await.unwrap().len(), 1_000_000);
        session.close();
        time::sleep(Duration::from_secs(1)).await;
        server.statistics()
    });
    assert_eq!((statistics.accepted, statistics.open), (2, 0));
}

#[test]
fn no_more_connections_than_allowed_are_open() {
    for event_loop in both_loops() {
        let statistics = coro_core::EventLoop::run(&event_loop, async {
            let server = Rc::new(serve(&[("/", "page")]));
            let session = Session::new(Settings { connections: 3, ..Settings::default() });
            let tasks = (0..20).map(|_| {
                let (session, url) = (session.clone(), server.url("/").unwrap());
                spawn(async move { fetch(&session, &url).await.unwrap() })
            });
            assert_eq!(gather(tasks).await.unwrap().len(), 20);
            server.statistics()
        });
        let statistics = statistics.unwrap();
        assert_eq!((statistics.most_open, statistics.requests), (3, 20));
    }
}

#[test]
fn kept_connections_count_as_open() {
    let most_open = simulate(async {
        let servers = [serve(&[("/", "1")]), serve(&[("/", "2")]), serve(&[("/", "3")])];
        let session = Session::new(Settings { connections: 2, ..Settings::default() });
        for server in &servers {
            fetch(&session, &server.url("/").unwrap()).await.unwrap();
        }
        time::sleep(Duration::from_secs(1)).await;
        servers.iter().map(|server| server.statistics().open).collect::<Vec<_>>()
    });
    assert_eq!(most_open, [0, 1, 1]);
}

#[test]
fn those_who_wait_for_a_connection_are_served_in_order() {
    let order = simulate(async {
        let server = serve(&[("/", "page")]);
        let session = Session::new(Settings { connections: 1, ..Settings::default() });
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let tasks = (0..5).map(|number| {
            let (session, url, order) = (session.clone(), server.url("/").unwrap(), Rc::clone(&order));
            spawn(async move {
                fetch(&session, &url).await.unwrap();
                order.borrow_mut().push(number);
            })
        });
        gather(tasks).await.unwrap();
        order.take()
    });
    assert_eq!(order, [0, 1, 2, 3, 4]);
}

#[test]
fn a_cancelled_wait_for_a_connection_leaves_the_line() {
    simulate(async {
        let server = serve(&[("/", "page")]);
        let session = Session::new(Settings { connections: 1, ..Settings::default() });
        let url = server.url("/").unwrap();
        let held = session.get(&url).await.unwrap();
        let get = || {
            let (session, url) = (session.clone(), url.clone());
            spawn(async move { fetch(&session, &url).await.unwrap() })
        };
        let (first, second) = (get(), get());
        time::yield_now().await;
        first.cancel();
        assert!(first.await.unwrap_err().is_cancelled());
        drop(held);
        assert_eq!(second.await.unwrap(), b"page");
    });
}

#[test]
fn a_connection_that_the_server_closed_is_replaced() {
    simulate(async {
        // It keeps the connection open, and hangs up when the next request comes.
        let mut listener = TcpListener::bind(LOCAL).unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
        let server = spawn(async move {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(&answer("", b"page")).await.unwrap();
                assert!(stream.read(&mut request).await.unwrap() > 0);
            }
        });
        let session = session();
        assert_eq!(fetch(&session, &url).await.unwrap(), b"page");
        assert_eq!(fetch(&session, &url).await.unwrap(), b"page");
        // Nobody listens any more after the second connection.
        assert!(matches!(fetch(&session, &url).await, Err(FetchError::Connect { .. })));
        server.await.unwrap();
    });
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let (message, elapsed) = simulate(async {
        let listener = TcpListener::bind(LOCAL).unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
        let session = Session::new(Settings { timeout: Some(Duration::from_secs(7)), ..Settings::default() });
        let error = session.get(&url).await.unwrap_err();
        (error.to_string(), time::now().as_secs_f64())
    });
    assert_eq!((message.as_str(), elapsed), ("timed out after 7 s", 7.0));
}

#[test]
fn the_time_for_a_request_includes_its_body() {
    let elapsed = simulate(async {
        let mut listener = TcpListener::bind(LOCAL).unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
        drop(spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                time::sleep(Duration::from_secs(1)).await;
            }
        }));
        let settings = Settings { timeout: Some(Duration::from_millis(4500)), ..Settings::default() };
        assert!(matches!(fetch(&Session::new(settings), &url).await, Err(FetchError::Timeout(_))));
        time::now().as_secs_f64()
    });
    assert_eq!(elapsed, 4.5);
}

#[test]
fn gzip_is_decoded() {
    simulate(async {
        let text = "compressible ".repeat(100_000);
        let url = serve_raw(answer("Content-Encoding: gzip\r\n", &gzip(text.as_bytes())));
        assert_eq!(fetch(&session(), &url).await.unwrap(), text.as_bytes());
        let empty = serve_raw(answer("Content-Encoding: gzip\r\n", b""));
        assert_eq!(fetch(&session(), &empty).await.unwrap(), b"");
    });
}

#[test]
fn gzip_that_is_wrong_is_an_error() {
    simulate(async {
        let whole = gzip(b"some text that is long enough");
        let cut = serve_raw(answer("Content-Encoding: gzip\r\n", &whole[..whole.len() - 10]));
        assert!(error(&cut).await.starts_with("the body cannot be decoded"));
        let plain = serve_raw(answer("Content-Encoding: gzip\r\n", b"not compressed"));
        assert!(error(&plain).await.starts_with("the body cannot be decoded"));
        let other = serve_raw(answer("Content-Encoding: br\r\n", b"?"));
        assert_eq!(error(&other).await, "the body cannot be decoded: 'br' was not asked for");
    });
}

#[test]
fn a_body_that_is_too_large_is_an_error() {
    simulate(async {
        let large = vec![b'x'; 10 * 1024 * 1024];
        let expected = "the body is larger than 8388608 bytes";
        assert_eq!(error(&serve_raw(answer("", &large))).await, expected);
        let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        endless.extend_from_slice(&large);
        assert_eq!(error(&serve_raw(endless)).await, expected);
        let bomb = serve_raw(answer("Content-Encoding: gzip\r\n", &gzip(&large)));
        assert_eq!(error(&bomb).await, expected);
    });
}

#[test]
fn a_body_that_is_cut_short_is_an_error() {
    simulate(async {
        let short = serve_raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        assert_eq!(error(&short).await, "the body is cut short");
        let chunked = serve_raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        assert_eq!(error(&chunked).await, "the body is cut short");
    });
}

#[test]
fn a_body_may_end_with_the_connection() {
    simulate(async {
        let url = serve_raw("HTTP/1.0 200 OK\r\n\r\nold style");
        assert_eq!(fetch(&session(), &url).await.unwrap(), b"old style");
    });
}

#[test]
fn redirections_are_followed() {
    simulate(async {
        let url = serve_with(|head| match head.split(' ').nth(1) {
            Some("/") => redirect("/next?x=1#part"),
            Some("/next?x=1") => redirect("last"),
            _ => answer("", b"here"),
        });
        let mut response = session().get(&url).await.unwrap();
        assert_eq!(response.url().path(), "/last");
        assert_eq!(body(&mut response).await.unwrap(), b"here");
    });
}

#[test]
fn ten_redirections_are_followed_and_the_eleventh_is_an_error() {
    simulate(async {
        let url = serve_with(|head| match head.split(' ').nth(1).and_then(|path| path[1..].parse().ok()) {
            Some(0) | None => answer("", b"here"),
            Some(left) => redirect(&format!("/{}", left - 1)),
        });
        assert_eq!(fetch(&session(), &url.join("/10").unwrap()).await.unwrap(), b"here");
        assert_eq!(error(&url.join("/11").unwrap()).await, "redirect loop: more than 10 redirects");
    });
}

#[test]
fn a_redirect_loop_is_an_error() {
    simulate(async {
        let url = serve_raw(redirect("/again"));
        assert_eq!(error(&url).await, "redirect loop: more than 10 redirects");
        assert_eq!(
            error(&serve_raw(redirect("http://["))).await,
            "the redirection to 'http://[' leads nowhere"
        );
        let away = serve_raw(redirect("ftp://host/"));
        assert_eq!(error(&away).await, "the scheme 'ftp' is not supported: use http");
    });
}

#[test]
fn servers_that_misbehave_are_errors() {
    simulate(async {
        let ssh = error(&serve_raw("SSH-2.0-OpenSSH_9.9\r\n")).await;
        assert!(ssh.starts_with("the server does not speak HTTP"), "{ssh}");
        let silent = error(&serve_raw("")).await;
        assert_eq!(silent, "the server disconnected without an answer");
        let half = error(&serve_raw("HTTP/1.1 200 OK\r\nContent-")).await;
        assert_eq!(half, "the server disconnected without an answer");
        let refused = nobody();
        let address = refused.authority().to_string();
        assert_eq!(error(&refused).await, format!("cannot connect to {address}: connection refused"));
    });
}

#[test]
fn a_server_that_speaks_first_does_not_speak_http() {
    simulate(async {
        for hang_up in [false, true] {
            let mut listener = TcpListener::bind(LOCAL).unwrap();
            let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
            drop(spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
                if !hang_up {
                    time::sleep(Duration::from_secs(1000)).await;
                }
            }));
            let message = error(&url).await;
            assert!(message.starts_with("the server does not speak HTTP"), "{message}");
        }
    });
}

#[test]
fn hosts_that_cannot_be_reached_are_errors() {
    simulate(async {
        for (url, message) in [
            ("https://127.0.0.1/", "https is not supported: TLS is not built in yet"),
            ("ftp://127.0.0.1/", "the scheme 'ftp' is not supported: use http"),
            ("http://name.invalid/", "cannot resolve name.invalid: the simulated network has no names"),
        ] {
            assert_eq!(error(&Url::parse(url).unwrap()).await, message);
        }
    });
}

#[test]
fn localhost_needs_no_look_up() {
    simulate(async {
        let server = serve(&[("/", "page")]);
        let url = Url::parse(&format!("http://localhost:{}/", server.address().port())).unwrap();
        assert_eq!(fetch(&session(), &url).await.unwrap(), b"page");
    });
}

#[test]
fn names_are_looked_up_by_the_system() {
    // A label of a name has 63 letters at most: the system knows without asking anybody.
    let host = format!("{}.invalid", "x".repeat(70));
    let url = Url::parse(&format!("http://{host}/")).unwrap();
    let message = coro_core::native::run(async move { error(&url).await }).unwrap();
    assert!(message.starts_with(&format!("cannot resolve {host}: ")), "{message}");
}
