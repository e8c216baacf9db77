//! One body, transpiled to the three flavours, gives the same trace in each.

mod trace;

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use coro_core::backend::Plain;
use coro_core::coroutine::MisuseKind;
use coro_core::prelude::*;
use coro_fiber::scope;

use trace::Op::{Close, Send, Start, Throw};
use trace::trace;

/// The trace of `$coroutine` under `$ops` is `$expected`, in each flavour.
macro_rules! assert_traces {
    ($coroutine:ident $arguments:tt, $ops:expr, $expected:expr $(,)?) => {{
        let (ops, expected) = ($ops, $expected);
        assert_eq!(trace($coroutine::native $arguments, &ops), expected, "native");
        assert_eq!(trace($coroutine::generator $arguments, &ops), expected, "generator");
        let lines = scope(|scope| trace(scope.own($coroutine::fiber $arguments), &ops));
        assert_eq!(lines, expected, "fiber");
    }};
}

#[coro_core::coroutine(send = f64, yields = f64, flavours(native, generator, fiber))]
fn average(start: f64) -> Result<Infallible, Thrown<&'static str>> {
    let (mut sum, mut count, mut mean) = (0.0, 0.0, start);
    loop {
        sum += yield_!(mean)?;
        count += 1.0;
        mean = sum / count;
    }
}

#[test]
fn an_average() {
    assert_traces!(
        average(0.5),
        [Start, Send(10.0), Send(20.0), Throw("stop"), Send(1.0)],
        [
            "Yielded(0.5)",
            "Yielded(10.0)",
            "Yielded(15.0)",
            "Raised(Error(\"stop\"))",
            "Finished(Some(1.0))",
            "Finished"
        ],
    );
    assert_traces!(
        average(0.0),
        [Send(1.0), Start, Close],
        ["NotStarted(1.0)", "Yielded(0.0)", "Closed", "Finished"]
    );
}

/// A stage of a pipeline: it parses what it is sent, and turns its own error into its answer.
#[coro_core::coroutine(send = &'static str, yields = Option<i32>, flavours(native, generator, fiber))]
fn parser(mut failures_left: u32) -> Result<u32, Thrown<String>> {
    let mut parsed = 0;
    let mut answer = None;
    loop {
        let text = match yield_!(answer) {
            Ok("end") => return Ok(parsed),
            Ok(text) => text,
            Err(Thrown::Error(reset)) if reset == "reset" => {
                (parsed, answer) = (0, None);
                continue;
            }
            Err(other) => return Err(other),
        };
        answer = match text.parse() {
            Ok(number) => Some(number),
            Err(_) if failures_left > 0 => {
                failures_left -= 1;
                None
            }
            Err(error) => Err(format!("{text}: {error}"))?,
        };
        parsed += 1;
    }
}

#[test]
fn a_stage_with_question_marks_and_matches() {
    assert_traces!(
        parser(1),
        [Start, Send("12"), Send("x"), Throw("reset".to_string()), Send("3"), Send("end")],
        [
            "Yielded(None)",
            "Yielded(Some(12))",
            "Yielded(None)",
            "Yielded(None)",
            "Yielded(Some(3))",
            "Returned(1)",
            "Finished"
        ],
    );
    assert_traces!(
        parser(0),
        [Start, Send("x")],
        ["Yielded(None)", "Raised(Error(\"x: invalid digit found in string\"))", "Finished"],
    );
}

#[coro_core::coroutine(send = bool, yields = (u32, u32), flavours(native, generator, fiber))]
fn grid(width: u32, height: u32) -> Result<Option<(u32, u32)>, Thrown<Infallible>> {
    let found = 'rows: {
        for y in 0..height {
            'cells: for x in 0..width {
                if (x + y) % 2 == 1 {
                    continue 'cells;
                }
                if yield_!((x, y))? {
                    break 'rows Some((x, y));
                }
            }
        }
        None
    };
    let Some((x, y)) = found else {
        return Ok(None);
    };
    let mut steps = 0;
    while yield_!((x, steps))? {
        steps += 1;
        if steps > 2 {
            break;
        }
    }
    Ok(Some((x, y)))
}

#[test]
fn labelled_loops_and_let_else() {
    assert_traces!(
        grid(2, 2),
        [Start, Send(false), Send(true), Send(true), Send(false)],
        [
            "Yielded((0, 0))",
            "Yielded((1, 1))",
            "Yielded((1, 0))",
            "Yielded((1, 1))",
            "Returned(Some((1, 1)))",
            "Finished"
        ],
    );
    assert_traces!(grid(1, 1), [Start, Send(false)], ["Yielded((0, 0))", "Returned(None)", "Finished"]);
}

#[derive(Clone)]
struct Tree(Vec<Tree>, u32);

fn tree() -> Tree {
    let leaf = |value| Tree(Vec::new(), value);
    Tree(vec![Tree(vec![leaf(1), leaf(2)], 3), leaf(4)], 5)
}

#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn post_order(Tree(children, value): Tree) -> Result<u32, Thrown<&'static str>> {
    let mut sum = value;
    for child in children {
        sum += yield_from!(sub!(post_order(child)))?;
    }
    yield_!(value)?;
    Ok(sum)
}

#[test]
fn recursion() {
    assert_traces!(
        post_order(tree()),
        [Start, Send(()), Send(()), Send(()), Send(()), Send(())],
        ["Yielded(1)", "Yielded(2)", "Yielded(3)", "Yielded(4)", "Yielded(5)", "Returned(15)", "Finished"],
    );
    assert_traces!(
        post_order(tree()),
        [Start, Throw("no more")],
        ["Yielded(1)", "Raised(Error(\"no more\"))", "Finished"],
    );
}

mod generic {
    use super::*;

    #[coro_core::coroutine(send = T, yields = [T; N], flavours(native, generator, fiber))]
    pub(super) fn window<T, const N: usize>(first: [T; N]) -> Result<usize, Thrown<()>>
    where
        T: Copy + PartialEq + 'static,
    {
        let mut window = first;
        let mut received = 0;
        loop {
            let value = yield_!(window)?;
            if window.contains(&value) {
                return Ok(received);
            }
            received += 1;
            window.rotate_left(1);
            window[N - 1] = value;
        }
    }
}

#[coro_core::coroutine(send = T, yields = Vec<[T; 2]>, flavours(native, generator, fiber))]
fn windows<T: Copy + PartialEq + Debug + 'static>(zero: T) -> Result<(), Thrown<()>> {
    let window = sub!(generic::window::<T, 2>([zero; 2]));
    assert_eq!(window.state(), State::Created);
    loop {
        yield_!(vec![[zero, zero]; 2])?;
    }
}

#[test]
fn generics() {
    use generic::window;
    assert_traces!(
        window(['a', 'b']),
        [Start, Send('c'), Send('d'), Send('c')],
        ["Yielded(['a', 'b'])", "Yielded(['b', 'c'])", "Yielded(['c', 'd'])", "Returned(2)", "Finished"],
    );
    assert_traces!(windows(0), [Start, Close], ["Yielded([[0, 0], [0, 0]])", "Closed", "Finished"]);
}

#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn doubled(
    numbers: impl IntoIterator<Item = u32> + 'static,
    (factor, offset): (u32, u32),
    tail: Vec<u32>,
) -> Result<(), Thrown<Infallible>> {
    for number in numbers {
        yield_!(number * factor + offset)?;
    }
    yield_from!(Plain(tail.into_iter()))?;
    Ok(())
}

#[test]
fn an_iterator_as_a_parameter() {
    assert_traces!(
        doubled(1..3, (2, 1), vec![7]),
        [Start, Send(()), Send(()), Send(())],
        ["Yielded(3)", "Yielded(5)", "Yielded(7)", "Returned(())", "Finished"],
    );
}

#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator, fiber))]
fn in_arguments() -> Result<String, Thrown<Infallible>> {
    println!("{}", yield_!(1)?);
    let list = vec![yield_!(2)?, yield_!(3)?];
    let nested = yield_!(yield_!(4)? + 1)?;
    macro_rules! ask {
        ($value:expr) => {
            yield_!($value)?
        };
    }
    Ok(format!("{list:?} {nested} {}", ask!(yield_!(6)?)))
}

#[test]
fn a_yield_in_the_arguments_of_a_macro() {
    assert_traces!(
        in_arguments(),
        [Start, Send(10), Send(20), Send(30), Send(40), Send(50), Send(60), Send(70)],
        [
            "Yielded(1)",
            "Yielded(2)",
            "Yielded(3)",
            "Yielded(4)",
            "Yielded(41)",
            "Yielded(6)",
            "Yielded(60)",
            "Returned(\"[20, 30] 50 70\")",
            "Finished"
        ],
    );
}

/// Says when it is dropped.
struct Guard(Rc<RefCell<Vec<&'static str>>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.borrow_mut().push("dropped");
    }
}

#[coro_core::coroutine(yields = (), flavours(native, generator, fiber))]
fn holds(log: Rc<RefCell<Vec<&'static str>>>, _: Guard) -> Result<(), Thrown<Infallible>> {
    log.borrow_mut().push("started");
    let ended = yield_!();
    log.borrow_mut().push("ended");
    ended
}

#[test]
fn an_unused_parameter_lives_as_long_as_the_body() {
    fn check<C: Coroutine<Send = ()>>(make: impl Fn(Rc<RefCell<Vec<&'static str>>>, Guard) -> C) {
        let log = Rc::new(RefCell::new(Vec::new()));
        let mut coroutine = make(Rc::clone(&log), Guard(Rc::clone(&log)));
        assert!(coroutine.start().is_ok());
        assert!(coroutine.send(()).is_ok());
        assert_eq!(*log.borrow(), ["started", "ended", "dropped"]);
    }
    check(holds::native);
    check(holds::generator);
    scope(|scope| check(|log, guard| scope.own(holds::fiber(log, guard))));
}

#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator, fiber))]
fn goes_on_with_started() -> Result<u32, Thrown<MisuseKind>> {
    // By hand, which a new fiber is not resumed.
    let mut inner = echo::native();
    inner.start().map_err(|misuse| misuse.kind())?;
    yield_from!(inner, 7)
}

#[coro_core::coroutine(send = u32, yields = u32)]
fn echo() -> Result<u32, Thrown<MisuseKind>> {
    let sent = yield_!(0)?;
    yield_!(sent)
}

#[test]
fn a_delegation_to_a_started_coroutine() {
    assert_traces!(goes_on_with_started(), [Start, Send(8)], ["Yielded(7)", "Returned(8)", "Finished"]);
}

type Log = Rc<RefCell<Vec<String>>>;

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn worker(name: &'static str, seconds: u64, log: Log) -> TaskResult<u64> {
    for second in 0..seconds {
        wait!(sleep(Duration::from_secs(1)))?;
        log.borrow_mut().push(format!("{name} {second}"));
    }
    // A future of its own may await.
    let forever = async {
        sleep(Duration::from_secs(3600)).await;
    };
    let waited = wait!(forever);
    if let Err(Thrown::Error(error)) = &waited {
        log.borrow_mut().push(format!("{name}: {error}"));
    }
    waited.map(|()| seconds)
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn team(log: Log) -> TaskResult<Vec<Result<u64, String>>> {
    let event_loop = Loop::current().expect("it runs on a loop");
    let long = event_loop.spawn(sub!(worker("long", 3, log.clone())));
    let short = event_loop.spawn(sub!(worker("short", 1, log.clone())));
    wait!(sleep(Duration::from_millis(2500)))?;
    short.cancel();
    let short = wait!(short)?;
    let results = vec![short, wait!(long)?];
    Ok(results.into_iter().map(|result| result.map_err(|error| error.to_string())).collect())
}

#[test]
fn tasks_on_a_simulated_loop() {
    fn check<T>(make: impl FnOnce(Log) -> T)
    where
        T: coro_core::task::IntoTask<Output = Vec<Result<u64, String>>, Body: 'static>,
    {
        let (event_loop, log) = (Loop::simulated(), Log::default());
        let results = event_loop.run(make(log.clone())).unwrap();
        assert_eq!(results, [Err("the task was cancelled".to_string()), Ok(3)]);
        assert_eq!(log.take(), ["long 0", "short 0", "long 1", "short: the task was cancelled", "long 2"]);
    }
    check(team::native);
    check(team::generator);
    check(team::fiber);
}

#[test]
fn a_coroutine_inside_a_function() {
    /// Local to it, and so are its types.
    #[coro_core::coroutine(yields = Local, flavours(native, generator, fiber))]
    fn local() -> Result<(), Thrown<Infallible>> {
        #[coro_core::coroutine(yields = Local, flavours(native, generator, fiber))]
        fn inner() -> Result<(), Thrown<Infallible>> {
            yield_!(Local)
        }
        yield_from!(sub!(inner()))
    }
    #[derive(Debug)]
    struct Local;
    assert_traces!(local(), [Start, Send(())], ["Yielded(Local)", "Returned(())", "Finished"]);
}
