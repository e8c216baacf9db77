//! The loop, as the trait has it.

use std::borrow::BorrowMut;
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;

use super::ready::Callback;
use super::{CallHandle, Driven, EventLoop, Loop, RemoteHandle, RunError, TimerHandle};
use crate::coroutine::Coroutine;
use crate::task::{IntoTask, JoinHandle, TaskInfo};
use crate::time::Time;

impl EventLoop for Loop {
    #[track_caller]
    fn spawn<T>(&self, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Coroutine: 'static>,
        T::Output: 'static,
    {
        self.core.spawn(task, Location::caller())
    }

    #[track_caller]
    fn drive<C>(&self, coroutine: C) -> Driven<C>
    where
        C: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
    {
        Driven::spawn(self, coroutine)
    }

    fn call_soon(&self, function: impl FnOnce() + 'static) -> CallHandle {
        CallHandle(self.core.call_soon(Box::new(function)))
    }

    fn call_at(&self, deadline: Time, function: impl FnOnce() + 'static) -> TimerHandle {
        let callback = Callback::new(Box::new(function));
        TimerHandle(self.core.call_at(deadline, callback.clone()), callback)
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
        T: IntoTask<Coroutine: 'static>,
        T::Output: 'static,
    {
        let entered = self.enter()?;
        let mut task = self.spawn(main);
        let result = self.complete(&mut task);
        drop(task);
        let drained = self.drain();
        // Closed as the current loop: destructors may still use it.
        self.core.close();
        drop(entered);
        let value = result?;
        drained.map(|()| value)
    }

    fn stop(&self) {
        self.core.stopping.set(true);
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
        if !task.is_done() {
            let (core, waiting) = (self.core.weak(), Rc::new(Cell::new(true)));
            let still_waiting = Rc::clone(&waiting);
            task.on_done(Some(Box::new(move || {
                if let Some(core) = core.upgrade().filter(|_| still_waiting.get()) {
                    core.stopping.set(true);
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
            None => Err(RunError::Stopped),
        }
    }

    /// Cancels what the main task left, and turns until it has ended.
    fn drain(&self) -> Result<(), RunError> {
        self.core.cancel_all();
        while self.core.has_tasks() {
            self.core.turn()?;
        }
        Ok(())
    }
}
