//! The attribute that makes one function body a coroutine of every flavour. Use it as [`coro_core::coroutine`].
//!
//! [`coro_core::coroutine`]: https://docs.rs/coro-core

#![forbid(unsafe_code)]

mod check;
mod expand;
mod flavour;
mod options;

use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input, parse_quote};

/// Makes a function body a coroutine, in each of the flavours that are asked for.
///
/// ```
/// use coro_core::prelude::*;
/// use std::convert::Infallible;
///
/// /// The mean of what was sent so far.
/// #[coro_core::coroutine(send = f64, yields = f64, flavours(native, generator, fiber))]
/// fn average(start: f64) -> Result<Infallible, Thrown<&'static str>> {
///     let (mut sum, mut count, mut mean) = (0.0, 0.0, start);
///     loop {
///         sum += yield_!(mean)?;
///         count += 1.0;
///         mean = sum / count;
///     }
/// }
///
/// let mut native = average::native(0.0); // a coro_core::native::Native<f64, f64, Infallible, &str>
/// assert_eq!(native.start(), Ok(Outcome::Yielded(0.0)));
/// assert_eq!(native.send(10.0), Ok(Outcome::Yielded(10.0)));
/// assert_eq!(native.send(20.0), Ok(Outcome::Yielded(15.0)));
///
/// let fiber = average::fiber(0.0); // a coro_fiber::Fiber, and average::generator a coro_gen::Gen
/// coro_fiber::scope(|scope| {
///     let mut fiber = scope.own(fiber);
///     assert_eq!(fiber.start(), Ok(Outcome::Yielded(0.0)));
///     assert_eq!(fiber.throw("stop"), Ok(Outcome::Raised(Thrown::Error("stop"))));
/// });
/// ```
///
/// Write it with its path, as above: an imported `coroutine` is taken for the compiler's own attribute of that name.
///
/// # The function
///
/// It becomes a type without values, `average`, with a function for each flavour: `average::native(…)`,
/// `average::generator(…)`, `average::fiber(…)`. These take the same parameters and run nothing yet. Nothing in the
/// signature is changed: what the body ends with is declared as it is, `-> Result<R, Thrown<E>>` (or an alias of it,
/// such as `TaskResult<R>`), and the body ends with `Ok(value)` or an error, as that of a hand-written coroutine.
/// Generics and `impl Trait` work as in any function; a coroutine owns its body, so types must be `'static`.
/// Parameters live as long as the body.
///
/// A function that borrows, with a lifetime among its parameters (declared or not), makes coroutines of a type without a
/// name, `impl Coroutine<Send = …, Yield = …, Return = …, Error = …>`, which live no longer than what they borrow. They
/// are resumed by hand; what is spawned or delegated to must be `'static`. Native coroutines and generators can borrow,
/// a fiber cannot: it may outlive the call that makes it. That is said at the lifetime.
///
/// # The body
///
/// | in the body | is | gives |
/// |---|---|---|
/// | `yield_!(value)`, `yield_!()` | `co.yield_(value)` | `Result<S, Thrown<E>>`: what was sent, or thrown |
/// | `yield_from!(sub)` | `co.yield_from(sub)` | `Result<_, Thrown<E>>`: what `sub` returned, or raised |
/// | `yield_from!(sub, first)` | `co.yield_from_started(sub, first)` | the same |
/// | `wait!(future)` | `co.wait(future)` | `Result<_, Thrown<E>>`: what the future gave |
/// | `sub!(name(…))`, `sub!(name::<T>(…))` | `name::native(…)` in a native body, and so on | a coroutine of the body's own flavour |
///
/// All of Rust's control flow works, and the macros work in the arguments of other macros too:
/// `println!("{}", yield_!(1)?)`. They are a part of the body only: not in a closure, an `async` block or a nested
/// function. `.await` is refused, since it would mean something else in each flavour.
///
/// # The options
///
/// - `yields = T`: what a `yield_!` hands out. It must be said, unless it is a task.
/// - `send = T`: what a `yield_!` evaluates to; `()` if it is not said.
/// - `task`: it yields nothing and an event loop drives it. Declare it `-> TaskResult<R>`. It needs `coro-core` with its
///   feature `std`; nothing else that is made here names more of the standard library than `core`.
/// - `flavours(native, generator, fiber)`: those to make; `native` alone if it is not said. A generator needs a
///   dependency on `coro-gen`, a fiber one on `coro-fiber`.
///
/// # Examples
///
/// A task, and recursion:
///
/// ```
/// use coro_core::prelude::*;
/// use coro_core::time::sleep;
/// use std::convert::Infallible;
/// use std::time::Duration;
///
/// #[coro_core::coroutine(task, flavours(native, generator))]
/// fn patient(seconds: u64) -> TaskResult<u64> {
///     wait!(sleep(Duration::from_secs(seconds)))?;
///     Ok(seconds)
/// }
/// assert_eq!(Loop::simulated().run(patient::generator(3600)).unwrap(), 3600);
///
/// #[coro_core::coroutine(yields = u32)]
/// fn countdown(from: u32) -> Result<(), Thrown<Infallible>> {
///     yield_!(from)?;
///     if from > 0 {
///         yield_from!(sub!(countdown(from - 1)))?;
///     }
///     Ok(())
/// }
/// let mut numbers = countdown::native(1);
/// assert_eq!(numbers.next(), Ok(Outcome::Yielded(1)));
/// assert_eq!(numbers.next(), Ok(Outcome::Yielded(0)));
/// assert_eq!(numbers.next(), Ok(Outcome::Returned(())));
/// ```
///
/// Borrowing:
///
/// ```
/// use coro_core::prelude::*;
/// use std::convert::Infallible;
///
/// #[coro_core::coroutine(yields = &'a str, flavours(native, generator))]
/// fn words<'a>(text: &'a str) -> Result<(), Thrown<Infallible>> {
///     for word in text.split_whitespace() {
///         yield_!(word)?;
///     }
///     Ok(())
/// }
/// let text = String::from("read where it is");
/// let longest = words::generator(&text).items().map(Result::unwrap).max_by_key(|word| word.len());
/// assert_eq!(longest, Some("where"));
/// ```
#[proc_macro_attribute]
pub fn coroutine(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attribute as options::Options);
    let mut function = parse_macro_input!(item as ItemFn);
    if let Err(refused) = check::check_signature(&options, &function.sig) {
        return refused.into_compile_error().into();
    }
    let refused = check::check_body(&function.block).map_err(|refused| {
        // The coroutine is there all the same, so that nobody complains that it is not.
        *function.block = parse_quote!({ ::core::unreachable!() });
        function.attrs.push(parse_quote!(#[allow(unused)]));
        refused.into_compile_error()
    });
    let mut expanded = expand::expand(&options, &function);
    expanded.extend(refused.err());
    expanded.into()
}
