//! Everything that waits, forgotten where it does: what it holds is kept for ever, and everybody else goes on. Run under the
//! address sanitizer.

mod net_common;

use std::future::pending;
use std::mem::forget;
use std::rc::Rc;

use coro_core::{EventLoop, Loop, sync, time};
use coro_fiber::net::FiberListener;
use coro_fiber::{AsyncResult, OnFiber, Options, Pool, StackPool, Tethered, on_fiber, sleep, wait};
use futures::FutureExt;
use net_common::*;

/// Lets it begin, and wait.
fn forget_waiting(mut future: impl Future + Unpin) {
    assert!((&mut future).now_or_never().is_none());
    forget(future);
}

/// Synchronous code in the middle of its I/O, which is forgotten with its stack.
async fn forget_midway<T: 'static>(mut code: OnFiber<T>) {
    assert!(futures::poll!(&mut code).is_pending());
    forget(code);
}

async fn forgets_everything() {
    let (client, mut server) = on_fiber(connected).await;
    let (reads, mut writes) = (client.try_clone().unwrap(), client.try_clone().unwrap());
    forget_midway(on_fiber(move || std::io::Read::read(&mut &reads, &mut [0; 1024]))).await;
    forget_midway(on_fiber(move || std::io::Write::write_all(&mut writes, &vec![1; 10_000_000]))).await;
    let listener = Rc::new(FiberListener::bind(anywhere()).unwrap());
    let accepts = Rc::clone(&listener);
    forget_midway(on_fiber(move || accepts.accept())).await;
    forget_midway(on_fiber(|| sleep(SECOND))).await;
    let (lock, own) = (sync::Lock::new(()), StackPool::builder().build());
    let locks = lock.clone();
    forget_midway(Options::new().pool(&own).on_fiber(move || {
        let _guard = wait(locks.lock());
        wait(pending::<()>())
    }))
    .await;
    forget_waiting(Box::pin(lock.lock()));
    assert_eq!(own.statistics().in_use, 1);

    let forgets = coro_fiber::spawn(|co| {
        let pool = Pool::new(1);
        let member = co.wait(pool.spawn(|co| co.wait(pending::<()>())))?;
        forget_waiting(Box::pin(member.get()));
        forget_waiting(Box::pin(pool.spawn(|_| Ok(()))));
        forget_waiting(Box::pin(pool.join()));
        forget((member, pool));
        let pool = Pool::new(2);
        let mut items = pool.imap(|_, item| Ok(item), 0..5).maxsize(1);
        assert_eq!(items.next().unwrap().unwrap().unwrap(), 0);
        forget(items);
        let result = AsyncResult::<u32>::new();
        forget_waiting(Box::pin(result.get()));
        forget(result.link(|_| unreachable!("it is never set")));
        forget((result, Tethered::new(Rc::new(7))));
        Ok(())
    });
    forgets.await.unwrap();
    time::sleep(SECOND / 20).await;
    forget((listener, client, server.try_clone().unwrap()));

    // The turns of others are theirs.
    let (mut one, mut other) = on_fiber(connected).await;
    let talk = on_fiber(move || {
        std::io::Write::write_all(&mut one, b"as ever").unwrap();
        drop(one);
        std::io::read_to_string(&mut other).unwrap()
    });
    assert_eq!(talk.await, "as ever");
    let begun = on_fiber(move || std::io::Read::read(&mut server, &mut [0; 16]).unwrap());
    assert_eq!(begun.await, 16, "what the forgotten write has sent");
}

#[test]
fn whatever_waits_may_be_forgotten_and_everybody_else_goes_on() {
    for event_loop in [Loop::simulated(), Loop::new().unwrap()] {
        event_loop.run(forgets_everything()).unwrap();
        drop(event_loop);
        assert_eq!(simulated(|| wait(std::future::ready(7)).unwrap()), 7);
    }
}
