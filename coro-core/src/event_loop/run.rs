//! The loop, as the trait has it.

use std::borrow::BorrowMut;
use std::panic::Location;

use super::callback::Callback;
use super::goal::{Drain, result_of, turned_to};
use super::{
    CallHandle, Driven, EventLoop, Exception, IntoDriven, Loop, RemoteHandle, RunError, TimerHandle,
};
use crate::task::{IntoTask, JoinHandle, TaskInfo};
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

    #[track_caller]
    fn call_soon(&self, function: impl FnOnce() + 'static) -> CallHandle {
        CallHandle(self.core.call_soon(Box::new(function)))
    }

    #[track_caller]
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
        #[cfg(all(feature = "tokio", unix))]
        if let Some(host) = self.host() {
            return host.run(self, async |guest| guest.run_forever().await);
        }
        let _entered = self.enter()?;
        self.core.turn_until_stopped()
    }

    fn run_until_complete<T>(&self, mut task: impl BorrowMut<JoinHandle<T>>) -> Result<T, RunError> {
        #[cfg(all(feature = "tokio", unix))]
        if let Some(host) = self.host() {
            return host.run(self, async |guest| guest.run_until_complete(task).await);
        }
        let _entered = self.enter()?;
        self.complete(task.borrow_mut())
    }

    #[track_caller]
    fn run<T>(&self, main: T) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        #[cfg(all(feature = "tokio", unix))]
        if let Some(host) = self.host() {
            let spawned_at = Location::caller();
            return host.run(self, async |guest| guest.run_from(main, spawned_at).await);
        }
        let entered = self.enter()?;
        let mut task = self.spawn(main);
        let result = self.complete_main(&mut task);
        drop(task);
        self.end();
        drop(entered);
        result
    }

    fn stop(&self) {
        self.core.stop();
        self.core.rouse_host();
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
        self.core.all_tasks_with_waits()
    }

    fn current_task(&self) -> Option<TaskInfo> {
        self.core.current_task()
    }
}

impl Loop {
    /// Runs `main` to its end. What it leaves stays.
    pub(crate) fn run_main<T>(
        &self,
        main: T,
        spawned_at: &'static Location<'static>,
    ) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        #[cfg(all(feature = "tokio", unix))]
        if let Some(host) = self.host() {
            return host.run(self, async |guest| guest.run_main(main, spawned_at).await);
        }
        let _entered = self.enter()?;
        self.complete_main(&mut self.core.spawn(main, spawned_at))
    }

    /// Ends what earlier runs left, and closes the loop.
    pub(crate) fn run_to_close(&self) -> Result<(), RunError> {
        #[cfg(all(feature = "tokio", unix))]
        if let Some(host) = self.host() {
            return host.run(self, async |guest| guest.run_to_close().await);
        }
        if self.is_running() {
            return Err(RunError::Running);
        }
        let entered = self.enter_part()?;
        self.end();
        drop(entered);
        Ok(())
    }

    fn complete_main<T>(&self, task: &mut JoinHandle<T>) -> Result<T, RunError> {
        let attended = self.attend(task);
        let result = self.complete(task);
        attended.judge(result)
    }

    /// The end of a program.
    fn end(&self) {
        if let Err(error) = self.drain() {
            self.core.report(Exception::DrainFailed(error));
        }
        // Closed as the current loop: destructors may still use it.
        self.core.close();
    }

    /// Turns until `task` has ended.
    fn complete<T>(&self, task: &mut JoinHandle<T>) -> Result<T, RunError> {
        if let Some(watch) = self.watch(task)? {
            let turned = self.core.turn_until_stopped();
            watch.end(task);
            turned_to(task, turned)?;
        }
        result_of(task)
    }

    /// Turns until what the main task left has ended.
    fn drain(&self) -> Result<(), RunError> {
        let mut drain = Drain::begin(self);
        while !drain.is_over(self) {
            self.core.turn()?;
        }
        Ok(())
    }
}
