//! The wake of a resume on fibers, which do not leave their frames in the order in which they entered them. Run under the
//! address sanitizer.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use coro_core::backend::Airlock;
use coro_core::prelude::*;
use coro_fiber::scope;

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_wake_that_is_gone_is_not_put_back() {
    scope(|scope| {
        let airlock: Rc<Airlock<(), (), ()>> = Rc::default();
        let fiber = || {
            let airlock = Rc::clone(&airlock);
            scope.fiber::<(), (), (), ()>(move |co| {
                let waker = Box::new(Waker::from(Arc::new(Nobody)));
                airlock.run_with_wake(Some(&waker), || co.yield_(()))
            })
        };
        let (mut first, mut second) = (fiber(), fiber());
        first.start().unwrap();
        second.start().unwrap();
        // Not the other way round.
        first.send(()).unwrap();
        second.send(()).unwrap();
        let none = airlock.poll_with_wake(|cx| Poll::Ready(cx.waker().will_wake(Waker::noop())));
        assert_eq!(none, Poll::Ready(true));
    });
}
