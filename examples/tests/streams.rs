//! The faces that the ecosystem knows: coroutines as streams and as sinks, over each flavour.

use std::pin::Pin;
use std::time::Duration;

use coro_core::coroutine::{Adapt, ConsumeError, MisuseKind};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_fiber::scope_async;
use futures::stream::{FusedStream, Stream};
use futures::{Sink, SinkExt, StreamExt, TryStreamExt, stream};

type Error = &'static str;

/// Runs a program on what makes coroutines of each flavour. A fiber stays in its scope; where it must not, a coroutine that
/// delegates to it takes its place.
macro_rules! in_all_flavours {
    ($body:ident($($argument:ident),*), |$make:ident| async move $main:block) => {{
        in_all_flavours!(@stackless $body, |$make| $main);
        let $make = |$($argument),*| {
            let fiber = $body::fiber($($argument),*);
            Native::new(async move |co| co.yield_from(fiber).await)
        };
        Loop::simulated().run(async move $main).expect("fiber");
    }};
    (scoped $body:ident($($argument:ident),*), |$make:ident| async move $main:block) => {{
        in_all_flavours!(@stackless $body, |$make| $main);
        let fibers = scope_async(async |scope| {
            let $make = |$($argument),*| scope.own($body::fiber($($argument),*));
            $main
        });
        Loop::simulated().run(fibers).expect("fiber");
    }};
    (@stackless $body:ident, |$make:ident| $main:block) => {
        let $make = $body::native;
        Loop::simulated().run(async move $main).expect("native");
        let $make = $body::generator;
        Loop::simulated().run(async move $main).expect("generator");
    };
}

/// Counts down, a second each.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn countdown(from: u32, error: Option<Error>) -> Result<&'static str, Thrown<Error>> {
    for number in (1..=from).rev() {
        wait!(sleep(Duration::from_secs(1)))?;
        yield_!(number)?;
    }
    match error {
        Some(error) => Err(error.into()),
        None => Ok("lift-off"),
    }
}

#[test]
fn a_stream_gives_the_items_and_keeps_the_return() {
    in_all_flavours!(countdown(from, error), |make| async move {
        let mut stream = make(3, None).map_yield(|number| 2 * number).stream();
        assert_eq!(stream.next().await, Ok(Some(6)));
        // The inherent `next` and that of the combinators go on where the other stopped.
        assert_eq!(StreamExt::next(&mut stream).await, Some(Ok(4)));
        assert_eq!((stream.returned(), stream.is_terminated()), (None, false));
        assert_eq!(stream.by_ref().try_collect::<Vec<_>>().await, Ok(vec![2]));
        assert_eq!(stream.returned(), Some("lift-off"));
        assert_eq!(stream.returned(), None);
        assert!(stream.is_terminated());
        assert_eq!((stream.size_hint(), StreamExt::next(&mut stream).await), ((0, Some(0)), None));
        assert_eq!(Loop::running("the test").time().as_secs_f64(), 3.0);
    });
}

#[test]
fn a_fiber_is_a_stream_in_its_scope() {
    let items = Loop::simulated().run(scope_async(async |scope| {
        let stream = AsyncGenerator::scoped(scope.own(countdown::fiber(2, None)));
        stream.collect::<Vec<_>>().await
    }));
    assert_eq!(items.unwrap(), [Ok(2), Ok(1)]);
}

#[test]
fn an_error_is_the_last_item_of_a_stream() {
    in_all_flavours!(countdown(from, error), |make| async move {
        let mut stream = make(1, Some("aborted")).stream();
        let all: Vec<_> = stream.by_ref().collect().await;
        assert_eq!(all, [Ok(1), Err(Thrown::Error("aborted"))]);
        assert_eq!((stream.is_terminated(), stream.returned()), (true, None));
        assert_eq!(StreamExt::next(&mut stream).await, None);
    });
}

#[test]
fn streams_are_selected_from() {
    in_all_flavours!(countdown(from, error), |make| async move {
        let (mut first, mut second) = (make(2, None).stream(), make(1, None).stream());
        let mut seen = Vec::new();
        loop {
            futures::select! {
                item = first.select_next_some() => seen.push(("first", item)),
                item = second.select_next_some() => seen.push(("second", item)),
                complete => break,
            }
        }
        seen.sort_by_key(|(name, item)| (*name, item.clone().ok()));
        assert_eq!(seen, [("first", Ok(1)), ("first", Ok(2)), ("second", Ok(1))]);
        assert_eq!((first.returned(), second.returned()), (Some("lift-off"), Some("lift-off")));
    });
}

#[test]
fn a_borrowed_stream_leaves_the_coroutine_where_it_is() {
    in_all_flavours!(countdown(from, error), |make| async move {
        let mut numbers = make(3, None);
        let mut two = AsyncGenerator::scoped((&mut numbers).take(2));
        assert_eq!(two.by_ref().try_collect::<Vec<_>>().await, Ok(vec![3, 2]));
        assert_eq!(two.returned(), Some(None));
        drop(two);
        assert_eq!(numbers.stream().try_collect::<Vec<_>>().await, Ok(vec![1]));
    });
}

/// Takes a second for each item, and returns them when it is asked to end, or when it has got three. It raises an
/// error at 13.
#[coro_core::coroutine(send = u32, yields = (), flavours(native, generator, fiber))]
fn collector(stubborn: bool) -> Result<Vec<u32>, Thrown<Error>> {
    let mut items = Vec::new();
    while items.len() < 3 {
        match yield_!(()) {
            Ok(13) => return Err("unlucky".into()),
            Ok(item) => items.push(item),
            Err(Thrown::Exit) if stubborn => continue,
            Err(Thrown::Exit) => break,
            Err(other) => return Err(other),
        }
        wait!(sleep(Duration::from_secs(1)))?;
    }
    wait!(sleep(Duration::from_secs(1)))?;
    Ok(items)
}

fn now() -> f64 {
    Loop::running("the test").time().as_secs_f64()
}

#[test]
fn a_sink_delivers_each_item_and_closes() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut sink = make(false).sink();
        sink.send(1).await.unwrap();
        assert_eq!(now(), 1.0);
        // Fed, the first is received while the second is waited for.
        sink.feed(2).await.unwrap();
        assert_eq!((now(), sink.returned()), (1.0, None));
        sink.close().await.unwrap();
        assert_eq!((now(), sink.returned()), (3.0, Some(vec![1, 2])));
        sink.close().await.unwrap();
        assert_eq!(sink.send(3).await, Err(ConsumeError::Finished(3)));
    });
}

#[test]
fn a_finished_consumer_hands_the_item_back() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut sink = make(false).sink();
        let mut items = stream::iter((1..=4).map(Ok));
        assert_eq!(sink.send_all(&mut items).await, Err(ConsumeError::Finished(4)));
        assert_eq!(sink.returned(), Some(vec![1, 2, 3]));
        sink.flush().await.unwrap();
        assert_eq!(sink.into_inner().0.state(), State::Finished);
    });
}

#[test]
fn an_error_of_a_consumer_comes_out_of_the_send() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut sink = make(false).sink();
        assert_eq!(sink.send(13).await, Err(ConsumeError::Raised("unlucky".into())));
        assert_eq!(sink.send(1).await, Err(ConsumeError::Finished(1)));
        sink.close().await.unwrap();
    });
}

#[test]
fn a_consumer_that_has_not_begun_is_closed_without_running() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut sink = make(true).sink();
        sink.flush().await.unwrap();
        sink.close().await.unwrap();
        assert_eq!((now(), sink.returned()), (0.0, None));
    });
}

#[test]
fn a_consumer_that_ignores_its_exit_is_told_of_and_lives_on() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut consumer = make(true);
        let mut sink = (&mut consumer).sink();
        sink.send(1).await.unwrap();
        assert_eq!(sink.close().await, Err(ConsumeError::Misuse(MisuseKind::IgnoredExit)));
        sink.send(2).await.unwrap();
        drop(sink);
        assert_eq!(consumer.state(), State::Suspended);
    });
}

#[test]
fn an_item_without_a_poll_is_kept_or_handed_back() {
    in_all_flavours!(scoped collector(stubborn), |make| async move {
        let mut sink = make(false).sink();
        Pin::new(&mut sink).start_send(1).unwrap();
        assert_eq!(Pin::new(&mut sink).start_send(2), Err(ConsumeError::NotReady(2)));
        let (consumer, item) = sink.into_inner();
        assert_eq!((consumer.state(), item), (State::Created, Some(1)));
        // It waits for the first when the second comes.
        let mut sink = consumer.sink();
        Pin::new(&mut sink).start_send(1).unwrap();
        assert!(futures::poll!(sink.flush()).is_pending());
        assert_eq!(Pin::new(&mut sink).start_send(2), Err(ConsumeError::NotReady(2)));
        sink.send(2).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!(sink.returned(), Some(vec![1, 2]));
    });
}

#[test]
fn a_stream_is_forwarded_to_a_consumer() {
    let counted = countdown::native(2, None);
    let collected = Loop::simulated().run(async move {
        let mut sink = collector::generator(false).sink();
        let items = counted.stream().map(|item| item.map_err(ConsumeError::Raised));
        items.forward(&mut sink).await.unwrap();
        sink.returned()
    });
    assert_eq!(collected.unwrap(), Some(vec![2, 1]));
}
