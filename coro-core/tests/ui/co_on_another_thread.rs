//! A body that stays on its thread cannot lend its `Co` to another one, which could delegate to what belongs there.

use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Waker};

use coro_core::native::Native as Body;

fn main() {
    let lends = Body::<u32, u32, (), ()>::new(async |co| {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let elsewhere = Rc::new(1);
                let sub = Body::new(async move |co| co.yield_(*elsewhere).await.map(drop));
                let mut delegation = Box::pin(co.yield_from(sub));
                let _ = delegation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                std::mem::forget(delegation);
            });
        });
        std::future::pending().await
    });
    drop(lends);
}
