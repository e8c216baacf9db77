//! Which stacks are free.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use super::StackError;
use super::memory::{Arena, Slot, slot_bytes};

/// The size of a stack that nobody has asked to be another, and the least that there is. It is the same in a debug build,
/// though calls are four to ten times as deep there: nothing that is known here says how other crates are optimised, a
/// program that fits has room to spare, and one that does not is told so, with the way to a larger stack.
const DEFAULT_BYTES: usize = 64 * 1024;
const LEAST_BYTES: usize = 32 * 1024;
/// How much a pool keeps of what its free stacks may have touched.
const WARM_BYTES: usize = 16 * 1024 * 1024;

/// Stacks of one size for the fibers of one thread.
///
/// Every thread has pools of its own, of the sizes that its fibers ask for; this is for those who want another limit, or
/// to look at one. A handle: clones are the same pool, and it lives for as long as there is a handle or a fiber on one of
/// its stacks.
///
/// The stack of a fiber that has ended is used again. Its memory is given back to the system if more stacks are free than
/// [`warm_bytes`](StackPoolBuilder::warm_bytes) has room for.
///
/// # Examples
///
/// ```
/// use coro_core::coroutine::MisuseKind;
/// use coro_core::prelude::*;
/// use coro_fiber::{Options, StackPool, scope};
///
/// let pool = StackPool::builder().stack_bytes(1 << 20).capacity(1).build();
/// let options = Options::new().pool(&pool);
/// scope(|scope| {
///     let mut one = scope.own(options.fiber::<(), u32, (), (), _>(|co| co.yield_(1)));
///     let mut two = scope.own(options.fiber::<(), u32, (), (), _>(|co| co.yield_(2)));
///     assert_eq!(one.start(), Ok(Outcome::Yielded(1)));
///     assert_eq!(two.start(), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::NoStack))));
/// });
/// assert_eq!((pool.statistics().in_use, pool.statistics().refused), (0, 1));
/// ```
pub struct StackPool(Rc<Pool>);

impl StackPool {
    /// A pool of other than the usual stacks.
    pub fn builder() -> StackPoolBuilder {
        StackPoolBuilder::default()
    }

    /// The pool of this thread from which fibers take their stacks, if nothing else is asked for.
    pub fn of_this_thread() -> Self {
        Self::with_usual(Self::clone)
    }

    /// [`of_this_thread`](Self::of_this_thread), for the time of a call.
    #[inline(always)]
    pub(crate) fn with_usual<T>(take: impl Fn(&Self) -> T) -> T {
        // While the thread ends it has none any more.
        OWN.try_with(|own| take(own.usual())).unwrap_or_else(|_| take(&Self::builder().build()))
    }

    /// The pool of this thread whose stacks have this size.
    pub(crate) fn of_size(stack_bytes: usize) -> Self {
        OWN.try_with(|own| own.of_size(stack_bytes))
            .unwrap_or_else(|_| Self::builder().stack_bytes(stack_bytes).build())
    }

    /// What there is in it now.
    pub fn statistics(&self) -> StackStatistics {
        let pool = &*self.0;
        let free = pool.free.borrow();
        StackStatistics {
            stack_bytes: pool.stack_bytes,
            in_use: free.loans(),
            free: free.warm.len() + free.cold.len(),
            reserved_bytes: free.arena.reserved_bytes(),
            given_back: free.given_back,
            refused: pool.refused.get(),
        }
    }

    #[inline(always)]
    pub(super) fn inner(&self) -> &Rc<Pool> {
        &self.0
    }
}

impl Clone for StackPool {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl Drop for StackPool {
    fn drop(&mut self) {
        // What else counts are the loans.
        let handles = |pool: &Rc<Pool>| Rc::strong_count(pool) - pool.free.borrow().loans();
        if handles(&self.0) == 1 {
            self.0.retire();
        }
    }
}

// Nothing of the user's runs in a pool, so no panic leaves it half changed.
impl UnwindSafe for StackPool {}
impl RefUnwindSafe for StackPool {}

impl fmt::Debug for StackPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StackPool").field(&self.statistics()).finish()
    }
}

/// What a [`StackPool`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackStatistics {
    /// The size of each stack, without its guard page.
    pub stack_bytes: usize,
    /// Stacks with a fiber on them, also those of fibers that were forgotten.
    pub in_use: usize,
    /// Stacks that are kept for fibers to come.
    pub free: usize,
    /// Address space that is set aside for stacks; only what they touch of it is committed.
    pub reserved_bytes: usize,
    /// How often the memory of a free stack was given back to the system.
    pub given_back: u64,
    /// How often there was no stack for a fiber.
    pub refused: u64,
}

/// Makes a [`StackPool`].
#[derive(Debug, Clone)]
pub struct StackPoolBuilder {
    stack_bytes: usize,
    capacity: usize,
    warm_bytes: usize,
    protected: bool,
}

impl Default for StackPoolBuilder {
    fn default() -> Self {
        Self { stack_bytes: DEFAULT_BYTES, capacity: usize::MAX, warm_bytes: WARM_BYTES, protected: false }
    }
}

impl StackPoolBuilder {
    /// The size of each stack: 64 KiB if it is not said. See [`Options::stack_bytes`](crate::Options::stack_bytes).
    #[must_use]
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// How many stacks there may be: as many as the system allows, if it is not said.
    #[must_use]
    pub fn capacity(mut self, stacks: usize) -> Self {
        self.capacity = stacks;
        self
    }

    /// How much memory free stacks may hold at most: 16 MiB if it is not said. When as many are free as could, half of
    /// them are given back to the system. The last one that became free is always kept.
    #[must_use]
    pub fn warm_bytes(mut self, bytes: usize) -> Self {
        self.warm_bytes = bytes;
        self
    }

    /// Guards stacks by `mprotect`, as on a system that knows nothing cheaper. For tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn protected_guards(mut self) -> Self {
        self.protected = true;
        self
    }

    /// The pool. It takes nothing from the system yet.
    pub fn build(self) -> StackPool {
        let slot_bytes = slot_bytes(rounded(self.stack_bytes));
        let warm = slot_bytes.map_or(0, |slot_bytes| self.warm_bytes / slot_bytes);
        StackPool(Rc::new(Pool {
            stack_bytes: slot_bytes.map_or(self.stack_bytes, |_| rounded(self.stack_bytes)),
            slot_bytes,
            capacity: self.capacity,
            warm: Cell::new(warm.max(2)),
            refused: Cell::new(0),
            free: RefCell::new(Free {
                warm: Vec::new(),
                cold: Vec::new(),
                cut: 0,
                given_back: 0,
                arena: Arena::new(slot_bytes.unwrap_or(0), self.protected),
            }),
        }))
    }
}

/// Powers of two, so that a thread has few pools.
fn rounded(stack_bytes: usize) -> usize {
    stack_bytes.max(LEAST_BYTES).checked_next_power_of_two().unwrap_or(usize::MAX)
}

coro_core::__local! {
    static OWN: Own = const { Own { usual: OnceCell::new(), others: RefCell::new(Vec::new()) } };
}

/// The pools of a thread.
struct Own {
    usual: OnceCell<StackPool>,
    others: RefCell<Vec<StackPool>>,
}

impl Own {
    #[inline(always)]
    fn usual(&self) -> &StackPool {
        self.usual.get_or_init(|| StackPool::builder().build())
    }

    fn of_size(&self, stack_bytes: usize) -> StackPool {
        let bytes = rounded(stack_bytes);
        if bytes == DEFAULT_BYTES {
            return self.usual().clone();
        }
        let mut others = self.others.borrow_mut();
        if let Some(pool) = others.iter().find(|pool| pool.0.stack_bytes == bytes) {
            return pool.clone();
        }
        let pool = StackPool::builder().stack_bytes(stack_bytes).build();
        // One that can have no stack is not worth to be kept.
        if pool.0.slot_bytes.is_some() {
            others.push(pool.clone());
        }
        pool
    }
}

/// What the handles share, and the stacks on loan.
pub(super) struct Pool {
    /// What was asked for, if no slot is as large.
    stack_bytes: usize,
    slot_bytes: Option<usize>,
    capacity: usize,
    /// The mark: how many free stacks are too many.
    warm: Cell<usize>,
    refused: Cell<u64>,
    free: RefCell<Free>,
}

struct Free {
    /// The memory of these is committed, as far as they were used. The last one was used last.
    warm: Vec<Slot>,
    /// That of these is given back.
    cold: Vec<Slot>,
    /// How many slots there are.
    cut: usize,
    given_back: u64,
    arena: Arena,
}

impl Pool {
    #[inline(always)]
    pub(super) fn take(&self) -> Result<Slot, StackError> {
        let warm = self.free.borrow_mut().warm.pop();
        match warm {
            Some(slot) => Ok(slot),
            None => self.take_cold(),
        }
    }

    #[cold]
    fn take_cold(&self) -> Result<Slot, StackError> {
        let mut free = self.free.borrow_mut();
        let slot = match free.cold.pop() {
            Some(slot) => Ok(slot),
            None if self.slot_bytes.is_none() => Err(StackError::TooLarge { bytes: self.stack_bytes }),
            None if free.cut >= self.capacity => Err(StackError::Full { capacity: self.capacity }),
            None => {
                free.cut(self.capacity).map_err(|code| StackError::System { bytes: self.stack_bytes, code })
            }
        };
        if slot.is_err() {
            self.refused.set(self.refused.get() + 1);
        }
        slot
    }

    #[inline(always)]
    pub(super) fn give_back(&self, slot: Slot) {
        if cfg!(debug_assertions) {
            // So that what the next one has touched can be told from what this one has: see `stack_used`.
            slot.wipe(self.slot_bytes());
        }
        let mut free = self.free.borrow_mut();
        // There was room for it when it was cut.
        free.warm.push(slot);
        if free.warm.len() >= self.warm.get() {
            free.give_back(self.warm.get().div_ceil(2));
        }
    }

    pub(super) fn slot_bytes(&self) -> usize {
        self.slot_bytes.unwrap_or(0)
    }

    /// There is no handle any more, but there may be loans. What nobody can need again goes now, for they may never be
    /// given back.
    fn retire(&self) {
        self.warm.set(1);
        let mut free = self.free.borrow_mut();
        let warm = free.warm.len();
        free.give_back(warm);
        let Free { cold, arena, cut, .. } = &mut *free;
        *cut -= arena.unmap_unused(cold);
    }
}

impl Free {
    fn loans(&self) -> usize {
        self.cut - self.warm.len() - self.cold.len()
    }

    /// A new slot, with room in the lists for when it is given back.
    fn cut(&mut self, capacity: usize) -> Result<Slot, i32> {
        let room = |list: &mut Vec<Slot>, cut: usize| list.try_reserve(cut + 1 - list.len());
        room(&mut self.warm, self.cut)
            .and_then(|()| room(&mut self.cold, self.cut))
            .map_err(|_| NO_MEMORY)?;
        let slot = self.arena.cut(capacity - self.cut)?;
        self.cut += 1;
        Ok(slot)
    }

    /// Gives the memory of `count` warm slots back, those that were not used for the longest time.
    #[cold]
    fn give_back(&mut self, count: usize) {
        let Self { warm, cold, given_back, cut, arena } = self;
        let (count, kept) = (count.min(warm.len()), cold.len());
        cold.extend(warm.drain(..count));
        *given_back += count as u64;
        *cut -= arena.give_back(cold, kept);
    }
}

/// `ENOMEM`, everywhere.
const NO_MEMORY: i32 = 12;
