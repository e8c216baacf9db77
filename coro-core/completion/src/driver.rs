//! The side of the loop.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coro_core::driver::{Completed, Completion, Driver, Notify, Operation, Slot, Socket, Wait};
use coro_core::time::Time;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::endpoint;
use crate::proactor::Proactor;
use crate::queue::{Finished, Queue, Submission};

/// Names the sockets, on both sides.
#[derive(Debug, Default)]
pub(crate) struct Numbers(AtomicU64);

impl Numbers {
    pub(crate) fn next(&self) -> Socket {
        Socket(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Submits operations to a thread that performs them, and takes their completions.
pub struct CompletionDriver {
    start: Instant,
    numbers: Arc<Numbers>,
    /// Not handed over yet.
    unsubmitted: Vec<Submission>,
    submissions: Arc<Queue<Submission>>,
    completions: Arc<Queue<Finished>>,
    proactor: Option<JoinHandle<()>>,
}

impl CompletionDriver {
    /// A driver with nothing in it, and its thread.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor or no thread left.
    pub fn new() -> io::Result<Self> {
        let numbers = Arc::<Numbers>::default();
        let (submissions, completions) = (Arc::new(Queue::new()?), Arc::new(Queue::new()?));
        let proactor =
            Proactor::new(Arc::clone(&numbers), Arc::clone(&submissions), Arc::clone(&completions));
        let proactor = std::thread::Builder::new().name("proactor".into()).spawn(|| proactor.run())?;
        let (start, unsubmitted) = (Instant::now(), Vec::new());
        Ok(Self { start, numbers, unsubmitted, submissions, completions, proactor: Some(proactor) })
    }

    /// The one operation that is over at once.
    fn listen(&mut self, address: SocketAddr, backlog: u32) -> io::Result<Completed> {
        let (descriptor, local) = endpoint::listen(address, backlog)?;
        let socket = self.numbers.next();
        self.unsubmitted.push(Submission::Adopt(socket, descriptor));
        Ok(Completed::Opened { socket, local, peer: local })
    }

    /// Delivers what is over.
    fn reap(&mut self, completions: &mut Vec<Completion>) {
        let finished = self.completions.take();
        completions.extend(finished.into_iter().map(|Finished { slot, result, buffer }| {
            // The operation is over: nobody writes into its buffer any more.
            drop(buffer);
            Completion { slot, result }
        }));
    }
}

impl Driver for CompletionDriver {
    fn name(&self) -> &'static str {
        "completion"
    }

    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        match operation {
            Operation::Listen { address, backlog } => {
                Some(self.listen(address, backlog).unwrap_or_else(Completed::Failed))
            }
            operation => {
                self.unsubmitted.push(Submission::Start(slot, operation));
                None
            }
        }
    }

    fn cancel(&mut self, slot: Slot) {
        self.unsubmitted.push(Submission::Cancel(slot));
    }

    fn close(&mut self, socket: Socket) {
        self.unsubmitted.push(Submission::Close(socket));
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.submissions.push(&mut self.unsubmitted);
        let timeout = match wait {
            Wait::Poll => Some(Duration::ZERO),
            Wait::Until(deadline) => Some(deadline.since(self.now())),
            Wait::Forever => None,
        };
        if timeout != Some(Duration::ZERO) {
            let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
            match poll(&mut [PollFd::new(&self.completions.bell(), PollFlags::IN)], timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.reap(completions);
        Ok(())
    }

    fn has_more(&self) -> bool {
        !self.unsubmitted.is_empty() || !self.completions.is_empty()
    }

    fn pollable(&self) -> Option<BorrowedFd<'_>> {
        Some(self.completions.bell())
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        Arc::clone(&self.completions) as Arc<dyn Notify>
    }

    fn block_for(&mut self, duration: Duration) {
        let until = self.now() + duration;
        while self.now() < until {
            // For nothing but the time.
            let left = Timespec::try_from(until.since(self.now())).ok();
            let _ = poll(&mut [], left.as_ref());
        }
    }
}

impl Drop for CompletionDriver {
    /// What is in flight ends with its thread, which closes all descriptors.
    fn drop(&mut self) {
        self.unsubmitted.push(Submission::End);
        self.submissions.push(&mut self.unsubmitted);
        if let Some(proactor) = self.proactor.take() {
            // It does not panic; if it did, there would be nobody to tell.
            let _ = proactor.join();
        }
    }
}

impl fmt::Debug for CompletionDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionDriver")
            .field("unsubmitted", &self.unsubmitted.len())
            .field("has_completions", &!self.completions.is_empty())
            .finish_non_exhaustive()
    }
}
