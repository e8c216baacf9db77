//! A fiber for each connection.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use coro_core::Loop;
use coro_fiber::net::FiberListener;
use coro_fiber::{Options, WaitError};

use super::connections::Connections;
use super::{Request, Response, serve_connection};

/// How long the server waits when no connection can be accepted, for lack of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Address space for the stack of a connection: that of a fiber by default is enough for `csv` and `serde_json`, and for
/// `ureq` with TLS in a debug build it is not.
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
        let accepted = accept(listener, &connections, Rc::clone(&handle));
        match accepted.map_err(|error| error.downcast::<WaitError>()) {
            Ok(()) => {}
            Err(Ok(error)) => return Err(error),
            Err(Err(_of_one_connection)) => coro_fiber::sleep(ACCEPT_PAUSE)?,
        }
    }
}

fn accept(
    listener: &FiberListener,
    connections: &Connections,
    handle: Rc<impl Fn(&Request) -> Response + 'static>,
) -> io::Result<()> {
    let (stream, peer) = listener.accept()?;
    let connection = connections.open(stream, peer)?;
    let task = Options::new().name("connection").stack_bytes(STACK_BYTES).task(move |_| {
        // An error is the peer's: it went away, or was too slow.
        drop(serve_connection(&connection.stream, |request| handle(request)));
        Ok(())
    });
    Loop::spawn_on_running("connection", task).detach();
    Ok(())
}
