//! Performs a program in the engine of a flavour.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::vec;

use super::super::{Do, Script, Step, Subject};
use super::syntax::{Answer, Case, EXHAUST, Fault, Handler, Op, Program, Statement, Target, words};
use crate::backend::{Delegation, IntoSub, Plain};
use crate::coroutine::{Coroutine, CoroutineExt, Input, MisuseKind, Shared, State, Thrown};

/// The body of a program.
pub type Body = Script<Option<i64>, i64, Option<i64>, Fault>;

/// The coroutine of a program.
pub type Made = Subject<Option<i64>, i64, Option<i64>, Fault>;

/// Makes coroutines of bodies: the flavour under test.
pub type Make = fn(Body) -> Made;

/// Performs `case` with coroutines that `make` makes. Gives the trace.
pub fn run(case: &Case, make: Make) -> Vec<String> {
    let world = Rc::new(World { make, trace: RefCell::default(), handles: RefCell::default() });
    let mut root = world.shared(|handle| {
        Performer::new(Rc::clone(&world), &case.program, 0, [handle.clone(), handle]).into_body()
    });
    for &op in &case.script {
        let _ = world.operate(&mut root, op, "");
    }
    // The handles that bodies hold of themselves keep them alive.
    for handle in world.handles.take() {
        drop(handle.take());
    }
    drop(root);
    world.trace.take()
}

type Handle = Rc<RefCell<Option<Shared<Made>>>>;

struct World {
    make: Make,
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

    fn operate(&self, coroutine: &mut Operated, op: Op, who: &str) -> Answer {
        let answer = resume(coroutine, op);
        let delegates = !coroutine.delegates().is_empty();
        let line = words::operation(op, &answer, coroutine.state(), delegates);
        self.trace.borrow_mut().push(format!("{who}{line}"));
        answer
    }
}

type Operated = dyn Coroutine<Send = Option<i64>, Yield = i64, Return = Option<i64>, Error = Fault>;

fn resume(coroutine: &mut Operated, op: Op) -> Answer {
    match op {
        Op::Next => coroutine.next(),
        Op::Send(value) => coroutine.send(value),
        Op::Throw(kind) => coroutine.resume(Input::Throw(kind.thrown())),
        Op::Close => coroutine.resume(Input::Close),
    }
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
        self.world.trace.borrow_mut().push(format!("{}: {}", self.depth, line.as_ref()));
    }

    fn push(&mut self, program: Program) {
        self.tasks.push(Task::Block(program.into_iter()));
    }

    fn go_on(
        &mut self,
        step: Step<Option<i64>, Option<i64>, Fault>,
    ) -> Do<Option<i64>, i64, Option<i64>, Fault> {
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
    fn perform(&mut self, statement: Statement) -> Result<Ending, Do<Option<i64>, i64, Option<i64>, Fault>> {
        match statement {
            Statement::Log(number) => self.log(format!("log {number}")),
            Statement::Yield(number) => return Err(Do::Yield(number)),
            Statement::Return(value) => return Ok(Ending::Returned(value)),
            Statement::Raise(kind) => return Ok(Ending::Raised(kind.thrown())),
            Statement::Try { body, handlers, finally } => {
                self.tasks.push(Task::Try(handlers, finally));
                self.push(body);
            }
            Statement::Loop(times, body) => self.tasks.push(Task::Loop(times, body)),
            Statement::Iterate(end) => return Err(Do::delegate(Numbers(0..end))),
            Statement::Delegate { program, before, exhaust, shared } => {
                return Err(self.delegate(&program, &before, exhaust, shared));
            }
            Statement::Again => match self.kept.clone() {
                None => self.log("nothing kept"),
                Some(kept) => {
                    let first = first(kept.state());
                    return Err(Do::Delegate(Box::new(kept), first));
                }
            },
            Statement::Reenter { target, op, raise } => {
                let handle = match target {
                    Target::Me => &self.me,
                    Target::Root => &self.root,
                };
                let mut running = handle.borrow().clone().expect("a handle is set before the start");
                let answer = resume(&mut running, op);
                match answer {
                    Err(misuse) if raise => return Ok(Ending::Raised(Thrown::Misuse(misuse.kind()))),
                    answer => self.log(format!("itself {op} -> {}", words::answer(&answer))),
                }
            }
        }
        Ok(Ending::Through)
    }

    fn delegate(
        &mut self,
        program: &Program,
        before: &[Op],
        exhaust: bool,
        shared: bool,
    ) -> Do<Option<i64>, i64, Option<i64>, Fault> {
        let (world, depth, root) = (Rc::clone(&self.world), self.depth + 1, Rc::clone(&self.root));
        let body = |me| Performer::new(Rc::clone(&world), program, depth, [me, root]).into_body();
        if shared {
            let mut sub = world.shared(body);
            self.prepare(&mut sub, before, exhaust);
            self.kept = Some(sub.clone());
            let first = first(sub.state());
            Do::Delegate(Box::new(sub), first)
        } else {
            let mut sub = (world.make)(body(Rc::clone(&self.me)));
            self.prepare(&mut *sub, before, exhaust);
            let first = first(sub.state());
            Do::Delegate(Box::new(sub), first)
        }
    }

    fn prepare(&self, sub: &mut Operated, before: &[Op], exhaust: bool) {
        let who = format!("{}: sub ", self.depth);
        for &op in before {
            let _ = self.world.operate(sub, op, &who);
        }
        if exhaust {
            for _ in 0..EXHAUST {
                if self
                    .world
                    .operate(sub, Op::Next, &who)
                    .ok()
                    .and_then(|outcome| outcome.yielded())
                    .is_none()
                {
                    break;
                }
            }
        }
    }
}

/// `yield from` begins with `next`: nothing for a coroutine that starts, `None` for one that goes on.
fn first(state: State) -> Option<Option<i64>> {
    (state == State::Suspended).then_some(None)
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
