//! Log lines in the format of Python's `logging`, as areq.py sets it up.

use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use coro_core::{EventLoop, Loop};

use crate::http::FetchError;
use crate::one_line::one_line;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// Where log lines go. Cloning gives another handle to the same log.
#[derive(Clone)]
pub struct Log {
    logger: &'static str,
    sink: Rc<dyn Fn(String)>,
}

impl Log {
    /// A log on the standard error.
    pub fn stderr() -> Self {
        // Like Python's, it does not mind if nobody reads it.
        Self::to(|line| drop(writeln!(std::io::stderr(), "{line}")))
    }

    /// A log that keeps quiet.
    pub fn silent() -> Self {
        Self::to(drop)
    }

    /// A log that `sink` is given the lines of.
    pub fn to(sink: impl Fn(String) + 'static) -> Self {
        Self { logger: "areq", sink: Rc::new(sink) }
    }

    /// A log in memory, and its lines.
    pub fn in_memory() -> (Self, Rc<RefCell<Vec<String>>>) {
        let lines = Rc::new(RefCell::new(Vec::new()));
        let log = Self::to({
            let lines = Rc::clone(&lines);
            move |line| lines.borrow_mut().push(line)
        });
        (log, lines)
    }

    /// The same log under the name of another logger.
    #[must_use = "gives another handle"]
    pub fn named(&self, logger: &'static str) -> Self {
        Self { logger, sink: Rc::clone(&self.sink) }
    }

    /// Writes `HH:MM:SS LEVEL:logger: message`, in [one line](crate::one_line) whatever the message.
    pub fn line(&self, level: Level, message: impl fmt::Display) {
        let message = message.to_string();
        (self.sink)(format!("{} {level}:{}: {}", clock(), self.logger, one_line(&message)));
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("logger", &self.logger).finish_non_exhaustive()
    }
}

/// The time of the day, in UTC. A simulated loop's day begins with its clock, so that its log is always the same.
fn clock() -> String {
    let simulated = Loop::current().filter(|event_loop| event_loop.driver_name() == "simulated");
    let seconds = match simulated {
        Some(event_loop) => event_loop.time().as_nanos().unsigned_abs() / 1_000_000_000,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// Logs that a page could not be fetched, in areq.py's form: `what`, the URL, the status or `None`, the reason.
pub(super) fn log_failure(log: &Log, what: &str, url: impl fmt::Display, error: &FetchError) {
    let status = error.status().map_or_else(|| "None".to_string(), |status| status.to_string());
    log.line(Level::Error, format_args!("{what} {url} [{status}]: {error}"));
}

/// What asyncio logs when it makes its loop: `Using selector: EpollSelector`.
pub(super) fn log_selector(log: &Log, driver: &str) {
    let (first, rest) = driver.split_at_checked(1).unwrap_or((driver, ""));
    let selector = format!("{}{rest}Selector", first.to_ascii_uppercase());
    log.named("asyncio").line(Level::Debug, format_args!("Using selector: {selector}"));
}
