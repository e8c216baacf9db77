//! What the tests of the crawler share.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::future::Future;
use std::net::SocketAddr;

use coro_core::net::TcpListener;
use coro_core::stats::{Flavour, counts};
use coro_core::{EventLoop, Loop, native};
use coro_examples::http::{FetchError, Response, Server, Session, Source};
use futures::{AsyncReadExt, AsyncWriteExt};
use url::Url;

pub const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The pages of `goldens/crawler/fixture.py`, and how many links each has.
pub const PAGES: [(&str, usize); 7] = [
    ("regex101", 23),
    ("nytimes", 120),
    ("mediamatters", 115),
    ("one-one", 36),
    ("politico", 143),
    ("bloomberg", 3),
    ("rfc2616", 0),
];

/// What the server of the golden files was called.
pub const GOLDEN_HOST: &str = "127.0.0.1:18999";

/// What is asked of the fixture at `host`: its pages, and one that is not there.
pub fn fixture_urls(host: &str) -> Vec<String> {
    let names = PAGES.iter().map(|(name, _)| *name).chain(["docs-404"]);
    names.map(|name| format!("http://{host}/{name}")).collect()
}

/// The lines in alphabetical order.
pub fn sorted(lines: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut lines: Vec<_> = lines.into_iter().map(Into::into).collect();
    lines.sort();
    lines
}

/// A loop in virtual time, and one over epoll.
pub fn both_loops() -> [Loop; 2] {
    [Loop::simulated(), Loop::new().unwrap()]
}

/// Runs `test` on the simulated loop.
pub fn simulate<T: 'static>(test: impl Future<Output = T> + 'static) -> T {
    Loop::simulated().run(test).unwrap()
}

/// Checks that what `run` does in `flavour` waits more than `waits` times in its own engine, and never in that of
/// the third flavour, which is neither `flavour` nor native: the connections and the server are always native.
#[track_caller]
pub fn check_engines(flavour: Flavour, waits: u64, run: impl FnOnce()) {
    let before = Flavour::ALL.map(counts);
    run();
    for (engine, before) in Flavour::ALL.into_iter().zip(before) {
        let switches = counts(engine) - before;
        if engine == flavour {
            assert!(switches.parks > waits, "{flavour}: {switches:?}");
        } else if engine != Flavour::Native {
            assert_eq!(switches, Default::default(), "{flavour} ran in the engine of {engine}");
        }
    }
}

/// A server of `pages`, on the running loop.
pub fn serve(pages: &[(&str, &str)]) -> Server {
    let pages = pages.iter().map(|(path, body)| (path.to_string(), body.to_string()));
    Server::start(LOCAL, Source::pages("/", pages)).unwrap()
}

/// A server that says the same to everyone once it has been asked, and hangs up. Gives its URL.
pub fn serve_raw(answer: impl Into<Vec<u8>>) -> Url {
    let answer = answer.into();
    serve_with(move |_request| answer.clone())
}

/// A server whose answer to a request head is up to `answer`; it hangs up after each.
pub fn serve_with(answer: impl Fn(&str) -> Vec<u8> + 'static) -> Url {
    let mut listener = TcpListener::bind(LOCAL).unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_address())).unwrap();
    drop(native::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            // The client may be gone.
            drop(stream.write_all(&answer(&String::from_utf8_lossy(&head))).await);
            drop(stream.close().await);
        }
    }));
    url
}

/// A redirection.
pub fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
}

/// A whole answer.
pub fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// A URL at which nobody listens.
pub fn nobody() -> Url {
    let listener = TcpListener::bind(LOCAL).unwrap();
    Url::parse(&format!("http://{}/", listener.local_address())).unwrap()
}

/// The whole body.
pub async fn body(response: &mut Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The whole body behind a URL.
pub async fn fetch(session: &Session, url: &Url) -> Result<Vec<u8>, FetchError> {
    body(&mut session.get(url).await?).await
}
