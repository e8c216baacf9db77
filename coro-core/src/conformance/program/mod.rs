//! Random generator programs, against a reference interpreter and against CPython.
//!
//! A [`Case`] is a program (the statements of a generator body, which may delegate to others) and a script (what is
//! done with it from outside). [`interpret`] performs it in the engine of a flavour, [`reference`](mod@reference) by
//! the book, [`python`] prints it as Python. All write the same trace.
//!
//! ```
//! # use coro_core::conformance::{Do, Flavour, Script, Step, Subject};
//! # struct MyFlavour;
//! # impl Flavour for MyFlavour {
//! #     fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
//! #         mut script: Script<S, Y, R, E>,
//! #     ) -> Subject<S, Y, R, E> {
//! #         Box::new(coro_core::native::Native::new(async move |co| {
//! #             let mut step = Step::Begin;
//! #             loop {
//! #                 step = match script.next(step) {
//! #                     Do::Yield(value) => Step::from_yield(co.yield_(value).await),
//! #                     Do::Wait(future) => Step::from_wait(co.wait(future).await),
//! #                     Do::Delegate(sub, None) => Step::from_delegation(co.yield_from(sub).await),
//! #                     Do::Delegate(sub, Some(first)) => {
//! #                         Step::from_delegation(co.yield_from_started(sub, first).await)
//! #                     }
//! #                     Do::End(result) => return result,
//! #                 };
//! #             }
//! #         }))
//! #     }
//! # }
//! mod programs {
//!     coro_core::program_conformance!(super::MyFlavour);
//! }
//! # fn main() {}
//! ```
//!
//! The environment may say how many programs are run (`CORO_PROGRAMS`) and from which seed (`CORO_SEED`); without,
//! the seed is a fresh one. It is printed; a failure is shrunk, and kept in `proptest-regressions/` of the crate under
//! test, from where it is run first ever after. For a long run:
//!
//! ```text
//! CORO_PROGRAMS=100000 cargo test --workspace --test oracle --test oracle_mixed -- --nocapture
//! ```

mod check;
pub mod interpret;
pub mod law;
pub mod python;
pub mod reference;
pub mod strategy;
mod sub;
mod syntax;

pub use check::{Runs, against_python, against_reference};
pub use syntax::{Answer, Case, Catch, EXHAUST, Fault, Handler, Kind, Op, Program, Statement, Target};

/// Two `#[test]`s: random programs on a [`Flavour`](crate::conformance::Flavour) do what the reference interpreter
/// says, and what CPython does.
#[macro_export]
macro_rules! program_conformance {
    ($flavour:ty) => {
        fn runs() -> $crate::conformance::program::Runs {
            let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/programs.txt");
            $crate::conformance::program::Runs { programs: 2_000, regressions }.or_from_environment()
        }

        #[test]
        #[cfg_attr(miri, ignore = "thousands of programs, files and processes")]
        fn prop_programs_match_the_reference() {
            let make = <$flavour as $crate::conformance::Flavour>::coroutine;
            let laws = $crate::conformance::program::against_reference(&runs(), make)
                .unwrap_or_else(|difference| panic!("{difference}"));
            $crate::conformance::program::law::assert_every_law(runs().programs, &laws);
        }

        #[test]
        #[cfg_attr(miri, ignore = "thousands of programs, files and processes")]
        fn prop_programs_match_python() {
            let make = <$flavour as $crate::conformance::Flavour>::coroutine;
            $crate::conformance::program::against_python(&runs(), make)
                .unwrap_or_else(|difference| panic!("{difference}"));
        }
    };
}
