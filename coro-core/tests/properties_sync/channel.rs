//! Memory channels, that nobody closes.

use std::collections::VecDeque;
use std::rc::Rc;

use coro_core::sync::{MemoryReceiveChannel, MemorySendChannel, open_memory_channel};

use super::{Model, Subject, Waiting, Woken, remove};

pub struct Channel {
    sends: Rc<MemorySendChannel<i64>>,
    receives: Rc<MemoryReceiveChannel<i64>>,
}

#[derive(Default)]
pub struct ChannelModel {
    capacity: usize,
    items: VecDeque<i64>,
    senders: Vec<usize>,
    receivers: Vec<usize>,
    /// Those that were called.
    giving: Vec<usize>,
    taking: Vec<usize>,
}

impl ChannelModel {
    /// Is there room for another item, besides what is promised?
    fn has_room(&self) -> bool {
        let receiving = self.receivers.len() + self.taking.len();
        self.items.len() + self.giving.len() < self.capacity + receiving
    }

    fn spare(&self) -> usize {
        self.items.len() - self.taking.len()
    }

    fn put(&mut self, item: i64, woken: &mut Woken) {
        self.items.push_back(item);
        self.serve_receiver(woken);
    }

    fn take(&mut self, woken: &mut Woken) -> i64 {
        let item = self.items.pop_front().unwrap();
        self.serve_sender(woken);
        item
    }

    fn serve_receiver(&mut self, woken: &mut Woken) {
        if self.spare() > 0 && !self.receivers.is_empty() {
            let first = self.receivers.remove(0);
            self.taking.push(first);
            woken.push(first);
        }
    }

    fn serve_sender(&mut self, woken: &mut Woken) {
        if self.has_room() && !self.senders.is_empty() {
            let first = self.senders.remove(0);
            self.giving.push(first);
            woken.push(first);
        }
    }
}

impl Subject for Channel {
    type Model = ChannelModel;

    fn new(size: usize) -> (Self, ChannelModel) {
        let (sends, receives) = open_memory_channel(size);
        let subject = Self { sends: Rc::new(sends), receives: Rc::new(receives) };
        (subject, ChannelModel { capacity: size, ..ChannelModel::default() })
    }

    fn wait(&self, who: usize, kind: usize) -> Waiting {
        let (sends, receives) = (Rc::clone(&self.sends), Rc::clone(&self.receives));
        Box::pin(async move {
            if kind.is_multiple_of(2) {
                sends.send(who as i64).await.unwrap();
                return -1;
            }
            receives.receive().await.unwrap()
        })
    }

    fn act(&self, act: usize) -> i64 {
        if act.is_multiple_of(2) {
            return i64::from(self.sends.send_nowait(act as i64).is_ok());
        }
        self.receives.receive_nowait().unwrap_or(-1)
    }

    fn look(&self) -> Vec<usize> {
        let statistics = self.sends.statistics();
        vec![statistics.items, statistics.sending, statistics.receiving]
    }
}

impl Model for ChannelModel {
    fn begin(&mut self, who: usize, kind: usize, woken: &mut Woken) -> Option<i64> {
        if kind.is_multiple_of(2) {
            if self.senders.is_empty() && self.has_room() {
                self.put(who as i64, woken);
                return Some(-1);
            }
            self.senders.push(who);
            return None;
        }
        if self.spare() > 0 {
            return Some(self.take(woken));
        }
        self.receivers.push(who);
        self.serve_sender(woken);
        None
    }

    fn run(&mut self, who: usize, woken: &mut Woken) -> Option<i64> {
        if remove(&mut self.giving, &who) {
            self.put(who as i64, woken);
            return Some(-1);
        }
        remove(&mut self.taking, &who);
        Some(self.take(woken))
    }

    fn cancel(&mut self, who: usize, _: bool, woken: &mut Woken) {
        remove(&mut self.senders, &who);
        remove(&mut self.receivers, &who);
        if remove(&mut self.giving, &who) {
            self.serve_sender(woken);
        }
        if remove(&mut self.taking, &who) {
            self.serve_receiver(woken);
        }
    }

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64 {
        if act.is_multiple_of(2) {
            let sends = self.senders.is_empty() && self.has_room();
            if sends {
                self.put(act as i64, woken);
            }
            return i64::from(sends);
        }
        if self.spare() > 0 { self.take(woken) } else { -1 }
    }

    fn look(&self) -> Vec<usize> {
        let sending = self.senders.len() + self.giving.len();
        vec![self.items.len(), sending, self.receivers.len() + self.taking.len()]
    }
}
