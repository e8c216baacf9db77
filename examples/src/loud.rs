//! What a program is told that goes wrong: the reports that the README shows.

use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use coro_core::sync::Lock;
use coro_core::time::{block_for, sleep};
use coro_core::{EventLoop, Loop, RunError, gather, native};

const SECOND: Duration = Duration::from_secs(1);

/// Two philosophers who take their forks in another order each, and a host who waits for both.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn deadlock(out: &mut dyn Write) -> io::Result<()> {
    let dinner = async {
        let (left, right) = (Lock::new("left fork"), Lock::new("right fork"));
        let forks = (left.clone(), right.clone());
        let plato = coro_gen::spawn(async move |co| {
            let _first = co.wait(forks.0.lock()).await?;
            co.wait(sleep(SECOND)).await?;
            co.wait(forks.1.lock()).await.map(drop)
        });
        let kant = coro_fiber::spawn(move |co| {
            let _first = co.wait(right.lock())?;
            co.wait(sleep(SECOND))?;
            co.wait(left.lock()).map(drop)
        });
        gather([plato.named("Plato"), kant.named("Kant")]).await
    };
    let event_loop = Loop::simulated();
    // What is left of them afterwards is no news.
    event_loop.set_exception_handler(Some(Rc::new(|_| ())));
    match event_loop.run(dinner) {
        Err(stalled @ RunError::Stalled(_)) => writeln!(out, "{stalled}"),
        other => Err(io::Error::other(format!("it stalls: {other:?}"))),
    }
}

/// A task and a callback that keep the loop from everybody else, in debug mode.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn slow_steps(out: &mut dyn Write) -> io::Result<()> {
    let (event_loop, told) = (Loop::simulated(), Rc::new(std::cell::RefCell::new(Vec::new())));
    let tell = Rc::clone(&told);
    event_loop.set_debug(true);
    event_loop.set_exception_handler(Some(Rc::new(move |exception| {
        tell.borrow_mut().push(exception.to_string());
    })));
    let called = event_loop.clone();
    let main = async move {
        let _call = called.call_soon(|| block_for(Duration::from_millis(250)));
        let computes = native::spawn(async {
            sleep(SECOND).await;
            block_for(Duration::from_millis(101));
        });
        computes.named("computes").await
    };
    event_loop.run(main)?.map_err(io::Error::other)?;
    told.take().iter().try_for_each(|line| writeln!(out, "{line}"))
}
