//! The records of the loops of this process: where wake-ups from other threads arrive.
//!
//! A waker is one word, which names a record, a slot in it, and the tenants that both had when it was made. Records are
//! never freed: a loop that is gone leaves its record to the next one. So a waker may outlive its task, its loop and
//! their thread, and a wake touches only memory that is always there. The tenants are counted in few bits; a waker
//! that is older than a whole round of them wakes somebody else, who must tolerate that anyway.
//!
//! ```text
//!   record ── woken ──▶ slot 7 ── next ──▶ slot 3      a stack: pushed by those who wake, taken whole by the loop
//! ```
//!
//! A wake from another thread is one atomic operation on the slot, which coalesces it with others, and one on the
//! stack; it allocates nothing and takes no lock, but for the notifier of a loop that sleeps, once a sleep.

use std::sync::{Arc, OnceLock, PoisonError, TryLockError};

use super::word::{CHUNK, FIRST_PAGE, RECORD_BITS, RECORD_TENANT_BITS, RecordName, SLOT_BITS, Word};
use crate::driver::Notify;
use crate::threads::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::threads::atomic::{AtomicBool, AtomicU16, AtomicU32};
use crate::threads::{Mutex, MutexGuard, shared};

/// The stack of the woken is empty, and the loop awake.
const AWAKE: u32 = u32::MAX;
/// It is empty, and whoever pushes on it must notify the loop.
const ASLEEP: u32 = u32::MAX - 1;

/// What a task of a loop is to other threads.
#[derive(Debug, Default)]
struct Slot {
    /// Changed by the loop only, and apart from the mark: with it, every end of a task would be an atomic operation.
    tenant: AtomicU16,
    /// It is on the stack of the woken.
    woken: AtomicBool,
    /// The slot beneath it on the stack.
    next: AtomicU32,
}

impl Slot {
    fn tenant(&self) -> u32 {
        self.tenant.load(Relaxed).into()
    }
}

/// Slots come in pages, each twice as large as the one before. A page is never freed.
const PAGES: usize = (SLOT_BITS - FIRST_PAGE.trailing_zeros() + 1) as usize;

#[derive(Debug)]
pub(crate) struct Record {
    index: usize,
    /// Counts the loops that have had it.
    tenant: AtomicU32,
    /// The slot on top of the stack of the woken, or [`AWAKE`], or [`ASLEEP`].
    woken: AtomicU32,
    pages: [OnceLock<Box<[Slot]>>; PAGES],
    notify: Mutex<Option<Arc<dyn Notify>>>,
}

shared! {
    /// All records. They come in chunks, which are never freed.
    static RECORDS: [OnceLock<Box<[Record; CHUNK]>>; (1 << RECORD_BITS) / CHUNK] =
        [const { OnceLock::new() }; (1 << RECORD_BITS) / CHUNK];

    /// Those without a loop, and how many there have ever been.
    static FREE: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));
}

fn free() -> MutexGuard<'static, (Vec<usize>, usize)> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A loop's hold on its record, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    record: &'static Record,
    name: RecordName,
    /// The first page of slots, for those who have few tasks.
    first: &'static [Slot],
}

impl Lease {
    /// A record for a new loop.
    ///
    /// # Panics
    ///
    /// If 65,535 loops exist.
    pub(crate) fn new(notify: Arc<dyn Notify>) -> Self {
        let index = {
            let (free, used) = &mut *free();
            free.pop().unwrap_or_else(|| {
                // The first record is never used, so that no word is zero.
                *used += 1;
                *used
            })
        };
        let chunk = RECORDS.get(index / CHUNK).map(|chunk| {
            chunk.get_or_init(|| {
                Box::new(std::array::from_fn(|place| Record::new(index - index % CHUNK + place)))
            })
        });
        let Some(chunk) = chunk else {
            panic!("there are {} event loops already", RECORDS.len() * CHUNK - 1)
        };
        let record = &chunk[index % CHUNK];
        *record.notifier() = Some(notify);
        let name = record.name();
        // The mailbox is there from the beginning.
        Self { record, name, first: record.page(0) }
    }

    pub(crate) fn name(&self) -> RecordName {
        self.name
    }

    pub(crate) fn record(&self) -> &'static Record {
        self.record
    }

    /// The tenant of a slot, by its word, has gone. Gives the next one.
    #[inline(always)]
    pub(crate) fn vacate(&self, word: Word) -> Word {
        let next = word.next();
        if let Some(slot) = self.first.get(word.slot() as usize).or_else(|| self.record.slot(word.slot())) {
            slot.tenant.store(next.tenant() as u16, Relaxed);
        }
        next
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.record.leave();
        free().0.push(self.record.index);
    }
}

#[cfg(feature = "testing")]
crate::__local! {
    static PUSHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How often this thread has woken somebody through a record.
#[cfg(feature = "testing")]
pub(crate) fn pushed_here() -> u64 {
    PUSHED.get()
}

/// Everybody's side.
impl Record {
    pub(super) fn new(index: usize) -> Self {
        Self {
            index,
            tenant: AtomicU32::new(0),
            woken: AtomicU32::new(AWAKE),
            pages: [const { OnceLock::new() }; PAGES],
            notify: Mutex::new(None),
        }
    }

    pub(super) fn find(index: usize) -> Option<&'static Self> {
        Some(&RECORDS.get(index / CHUNK)?.get()?[index % CHUNK])
    }

    fn name(&self) -> RecordName {
        let tenant = self.tenant.load(Acquire) & ((1 << RECORD_TENANT_BITS) - 1);
        RecordName(self.index as u32 | tenant << RECORD_BITS)
    }

    pub(super) fn is_tenant(&self, name: RecordName) -> bool {
        self.name() == name
    }

    /// Wakes a slot, unless it has another tenant, or is woken already. From any thread.
    pub(crate) fn wake(&self, index: u32, tenant: Option<u32>) {
        let Some(slot) = self.slot(index) else { return };
        if tenant.is_some_and(|tenant| slot.tenant() != tenant) {
            return;
        }
        // An operation that writes, also if it changes nothing: what this thread did before is seen by whoever takes
        // the mark away. The tenant may have changed meanwhile: then the next one is woken for nothing.
        if slot.woken.swap(true, AcqRel) {
            return;
        }
        let mut top = self.woken.load(Relaxed);
        loop {
            slot.next.store(if top == ASLEEP { AWAKE } else { top }, Relaxed);
            match self.woken.compare_exchange_weak(top, index, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(changed) => top = changed,
            }
        }
        #[cfg(feature = "testing")]
        PUSHED.set(PUSHED.get() + 1);
        if top == ASLEEP {
            self.notify();
        }
    }

    /// Wakes the loop, if it sleeps.
    pub(crate) fn rouse(&self) {
        // Writes, also if it changes nothing: what this thread did before is seen by a loop that falls asleep later.
        let awake = |top| Some(if top == ASLEEP { AWAKE } else { top });
        if self.woken.fetch_update(AcqRel, Relaxed, awake) == Ok(ASLEEP) {
            self.notify();
        }
    }

    /// Where somebody has the lock, that is who notifies the loop, and has yet to, or the loop itself, which is awake. So
    /// nobody waits here, and a handler of signals may come here from anywhere.
    fn notify(&self) {
        let notify = match self.notify.try_lock() {
            Ok(notify) => notify.clone(),
            Err(TryLockError::Poisoned(notify)) => notify.into_inner().clone(),
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some(notify) = notify {
            notify.notify();
        }
    }

    fn notifier(&self) -> MutexGuard<'_, Option<Arc<dyn Notify>>> {
        self.notify.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> Option<&Slot> {
        let (page, offset) = place(index);
        self.pages[page].get()?.get(offset)
    }
}

/// The loop's side.
impl Record {
    /// The word of the present tenant of a slot.
    pub(crate) fn word(&self, name: RecordName, index: u32) -> Word {
        let (page, offset) = place(index);
        Word::new(name, index, self.page(page)[offset].tenant())
    }

    fn page(&self, page: usize) -> &[Slot] {
        self.pages[page].get_or_init(|| (0..FIRST_PAGE << page).map(|_| Slot::default()).collect())
    }

    /// Replaces whom a wake notifies while the loop sleeps. It is awake.
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "only a guest does"))]
    pub(crate) fn set_notifier(&self, notify: Arc<dyn Notify>) {
        let outdated = self.notifier().replace(notify);
        drop(outdated);
    }

    /// Announces that the loop will sleep. False if somebody was woken: then it must not.
    pub(crate) fn try_sleep(&self) -> bool {
        let top = self.woken.compare_exchange(AWAKE, ASLEEP, AcqRel, Relaxed);
        matches!(top, Ok(_) | Err(ASLEEP))
    }

    /// Whether the loop sleeps, and nobody has woken it.
    pub(crate) fn is_asleep(&self) -> bool {
        self.woken.load(Relaxed) == ASLEEP
    }

    /// Whether the loop is awake, and nobody was woken by another thread.
    pub(crate) fn is_quiet(&self) -> bool {
        self.woken.load(Relaxed) == AWAKE
    }

    /// Takes those who were woken by other threads, the first one last, and marks the loop as awake.
    pub(crate) fn take_woken(&self, woken: &mut Vec<u32>) {
        if self.is_quiet() {
            return;
        }
        let mut top = self.woken.swap(AWAKE, AcqRel);
        while let Some(slot) = self.slot(top) {
            woken.push(top);
            top = slot.next.load(Relaxed);
            // From here on it may be pushed again.
            slot.woken.swap(false, AcqRel);
        }
    }

    /// The loop has gone: whoever knows it by name finds nobody from now on.
    fn leave(&self) {
        self.tenant.fetch_add(1, AcqRel);
        let notify = self.notifier().take();
        drop(notify);
        self.take_woken(&mut Vec::new());
    }
}

/// The page of a slot, and its place there.
#[inline(always)]
fn place(index: u32) -> (usize, usize) {
    // 0..64 are in page 0, 64..192 in page 1, 192..448 in page 2.
    let from_one = index.saturating_add(FIRST_PAGE);
    let page = from_one.ilog2() - FIRST_PAGE.ilog2();
    ((page as usize).min(PAGES - 1), (from_one - (FIRST_PAGE << page)) as usize)
}

#[cfg(test)]
mod tests;
