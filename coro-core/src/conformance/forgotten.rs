//! Delegations of stackless bodies that are polled by hand and given up.

/// One `#[test]` for each way to give up a delegation, on the type `$body` (made with `new`, of an `async` closure): the
/// chain owns what it runs, so nothing dangles. For Miri.
#[macro_export]
macro_rules! forgotten_conformance {
    ($body:ident) => {
        use ::std::future::{Future, poll_fn};
        use ::std::pin::pin;
        use ::std::rc::Rc;
        use ::std::task::Poll;

        use $crate::prelude::*;

        #[test]
        fn a_polled_delegation_that_is_forgotten_leaves_nothing_dangling() {
            let held = Rc::new(());
            let inside = Rc::clone(&held);
            let mut test = $body::<u32, u32, u32, ()>::new(async move |co| {
                let sub = $body::new(async move |co| {
                    let _inside = inside;
                    co.yield_(1).await
                });
                let mut delegation = Box::pin(co.yield_from(sub));
                let pending = poll_fn(|cx| Poll::Ready(delegation.as_mut().poll(cx).is_pending())).await;
                assert!(pending);
                ::std::mem::forget(delegation);
                co.yield_(5).await
            });
            assert_eq!(test.start(), Ok(Outcome::Yielded(5)));
            assert_eq!(test.delegates(), []);
            assert_eq!(test.send(6), Ok(Outcome::Returned(6)));
            drop(test);
            // The sub never ran, and went with the coroutine that was to run it.
            assert_eq!(Rc::strong_count(&held), 1);
        }

        #[test]
        fn a_chain_that_is_forgotten_while_it_is_suspended_leaves_nothing_dangling() {
            let mut test = $body::<u32, u32, u32, ()>::new(async |co| {
                let borrowed = String::from("kept by the frame");
                let sub = $body::new(async |co| co.yield_(1).await);
                let value = co.yield_from(sub).await?;
                assert_eq!(borrowed.len(), 17);
                Ok(value)
            });
            assert_eq!(test.start(), Ok(Outcome::Yielded(1)));
            assert_eq!(test.delegates().len(), 1);
            ::std::mem::forget(test);
        }

        #[test]
        fn a_delegation_that_is_dropped_before_anybody_saw_it_is_withdrawn() {
            let held = Rc::new(());
            let inside = Rc::clone(&held);
            let mut test = $body::<u32, u32, u32, ()>::new(async move |co| {
                let sub = $body::new(async move |co| {
                    let _inside = inside;
                    co.yield_(1).await
                });
                {
                    let mut delegation = pin!(co.yield_from(sub));
                    assert!(poll_fn(|cx| Poll::Ready(delegation.as_mut().poll(cx).is_pending())).await);
                }
                co.yield_(5).await
            });
            assert_eq!(test.start(), Ok(Outcome::Yielded(5)));
            assert_eq!(Rc::strong_count(&held), 1);
        }
    };
}
