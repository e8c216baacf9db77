//! From the host of a URL to addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use coro_core::{EventLoop, Loop};
use futures::channel::oneshot;
use url::{Host, Url};

use super::FetchError;

/// The addresses behind the host of `url`, in the order in which to try them.
///
/// A literal and `localhost` need no look-up.
pub(super) async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
    let port = url.port_or_known_default().unwrap_or(80);
    let with_port = |ip: IpAddr| SocketAddr::new(ip, port);
    match url.host().ok_or(FetchError::NoHost)? {
        Host::Ipv4(ip) => Ok(vec![with_port(ip.into())]),
        Host::Ipv6(ip) => Ok(vec![with_port(ip.into())]),
        Host::Domain("localhost") => {
            Ok(vec![with_port(Ipv4Addr::LOCALHOST.into()), with_port(Ipv6Addr::LOCALHOST.into())])
        }
        Host::Domain(name) => {
            look_up(name, port).await.map_err(|error| FetchError::Resolve { host: name.to_string(), error })
        }
    }
}

/// Asks the system, on a thread of its own: `getaddrinfo` blocks, and the loop must not.
async fn look_up(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let event_loop = Loop::current().ok_or_else(|| io::Error::other("there is no running event loop"))?;
    if event_loop.driver_name() == "simulated" {
        // The answer would come from outside the simulated world, and at no particular time of its clock.
        return Err(io::Error::new(io::ErrorKind::NotFound, "the simulated network has no names"));
    }
    // A loop that thinks itself alone in its world is told that somebody outside may wake it.
    let _outside = event_loop.remote();
    let (sender, receiver) = oneshot::channel();
    let name = name.to_string();
    std::thread::Builder::new().name("resolve".to_string()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(|found| found.collect::<Vec<_>>());
        // Nobody may be waiting any more.
        drop(sender.send(found));
    })?;
    let found = receiver.await.map_err(|_| io::Error::other("the look-up was given up"))??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    }
    Ok(found)
}
