//! The native flavour, for suites that run the laws or random programs on it.

use super::{Flavour, Script, Subject};
use crate::native::Native;

/// Performs scripts on native coroutines.
#[derive(Debug)]
pub struct Natives;

impl Flavour for Natives {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Native::new(async move |co| crate::perform!(script, co, await)))
    }
}
