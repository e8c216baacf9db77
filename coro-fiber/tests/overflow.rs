//! A stack that is too small: the program says whose, and aborts. What else goes wrong is none of our business.
//!
//! Each of these programs ends badly, so it runs in a process of its own: this one again, with one test and a variable that
//! says so.

#![cfg(target_os = "linux")]

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use coro_core::prelude::*;
use coro_fiber::{Co, Options, StackPool, scope};

const CHILD: &str = "CORO_FIBER_OVERFLOWS";

/// What comes of running `program` in a process of its own. That process goes no further than this.
fn of_a_child(test: &str, program: fn()) -> (String, Output) {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        program();
        std::process::exit(0);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output)
}

macro_rules! child {
    ($test:ident, $program:expr) => {
        of_a_child(stringify!($test), $program)
    };
}

#[expect(unconditional_recursion, reason = "that is what is tested")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let block = black_box([depth; 16]);
    recurse(depth + 1) + black_box(block)[0]
}

fn overflow(_: &mut Co<'_, (), u64, ()>) -> Result<(), Thrown<()>> {
    black_box(recurse(0));
    Ok(())
}

fn run(options: &Options) {
    scope(|scope| _ = scope.own(options.fiber::<(), u64, (), (), _>(overflow)).start());
}

#[track_caller]
fn assert_reported((stderr, output): &(String, Output), name: &str, stack_bytes: usize) {
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
    let whose = format!("\nfiber '{name}' has overflowed its stack of {stack_bytes} bytes\n");
    assert!(stderr.contains(&whose), "{stderr}");
    let made_at = format!("\nit was made at {}:", file!());
    assert!(stderr.contains(&made_at), "{stderr}");
    assert!(stderr.ends_with("\nfatal runtime error: stack overflow, aborting\n"), "{stderr}");
}

#[test]
fn an_endless_recursion_in_a_fiber_is_reported() {
    let ended = child!(an_endless_recursion_in_a_fiber_is_reported, || run(&Options::new().name("deep")));
    assert_reported(&ended, "deep", 65_536);
}

#[test]
fn the_name_is_that_of_the_body_and_the_place_where_it_was_given() {
    let ended = child!(the_name_is_that_of_the_body_and_the_place_where_it_was_given, || {
        scope(|scope| _ = scope.fiber(overflow).start());
    });
    assert_reported(&ended, "overflow::overflow", 65_536);
}

#[test]
fn a_protected_guard_page_is_as_good() {
    let ended = child!(a_protected_guard_page_is_as_good, || {
        let pool = StackPool::builder().stack_bytes(1 << 20).protected_guards().build();
        run(&Options::new().name("deep").pool(&pool));
    });
    assert_reported(&ended, "deep", 1 << 20);
}

/// Runs many at once whose stacks are given back as they end, so that the next one is on such a stack.
fn overflow_where_memory_was_given_back(pool: &StackPool) {
    let options = Options::new().name("late").pool(pool);
    scope(|scope| {
        let fiber = |_| scope.own(options.fiber::<(), u64, (), (), _>(|co| co.yield_(1)));
        let mut fibers: Vec<_> = (0..100).map(fiber).collect();
        fibers.iter_mut().for_each(|fiber| _ = fiber.start());
    });
    assert!(pool.statistics().given_back > 90);
    // The first ones are those that were given back last.
    scope(|scope| {
        let fiber = |_| scope.own(options.fiber::<(), u64, (), (), _>(|co| co.yield_(1)));
        let mut fibers: Vec<_> = (0..50).map(fiber).collect();
        fibers.iter_mut().for_each(|fiber| _ = fiber.start());
        run(&options);
    });
}

#[test]
fn a_guard_page_stays_when_memory_is_given_back() {
    let ended = child!(a_guard_page_stays_when_memory_is_given_back, || {
        overflow_where_memory_was_given_back(&StackPool::builder().warm_bytes(0).build());
    });
    assert_reported(&ended, "late", 65_536);
}

#[test]
fn a_protected_guard_page_stays_when_memory_is_given_back() {
    let ended = child!(a_protected_guard_page_stays_when_memory_is_given_back, || {
        let pool = StackPool::builder().warm_bytes(0).protected_guards().build();
        overflow_where_memory_was_given_back(&pool);
    });
    assert_reported(&ended, "late", 65_536);
}

#[test]
fn of_nested_fibers_the_one_that_overflows_is_named() {
    let ended = child!(of_nested_fibers_the_one_that_overflows_is_named, || {
        let outer = Options::new().name("outer").fiber::<(), u64, (), (), _>(|_| {
            run(&Options::new().name("inner").stack_bytes(1 << 17));
            Ok(())
        });
        scope(|scope| _ = scope.own(outer).start());
    });
    assert_reported(&ended, "inner", 1 << 17);
}

#[test]
fn a_task_that_overflows_is_named() {
    let ended = child!(a_task_that_overflows_is_named, || {
        let task = Options::new().name("task").task(|co| {
            co.wait(coro_core::time::sleep(std::time::Duration::from_secs(1)))?;
            Ok(recurse(0))
        });
        _ = Loop::simulated().run(task);
    });
    assert_reported(&ended, "task", 65_536);
}

#[test]
fn an_overflow_on_another_thread_is_reported() {
    let ended = child!(an_overflow_on_another_thread_is_reported, || {
        run_well();
        std::thread::spawn(|| run(&Options::new().name("elsewhere"))).join().unwrap();
    });
    assert_reported(&ended, "elsewhere", 65_536);
}

/// Installs the handler.
fn run_well() {
    scope(|scope| _ = scope.fiber::<(), (), (), ()>(|_| Ok(())).start());
}

/// Such a thread has no signal stack.
fn on_a_thread_of_c(run: fn()) {
    extern "C" fn thread(run: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: it is given below.
        let run = unsafe { *run.cast::<fn()>() };
        run();
        std::ptr::null_mut()
    }
    let (mut run, mut made) = (run, std::mem::MaybeUninit::uninit());
    let given = std::ptr::from_mut(&mut run).cast();
    // SAFETY: what it is given is there until it was joined.
    let error = unsafe { libc::pthread_create(made.as_mut_ptr(), std::ptr::null(), thread, given) };
    assert_eq!(error, 0);
    // SAFETY: it was made.
    let made = unsafe { made.assume_init() };
    // SAFETY: once.
    unsafe { libc::pthread_join(made, std::ptr::null_mut()) };
}

#[test]
fn an_overflow_on_a_thread_of_a_c_library_is_reported() {
    let ended = child!(an_overflow_on_a_thread_of_a_c_library_is_reported, || {
        on_a_thread_of_c(|| run(&Options::new().name("foreign")));
    });
    assert_reported(&ended, "foreign", 65_536);
}

#[test]
fn a_signal_stack_of_ours_goes_with_its_thread() {
    let (stderr, output) = child!(a_signal_stack_of_ours_goes_with_its_thread, || {
        let mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let mut counts = Vec::new();
        for _ in 0..20 {
            on_a_thread_of_c(run_well);
            counts.push(mapped());
        }
        assert!(counts[19] <= counts[4], "{counts:?}");
    });
    assert!(output.status.success(), "{stderr}");
}

/// Writes where nothing is.
fn fault() {
    // SAFETY: it is not: that is what is tested, in a process of its own.
    unsafe { std::ptr::without_provenance_mut::<u8>(black_box(8)).write_volatile(1) };
}

#[track_caller]
fn assert_killed((stderr, output): &(String, Output)) {
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{stderr}");
    assert!(!stderr.contains("overflowed"), "{stderr}");
}

#[test]
fn an_ordinary_fault_kills_as_ever() {
    let ended = child!(an_ordinary_fault_kills_as_ever, || {
        run_well();
        fault();
    });
    assert_killed(&ended);
}

#[test]
fn an_ordinary_fault_in_a_fiber_kills_as_ever() {
    let ended = child!(an_ordinary_fault_in_a_fiber_kills_as_ever, || {
        scope(|scope| {
            _ = scope
                .fiber::<(), (), (), ()>(|_| {
                    fault();
                    Ok(())
                })
                .start();
        });
    });
    assert_killed(&ended);
}

#[test]
fn an_overflow_of_a_thread_is_the_standard_librarys_to_report() {
    let (stderr, output) = child!(an_overflow_of_a_thread_is_the_standard_librarys_to_report, || {
        run_well();
        std::thread::Builder::new().name("plain".into()).spawn(|| recurse(0)).unwrap().join().unwrap();
    });
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(stderr.contains("thread 'plain'") && stderr.contains("has overflowed its stack"), "{stderr}");
}

#[test]
fn a_handler_that_was_there_before_still_gets_what_is_its_own() {
    extern "C" fn theirs(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the system gives it.
        let fault = unsafe { &*info };
        // SAFETY: this signal has an address.
        let address = unsafe { fault.si_addr() }.addr();
        // SAFETY: it may be called by a handler.
        unsafe { libc::_exit(if address == 8 { 77 } else { 78 }) };
    }
    let (stderr, output) = child!(a_handler_that_was_there_before_still_gets_what_is_its_own, || {
        // SAFETY: plain data.
        let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
        action.sa_sigaction = theirs as extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO;
        // SAFETY: the handler only ends the process.
        assert_eq!(unsafe { libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()) }, 0);
        run_well();
        fault();
    });
    assert_eq!(output.status.code(), Some(77), "{stderr}");
}

#[test]
fn a_limit_of_address_space_is_an_error_and_leaves_room_for_the_rest() {
    let (stderr, output) = child!(a_limit_of_address_space_is_an_error_and_leaves_room_for_the_rest, || {
        let limit = libc::rlimit { rlim_cur: 1 << 30, rlim_max: 1 << 30 };
        // SAFETY: it only looks at the limit.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
        fill(&StackPool::of_this_thread(), 200_000);
    });
    assert!(output.status.success(), "{stderr}");
}

#[test]
fn a_limit_of_mappings_is_an_error_and_leaves_some_for_the_rest() {
    let (stderr, output) = child!(a_limit_of_mappings_is_an_error_and_leaves_some_for_the_rest, || {
        // Unless the limit is higher than usual.
        fill(&StackPool::builder().protected_guards().build(), 200_000);
    });
    assert!(output.status.success(), "{stderr}");
}

/// Begins as many fibers as there can be, and looks whether everything works then and afterwards.
fn fill(pool: &StackPool, count: u64) {
    let options = Options::new().pool(pool);
    let number = |n: u64| {
        options.fiber::<(), u64, u64, (), _>(move |co| {
            co.yield_(n)?;
            Ok(n)
        })
    };
    scope(|scope| {
        let mut fibers: Vec<_> = (0..count).map(|n| scope.own(number(n))).collect();
        let mut begun = 0;
        for (n, fiber) in (0..).zip(&mut fibers) {
            match fiber.start().unwrap() {
                Outcome::Yielded(yielded) => {
                    assert_eq!(yielded, n);
                    begun += 1;
                }
                Outcome::Raised(Thrown::Misuse(coro_core::coroutine::MisuseKind::NoStack)) => {}
                other => panic!("{other:?}"),
            }
        }
        let statistics = pool.statistics();
        assert_eq!((statistics.in_use as u64, statistics.refused), (begun, count - begun));
        assert!((10_000..count).contains(&begun), "{begun}");
        // The rest of the program has memory.
        assert_eq!(black_box(vec![1u8; 4 << 20]).len(), 4 << 20);
        fibers.retain(|fiber| fiber.state() == State::Suspended);
        for fiber in fibers.drain(..100) {
            drop(fiber);
        }
        let mut late: Vec<_> = (0..100).map(|n| scope.own(number(n))).collect();
        late.iter_mut().for_each(|fiber| assert!(matches!(fiber.start(), Ok(Outcome::Yielded(_)))));
        let threads = [(); 4].map(|()| std::thread::spawn(|| ()));
        _ = threads.map(|thread| thread.join().unwrap());
    });
    assert_eq!(pool.statistics().in_use, 0);
}
