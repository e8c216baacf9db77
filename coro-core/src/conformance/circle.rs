//! The laws of circles: tasks that wait for each other, and for the children of their groups, end when they are asked to.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use super::group::{FORMS, Form, child, grouped};
use super::setting::{MakeLoop, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::Thrown;
use crate::event_loop::{EventLoop, Loop};
use crate::group::TaskGroup;
use crate::task::{JoinHandle, TaskError};
use crate::time::{sleep, yield_now};

type Slot = Rc<RefCell<Option<JoinHandle<i64>>>>;

/// Awaits the task whose handle is put there later.
fn awaits(slot: &Slot, trace: &Trace, name: &'static str) -> Plan {
    let (slot, told) = (Rc::clone(slot), trace.clone());
    let awaits = plan().wait(yield_now).wait(move || async move {
        let handle = slot.borrow_mut().take().unwrap();
        drop(handle.await);
    });
    awaits.except(move |thrown: Thrown<TaskError>| {
        told.log(format!("{name} is cancelled"));
        plan().raise(thrown)
    })
}

/// How a child comes to await the task whose group it is in.
#[derive(Debug, Clone, Copy)]
enum Way {
    Itself,
    /// Another task does, and it awaits that one.
    Another,
    /// A child of its own group does.
    Grandchild,
}

/// Who is asked to end.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Parent,
    Group,
    Child,
    /// Another child fails.
    Failed,
}

/// The child that makes the circle.
fn in_circle<F: Flavour>(way: Way, event_loop: &Loop, slot: &Slot, trace: &Trace) -> Plan {
    let first = awaits(slot, trace, "who awaits the parent");
    match way {
        Way::Itself => first,
        Way::Another => {
            let middle: Slot = Rc::new(RefCell::new(Some(first.spawn::<F>(event_loop))));
            awaits(&middle, trace, "child")
        }
        Way::Grandchild => {
            let create = move |group: &TaskGroup| group.create_task(child::<F>(first)).unwrap().detach();
            grouped(Form::Around, &TaskGroup::new(), create, yield_now, Ok(()), trace)
        }
    }
}

/// Rules 17, 25: a group whose child awaits the task of the group, perhaps by way of others, ends when anybody of them is asked
/// to, where CPython waits for ever.
pub fn a_circle_through_a_group_can_be_cancelled<F: Flavour>(make: MakeLoop<'_>) {
    let ways = [Way::Itself, Way::Another, Way::Grandchild];
    let asked = [Asked::Parent, Asked::Group, Asked::Child, Asked::Failed];
    let all = FORMS.into_iter().flat_map(|form| ways.map(|way| (form, way)));
    for (form, way, asked) in all.flat_map(|(form, way)| asked.map(|asked| (form, way, asked))) {
        for body_waits in [true, false] {
            let (event_loop, trace, group) = (make(), Trace::new(), TaskGroup::new());
            let (parent, first): (Slot, Slot) = <(Slot, Slot)>::default();
            let circle = in_circle::<F>(way, &event_loop, &parent, &trace);
            let keep = Rc::clone(&first);
            let create = move |group: &TaskGroup| {
                keep.replace(Some(group.create_task(child::<F>(circle)).unwrap()));
                if let Asked::Failed = asked {
                    let fails = plan().wait(|| sleep(secs(1)));
                    let fails = fails.raise(Thrown::Error(TaskError::other("out of luck")));
                    group.create_task(child::<F>(fails)).unwrap().detach();
                }
            };
            let leaf = move || async move {
                if body_waits {
                    pending().await
                }
            };
            let task = grouped(form, &group, create, leaf, Ok(()), &trace).spawn::<F>(&event_loop);
            let asking = task.canceller();
            parent.replace(Some(task));
            let main = plan().wait(|| sleep(secs(1))).call(move || match asked {
                Asked::Parent => assert!(asking.cancel()),
                Asked::Group => group.cancel(),
                Asked::Child => assert!(first.borrow().as_ref().unwrap().cancel()),
                Asked::Failed => {}
            });
            run::<F>(&event_loop, main.wait(|| sleep(secs(1)))).unwrap();
            let left = event_loop.all_tasks();
            assert!(left.is_empty(), "{form:?}, {way:?}, {asked:?}, body waits: {body_waits}: {left:?}");
            assert!(trace.take().contains(&"who awaits the parent is cancelled".to_string()));
        }
    }
}
