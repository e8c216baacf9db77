//! The crawler: `coro crawl`.
//!
//! With `--urls` it is areq.py: fetch a list of pages at once, and write down their links. With `--site` it follows
//! the links of one site.

mod areq;
mod child;
mod command;
mod failure;
mod fiber;
mod frontier;
mod link;
mod log;
mod output;
mod pages;
mod served;
mod site;

pub use areq::{Crawl, crawl};
pub use command::{CommandError, CrawlArgs, run};
pub use log::{Level, Log};
pub use output::Output;
pub use served::{ServedError, crawl_served, documentation, embedded_documentation};
pub use site::{SiteOptions, SiteReport, crawl_site};
