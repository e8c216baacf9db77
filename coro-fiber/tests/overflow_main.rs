//! An overflow of the main thread, on which the harness runs no test: so this has none.

use std::hint::black_box;
use std::process::Command;

use coro_core::prelude::*;
use coro_fiber::scope;

const CHILD: &str = "CORO_MAIN_OVERFLOWS";
const NAME: &str = "an_overflow_of_the_main_thread_is_the_standard_librarys_to_report";

#[expect(unconditional_recursion, reason = "that is what is tested")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let block = black_box([depth; 16]);
    recurse(depth + 1) + black_box(block)[0]
}

fn main() {
    if std::env::var_os(CHILD).is_some() {
        // This installs the handler.
        scope(|scope| _ = scope.fiber::<(), (), (), ()>(|_| Ok(())).start());
        black_box(recurse(0));
        return;
    }
    let arguments: Vec<_> = std::env::args().collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    if has("--list") {
        // As a harness does.
        if !has("--ignored") {
            println!("{NAME}: test");
        }
        return;
    }
    if !cfg!(unix) {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap()).env(CHILD, "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{stderr}");
    assert!(stderr.contains("thread 'main'") && stderr.contains("has overflowed its stack"), "{stderr}");
    println!("test {NAME} ... ok\n\ntest result: ok. 1 passed; 0 failed");
}
