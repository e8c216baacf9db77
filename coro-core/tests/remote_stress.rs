//! Many threads wake and call loops that sleep, that are awake, and that are going away. What comes out is always the
//! same: everything arrives. Run under ThreadSanitizer and Miri too; `CORO_STRESS` makes it longer.
//!
//! A wake that is lost leaves a simulated loop with nothing to wait for once the threads have dropped their handles, which
//! it reports; a loop whose driver is not notified hangs.

use std::future::poll_fn;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::thread;

use coro_core::event_loop::RemoteHandle;
use coro_core::native::spawn;
use coro_core::prelude::*;

const THREADS: u32 = 4;

/// How often each thread does it: less often where each step is interpreted.
fn rounds() -> u32 {
    let longer = std::env::var("CORO_STRESS").ok().and_then(|times| times.parse().ok());
    if cfg!(miri) { 4 } else { 500 * longer.unwrap_or(1) }
}

/// The loops that wait for real threads, each in its own way.
fn loops() -> Vec<Loop> {
    let mut all = vec![Loop::simulated()];
    // Miri has no such system calls.
    if cfg!(all(target_os = "linux", not(miri))) {
        all.push(Loop::new().unwrap());
    }
    all
}

/// What the threads give to a task: they count up, and then wake it.
#[derive(Default)]
struct Post {
    sent: AtomicU32,
    receiver: OnceLock<Waker>,
}

impl Post {
    fn send(&self) {
        // Relaxed: it is the wake that must make it seen.
        self.sent.fetch_add(1, Relaxed);
        self.receiver.get().expect("it has been polled").wake_by_ref();
    }

    /// Takes what was sent, until there was as much as is wanted.
    async fn receive(self: Arc<Self>, wanted: u32) {
        let mut received = 0;
        poll_fn(|cx| {
            self.receiver.get_or_init(|| cx.waker().clone());
            received += self.sent.swap(0, Relaxed);
            assert!(received <= wanted);
            if received == wanted { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Tasks that receive from all threads. The loop sleeps between the posts, unless it is kept busy.
fn posts_arrive(event_loop: &Loop, busy: bool) {
    let posts: [Arc<Post>; 8] = Default::default();
    let receivers =
        posts.each_ref().map(|post| event_loop.spawn(Arc::clone(post).receive(THREADS * rounds())));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    let all = event_loop.spawn(gather(receivers));
    let main = event_loop.spawn(async move {
        while busy && !all.is_done() {
            yield_now().await;
        }
        all.await.unwrap().unwrap();
    });
    thread::scope(|threads| {
        for first in 0..THREADS as usize {
            let (remote, posts) = (event_loop.remote(), &posts);
            threads.spawn(move || {
                for _ in 0..rounds() {
                    // Each thread begins elsewhere, so that they meet at some and are alone at others.
                    (first..first + posts.len()).for_each(|place| posts[place % posts.len()].send());
                }
                drop(remote);
            });
        }
        event_loop.run_until_complete(main).unwrap();
    });
}

#[test]
fn wakes_of_many_threads_reach_a_loop_that_sleeps() {
    loops().iter().for_each(|event_loop| posts_arrive(event_loop, false));
}

#[test]
fn wakes_of_many_threads_reach_a_loop_that_is_awake() {
    loops().iter().for_each(|event_loop| posts_arrive(event_loop, true));
}

#[test]
fn calls_of_many_threads_arrive_in_the_order_of_each() {
    for event_loop in loops() {
        let (sender, receiver) = mpsc::channel();
        let left = Arc::new(AtomicU32::new(THREADS * rounds()));
        thread::scope(|threads| {
            for thread in 0..THREADS {
                let (remote, sender, left) = (event_loop.remote(), sender.clone(), Arc::clone(&left));
                threads.spawn(move || {
                    for number in 0..rounds() {
                        let (sender, left) = (sender.clone(), Arc::clone(&left));
                        let call = move || {
                            sender.send((thread, number)).unwrap();
                            if left.fetch_sub(1, Relaxed) == 1 {
                                Loop::current().unwrap().stop();
                            }
                        };
                        remote.call_soon_threadsafe(call).unwrap();
                    }
                });
            }
            event_loop.run_forever().unwrap();
        });
        let calls: Vec<_> = receiver.try_iter().collect();
        for thread in 0..THREADS {
            let of_thread = calls.iter().filter(|call| call.0 == thread).map(|call| call.1);
            assert!(of_thread.eq(0..rounds()));
        }
    }
}

/// A waker to be used, and what to count up before.
type Question = (Waker, Arc<AtomicU32>);

/// Asks all threads, and ends with the answer of one of them.
fn ask(threads: &[Sender<Question>]) -> impl Future<Output = ()> + use<'_> {
    let answers = Arc::new(AtomicU32::new(0));
    let mut asked = false;
    poll_fn(move |cx| {
        if !asked {
            asked = true;
            for thread in threads {
                thread.send((cx.waker().clone(), Arc::clone(&answers))).unwrap();
            }
        }
        if answers.load(Relaxed) > 0 { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Loops come and go, in the same places, while threads go on to wake tasks that have ended, in loops that are gone.
#[test]
fn loops_go_while_threads_wake_them() {
    let remotes = Arc::new(Mutex::new(None));
    let token = Arc::new(());
    thread::scope(|threads| {
        let mut questions = Vec::new();
        for _ in 0..THREADS {
            let (sender, receiver) = mpsc::channel::<Question>();
            questions.push(sender);
            let (remotes, token) = (Arc::clone(&remotes), Arc::clone(&token));
            threads.spawn(move || {
                let mut old: Vec<Waker> = Vec::new();
                while let Ok((waker, answers)) = receiver.recv() {
                    answers.fetch_add(1, Relaxed);
                    waker.wake_by_ref();
                    old.iter().for_each(Waker::wake_by_ref);
                    old.push(waker);
                    old.drain(..old.len().saturating_sub(8));
                    let remote = remotes.lock().unwrap().clone();
                    let (remote, token): (Option<RemoteHandle>, _) = (remote, Arc::clone(&token));
                    // To a loop that may be gone: called, dropped or refused, never kept.
                    let _ = remote.unwrap().call_soon_threadsafe(move || drop(token));
                }
            });
        }
        for _ in 0..rounds() {
            let event_loop = Loop::simulated();
            *remotes.lock().unwrap() = Some(event_loop.remote());
            let questions = questions.clone();
            let main = async move {
                spawn(std::future::pending::<()>()).detach();
                ask(&questions).await;
            };
            event_loop.run(main).unwrap();
        }
    });
    assert_eq!(Arc::strong_count(&token), 1);
}
