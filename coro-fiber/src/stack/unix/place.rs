//! Where the chunks are, for those who have only an address: the handler of a fault, and a fiber that asks for its stack.
//!
//! A list that only grows. An entry of a chunk that is gone is used for another one. So it can be walked at any time
//! without a lock; and what an entry says is looked at by the thread that has written it.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::super::header::{Header, Site};
use super::header_offset;

static FIRST: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());

/// An entry.
#[derive(Debug)]
pub(super) struct Place {
    /// Whose it is: 0 if it is free, 1 while it is being written, else the thread.
    owner: AtomicUsize,
    low: AtomicPtr<u8>,
    bytes: AtomicUsize,
    slot_bytes: AtomicUsize,
    /// Never changes, once it is in the list.
    next: AtomicPtr<Self>,
}

const FREE: usize = 0;
const BEING_WRITTEN: usize = 1;

/// This thread, as a number. May be called by the handler of a signal.
fn this_thread() -> usize {
    // SAFETY: it only answers.
    unsafe { libc::pthread_self() as usize }
}

impl Place {
    /// Enters a chunk of this thread, which it has mapped.
    pub(super) fn enter(low: NonNull<u8>, bytes: usize, slot_bytes: usize) -> &'static Self {
        let place = Self::all().find(|place| {
            place.owner.compare_exchange(FREE, BEING_WRITTEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
        });
        let place = place.unwrap_or_else(Self::add);
        place.low.store(low.as_ptr(), Ordering::Relaxed);
        place.bytes.store(bytes, Ordering::Relaxed);
        place.slot_bytes.store(slot_bytes, Ordering::Relaxed);
        place.owner.store(this_thread(), Ordering::Release);
        place
    }

    /// Before the chunk is unmapped.
    pub(super) fn leave(&self) {
        self.owner.store(FREE, Ordering::Release);
    }

    fn add() -> &'static Self {
        let place: &'static Self = Box::leak(Box::new(Self {
            owner: AtomicUsize::new(BEING_WRITTEN),
            low: AtomicPtr::default(),
            bytes: AtomicUsize::new(0),
            slot_bytes: AtomicUsize::new(0),
            next: AtomicPtr::default(),
        }));
        let mut first = FIRST.load(Ordering::Relaxed);
        loop {
            place.next.store(first, Ordering::Relaxed);
            match FIRST.compare_exchange_weak(
                first,
                ptr::from_ref(place).cast_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return place,
                Err(other) => first = other,
            }
        }
    }

    fn all() -> impl Iterator<Item = &'static Self> {
        // SAFETY: an entry is leaked before it is in the list, and never changed but through its atomics.
        let at = |place: *mut Self| unsafe { place.as_ref::<'static>() };
        std::iter::successors(at(FIRST.load(Ordering::Acquire)), move |place| {
            at(place.next.load(Ordering::Relaxed))
        })
    }
}

/// A slot of this thread.
pub(super) struct Found {
    pub(super) low: NonNull<u8>,
    pub(super) slot_bytes: usize,
    pub(super) base: usize,
    /// Whose stack it is, if it is on loan.
    pub(super) site: Option<Site>,
}

/// The slot of this thread that an address is in, guard page and all. May be called by the handler of a signal.
pub(super) fn find(address: usize) -> Option<Found> {
    let thread = this_thread();
    // What this thread has written itself.
    let mine = Place::all().filter(|place| place.owner.load(Ordering::Relaxed) == thread);
    for place in mine {
        let low = NonNull::new(place.low.load(Ordering::Relaxed))?;
        let slot_bytes = place.slot_bytes.load(Ordering::Relaxed);
        let offset = address.wrapping_sub(low.addr().get());
        if offset < place.bytes.load(Ordering::Relaxed) {
            let index = offset / slot_bytes;
            // SAFETY: a chunk is a whole number of slots, mapped for as long as this thread has it in the list.
            let low = unsafe { low.add(index * slot_bytes) };
            // SAFETY: in the same slot.
            let header = unsafe { low.add(header_offset(index, slot_bytes)) }.cast::<Header>();
            // SAFETY: a header is there, or zeros, which are one as well. Only this thread changes it.
            let site = unsafe { header.as_ref() }.site();
            return Some(Found { low, slot_bytes, base: header.addr().get(), site });
        }
    }
    None
}
