//! The limit on open connections, and the end of a session.

mod crawl_common;

use std::time::Duration;

use coro_core::{gather, native::spawn, time};
use coro_examples::http::{Server, Session, Settings};
use crawl_common::*;
use url::Url;

fn session(connections: usize) -> Session {
    Session::new(Settings { connections, ..Settings::default() })
}

/// The same server under two names, whose connections cannot be used for each other.
fn origins(server: &Server) -> [Url; 2] {
    let named = Url::parse(&format!("http://localhost:{}/", server.address().port())).unwrap();
    [server.url("/").unwrap(), named]
}

#[test]
fn room_is_made_before_a_connection_is_opened() {
    let statistics = simulate(async {
        let server = serve(&[("/", "page")]);
        let session = session(1);
        for url in origins(&server).iter().cycle().take(6) {
            assert_eq!(fetch(&session, url).await.unwrap(), b"page");
        }
        server.statistics()
    });
    assert_eq!((statistics.most_open, statistics.accepted), (1, 6));
}

#[test]
fn a_dropped_response_has_its_place_until_it_is_closed() {
    let statistics = simulate(async {
        let large = "x".repeat(1_000_000);
        let server = serve(&[("/", &large)]);
        let session = session(1);
        for _ in 0..5 {
            drop(session.get(&server.url("/").unwrap()).await.unwrap());
        }
        server.statistics()
    });
    assert_eq!((statistics.most_open, statistics.accepted), (1, 5));
}

#[test]
fn many_requests_to_several_origins_stay_within_the_limit() {
    for limit in [1, 2, 3] {
        let statistics = simulate(async move {
            let server = serve(&[("/", "page")]);
            let session = session(limit);
            let tasks = (0..40).map(|number: usize| {
                let (session, url) = (session.clone(), origins(&server)[number / 3 % 2].clone());
                spawn(async move {
                    if number.is_multiple_of(5) {
                        drop(session.get(&url).await.unwrap());
                    } else {
                        assert_eq!(fetch(&session, &url).await.unwrap(), b"page");
                    }
                })
            });
            gather(tasks).await.unwrap();
            server.statistics()
        });
        assert_eq!((statistics.most_open, statistics.requests), (limit, 40));
    }
}

#[test]
fn a_wait_for_room_that_is_cancelled_takes_none() {
    simulate(async {
        let server = serve(&[("/", "page")]);
        let [first, second] = origins(&server);
        let session = session(1);
        fetch(&session, &first).await.unwrap();
        for turns in 0..10 {
            let task = spawn({
                let (session, url) = (session.clone(), second.clone());
                async move { fetch(&session, &url).await }
            });
            for _ in 0..turns {
                time::yield_now().await;
            }
            task.cancel();
            drop(task.await);
            assert_eq!(fetch(&session, &first).await.unwrap(), b"page", "after {turns} turns");
        }
        assert_eq!(server.statistics().most_open, 1);
    });
}

#[test]
fn a_body_that_ends_after_its_session_keeps_no_connection() {
    let statistics = simulate(async {
        let server = serve(&[("/", "page")]);
        let (session, url) = (session(2), server.url("/").unwrap());
        let mut response = session.get(&url).await.unwrap();
        session.close();
        assert_eq!(body(&mut response).await.unwrap(), b"page");
        time::sleep(Duration::from_secs(1)).await;
        assert_eq!(server.statistics().open, 0);
        // It can be used again, and keeps what it opens then.
        for _ in 0..2 {
            assert_eq!(fetch(&session, &url).await.unwrap(), b"page");
        }
        server.statistics()
    });
    assert_eq!((statistics.accepted, statistics.open), (2, 1));
}
