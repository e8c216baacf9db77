//! Crawls a real site in every flavour on every loop, and holds what was found against each other.

use std::io::{self, Write};
use std::time::Instant;

use crate::compare::{Comparison, Settings};
use crate::crawl::{ServedError, crawl_served, documentation};
use crate::http::Source;
use crate::table::{Crawl, Row};

/// How many workers a crawl has.
const JOBS: usize = 8;

/// Crawls the documentation of the toolchain, or pages of our own, served by the same loop; adds the figures to the
/// rows, and what differs to the problems.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn compare_crawls(
    settings: &Settings,
    comparison: &mut Comparison,
    out: &mut dyn Write,
) -> io::Result<()> {
    let source = documentation();
    writeln!(out, "\ncrawl of {source}, at most {} pages, {JOBS} jobs", settings.crawl_pages)?;
    let mut first: Option<Found> = None;
    let Comparison { rows, problems } = comparison;
    for row in rows {
        let (flavour, loop_kind) = (row.flavour, row.loop_kind);
        match crawl_once(row, source.clone(), settings.crawl_pages) {
            Ok(found) => {
                let problem = first.as_ref().and_then(|first| first.difference(&found));
                problems.extend(problem.map(|what| format!("crawl, {flavour} on {loop_kind}: {what}")));
                first.get_or_insert(found);
            }
            Err(error) => problems.push(format!("crawl, {flavour} on {loop_kind}: {error}")),
        }
    }
    for problem in problems.iter().filter(|problem| problem.starts_with("crawl")) {
        writeln!(out, "    {problem}")?;
    }
    out.flush()
}

/// What a crawl found, without what may differ from run to run: the port of the server, and the time.
struct Found {
    counts: [usize; 3],
    paths: Vec<String>,
}

impl Found {
    fn difference(&self, other: &Self) -> Option<String> {
        if self.counts != other.counts {
            return Some(format!(
                "found {:?} pages, links and failures instead of {:?}",
                other.counts, self.counts
            ));
        }
        let different = self.paths.iter().zip(&other.paths).find(|(one, other)| one != other);
        different.map(|(one, other)| format!("visited {other} instead of {one}"))
    }
}

fn crawl_once(row: &mut Row, source: Source, max_pages: usize) -> Result<Found, ServedError> {
    let event_loop = row.loop_kind.make(None)?;
    let began = Instant::now();
    let report = crawl_served(row.flavour, event_loop, source, max_pages, JOBS)?;
    row.crawl = Some(Crawl {
        pages: report.pages as u64,
        links: report.links as u64,
        seconds: began.elapsed().as_secs_f64(),
    });
    Ok(Found {
        counts: [report.pages, report.links, report.failures],
        paths: report.visited.iter().map(|url| url.path().to_string()).collect(),
    })
}
