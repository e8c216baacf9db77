//! The work of `coro bench`, on other runtimes. `coro bench` runs this binary, once for each measurement.
//!
//! Each runtime is a file in `runtime/` with the same few functions, and the work is written once over them: `work.rs`
//! is compiled anew for each, so that there is nothing between it and the runtime. What is to be done, how much of it
//! and how it is measured are files of `coro bench` itself, word for word.

#![forbid(unsafe_code)]
// The work is a file that is loaded for each runtime: see above.
#![allow(clippy::duplicate_mod)]

mod runtime;
// Not all of it is used on this side.
#[allow(dead_code, unused_imports)]
#[path = "../../src/bench/shared/mod.rs"]
mod shared;
mod state;

use std::process::ExitCode;

use clap::Parser;

use shared::contender::Contender;
use shared::record::Measured;
use shared::request::Request;
use shared::scenario::{Scenario, Size};

/// One measurement of another runtime
#[derive(Debug, Parser)]
#[command(name = "coro-peers", version)]
struct Cli {
    #[command(flatten)]
    request: Request,
}

fn main() -> ExitCode {
    let request = Cli::parse().request;
    let answer = request.answer(|scenario, size| perform(request.contender, scenario, size));
    // If nobody reads it, nobody wants it.
    if answer.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn perform(contender: Contender, scenario: Scenario, size: Size) -> std::io::Result<Measured> {
    match contender {
        Contender::TokioLocal => runtime::tokio_local::perform(scenario, size),
        Contender::TokioCurrentThread => runtime::tokio_current_thread::perform(scenario, size),
        Contender::AsyncExecutor => runtime::async_executor::perform(scenario, size),
        Contender::Monoio => runtime::monoio::perform(scenario, size),
        Contender::Compio => runtime::compio::perform(scenario, size),
        Contender::Glommio => runtime::glommio::perform(scenario, size),
        Contender::Native | Contender::Generator | Contender::Fiber => {
            Err(std::io::Error::other(format!("{contender} is no peer: coro bench-one measures it")))
        }
    }
}
