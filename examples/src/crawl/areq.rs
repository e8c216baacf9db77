//! areq.py: fetch a list of pages at once, and write down the links in them.
//!
//! `fetch_html`, `parse`, `write_one` and `bulk_crawl_and_write` are written out in each flavour, as they stand in
//! the Python program. What does not wait is shared.
//!
//! Links are found with the Python program's own pattern, so that the text of an `href` is taken as it stands. They
//! are joined to the address of their page by the crate `url`, which does as browsers do (the WHATWG's standard):
//! where Python's `urljoin` leaves the text alone, it encodes spaces and letters beyond ASCII, drops tabs, takes a
//! backslash for a slash, writes hosts in small letters, leaves out the usual port, and refuses what is no address.
//!
//! Only UTF-8 is decoded, whatever the page says about itself. What is not UTF-8 is replaced, with a warning.

use std::collections::BTreeSet;
use std::rc::Rc;

use coro_core::native;
use coro_core::stats::Flavour;
use coro_core::task::TaskError;
use url::Url;

use super::child::Child;
use super::failure::Failure;
use super::fiber;
use super::link::{decode, hrefs};
use super::log::{Level, Log, log_failure};
use super::output::Output;
use crate::http::{FetchError, Session};

/// How many pages have a task at once. areq.py has no such limit, but a system gives a process only so many stacks
/// for fibers: a longer list is crawled in several goes, and each begins when the last page of the one before it is
/// done.
const TASKS_AT_ONCE: usize = 4_096;

/// What the tasks of one crawl share.
#[derive(Debug)]
pub struct Crawl {
    /// Makes the requests.
    pub session: Session,
    /// Takes the links.
    pub output: Output,
    /// Is told what happens.
    pub log: Log,
}

/// Fetches every URL of `urls`, each in a task of its own, 4096 at once, and writes the links found in them to the
/// output.
///
/// # Errors
///
/// Only if a task ends without a result: it panicked, or the crawl was cancelled. A page that cannot be fetched
/// is logged.
pub async fn crawl(flavour: Flavour, crawl: &Rc<Crawl>, urls: &[String]) -> Result<(), TaskError> {
    let (crawl, urls) = (Rc::clone(crawl), urls.to_vec());
    match flavour {
        Flavour::Native => Child(native::spawn(in_native::bulk_crawl_and_write(crawl, urls))).await?,
        Flavour::Generator => {
            Child(coro_gen::spawn(async move |co| in_generator::bulk_crawl_and_write(co, crawl, urls).await))
                .await
        }
        Flavour::Fiber => Child(fiber::spawn(|co| in_fiber::bulk_crawl_and_write(co, crawl, urls))).await,
    }
}

impl Crawl {
    fn got_response(&self, url: &str, status: u16) {
        self.log.line(Level::Info, format_args!("Got response [{status}] for URL: {url}"));
    }

    fn text(&self, url: &str, body: Vec<u8>) -> String {
        let (text, valid) = decode(body);
        if !valid {
            let message = format_args!("Invalid UTF-8 replaced in the body of URL: {url}").to_string();
            self.log.line(Level::Warning, message);
        }
        text
    }

    /// The second half of `parse`: each link once, resolved against the page.
    fn links(&self, url: &str, html: &str) -> BTreeSet<String> {
        let base = Url::parse(url).ok();
        let mut found = BTreeSet::new();
        for link in hrefs(html) {
            match base.as_ref().map(|base| base.join(link)) {
                Some(Ok(absolute)) => drop(found.insert(absolute.into())),
                _ => self.log.line(Level::Error, format_args!("Error parsing URL: {link}")),
            }
        }
        self.log.line(Level::Info, format_args!("Found {} links for {url}", found.len()));
        found
    }

    fn failed(&self, url: &str, error: &FetchError) {
        log_failure(&self.log, "aiohttp exception for", url, error);
    }

    fn write(&self, url: &str, links: &BTreeSet<String>) {
        self.output.append(url, links.iter().map(String::as_str));
        self.log.line(Level::Info, format_args!("Wrote results for source URL: {url}"));
    }
}

mod in_native {
    use coro_core::{gather, native::spawn};

    use super::*;

    async fn fetch_html(crawl: &Crawl, url: &str) -> Result<String, FetchError> {
        let mut response = crawl.session.get(&Url::parse(url)?).await?;
        response.raise_for_status()?;
        crawl.got_response(url, response.status());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(crawl.text(url, body))
    }

    async fn parse(crawl: &Crawl, url: &str) -> BTreeSet<String> {
        match fetch_html(crawl, url).await {
            Ok(html) => crawl.links(url, &html),
            Err(error) => {
                crawl.failed(url, &error);
                BTreeSet::new()
            }
        }
    }

    async fn write_one(crawl: Rc<Crawl>, url: String) {
        let links = parse(&crawl, &url).await;
        if !links.is_empty() {
            crawl.write(&url, &links);
        }
    }

    pub(super) async fn bulk_crawl_and_write(crawl: Rc<Crawl>, urls: Vec<String>) -> Result<(), TaskError> {
        for urls in urls.chunks(TASKS_AT_ONCE) {
            let tasks = urls.iter().map(|url| spawn(write_one(Rc::clone(&crawl), url.clone())));
            gather(tasks).await?;
        }
        Ok(())
    }
}

mod in_generator {
    use coro_core::{TaskResult, gather};
    use coro_gen::{TaskCo, spawn};

    use super::*;

    async fn fetch_html(co: &mut TaskCo<'_>, crawl: &Crawl, url: &str) -> Result<String, Failure> {
        let mut response = co.wait(crawl.session.get(&Url::parse(url)?)).await??;
        response.raise_for_status()?;
        crawl.got_response(url, response.status());
        let mut body = Vec::new();
        while let Some(chunk) = co.wait(response.chunk()).await?? {
            body.extend_from_slice(&chunk);
        }
        Ok(crawl.text(url, body))
    }

    async fn parse(co: &mut TaskCo<'_>, crawl: &Crawl, url: &str) -> TaskResult<BTreeSet<String>> {
        match fetch_html(co, crawl, url).await {
            Ok(html) => Ok(crawl.links(url, &html)),
            Err(Failure::Fetch(error)) => {
                crawl.failed(url, &error);
                Ok(BTreeSet::new())
            }
            Err(Failure::Thrown(thrown)) => Err(thrown),
        }
    }

    async fn write_one(co: &mut TaskCo<'_>, crawl: Rc<Crawl>, url: String) -> TaskResult<()> {
        let links = parse(co, &crawl, &url).await?;
        if !links.is_empty() {
            crawl.write(&url, &links);
        }
        Ok(())
    }

    pub(super) async fn bulk_crawl_and_write(
        co: &mut TaskCo<'_>,
        crawl: Rc<Crawl>,
        urls: Vec<String>,
    ) -> TaskResult<()> {
        for urls in urls.chunks(TASKS_AT_ONCE) {
            let tasks = urls.iter().map(|url| {
                let (crawl, url) = (Rc::clone(&crawl), url.clone());
                spawn(async move |co| write_one(co, crawl, url).await)
            });
            co.wait(gather(tasks)).await??;
        }
        Ok(())
    }
}

mod in_fiber {
    use coro_core::{TaskResult, gather};
    use coro_fiber::TaskCo;

    use super::*;

    fn fetch_html(co: &mut TaskCo<'_>, crawl: &Crawl, url: &str) -> Result<String, Failure> {
        let mut response = co.wait(crawl.session.get(&Url::parse(url)?))??;
        response.raise_for_status()?;
        crawl.got_response(url, response.status());
        let mut body = Vec::new();
        while let Some(chunk) = co.wait(response.chunk())?? {
            body.extend_from_slice(&chunk);
        }
        Ok(crawl.text(url, body))
    }

    fn parse(co: &mut TaskCo<'_>, crawl: &Crawl, url: &str) -> TaskResult<BTreeSet<String>> {
        match fetch_html(co, crawl, url) {
            Ok(html) => Ok(crawl.links(url, &html)),
            Err(Failure::Fetch(error)) => {
                crawl.failed(url, &error);
                Ok(BTreeSet::new())
            }
            Err(Failure::Thrown(thrown)) => Err(thrown),
        }
    }

    fn write_one(co: &mut TaskCo<'_>, crawl: Rc<Crawl>, url: String) -> TaskResult<()> {
        let links = parse(co, &crawl, &url)?;
        if !links.is_empty() {
            crawl.write(&url, &links);
        }
        Ok(())
    }

    pub(super) fn bulk_crawl_and_write(
        co: &mut TaskCo<'_>,
        crawl: Rc<Crawl>,
        urls: Vec<String>,
    ) -> TaskResult<()> {
        for urls in urls.chunks(TASKS_AT_ONCE) {
            let tasks = urls.iter().map(|url| {
                let (crawl, url) = (Rc::clone(&crawl), url.clone());
                fiber::spawn(move |co| write_one(co, crawl, url))
            });
            co.wait(gather(tasks))??;
        }
        Ok(())
    }
}
