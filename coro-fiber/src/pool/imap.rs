//! The results of a function over many items, as they come.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use coro_core::event_loop::Loop;
use coro_core::sync::{Event, Semaphore, event, semaphore::Permit};
use coro_core::task::{Canceller, TaskError, TaskInfo, TaskResult};
use futures_core::Stream;

use super::Places;
use super::crew::Entry;
use crate::greenlet::report_unread;
use crate::{TaskCo, WaitError, task};

/// The results of a function over many items, each in a member of a group or a pool. Made by
/// [`imap`](super::Pool::imap) and [`imap_unordered`](super::Pool::imap_unordered).
///
/// In a fiber it is an iterator that waits; [`next_result`](Self::next_result) is its `next` as a future, and
/// [`into_stream`](Self::into_stream) a stream for native code. The members begin by themselves, as soon as there is a place
/// for them, however slowly the results are taken; [`maxsize`](Self::maxsize) bounds that.
///
/// A member that fails is one error in its place, and the others go on. If `items` itself panics, that is the last error.
///
/// # Cancellation
///
/// Strict: a wait that is cancelled has taken nothing, and the next one goes on. When this is dropped, no other member begins,
/// and the items that are left are dropped; members that have begun run on, and an error of theirs goes to the loop's
/// exception handler.
#[must_use = "the results are lost unless they are taken"]
pub struct Imap<T> {
    results: Rc<Results<T>>,
    feeder: Canceller,
    waiting: Option<event::Wait>,
}

struct Results<T> {
    /// By the order in which they are to be taken.
    here: RefCell<BTreeMap<u64, Delivered<T>>>,
    /// The next one to take.
    next: Cell<u64>,
    /// How many are here or taken: the order of those that come as they end.
    delivered: Cell<u64>,
    /// How many there will be, once that is known.
    total: Cell<Option<u64>>,
    /// Whether each has a place of its own, that of its item.
    ordered: bool,
    /// How many may have begun and not been taken.
    room: RefCell<Option<Semaphore>>,
    news: Event,
    /// Nobody will take any more.
    abandoned: Cell<bool>,
}

struct Delivered<T> {
    result: Result<T, TaskError>,
    /// Whose it is, if it is a member's.
    task: Option<TaskInfo>,
    _room: Option<Permit>,
}

impl<T> Results<T> {
    fn new(ordered: bool) -> Rc<Self> {
        Rc::new(Self {
            here: RefCell::default(),
            next: Cell::new(0),
            delivered: Cell::new(0),
            total: Cell::new(None),
            ordered,
            room: RefCell::new(None),
            news: Event::new(),
            abandoned: Cell::new(false),
        })
    }

    /// The result of item `index` is there. Gives back an error that nobody will take.
    fn deliver(&self, index: u64, delivered: Delivered<T>) -> Option<TaskError> {
        if self.abandoned.get() {
            return delivered.result.err();
        }
        let arrival = self.delivered.replace(self.delivered.get() + 1);
        self.here.borrow_mut().insert(if self.ordered { index } else { arrival }, delivered);
        self.tell();
        None
    }

    /// There will be `total` results.
    fn end(&self, total: u64) {
        self.total.set(Some(total));
        self.tell();
    }

    /// Wakes who waits now.
    fn tell(&self) {
        self.news.set();
        self.news.clear();
    }

    /// `None` if it is to come; an inner `None` if none is.
    fn take(&self) -> Option<Option<Result<T, TaskError>>> {
        let next = self.next.get();
        if self.total.get() == Some(next) {
            return Some(None);
        }
        let delivered = self.here.borrow_mut().remove(&next)?;
        self.next.set(next + 1);
        Some(Some(delivered.result))
    }
}

impl<T: 'static> Imap<T> {
    pub(super) fn new<A: 'static>(
        places: &Places,
        at: &'static Location<'static>,
        ordered: bool,
        function: impl Fn(&mut TaskCo<'_>, A) -> TaskResult<T> + 'static,
        items: impl IntoIterator<Item = A> + 'static,
    ) -> Self {
        let results = Results::new(ordered);
        let (places, to) = (places.clone(), Rc::clone(&results));
        let begun = Rc::new(Cell::new(0));
        let count = Rc::clone(&begun);
        let feeds = task(move |co| {
            let function = Rc::new(function);
            for item in items {
                let room = to.room.borrow().clone();
                let room = room.map(|room| co.wait(room.acquire())).transpose()?;
                if let Some(room) = &room {
                    // Who takes the result gives it back.
                    room.set_holder(None);
                }
                let permit = co.wait(places.acquire())?;
                let index = count.replace(count.get() + 1);
                let (function, to) = (Rc::clone(&function), Rc::clone(&to));
                places.crew.start_for(
                    Entry { what: "coro_fiber::Pool::imap", at, permit },
                    task(move |co| function(co, item)),
                    move |result, task| {
                        to.deliver(index, Delivered { result, task: Some(task), _room: room })
                    },
                );
            }
            Ok(())
        });
        let to = Rc::clone(&results);
        let feeder = Loop::spawn_on_running_at("coro_fiber::Pool::imap", feeds, at).on_done(move |fed| {
            let begun = begun.get();
            let Err(error) = fed else { return to.end(begun) };
            to.end(begun + 1);
            let last = Delivered { result: Err(error), task: None, _room: None };
            if let Some(error) = to.deliver(begun, last) {
                report_unread(None, error);
            }
        });
        Self { results, feeder, waiting: None }
    }

    /// Bounds how many members may have begun whose results were not taken; 0 is no bound.
    ///
    /// To be said before the first turn: it counts for members that begin later.
    pub fn maxsize(self, maxsize: usize) -> Self {
        *self.results.room.borrow_mut() = (maxsize > 0).then(|| Semaphore::new(maxsize));
        self
    }

    /// Waits for the next result: `None` after the last one.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn next_result(&mut self) -> impl Future<Output = Option<Result<T, TaskError>>> {
        poll_fn(|cx| self.poll_result(cx))
    }

    /// The results as a stream.
    pub fn into_stream(self) -> ImapStream<T> {
        ImapStream(self)
    }

    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, TaskError>>> {
        loop {
            if let Some(taken) = self.results.take() {
                self.waiting = None;
                return Poll::Ready(taken);
            }
            let waiting = self.waiting.get_or_insert_with(|| self.results.news.wait());
            ready!(Pin::new(waiting).poll(cx));
            self.waiting = None;
        }
    }
}

/// In a fiber: waits for the next result.
///
/// An item is an error of the wait, as [`wait`](crate::wait()) gives it, or the result of a member.
impl<T: 'static> Iterator for Imap<T> {
    type Item = Result<Result<T, TaskError>, WaitError>;

    fn next(&mut self) -> Option<Self::Item> {
        crate::wait(self.next_result()).transpose()
    }
}

impl<T> Drop for Imap<T> {
    fn drop(&mut self) {
        self.feeder.cancel();
        self.results.abandoned.set(true);
        let here = self.results.here.take();
        for delivered in here.into_values() {
            if let Err(error) = delivered.result {
                report_unread(delivered.task, error);
            }
        }
    }
}

impl<T> fmt::Debug for Imap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap")
            .field("taken", &self.results.next.get())
            .field("ready", &self.results.here.borrow().len())
            .finish_non_exhaustive()
    }
}

/// The results of an [`Imap`], as a stream.
#[derive(Debug)]
#[must_use = "a stream does nothing until it is read"]
pub struct ImapStream<T>(Imap<T>);

impl<T: 'static> Stream for ImapStream<T> {
    type Item = Result<T, TaskError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_result(cx)
    }
}
