#![doc = include_str!("porting.md")]

// What the page names.
#[cfg(doc)]
use crate::{
    Coroutine, EventLoop, JoinHandle, Loop, RunError, TaskError, as_completed,
    coroutine::{AsyncContext, AsyncGenerator, with},
    event_loop::{CallHandle, RemoteHandle, TimerHandle},
    executor::run_in_executor,
    gather, group,
    native::{self, catch},
    net::{TcpListener, TcpStream},
    queue,
    runner::{self, Runner},
    scope::{self, Timeout, shield, timeout, timeout_at, wait_for},
    sync,
    task::{self, Canceller},
    time::{sleep, yield_now},
};
