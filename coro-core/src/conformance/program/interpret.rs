//! Performs a program in the engine of a flavour.

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;
use std::vec;

use super::super::{Do, Leaf, Script, Step, Subject};
use super::syntax::{Action, Answer, Case, EXHAUST, Fault, Handler, Op, Program, Statement, Target, words};
use crate::backend::{AnySub, Delegation, IntoSub, Plain};
use crate::coroutine::{Coroutine, CoroutineExt, Input, Misuse, MisuseKind, Outcome, Shared, State, Thrown};

/// The body of a program.
pub type Body = Script<Option<i64>, i64, Option<i64>, Fault>;

type Doing = Do<Option<i64>, i64, Option<i64>, Fault>;

/// The coroutine of a program.
pub type Made = Subject<Option<i64>, i64, Option<i64>, Fault>;

/// Makes coroutines of bodies: the flavour under test.
pub type Make = fn(Body) -> Made;

/// How delegations to owned coroutines are performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegating {
    /// As they are written: the chain owns what is delegated to.
    Spliced,
    /// To a handle: each is a level of its own.
    Nested,
    /// Not at all, if it is to a new one: its statements are performed in the body that would delegate.
    Inlined,
}

/// Performs `case` with coroutines that `make` makes. Gives the trace.
pub fn run(case: &Case, make: Make) -> Vec<String> {
    run_delegating(case, make, Delegating::Spliced)
}

/// The same, with another way to delegate.
pub fn run_delegating(case: &Case, make: Make, delegating: Delegating) -> Vec<String> {
    let patient = case.patient;
    let (trace, handles) = Default::default();
    let world = Rc::new(World { make, patient, delegating, trace, handles });
    for script in &case.scripts {
        world.log("from the start");
        let root = world.shared(|handle| {
            Performer::new(Rc::clone(&world), &case.program, 0, [handle.clone(), handle]).into_body()
        });
        script.iter().for_each(|&action| world.act(action));
        // The handles that bodies hold of themselves keep them alive.
        for handle in world.handles.take() {
            drop(handle.take());
        }
        drop(root);
    }
    world.trace.take()
}

type Handle = Rc<RefCell<Option<Shared<Made>>>>;

struct World {
    make: Make,
    patient: bool,
    delegating: Delegating,
    trace: RefCell<Vec<String>>,
    handles: RefCell<Vec<Handle>>,
}

impl World {
    /// A coroutine that can be reached from inside.
    fn shared(&self, body: impl FnOnce(Handle) -> Body) -> Shared<Made> {
        let handle = Handle::default();
        self.handles.borrow_mut().push(Rc::clone(&handle));
        let made = Shared::new((self.make)(body(Rc::clone(&handle))));
        handle.replace(Some(made.clone()));
        made
    }

    fn log(&self, line: impl Into<String>) {
        self.trace.borrow_mut().push(line.into());
    }

    fn act(&self, action: Action) {
        let handle = self.handles.borrow().get(usize::from(action.on)).cloned();
        match handle {
            None => self.log(format!("{action}nobody")),
            Some(handle) => {
                let mut coroutine = handle.borrow().clone().expect("a handle is set when it is made");
                let _ = self.operate(&mut coroutine, action.op, &action.to_string());
            }
        }
    }

    fn operate(&self, coroutine: &mut Operated, op: Op, who: &str) -> Answer {
        let answer = self.resume(coroutine, op);
        let delegates = !coroutine.delegates().is_empty();
        let line = words::operation(op, &answer, coroutine.state(), delegates);
        self.log(format!("{who}{line}"));
        answer
    }

    fn resume(&self, coroutine: &mut Operated, op: Op) -> Answer {
        let mut answer = match op {
            Op::Next if coroutine.state() == State::Running => coroutine.start(),
            Op::Next => coroutine.next(),
            Op::Send(value) => coroutine.send(value),
            Op::Throw(kind) => coroutine.resume(Input::Throw(kind.thrown())),
            Op::Close => coroutine.resume(Input::Close),
        };
        while self.patient && answer == Err(Misuse::WouldPark) {
            answer = coroutine.start();
        }
        answer
    }
}

type Operated = dyn Coroutine<Send = Option<i64>, Yield = i64, Return = Option<i64>, Error = Fault>;

/// Something to wait for: it is pending so many times.
fn pending(times: u8) -> Leaf {
    let mut left = times;
    Box::pin(poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }))
}

/// How a piece of a program ended.
enum Ending {
    Through,
    Returned(Option<i64>),
    Raised(Thrown<Fault>),
}

/// What is left to do, from the outside in.
enum Task {
    Block(vec::IntoIter<Statement>),
    Loop(u8, Program),
    /// A `try` whose body is above.
    Try(Vec<Handler>, Option<Program>),
    /// A handler whose body is above, what it raises at its end, and what is done finally.
    Handling(Option<Thrown<Fault>>, Option<Program>),
    /// A `finally` whose body is above, and how what was tried ended.
    Finally(Ending),
    /// A delegation whose body is above, and what its delegator kept.
    Inlined(Option<Shared<Made>>),
}

struct Performer {
    world: Rc<World>,
    depth: usize,
    me: Handle,
    root: Handle,
    /// The coroutine that was last made behind a handle.
    kept: Option<Shared<Made>>,
    tasks: Vec<Task>,
}

impl Performer {
    fn new(world: Rc<World>, program: &Program, depth: usize, [me, root]: [Handle; 2]) -> Self {
        let tasks = vec![Task::Block(program.clone().into_iter())];
        Self { world, depth, me, root, kept: None, tasks }
    }

    fn into_body(mut self) -> Body {
        Script::new(move |step| self.go_on(step))
    }

    fn log(&self, line: impl AsRef<str>) {
        self.world.log(format!("{}: {}", self.depth, line.as_ref()));
    }

    fn push(&mut self, program: Program) {
        self.tasks.push(Task::Block(program.into_iter()));
    }

    fn go_on(&mut self, step: Step<Option<i64>, Option<i64>, Fault>) -> Doing {
        let mut ending = match step {
            Step::Begin | Step::Woken => Ending::Through,
            Step::Sent(value) => {
                self.log(format!("got {}", words::value(value)));
                Ending::Through
            }
            Step::Ended(value) => {
                self.log(format!("sub gave {}", words::value(value)));
                Ending::Through
            }
            Step::Thrown(thrown) => Ending::Raised(thrown),
        };
        loop {
            ending = match (self.tasks.pop(), ending) {
                (None, Ending::Through) => return Do::ret(None),
                (None, Ending::Returned(value)) => return Do::ret(value),
                (None, Ending::Raised(thrown)) => return Do::End(Err(thrown)),
                (Some(Task::Block(mut rest)), Ending::Through) => match rest.next() {
                    None => Ending::Through,
                    Some(statement) => {
                        self.tasks.push(Task::Block(rest));
                        match self.perform(statement) {
                            Ok(ending) => ending,
                            Err(suspend) => return suspend,
                        }
                    }
                },
                (Some(Task::Loop(0, _)), Ending::Through) => Ending::Through,
                (Some(Task::Loop(left, body)), Ending::Through) => {
                    self.tasks.push(Task::Loop(left - 1, body.clone()));
                    self.push(body);
                    Ending::Through
                }
                (Some(Task::Block(_) | Task::Loop(..)), ending) => ending,
                (Some(Task::Inlined(kept)), ending) => self.outdent(kept, ending),
                (Some(Task::Try(handlers, finally)), Ending::Raised(thrown)) => {
                    self.handle(handlers, finally, thrown)
                }
                (Some(Task::Handling(Some(again), finally)), Ending::Through) => {
                    self.finally(finally, Ending::Raised(again))
                }
                (Some(Task::Try(_, finally) | Task::Handling(_, finally)), ending) => {
                    self.finally(finally, ending)
                }
                (Some(Task::Finally(ended)), Ending::Through) => ended,
                (Some(Task::Finally(_)), ending) => ending,
            };
        }
    }

    /// What was performed in this body instead of one of its own has ended.
    fn outdent(&mut self, kept: Option<Shared<Made>>, ending: Ending) -> Ending {
        self.depth -= 1;
        self.kept = kept;
        let value = match ending {
            Ending::Through => None,
            Ending::Returned(value) => value,
            Ending::Raised(thrown) => return Ending::Raised(thrown),
        };
        self.log(format!("sub gave {}", words::value(value)));
        Ending::Through
    }

    fn handle(&mut self, handlers: Vec<Handler>, finally: Option<Program>, thrown: Thrown<Fault>) -> Ending {
        match handlers.into_iter().find(|handler| handler.catch.catches(&thrown)) {
            None => self.finally(finally, Ending::Raised(thrown)),
            Some(handler) => {
                self.log(format!("caught {}", words::thrown(&thrown)));
                self.tasks.push(Task::Handling(handler.reraise.then_some(thrown), finally));
                self.push(handler.body);
                Ending::Through
            }
        }
    }

    fn finally(&mut self, finally: Option<Program>, ending: Ending) -> Ending {
        match finally {
            None => ending,
            Some(finally) => {
                self.tasks.push(Task::Finally(ending));
                self.push(finally);
                Ending::Through
            }
        }
    }

    /// Performs one statement; as an `Err`, what it suspends with.
    fn perform(&mut self, statement: Statement) -> Result<Ending, Doing> {
        match statement {
            Statement::Log(number) => self.log(format!("log {number}")),
            Statement::Yield(number) => return Err(Do::Yield(number)),
            Statement::Wait(polls) => return Err(Do::Wait(pending(polls))),
            Statement::Return(value) => return Ok(Ending::Returned(value)),
            Statement::Raise(kind) => return Ok(Ending::Raised(kind.thrown())),
            Statement::Try { body, handlers, finally } => {
                self.tasks.push(Task::Try(handlers, finally));
                self.push(body);
            }
            Statement::Loop(times, body) => self.tasks.push(Task::Loop(times, body)),
            Statement::Iterate(end) => return Err(Do::delegate(Numbers(0..end))),
            Statement::Delegate { program, before, exhaust: false, shared: false, first: _ }
                if before.is_empty() && self.world.delegating == Delegating::Inlined =>
            {
                self.depth += 1;
                self.tasks.push(Task::Inlined(self.kept.take()));
                self.push(program);
            }
            Statement::Delegate { program, before, exhaust, shared, first } => {
                return Err(if shared {
                    self.delegate_shared(&program, &before, exhaust, first)
                } else {
                    self.delegate(&program, &before, exhaust, first)
                });
            }
            Statement::Again(first) => match self.kept.clone() {
                None => self.log("nothing kept"),
                Some(kept) => return Err(going_on(kept, first)),
            },
            Statement::Reenter { target, op, raise } => {
                let handle = match target {
                    Target::Me => &self.me,
                    Target::Root => &self.root,
                };
                let mut running = handle.borrow().clone().expect("a handle is set before the start");
                match self.world.resume(&mut running, op) {
                    Err(misuse) if raise => return Ok(Ending::Raised(Thrown::Misuse(misuse.kind()))),
                    answer => self.log(format!("itself {op} -> {}", words::answer(&answer))),
                }
            }
        }
        Ok(Ending::Through)
    }

    fn delegate(&self, program: &Program, before: &[Op], exhaust: bool, first: Option<i64>) -> Doing {
        let mut sub = (self.world.make)(self.sub_body(program, self.me.clone()));
        self.prepare(&mut *sub, before, exhaust);
        match self.world.delegating {
            Delegating::Nested => going_on(Shared::new(sub), first),
            Delegating::Spliced | Delegating::Inlined => going_on(sub, first),
        }
    }

    fn delegate_shared(
        &mut self,
        program: &Program,
        before: &[Op],
        exhaust: bool,
        first: Option<i64>,
    ) -> Doing {
        let mut sub = self.world.shared(|me| self.sub_body(program, me));
        self.prepare(&mut sub, before, exhaust);
        self.kept = Some(sub.clone());
        going_on(sub, first)
    }

    fn sub_body(&self, program: &Program, me: Handle) -> Body {
        let root = Rc::clone(&self.root);
        Self::new(Rc::clone(&self.world), program, self.depth + 1, [me, root]).into_body()
    }

    fn prepare(&self, sub: &mut Operated, before: &[Op], exhaust: bool) {
        let who = format!("{}: sub ", self.depth);
        for &op in before {
            let _ = self.world.operate(sub, op, &who);
        }
        if exhaust {
            for _ in 0..EXHAUST {
                if !matches!(self.world.operate(sub, Op::Next, &who), Ok(Outcome::Yielded(_))) {
                    break;
                }
            }
        }
    }
}

/// A delegation, which begins with a value only if the sub is suspended at a `yield`.
fn going_on(
    sub: impl Coroutine<Send = Option<i64>> + AnySub<Option<i64>, i64, Option<i64>, Fault> + 'static,
    first: Option<i64>,
) -> Doing {
    let first = (sub.state() == State::Suspended).then_some(first);
    Do::Delegate(Box::new(sub), first)
}

/// An iterator, as something to delegate to that gives `None` at its end.
struct Numbers(Range<i64>);

impl IntoSub<Option<i64>, i64, Fault> for Numbers {
    type Return = Option<i64>;

    fn into_sub(
        self,
        first: Option<Option<i64>>,
    ) -> Result<Delegation<Option<i64>, i64, Option<i64>, Fault>, MisuseKind> {
        Ok(Plain(self.0).into_sub(first)?.returning_default())
    }
}
