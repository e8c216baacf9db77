//! The spans of `tracing` in fibers: none leaks to whoever runs next, and each is there again when its fiber is.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_fiber::{scope, task, wait};
use tracing::{Span, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const SECOND: Duration = Duration::from_secs(1);

type Log = Rc<RefCell<Vec<String>>>;

/// The names of the entered spans, from the top: those that a new one would have as parents.
fn current() -> Vec<&'static str> {
    let mut names = Vec::new();
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>().unwrap();
        if let Some(id) = dispatch.current_span().id() {
            names.extend(registry.span(id).unwrap().scope().map(|span| span.name()));
        }
    });
    names
}

fn traced<T>(test: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(Registry::default(), || {
        let tested = test();
        assert!(current().is_empty(), "{:?}", current());
        tested
    })
}

/// Every span that was made is closed, when this is asked.
#[derive(Clone, Default)]
struct Open(std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Open {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: Context<'_, S>,
    ) {
        self.0.lock().unwrap().push(attributes.metadata().name());
    }

    fn on_close(&self, id: tracing::span::Id, context: Context<'_, S>) {
        let name = context.span(&id).unwrap().name();
        let mut open = self.0.lock().unwrap();
        let place = open.iter().position(|open| *open == name).unwrap();
        open.remove(place);
    }
}

fn nested<T>(inside: impl FnOnce() -> T) -> T {
    let _outer = info_span!("outer").entered();
    let _inner = info_span!("inner").entered();
    inside()
}

#[test]
fn a_span_is_left_with_the_fiber_and_entered_with_it() {
    traced(|| {
        scope(|scope| {
            let fiber = |name: &'static str| {
                scope.fiber::<(), Vec<&str>, (), ()>(move |co| {
                    co.yield_(current())?;
                    nested(|| {
                        let _own = info_span!("own", name).entered();
                        co.yield_(current())?;
                        co.yield_(current())
                    })?;
                    co.yield_(current())
                })
            };
            let (mut a, mut b) = (fiber("a"), fiber("b"));
            let own = vec!["own", "inner", "outer"];
            for expected in [vec![], own.clone(), own, vec![]] {
                for fiber in [&mut a, &mut b] {
                    let yielded =
                        if fiber.state() == State::Created { fiber.start() } else { fiber.send(()) };
                    assert_eq!(yielded, Ok(Outcome::Yielded(expected.clone())));
                    assert!(current().is_empty());
                }
            }
        });
    });
}

#[test]
fn whoever_resumes_keeps_its_spans_and_the_fiber_has_them_as_parents() {
    traced(|| {
        scope(|scope| {
            let mut fiber = scope.fiber::<(), Vec<&str>, (), ()>(|co| {
                co.yield_(current())?;
                let _own = info_span!("own").entered();
                co.yield_(current())?;
                co.yield_(current())
            });
            let first = info_span!("first").entered();
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(vec!["first"])));
            // The parent of a span is that which was current when it was made.
            assert_eq!(fiber.send(()), Ok(Outcome::Yielded(vec!["own", "first"])));
            assert_eq!(current(), ["first"]);
            drop(first);
            assert!(current().is_empty());
            let _second = info_span!("second").entered();
            assert_eq!(fiber.send(()), Ok(Outcome::Yielded(vec!["own", "first"])));
            assert_eq!(current(), ["second"]);
        });
    });
}

#[test]
fn a_fiber_that_enters_the_span_in_which_it_is_resumed_enters_it_once_more() {
    traced(|| {
        let span = info_span!("both");
        scope(|scope| {
            let (own, inner) = (span.clone(), span.clone());
            let mut fiber = scope.fiber::<(), (), (), ()>(move |co| {
                let _entered = own.enter();
                co.yield_(())?;
                let _again = inner.enter();
                let _above = info_span!("above").entered();
                co.yield_(())?;
                assert_eq!(current()[0], "above");
                Ok(())
            });
            let entered = span.enter();
            let twice = span.enter();
            fiber.start().unwrap();
            assert_eq!(current(), ["both"]);
            drop(twice);
            assert_eq!(current(), ["both"]);
            drop(entered);
            // Only the fiber is in it.
            assert!(current().is_empty());
            fiber.send(()).unwrap();
            assert!(current().is_empty());
            fiber.send(()).unwrap();
            assert!(current().is_empty());
        });
    });
}

#[test]
fn tasks_of_a_loop_do_not_see_the_spans_of_each_other() {
    let log = Log::default();
    traced(|| {
        let own = Rc::clone(&log);
        Loop::simulated()
            .run(task(move |co| {
                let tasks: Vec<_> = ["a", "b"]
                    .map(|name| {
                        let log = Rc::clone(&own);
                        coro_fiber::spawn(move |co| {
                            let _span = if name == "a" { info_span!("a") } else { info_span!("b") }.entered();
                            for _ in 0..2 {
                                co.wait(sleep(SECOND))?;
                                log.borrow_mut().push(format!("{name} {:?}", current()));
                            }
                            Ok(())
                        })
                    })
                    .into();
                // A native one among them.
                let log = Rc::clone(&own);
                let native = Loop::current().unwrap().spawn(async move {
                    sleep(SECOND).await;
                    log.borrow_mut().push(format!("native {:?}", current()));
                });
                for task in tasks {
                    co.wait(task)??;
                }
                Ok(co.wait(native)??)
            }))
            .unwrap();
    });
    assert_eq!(log.take(), [r#"a ["a"]"#, r#"b ["b"]"#, "native []", r#"a ["a"]"#, r#"b ["b"]"#]);
}

#[test]
fn fibers_in_fibers_have_the_spans_of_those_around_them_for_as_long_as_they_run() {
    traced(|| {
        scope(|scope| {
            let mut outer = scope.fiber::<(), Vec<&str>, (), ()>(move |co| {
                let _span = info_span!("outer").entered();
                let mut inner = scope.fiber::<(), Vec<&str>, (), ()>(|co| {
                    let _span = info_span!("inner").entered();
                    co.yield_(current())?;
                    co.yield_(current())
                });
                assert_eq!(inner.start(), Ok(Outcome::Yielded(vec!["inner", "outer"])));
                assert_eq!(current(), ["outer"]);
                co.yield_(current())?;
                assert_eq!(inner.send(()), Ok(Outcome::Yielded(vec!["inner", "outer"])));
                co.yield_(current())
            });
            assert_eq!(outer.start(), Ok(Outcome::Yielded(vec!["outer"])));
            assert!(current().is_empty());
            assert_eq!(outer.send(()), Ok(Outcome::Yielded(vec!["outer"])));
        });
    });
}

#[test]
fn a_suspended_fiber_that_is_dropped_or_panics_leaves_its_spans_and_closes_them() {
    let open = Open::default();
    tracing::subscriber::with_default(Registry::default().with(open.clone()), || {
        let seen = Log::default();
        scope(|scope| {
            struct Sees(Log);

            impl Drop for Sees {
                fn drop(&mut self) {
                    self.0.borrow_mut().push(format!("{:?}", Span::current().metadata().unwrap().name()));
                }
            }

            let _around = info_span!("around").entered();
            let own = Rc::clone(&seen);
            let mut dropped = scope.fiber::<(), (), (), ()>(move |co| {
                nested(|| {
                    let _sees = Sees(own);
                    co.yield_(())
                })
            });
            dropped.start().unwrap();
            drop(dropped);
            assert_eq!(seen.take(), ["\"inner\""]);
            assert_eq!(Span::current().metadata().unwrap().name(), "around");
            let mut panics = scope.fiber::<(), (), (), ()>(|co| {
                nested(|| {
                    co.yield_(())?;
                    panic!("planted")
                })
            });
            panics.start().unwrap();
            assert!(catch_unwind(AssertUnwindSafe(|| panics.send(()))).is_err());
            assert_eq!(Span::current().metadata().unwrap().name(), "around");
        });
        assert!(Span::current().is_none());
        assert!(open.0.lock().unwrap().is_empty(), "{:?}", open.0);
    });
}

#[test]
fn a_forgotten_guard_or_fiber_leaves_nothing_to_the_thread() {
    traced(|| {
        scope(|scope| {
            let mut forgets = scope.fiber::<(), (), (), ()>(|_| {
                std::mem::forget(info_span!("forgotten").entered());
                Ok(())
            });
            forgets.start().unwrap();
            assert!(current().is_empty());
            let mut forgotten = scope.fiber::<(), (), (), ()>(|co| nested(|| co.yield_(())));
            forgotten.start().unwrap();
            std::mem::forget(forgotten);
            assert!(current().is_empty());
        });
    });
}

#[test]
fn a_layer_that_waits_is_told_that_there_is_no_fiber() {
    struct Waits(std::sync::Arc<std::sync::atomic::AtomicU32>);

    impl Waits {
        fn wait(&self) {
            let refused = wait(std::future::ready(())).is_err();
            self.0.fetch_add(refused.into(), std::sync::atomic::Ordering::Relaxed);
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for Waits {
        fn on_enter(&self, _: &tracing::span::Id, _: Context<'_, S>) {
            self.wait();
        }

        fn on_exit(&self, _: &tracing::span::Id, _: Context<'_, S>) {
            self.wait();
        }
    }

    let refused = std::sync::Arc::default();
    tracing::subscriber::with_default(
        Registry::default().with(Waits(std::sync::Arc::clone(&refused))),
        || {
            scope(|scope| {
                let mut fiber = scope.fiber::<(), (), (), ()>(|co| nested(|| co.yield_(())));
                fiber.start().unwrap();
                fiber.send(()).unwrap();
            });
        },
    );
    // Two were left and entered again. Where the fiber itself enters and leaves them, it could wait.
    assert_eq!(refused.load(std::sync::atomic::Ordering::Relaxed), 4);
}

#[test]
fn a_subscriber_that_never_lets_go_of_a_span_ends_nobody() {
    struct Stubborn;

    impl tracing::Subscriber for Stubborn {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {}

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}

        fn current_span(&self) -> tracing_core::span::Current {
            let span = info_span!("same");
            tracing_core::span::Current::new(tracing::span::Id::from_u64(1), span.metadata().unwrap())
        }
    }

    tracing::subscriber::with_default(Stubborn, || {
        scope(|scope| {
            let mut fiber = scope.fiber::<(), u8, (), ()>(|co| nested(|| co.yield_(1)));
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
            assert_eq!(fiber.send(()), Ok(Outcome::Returned(())));
        });
    });
}
