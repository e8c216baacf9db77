//! One end of a connection in memory.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;

use super::host::HostId;
use crate::driver::{Slot, Socket};
use crate::time::Time;

/// A connect under way.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) slot: Slot,
    pub(super) to: SocketAddr,
    /// Names the event with which it is given up.
    pub(super) gives_up: Option<(Time, u64)>,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) host: HostId,
    /// The other end; it may be gone.
    pub(super) peer: Socket,
    pub(super) peer_host: HostId,
    pub(super) local: SocketAddr,
    /// It was opened from this end, which has a port of its own.
    pub(super) is_client: bool,
    /// The connect that waits for the answer of the other end.
    pub(super) opening: Option<Opening>,
    /// Bytes that have arrived here and were not received yet.
    pub(super) arrived: VecDeque<u8>,
    /// How many bytes are on their way here.
    pub(super) flying: usize,
    /// How many events are, and when the last one arrives: what is sent now arrives no earlier, and stays in order.
    pub(super) coming: usize,
    pub(super) clear_at: Time,
    /// The peer will send no more.
    pub(super) ended: bool,
    /// The peer closed, and is gone: sends fail.
    pub(super) peer_gone: bool,
    /// The connection was reset, or given up.
    pub(super) failed: Option<ErrorKind>,
    /// How many bytes were sent from here to a host that does not run.
    pub(super) unheard: usize,
    /// Operations that wait: one receive, and sends in order, each with how much of it was sent.
    pub(super) receiving: Option<(Slot, Vec<u8>)>,
    pub(super) sending: VecDeque<(Slot, Vec<u8>, usize)>,
    /// Closed by its owner; kept until its sends are over.
    pub(super) closed: bool,
    pub(super) write_ended: bool,
}

impl Connection {
    pub(super) fn new(host: HostId, local: SocketAddr, peer: Socket, peer_host: HostId) -> Self {
        Self {
            host,
            peer,
            peer_host,
            local,
            is_client: false,
            opening: None,
            arrived: VecDeque::new(),
            flying: 0,
            coming: 0,
            clear_at: Time::ZERO,
            ended: false,
            peer_gone: false,
            failed: None,
            unheard: 0,
            receiving: None,
            sending: VecDeque::new(),
            closed: false,
            write_ended: false,
        }
    }

    /// How many bytes a receive into a buffer of `room` bytes gives at most: zero at the end of the stream, `None` if
    /// nothing is there yet.
    pub(super) fn available(&self, room: usize) -> Option<usize> {
        let available = room.min(self.arrived.len());
        (available > 0 || self.ended || room == 0).then_some(available)
    }

    /// Moves this many bytes, which have arrived, to the buffer.
    pub(super) fn take(&mut self, buffer: &mut [u8], count: usize) {
        let (first, second) = self.arrived.as_slices();
        let split = count.min(first.len());
        buffer[..split].copy_from_slice(&first[..split]);
        buffer[split..count].copy_from_slice(&second[..count - split]);
        self.arrived.drain(..count);
    }
}
