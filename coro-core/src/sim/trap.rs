//! Catches what a simulated program does around its loop: it reads the real clock, sleeps, begins a thread, opens a socket.
//!
//! With the feature `sim-trap`, on Linux, this crate defines the functions of the C library through which the standard
//! library does that. They do what they always do, and note it if a step of a simulated run is under way on the thread.
//! So the task can be named.

#![allow(unsafe_code)]

use std::cell::Cell;

/// What was done around the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "sim-trap", target_os = "linux", not(miri))),
    expect(dead_code, reason = "nothing is noted there")
)]
pub(super) enum Trapped {
    Clock,
    Sleep,
    Thread,
    Socket,
}

impl Trapped {
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Clock => "read the real clock: use coro_core::time::now() or wall_clock()",
            Self::Sleep => {
                "slept in real time: use coro_core::time::sleep() or block_for(); for a job, Sim::job_time()"
            }
            Self::Thread => "began a thread: let a task do it, or coro_core::executor::run_in_executor",
            Self::Socket => "opened a real socket: use coro_core::net",
        }
    }
}

thread_local! {
    static STEPPING: Cell<bool> = const { Cell::new(false) };
    static TRAPPED: Cell<Option<Trapped>> = const { Cell::new(None) };
}

/// Runs a step, and says what it did around the loop, the first of it.
pub(super) fn watch<T>(step: impl FnOnce() -> T) -> (T, Option<Trapped>) {
    STEPPING.set(true);
    TRAPPED.set(None);
    let result = step();
    STEPPING.set(false);
    (result, TRAPPED.take())
}

#[cfg(all(feature = "sim-trap", target_os = "linux", not(miri)))]
mod functions {
    use std::ffi::{CStr, c_int, c_long, c_void};
    use std::sync::OnceLock;

    use libc::{clockid_t, pthread_attr_t, pthread_t, timespec};

    use super::{STEPPING, TRAPPED, Trapped};

    fn note(what: Trapped) {
        if STEPPING.get() && TRAPPED.get().is_none() {
            TRAPPED.set(Some(what));
        }
    }

    /// As that of the C library, but for the short cut past the kernel.
    ///
    /// # Safety
    ///
    /// As there: `time` is a place for one.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        note(Trapped::Clock);
        // SAFETY: the arguments are those of the system call, which checks them.
        unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int }
    }

    /// As that of the C library.
    ///
    /// # Safety
    ///
    /// As there: `time` is one, `left` is null or a place for one.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int {
        note(Trapped::Sleep);
        // SAFETY: the arguments are those of the system call, which checks them.
        unsafe { libc::syscall(libc::SYS_nanosleep, time, left) as c_int }
    }

    /// As that of the C library.
    ///
    /// # Safety
    ///
    /// As there: `time` is one, `left` is null or a place for one.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn clock_nanosleep(
        clock: clockid_t,
        flags: c_int,
        time: *const timespec,
        left: *mut timespec,
    ) -> c_int {
        note(Trapped::Sleep);
        // SAFETY: the arguments are those of the system call, which checks them.
        let result: c_long = unsafe { libc::syscall(libc::SYS_clock_nanosleep, clock, flags, time, left) };
        // This one gives its error, instead of leaving it.
        if result == 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL) }
    }

    /// As that of the C library.
    ///
    /// # Safety
    ///
    /// None: it takes no pointers.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
        note(Trapped::Socket);
        // SAFETY: the arguments are those of the system call, which checks them.
        unsafe { libc::syscall(libc::SYS_socket, domain, kind, protocol) as c_int }
    }

    type Begin = extern "C" fn(*mut c_void) -> *mut c_void;
    type PthreadCreate =
        unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Begin, *mut c_void) -> c_int;

    /// That of the C library.
    ///
    /// # Safety
    ///
    /// As there.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn pthread_create(
        thread: *mut pthread_t,
        attributes: *const pthread_attr_t,
        begin: Begin,
        argument: *mut c_void,
    ) -> c_int {
        static REAL: OnceLock<Option<PthreadCreate>> = OnceLock::new();
        const NAME: &CStr = c"pthread_create";
        note(Trapped::Thread);
        let real = REAL.get_or_init(|| {
            // SAFETY: the name ends with a zero.
            let found = unsafe { libc::dlsym(libc::RTLD_NEXT, NAME.as_ptr()) };
            // SAFETY: the next one of that name is the C library's, which has this type; `None` is null.
            unsafe { std::mem::transmute::<*mut c_void, Option<PthreadCreate>>(found) }
        });
        match real {
            // SAFETY: as promised by the caller.
            Some(real) => unsafe { real(thread, attributes, begin, argument) },
            None => libc::ENOSYS,
        }
    }
}
