//! What a task takes besides its cell: nothing, until something rare is asked of it.

use crate::Loop;
use crate::event_loop::EventLoop;
use crate::native::spawn;
use crate::task::{JoinHandle, TaskRef};
use crate::time::yield_now;

fn task_of<T>(handle: &JoinHandle<T>) -> TaskRef {
    handle.task().clone()
}

#[test]
fn spawning_joining_and_detaching_take_nothing_rare() {
    let run = Loop::simulated().run(async {
        let [detached, dropped, joined] = [(); 3].map(|()| spawn(yield_now()));
        let tasks = [task_of(&detached), task_of(&dropped), task_of(&joined)];
        detached.detach();
        drop(dropped);
        joined.await.unwrap();
        tasks.map(|task| task.header().has_rare())
    });
    assert_eq!(run.unwrap(), [false; 3]);
}

#[test]
fn a_name_is_rare() {
    let run =
        Loop::simulated().run(async { task_of(&spawn(yield_now()).named("named")).header().has_rare() });
    assert!(run.unwrap());
}
