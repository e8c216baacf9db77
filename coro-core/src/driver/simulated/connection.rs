//! One end of a connection in memory.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::driver::{Completed, Completion, Slot, Socket};

#[derive(Debug)]
pub(super) struct Connection {
    /// The other end; it may be gone.
    pub(super) peer: Socket,
    pub(super) local: SocketAddr,
    /// It was opened from this end, which has a port of its own.
    pub(super) is_client: bool,
    /// Bytes that have arrived here and were not received yet.
    pub(super) arrived: VecDeque<u8>,
    /// The peer will send no more.
    pub(super) ended: bool,
    /// The peer closed while bytes from here were unread, or is gone: sends fail.
    pub(super) peer_gone: bool,
    /// Operations that wait: one receive, and sends in order, each with how much of it was sent.
    pub(super) receiving: Option<(Slot, Vec<u8>)>,
    pub(super) sending: VecDeque<(Slot, Vec<u8>, usize)>,
    /// Closed by its owner; kept until its sends are over.
    pub(super) closed: bool,
    pub(super) write_ended: bool,
}

impl Connection {
    pub(super) fn new(peer: Socket, local: SocketAddr, is_client: bool) -> Self {
        Self {
            peer,
            local,
            is_client,
            arrived: VecDeque::new(),
            ended: false,
            peer_gone: false,
            receiving: None,
            sending: VecDeque::new(),
            closed: false,
            write_ended: false,
        }
    }

    /// Moves what has arrived into `buffer`; zero at the end of the stream, `None` if nothing is there yet.
    pub(super) fn take_arrived(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.arrived.is_empty() && !self.ended {
            return None;
        }
        let count = buffer.len().min(self.arrived.len());
        for (place, byte) in buffer.iter_mut().zip(self.arrived.drain(..count)) {
            *place = byte;
        }
        Some(count)
    }

    pub(super) fn complete_receive(&mut self) -> Option<Completion> {
        let (slot, mut buffer) = self.receiving.take()?;
        match self.take_arrived(&mut buffer) {
            Some(count) => Some(Completion { slot, result: Completed::Transferred { buffer, count } }),
            None => {
                self.receiving = Some((slot, buffer));
                None
            }
        }
    }
}
