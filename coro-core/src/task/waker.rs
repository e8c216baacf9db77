//! The waker of a task: a word that names the task, reaches its loop from any thread, and outlives both.

#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::task::Waker;
#[cfg(target_pointer_width = "64")]
use std::task::{RawWaker, RawWakerVTable};

use crate::event_loop::{Core, Word};

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

/// The waker of the task that `word` names. Where a pointer holds the word, nothing is counted: a clone is a copy, and a
/// drop does nothing.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(crate) fn task_waker(word: Word) -> Waker {
    // SAFETY: the functions of the table are safe for every word, on every thread: what they touch is found through
    // statics and never freed. The data is not a pointer to anything, so nothing has to be kept or released.
    unsafe { Waker::new(std::ptr::without_provenance(word.bits() as usize), &TABLE) }
}

/// Lends the waker of the task that `word` names.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
pub(crate) fn with_task_waker<T>(word: Word, look: impl FnOnce(&Waker) -> T) -> T {
    // There is nothing to drop, but the compiler does not always see that.
    look(&ManuallyDrop::new(task_waker(word)))
}

#[cfg(target_pointer_width = "64")]
static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &TABLE),
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
    std::ptr::eq(waker.vtable(), &TABLE).then(|| from_data(waker.data()))
}

/// A clone of a waker of ours, which nobody has to drop.
#[inline(always)]
pub(crate) fn copied(waker: &Waker) -> Option<ManuallyDrop<Waker>> {
    word_of(waker).map(|word| ManuallyDrop::new(task_waker(word)))
}

/// Here it cannot be told.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn word_of(_waker: &Waker) -> Option<Word> {
    None
}

/// Lends the waker of the task that `word` names.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn with_task_waker<T>(word: Word, look: impl FnOnce(&Waker) -> T) -> T {
    look(&task_waker(word))
}

/// The waker of the task that `word` names.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn task_waker(word: Word) -> Waker {
    use std::sync::Arc;

    struct Counted(Word);

    impl std::task::Wake for Counted {
        fn wake(self: Arc<Self>) {
            wake(self.0);
        }
    }

    Waker::from(Arc::new(Counted(word)))
}
