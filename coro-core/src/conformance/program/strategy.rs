//! Random programs and scripts, which shrink.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::syntax::{Case, Catch, Fault, Handler, Kind, Op, Program, Statement, Target};

/// A program and its script.
pub fn case() -> impl Strategy<Value = Case> {
    (program(), script()).prop_map(|(program, script)| Case { program, script })
}

/// A body.
pub fn program() -> impl Strategy<Value = Program> {
    vec(prop_oneof![4 => statement(), 1 => answering()], 1..7)
}

/// What is done with a coroutine. Most scripts begin with `next`: nothing happens before it.
pub fn script() -> impl Strategy<Value = Vec<Op>> {
    (prop::bool::weighted(0.8), vec(op(), 1..10)).prop_map(|(starts, mut ops)| {
        if starts {
            ops.insert(0, Op::Next);
        }
        ops
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => Just(Op::Next),
        5 => option::of(0i64..9).prop_map(Op::Send),
        3 => kind().prop_map(Op::Throw),
        2 => Just(Op::Close),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![Just(Fault::A), Just(Fault::B)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![2 => fault().prop_map(Kind::Fault), 1 => Just(Kind::Exit)]
}

fn catch() -> impl Strategy<Value = Catch> {
    prop_oneof![
        1 => fault().prop_map(Catch::Fault),
        1 => Just(Catch::Ordinary),
        2 => Just(Catch::Exit),
        1 => Just(Catch::Misuse),
        1 => Just(Catch::Any),
    ]
}

fn leaf() -> impl Strategy<Value = Statement> {
    let target = prop_oneof![Just(Target::Me), Just(Target::Root)];
    prop_oneof![
        2 => (0i64..9).prop_map(Statement::Log),
        14 => (0i64..9).prop_map(Statement::Yield),
        1 => option::of(0i64..9).prop_map(Statement::Return),
        1 => kind().prop_map(Statement::Raise),
        2 => Just(Statement::Again),
        2 => (0i64..4).prop_map(Statement::Iterate),
        2 => (target, op(), prop::bool::weighted(0.3))
            .prop_map(|(target, op, raise)| Statement::Reenter { target, op, raise }),
    ]
}

/// What a handler does with an exit that it catches: an answer to a close.
fn answer() -> impl Strategy<Value = Program> {
    prop_oneof![
        option::of(0i64..9).prop_map(|value| vec![Statement::Return(value)]),
        kind().prop_map(|kind| vec![Statement::Raise(kind)]),
        (0i64..9).prop_map(|value| vec![Statement::Yield(value)]),
    ]
}

/// A sub that answers its exit, and perhaps delegators that answer what comes of that. Chance alone makes few.
fn answering() -> impl Strategy<Value = Statement> {
    let last = prop_oneof![
        3 => (0i64..9).prop_map(Statement::Yield),
        1 => statement(),
    ];
    let innermost = vec(last, 1..4);
    let levels = vec((answer(), any::<bool>(), any::<bool>()), 1..4);
    (innermost, levels).prop_map(|(mut body, levels)| {
        for (level, (answer, any, shared)) in levels.into_iter().enumerate() {
            let catch = match (any, level) {
                (true, _) => Catch::Any,
                (false, 0) => Catch::Exit,
                (false, _) => Catch::Misuse,
            };
            let handlers = vec![Handler { catch, body: answer, reraise: false }];
            let program = vec![Statement::Try { body, handlers, finally: None }];
            body = vec![Statement::Delegate { program, before: Vec::new(), exhaust: false, shared }];
        }
        Statement::Loop(1, body)
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let body = vec(inner, 1..4);
        let handler = (catch(), body.clone(), prop::bool::weighted(0.3))
            .prop_map(|(catch, body, reraise)| Handler { catch, body, reraise });
        let before = prop_oneof![
            6 => Just(Vec::new()),
            2 => Just(vec![Op::Next]),
            2 => vec(op(), 1..4),
        ];
        prop_oneof![
            1 => (1u8..4, body.clone()).prop_map(|(times, body)| Statement::Loop(times, body)),
            3 => (body.clone(), vec(handler, 0..3), option::of(body.clone()))
                .prop_map(|(body, handlers, finally)| Statement::Try { body, handlers, finally }),
            2 => (body.clone(), any::<bool>(), answer()).prop_map(|(body, any, answer)| {
                let catch = if any { Catch::Any } else { Catch::Exit };
                let handlers = vec![Handler { catch, body: answer, reraise: false }];
                Statement::Try { body, handlers, finally: None }
            }),
            4 => (body, before, prop::bool::weighted(0.05), any::<bool>()).prop_map(
                |(program, before, exhaust, shared)| Statement::Delegate { program, before, exhaust, shared }
            ),
        ]
    })
}
