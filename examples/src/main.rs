//! The command `coro`: see [`coro_examples::cli`].

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    coro_examples::cli::main(std::env::args_os())
}
