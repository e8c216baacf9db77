//! A simulated run: one step after the other, over all hosts, in the order that the choices give.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::failure::FailureKind;
use super::policy::{Picker, Who};
use super::quiet;
use super::trace::{Step, Trace};
use super::world::{Main, World};
use super::{Clock, Settings, trap};
use crate::driver::simulated::host::HostId;
use crate::driver::simulated::world::Fault;
use crate::event_loop::stepping::{Cause, Ready};
use crate::event_loop::{Loop, RunError, pushed_here};
use crate::task::{Panic, TaskError};

/// A step that takes longer, of real time, is worth a hint.
const LONG: Duration = Duration::from_millis(100);

pub(super) struct Running<'a> {
    settings: &'a Settings,
    pub(super) world: World,
    /// By their numbers; `None` for one that does not run.
    pub(super) hosts: Vec<Option<Live>>,
    pub(super) ready: Vec<(HostId, Ready)>,
    /// How many of those that are ready run before anything else is looked at, in the order of production.
    pub(super) batch: usize,
    picker: Picker,
    steps: u64,
    pub(super) trace: Option<Trace>,
    pub(super) reported: Rc<RefCell<Vec<FailureKind>>>,
    hints: Vec<String>,
    /// How many wakes have come through records, or can have, counted as this thread counts those that it sends.
    pub(super) received: u64,
}

/// A host that runs.
pub(super) struct Live {
    pub(super) event_loop: Loop,
    /// `None` once it has ended, and for the host of the program itself.
    pub(super) main: Option<Main>,
}

/// What a run came to, beside its result.
pub(super) struct Ran {
    pub(super) failure: Option<FailureKind>,
    pub(super) steps: u64,
    pub(super) trace: Option<Trace>,
    pub(super) hints: Vec<String>,
}

impl<'a> Running<'a> {
    /// The world is there, and nothing runs yet but an empty loop of the program's own host.
    pub(super) fn new(settings: &'a Settings, world: World, traced: bool) -> Self {
        let mut running = Self {
            settings,
            world,
            hosts: Vec::new(),
            ready: Vec::new(),
            batch: 0,
            picker: Picker::new(settings.policy),
            steps: 0,
            trace: traced.then(Trace::default),
            reported: Rc::default(),
            hints: Vec::new(),
            received: pushed_here(),
        };
        running.begin(HostId(0), None);
        running
    }

    /// The loop of the program's own host.
    pub(super) fn own_loop(&self) -> Option<Loop> {
        Some(self.hosts.first()?.as_ref()?.event_loop.clone())
    }

    /// Runs until `done` says whether it went well, then lets what is left end if it did, and closes everything.
    pub(super) fn run(mut self, done: &dyn Fn() -> Option<bool>) -> Ran {
        let failure = match self.run_until(done) {
            Ok(true) => self.wind_up().err(),
            Ok(false) => None,
            Err(failure) => Some(failure),
        };
        self.close();
        let reported = std::mem::take(&mut *self.reported.borrow_mut());
        let failure = failure.or_else(|| reported.into_iter().next());
        Ran { failure, steps: self.steps, trace: self.trace, hints: self.hints }
    }

    fn run_until(&mut self, done: &dyn Fn() -> Option<bool>) -> Result<bool, FailureKind> {
        loop {
            self.obey()?;
            if let Some(well) = done() {
                return Ok(well);
            }
            if !self.turn()? {
                return Err(self.stalled());
            }
        }
    }

    /// Cancels what is left, on every host, and lets it end, and the jobs with it.
    fn wind_up(&mut self) -> Result<(), FailureKind> {
        for live in self.hosts.iter().flatten() {
            live.event_loop.core().end_all();
        }
        let is_left = |live: &Live| {
            let core = live.event_loop.core();
            core.count_tasks() > 0 || core.has_timed_jobs()
        };
        while self.hosts.iter().flatten().any(is_left) {
            self.obey()?;
            if !self.turn()? {
                return Err(self.stalled());
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        for host in (0..self.hosts.len()).rev() {
            self.end(HostId(host));
        }
        // They may hold the world that holds them.
        let programs: Vec<_> =
            self.world.0.hosts.borrow_mut().iter_mut().filter_map(|host| host.start.take()).collect();
        drop(programs);
        drop(self.world.0.arrived.take());
    }
}

/// One step.
impl Running<'_> {
    /// Runs one that is ready, or lets time pass. False if nothing is to come.
    fn turn(&mut self) -> Result<bool, FailureKind> {
        if self.batch == 0 || self.settings.policy.explores() {
            self.gather()?;
            self.batch = self.ready.len();
        }
        if self.ready.is_empty() {
            return self.pass_time();
        }
        self.batch = self.batch.saturating_sub(1);
        self.steps += 1;
        if self.steps > self.settings.max_steps {
            return Err(FailureKind::Endless(self.settings.max_steps));
        }
        let place = self.pick();
        let (host, ready) = self.ready.remove(place);
        self.step(host, ready)?;
        self.wake_for_nothing();
        Ok(true)
    }

    /// Queues what has arrived and come due on every host.
    fn gather(&mut self) -> Result<(), FailureKind> {
        for (host, live) in self.hosts.iter().enumerate() {
            let Some(live) = live else { continue };
            let (host, core) = (HostId(host), live.event_loop.core());
            let (news, now) = {
                let network = self.world.0.network.borrow();
                (network.has_finished(host), network.clock(host))
            };
            if !news && !core.has_news(now) {
                continue;
            }
            let mut ready = Vec::new();
            self.received += core.gather(&mut ready).map_err(broken)?;
            self.ready.extend(ready.into_iter().map(|ready| (host, ready)));
        }
        // Hosts may wake each other, for they share a thread.
        if self.received > pushed_here() { Err(FailureKind::Thread) } else { Ok(()) }
    }

    /// Lets time pass to the next thing that happens. False if there is none.
    fn pass_time(&mut self) -> Result<bool, FailureKind> {
        let shared = Rc::clone(&self.world.0);
        let mut network = shared.network.borrow_mut();
        let deadline = |(host, live): (usize, &Option<Live>)| {
            let deadline = live.as_ref()?.event_loop.core().next_deadline()?;
            Some(network.when(HostId(host), deadline))
        };
        let deadlines = self.hosts.iter().enumerate().filter_map(deadline);
        let next = deadlines.chain(network.next_event()).min();
        let (goal, now) = (shared.goal.get(), network.now());
        let next = match (self.settings.clock, goal) {
            (Clock::Jumping, Some(goal)) => Some(next.map_or(goal, |next| next.min(goal))),
            (Clock::Jumping, None) => next,
            // What happens now takes no time.
            (Clock::Manual, goal) => next.filter(|next| *next <= goal.unwrap_or(now)).or(goal),
        };
        let Some(next) = next else { return Ok(false) };
        network.advance(next);
        let now = network.now();
        drop(network);
        self.note_faults();
        // Those who are due by then come first: they are found at the next turn, and this is asked again after them.
        if goal.is_some_and(|goal| now >= goal) && !self.anybody_is_due() {
            shared.goal.set(None);
            if let Some(arrived) = shared.arrived.take() {
                self.wake_on_own_host(|| arrived.wake());
            }
        }
        Ok(true)
    }

    fn anybody_is_due(&self) -> bool {
        let network = self.world.0.network.borrow();
        self.hosts.iter().enumerate().any(|(host, live)| {
            let (host, Some(live)) = (HostId(host), live) else { return false };
            network.has_finished(host) || live.event_loop.core().has_news(network.clock(host))
        })
    }

    /// As if a task of a host did it, so that it is no wake by another thread.
    fn wake_on_own_host(&mut self, wake: impl FnOnce()) {
        for (host, live) in self.hosts.iter().enumerate() {
            if let Some(live) = live {
                let mut ready = Vec::new();
                live.event_loop.core().as_current(wake, &mut ready);
                self.ready.extend(ready.into_iter().map(|ready| (HostId(host), ready)));
                return;
            }
        }
    }

    /// The place of the one that runs next: any task, or the first callback of a host.
    fn pick(&mut self) -> usize {
        let mut called = Vec::new();
        let mut candidates: Vec<(usize, Who)> = Vec::new();
        for (place, (host, ready)) in self.ready.iter().enumerate() {
            let task = ready.task();
            if task.is_none() {
                if called.contains(host) {
                    continue;
                }
                called.push(*host);
            }
            candidates.push((place, (host.0, task)));
        }
        let who: Vec<_> = candidates.iter().map(|(_, who)| *who).collect();
        let chosen = self.picker.pick(&who, &mut self.world.0.network.borrow_mut().choices);
        candidates.get(chosen).map_or(0, |(place, _)| *place)
    }

    fn step(&mut self, host: HostId, step: Ready) -> Result<(), FailureKind> {
        let Some(Some(live)) = self.hosts.get(host.0) else { return Ok(()) };
        let core = Rc::clone(live.event_loop.core());
        let (task, cause, info) = (step.task(), step.cause, step.info());
        let time = {
            let mut network = self.world.0.network.borrow_mut();
            let task = task.map_or(0, |task| task.number());
            network.choices.digest().add(host.0 as u64);
            network.choices.digest().add(task);
            network.now()
        };
        let panics = quiet::panics();
        let (began, mut woken) = (self.trace.as_ref().map(|_| Instant::now()), Vec::new());
        let (after, trapped) = trap::watch(|| core.step(step, &mut woken));
        let (after, job) = (after.map_err(broken)?, core.called_job());
        let who = || match (&info, job) {
            (Some(task), _) => format!("{task:?}"),
            (None, Some(job)) => format!("job {job}"),
            (None, None) => "a callback".to_string(),
        };
        if let Some(trapped) = trapped {
            let task = who();
            return Err(FailureKind::Leaked { task, what: trapped.advice() });
        }
        if core.took_threads() {
            // What they do is no event of this world.
            return Err(FailureKind::Thread);
        }
        if let Some(began) = began {
            // To print a panic takes long, too.
            if began.elapsed() > LONG && quiet::panics() == panics {
                self.note_long(began.elapsed(), &who());
            }
        }
        let yielded = woken.iter().any(|ready| ready.cause == Cause::Itself);
        self.picker.note_step((host.0, task), yielded);
        self.ready.extend(woken.into_iter().map(|ready| (host, ready)));
        if let Some(trace) = &mut self.trace {
            let host = (self.world.0.hosts.borrow().len() > 1).then(|| self.world.name(host));
            let panicked = quiet::panics() > panics;
            trace.push(Step { time, host, task: info, job, cause, after, yielded, panicked });
        }
        self.note_faults();
        self.check(host)
    }

    fn note_long(&mut self, took: Duration, who: &str) {
        self.hints.push(format!(
            "one step of {who} took {took:.1?} of real time, and none of virtual time: does it call \
             std::thread::sleep, or wait for something real?"
        ));
    }

    /// Enters into the trace what went wrong between hosts.
    fn note_faults(&mut self) {
        let faults = std::mem::take(&mut self.world.0.network.borrow_mut().faults);
        let Some(trace) = &mut self.trace else { return };
        for (from, to, fault) in faults {
            let (from, to) = (self.world.name(from), self.world.name(to));
            trace.note(
                self.world.now(),
                match fault {
                    Fault::Lost => format!("from {from} to {to}: lost, and sent again later"),
                    Fault::Refused => format!("from {from} to {to}: a connection is refused"),
                    Fault::Reset => format!("between {from} and {to}: a connection is reset"),
                    Fault::Cut => format!("from {from} to {to}: nothing arrives any more"),
                    Fault::Healed => format!("from {from} to {to}: all is well again"),
                },
            );
        }
    }

    pub(super) fn note(&mut self, host: HostId, what: &str) {
        if let Some(trace) = &mut self.trace {
            trace.note(self.world.now(), format!("{} {what}", self.world.name(host)));
        }
    }

    /// Whether the main task of a host, or something nobody could be told of, has ended the run.
    pub(super) fn check(&mut self, host: HostId) -> Result<(), FailureKind> {
        let reported = self.reported.borrow_mut().pop();
        if let Some(reported) = reported {
            return Err(reported);
        }
        let Some(Some(live)) = self.hosts.get_mut(host.0) else { return Ok(()) };
        let Some(ended) = live.main.as_mut().and_then(|main| main()) else { return Ok(()) };
        live.main = None;
        let name = self.world.name(host).to_string();
        match ended {
            Ok(None) | Err(TaskError::Cancelled(_)) => Ok(()),
            Ok(Some(error)) => Err(FailureKind::Failed { host: name, error }),
            Err(TaskError::Panicked(panic)) => Err(panicked(name, &panic)),
            Err(error) => Err(FailureKind::Failed { host: name, error: error.to_string() }),
        }
    }

    fn wake_for_nothing(&mut self) {
        if self.settings.spurious_wakes == 0 {
            return;
        }
        let mut network = self.world.0.network.borrow_mut();
        if !network.choices.happens(self.settings.spurious_wakes) {
            return;
        }
        let live: Vec<_> =
            self.hosts.iter().enumerate().filter_map(|(host, live)| Some((host, live.as_ref()?))).collect();
        let (host, live) = live[network.choices.choose(live.len() as u64) as usize];
        let core = live.event_loop.core();
        let which = network.choices.choose(core.count_tasks() as u64);
        drop(network);
        let mut ready = Vec::new();
        core.wake_for_nothing(which as usize, &mut ready);
        self.ready.extend(ready.into_iter().map(|ready| (HostId(host), ready)));
    }

    /// Who waits for what, on all hosts.
    fn stalled(&self) -> FailureKind {
        let several = self.world.0.hosts.borrow().len() > 1;
        let mut reports = Vec::new();
        for (host, live) in self.hosts.iter().enumerate() {
            let Some(live) = live else { continue };
            let stalled = live.event_loop.core().who_waits();
            if !stalled.waiting.is_empty() {
                let host =
                    if several { format!("{}: ", self.world.name(HostId(host))) } else { String::new() };
                reports.push(format!("{host}{stalled}"));
            }
        }
        let by_hand = if self.settings.clock == Clock::Manual {
            "\nthe clock is moved by hand, and nobody moves it: World::advance()"
        } else {
            ""
        };
        FailureKind::Stalled(reports.join("\n") + by_hand)
    }
}

pub(super) fn panicked(who: String, panic: &Panic) -> FailureKind {
    FailureKind::Panicked { who, message: panic.message().to_string(), place: quiet::take_place() }
}

/// How the program's own task ended, if it is no result.
pub(super) fn own_failure(error: TaskError) -> FailureKind {
    match error {
        TaskError::Panicked(panic) => panicked("main".to_string(), &panic),
        error => FailureKind::Failed { host: "main".to_string(), error: error.to_string() },
    }
}

fn broken(error: RunError) -> FailureKind {
    FailureKind::Loop(error.to_string())
}
