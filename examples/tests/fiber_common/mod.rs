//! What the tests of synchronous libraries on fibers share.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::cell::RefCell;
use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use coro_core::task::{IntoTask, TaskResult};
use coro_core::{EventLoop, JoinHandle, Loop, time};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{Options, wait};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// What happened, with the second.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub fn add(&self, what: impl Display) {
        self.0.borrow_mut().push(format!("{} {what}", now().as_secs()));
    }

    /// Compares all of it.
    #[track_caller]
    pub fn expect(&self, expected: &[&str]) {
        assert_eq!(self.0.take(), expected);
    }
}

/// How long the loop has run.
pub fn now() -> Duration {
    time::now() - time::Time::ZERO
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Libraries were written for the stacks of threads, and frames are large where nothing is optimised.
fn options() -> Options {
    Options::new().stack_bytes(512 * 1024)
}

/// Runs the body of a fiber on a loop.
pub fn run_on<T: 'static>(event_loop: &Loop, body: impl FnOnce() -> T + 'static) -> T {
    event_loop.run(options().task(|_| Ok(body()))).unwrap()
}

/// Runs the body of a fiber in virtual time.
pub fn simulated<T: 'static>(body: impl FnOnce() -> T + 'static) -> T {
    run_on(&Loop::simulated(), body)
}

/// Runs a test in virtual time, and over the kernel.
pub fn on_both(body: fn()) {
    simulated(body);
    run_on(&Loop::new().unwrap(), body);
}

pub fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    spawn_task(|| Ok(body()))
}

/// For a body with an error that is the task's.
pub fn spawn_task<T: 'static>(body: impl FnOnce() -> TaskResult<T> + 'static) -> JoinHandle<T> {
    Loop::current().unwrap().spawn(options().task(|_| body()))
}

/// The body of a host in a simulated world.
pub fn task<T: 'static>(body: impl FnOnce() -> T + 'static) -> impl IntoTask<Output = T> {
    options().task(|_| Ok(body()))
}

pub fn join<T: 'static>(task: JoinHandle<T>) -> T {
    wait(task).unwrap().unwrap()
}

/// Serves each connection in a fiber of its own, until the loop ends. Gives where.
pub fn serve(handle: impl Fn(FiberStream) + 'static) -> SocketAddr {
    let listener = FiberListener::bind(anywhere()).unwrap();
    let (address, handle) = (listener.local_addr().unwrap(), Rc::new(handle));
    spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), handle) = (stream, Rc::clone(&handle)) else { continue };
            spawn(move || handle(stream)).detach();
        }
    })
    .detach();
    address
}

/// Says what it is given, waiting a second before each piece.
pub fn drip(mut stream: &FiberStream, pieces: &[&str]) {
    for piece in pieces {
        coro_fiber::sleep(secs(1)).unwrap();
        std::io::Write::write_all(&mut stream, piece.as_bytes()).unwrap();
    }
}

/// For `localhost` and `127.0.0.1`, and for those who trust it.
pub struct Tls {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub certificate: CertificateDer<'static>,
}

impl Tls {
    pub fn new() -> Self {
        let names = ["localhost", "127.0.0.1"].map(String::from);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        Self { client: Arc::new(client), server: Arc::new(server), certificate }
    }
}
