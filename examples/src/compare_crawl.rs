//! Crawls a real site in every flavour on every loop, and holds what was found against each other.
//!
//! The crawler is written in three flavours; what it waits for is not. Every connection and the server are native
//! tasks in all flavours, because they are operations of a library, like a sleep. So the native engine is always
//! busy, and what is checked is the other two: a crawl must wait in its own engine, and never in the third one.

use std::io::{self, Write};
use std::time::Instant;

use coro_core::stats::{Counts, Flavour, counts};

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
                let found_wrong = found.problems(flavour, first.as_ref());
                let named = |what| format!("crawl, {flavour} on {loop_kind}: {what}");
                problems.extend(found_wrong.into_iter().map(named));
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
    /// What each engine did meanwhile, in the order of [`Flavour::ALL`].
    switches: [Counts; 3],
}

impl Found {
    /// What is wrong with a crawl, given the first one.
    fn problems(&self, flavour: Flavour, first: Option<&Self>) -> Vec<String> {
        let nothing = (self.counts[0] == 0).then(|| "found no page".to_string());
        let different = first.and_then(|first| first.difference(self));
        nothing.into_iter().chain(different).chain(self.engine_problems(flavour)).collect()
    }

    fn engine_problems(&self, flavour: Flavour) -> impl Iterator<Item = String> {
        Flavour::ALL.into_iter().zip(self.switches).filter_map(move |(engine, switches)| {
            if engine == flavour {
                (switches.parks == 0).then(|| "never waited in its own engine".to_string())
            } else {
                let stranger = engine != Flavour::Native && switches != Counts::default();
                stranger.then(|| format!("ran in the engine of the {engine} flavour: {switches:?}"))
            }
        })
    }

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
    let before = Flavour::ALL.map(counts);
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
        switches: std::array::from_fn(|engine| counts(Flavour::ALL[engine]) - before[engine]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Comparison;
    use crate::loop_kind::LoopKind;

    fn row(flavour: Flavour) -> Row {
        let (loop_kind, ns_per_resume) = (LoopKind::Sim, f64::NAN);
        Row { flavour, loop_kind, equal: 0, total: 0, parks: 0, yields: 0, crawl: None, ns_per_resume }
    }

    #[test]
    fn a_crawl_in_its_own_engine_has_no_problems() {
        let mut comparison = Comparison { rows: Flavour::ALL.map(row).to_vec(), problems: Vec::new() };
        let settings = Settings { crawl_pages: 10, ..Settings::default() };
        compare_crawls(&settings, &mut comparison, &mut Vec::new()).unwrap();
        assert_eq!(comparison.problems, [""; 0]);
        assert!(comparison.rows.iter().all(|row| row.crawl.is_some_and(|crawl| crawl.pages > 0)));
    }

    #[test]
    fn a_crawl_that_finds_nothing_is_a_problem() {
        let nothing = Source::pages("/", [("/elsewhere", "")]);
        let found = crawl_once(&mut row(Flavour::Fiber), nothing, 10).unwrap();
        assert_eq!(found.problems(Flavour::Fiber, None), ["found no page"]);
    }

    #[test]
    fn the_engines_of_the_others_are_noticed() {
        let found = crawl_once(&mut row(Flavour::Fiber), crate::crawl::embedded_documentation(), 10).unwrap();
        assert_eq!(found.problems(Flavour::Fiber, Some(&found)), [""; 0]);
        let disguised = found.problems(Flavour::Generator, None);
        assert_eq!(disguised.len(), 2, "{disguised:?}");
        assert_eq!(disguised[0], "never waited in its own engine");
        assert!(disguised[1].starts_with("ran in the engine of the fiber flavour: "), "{disguised:?}");
        assert_eq!(found.problems(Flavour::Native, None).len(), 1);
    }
}
