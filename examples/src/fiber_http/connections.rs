//! The connections that are open.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use coro_fiber::net::FiberStream;

/// How long a peer may say nothing, and an answer may take to be sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// All of them, by their peers. When this is dropped, each ends after its answer.
#[derive(Default)]
pub(super) struct Connections(Rc<RefCell<BTreeMap<SocketAddr, FiberStream>>>);

/// One of them, until it is dropped.
pub(super) struct Connection {
    pub(super) stream: FiberStream,
    peer: SocketAddr,
    all: Rc<RefCell<BTreeMap<SocketAddr, FiberStream>>>,
}

impl Connections {
    pub(super) fn open(&self, stream: FiberStream, peer: SocketAddr) -> io::Result<Connection> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        self.0.borrow_mut().insert(peer, stream.try_clone()?);
        Ok(Connection { stream, peer, all: Rc::clone(&self.0) })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let kept = self.all.borrow_mut().remove(&self.peer);
        drop(kept);
    }
}

impl Drop for Connections {
    /// Nothing more is read.
    fn drop(&mut self) {
        for stream in self.0.take().into_values() {
            drop(stream.shutdown(Shutdown::Read));
        }
    }
}
