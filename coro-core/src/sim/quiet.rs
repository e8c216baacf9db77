//! Panics of runs that are only tried: noted, not printed.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

crate::__local! {
    static QUIET: Cell<u32> = const { Cell::new(0) };
    static PANICS: Cell<u64> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While this exists, panics of this thread are not printed.
#[derive(Debug)]
pub(super) struct Quiet(());

impl Quiet {
    pub(super) fn new() -> Self {
        install();
        QUIET.set(QUIET.get() + 1);
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(QUIET.get() - 1);
    }
}

/// Where the last panic of this thread was, if nobody has asked since.
pub(super) fn take_place() -> Option<String> {
    PLACE.take()
}

/// How many there were on this thread, once the hook is there.
pub(super) fn panics() -> u64 {
    PANICS.get()
}

/// A hook in front of the one that is there, once, for all threads.
pub(super) fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            PLACE.set(info.location().map(|place| format!("{}:{}", place.file(), place.line())));
            if QUIET.get() == 0 {
                before(info);
            }
        }));
    });
}
