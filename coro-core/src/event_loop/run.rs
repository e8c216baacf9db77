//! The loop, as the trait has it.

use std::borrow::BorrowMut;
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::callback::Callback;
use super::{
    CallHandle, Driven, EventLoop, Exception, IntoDriven, Loop, RemoteHandle, RunError, TimerHandle,
};
use crate::task::{IntoTask, JoinHandle, TaskError, TaskInfo};
use crate::time::Time;

impl EventLoop for Loop {
    #[track_caller]
    fn spawn<T>(&self, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.core.spawn(task, Location::caller())
    }

    #[track_caller]
    fn drive<C: IntoDriven>(&self, coroutine: C) -> Driven<C::Coroutine> {
        Driven::spawn(self, coroutine.into_driven().into_inner())
    }

    fn call_soon(&self, function: impl FnOnce() + 'static) -> CallHandle {
        CallHandle(self.core.call_soon(Box::new(function)))
    }

    fn call_at(&self, deadline: Time, function: impl FnOnce() + 'static) -> TimerHandle {
        let callback = Callback::new(Box::new(function));
        let timer = self.core.call_at(deadline, callback.clone());
        TimerHandle { timer, callback, when: deadline }
    }

    fn remote(&self) -> RemoteHandle {
        RemoteHandle::new(self.core.remote_inbox())
    }

    fn time(&self) -> Time {
        self.core.time()
    }

    fn run_forever(&self) -> Result<(), RunError> {
        let _entered = self.enter()?;
        self.core.turn_until_stopped()
    }

    fn run_until_complete<T>(&self, mut task: impl BorrowMut<JoinHandle<T>>) -> Result<T, RunError> {
        let _entered = self.enter()?;
        self.complete(task.borrow_mut())
    }

    #[track_caller]
    fn run<T>(&self, main: T) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let entered = self.enter()?;
        let mut task = self.spawn(main);
        let result = self.complete(&mut task);
        drop(task);
        if let Err(error) = self.drain() {
            self.core.report(Exception::DrainFailed(error));
        }
        // Closed as the current loop: destructors may still use it.
        self.core.close();
        drop(entered);
        result
    }

    fn stop(&self) {
        self.core.stop();
    }

    fn is_running(&self) -> bool {
        self.core.running.get()
    }

    fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    fn close(&self) -> Result<(), RunError> {
        if self.is_running() {
            return Err(RunError::Running);
        }
        self.core.close();
        Ok(())
    }

    fn all_tasks(&self) -> Vec<TaskInfo> {
        self.core.all_tasks()
    }

    fn current_task(&self) -> Option<TaskInfo> {
        self.core.current_task()
    }
}

impl Loop {
    /// Turns until `task` has ended: its end queues a callback that stops the loop, after what was ready by then.
    fn complete<T>(&self, task: &mut JoinHandle<T>) -> Result<T, RunError> {
        if !self.core.owns(task.header()) {
            return Err(TaskError::ForeignLoop.into());
        }
        if !task.is_done() {
            let (core, waiting) = (self.core.weak(), Rc::new(Cell::new(true)));
            let still_waiting = Rc::clone(&waiting);
            task.on_done(Some(Box::new(move || {
                if let Some(core) = core.upgrade().filter(|_| still_waiting.get()) {
                    core.stop();
                }
            })));
            let turned = self.core.turn_until_stopped();
            // Somebody else may have stopped the loop: the end of the task must not stop a later run.
            waiting.set(false);
            task.on_done(None);
            turned?;
        }
        match task.try_result() {
            Some(result) => Ok(result?),
            None if task.is_done() => Err(TaskError::AlreadyTaken.into()),
            None => Err(RunError::Stopped),
        }
    }

    /// Cancels what the main task left, and turns until that has ended, and what was written has been sent.
    fn drain(&self) -> Result<(), RunError> {
        // Only these: a cleanup may spawn for ever, and what it spawns is closed with the loop.
        let left = self.core.cancel_all();
        while left.iter().any(|task| !task.header().is_done()) {
            self.core.turn()?;
        }
        self.core.begin_last_cleanups();
        while self.core.has_cleanups() {
            self.core.turn()?;
        }
        let deadline = self.time() + LINGER;
        let bound = self.call_at(deadline, || ());
        while self.core.unsent() > 0 && self.time() < deadline {
            self.core.turn()?;
        }
        bound.cancel();
        match self.core.unsent() {
            0 => {}
            count => self.core.report(Exception::Unsent(count)),
        }
        Ok(())
    }
}

/// How long a run waits at its end for what was written to streams that were dropped.
const LINGER: Duration = Duration::from_secs(1);
