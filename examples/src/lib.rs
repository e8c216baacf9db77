#![doc = include_str!("../../README.md")]
//!
//! # This crate
//!
//! The same programs in three flavours, and the command that runs and compares them.
//!
//! Each program of [`programs`] is there three times, as a native `async` body, as a generator and as a fiber:
//! written side by side in one file, or once, under the attribute [`coroutine`](macro@coro_core::coroutine). All
//! three print the same transcript on every loop, but for random names. It is also that of CPython for the same
//! program, but for the printed form of objects and up to a tenth of a second in durations: [`golden`] says what is
//! compared how. [`compare`] checks it, and counts how often each engine suspended.

#![forbid(unsafe_code)]

pub mod bench;
pub mod cli;
pub mod compare;
pub mod compare_crawl;
pub mod crawl;
pub mod fiber_http;
pub mod flavour_choice;
pub mod frame;
pub mod golden;
pub mod http;
pub mod loop_kind;
pub mod loud;
pub mod measure;
pub mod one_line;
pub mod programs;
pub mod python_random;
pub mod simulated;
pub mod table;
pub mod transcript;
