//! The side of the kernel: a thread that performs operations, and owns what they need until they are over.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::sync::Arc;

use coro_core::driver::{Completed, Operation, Slot, Socket};
use rustix::event::{PollFd, PollFlags, poll};

use crate::driver::Numbers;
use crate::endpoint::{self, Endpoint, Inbound, Outbound, Tried};
use crate::queue::{Finished, Queue, Submission};

pub(crate) struct Proactor {
    numbers: Arc<Numbers>,
    submissions: Arc<Queue<Submission>>,
    completions: Arc<Queue<Finished>>,
    endpoints: BTreeMap<Socket, Endpoint>,
    /// Where an operation is in flight.
    in_flight: HashMap<Slot, Socket>,
    /// Not handed over yet.
    finished: Vec<Finished>,
}

impl Proactor {
    pub(crate) fn new(
        numbers: Arc<Numbers>,
        submissions: Arc<Queue<Submission>>,
        completions: Arc<Queue<Finished>>,
    ) -> Self {
        let (endpoints, in_flight, finished) = Default::default();
        Self { numbers, submissions, completions, endpoints, in_flight, finished }
    }

    /// Until the driver is gone.
    pub(crate) fn run(mut self) {
        loop {
            for submission in self.submissions.take() {
                match submission {
                    Submission::Adopt(socket, descriptor) => {
                        self.endpoints.insert(socket, Endpoint::new(descriptor));
                    }
                    Submission::Start(slot, operation) => self.start(slot, operation),
                    Submission::Cancel(slot) => self.cancel(slot),
                    Submission::Close(socket) => self.close(socket),
                    Submission::End => return,
                }
            }
            self.completions.push(&mut self.finished);
            for socket in self.wait() {
                self.advance(socket);
            }
            self.completions.push(&mut self.finished);
        }
    }

    /// Waits until something can go on, or something is submitted.
    fn wait(&self) -> Vec<Socket> {
        let bell = self.submissions.bell();
        let mut polled = vec![PollFd::new(&bell, PollFlags::IN)];
        let mut sockets = Vec::new();
        for (socket, endpoint) in &self.endpoints {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, !endpoint.inbound.is_empty());
            flags.set(PollFlags::OUT, !endpoint.outbound.is_empty());
            // Without an operation in flight, nobody wants to know that its peer has hung up.
            if !flags.is_empty() {
                polled.push(PollFd::new(&endpoint.descriptor, flags));
                sockets.push(*socket);
            }
        }
        // It fails if a signal comes, or memory is short: then everything is tried.
        let failed = poll(&mut polled, None).is_err();
        let ready = polled[1..].iter().map(|polled| failed || !polled.revents().is_empty());
        sockets.into_iter().zip(ready).filter_map(|(socket, ready)| ready.then_some(socket)).collect()
    }

    fn start(&mut self, slot: Slot, operation: Operation) {
        let (socket, started) = match operation {
            Operation::Listen { .. } => return self.finish(slot, refused("it is over at once"), None),
            Operation::Connect { address } => match endpoint::connect(address) {
                Ok(descriptor) => {
                    let socket = self.numbers.next();
                    self.endpoints.insert(socket, Endpoint::new(descriptor));
                    (socket, Err(Outbound::Connect))
                }
                Err(error) => return self.finish(slot, error.into(), None),
            },
            Operation::Accept { socket } => (socket, Ok(Inbound::Accept)),
            Operation::Receive { socket, buffer } => (socket, Ok(Inbound::Receive(buffer))),
            Operation::Send { socket, buffer } => (socket, Err(Outbound::Send(buffer, 0))),
            Operation::ShutdownWrite { socket } => (socket, Err(Outbound::Shutdown)),
        };
        let Some(endpoint) = self.endpoints.get_mut(&socket) else {
            let buffer = started.map_or_else(Outbound::into_buffer, Inbound::into_buffer);
            return self.finish(slot, refused("no such socket"), buffer);
        };
        match started {
            Ok(inbound) => endpoint.inbound.push_back((slot, inbound)),
            Err(outbound) => endpoint.outbound.push_back((slot, outbound)),
        }
        self.in_flight.insert(slot, socket);
        self.advance(socket);
    }

    /// Goes on with what is in flight on a socket, as far as it does not block.
    fn advance(&mut self, socket: Socket) {
        while let Some(endpoint) = self.endpoints.get_mut(&socket) {
            let Some((slot, inbound)) = endpoint.inbound.pop_front() else { break };
            match inbound.attempt(&endpoint.descriptor) {
                Ok(tried) => self.over(slot, socket, tried),
                Err(inbound) => {
                    endpoint.inbound.push_front((slot, inbound));
                    break;
                }
            }
        }
        while let Some(endpoint) = self.endpoints.get_mut(&socket) {
            let Some((slot, outbound)) = endpoint.outbound.pop_front() else { break };
            let connecting = matches!(outbound, Outbound::Connect);
            match outbound.attempt(&endpoint.descriptor) {
                Ok(tried) => {
                    // A socket that could not be connected is nobody's.
                    endpoint.closing |= connecting && matches!(tried, Tried::Over(..));
                    self.over(slot, socket, tried);
                }
                Err(outbound) => {
                    endpoint.outbound.push_front((slot, outbound));
                    break;
                }
            }
        }
        self.reap(socket);
    }

    fn over(&mut self, slot: Slot, socket: Socket, tried: Tried) {
        match tried {
            Tried::Over(result, buffer) => self.finish(slot, result, buffer),
            Tried::Connected => self.opened(slot, socket),
            Tried::Accepted(descriptor) => {
                let accepted = self.numbers.next();
                self.endpoints.insert(accepted, Endpoint::new(descriptor));
                self.opened(slot, accepted);
            }
        }
    }

    /// Tells of a new socket. From here on the loop has to close it, also if nobody waits for it any more.
    fn opened(&mut self, slot: Slot, socket: Socket) {
        let Some(endpoint) = self.endpoints.get_mut(&socket) else { return };
        let told = endpoint::set_no_delay(&endpoint.descriptor).and_then(|()| endpoint.addresses());
        let result = match told {
            Ok((local, peer)) => Completed::Opened { socket, local, peer },
            Err(error) => {
                endpoint.closing = true;
                error.into()
            }
        };
        self.finish(slot, result, None);
        self.reap(socket);
    }

    /// Withdraws an operation, unless it is over: then its completion is on its way.
    fn cancel(&mut self, slot: Slot) {
        let Some(socket) = self.in_flight.get(&slot).copied() else { return };
        let Some(endpoint) = self.endpoints.get_mut(&socket) else { return };
        let buffer = if let Some(place) = endpoint.inbound.iter().position(|(other, _)| *other == slot) {
            endpoint.inbound.remove(place).and_then(|(_, inbound)| inbound.into_buffer())
        } else {
            let place = endpoint.outbound.iter().position(|(other, _)| *other == slot);
            let outbound = place.and_then(|place| endpoint.outbound.remove(place));
            endpoint.closing |= matches!(outbound, Some((_, Outbound::Connect)));
            outbound.and_then(|(_, outbound)| outbound.into_buffer())
        };
        self.finish(slot, cancelled(), buffer);
        // The next one in line may be possible.
        self.advance(socket);
    }

    /// What is to be read is of no use any more; what is to be sent is sent first.
    fn close(&mut self, socket: Socket) {
        let Some(endpoint) = self.endpoints.get_mut(&socket) else { return };
        endpoint.closing = true;
        for (slot, inbound) in std::mem::take(&mut endpoint.inbound) {
            self.finish(slot, cancelled(), inbound.into_buffer());
        }
        self.reap(socket);
    }

    /// Lets go of a closed socket once nothing is in flight on it.
    fn reap(&mut self, socket: Socket) {
        let is_over = |endpoint: &Endpoint| {
            endpoint.closing && endpoint.inbound.is_empty() && endpoint.outbound.is_empty()
        };
        if self.endpoints.get(&socket).is_some_and(is_over) {
            self.endpoints.remove(&socket);
        }
    }

    fn finish(&mut self, slot: Slot, result: Completed, buffer: Option<Vec<u8>>) {
        self.in_flight.remove(&slot);
        self.finished.push(Finished { slot, result, buffer });
    }
}

fn cancelled() -> Completed {
    io::Error::new(ErrorKind::Interrupted, "the operation was cancelled").into()
}

fn refused(why: &'static str) -> Completed {
    io::Error::new(ErrorKind::InvalidInput, why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Until its completion is delivered, nobody but the kernel's side has a buffer, and then it comes back.
    #[test]
    fn a_buffer_comes_back_with_a_cancelled_operation() {
        let queues = (Arc::new(Queue::new().unwrap()), Arc::new(Queue::new().unwrap()));
        let mut proactor = Proactor::new(Arc::default(), queues.0, queues.1);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let socket = Socket(7);
        proactor.endpoints.insert(socket, Endpoint::new(stream.into()));
        let buffer = vec![0; 100];
        let lent = buffer.as_ptr();
        proactor.start(Slot(2), Operation::Receive { socket, buffer });
        assert!(proactor.finished.is_empty());
        proactor.cancel(Slot(2));
        let Finished { slot, result, buffer } = proactor.finished.remove(0);
        assert_eq!((slot, buffer.as_ref().map(|buffer| buffer.as_ptr())), (Slot(2), Some(lent)));
        assert!(matches!(result, Completed::Failed(error) if error.kind() == ErrorKind::Interrupted));
        assert!(proactor.in_flight.is_empty());
    }
}
