//! A fiber for each connection.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use coro_core::{EventLoop, Loop};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{Options, WaitError};

use super::{Request, Response, serve_connection};

/// How long a peer may say nothing, and an answer may take to be sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the server waits when no connection can be accepted, for lack of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Address space for the stack of a connection: libraries were written for those of threads. See
/// [`coro_fiber::stack_used`].
const STACK_BYTES: usize = 256 * 1024;

/// Serves each connection to `listener` in a fiber of its own: for ever, so it is to be called in a fiber, which is
/// cancelled in the end. The requests that are being handled then are answered, and no others.
///
/// # Errors
///
/// [`WaitError`]: the cancellation, or that there is no fiber here.
pub fn serve(
    listener: &FiberListener,
    handle: impl Fn(&Request) -> Response + 'static,
) -> Result<(), WaitError> {
    let (handle, connections) = (Rc::new(handle), Connections::default());
    loop {
        let accepted = listener.accept().and_then(|(stream, peer)| {
            let connection = connections.open(stream, peer)?;
            let handle = Rc::clone(&handle);
            let task = Options::new().name("connection").stack_bytes(STACK_BYTES).task(move |_| {
                // An error is the peer's: it went away, or was too slow.
                drop(serve_connection(&connection.stream, |request| handle(request)));
                Ok(())
            });
            if let Some(event_loop) = Loop::current() {
                event_loop.spawn(task).detach();
            }
            Ok(())
        });
        match accepted.map_err(|error| error.downcast::<WaitError>()) {
            Ok(()) => {}
            Err(Ok(error)) => return Err(error),
            Err(Err(_of_one_connection)) => coro_fiber::sleep(ACCEPT_PAUSE)?,
        }
    }
}

/// The connections that are open.
#[derive(Default)]
struct Connections(Rc<RefCell<BTreeMap<SocketAddr, FiberStream>>>);

/// One of them, until it is dropped.
struct Connection {
    stream: FiberStream,
    peer: SocketAddr,
    all: Rc<RefCell<BTreeMap<SocketAddr, FiberStream>>>,
}

impl Connections {
    fn open(&self, stream: FiberStream, peer: SocketAddr) -> io::Result<Connection> {
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
    /// Nothing more is read, so that each ends after its answer.
    fn drop(&mut self) {
        for stream in self.0.take().into_values() {
            drop(stream.shutdown(Shutdown::Read));
        }
    }
}
