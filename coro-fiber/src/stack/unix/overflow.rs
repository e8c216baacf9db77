//! What happens when a fiber overflows its stack: the program says whose stack it was, and aborts.
//!
//! The fault lands in a guard page. The handler looks up whose it is, and passes on what is nobody's to the handler that
//! was there before: that of the standard library, which knows the stacks of threads. It runs on the signal stack of the
//! thread, takes no memory and no lock, and calls nothing that is not meant for handlers.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Once, OnceLock};

use super::super::header::Site;
use super::memory::page_bytes;
use super::place;

type Action = libc::sigaction;

/// What was there before.
static SEGV: OnceLock<Action> = OnceLock::new();
static BUS: OnceLock<Action> = OnceLock::new();

/// Installs the handler, once in a program.
pub(super) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        // Guard pages raise the one or the other, as the system likes.
        install(libc::SIGSEGV, &SEGV);
        install(libc::SIGBUS, &BUS);
    });
}

fn install(signal: i32, former: &OnceLock<Action>) {
    let mut found = MaybeUninit::<Action>::zeroed();
    // SAFETY: it writes the action that is there.
    if unsafe { libc::sigaction(signal, ptr::null(), found.as_mut_ptr()) } != 0 {
        return;
    }
    // SAFETY: it was written, and is plain data.
    let found = unsafe { found.assume_init() };
    let mut ours = found;
    ours.sa_sigaction = on_fault as extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | found.sa_flags & libc::SA_NODEFER;
    // Before ours can run.
    _ = former.set(found);
    // SAFETY: the handler does what a handler may, and passes on what is not its own.
    _ = unsafe { libc::sigaction(signal, &ours, ptr::null_mut()) };
}

extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system gives it.
    let fault = unsafe { &*info };
    // SAFETY: for these signals it has an address.
    let address = unsafe { fault.si_addr() }.addr();
    if let Some(found) = place::find(address)
        && address - found.low.addr().get() < page_bytes()
        && let Some(site) = found.site
    {
        report(site, found.slot_bytes - page_bytes());
        // SAFETY: it may be called here.
        unsafe { libc::abort() };
    }
    let former = if signal == libc::SIGBUS { BUS.get() } else { SEGV.get() };
    if let Some(former) = former {
        // SAFETY: what the system gave to this handler.
        unsafe { pass_on(former, signal, info, context) };
    }
}

/// # Safety
///
/// The arguments are those of a handler.
unsafe fn pass_on(former: &Action, signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    match former.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: it was so before. When this returns, the fault is repeated, and the system does what is to be done.
            _ = unsafe { libc::sigaction(signal, former, ptr::null_mut()) };
        }
        handler if former.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: a handler that was installed with this flag is such a function.
            let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: a handler that was installed without that flag is such a function.
            let handler: extern "C" fn(i32) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

fn report(site: Site, stack_bytes: usize) {
    let (mut bytes, mut line) = ([0; 20], [0; 20]);
    let parts: [&[u8]; 9] = [
        b"\nfiber '",
        site.name.as_bytes(),
        b"' has overflowed its stack of ",
        decimal(stack_bytes, &mut bytes),
        b" bytes\nit was made at ",
        site.made_at.file().as_bytes(),
        b":",
        decimal(site.made_at.line() as usize, &mut line),
        b"; coro_fiber::Options::stack_bytes gives it a larger one\nfatal runtime error: stack overflow, aborting\n",
    ];
    for mut part in parts {
        while !part.is_empty() {
            // SAFETY: it may be called here, and only reads the part.
            let written = unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
            match usize::try_from(written) {
                Ok(written @ 1..) => part = part.get(written..).unwrap_or_default(),
                _ => break,
            }
        }
    }
}

/// The digits of a number. (The formatting of the standard library may take more stack than there is.)
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[first..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 9, 10, 65_536, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }
}
