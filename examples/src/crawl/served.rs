//! A crawl without a network: the site is served by the same loop.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use coro_core::stats::Flavour;
use coro_core::task::TaskError;
use coro_core::{EventLoop, Loop, RunError};
use indicatif::ProgressBar;

use super::log::Log;
use super::pages::PAGES;
use super::site::{SiteOptions, SiteReport, crawl_site};
use crate::http::{Server, Session, Settings, Source};

/// Where the documentation of a toolchain begins, best first.
const START_PAGES: [&str; 3] = ["std/index.html", "book/index.html", "index.html"];

/// Why a served crawl has no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServedError {
    /// The site could not be served.
    #[error("the site cannot be served: {0}")]
    Server(#[from] io::Error),
    /// The first page has no URL.
    #[error("the first page is not a valid path: {0}")]
    Start(#[from] url::ParseError),
    /// A task of the crawl ended without a result.
    #[error("the crawl failed: {0}")]
    Task(#[from] TaskError),
    /// The loop could not be run to the end.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Serves `source` on the local interface of `event_loop`, crawls it in one flavour, and stops the server. The
/// loop is closed afterwards.
///
/// # Errors
///
/// [`ServedError`]. A page that cannot be fetched is counted in the report.
pub fn crawl_served(
    flavour: Flavour,
    event_loop: Loop,
    source: Source,
    max_pages: usize,
    jobs: usize,
) -> Result<SiteReport, ServedError> {
    event_loop.run(serve_and_crawl(flavour, source, max_pages, jobs))?
}

async fn serve_and_crawl(
    flavour: Flavour,
    source: Source,
    max_pages: usize,
    jobs: usize,
) -> Result<SiteReport, ServedError> {
    let start = source.start().to_string();
    let server = Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), source)?;
    let (start, progress, log) = (server.url(&start)?, ProgressBar::hidden(), Log::silent());
    let options = SiteOptions { start, max_pages, jobs, progress, log };
    let report = crawl_site(flavour, Session::new(Settings::default()), options).await;
    server.stop().await;
    Ok(report?)
}

/// Something to crawl: the documentation that came with the Rust toolchain, if it is installed, else a few pages of
/// this project's own.
pub fn documentation() -> Source {
    toolchain_documentation().unwrap_or_else(embedded_documentation)
}

/// Pages of this project's own documentation, in memory: the same everywhere.
pub fn embedded_documentation() -> Source {
    Source::pages("/index.html", PAGES.iter().map(|(name, body)| (format!("/{name}"), *body)))
}

fn toolchain_documentation() -> Option<Source> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).stderr(Stdio::null()).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let root = sysroot.join("share/doc/rust/html");
    let start = START_PAGES.iter().find(|page| root.join(page).is_file())?;
    Source::directory(root, &format!("/{start}")).ok()
}
