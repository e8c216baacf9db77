//! Bodies that nobody wants do not decide what becomes of a request.

mod crawl_common;

use std::rc::Rc;
use std::time::Duration;

use coro_core::net::TcpListener;
use coro_core::stats::Flavour;
use coro_core::{native::spawn, time};
use coro_examples::crawl::{Crawl, Log, Output, SiteOptions, crawl, crawl_site};
use coro_examples::http::{Session, Settings};
use crawl_common::*;
use futures::{AsyncReadExt, AsyncWriteExt};
use indicatif::ProgressBar;
use url::Url;

/// The rest of an answer after its status line and common headers: headers, and a body that is no good.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let headed = |headers: &str, body: &[u8]| [headers.as_bytes(), b"\r\n", body].concat();
    let large = vec![b'x'; 10 * 1024 * 1024];
    vec![
        ("br", headed("Content-Length: 1\r\nContent-Encoding: br\r\n", b"?")),
        ("no gzip", headed("Content-Length: 1\r\nContent-Encoding: gzip\r\n", b"?")),
        ("cut short", headed("Connection: close\r\nContent-Length: 100\r\n", b"only this")),
        ("never sent", headed("Content-Length: 100\r\n", b"")),
        ("wrong chunks", headed("Transfer-Encoding: chunked\r\n", b"not a chunk")),
        ("large", headed("Content-Length: 10485760\r\n", &large)),
        ("endless", headed("", &large)),
    ]
}

/// A server that answers `/` with `head` and `rest`, and everything else with a page. It leaves the connection open
/// unless the rest says otherwise.
fn serve_bad(head: &'static str, rest: Vec<u8>) -> Url {
    let mut listener = TcpListener::bind(LOCAL).unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
    let rest = Rc::new(rest);
    drop(spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let rest = Rc::clone(&rest);
            drop(spawn(async move {
                let mut request = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut request).await {
                    let said = if request[..count].starts_with(b"GET / ") {
                        [head.as_bytes(), &rest].concat()
                    } else {
                        answer("Content-Type: text/html\r\n", b"<a href=\"/end\">")
                    };
                    // The client may have seen enough.
                    drop(stream.write_all(&said).await);
                    if rest.starts_with(b"Connection: close") {
                        break;
                    }
                }
            }));
        }
    }));
    url
}

const FOUND: &str = "HTTP/1.1 302 Found\r\nLocation: /end\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n";

#[test]
fn the_body_of_a_redirection_does_not_matter() {
    for (what, rest) in bad_bodies() {
        simulate(async move {
            let url = serve_bad(FOUND, rest);
            let session = Session::new(Settings { connections: 1, ..Settings::default() });
            let mut response = session.get(&url).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((response.status(), response.url().path()), (200, "/end"), "{what}");
            assert_eq!(body(&mut response).await.unwrap(), b"<a href=\"/end\">", "{what}");
            assert!(time::now().as_secs_f64() <= 1.0, "{what} took {:?}", time::now());
        });
    }
}

#[test]
fn the_body_of_an_error_does_not_matter() {
    for (what, rest) in bad_bodies() {
        simulate(async move {
            let url = serve_bad(MISSING, rest);
            let session = Session::new(Settings::default());
            let response = session.get(&url).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(response.raise_for_status().unwrap_err().to_string(), "Not Found", "{what}");
            response.release().await;
            assert!(time::now().as_secs_f64() <= 1.0, "{what} took {:?}", time::now());
        });
    }
}

#[test]
fn both_crawlers_log_the_status_and_not_the_body() {
    for flavour in Flavour::ALL {
        for (what, rest) in bad_bodies() {
            let lines = simulate(async move {
                let url = serve_bad(MISSING, rest);
                let (log, lines) = Log::in_memory();
                let folder = tempfile::tempdir().unwrap();
                let output = Output::create(&folder.path().join("out")).unwrap();
                let session = Session::new(Settings::default());
                let shared = Rc::new(Crawl { session: session.clone(), output, log: log.clone() });
                crawl(flavour, &shared, &[url.to_string()]).await.unwrap();
                let progress = ProgressBar::hidden();
                let options = SiteOptions { start: url, max_pages: 1, jobs: 1, progress, log };
                let report = crawl_site(flavour, session, options).await.unwrap();
                assert_eq!((report.pages, report.failures), (0, 1), "{flavour}, {what}");
                time::sleep(Duration::from_secs(1)).await;
                lines.take()
            });
            assert_eq!(lines.len(), 2, "{flavour}, {what}: {lines:?}");
            assert!(lines.iter().all(|line| line.ends_with(" [404]: Not Found")), "{what}: {lines:?}");
        }
    }
}

#[test]
fn the_encoding_is_reported_with_the_first_chunk() {
    simulate(async {
        let url = serve_raw(answer("Content-Encoding: br\r\n", b"?"));
        let mut response = Session::new(Settings::default()).get(&url).await.unwrap();
        assert_eq!(response.status(), 200);
        let error = response.chunk().await.unwrap_err().to_string();
        assert_eq!(error, "the body cannot be decoded: 'br' was not asked for");
    });
}
