//! `coro serve`: the service, and the one that it asks, on two ports.

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Args;
use coro_core::{EventLoop, Loop, RunError};
use coro_fiber::net::FiberListener;
use ureq::config::Config;

use super::{Totals, agent, data, serve};

/// Where to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen at; port 0 chooses one
    #[arg(default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    address: SocketAddr,
}

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The loop could not be made, or ended.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It could not listen, or say where.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until the process is ended, and prints where.
///
/// # Errors
///
/// [`ServeError`].
pub fn run(arguments: &ServeArgs, mut out: impl Write + 'static) -> Result<(), ServeError> {
    let address = arguments.address;
    Ok(Loop::new()?.run(coro_fiber::task(move |_| Ok(serve_both(address, &mut out))))??)
}

fn serve_both(address: SocketAddr, out: &mut impl Write) -> io::Result<()> {
    let upstream = FiberListener::bind(SocketAddr::new(address.ip(), 0))?;
    let listener = FiberListener::bind(address)?;
    let totals = Totals::new(agent(Config::default()), format!("http://{}", upstream.local_addr()?));
    writeln!(out, "http://{}/totals", listener.local_addr()?)?;
    out.flush()?;
    let _data = coro_fiber::spawn(move |_| Ok(serve(&upstream, data)?)).named("data");
    Ok(serve(&listener, move |request| totals.handle(request))?)
}
