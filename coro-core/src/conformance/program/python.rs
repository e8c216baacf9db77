//! The same programs as Python, and what CPython does with them.
//!
//! # Where they may differ
//!
//! Everything in which our contract departs from CPython is here, in [`normalise`] (our traces, before they are
//! compared) and in `prelude.py` (what the printed programs use):
//!
//! - `close()` gives the value that the body returned only since Python 3.13, and `None` for none. Nothing else in
//!   these programs is answered differently from 3.8 on.
//! - The value that was yielded on a close is lost in Python.
//! - `send(None)` to a generator that has not started is `next()` in Python, and refused here.
//! - Delegating to an exhausted generator, or to one that others exhaust meanwhile, gives `None` in Python, and is a
//!   misuse here.
//! - `yield from` begins with `next` in Python; here it may begin with a value.
//! - There are no waits in Python.
//! - `throw` and `close` of a generator that runs because something was thrown through it to what it delegates to
//!   are not refused by CPython (3.11 crashes), and are here. Programs that do the like through a delegation are not
//!   asked about ([`Expected::in_python`](super::reference::Expected::in_python)).
//! - A generator that is dropped is closed by Python: it is kept there until the end of the process.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::syntax::{Case, Catch, EXHAUST, Fault, Kind, Op, Program, Statement, Target, words};

/// The version of Python: its first two numbers.
pub type Version = (u32, u32);

/// The version of `python3`, if there is one.
pub fn version() -> Option<Version> {
    let script = "import sys; print(*sys.version_info[:2], sep='.')";
    let output =
        Command::new("python3").args(["-c", script]).output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    parse_version(text.trim())
}

/// Reads two numbers with a dot between.
pub(super) fn parse_version(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A trace of ours, in the words that Python has for it.
pub(super) fn normalised(trace: &[String], version: Version) -> Vec<String> {
    trace.iter().map(|line| normalise(line, version)).collect()
}

/// What we write, in the words that Python has for it.
pub fn normalise(line: &str, version: Version) -> String {
    if let Some((before, after)) = line.split_once("refused IgnoredExit, back: ") {
        return format!("{before}refused IgnoredExit{}", after_word(after));
    }
    if let Some((before, after)) = line.split_once("close -> returned ")
        && (after.starts_with("None") || version < (3, 13))
    {
        return format!("{before}close -> closed{}", after_word(after));
    }
    line.to_string()
}

/// What follows the first word: a state in brackets, or nothing.
fn after_word(text: &str) -> &str {
    text.find(' ').map_or("", |space| &text[space..])
}

/// Runs the cases in one process. Gives their traces.
///
/// # Errors
///
/// What Python wrote to its standard error, if it failed.
pub fn run(cases: &[Case]) -> Result<Vec<Vec<String>>, String> {
    perform(cases, &source(cases))
}

/// Runs the cases with every delegation to a coroutine written out by hand, as one that begins with a value is. What
/// it gives is what [`run`] gives, if that is written right.
///
/// # Errors
///
/// As there.
pub fn run_by_hand(cases: &[Case]) -> Result<Vec<Vec<String>>, String> {
    perform(cases, &source_delegating(cases, "sub_by_hand"))
}

fn perform(cases: &[Case], source: &str) -> Result<Vec<Vec<String>>, String> {
    let fail = |error: std::io::Error| format!("python3: {error}");
    let mut child = Command::new("python3")
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    // Python reads all of its source before it writes.
    child.stdin.take().expect("it is piped").write_all(source.as_bytes()).map_err(fail)?;
    let output = child.wait_with_output().map_err(fail)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut traces: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        match (line, traces.last_mut()) {
            ("== case", _) => traces.push(Vec::new()),
            (_, Some(trace)) => trace.push(line.to_string()),
            (_, None) => return Err(format!("python3 wrote {line}")),
        }
    }
    if !output.status.success() || traces.len() != cases.len() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = self::source(&cases[traces.len().saturating_sub(1)..][..1]);
        return Err(format!("python3 failed ({}): {errors}\n{last}", output.status));
    }
    Ok(traces)
}

/// The cases as one Python program.
pub fn source(cases: &[Case]) -> String {
    source_delegating(cases, "sub_of")
}

/// The same, where the function of the prelude with this name prepares what is delegated to.
fn source_delegating(cases: &[Case], delegation: &'static str) -> String {
    let source = include_str!("prelude.py").to_string();
    let mut printer = Printer { source, bodies: 0, delegation };
    for case in cases {
        // Should Python crash, all before is known.
        printer.line(0, "print('== case', flush=True)");
        let name = printer.body(0, &case.program, 0);
        for script in &case.scripts {
            // Compiling calls would take most of the time.
            let script: Vec<_> = script.iter().map(|action| format!("{} {}", action.on, action.op)).collect();
            printer.line(0, format!("drive({name}, '{}')", script.join(",")));
        }
    }
    printer.line(0, "end()");
    printer.source
}

/// The last arguments of `operate` and `itself`.
fn arguments(op: Op) -> String {
    match op {
        Op::Next => "'next', None".to_string(),
        Op::Send(value) => format!("'send', {}", words::value(value)),
        Op::Throw(kind) => format!("'throw', {}", error(kind)),
        Op::Close => "'close', None".to_string(),
    }
}

fn error(kind: Kind) -> &'static str {
    match kind {
        Kind::Fault(Fault::A) => "A",
        Kind::Fault(Fault::B) => "B",
        Kind::Exit => "GeneratorExit",
    }
}

fn caught(catch: Catch) -> &'static str {
    match catch {
        Catch::Fault(fault) => error(Kind::Fault(fault)),
        Catch::Ordinary => "(A, B)",
        Catch::Exit => "GeneratorExit",
        Catch::Misuse => "MISUSE",
        Catch::Any => "BaseException",
    }
}

struct Printer {
    source: String,
    bodies: usize,
    delegation: &'static str,
}

impl Printer {
    fn line(&mut self, indent: usize, line: impl AsRef<str>) {
        let _ = writeln!(self.source, "{:indent$}{}", "", line.as_ref());
    }

    /// Defines a generator function. Gives its name.
    fn body(&mut self, indent: usize, program: &Program, depth: usize) -> String {
        self.bodies += 1;
        let name = format!("body{}", self.bodies);
        self.line(indent, format!("def {name}(me):"));
        self.line(indent + 1, "kept = None");
        self.line(indent + 1, "if False: yield");
        self.block(indent + 1, program, depth);
        name
    }

    fn block(&mut self, indent: usize, program: &Program, depth: usize) {
        self.line(indent, "pass");
        for statement in program {
            self.statement(indent, statement, depth);
        }
    }

    fn statement(&mut self, indent: usize, statement: &Statement, depth: usize) {
        let below = indent + 1;
        match statement {
            Statement::Log(number) => self.line(indent, format!("print('{depth}: log {number}')")),
            Statement::Yield(number) => {
                self.line(indent, format!("got = yield {number}"));
                self.line(indent, format!("print(f'{depth}: got {{got}}')"));
            }
            Statement::Return(value) => self.line(indent, format!("return {}", words::value(*value))),
            Statement::Raise(kind) => self.line(indent, format!("raise {}", error(*kind))),
            Statement::Loop(times, body) => {
                self.line(indent, format!("for _ in range({times}):"));
                self.block(below, body, depth);
            }
            Statement::Try { body, handlers, finally } => {
                self.line(indent, "try:");
                self.block(below, body, depth);
                for handler in handlers {
                    // `e` is deleted at the end of a handler, and handlers nest.
                    self.line(indent, format!("except {} as e:", caught(handler.catch)));
                    self.line(below, format!("print(f'{depth}: caught {{show(e)}}')"));
                    self.block(below, &handler.body, depth);
                    if handler.reraise {
                        self.line(below, "raise");
                    }
                }
                if handlers.is_empty() || finally.is_some() {
                    self.line(indent, "finally:");
                    self.block(below, finally.as_ref().unwrap_or(&Vec::new()), depth);
                }
            }
            // There is no such thing there, and whoever resumes goes on until it is over.
            Statement::Wait(_) => (),
            Statement::Iterate(end) => {
                self.line(indent, format!("value = yield from range({end})"));
                self.line(indent, format!("print(f'{depth}: sub gave {{value}}')"));
            }
            Statement::Delegate { program, before, exhaust, shared, first } => {
                let name = self.body(indent, program, depth + 1);
                let handle = if *shared { "True" } else { "False" };
                self.line(indent, format!("sub = make({name}, {handle}, me)"));
                for op in before {
                    self.line(indent, format!("operate('{depth}: sub ', sub, {})", arguments(*op)));
                }
                if *exhaust {
                    self.line(indent, format!("exhaust('{depth}: sub ', sub, {EXHAUST})"));
                }
                if *shared {
                    self.line(indent, "kept = sub");
                }
                self.delegate(indent, "sub", *first, depth);
            }
            Statement::Again(first) => {
                self.line(indent, "if kept is None:");
                self.line(below, format!("print('{depth}: nothing kept')"));
                self.line(indent, "else:");
                self.delegate(below, "kept", *first, depth);
            }
            Statement::Reenter { target, op, raise } => {
                let target = match target {
                    Target::Me => "me[0]",
                    Target::Root => "HANDLES[0]",
                };
                let raises = if *raise { "True" } else { "False" };
                let what = format!("'{depth}: itself {op}', {raises}, {target}");
                self.line(indent, format!("itself({what}, {})", arguments(*op)));
            }
        }
    }

    fn delegate(&mut self, indent: usize, sub: &str, first: Option<i64>, depth: usize) {
        let first = words::value(first);
        self.line(indent, format!("value = given({sub}, (yield from {}({sub}, {first})))", self.delegation));
        self.line(indent, format!("print(f'{depth}: sub gave {{value}}')"));
    }
}
