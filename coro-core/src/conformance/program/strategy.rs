//! Random programs and scripts, which shrink.
//!
//! Chance alone seldom makes a delegation that is closed at the right moment. So there are *scenes* among the
//! statements: shapes of a few statements in which the seldom laws are at home.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::syntax::{Action, Case, Catch, Fault, Handler, Kind, Op, Program, Statement, Target};

/// A program and its scripts.
pub fn case() -> impl Strategy<Value = Case> {
    (any::<bool>(), program(), scripts()).prop_map(|(patient, program, scripts)| Case {
        patient,
        program,
        scripts,
    })
}

/// The same, for Python, which has no waits.
pub fn patient_case() -> impl Strategy<Value = Case> {
    (program(), scripts()).prop_map(|(program, scripts)| Case { patient: true, program, scripts })
}

/// A body. Most of them survive what they do, and do it again.
pub fn program() -> impl Strategy<Value = Program> {
    let body = vec(prop_oneof![1 => statement(), 2 => scene()], 1..6);
    let catch = prop_oneof![2 => Just(Catch::Any), 1 => Just(Catch::Ordinary), 1 => Just(Catch::Misuse)];
    let survivor = option::weighted(0.8, (2u8..5, catch));
    (body, survivor).prop_map(|(body, survivor)| match survivor {
        None => body,
        Some((times, catch)) => vec![Statement::Loop(times, vec![catching(body, catch, Vec::new())])],
    })
}

/// What is done from outside. It is cheaper to do more with a program than to make more programs.
fn scripts() -> impl Strategy<Value = Vec<Vec<Action>>> {
    vec(script(), 1..24)
}

/// Most scripts begin with `next`: nothing happens before it.
fn script() -> impl Strategy<Value = Vec<Action>> {
    let on_others = [1, 1, 2, 3].into_iter().flat_map(|on| any_ops().map(move |op| Action { on, op }));
    let on_root = ops().into_iter().cycle().take(100).map(|op| Action { on: 0, op });
    let table: Vec<_> = on_root.chain(on_others).collect();
    (prop::bool::weighted(0.8), vec(one_of(table), 1..18)).prop_map(|(starts, mut actions)| {
        if starts {
            actions.insert(0, Action { on: 0, op: Op::Next });
        }
        actions
    })
}

/// One of these; the first is the simplest. Much quicker than a `prop_oneof`.
fn one_of<T: Copy + std::fmt::Debug>(table: Vec<T>) -> impl Strategy<Value = T> {
    (0..table.len()).prop_map(move |at| table[at])
}

fn op() -> impl Strategy<Value = Op> {
    one_of(ops())
}

/// Every second one is a `next`.
fn ops() -> Vec<Op> {
    any_ops().flat_map(|op| [Op::Next, op]).collect()
}

fn any_ops() -> impl Iterator<Item = Op> {
    let sends = [None, Some(1), Some(2), Some(3)].map(Op::Send);
    let throws = [Kind::Fault(Fault::A), Kind::Fault(Fault::B), Kind::Exit].map(Op::Throw);
    [Op::Next, Op::Next].into_iter().chain(sends).chain(throws).chain([Op::Close; 3])
}

fn number() -> impl Strategy<Value = Option<i64>> {
    option::of(0i64..9)
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

fn yielding() -> impl Strategy<Value = Statement> {
    (0i64..9).prop_map(Statement::Yield)
}

fn leaf() -> impl Strategy<Value = Statement> {
    prop_oneof![
        2 => (0i64..9).prop_map(Statement::Log),
        14 => yielding(),
        2 => (0u8..3).prop_map(Statement::Wait),
        1 => number().prop_map(Statement::Return),
        1 => kind().prop_map(Statement::Raise),
        2 => number().prop_map(Statement::Again),
        3 => (0i64..4).prop_map(Statement::Iterate),
        2 => reenter(),
    ]
}

fn reenter() -> impl Strategy<Value = Statement> {
    let target = prop_oneof![Just(Target::Me), Just(Target::Root)];
    (target, op(), prop::bool::weighted(0.3)).prop_map(|(target, op, raise)| Statement::Reenter {
        target,
        op,
        raise,
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let body = vec(inner, 1..4);
        let handler = (catch(), body.clone(), prop::bool::weighted(0.3))
            .prop_map(|(catch, body, reraise)| Handler { catch, body, reraise });
        prop_oneof![
            1 => (1u8..4, body.clone()).prop_map(|(times, body)| Statement::Loop(times, body)),
            3 => (body.clone(), vec(handler, 0..3), option::of(body.clone()))
                .prop_map(|(body, handlers, finally)| Statement::Try { body, handlers, finally }),
            2 => (body.clone(), any::<bool>(), answer()).prop_map(|(body, any, answer)| {
                catching(body, if any { Catch::Any } else { Catch::Exit }, answer)
            }),
            4 => (body, before(), prop::bool::weighted(0.05), any::<bool>(), number()).prop_map(
                |(program, before, exhaust, shared, first)| {
                    Statement::Delegate { program, before, exhaust, shared, first }
                }
            ),
        ]
    })
}

/// What is done with a sub before it is delegated to.
fn before() -> impl Strategy<Value = Vec<Op>> {
    prop_oneof![
        6 => Just(Vec::new()),
        2 => Just(vec![Op::Next]),
        2 => vec(op(), 1..4),
    ]
}

fn catching(body: Program, catch: Catch, handler: Program) -> Statement {
    let handlers = vec![Handler { catch, body: handler, reraise: false }];
    Statement::Try { body, handlers, finally: None }
}

fn delegating(program: Program, before: Vec<Op>, shared: bool, first: Option<i64>) -> Statement {
    Statement::Delegate { program, before, exhaust: false, shared, first }
}

fn scene() -> impl Strategy<Value = Statement> {
    let scenes = prop_oneof![3 => answering(), 3 => met_half_way(), 1 => meeting_itself()];
    scenes.prop_map(|body| Statement::Loop(1, body))
}

/// A sub that answers its exit, and perhaps delegators that answer what comes of that.
fn answering() -> impl Strategy<Value = Program> {
    let last = prop_oneof![
        3 => yielding(),
        1 => (1u8..3).prop_map(Statement::Wait),
        1 => statement(),
    ];
    let innermost = vec(last, 1..3);
    let levels = vec((answer(), any::<bool>(), any::<bool>()), 1..4);
    (innermost, levels).prop_map(|(mut body, levels)| {
        for (level, (answer, any, shared)) in levels.into_iter().enumerate() {
            let catch = match (any, level) {
                (true, _) => Catch::Any,
                (false, 0) => Catch::Exit,
                (false, _) => Catch::Misuse,
            };
            body = vec![delegating(vec![catching(body, catch, answer)], Vec::new(), shared, None)];
        }
        body
    })
}

/// What a handler does with an exit that it catches: an answer to a close, perhaps after a wait.
fn answer() -> impl Strategy<Value = Program> {
    let answer =
        prop_oneof![number().prop_map(Statement::Return), kind().prop_map(Statement::Raise), yielding(),];
    let wait = option::weighted(0.2, (1u8..3).prop_map(Statement::Wait));
    (wait, answer).prop_map(|(wait, answer)| wait.into_iter().chain([answer]).collect())
}

/// A sub that was started, is parked or has ended when it is delegated to, and is delegated to again.
fn met_half_way() -> impl Strategy<Value = Program> {
    let step = prop_oneof![
        4 => yielding(),
        3 => (1u8..3).prop_map(Statement::Wait),
        2 => (2i64..5).prop_map(Statement::Iterate),
        1 => reenter(),
    ];
    let body = (vec(step, 2..5), option::of(answer())).prop_map(|(body, answer)| match answer {
        None => body,
        Some(answer) => vec![catching(body, Catch::Exit, answer)],
    });
    let sub = (body, vec(op(), 1..3), any::<bool>(), number());
    (sub, number(), catch(), any::<bool>()).prop_map(
        |((body, mut before, shared, first), again, catch, twice)| {
            before[0] = Op::Next;
            let sub = catching(vec![delegating(body, before, shared, first)], catch, Vec::new());
            std::iter::once(sub).chain(twice.then_some(Statement::Again(again))).collect()
        },
    )
}

/// A sub that resumes itself, or what delegates to it.
fn meeting_itself() -> impl Strategy<Value = Program> {
    (vec(prop_oneof![yielding(), reenter()], 2..5), any::<bool>(), before())
        .prop_map(|(body, shared, before)| vec![delegating(body, before, shared, None)])
}
