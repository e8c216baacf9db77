//! The waker of a task: a word that names the task, reaches its loop from any thread, and outlives both.

#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::task::Waker;
#[cfg(target_pointer_width = "64")]
use std::task::{RawWaker, RawWakerVTable};

use crate::event_loop::{Core, Word};

/// Calls somebody who waits in line: wakes him, unless he is one of our tasks and his wait is over, because he is cancelled.
/// False then.
#[inline]
pub(crate) fn call(waker: Waker) -> bool {
    let called = word_of(&waker).and_then(Core::call);
    if called.is_none() {
        waker.wake();
    }
    called.unwrap_or(true)
}

/// Wakes the task that `word` names.
#[inline(always)]
pub(crate) fn wake(word: Word) {
    if !Core::wake_running(word) {
        wake_another(word);
    }
}

#[inline(never)]
fn wake_another(word: Word) {
    // On the loop's own thread a wake is a push to its queue; from elsewhere it goes to its record.
    if !Core::wake_on_current(word) {
        word.wake_remotely();
    }
}

#[cfg(target_pointer_width = "64")]
fn data_of(word: Word) -> *const () {
    std::ptr::without_provenance(word.bits() as usize)
}

/// Lends the waker of the task that `word` names. Where a pointer holds the word, nothing is counted: a clone is a copy, and
/// a drop does nothing.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(super) fn with_waker_of<T>(word: Word, look: impl FnOnce(&Waker) -> T) -> T {
    look(&uncounted(word, &TABLE))
}

/// `table` is one of ours.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
fn uncounted(word: Word, table: &'static RawWakerVTable) -> ManuallyDrop<Waker> {
    debug_assert!(is_ours(table));
    // SAFETY: the functions of the tables are safe for every word, on every thread: what they touch is found through
    // statics and never freed. The data is not a pointer to anything, so nothing has to be kept or released.
    let waker = unsafe { Waker::new(data_of(word), table) };
    // There is nothing to drop, but the compiler does not always see that.
    ManuallyDrop::new(waker)
}

#[cfg(target_pointer_width = "64")]
#[inline(always)]
fn is_ours(table: &'static RawWakerVTable) -> bool {
    std::ptr::eq(table, &TABLE) || std::ptr::eq(table, &ATTENTIVE)
}

/// Lends the same waker as `waker`, as one that is [not plain](plain_word_of) if it is one of ours.
#[cfg(target_pointer_width = "64")]
pub(super) fn with_attentive<T>(waker: &Waker, look: impl FnOnce(&Waker) -> T) -> T {
    match word_of(waker) {
        Some(word) => look(&uncounted(word, &ATTENTIVE)),
        None => look(waker),
    }
}

#[cfg(not(target_pointer_width = "64"))]
pub(super) fn with_attentive<T>(waker: &Waker, look: impl FnOnce(&Waker) -> T) -> T {
    look(waker)
}

#[cfg(target_pointer_width = "64")]
static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &TABLE),
    |data| wake(from_data(data)),
    |data| wake(from_data(data)),
    |_| (),
);

/// That of a waker with which a landing polls, which wants to know what is waited for.
#[cfg(target_pointer_width = "64")]
static ATTENTIVE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &ATTENTIVE),
    |data| wake(from_data(data)),
    |data| wake(from_data(data)),
    |_| (),
);

#[cfg(target_pointer_width = "64")]
fn from_data(data: *const ()) -> Word {
    Word::from_bits(data.addr() as u64)
}

/// The word of a waker of ours.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(crate) fn word_of(waker: &Waker) -> Option<Word> {
    is_ours(waker.vtable()).then(|| from_data(waker.data()))
}

/// The word of a waker of ours with which nobody polls but the loop, who wants nothing but to run the task.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(crate) fn plain_word_of(waker: &Waker) -> Option<Word> {
    std::ptr::eq(waker.vtable(), &TABLE).then(|| from_data(waker.data()))
}

/// A clone of a waker of ours, which nobody has to drop.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(crate) fn copied(waker: &Waker) -> Option<ManuallyDrop<Waker>> {
    word_of(waker).map(|word| uncounted(word, waker.vtable()))
}

/// Here it cannot be told.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn copied(_waker: &Waker) -> Option<ManuallyDrop<Waker>> {
    None
}

/// Here it cannot be told.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn word_of(_waker: &Waker) -> Option<Word> {
    None
}

/// Here it cannot be told.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn plain_word_of(_waker: &Waker) -> Option<Word> {
    None
}

/// Lends the waker of the task that `word` names.
#[cfg(not(target_pointer_width = "64"))]
pub(super) fn with_waker_of<T>(word: Word, look: impl FnOnce(&Waker) -> T) -> T {
    look(&task_waker(word))
}

/// The waker of the task that `word` names.
#[cfg(not(target_pointer_width = "64"))]
fn task_waker(word: Word) -> Waker {
    use std::sync::Arc;

    struct Counted(Word);

    impl std::task::Wake for Counted {
        fn wake(self: Arc<Self>) {
            wake(self.0);
        }
    }

    Waker::from(Arc::new(Counted(word)))
}
