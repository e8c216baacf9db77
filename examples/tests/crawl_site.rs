//! The site crawl: the same pages in the same order, whoever visits them.

mod crawl_common;

use std::rc::Rc;
use std::time::Duration;

use coro_core::net::TcpListener;
use coro_core::stats::Flavour;
use coro_core::{EventLoop, Loop, native::spawn, time};
use coro_examples::crawl::{
    Log, SiteOptions, SiteReport, crawl_served, crawl_site, documentation, embedded_documentation,
};
use coro_examples::http::{Session, Settings, Source};
use crawl_common::*;
use futures::{AsyncReadExt, AsyncWriteExt};
use indicatif::ProgressBar;
use url::Url;

fn options(start: Url, max_pages: usize, jobs: usize) -> SiteOptions {
    SiteOptions { start, max_pages, jobs, progress: ProgressBar::hidden(), log: Log::silent() }
}

/// A report without what differs from run to run: the clock, and the port of the server.
fn essence(report: &SiteReport) -> (usize, usize, usize, Vec<String>) {
    let visited = report.visited.iter().map(|url| url.path().to_string()).collect();
    (report.pages, report.links, report.failures, visited)
}

fn small_site() -> Source {
    Source::pages(
        "/",
        [
            ("/", r#"<a href="/a"> <a href="/b#part"> <a href="/b"> <a href="http://elsewhere.example/">"#),
            ("/a", r#"<a href="/"> <a href="/missing"> <a href="/style.css"> <a href="mailto:x">"#),
            ("/b", r#"<a href="c"> <a href="a">"#),
            ("/c", "no links"),
            ("/style.css", r#"href="/not-followed""#),
        ],
    )
}

#[test]
fn links_are_followed_breadth_first() {
    let report = crawl_served(Flavour::Native, Loop::simulated(), small_site(), 100, 1).unwrap();
    let visited = ["/", "/a", "/b", "/missing", "/style.css", "/c"].map(String::from).to_vec();
    // Two links of the first page, three of /a and two of /b lead to pages of the site.
    assert_eq!(essence(&report), (5, 7, 1, visited));
}

#[test]
fn reports_are_equal_whatever_the_flavour_the_loop_and_the_number_of_jobs() {
    for source in [small_site(), embedded_documentation()] {
        for max_pages in [0, 1, 4, 20, 1000] {
            let expected =
                crawl_served(Flavour::Native, Loop::simulated(), source.clone(), max_pages, 1).unwrap();
            assert!(expected.visited.len() <= max_pages);
            for flavour in Flavour::ALL {
                for jobs in [1, 2, 8] {
                    for event_loop in both_loops() {
                        let name = format!("{flavour}, {jobs} jobs, {event_loop:?}");
                        let report =
                            crawl_served(flavour, event_loop, source.clone(), max_pages, jobs).unwrap();
                        assert_eq!(essence(&report), essence(&expected), "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_flavour_waits_in_its_own_engine() {
    for flavour in Flavour::ALL {
        for event_loop in both_loops() {
            check_engines(flavour, 20, || {
                let report = crawl_served(flavour, event_loop, embedded_documentation(), 20, 4).unwrap();
                assert_eq!(report.pages, 20);
            });
        }
    }
}

#[test]
fn the_documentation_can_be_crawled() {
    let crawl = |flavour| crawl_served(flavour, Loop::simulated(), documentation(), 25, 8).unwrap();
    let expected = crawl(Flavour::Native);
    assert!(expected.pages > 20 && expected.links > 100, "{expected}");
    for flavour in Flavour::ALL {
        assert_eq!(essence(&crawl(flavour)), essence(&expected), "{flavour}");
    }
}

/// A site whose pages take different times, so that later pages overtake earlier ones.
fn serve_slowly() -> Url {
    let mut listener = TcpListener::bind(LOCAL).unwrap();
    let url = Url::parse(&format!("http://{}/0", listener.local_address())).unwrap();
    drop(spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(spawn(async move {
                let mut request = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut request).await {
                    let head = String::from_utf8_lossy(&request[..count]);
                    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
                    let number: u64 = path.parse().unwrap_or(0);
                    time::sleep(Duration::from_millis(number * 7919 % 100)).await;
                    let links = (1..=3).map(|link| format!(r#"<a href="/{}">"#, number * 3 + link));
                    let page = links.collect::<String>();
                    let page = answer("Content-Type: text/html\r\n", page.as_bytes());
                    if stream.write_all(&page).await.is_err() {
                        break;
                    }
                }
            }));
        }
    }));
    url
}

#[test]
fn pages_that_overtake_others_do_not_change_the_order() {
    let crawl = |flavour, jobs| {
        simulate(async move {
            let session = Session::new(Settings::default());
            crawl_site(flavour, session, options(serve_slowly(), 50, jobs)).await.unwrap()
        })
    };
    let one = crawl(Flavour::Native, 1);
    let expected: Vec<_> = (0..50).map(|number| format!("/{number}")).collect();
    assert_eq!(essence(&one).3, expected);
    for flavour in Flavour::ALL {
        let mut before = one.elapsed + Duration::from_millis(1);
        for jobs in [1, 2, 8] {
            let report = crawl(flavour, jobs);
            assert!(report.agrees_with(&one), "{flavour} with {jobs} jobs: {report:?}");
            assert!(report.elapsed < before, "more jobs take less time: {report:?}");
            before = report.elapsed;
        }
    }
}

#[test]
fn a_site_that_cannot_be_reached_is_a_failure_with_its_reason() {
    for flavour in Flavour::ALL {
        let (log, lines) = Log::in_memory();
        let report = simulate(async move {
            let options = SiteOptions { log, ..options(nobody(), 10, 4) };
            crawl_site(flavour, Session::new(Settings::default()), options).await.unwrap()
        });
        assert_eq!((report.pages, report.links, report.failures), (0, 0, 1));
        let lines = lines.borrow();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("ERROR:areq: Cannot fetch http://127.0.0.1:"), "{lines:?}");
        assert!(lines[0].contains("[None]: cannot connect to 127.0.0.1:"), "{lines:?}");
    }
}

#[test]
fn redirections_within_the_site_count_once() {
    for flavour in Flavour::ALL {
        for jobs in [1, 8] {
            let report = simulate(async move {
                let away = serve(&[("/", r#"<a href="/never">"#)]);
                let away_url = away.url("/").unwrap();
                let url = serve_with(move |head| match head.split(' ').nth(1) {
                    Some("/") => answer(
                        "Content-Type: text/html\r\nConnection: close\r\n",
                        br#"<a href="/old"> <a href="/new"> <a href="/away">"#,
                    ),
                    Some("/old") => redirect("/new"),
                    Some("/away") => redirect(away_url.as_str()),
                    _ => answer("Content-Type: text/html\r\nConnection: close\r\n", br#"<a href="/">"#),
                });
                let session = Session::new(Settings::default());
                crawl_site(flavour, session, options(url, 10, jobs)).await.unwrap()
            });
            let visited = ["/", "/old", "/new", "/away"].map(String::from).to_vec();
            assert_eq!(essence(&report), (4, 4, 0, visited), "{flavour}, {jobs} jobs");
        }
    }
}

#[test]
fn the_part_that_a_redirection_leads_to_is_no_other_page() {
    for flavour in Flavour::ALL {
        let report = simulate(async move {
            let url = serve_with(move |head| match head.split(' ').nth(1) {
                Some("/") => answer(
                    "Content-Type: text/html\r\nConnection: close\r\n",
                    br#"<a href="/one"> <a href="/two"> <a href="/new">"#,
                ),
                Some("/one") => redirect("/new#one"),
                Some("/two") => redirect("/new#two"),
                _ => answer("Content-Type: text/html\r\nConnection: close\r\n", br#"<a href="/">"#),
            });
            let session = Session::new(Settings::default());
            crawl_site(flavour, session, options(url, 10, 2)).await.unwrap()
        });
        // Three links of the first page, and one of the new one.
        let visited = ["/", "/one", "/two", "/new"].map(String::from).to_vec();
        assert_eq!(essence(&report), (4, 4, 0, visited), "{flavour}");
    }
}

#[test]
fn the_workers_share_the_connections() {
    for flavour in Flavour::ALL {
        let most_open = simulate(async move {
            let server =
                Rc::new(coro_examples::http::Server::start(LOCAL, embedded_documentation()).unwrap());
            let session = Session::new(Settings { connections: 3, ..Settings::default() });
            let start = server.url("/index.html").unwrap();
            let report = crawl_site(flavour, session, options(start, 1000, 8)).await.unwrap();
            assert_eq!(report.failures, 0);
            server.statistics()
        });
        assert_eq!((most_open.most_open, most_open.accepted), (3, 3), "{flavour}: {most_open:?}");
    }
}

#[test]
fn there_are_no_more_workers_than_pages() {
    for flavour in Flavour::ALL {
        let tasks = simulate(async move {
            let server = TcpListener::bind(LOCAL).unwrap();
            let start = Url::parse(&format!("http://{}/", server.local_address())).unwrap();
            let task = spawn(crawl_site(flavour, Session::new(Settings::default()), options(start, 2, 500)));
            time::sleep(Duration::from_secs(1)).await;
            task.cancel();
            Loop::current().unwrap().all_tasks().len()
        });
        // The test, the crawl, its flavour's task, the workers and a connection.
        assert!(tasks <= 6, "{flavour}: {tasks} tasks");
    }
}

#[test]
fn a_cancelled_crawl_takes_its_workers_along() {
    for flavour in Flavour::ALL {
        let left = simulate(async move {
            let server = TcpListener::bind(LOCAL).unwrap();
            let start = Url::parse(&format!("http://{}/", server.local_address())).unwrap();
            let session = Session::new(Settings::default());
            let task = spawn(crawl_site(flavour, session, options(start, 10, 4)));
            time::sleep(Duration::from_secs(1)).await;
            task.cancel();
            assert!(task.await.unwrap_err().is_cancelled());
            time::sleep(Duration::from_secs(1)).await;
            let event_loop = Loop::current().unwrap();
            let left: Vec<_> = event_loop.all_tasks().iter().map(|task| format!("{task:?}")).collect();
            (left, server).0
        });
        assert_eq!(left.len(), 1, "{flavour}: only the test itself is left: {left:?}");
    }
}
