//! Random generator programs, against a reference interpreter and against CPython.
//!
//! A [`Case`] is a program (the statements of a generator body, which may delegate to others) and scripts (what is
//! done with it from outside). [`interpret`] performs it in the engine of a flavour, [`reference`](mod@reference) by
//! the book, [`python`] prints it as Python. All write the same trace. So they do if every delegation becomes a level
//! of its own, or is inlined (D10).
//!
//! ```
//! # use coro_core::conformance::{Flavour, Script, Subject};
//! # use coro_core::native::Native;
//! # struct MyFlavour;
//! # impl Flavour for MyFlavour {
//! #     fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
//! #         mut script: Script<S, Y, R, E>,
//! #     ) -> Subject<S, Y, R, E> {
//! #         Box::new(Native::new(async move |co| coro_core::perform!(script, co, await)))
//! #     }
//! # }
//! mod programs {
//!     coro_core::program_conformance!(super::MyFlavour);
//! }
//! # fn main() {}
//! ```
//!
//! The environment may say how many programs are run (`CORO_PROGRAMS`) and from which seed (`CORO_SEED`); without,
//! the seed is a fresh one. It is printed; a failure is shrunk, and kept as text in `tests/regressions/programs.txt` of
//! the crate under test, from where it is run first ever after. For a long run:
//!
//! ```text
//! CORO_PROGRAMS=100000 cargo test --workspace --test oracle --test oracle_mixed -- --nocapture
//! ```
//!
//! Some thousands of programs are [`recorded`] with the traces that CPython 3.13 gave, for machines without Python. To
//! record others, after a change of the language, with that Python as `python3`:
//!
//! ```text
//! CORO_RECORD=$PWD/coro-core/src/conformance/program/recorded.txt.gz \
//!     cargo test -p coro-core --test oracle -- --ignored record
//! ```

mod check;
mod check_python;
pub mod interpret;
mod kept;
pub mod law;
pub mod python;
pub mod recorded;
pub mod reference;
pub mod strategy;
mod syntax;
mod text;

pub use check::{Runs, against_reference};
pub use check_python::against_python;
pub use syntax::{
    Action, Answer, Case, Catch, EXHAUST, Fault, Handler, Kind, Op, Program, Statement, Target,
};
pub use text::NotACase;

/// `#[test]`s of a [`Flavour`](crate::conformance::Flavour): random programs do what the reference interpreter says
/// and what CPython does, and recorded ones what CPython did.
#[macro_export]
macro_rules! program_conformance {
    ($flavour:ty) => {
        fn runs() -> $crate::conformance::program::Runs {
            let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/programs.txt");
            $crate::conformance::program::Runs {
                programs: $crate::conformance::program::Runs::USUAL,
                regressions,
            }
            .or_from_environment()
        }

        #[test]
        #[cfg_attr(miri, ignore = "thousands of programs, files and processes")]
        fn prop_programs_match_the_reference() {
            use $crate::conformance::program::{against_reference, law};
            let make = <$flavour as $crate::conformance::Flavour>::coroutine;
            let laws = law::LAWS.iter().chain(&law::OUTSIDE_PYTHON);
            law::run_until_each(laws, &runs(), |runs| against_reference(runs, make).map(Some))
                .unwrap_or_else(|difference| panic!("{difference}"));
        }

        #[test]
        #[cfg_attr(miri, ignore = "thousands of programs, files and processes")]
        fn prop_programs_match_python() {
            use $crate::conformance::program::{against_python, law};
            let make = <$flavour as $crate::conformance::Flavour>::coroutine;
            law::run_until_each(&law::LAWS, &runs(), |runs| against_python(runs, make))
                .unwrap_or_else(|difference| panic!("{difference}"));
        }

        #[test]
        #[cfg_attr(miri, ignore = "thousands of programs")]
        fn recorded_programs_match_python() {
            let make = <$flavour as $crate::conformance::Flavour>::coroutine;
            let count = $crate::conformance::program::recorded::against_recorded(make)
                .unwrap_or_else(|difference| panic!("{difference}"));
            assert!(count >= 3_000, "{count} programs are recorded");
        }
    };
}
