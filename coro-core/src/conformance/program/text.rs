//! A case as a line of text, and back: the form in which recorded cases are kept.
//!
//! ```text
//! (true (((on 0 next) (on 1 (send 3)))) ((yield 1) (delegate ((yield 2) (return None)) (next) false true 4)))
//! ```
//!
//! A form is a word, or forms in parentheses: for a statement its name and its parts, in the order in which
//! [`Statement`] has them.

use std::fmt;
use std::str::FromStr;

use super::syntax::{Action, Case, Catch, Fault, Handler, Kind, Op, Statement, Target};

/// Why a text is not a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a case: {0}")]
pub struct NotACase(String);

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.form().fmt(f)
    }
}

impl FromStr for Case {
    type Err = NotACase;

    fn from_str(text: &str) -> Result<Self, NotACase> {
        Form::read(text).and_then(|form| Self::of(&form)).ok_or_else(|| NotACase(text.to_string()))
    }
}

#[derive(Debug)]
enum Form {
    Word(String),
    List(Vec<Form>),
}

use Form::{List, Word};

impl Form {
    /// A word if it stands alone, else a list that begins with it.
    fn named<const N: usize>(name: &str, parts: [Self; N]) -> Self {
        let name = Word(name.to_string());
        if N == 0 { name } else { List(std::iter::once(name).chain(parts).collect()) }
    }

    /// The name and the parts of what [`named`](Self::named) made.
    fn parts(&self) -> Option<(&str, &[Self])> {
        match self {
            Word(name) => Some((name, &[])),
            List(forms) => match forms.split_first()? {
                (Word(name), parts) => Some((name, parts)),
                (List(_), _) => None,
            },
        }
    }

    fn read(text: &str) -> Option<Self> {
        // The lists that are open, from the outside in.
        let mut open = vec![Vec::new()];
        for token in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
            match token {
                "(" => open.push(Vec::new()),
                ")" => {
                    let list = open.pop()?;
                    open.last_mut()?.push(List(list));
                }
                word => open.last_mut()?.push(Word(word.to_string())),
            }
        }
        let [mut whole] = <[_; 1]>::try_from(open).ok()?;
        whole.pop().filter(|_| whole.is_empty())
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word(word) => f.write_str(word),
            List(forms) => {
                f.write_str("(")?;
                for (number, form) in forms.iter().enumerate() {
                    write!(f, "{}{form}", if number == 0 { "" } else { " " })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// What has a form.
trait Formed: Sized {
    fn form(&self) -> Form;
    fn of(form: &Form) -> Option<Self>;
}

macro_rules! words {
    ($($type:ty),*) => {$(
        impl Formed for $type {
            fn form(&self) -> Form {
                Word(self.to_string())
            }

            fn of(form: &Form) -> Option<Self> {
                let Word(word) = form else { return None };
                word.parse().ok()
            }
        }
    )*};
}

words!(bool, i64, u8);

impl<T: Formed> Formed for Vec<T> {
    fn form(&self) -> Form {
        List(self.iter().map(Formed::form).collect())
    }

    fn of(form: &Form) -> Option<Self> {
        let List(forms) = form else { return None };
        forms.iter().map(T::of).collect()
    }
}

impl<T: Formed> Formed for Option<T> {
    fn form(&self) -> Form {
        self.as_ref().map_or_else(|| Word("None".to_string()), Formed::form)
    }

    fn of(form: &Form) -> Option<Self> {
        match form {
            Word(word) if word == "None" => Some(None),
            form => T::of(form).map(Some),
        }
    }
}

impl Formed for Case {
    fn form(&self) -> Form {
        List(vec![self.patient.form(), self.scripts.form(), self.program.form()])
    }

    fn of(form: &Form) -> Option<Self> {
        let List(forms) = form else { return None };
        let [patient, scripts, program] = &forms[..] else { return None };
        Some(Self { patient: bool::of(patient)?, program: Vec::of(program)?, scripts: Vec::of(scripts)? })
    }
}

impl Formed for Action {
    fn form(&self) -> Form {
        Form::named("on", [self.on.form(), self.op.form()])
    }

    fn of(form: &Form) -> Option<Self> {
        let ("on", [on, op]) = form.parts()? else { return None };
        Some(Self { on: u8::of(on)?, op: Op::of(op)? })
    }
}

impl Formed for Kind {
    fn form(&self) -> Form {
        let name = match self {
            Self::Fault(Fault::A) => "A",
            Self::Fault(Fault::B) => "B",
            Self::Exit => "Exit",
        };
        Form::named(name, [])
    }

    fn of(form: &Form) -> Option<Self> {
        Some(match form.parts()? {
            ("A", []) => Self::Fault(Fault::A),
            ("B", []) => Self::Fault(Fault::B),
            ("Exit", []) => Self::Exit,
            _ => return None,
        })
    }
}

impl Formed for Catch {
    fn form(&self) -> Form {
        let name = match self {
            Self::Fault(fault) => return Kind::Fault(*fault).form(),
            Self::Ordinary => "Ordinary",
            Self::Exit => "Exit",
            Self::Misuse => "Misuse",
            Self::Any => "Any",
        };
        Form::named(name, [])
    }

    fn of(form: &Form) -> Option<Self> {
        Some(match form.parts()? {
            ("Ordinary", []) => Self::Ordinary,
            ("Misuse", []) => Self::Misuse,
            ("Any", []) => Self::Any,
            _ => match Kind::of(form)? {
                Kind::Fault(fault) => Self::Fault(fault),
                Kind::Exit => Self::Exit,
            },
        })
    }
}

impl Formed for Op {
    fn form(&self) -> Form {
        match self {
            Self::Next => Form::named("next", []),
            Self::Send(value) => Form::named("send", [value.form()]),
            Self::Throw(kind) => Form::named("throw", [kind.form()]),
            Self::Close => Form::named("close", []),
        }
    }

    fn of(form: &Form) -> Option<Self> {
        Some(match form.parts()? {
            ("next", []) => Self::Next,
            ("send", [value]) => Self::Send(Option::of(value)?),
            ("throw", [kind]) => Self::Throw(Kind::of(kind)?),
            ("close", []) => Self::Close,
            _ => return None,
        })
    }
}

impl Formed for Target {
    fn form(&self) -> Form {
        let name = match self {
            Self::Me => "me",
            Self::Root => "root",
        };
        Form::named(name, [])
    }

    fn of(form: &Form) -> Option<Self> {
        Some(match form.parts()? {
            ("me", []) => Self::Me,
            ("root", []) => Self::Root,
            _ => return None,
        })
    }
}

impl Formed for Handler {
    fn form(&self) -> Form {
        Form::named("except", [self.catch.form(), self.body.form(), self.reraise.form()])
    }

    fn of(form: &Form) -> Option<Self> {
        let ("except", [catch, body, reraise]) = form.parts()? else { return None };
        Some(Self { catch: Catch::of(catch)?, body: Vec::of(body)?, reraise: bool::of(reraise)? })
    }
}

impl Formed for Statement {
    fn form(&self) -> Form {
        match self {
            Self::Log(number) => Form::named("log", [number.form()]),
            Self::Yield(number) => Form::named("yield", [number.form()]),
            Self::Wait(polls) => Form::named("wait", [polls.form()]),
            Self::Return(value) => Form::named("return", [value.form()]),
            Self::Raise(kind) => Form::named("raise", [kind.form()]),
            Self::Delegate { program, before, exhaust, shared, first } => Form::named(
                "delegate",
                [program.form(), before.form(), exhaust.form(), shared.form(), first.form()],
            ),
            Self::Again(first) => Form::named("again", [first.form()]),
            Self::Iterate(end) => Form::named("iterate", [end.form()]),
            Self::Try { body, handlers, finally } => {
                Form::named("try", [body.form(), handlers.form(), finally.form()])
            }
            Self::Loop(times, body) => Form::named("loop", [times.form(), body.form()]),
            Self::Reenter { target, op, raise } => {
                Form::named("reenter", [target.form(), op.form(), raise.form()])
            }
        }
    }

    fn of(form: &Form) -> Option<Self> {
        Some(match form.parts()? {
            ("log", [number]) => Self::Log(i64::of(number)?),
            ("yield", [number]) => Self::Yield(i64::of(number)?),
            ("wait", [polls]) => Self::Wait(u8::of(polls)?),
            ("return", [value]) => Self::Return(Option::of(value)?),
            ("raise", [kind]) => Self::Raise(Kind::of(kind)?),
            ("delegate", [program, before, exhaust, shared, first]) => Self::Delegate {
                program: Vec::of(program)?,
                before: Vec::of(before)?,
                exhaust: bool::of(exhaust)?,
                shared: bool::of(shared)?,
                first: Option::of(first)?,
            },
            ("again", [first]) => Self::Again(Option::of(first)?),
            ("iterate", [end]) => Self::Iterate(i64::of(end)?),
            ("try", [body, handlers, finally]) => Self::Try {
                body: Vec::of(body)?,
                handlers: Vec::of(handlers)?,
                finally: Option::of(finally)?,
            },
            ("loop", [times, body]) => Self::Loop(u8::of(times)?, Vec::of(body)?),
            ("reenter", [target, op, raise]) => {
                Self::Reenter { target: Target::of(target)?, op: Op::of(op)?, raise: bool::of(raise)? }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strategy;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        #[cfg_attr(miri, ignore = "hundreds of programs")]
        fn prop_a_case_is_read_as_it_was_written(case in strategy::case()) {
            prop_assert_eq!(case.to_string().parse(), Ok(case));
        }
    }

    #[test]
    fn what_is_no_case_is_refused() {
        let broken = ["", "(", ")", "()", "(true () ()) ()", "(true (", "(true (((on 0 sleep))) ())"];
        for text in broken.into_iter().chain(["(true () ((yield)))", "(true () ((yield x)))", "(3 () ())"]) {
            assert_eq!(text.parse::<Case>(), Err(NotACase(text.to_string())));
        }
        assert_eq!("(true () ())".parse(), Ok(Case { patient: true, program: vec![], scripts: vec![] }));
    }
}
