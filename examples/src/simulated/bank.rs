//! A bank that loses money, but never when anybody looks.
//!
//! A payment reads the balance, waits for the printer, and writes the new balance: of two at once, one would be lost.
//! That never happens. Cash is paid over the counter, and a cheque goes by way of the clearing house, one task further;
//! a loop serves first who comes first, so the counter is done when the clearing house begins. Every test passes, and
//! every run in production, until somebody gives the counter one wait more.
//!
//! This demonstrates:
//!
//! 1. a race that the order of production does not have, and that exploration finds in a moment;
//! 2. [`random`] numbers of the program, which are part of a schedule: they are repeated and shrunk with it;
//! 3. the remedy, a [`Lock`] that is held across the wait.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_core::random;
use coro_core::sim::{ReplayError, World};
use coro_core::stats::Flavour;
use coro_core::sync::Lock;

use super::{Found, Study, spawn};

/// How a payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// In two steps, and another one may come in between.
    Racy,
    /// While the till is locked.
    Locked,
}

const DAYS: u32 = 3;

/// One account, and the ways to it. Cloning gives another handle.
#[derive(Clone)]
struct Bank {
    version: Version,
    balance: Rc<Cell<u64>>,
    till: Lock<()>,
    cheques: Queue<u64>,
}

impl Bank {
    fn new(version: Version) -> Self {
        let (till, cheques) = (Lock::default(), Queue::unbounded());
        Self { version, balance: Rc::new(Cell::new(1_000)), till, cheques }
    }
}

fn amount() -> u64 {
    1 + random::number() % 100
}

/// How long it is until a customer comes. The bank opens for four hours.
fn some_hours() -> Duration {
    Duration::from_secs(random::number() % 4 * 3_600)
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn pay(bank: Bank, amount: u64) -> TaskResult<()> {
    let _till = match bank.version {
        Version::Racy => None,
        Version::Locked => Some(wait!(bank.till.lock())?),
    };
    let before = bank.balance.get();
    wait!(yield_now())?; // the receipt is printed
    bank.balance.set(before - amount);
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn counter(bank: Bank, cash: u64, comes: Duration) -> TaskResult<()> {
    wait!(sleep(comes))?;
    yield_from!(sub!(pay(bank, cash)))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn post(bank: Bank, cheque: u64, comes: Duration) -> TaskResult<()> {
    wait!(sleep(comes))?;
    wait!(bank.cheques.put(cheque)).map(Result::unwrap)
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn clearing(bank: Bank) -> TaskResult<()> {
    let cheque = wait!(bank.cheques.get())?.unwrap();
    yield_from!(sub!(pay(bank, cheque)))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn open(bank: Bank) -> TaskResult<()> {
    for day in 1..=DAYS {
        let (cash, cheque) = (amount(), amount());
        let should_be_left = bank.balance.get() - cash - cheque;
        let counter = spawn(sub!(counter(bank.clone(), cash, some_hours()))).named("counter");
        let post = spawn(sub!(post(bank.clone(), cheque, some_hours()))).named("post");
        let clearing = spawn(sub!(clearing(bank.clone()))).named("clearing");
        wait!(gather([counter, post, clearing]))??;
        assert_eq!(bank.balance.get(), should_be_left, "in the evening of day {day}");
    }
    Ok(())
}

/// Studies the program in `flavour`.
///
/// # Errors
///
/// [`ReplayError`], if it is to be repeated by the line of another program.
pub fn study(flavour: Flavour, version: Version, study: &Study) -> Result<Found, ReplayError> {
    match flavour {
        Flavour::Native => study.of(|_: &World| open::native(Bank::new(version))),
        Flavour::Generator => study.of(|_: &World| open::generator(Bank::new(version))),
        Flavour::Fiber => study.of(|_: &World| open::fiber(Bank::new(version))),
    }
}

/// Runs the program in `flavour` on an ordinary loop.
///
/// # Errors
///
/// If money is missing in an evening.
pub fn run(flavour: Flavour, version: Version, event_loop: &Loop) -> Result<(), RunError> {
    let bank = Bank::new(version);
    match flavour {
        Flavour::Native => event_loop.run(open::native(bank)),
        Flavour::Generator => event_loop.run(open::generator(bank)),
        Flavour::Fiber => event_loop.run(open::fiber(bank)),
    }
}
