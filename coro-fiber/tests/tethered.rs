//! Values that stay on their thread.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use coro_core::{EventLoop, Loop};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{NotHere, Tethered, wait};

fn sendable<T: Send + Sync + Unpin + 'static>(value: T) -> T {
    value
}

/// Tells when it is dropped, and where.
struct Told(Sender<thread::ThreadId>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(thread::current().id()).unwrap();
    }
}

#[test]
fn it_is_used_where_it_was_made_and_nowhere_else() {
    let here = sendable(Tethered::new(Rc::new(Cell::new(1))));
    here.with(|value| value.set(2)).unwrap();
    let here = thread::spawn(move || {
        let error: NotHere = here.with(|_| ()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("alloc::rc::Rc<") && said.contains("in the thread that made it"), "{said}");
        assert_eq!(std::io::Error::from(error).kind(), ErrorKind::Other);
        here.into_inner().unwrap_err()
    });
    let here = here.join().unwrap();
    assert_eq!(here.with(|value| value.get()), Ok(2));
    assert_eq!(format!("{here:?}"), "Tethered(\"alloc::rc::Rc<core::cell::Cell<i32>>\")");
    assert_eq!(here.into_inner().unwrap().get(), 2);
}

#[test]
fn it_is_dropped_with_its_handle_at_home_and_with_its_thread_otherwise() {
    let (tell, told) = channel();
    drop(Tethered::new(Told(tell.clone())));
    assert_eq!(told.try_recv(), Ok(thread::current().id()));

    let (hand_over, handed) = channel();
    let (finish, finished) = channel::<()>();
    let home = thread::spawn(move || {
        hand_over.send(Tethered::new(Told(tell))).unwrap();
        finished.recv().unwrap();
    });
    drop(handed.recv().unwrap());
    assert!(told.try_recv().is_err());
    let id = home.thread().id();
    finish.send(()).unwrap();
    home.join().unwrap();
    assert_eq!(told.recv(), Ok(id));
}

#[test]
fn a_destructor_may_use_others() {
    struct Chain(Option<Tethered<Chain>>, Rc<RefCell<Vec<&'static str>>>);

    impl Drop for Chain {
        fn drop(&mut self) {
            let inner = self.0.take();
            self.1.borrow_mut().push(if inner.is_some() { "outer" } else { "inner" });
            drop(inner);
            drop(Tethered::new(1));
        }
    }

    let log = Rc::default();
    let inner = Tethered::new(Chain(None, Rc::clone(&log)));
    drop(Tethered::new(Chain(Some(inner), Rc::clone(&log))));
    assert_eq!(log.take(), ["outer", "inner"]);
    // While the thread ends nothing is kept any more, and nothing panics.
    thread::spawn(|| {
        let log = Rc::default();
        let inner = Tethered::new(Chain(None, Rc::clone(&log)));
        std::mem::forget(Tethered::new(Chain(Some(inner), log)));
    })
    .join()
    .unwrap();
}

#[test]
fn a_stream_of_a_fiber_reads_and_writes_through_it() {
    let ran = Loop::simulated().run(coro_fiber::task(|_| {
        let listener = FiberListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let server = coro_fiber::spawn(move |_| {
            let mut stream = sendable(Tethered::new(listener.accept().unwrap().0));
            let mut word = [0; 5];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
            stream.flush().unwrap();
            // Elsewhere it is an error.
            let mut stream = thread::spawn(move || {
                assert!(stream.read(&mut [0]).unwrap_err().to_string().contains("FiberStream"));
                assert!(stream.write(&[0]).is_err() && stream.flush().is_err());
                stream
            })
            .join()
            .unwrap();
            stream.write_all(b"!").unwrap();
            Ok(())
        });
        let mut stream = FiberStream::connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        wait(server)??;
        Ok(answer)
    }));
    assert_eq!(ran.unwrap(), "hello!");
}
