//! Crawls a site: follows the links within one origin, breadth first, with a number of workers.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use coro_core::stats::Flavour;
use coro_core::task::TaskError;
use coro_core::{JoinHandle, native, time};
use futures::future::{Either, select, select_all};
use indicatif::ProgressBar;
use url::Url;

use super::child::Child;
use super::failure::Failure;
use super::frontier::{Frontier, Page, Tally, Visit};
use super::log::Log;
use crate::http::{FetchError, Response, Session};

/// What to crawl, and how.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// The first page.
    pub start: Url,
    /// How many pages are visited at most.
    pub max_pages: usize,
    /// How many workers visit them: at least one, and no more than there may be pages.
    pub jobs: usize,
    /// Shows how far the crawl is. [`ProgressBar::hidden`] is quiet.
    pub progress: ProgressBar,
    /// Is told of pages that cannot be fetched, in the order of the crawl.
    pub log: Log,
}

/// What a site crawl has found. The same for every flavour and any number of workers, but for the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteReport {
    /// How many pages there were.
    pub pages: usize,
    /// How many different links within the site they had, summed over the pages.
    pub links: usize,
    /// How many addresses led to no page.
    pub failures: usize,
    /// The addresses, in breadth-first order. `pages + failures` of them.
    pub visited: Vec<Url>,
    /// How long it took, on the loop's clock.
    pub elapsed: Duration,
}

impl SiteReport {
    /// Whether two crawls found the same, however long they took.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let counts = |report: &Self| (report.pages, report.links, report.failures);
        counts(self) == counts(other) && self.visited == other.visited
    }
}

impl fmt::Display for SiteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, links, failures, elapsed, .. } = self;
        write!(f, "{pages} pages with {links} links, {failures} failures, in {:.3} s", elapsed.as_secs_f64())
    }
}

/// Crawls a site in one flavour: a task that waits, and a task for each worker.
///
/// # Errors
///
/// Only if a task ends without a result. A page that cannot be fetched is counted.
pub async fn crawl_site(
    flavour: Flavour,
    session: Session,
    options: SiteOptions,
) -> Result<SiteReport, TaskError> {
    let SiteOptions { start, max_pages, jobs, progress, log } = options;
    let began = time::now();
    // A worker that never gets a page is of no use.
    let jobs = jobs.min(max_pages).max(1);
    let site = Rc::new(Site { session, frontier: Frontier::new(&start, max_pages, progress.clone(), log) });
    match flavour {
        Flavour::Native => Child(native::spawn(in_native::crawl(Rc::clone(&site), jobs))).await??,
        Flavour::Generator => {
            let site = Rc::clone(&site);
            Child(coro_gen::spawn(async move |co| in_generator::crawl(co, site, jobs).await)).await?;
        }
        Flavour::Fiber => {
            let site = Rc::clone(&site);
            Child(coro_fiber::spawn(move |co| in_fiber::crawl(co, site, jobs))).await?;
        }
    }
    progress.finish_and_clear();
    let Tally { pages, links, failures } = site.frontier.tally();
    Ok(SiteReport { pages, links, failures, visited: site.frontier.visited(), elapsed: time::now() - began })
}

/// What the workers share.
#[derive(Debug)]
struct Site {
    session: Session,
    frontier: Frontier,
}

/// Whether there is anything to read in the body.
fn has_links(response: &Response) -> bool {
    response.is_html() && response.raise_for_status().is_ok()
}

/// What a page without links counts as.
fn without_links(status: Result<(), FetchError>) -> Visit {
    status.map_or_else(Visit::Failed, |()| Visit::Other)
}

/// The tasks that visit the pages. They end with whoever waits for them, however that ends.
struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Waits until every page is done, `queue.join()`; or for the end of a worker, which can only be a failure, and
    /// would leave the queue unfinished for ever.
    async fn join(&mut self, site: &Site) -> Result<(), TaskError> {
        match select(site.frontier.queue.join(), select_all(&mut self.0)).await {
            Either::Left(((), _workers)) => Ok(()),
            Either::Right(((ended, _, _), _queue)) => ended,
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &self.0 {
            worker.cancel();
        }
    }
}

mod in_native {
    use coro_core::native::spawn;

    use super::*;

    async fn fetch(site: &Site, url: &Url) -> Result<Visit, FetchError> {
        let mut response = site.session.get(url).await?;
        if !has_links(&response) {
            let status = response.raise_for_status();
            response.release().await;
            return Ok(without_links(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Visit::html(response.url(), body))
    }

    async fn worker(site: Rc<Site>) {
        loop {
            let page: Page = site.frontier.queue.get().await.unwrap();
            let visit = fetch(&site, &page.url).await.unwrap_or_else(Visit::Failed);
            site.frontier.done(page, visit);
        }
    }

    pub(super) async fn crawl(site: Rc<Site>, jobs: usize) -> Result<(), TaskError> {
        let mut workers = Workers((0..jobs).map(|_| spawn(worker(Rc::clone(&site)))).collect());
        workers.join(&site).await
    }
}

mod in_generator {
    use coro_core::TaskResult;
    use coro_gen::{TaskCo, spawn};

    use super::*;

    async fn fetch(co: &mut TaskCo<'_>, site: &Site, url: &Url) -> Result<Visit, Failure> {
        let mut response = co.wait(site.session.get(url)).await??;
        if !has_links(&response) {
            let status = response.raise_for_status();
            co.wait(response.release()).await?;
            return Ok(without_links(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = co.wait(response.chunk()).await?? {
            body.extend_from_slice(&chunk);
        }
        Ok(Visit::html(response.url(), body))
    }

    async fn worker(co: &mut TaskCo<'_>, site: Rc<Site>) -> TaskResult<()> {
        loop {
            let page: Page = co.wait(site.frontier.queue.get()).await?.unwrap();
            let visit = match fetch(co, &site, &page.url).await {
                Ok(visit) => visit,
                Err(Failure::Fetch(error)) => Visit::Failed(error),
                Err(Failure::Thrown(thrown)) => return Err(thrown),
            };
            site.frontier.done(page, visit);
        }
    }

    pub(super) async fn crawl(co: &mut TaskCo<'_>, site: Rc<Site>, jobs: usize) -> TaskResult<()> {
        let begin = |_| {
            let site = Rc::clone(&site);
            spawn(async move |co| worker(co, site).await)
        };
        let mut workers = Workers((0..jobs).map(begin).collect());
        co.wait(workers.join(&site)).await??;
        Ok(())
    }
}

mod in_fiber {
    use coro_core::TaskResult;
    use coro_fiber::{TaskCo, spawn};

    use super::*;

    fn fetch(co: &mut TaskCo<'_>, site: &Site, url: &Url) -> Result<Visit, Failure> {
        let mut response = co.wait(site.session.get(url))??;
        if !has_links(&response) {
            let status = response.raise_for_status();
            co.wait(response.release())?;
            return Ok(without_links(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = co.wait(response.chunk())?? {
            body.extend_from_slice(&chunk);
        }
        Ok(Visit::html(response.url(), body))
    }

    fn worker(co: &mut TaskCo<'_>, site: &Site) -> TaskResult<()> {
        loop {
            let page: Page = co.wait(site.frontier.queue.get())?.unwrap();
            let visit = match fetch(co, site, &page.url) {
                Ok(visit) => visit,
                Err(Failure::Fetch(error)) => Visit::Failed(error),
                Err(Failure::Thrown(thrown)) => return Err(thrown),
            };
            site.frontier.done(page, visit);
        }
    }

    pub(super) fn crawl(co: &mut TaskCo<'_>, site: Rc<Site>, jobs: usize) -> TaskResult<()> {
        let begin = |_| {
            let site = Rc::clone(&site);
            spawn(move |co| worker(co, &site))
        };
        let mut workers = Workers((0..jobs).map(begin).collect());
        co.wait(workers.join(&site))??;
        Ok(())
    }
}
