//! The command line: `coro crawl`.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use coro_core::EventLoop;
use coro_core::stats::Flavour;
use indicatif::ProgressBar;
use url::Url;

use super::areq::{Crawl, crawl};
use super::log::{Log, log_selector};
use super::output::Output;
use super::site::{SiteOptions, SiteReport, crawl_site};
use crate::flavour_choice::FlavourChoice;
use crate::http::{Session, Settings};
use crate::loop_kind::LoopKind;

/// Fetch pages and collect their links: areq.py, or a whole site
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["urls", "site"]))]
pub struct CrawlArgs {
    /// Fetch the URLs in this file, one a line, all at once, but in goes of 4096
    #[arg(long, value_name = "FILE")]
    pub urls: Option<PathBuf>,
    /// Write the links found to this file
    #[arg(long, value_name = "FILE", default_value = "foundurls.txt", conflicts_with = "site")]
    pub out: PathBuf,
    /// Follow the links of a site, beginning at this URL
    #[arg(long, value_name = "URL")]
    pub site: Option<Url>,
    /// Visit at most this many pages of the site
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "urls", value_parser = one_to(1_000_000))]
    pub max_pages: usize,
    /// Visit this many pages of the site at once
    #[arg(long, value_name = "J", default_value_t = 8, conflicts_with = "urls", value_parser = one_to(1_000))]
    pub jobs: usize,
    /// Write the coroutines in this flavour
    #[arg(long, value_enum, default_value_t = FlavourChoice::Native)]
    pub flavour: FlavourChoice,
    /// Run on this event loop
    #[arg(long = "loop", value_enum, default_value_t = LoopKind::Epoll, value_name = "LOOP")]
    pub event_loop: LoopKind,
}

/// A number that is no slip of the keyboard: each job is a task with a stack, and each page is remembered.
fn one_to(most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=most)
}

/// Why the command fails, in one line. A page that cannot be fetched is no reason.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The arguments, or the file they name, are of no use.
    #[error("{0}")]
    Usage(String),
    /// The output cannot be written, or the flavours differ.
    #[error("{0}")]
    Failed(String),
    /// The standard output cannot be written. If its reader has gone, that is no failure.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// What could not be done with its input.
fn usage(what: impl fmt::Display, why: impl fmt::Display) -> CommandError {
    CommandError::Usage(format!("{what}: {why}"))
}

/// What could not be brought to its end.
fn failed(what: impl fmt::Display, why: impl fmt::Display) -> CommandError {
    CommandError::Failed(format!("{what}: {why}"))
}

/// Runs `coro crawl`.
///
/// # Errors
///
/// [`CommandError`].
pub fn run(args: &CrawlArgs) -> Result<(), CommandError> {
    match (&args.urls, &args.site) {
        (Some(urls), _) => crawl_urls(args, urls),
        (None, Some(site)) => crawl_whole_site(args, site),
        (None, None) => Err(CommandError::Usage("nothing to do: give --urls or --site".to_string())),
    }
}

fn crawl_urls(args: &CrawlArgs, file: &Path) -> Result<(), CommandError> {
    let bytes = fs::read(file).map_err(|error| usage(file.display(), error))?;
    let urls = read_urls(&String::from_utf8_lossy(&bytes));
    let mut outputs: Vec<(Flavour, Output)> = Vec::new();
    for &flavour in args.flavour.flavours() {
        let output = Output::create(&args.out).map_err(|error| failed(args.out.display(), error))?;
        let output = crawl_once(flavour, args.event_loop, output, &urls)?;
        outputs.push((flavour, output));
    }
    let mut outputs = outputs.into_iter();
    let Some((first, output)) = outputs.next() else { return Ok(()) };
    let lines = output.sorted_lines();
    let mut agreed = Vec::new();
    for (flavour, other) in outputs {
        if other.sorted_lines() != lines {
            return Err(failed(flavour, format_args!("the links found differ from those of {first}")));
        }
        agreed.push(flavour);
    }
    // First the file: whoever reads the standard output may have gone.
    output.finish().map_err(|error| failed(args.out.display(), error))?;
    for flavour in agreed {
        say(format_args!("{flavour}: the same {} links as {first}", lines.len()))?;
    }
    Ok(())
}

/// One line, one URL; each once, in the order of the file.
fn read_urls(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter(|line| seen.insert(*line)).map(ToString::to_string).collect()
}

fn crawl_once(
    flavour: Flavour,
    event_loop: LoopKind,
    output: Output,
    urls: &[String],
) -> Result<Output, CommandError> {
    let event_loop = event_loop.make(None).map_err(|error| failed("the event loop", error))?;
    let session = Session::new(Settings::default());
    let shared = Rc::new(Crawl { session, output, log: Log::stderr() });
    let (tasks, urls) = (Rc::clone(&shared), urls.to_vec());
    let name = event_loop.driver_name();
    event_loop
        .run(async move {
            log_selector(&tasks.log, name);
            crawl(flavour, &tasks, &urls).await
        })
        .map_err(|error| failed(flavour, error))?
        .map_err(|error| failed(flavour, error))?;
    match Rc::try_unwrap(shared) {
        Ok(Crawl { output, .. }) => Ok(output),
        Err(_shared) => Err(failed(flavour, "a task has outlived its loop")),
    }
}

fn crawl_whole_site(args: &CrawlArgs, start: &Url) -> Result<(), CommandError> {
    if !matches!(start.scheme(), "http" | "https") {
        return Err(usage(start, "not an http URL"));
    }
    let mut first: Option<(Flavour, SiteReport)> = None;
    for &flavour in args.flavour.flavours() {
        let event_loop = args.event_loop.make(None).map_err(|error| failed("the event loop", error))?;
        // It draws on the standard error, and nothing if that is not a terminal.
        let progress = ProgressBar::new(args.max_pages as u64);
        let log = Log::stderr().named("site");
        let options =
            SiteOptions { start: start.clone(), max_pages: args.max_pages, jobs: args.jobs, progress, log };
        let report = event_loop
            .run(async move { crawl_site(flavour, Session::new(Settings::default()), options).await })
            .map_err(|error| failed(flavour, error))?
            .map_err(|error| failed(flavour, error))?;
        say(format_args!("{flavour}: {report}"))?;
        match &first {
            Some((other, earlier)) if !earlier.agrees_with(&report) => {
                return Err(failed(flavour, format_args!("the site differs from that of {other}")));
            }
            Some(_) => {}
            None => first = Some((flavour, report)),
        }
    }
    Ok(())
}

/// A line on the standard output.
fn say(line: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
