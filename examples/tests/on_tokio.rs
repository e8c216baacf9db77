//! Native coroutines under another executor, which moves them between its threads.

use coro_core::backend::Plain;
use coro_core::native;
use coro_core::prelude::*;
use tokio::runtime::LocalRuntime;
use tokio::sync::oneshot;

#[test]
fn coroutines_cross_the_threads_of_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let sums = (0..100).map(|start| {
            tokio::spawn(async move {
                let mut sum = native::new::<u64, u64, u64, (), _>(async move |co| {
                    let mut sum = start;
                    while sum < 1_000 {
                        sum += co.yield_(sum).await?;
                    }
                    Ok(sum)
                });
                let mut outcome = sum.start();
                while let Ok(Outcome::Yielded(value)) = outcome {
                    tokio::task::yield_now().await;
                    outcome = sum.send(value.max(1));
                }
                outcome.unwrap().returned()
            })
        });
        for (start, sum) in (0..100_u64).zip(sums.collect::<Vec<_>>()) {
            let mut expected = start;
            while expected < 1_000 {
                expected += expected.max(1);
            }
            assert_eq!(sum.await.unwrap(), Some(expected));
        }
    });
}

#[test]
fn an_async_generator_waits_for_another_executor() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (give, take) = oneshot::channel();
    let items = runtime.spawn(async move {
        let mut numbers = native::new::<(), u32, (), (), _>(async move |co| {
            co.yield_from(Plain(1..3)).await?;
            let third = co.wait(take).await?.expect("it is sent");
            co.yield_(third).await
        });
        let mut items = Vec::new();
        let mut input = None;
        while let Ok(Outcome::Yielded(item)) =
            std::future::poll_fn(|cx| numbers.poll_resume(cx, input.take())).await
        {
            items.push(item);
            input = Some(Input::Send(()));
        }
        items
    });
    give.send(3).unwrap();
    assert_eq!(runtime.block_on(items).unwrap(), [1, 2, 3]);
}

/// What a task of tokio sends is received by tasks of all flavours, on the same thread.
#[test]
fn tasks_of_all_flavours_wait_for_tokio() {
    let event_loop = Loop::new().unwrap().hosted_by(LocalRuntime::new().unwrap()).unwrap();
    let sum = event_loop.run(async {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel()).unzip();
        let theirs = tokio::task::spawn_local(async move {
            for (number, sender) in (1..).zip(senders) {
                tokio::task::yield_now().await;
                sender.send(10_u32.pow(number)).unwrap();
            }
        });
        let mut receivers = receivers.into_iter();
        let mut next = || receivers.next().unwrap();
        let (first, second, third) = (next(), next(), next());
        let ours = [
            native::spawn(async move { first.await.unwrap() }),
            coro_gen::spawn(async move |co| Ok(co.wait(second).await?.unwrap())),
            coro_fiber::spawn(move |co| Ok(co.wait(third)?.unwrap())),
        ];
        // A task of tokio waits for all of ours.
        let sum =
            tokio::task::spawn_local(async move { gather(ours).await.unwrap().into_iter().sum::<u32>() });
        theirs.await.unwrap();
        sum.await.unwrap()
    });
    assert_eq!(sum.unwrap(), 1_110);
}
