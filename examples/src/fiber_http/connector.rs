//! ureq over the connections of fibers.
//!
//! ureq's connectors and transports must be [`Send`] and [`Sync`], though a request stays in its thread. So a transport
//! holds a [`Tethered`] stream: in another thread, where an agent may take it to, it is an error and nothing worse.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::{Arc, Weak};

use coro_fiber::Tethered;
use coro_fiber::net::FiberStream;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};
use ureq::{Agent, Error};

/// A client whose requests suspend the fiber that makes them. It and its kept connections belong to this thread.
pub fn agent(config: Config) -> Agent {
    Agent::with_parts(config, FiberConnector, LiteralResolver)
}

/// Opens connections of fibers. Others of ureq's connectors can be chained to it, that of TLS for one.
#[derive(Debug, Default)]
pub struct FiberConnector;

impl<In: Transport> Connector<In> for FiberConnector {
    type Out = Either<In, FiberTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let (mut opened, timeout) = (Err(Error::HostNotFound), details.timeout);
        for address in &details.addrs {
            opened = match timeout.not_zero() {
                Some(timeout) => FiberStream::connect_timeout(*address, *timeout),
                None => FiberStream::connect(*address),
            }
            .map_err(|error| timed(error, timeout));
            if !matches!(opened, Err(Error::Io(_))) {
                break;
            }
        }
        let line = Arc::new(Line(Tethered::new(opened?)));
        (details.register_shutdown)(Arc::downgrade(&line) as Weak<dyn ShutdownHandle>)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(FiberTransport { line, buffers: LazyBuffers::new(input, output) })))
    }
}

/// A connection, and ureq's buffers for it.
#[derive(Debug)]
pub struct FiberTransport {
    line: Arc<Line>,
    buffers: LazyBuffers,
}

#[derive(Debug)]
struct Line(Tethered<FiberStream>);

impl ShutdownHandle for Line {
    /// Whoever reads sees the end. In another thread there is nothing to be done: nobody can be waiting there.
    fn shutdown(&self) {
        drop(self.0.with(|stream| stream.shutdown(Shutdown::Read)));
    }
}

impl Transport for FiberTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let output = &self.buffers.output()[..amount];
        let written = self.line.0.with(|mut stream| {
            stream.set_write_timeout(timeout.not_zero().map(|timeout| *timeout))?;
            stream.write_all(output)
        });
        written.map_err(io::Error::from).flatten().map_err(|error| timed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let input = self.buffers.input_append_buf();
        let read = self.line.0.with(|mut stream| {
            stream.set_read_timeout(timeout.not_zero().map(|timeout| *timeout))?;
            stream.read(input)
        });
        let count = read.map_err(io::Error::from).flatten().map_err(|error| timed(error, timeout))?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    /// A connection that waits for nothing has nothing to read, not even its end. It is asked with ureq's pool locked, so
    /// it must not wait.
    fn is_open(&mut self) -> bool {
        let probed = self.line.0.with(|mut stream| {
            stream.set_nonblocking(true)?;
            let probed = stream.read(&mut [0]);
            stream.set_nonblocking(false)?;
            probed
        });
        matches!(probed, Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What ureq calls a wait that took too long.
fn timed(error: io::Error, timeout: NextTimeout) -> Error {
    if error.kind() == io::ErrorKind::TimedOut { Error::Timeout(timeout.reason) } else { error.into() }
}

/// Knows hosts that are numbers. To look a name up would block the thread.
#[derive(Debug, Default)]
pub struct LiteralResolver;

impl Resolver for LiteralResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let port = uri.port_u16().or(match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        });
        let host = uri.host().map(|host| host.trim_start_matches('[').trim_end_matches(']'));
        let address =
            host.and_then(|host| host.parse::<IpAddr>().ok()).zip(port).ok_or(Error::HostNotFound)?;
        let mut found = self.empty();
        found.push(SocketAddr::from(address));
        Ok(found)
    }
}
