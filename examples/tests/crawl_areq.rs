//! areq.py: the golden files, the three flavours, both loops, and input that is no good.

mod crawl_common;

use std::fs;
use std::path::Path;
use std::rc::Rc;

use coro_core::stats::Flavour;
use coro_core::{EventLoop, Loop};
use coro_examples::crawl::{Crawl, Log, Output, crawl};
use coro_examples::http::{Server, Session, Settings, Source};
use crawl_common::*;

fn page(name: &str, links: usize) -> String {
    let mut lines = vec!["<html><body>".to_string()];
    for i in 0..links {
        let href = match i % 4 {
            0 => format!("http://ext.example/{name}/{i}"),
            1 => format!("/abs/{i}"),
            2 => format!("rel/{i}?q=1"),
            _ => format!("../up/{i}#frag"),
        };
        lines.push(format!(r#"<a href="{href}">l{i}</a>"#));
    }
    if links > 0 {
        lines.push(r#"<a href="/abs/1">duplicate</a>"#.to_string());
    }
    lines.push("</body></html>".to_string());
    lines.join("\n")
}

/// The lines of the file and of the log, in alphabetical order, the log without its times.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    file: Vec<String>,
    log: Vec<String>,
}

/// Crawls `urls` on the running loop.
async fn crawl_urls(flavour: Flavour, urls: &[String]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("foundurls.txt");
    let (log, lines) = Log::in_memory();
    let output = Output::create(&target).unwrap();
    let shared = Rc::new(Crawl { session: Session::new(Settings::default()), output, log });
    crawl(flavour, &shared, urls).await.unwrap();
    Rc::into_inner(shared).unwrap().output.finish().unwrap();
    let file = fs::read_to_string(&target).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing but the file is left");
    let without_time = |line: &String| {
        assert_eq!(line.find(' '), Some(8), "{line}");
        line[9..].to_string()
    };
    let file = file.lines().map(ToString::to_string);
    Outcome { file: sorted(file), log: sorted(lines.borrow().iter().map(without_time)) }
}

/// The log of a crawl of `urls` on the running loop, without its times.
async fn log_of(flavour: Flavour, urls: &[&str]) -> Vec<String> {
    let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
    crawl_urls(flavour, &urls).await.log
}

fn golden(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/crawler").join(name);
    sorted(fs::read_to_string(path).unwrap().lines().map(ToString::to_string))
}

async fn crawl_fixture(flavour: Flavour) -> Outcome {
    let pages = PAGES.map(|(name, links)| (format!("/{name}"), page(name, links)));
    let server = Server::start(LOCAL, Source::pages("/", pages)).unwrap();
    let host = server.address().to_string();
    let Outcome { file, log } = crawl_urls(flavour, &fixture_urls(&host)).await;
    server.stop().await;
    let rename = |lines: Vec<String>| sorted(lines.iter().map(|line| line.replace(&host, GOLDEN_HOST)));
    Outcome { file: rename(file), log: rename(log) }
}

#[test]
fn the_golden_files_come_out_of_every_flavour_and_loop() {
    let mut log = golden("areq.sorted.log");
    // The command logs the selector; here there is only the crawl.
    log.retain(|line| !line.starts_with("DEBUG:asyncio"));
    let expected = Outcome { file: golden("foundurls.sorted.txt"), log };
    for flavour in Flavour::ALL {
        for event_loop in both_loops() {
            let outcome = event_loop.run(crawl_fixture(flavour)).unwrap();
            assert_eq!(outcome, expected, "{flavour} on {event_loop:?}");
        }
    }
}

#[test]
fn every_flavour_waits_in_its_own_engine() {
    for flavour in Flavour::ALL {
        check_engines(flavour, PAGES.len() as u64, || drop(simulate(crawl_fixture(flavour))));
    }
}

#[test]
fn a_simulated_crawl_is_the_same_every_time() {
    let log = |flavour| {
        simulate(async move {
            let (log, lines) = Log::in_memory();
            let server = serve(&[("/a", r#"<a href="1">"#), ("/b", r#"<a href="2">"#), ("/c", "")]);
            let urls = ["/c", "/a", "/none", "/b"].map(|path| server.url(path).unwrap().to_string());
            let directory = tempfile::tempdir().unwrap();
            let output = Output::create(&directory.path().join("out")).unwrap();
            let shared = Rc::new(Crawl { session: Session::new(Settings::default()), output, log });
            crawl(flavour, &shared, &urls).await.unwrap();
            lines.take()
        })
    };
    let expected = log(Flavour::Native);
    assert!(expected[0].starts_with("00:00:00 INFO:areq: Got response [200] for URL: "), "{expected:?}");
    for flavour in Flavour::ALL {
        assert_eq!(log(flavour), expected, "{flavour}, in this order");
    }
}

#[test]
fn bad_pages_are_logged_and_the_others_go_on() {
    for flavour in Flavour::ALL {
        simulate(async move {
            let large = vec![b'x'; 10 * 1024 * 1024];
            let bad = [
                (serve_raw(answer("", &large)).to_string(), "the body is larger than 8388608 bytes"),
                (
                    serve_raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut").to_string(),
                    "the body is cut short",
                ),
                (serve_raw(redirect("/")).to_string(), "redirect loop: more than 10 redirects"),
                (nobody().to_string(), "cannot connect to"),
                (serve_raw("220 mail.example ESMTP\r\n").to_string(), "the server does not speak HTTP"),
                (serve_raw("HTTP/1.1 500 Oh No\r\nContent-Length: 0\r\n\r\n").to_string(), "Oh No"),
                ("no url at all".to_string(), "not a valid URL: relative URL without a base"),
                ("mailto:somebody".to_string(), "the scheme 'mailto' is not supported: use http"),
                ("https://127.0.0.1/".to_string(), "https is not supported: TLS is not built in yet"),
            ];
            let server = serve(&[("/", r#"<a href="link">"#)]);
            let good = server.url("/").unwrap();
            let urls: Vec<_> = bad.iter().map(|(url, _)| url.as_str()).chain([good.as_str()]).collect();
            let log = log_of(flavour, &urls).await;
            for (url, message) in &bad {
                let status = if *message == "Oh No" { "500" } else { "None" };
                let expected = format!("ERROR:areq: aiohttp exception for {url} [{status}]: {message}");
                let found = log.iter().filter(|line| line.starts_with(&expected)).count();
                assert_eq!(found, 1, "{expected}\nis not in\n{}", log.join("\n"));
            }
            assert!(log.contains(&format!("INFO:areq: Wrote results for source URL: {good}")), "{log:?}");
            assert!(log.iter().all(|line| !line.contains('\n')), "{log:?}");
        });
    }
}

#[test]
fn links_that_lead_nowhere_are_logged() {
    for flavour in Flavour::ALL {
        let log = simulate(async move {
            let server = serve(&[("/", r#"<a href="http://["> <a href="good"> <a href="good">"#)]);
            log_of(flavour, &[server.url("/").unwrap().as_str()]).await
        });
        assert_eq!(log[0], "ERROR:areq: Error parsing URL: http://[");
        assert!(log[1].starts_with("INFO:areq: Found 1 links for "), "{log:?}");
    }
}

#[test]
fn a_line_of_the_log_is_one_line_whatever_the_page_says() {
    for flavour in Flavour::ALL {
        let log = simulate(async move {
            let server = serve(&[("/", "<a href=\"http://[\r\x1b[31mred\u{85}\">")]);
            let moved = serve_raw(redirect("http://[\x1b"));
            let reason = serve_raw("HTTP/1.1 500 \u{85}\u{9b}31m\r\nContent-Length: 0\r\n\r\n");
            log_of(flavour, &[server.url("/").unwrap().as_str(), "a\rb", moved.as_str(), reason.as_str()])
                .await
        });
        assert!(log.contains(&"ERROR:areq: Error parsing URL: http://[��[31mred�".to_string()), "{log:?}");
        assert!(!log.iter().any(|line| line.contains(char::is_control)), "{log:?}");
    }
}

#[test]
fn invalid_text_is_replaced_with_one_warning() {
    for flavour in Flavour::ALL {
        let outcome = simulate(async move {
            let url = serve_raw(answer("", b"\xff\xfe <a href=\"/\xff\">\xff</a>"));
            crawl_urls(flavour, &[url.to_string()]).await
        });
        assert!(outcome.file[0].ends_with("/%EF%BF%BD"), "{outcome:?}");
        let warnings = outcome.log.iter().filter(|line| line.starts_with("WARNING:areq: ")).count();
        assert_eq!(warnings, 1, "{outcome:?}");
    }
}

#[test]
fn nothing_to_crawl_gives_the_header_alone() {
    for flavour in Flavour::ALL {
        let outcome = simulate(async move { crawl_urls(flavour, &[]).await });
        assert_eq!(outcome, Outcome { file: vec!["source_url\tparsed_url".to_string()], log: Vec::new() });
    }
}

#[test]
fn a_crawl_that_is_cancelled_ends() {
    for flavour in Flavour::ALL {
        let event_loop = Loop::simulated();
        let result = event_loop.run(async move {
            let listener = coro_core::net::TcpListener::bind(LOCAL).unwrap();
            let url = format!("http://{}/", listener.local_address());
            let task = coro_core::native::spawn(async move { crawl_urls(flavour, &[url]).await });
            coro_core::time::sleep(std::time::Duration::from_secs(1)).await;
            task.cancel();
            assert!(task.await.unwrap_err().is_cancelled());
            coro_core::time::sleep(std::time::Duration::from_secs(1)).await;
            let left = Loop::current().unwrap().all_tasks();
            drop(listener);
            left
        });
        assert_eq!(result.unwrap().len(), 1, "{flavour}: only the test itself is left");
    }
}

#[test]
fn an_output_that_is_not_finished_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("out");
    fs::write(&target, "before").unwrap();
    let output = Output::create(&target).unwrap();
    output.append("source", ["link"]);
    drop(output);
    assert_eq!(fs::read_to_string(&target).unwrap(), "before");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let output = Output::create(&target).unwrap();
    output.append("source", ["link"]);
    output.finish().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "source_url\tparsed_url\nsource\tlink\n");
    assert!(Output::create(directory.path()).is_err());
    assert!(Output::create(Path::new("/dev/null")).is_err(), "a device is not replaced");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    Output::create(&link).unwrap().finish().unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "source_url\tparsed_url\n");
    assert!(Output::create(&directory.path().join("missing/out")).is_err());
}
