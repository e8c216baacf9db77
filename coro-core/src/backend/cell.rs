//! One allocation for a body and the airlock through which it exchanges values.

#![allow(unsafe_code)]

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::pin::Pin;
use core::ptr::{NonNull, addr_of_mut};

use super::Airlock;
use super::memory::{self, Home};

/// A body at an address of its own, beside its airlock.
///
/// ```text
///   BodyCell ──▶ ┌ airlock ┐ ◀── Link, in the body
///                │ body    │
///                └─────────┘
/// ```
pub struct BodyCell<S, Y, E, B: ?Sized> {
    /// **Invariant:** from [`memory::allocate`] with this home, and freed by nobody but the drop of this.
    inner: NonNull<Inner<S, Y, E, B>>,
    home: Home,
    /// **Invariant:** the body has been neither dropped nor begun to be.
    live: bool,
    owns: PhantomData<Inner<S, Y, E, B>>,
}

/// What is allocated. Only its address is public, for [`BodyCell::erase`].
#[allow(missing_debug_implementations)]
pub struct Inner<S, Y, E, B: ?Sized> {
    airlock: Airlock<S, Y, E>,
    body: UnsafeCell<ManuallyDrop<B>>,
}

impl<S, Y, E, B> BodyCell<S, Y, E, B> {
    /// Makes a body with `make`, which gets the link to its airlock.
    ///
    /// # Safety
    ///
    /// The link, and what is made of it, must be used only while this cell lives: the body keeps the link, lends it
    /// under a lifetime that its borrower cannot choose, and stays in this cell (an `Unpin` body could be swapped with
    /// that of another one).
    ///
    /// Unless `M` is [`Movable`], it stays on its thread. If it is, only a [`MovableSub`](super::MovableSub) may be
    /// delegated to through the link.
    pub unsafe fn new<M: Mobility>(make: impl FnOnce(Link<S, Y, E, M>) -> B) -> Self {
        let (block, home) = memory::allocate::<Inner<S, Y, E, B>>(M::LOCAL);
        let inner = block.cast::<Inner<S, Y, E, B>>().as_ptr();
        // SAFETY: `inner` is a fresh allocation of this layout, so the place is in bounds.
        let airlock = unsafe { addr_of_mut!((*inner).airlock) };
        // SAFETY: it is aligned, and writable because nobody else knows it.
        unsafe { airlock.write(Airlock::default()) };
        // SAFETY: a place in an allocation is not null.
        let link = Link(unsafe { NonNull::new_unchecked(airlock) }, PhantomData);
        let body = UnsafeCell::new(ManuallyDrop::new(make(link)));
        // SAFETY: as for the airlock, and disjoint from it.
        let place = unsafe { addr_of_mut!((*inner).body) };
        // SAFETY: as for the airlock. Had `make` panicked, the allocation would have leaked, which is sound.
        unsafe { place.write(body) };
        // SAFETY: an allocation is not null.
        let inner = unsafe { NonNull::new_unchecked(inner) };
        Self { inner, home, live: true, owns: PhantomData }
    }
}

impl<S, Y, E, B: ?Sized> BodyCell<S, Y, E, B> {
    /// The airlock.
    #[inline(always)]
    pub fn airlock(&self) -> &Airlock<S, Y, E> {
        // SAFETY: the allocation lives as long as `self`, and the airlock was written by `new`. Nobody ever makes a
        // `&mut` to it: the body and its driver share it through its cells.
        unsafe { &(*self.inner.as_ptr()).airlock }
    }

    /// The body, until it has ended.
    #[inline(always)]
    pub fn body(&mut self) -> Option<Pin<&mut B>> {
        self.airlock_and_body().1
    }

    /// Both.
    #[inline(always)]
    pub fn airlock_and_body(&mut self) -> (&Airlock<S, Y, E>, Option<Pin<&mut B>>) {
        // SAFETY: as in `airlock`.
        let airlock = unsafe { &(*self.inner.as_ptr()).airlock };
        if !self.live {
            return (airlock, None);
        }
        // SAFETY: in bounds of the allocation, which lives as long as `self`.
        let place = unsafe { &(*self.inner.as_ptr()).body };
        // SAFETY: the only reference to the body, for as long as `self` is borrowed: the body holds a link to the
        // airlock, which is disjoint from it, and none to itself.
        let body: &mut B = unsafe { &mut *place.get() };
        // SAFETY: the body does not move: the allocation stays where it is, and `end` drops the body in place.
        (airlock, Some(unsafe { Pin::new_unchecked(body) }))
    }

    /// Drops the body, if it is still there.
    pub fn end(&mut self) {
        if core::mem::replace(&mut self.live, false) {
            // SAFETY: in bounds of the allocation, which lives as long as `self`.
            let place = unsafe { &(*self.inner.as_ptr()).body };
            // SAFETY: the only reference, as in `body`.
            let body = unsafe { &mut *place.get() };
            // SAFETY: it was live, and is not any more, so that it is never dropped nor used again, even if this
            // panics.
            unsafe { ManuallyDrop::drop(body) };
        }
    }

    /// The same cell, with the type of its body erased.
    ///
    /// # Safety
    ///
    /// `coerce` must return the pointer that it is given.
    pub unsafe fn erase<T: ?Sized>(
        self,
        coerce: impl FnOnce(NonNull<Inner<S, Y, E, B>>) -> NonNull<Inner<S, Y, E, T>>,
    ) -> BodyCell<S, Y, E, T> {
        let this = ManuallyDrop::new(self);
        BodyCell { inner: coerce(this.inner), home: this.home, live: this.live, owns: PhantomData }
    }
}

impl<S, Y, E, B: ?Sized> Drop for BodyCell<S, Y, E, B> {
    fn drop(&mut self) {
        /// Frees the allocation also if the body panics while it is dropped.
        struct Free<S, Y, E, B: ?Sized>(NonNull<Inner<S, Y, E, B>>, Home);

        impl<S, Y, E, B: ?Sized> Drop for Free<S, Y, E, B> {
            fn drop(&mut self) {
                // SAFETY: it is there until this frees it.
                let layout = Layout::for_value(unsafe { self.0.as_ref() });
                // SAFETY: in bounds of the same.
                let airlock = unsafe { addr_of_mut!((*self.0.as_ptr()).airlock) };
                // SAFETY: nobody uses it any more. The body is dropped or forgotten: it is `ManuallyDrop`.
                unsafe { airlock.drop_in_place() };
                // SAFETY: by the invariant it came from there, and this is the only place that frees it. If that was the
                // arena, this is its thread: such a body does not leave it.
                unsafe { memory::free(self.0.cast(), layout, self.1) };
            }
        }

        // The body before the airlock: its suspension points withdraw from it what they asked for.
        let _free = Free(self.inner, self.home);
        self.end();
    }
}

impl<S, Y, E, B: ?Sized> fmt::Debug for BodyCell<S, Y, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCell").field("airlock", self.airlock()).field("live", &self.live).finish()
    }
}

/// Marks a body that stays on its thread, and delegates to anything.
#[derive(Debug)]
pub enum Local {}

impl Mobility for Local {
    const LOCAL: bool = true;
}

/// Whether a body may go to another thread: [`Local`] or [`Movable`].
pub trait Mobility {
    /// It stays where it was made.
    const LOCAL: bool;
}

/// Marks a body that may go to another thread, and delegates only to what may go there with it: to a
/// [`MovableSub`](super::MovableSub).
#[derive(Debug)]
pub enum Movable {}

impl Mobility for Movable {
    const LOCAL: bool = false;
}

/// A body's link to its airlock. Made by [`BodyCell::new`].
pub struct Link<S, Y, E, M = Local>(NonNull<Airlock<S, Y, E>>, PhantomData<M>);

// SAFETY: what passes through the airlock is of these types, or is a sub, which may go too: whoever called
// `BodyCell::new` promised it. A link is used by the body that holds it, through `&mut`, and the body and its driver
// are never on two threads at once: the body runs only inside a call of its driver, and so does a thread that the body
// lends the link to.
unsafe impl<S: Send, Y: Send, E: Send> Send for Link<S, Y, E, Movable> {}

impl<S, Y, E, M> Link<S, Y, E, M> {
    /// The airlock, for the time of one suspension.
    #[inline(always)]
    pub fn exclusive(&mut self) -> Exclusive<'_, S, Y, E, M> {
        // SAFETY: whoever called `BodyCell::new` promised that the cell lives as long as the link is used. The airlock
        // is only ever shared.
        Exclusive(unsafe { self.0.as_ref() }, PhantomData)
    }
}

impl<S, Y, E, M> fmt::Debug for Link<S, Y, E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// An airlock, borrowed through the only link to it: so it may go to another thread together with the body. There is no
/// copy of it.
pub struct Exclusive<'a, S, Y, E, M = Local>(&'a Airlock<S, Y, E>, PhantomData<M>);

// SAFETY: as for `Link`, which it borrows exclusively.
unsafe impl<S: Send, Y: Send, E: Send> Send for Exclusive<'_, S, Y, E, Movable> {}

impl<S, Y, E, M> Deref for Exclusive<'_, S, Y, E, M> {
    type Target = Airlock<S, Y, E>;

    #[inline(always)]
    fn deref(&self) -> &Airlock<S, Y, E> {
        self.0
    }
}

impl<S, Y, E, M> fmt::Debug for Exclusive<'_, S, Y, E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
