//! What a program prints: shown, and kept for comparison.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Where the lines go as they are printed.
type Echo = Box<dyn FnMut(&str)>;

/// The lines that a program has printed. Cloning gives another handle to the same transcript.
#[derive(Clone)]
pub struct Transcript(Rc<RefCell<Inner>>);

struct Inner {
    text: String,
    echo: Option<Echo>,
}

impl Transcript {
    /// A transcript that is only kept.
    pub fn silent() -> Self {
        Self::new(None)
    }

    /// A transcript whose lines are also handed to `echo`, each at once and without its line end.
    pub fn echoing(echo: impl FnMut(&str) + 'static) -> Self {
        Self::new(Some(Box::new(echo)))
    }

    fn new(echo: Option<Echo>) -> Self {
        Self(Rc::new(RefCell::new(Inner { text: String::new(), echo })))
    }

    /// Prints a line. [`say!`](crate::say) formats it.
    pub fn line(&self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        let inner = &mut *self.0.borrow_mut();
        inner.text.push_str(&line);
        inner.text.push('\n');
        if let Some(echo) = &mut inner.echo {
            echo(&line);
        }
    }

    /// Everything that was printed so far, each line with its end.
    pub fn text(&self) -> String {
        self.0.borrow().text.clone()
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.borrow();
        f.debug_struct("Transcript")
            .field("lines", &inner.text.lines().count())
            .field("echoes", &inner.echo.is_some())
            .finish()
    }
}

/// Prints a line to a [`Transcript`], with the arguments of `println!`.
///
/// ```
/// use coro_examples::{say, transcript::Transcript};
///
/// let out = Transcript::silent();
/// say!(out, "{} and {}", 1, 2);
/// say!(out);
/// assert_eq!(out.text(), "1 and 2\n\n");
/// ```
#[macro_export]
macro_rules! say {
    ($out:expr) => { $out.line(::std::format_args!("")) };
    ($out:expr, $($argument:tt)*) => { $out.line(::std::format_args!($($argument)*)) };
}
