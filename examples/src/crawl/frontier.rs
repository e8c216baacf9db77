//! The order of a site crawl: which pages are visited, whatever the number of workers.
//!
//! Pages are numbered in breadth-first order. They may be fetched in any order; what was found in a page counts
//! only when all pages with smaller numbers are done (a reorder buffer). So the numbers, and with a limit on them
//! the pages, are those of a crawl with one worker.
//!
//! ```text
//!   Queue ──get──▶ a worker fetches ──done──▶ buffer ──in the order of numbers──▶ links ──put──▶ Queue
//! ```

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};

use coro_core::Queue;
use indicatif::ProgressBar;
use url::Url;

use super::link::{decode, hrefs, within_origin};
use super::log::{Log, log_failure};
use crate::http::FetchError;

/// A page that waits to be visited.
#[derive(Debug, Clone)]
pub(super) struct Page {
    number: usize,
    pub(super) url: Url,
}

/// What a visit brought.
#[derive(Debug)]
pub(super) enum Visit {
    /// Where HTML was found in the end, and the links in it that stay on its origin, each once.
    Html(Url, Vec<Url>),
    /// Something without links.
    Other,
    /// Nothing.
    Failed(FetchError),
}

impl Visit {
    /// What there is in HTML. It may have to wait for the pages before it, and its links take less room than all of
    /// it.
    pub(super) fn html(at: &Url, body: Vec<u8>) -> Self {
        let mut at = at.clone();
        // A redirection may lead to a part of a page, and that is no other page.
        at.set_fragment(None);
        let html = decode(body).0;
        let mut known = HashSet::new();
        let links = hrefs(&html).filter_map(|href| within_origin(&at, href));
        let links = links.filter(|link| known.insert(link.clone())).collect();
        Self::Html(at, links)
    }
}

/// The pages of a crawl: those to come, those on their way and those done.
#[derive(Debug)]
pub(super) struct Frontier {
    pub(super) queue: Queue<Page>,
    max_pages: usize,
    seen: RefCell<HashSet<Url>>,
    /// In the order of their numbers.
    visited: RefCell<Vec<Url>>,
    /// What was visited while a page before it was still on its way.
    early: RefCell<BTreeMap<usize, (Url, Visit)>>,
    /// The number of the next page whose links count.
    next: Cell<usize>,
    tally: Cell<Tally>,
    progress: ProgressBar,
    log: Log,
}

/// What a crawl has counted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) pages: usize,
    pub(super) links: usize,
    pub(super) failures: usize,
}

impl Frontier {
    /// A crawl of at most `max_pages` pages, that begins at `start`.
    pub(super) fn new(start: &Url, max_pages: usize, progress: ProgressBar, log: Log) -> Self {
        let frontier = Self {
            queue: Queue::unbounded(),
            max_pages,
            seen: RefCell::default(),
            visited: RefCell::default(),
            early: RefCell::default(),
            next: Cell::new(0),
            tally: Cell::default(),
            progress,
            log,
        };
        let mut start = start.clone();
        start.set_fragment(None);
        frontier.enter(start);
        frontier
    }

    /// Gives a page its number and queues it, unless it is known or there are enough.
    fn enter(&self, url: Url) {
        let mut visited = self.visited.borrow_mut();
        if visited.len() < self.max_pages && self.seen.borrow_mut().insert(url.clone()) {
            let page = Page { number: visited.len(), url: url.clone() };
            visited.push(url);
            drop(visited);
            // The queue has no bound.
            drop(self.queue.put_nowait(page));
        }
    }

    /// Takes what a visit brought, and queues the links that this makes known.
    pub(super) fn done(&self, page: Page, visit: Visit) {
        self.early.borrow_mut().insert(page.number, (page.url, visit));
        loop {
            let next = self.early.borrow_mut().remove(&self.next.get());
            let Some((url, visit)) = next else { break };
            self.next.set(self.next.get() + 1);
            self.count(&url, visit);
            self.progress.inc(1);
        }
        // Last: the links of the page are in the queue, so that it cannot seem to be finished in between.
        // It cannot be too often: each page is got once.
        let _ = self.queue.task_done();
    }

    /// Called in the order of the numbers.
    fn count(&self, url: &Url, visit: Visit) {
        let mut tally = self.tally.get();
        match visit {
            Visit::Html(at, links) => {
                tally.pages += 1;
                // A redirection may have led to a page that is visited for itself, or out of the site.
                let new = at == *url || self.seen.borrow_mut().insert(at.clone());
                if new && at.origin() == url.origin() {
                    tally.links += links.len();
                    links.into_iter().for_each(|link| self.enter(link));
                }
            }
            Visit::Other => tally.pages += 1,
            Visit::Failed(error) => {
                tally.failures += 1;
                self.progress.suspend(|| log_failure(&self.log, "Cannot fetch", url, &error));
            }
        }
        self.tally.set(tally);
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally.get()
    }

    pub(super) fn visited(&self) -> Vec<Url> {
        self.visited.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_waits_is_kept_as_its_links() {
        let url = |path| Url::parse("http://host/").unwrap().join(path).unwrap();
        let frontier = Frontier::new(&url("/"), 10, ProgressBar::hidden(), Log::silent());
        frontier.enter(url("/early"));
        let page = |number, url| Page { number, url };
        let body = [r#"<a href="/a?x=1&amp;y=2"> <a href="/a?x=1&y=2#part">"#, &" ".repeat(1000)].concat();
        frontier.done(page(1, url("/early")), Visit::html(&url("/early#part"), body.into()));
        {
            let early = frontier.early.borrow();
            let Some((_, Visit::Html(at, links))) = early.get(&1) else { panic!("{early:?}") };
            assert_eq!((at.as_str(), links.as_slice()), ("http://host/early", &[url("/a?x=1&y=2")][..]));
        }
        frontier.done(page(0, url("/")), Visit::Other);
        assert_eq!(frontier.visited(), [url("/"), url("/early"), url("/a?x=1&y=2")]);
        let Tally { pages, links, failures } = frontier.tally();
        assert_eq!((pages, links, failures), (2, 1, 0));
    }
}
