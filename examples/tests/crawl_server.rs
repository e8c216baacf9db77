//! The static file server.

mod crawl_common;

use std::fs;
use std::time::Duration;

use coro_core::net::TcpStream;
use coro_core::time;
use coro_examples::http::{Server, Session, Settings, Source};
use crawl_common::*;
use futures::{AsyncReadExt, AsyncWriteExt};

/// What `server` says to `request`, word for word but for the date.
async fn ask(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let lines = answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: "));
    lines.collect()
}

async fn ask_for(server: &Server, method: &str, path: &str) -> String {
    ask(server, &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
}

#[test]
fn pages_are_served_with_their_types() {
    simulate(async {
        let server = serve(&[("/page.html", "<p>"), ("/style.css", "p {}"), ("/", "root")]);
        let html = ask_for(&server, "GET", "/page.html?query").await;
        assert!(html.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n"), "{html}");
        assert!(html.ends_with("\r\n\r\n<p>"), "{html}");
        let css = ask_for(&server, "GET", "/style.css").await;
        assert!(css.contains("content-type: text/css"), "{css}");
        let missing = ask_for(&server, "GET", "/missing").await;
        assert!(missing.starts_with("HTTP/1.1 404 Not Found\r\n"), "{missing}");
    });
}

#[test]
fn a_head_request_gets_no_body() {
    simulate(async {
        let server = serve(&[("/", "four")]);
        let answer = ask_for(&server, "HEAD", "/").await;
        assert!(answer.contains("content-length: 4\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        let posted = ask_for(&server, "POST", "/").await;
        assert!(posted.starts_with("HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD\r\n"), "{posted}");
    });
}

#[test]
fn a_path_cannot_leave_the_directory() {
    let root = tempfile::tempdir().unwrap();
    let served = root.path().join("served");
    fs::create_dir(&served).unwrap();
    fs::write(root.path().join("secret"), "secret").unwrap();
    fs::write(served.join("index.html"), "index").unwrap();
    simulate(async move {
        let server = Server::start(LOCAL, Source::directory(served, "/").unwrap()).unwrap();
        for path in ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/x/../../secret", "//../secret"] {
            let answer = ask_for(&server, "GET", path).await;
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{path}: {answer}");
        }
        assert!(ask_for(&server, "GET", "/").await.ends_with("index"));
    });
}

#[test]
fn a_directory_without_its_slash_is_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("a b")).unwrap();
    fs::write(root.path().join("a b/index.html"), "index").unwrap();
    simulate(async move {
        let server = Server::start(LOCAL, Source::directory(root.path(), "/").unwrap()).unwrap();
        let answer = ask_for(&server, "GET", "/a%20b").await;
        assert!(answer.contains("location: /a%20b/\r\n"), "{answer}");
        let session = Session::new(Settings::default());
        assert_eq!(fetch(&session, &server.url("/a%20b").unwrap()).await.unwrap(), b"index");
        drop(root);
    });
}

#[test]
fn the_way_to_a_directory_keeps_its_encoding_and_its_query() {
    let root = tempfile::tempdir().unwrap();
    for name in ["%41", "A", "host"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    simulate(async move {
        let server = Server::start(LOCAL, Source::directory(root.path(), "/").unwrap()).unwrap();
        for (asked, location) in [
            ("/%2541?q=1", "/%2541/?q=1"),
            ("/%41?q=%2f&r", "/%41/?q=%2f&r"),
            ("/A?", "/A/?"),
            ("//host?q", "/host/?q"),
        ] {
            let answer = ask_for(&server, "GET", asked).await;
            assert!(answer.starts_with("HTTP/1.1 301 Moved Permanently\r\n"), "{asked}: {answer}");
            assert!(answer.contains(&format!("location: {location}\r\n")), "{asked}: {answer}");
        }
        drop(root);
    });
}

#[test]
fn a_server_that_is_stopped_is_gone() {
    simulate(async {
        let server = serve(&[("/", "page")]);
        let url = server.url("/").unwrap();
        let session = Session::new(Settings::default());
        fetch(&session, &url).await.unwrap();
        let idle = TcpStream::connect(server.address()).await.unwrap();
        server.stop().await;
        time::sleep(Duration::from_secs(1)).await;
        assert!(fetch(&session, &url).await.unwrap_err().to_string().contains("connection refused"));
        let mut rest = Vec::new();
        assert_eq!({ idle }.read_to_end(&mut rest).await.unwrap(), 0);
    });
}

#[test]
fn nonsense_does_not_hurt_the_server() {
    simulate(async {
        let server = serve(&[("/", "page")]);
        let answer = ask(&server, "nonsense\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(ask_for(&server, "GET", "/").await.ends_with("page"));
    });
}
