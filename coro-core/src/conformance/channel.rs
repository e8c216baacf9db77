//! The laws of channels: between two sides, to those who watch, and to all.

use std::rc::Rc;

use super::setting::{MakeLoop, log, run, turns};
use super::{Flavour, Trace, plan};
use crate::event_loop::Loop;
use crate::sync::memory::{BrokenResource, ReceiveNowaitError, SendNowaitError};
use crate::sync::{MemoryReceiveChannel, MemorySendChannel, broadcast, open_memory_channel, watch};
use crate::task::JoinHandle;
use crate::time::yield_now;

/// Sends items one after the other, and tells what came of each.
fn sender<F: Flavour>(
    event_loop: &Loop,
    channel: &MemorySendChannel<i64>,
    trace: &Trace,
    items: &'static [i64],
) -> JoinHandle<i64> {
    let (channel, trace) = (channel.clone(), trace.clone());
    let sends = plan().wait(move || async move {
        for item in items {
            match channel.send(*item).await {
                Ok(()) => trace.log(format!("sent {item}")),
                Err(BrokenResource(item)) => trace.log(format!("unsent {item}")),
            }
        }
    });
    sends.spawn::<F>(event_loop)
}

/// Receives so many times, and tells what.
fn receiver<F: Flavour>(
    event_loop: &Loop,
    channel: &MemoryReceiveChannel<i64>,
    trace: &Trace,
    name: &'static str,
    times: usize,
) -> JoinHandle<i64> {
    let (channel, trace) = (channel.clone(), trace.clone());
    let receives = plan().wait(move || async move {
        for _ in 0..times {
            trace.log(format!("{name} {:?}", channel.receive().await));
        }
    });
    receives.spawn::<F>(event_loop)
}

/// A full channel makes senders wait, and its items keep their order.
pub fn a_full_channel_makes_senders_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, receives) = open_memory_channel(1);
    sender::<F>(&event_loop, &sends, &trace, &[1, 2]).detach();
    sender::<F>(&event_loop, &sends, &trace, &[3]).detach();
    let (full, told) = (sends.clone(), trace.clone());
    let main = turns(1).wait(move || async move {
        assert_eq!(full.send_nowait(9), Err(SendNowaitError::WouldBlock(9)));
        assert_eq!((full.statistics().items, full.statistics().sending), (1, 2));
        for _ in 0..3 {
            told.log(format!("received {:?}", receives.receive().await));
        }
        assert_eq!(receives.receive_nowait(), Err(ReceiveNowaitError::WouldBlock));
    });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    // While one waits to receive there is room for one more.
    trace.expect(&["sent 1", "received Ok(1)", "sent 2", "sent 3", "received Ok(2)", "received Ok(3)"]);
}

/// Without any room a send and a receive meet, whoever comes first.
pub fn without_room_a_send_waits_for_a_receiver<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, receives) = open_memory_channel(0);
    sender::<F>(&event_loop, &sends, &trace, &[1, 2]).detach();
    let (again, told) = (event_loop.clone(), trace.clone());
    let main = turns(2).call(move || {
        told.log("nothing sent");
        receiver::<F>(&again, &receives, &told, "received", 3).detach();
    });
    let (late, told) = (sends.clone(), trace.clone());
    let main = main.then(turns(6)).call(move || {
        told.log("a receiver waits");
        late.send_nowait(3).unwrap();
        assert_eq!(late.send_nowait(4), Err(SendNowaitError::WouldBlock(4)));
    });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    let first = ["nothing sent", "sent 1", "received Ok(1)", "sent 2", "received Ok(2)"];
    trace.expect(&[&first[..], &["a receiver waits", "received Ok(3)"]].concat());
}

/// When no end that sends is left, what is in the channel is received, and then its end.
pub fn a_channel_without_senders_is_drained<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, receives) = open_memory_channel(5);
    let other = sends.clone();
    sends.send_nowait(1).unwrap();
    receiver::<F>(&event_loop, &receives, &trace, "a", 3).detach();
    receiver::<F>(&event_loop, &receives, &trace, "b", 1).detach();
    let told = trace.clone();
    let main = turns(1).call(move || {
        sends.close();
        told.log("one is left");
        assert_eq!(other.statistics().senders, 1);
        other.send_nowait(2).unwrap();
        drop(other);
        assert_eq!(receives.receive_nowait(), Err(ReceiveNowaitError::WouldBlock), "it is promised");
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["a Ok(1)", "one is left", "a Ok(2)", "a Err(EndOfChannel)", "b Err(EndOfChannel)"]);
}

/// When no end that receives is left, sends fail, also those that wait, and give their items back.
pub fn a_channel_without_receivers_is_broken<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, receives) = open_memory_channel(1);
    sender::<F>(&event_loop, &sends, &trace, &[1, 2, 3]).detach();
    let other = receives.clone();
    let told = trace.clone();
    let main = turns(1).call(move || {
        receives.close();
        assert!(!sends.is_broken());
        drop(other);
        told.log("broken");
        assert!(sends.is_broken());
        assert_eq!(sends.send_nowait(4), Err(SendNowaitError::BrokenResource(4)));
    });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    trace.expect(&["sent 1", "broken", "unsent 2", "unsent 3"]);
}

/// A receiver that was woken and cancelled passes its item on; if nobody waits it stays for the next one.
pub fn a_cancelled_woken_receiver_passes_the_item_on<F: Flavour>(make: MakeLoop<'_>) {
    for capacity in [0, 1] {
        let (event_loop, trace) = (make(), Trace::new());
        let (sends, receives) = open_memory_channel(capacity);
        let [first, second] = ["a", "b"].map(|name| receiver::<F>(&event_loop, &receives, &trace, name, 1));
        let sending = sends.clone();
        let main = turns(1).call(move || {
            sending.send_nowait(1).unwrap();
            assert!(first.cancel());
        });
        let main = main.then(turns(2)).call(move || assert!(second.is_done()));
        let third = receiver::<F>(&event_loop, &receives, &trace, "c", 1);
        let main = main.then(turns(1)).call(move || {
            sends.send_nowait(2).unwrap();
            assert!(third.cancel());
        });
        let main = main.wait(yield_now).call(move || assert_eq!(receives.receive_nowait(), Ok(2)));
        run::<F>(&event_loop, main).unwrap();
        trace.expect(&["b Ok(1)"]);
    }
}

/// A sender that was woken and cancelled has sent nothing, and passes its room on.
pub fn a_cancelled_woken_sender_passes_the_room_on<F: Flavour>(make: MakeLoop<'_>) {
    for capacity in [0, 1] {
        let (event_loop, trace) = (make(), Trace::new());
        let (sends, receives) = open_memory_channel(capacity);
        if capacity == 1 {
            sends.send_nowait(0).unwrap();
        }
        let first = sender::<F>(&event_loop, &sends, &trace, &[1]);
        sender::<F>(&event_loop, &sends, &trace, &[2]).detach();
        let (again, told) = (event_loop.clone(), trace.clone());
        let main = turns(1).call(move || {
            if capacity == 1 {
                assert_eq!(receives.receive_nowait(), Ok(0));
            }
            receiver::<F>(&again, &receives, &told, "received", 1).detach();
        });
        // In the next turn the receiver lets the first one send, or has let it already.
        let main = main.then(turns(usize::from(capacity == 0))).call(move || assert!(first.cancel()));
        run::<F>(&event_loop, main.then(turns(3))).unwrap();
        trace.expect(&["sent 2", "received Ok(2)"]);
    }
}

/// Who watches a value sees the last one, and its end.
pub fn a_watch_shows_the_last_value<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, mut watches) = watch::channel(0);
    let (told, ended) = (trace.clone(), trace.clone());
    let mut waits = watches.clone();
    let watcher = plan().wait(move || async move {
        while watches.changed().await.is_ok() {
            told.log(format!("changed to {}", watches.latest_seen()));
        }
    });
    watcher.call(log(&trace, "closed")).spawn::<F>(&event_loop).detach();
    let waiter = plan().wait(move || async move {
        ended.log(format!("waited for {:?}", waits.wait_for(|value| *value >= 3).await.as_deref()));
        ended.log(format!("waited for {:?}", waits.wait_for(|value| *value >= 9).await.as_deref()));
    });
    waiter.spawn::<F>(&event_loop).detach();
    let sends = Rc::new(sends);
    let [modifies, ends] = [&sends; 2].map(Rc::clone);
    let main = turns(1).call(move || {
        assert_eq!(*sends.send(1), 0);
        sends.send(2);
    });
    let main = main.then(turns(1)).call(move || modifies.send_modify(|value| *value += 1));
    let main = main.then(turns(1)).wait(move || async move {
        assert_eq!(ends.receiver_count(), 2);
        let last = ends.subscribe();
        drop(ends);
        yield_now().await;
        assert!(!last.has_changed());
        assert_eq!(*last.latest(), 3);
    });
    run::<F>(&event_loop, main).unwrap();
    let values = ["changed to 2", "changed to 3", "waited for Ok(3)"];
    trace.expect(&[&values[..], &["closed", "waited for Err(Closed)"]].concat());
}

/// Every receiver of a broadcast has every item, and who is too slow is told how many it missed.
pub fn a_broadcast_reaches_all_and_tells_who_lags<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (sends, first) = broadcast::channel(2);
    for (name, mut receives) in [("a", first), ("b", sends.subscribe())] {
        let told = trace.clone();
        let receiver = plan().wait(move || async move {
            loop {
                let received = receives.receive().await;
                told.log(format!("{name} {received:?}"));
                if received == Err(broadcast::ReceiveError::Closed) {
                    return;
                }
            }
        });
        receiver.spawn::<F>(&event_loop).detach();
    }
    let main = turns(1).call(move || {
        for item in 1..=3 {
            assert_eq!(sends.send(item), Ok(2));
        }
    });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    let all = |name| ["Err(Lagged(1))", "Ok(2)", "Ok(3)", "Err(Closed)"].map(|got| format!("{name} {got}"));
    let expected: Vec<_> = all("a").into_iter().chain(all("b")).collect();
    trace.expect(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    let (sends, receives) = broadcast::channel(1);
    drop(receives);
    assert_eq!(sends.send(1), Err(broadcast::Unsent(1)));
}
