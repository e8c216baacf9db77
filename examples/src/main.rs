//! The command `coro`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use coro_examples::crawl::{self, CrawlArgs};

#[derive(Parser)]
#[command(name = "coro")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Crawl(CrawlArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crawl(args) => crawl::run(&args),
    }
}
