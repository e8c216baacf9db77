//! A lexer and a parser: one is sent lines and yields tokens, the other is sent tokens and yields statements.
//!
//! This demonstrates:
//!
//! 1. two coroutines that each keep their place, in the text and in the grammar, while the other one runs;
//! 2. a recursive descent by delegation: every rule is a coroutine that asks for its tokens through all rules above it;
//! 3. errors that are thrown in: one of the lexer appears in the innermost rule, and every rule that it leaves may add
//!    to it, until the parser catches it and goes on after the statement.
//!
//! Golden: `lexer_parser.py.out`, from Python's generators.

use std::convert::Infallible;
use std::fmt;

use coro_core::event_loop::Driven;
use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, yielded};
use crate::say;
use crate::transcript::Transcript;

const TEXT: &str = "\
1 + 2 * 3;
(4 - 1) * (2 +
  5) - 7;
2 * (3 + ;
8 $ 2;
-(1 - 3); 2 * (1 + (6 ? 7));
7 + (2 * 3
";

/// A line and a column, from 1 on.
#[derive(Debug, Clone, Copy)]
struct At(usize, usize);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Number(i64),
    Symbol(char),
    End,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Symbol(symbol) => symbol.fmt(f),
            Self::End => f.write_str("the end"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    at: At,
}

impl Token {
    fn ends_statement(self) -> bool {
        matches!(self.kind, Kind::Symbol(';') | Kind::End)
    }

    fn unexpected(self) -> Thrown<Wrong> {
        let text = format!("{}: unexpected {}", self.at, self.kind);
        Thrown::Error(Wrong { text, ends: self.ends_statement() })
    }
}

/// What is wrong with the text.
#[derive(Debug)]
struct Wrong {
    text: String,
    /// Whether what was found there ends the statement.
    ends: bool,
}

impl Wrong {
    fn within(thrown: Thrown<Self>, open: At) -> Thrown<Self> {
        match thrown {
            Thrown::Error(Self { text, ends }) => {
                Thrown::Error(Self { text: format!("{text}, in the parentheses of {open}"), ends })
            }
            other => other,
        }
    }
}

#[derive(Debug)]
enum Tree {
    Number(i64),
    Negative(Box<Self>),
    Operation(char, Box<[Self; 2]>),
}

impl Tree {
    fn value(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Negative(operand) => -operand.value(),
            Self::Operation(operator, operands) => {
                let [left, right] = operands.each_ref().map(Self::value);
                match operator {
                    '+' => left + right,
                    '-' => left - right,
                    _ => left * right,
                }
            }
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Negative(operand) => write!(f, "(- {operand})"),
            Self::Operation(operator, operands) => write!(f, "({operator} {} {})", operands[0], operands[1]),
        }
    }
}

/// What the lexer yields.
enum Lexed {
    /// Nothing: send it the next line.
    Line,
    Token(Token),
    Wrong(Wrong),
}

/// What the parser yields with its request for the next token: a statement, if it has just read one.
type Parsed = Option<Result<Tree, Wrong>>;

/// Is sent lines, and yields their tokens. After the last line, the end, for ever.
#[coro_core::coroutine(send = Option<&'static str>, yields = Lexed, flavours(native, generator, fiber))]
fn lexer() -> Result<Infallible, Thrown<Infallible>> {
    let mut number = 0;
    while let Some(line) = yield_!(Lexed::Line)? {
        number += 1;
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            let at = At(number, line.len() - rest.len() + 1);
            let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let (token, after) = rest.split_at(digits.max(letter.len_utf8()));
            rest = after;
            let lexed = match (token.parse(), letter) {
                (_, ' ') => continue,
                (Ok(number), _) => Lexed::Token(Token { kind: Kind::Number(number), at }),
                (_, '+' | '-' | '*' | '(' | ')' | ';') => {
                    Lexed::Token(Token { kind: Kind::Symbol(letter), at })
                }
                _ => {
                    Lexed::Wrong(Wrong { text: format!("{at}: no token begins with {letter}"), ends: false })
                }
            };
            yield_!(lexed)?;
        }
    }
    loop {
        yield_!(Lexed::Token(Token { kind: Kind::End, at: At(number + 1, 1) }))?;
    }
}

/// Is sent tokens, and yields statements. Returns how many of them were right.
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn parser() -> Result<u32, Thrown<Wrong>> {
    let (mut count, mut parsed) = (0, None);
    loop {
        let read = match yield_!(parsed) {
            Ok(Token { kind: Kind::End, .. }) => return Ok(count),
            Ok(first) => yield_from!(sub!(statement(first))),
            Err(thrown) => Err(thrown),
        };
        // Only what is wrong with the text is caught here: not a request to end.
        parsed = Some(match read {
            Ok(tree) => {
                count += 1;
                Ok(tree)
            }
            Err(thrown) => {
                let wrong = thrown.error()?;
                let mut ends = wrong.ends;
                while !ends {
                    ends = match yield_!(None) {
                        Ok(token) => token.ends_statement(),
                        // It is known that something is wrong with it.
                        Err(thrown) => thrown.error()?.ends,
                    };
                }
                Err(wrong)
            }
        });
    }
}

/// `total ;`
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn statement(first: Token) -> Result<Tree, Thrown<Wrong>> {
    match yield_from!(sub!(total(first)))? {
        (tree, Token { kind: Kind::Symbol(';'), .. }) => Ok(tree),
        (_, after) => Err(after.unexpected()),
    }
}

/// `product + product - …`, and the token after it.
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn total(first: Token) -> Result<(Tree, Token), Thrown<Wrong>> {
    let (mut tree, mut after) = yield_from!(sub!(product(first)))?;
    while let Kind::Symbol(operator @ ('+' | '-')) = after.kind {
        let operand = yield_!(None)?;
        let right;
        (right, after) = yield_from!(sub!(product(operand)))?;
        tree = Tree::Operation(operator, Box::new([tree, right]));
    }
    Ok((tree, after))
}

/// `factor * factor * …`, and the token after it.
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn product(first: Token) -> Result<(Tree, Token), Thrown<Wrong>> {
    let mut tree = yield_from!(sub!(factor(first)))?;
    loop {
        let after = yield_!(None)?;
        if after.kind != Kind::Symbol('*') {
            return Ok((tree, after));
        }
        let operand = yield_!(None)?;
        tree = Tree::Operation('*', Box::new([tree, yield_from!(sub!(factor(operand)))?]));
    }
}

/// A number, `- factor` or `( total )`.
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn factor(first: Token) -> Result<Tree, Thrown<Wrong>> {
    match first.kind {
        Kind::Number(number) => Ok(Tree::Number(number)),
        Kind::Symbol('-') => {
            let operand = yield_!(None)?;
            Ok(Tree::Negative(Box::new(yield_from!(sub!(factor(operand)))?)))
        }
        Kind::Symbol('(') => {
            yield_from!(sub!(parenthesized())).map_err(|thrown| Wrong::within(thrown, first.at))
        }
        _ => Err(first.unexpected()),
    }
}

/// `total )`
#[coro_core::coroutine(send = Token, yields = Parsed, flavours(native, generator, fiber))]
fn parenthesized() -> Result<Tree, Thrown<Wrong>> {
    let first = yield_!(None)?;
    match yield_from!(sub!(total(first)))? {
        (tree, Token { kind: Kind::Symbol(')'), .. }) => Ok(tree),
        (_, after) => Err(after.unexpected()),
    }
}

/// Pulls tokens out of the lexer for as long as the parser wants any.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn read<L, P>(lexer: Driven<L>, parser: Driven<P>, out: Transcript) -> TaskResult<()>
where
    L: Coroutine<Send = Option<&'static str>, Yield = Lexed> + 'static,
    P: Coroutine<Send = Token, Yield = Parsed, Return = u32, Error = Wrong> + 'static,
{
    let mut lines = TEXT.lines();
    yielded(wait!(parser.start())?)?;
    let mut lexed = yielded(wait!(lexer.start())?)?;
    while let Some(found) = lexed {
        let line = if matches!(found, Lexed::Line) { lines.next() } else { None };
        let parsed = match found {
            Lexed::Line => Ok(Outcome::Yielded(None)),
            Lexed::Token(token) => wait!(parser.send(token))?,
            Lexed::Wrong(wrong) => wait!(parser.throw(wrong))?,
        };
        match parsed.map_err(TaskError::from)? {
            Outcome::Yielded(None) => {}
            Outcome::Yielded(Some(Ok(tree))) => say!(out, "{tree} = {}", tree.value()),
            Outcome::Yielded(Some(Err(wrong))) => say!(out, "{}", wrong.text),
            ended => {
                say!(out, "{} statements", ended.returned().unwrap_or_default());
                break;
            }
        }
        lexed = yielded(wait!(lexer.send(line))?)?;
    }
    Ok(())
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    macro_rules! read {
        ($flavour:ident) => {{
            let (lexer, parser) = (event_loop.drive(lexer::$flavour()), event_loop.drive(parser::$flavour()));
            event_loop.run(read::$flavour(lexer, parser, out.clone()))
        }};
    }
    match flavour {
        Flavour::Native => read!(native),
        Flavour::Generator => read!(generator),
        Flavour::Fiber => read!(fiber),
    }
}
