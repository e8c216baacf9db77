//! Hosts that crash, clocks that are off, and links that fail.

use super::host::{HostClock, HostId};
use super::link::Link;
use super::network::Endpoint;
use super::world::{Event, Fault, Flying, World};
use crate::time::Time;

/// Hosts.
impl World {
    pub(crate) fn set_clock(&mut self, host: HostId, clock: HostClock) {
        self.host_mut(host).clock = clock;
    }

    /// Ends the programs of a host. What it had open is closed by its system, which goes on, or if `silently` by nobody.
    pub(crate) fn crash(&mut self, host: HostId, silently: bool) {
        let open: Vec<_> =
            self.sockets.iter().filter(|(_, socket)| socket.host() == host).map(|(id, _)| *id).collect();
        for socket in open {
            let unread = self.connection(socket).map(|connection| !connection.arrived.is_empty());
            match unread {
                Some(false) if !silently => self.hang_up(socket),
                Some(true) if !silently => self.reset(socket),
                _ => {}
            }
            self.sockets.remove(&socket);
        }
        self.host_mut(host).stop();
        self.host_mut(host).up = !silently;
        self.forget_jobs(host);
    }

    /// Starts a host again. It knows nothing of its old connections: who has sent it something is told so.
    pub(crate) fn restart(&mut self, host: HostId) {
        self.host_mut(host).up = true;
        let unheard = self.sockets.iter().filter_map(|(id, socket)| match socket {
            Endpoint::Connection(c) if c.peer_host == host && c.unheard > 0 => Some((*id, c.host)),
            _ => None,
        });
        for (socket, there) in unheard.collect::<Vec<_>>() {
            self.post(host, there, 0, Event::Broken { to: socket });
        }
    }
}

/// Links.
impl World {
    /// Changes that of all hosts which have none of their own.
    pub(crate) fn change_common_link(&mut self, change: impl Fn(&mut Link)) {
        change(&mut self.links.common);
    }

    /// Changes the link in one direction.
    pub(crate) fn change_link(&mut self, from: HostId, to: HostId, change: impl Fn(&mut Link)) {
        let mut link = self.links.get(from, to).clone();
        change(&mut link);
        self.links.set(from, to, link);
    }

    /// From now on nothing arrives, in one direction. It is kept.
    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        self.note(from, to, Fault::Cut);
        self.links.set_cut(from, to, true);
    }

    /// What was kept is sent again.
    pub(crate) fn heal(&mut self, from: HostId, to: HostId) {
        self.note(from, to, Fault::Healed);
        self.links.set_cut(from, to, false);
        let is_it = |flying: &Flying| (flying.from, flying.to) == (from, to);
        let (again, held) = std::mem::take(&mut self.held).into_iter().partition::<Vec<_>, _>(is_it);
        self.held = held;
        // What was sent later is behind it.
        let behind: Vec<_> = self.flying.extract_if(.., |_, flying| is_it(flying)).collect();
        let again: Vec<_> = again.into_iter().chain(behind.into_iter().map(|(_, flying)| flying)).collect();
        for flying in &again {
            if let Some(connection) = self.connection_of(&flying.event) {
                connection.coming = connection.coming.saturating_sub(1);
                connection.clear_at = Time::ZERO;
            }
        }
        for Flying { event, .. } in again {
            self.post(from, to, 0, event);
        }
    }

    /// Resets every connection between two hosts.
    pub(crate) fn reset_between(&mut self, one: HostId, other: HostId) {
        let between: Vec<_> = self
            .sockets
            .iter()
            .filter(|(_, socket)| matches!(socket, Endpoint::Connection(c) if c.host == one && c.peer_host == other))
            .map(|(id, _)| *id)
            .collect();
        for socket in between {
            self.reset(socket);
        }
    }
}
