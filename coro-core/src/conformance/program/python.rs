//! The same programs as Python, and what CPython does with them.
//!
//! # Where they may differ
//!
//! Everything in which our contract departs from CPython is here, in [`normalise`] (our traces, before they are
//! compared) and in `prelude.py` (what the printed programs use):
//!
//! - `close()` gives the value that the body returned only since Python 3.13, and `None` for none.
//! - The value that was yielded on a close is lost in Python.
//! - `send(None)` to a generator that has not started is `next()` in Python, and refused here.
//! - Delegating to an exhausted generator gives `None` in Python, and is a misuse here.
//! - `throw` and `close` of a generator that runs because something was thrown through it to what it delegates to
//!   are not refused by CPython (3.11 crashes), and are here.
//! - A generator that is dropped is closed by Python: it is kept there until the end of the process.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::syntax::{Case, Catch, EXHAUST, Fault, Kind, Op, Program, Statement, Target, words};

/// The version of Python: its first two numbers.
pub type Version = (u32, u32);

/// The version of `python3`, if there is one.
pub fn version() -> Option<Version> {
    let script = "import sys; print(*sys.version_info[:2])";
    let output =
        Command::new("python3").args(["-c", script]).output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What we write, in the words that Python has for it.
pub fn normalise(line: &str, version: Version) -> String {
    if let Some((before, after)) = line.split_once("refused IgnoredExit, back: ") {
        let (_, state) = after.split_once(' ').unwrap_or((after, ""));
        return format!("{before}refused IgnoredExit {state}");
    }
    if let Some((before, after)) = line.split_once("close -> returned ") {
        let (value, state) = after.split_once(' ').unwrap_or((after, ""));
        if value == "None" || version < (3, 13) {
            return format!("{before}close -> closed {state}");
        }
    }
    line.to_string()
}

/// Runs the cases in one process. Gives their traces.
///
/// # Errors
///
/// What Python wrote to its standard error, if it failed.
pub fn run(cases: &[Case]) -> Result<Vec<Vec<String>>, String> {
    let fail = |error: std::io::Error| format!("python3: {error}");
    let mut child = Command::new("python3")
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    // Python reads all of its source before it writes.
    child.stdin.take().expect("it is piped").write_all(source(cases).as_bytes()).map_err(fail)?;
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
        let last = source(&cases[traces.len().saturating_sub(1)..][..1]);
        return Err(format!("python3 failed ({}): {errors}\n{last}", output.status));
    }
    Ok(traces)
}

/// The cases as one Python program.
pub fn source(cases: &[Case]) -> String {
    let mut printer = Printer { source: include_str!("prelude.py").to_string(), bodies: 0 };
    for case in cases {
        // Should Python crash, all before is known.
        printer.line(0, "print('== case', flush=True)");
        let name = printer.body(0, &case.program, 0);
        printer.line(0, format!("root = ROOT[0] = make({name})"));
        for op in &case.script {
            printer.line(0, format!("operate('', root, {})", arguments(*op)));
        }
    }
    printer.line(0, "end()");
    printer.source
}

/// The arguments of `operate`, and of `raw`.
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
            Statement::Iterate(end) => self.delegate(indent, &format!("range({end})"), depth),
            Statement::Delegate { program, before, exhaust, shared } => {
                let name = self.body(indent, program, depth + 1);
                self.line(indent, format!("sub = make({name})"));
                for op in before {
                    self.line(indent, format!("operate('{depth}: sub ', sub, {})", arguments(*op)));
                }
                if *exhaust {
                    self.line(indent, format!("exhaust('{depth}: sub ', sub, {EXHAUST})"));
                }
                if *shared {
                    self.line(indent, "kept = sub");
                }
                self.delegate(indent, "unfinished(sub)", depth);
            }
            Statement::Again => {
                self.line(indent, "if kept is None:");
                self.line(below, format!("print('{depth}: nothing kept')"));
                self.line(indent, "else:");
                self.delegate(below, "unfinished(kept)", depth);
            }
            Statement::Reenter { target, op, raise } => {
                let target = match target {
                    Target::Me => "me[0]",
                    Target::Root => "ROOT[0]",
                };
                let call = if *raise { "raw(" } else { &format!("itself('{depth}: itself {op}', ") };
                self.line(indent, format!("{call}{target}, {})", arguments(*op)));
            }
        }
    }

    fn delegate(&mut self, indent: usize, sub: &str, depth: usize) {
        self.line(indent, format!("value = yield from {sub}"));
        self.line(indent, format!("print(f'{depth}: sub gave {{value}}')"));
    }
}
