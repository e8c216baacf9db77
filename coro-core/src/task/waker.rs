//! The waker of a task: a word that names the task, reaches its loop from any thread, and outlives both.

#![allow(unsafe_code)]

use std::task::Waker;

use crate::event_loop::{Core, Word};

fn wake(word: Word) {
    // On the loop's own thread a wake is a push to its queue; from elsewhere it goes to its record.
    if !Core::wake_on_current(word) {
        word.wake_remotely();
    }
}

/// The waker of the task that `word` names. Where a pointer holds the word, nothing is counted: a clone is a copy, and a
/// drop does nothing.
#[cfg(target_pointer_width = "64")]
pub(crate) fn task_waker(word: Word) -> Waker {
    use std::ptr::without_provenance;
    use std::task::{RawWaker, RawWakerVTable};

    fn word_of(data: *const ()) -> Word {
        Word::from_bits(data.addr() as u64)
    }

    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &TABLE),
        |data| wake(word_of(data)),
        |data| wake(word_of(data)),
        |_| (),
    );
    // SAFETY: the functions of the table are safe for every word, on every thread: what they touch is found through
    // statics and never freed. The data is not a pointer to anything, so nothing has to be kept or released.
    unsafe { Waker::new(without_provenance(word.bits() as usize), &TABLE) }
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
