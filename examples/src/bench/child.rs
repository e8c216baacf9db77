//! A measurement, in a process of its own.

use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::shared::contender::Contender;
use super::shared::core::last_core;
use super::shared::record::Answer;
use super::shared::request::Request;

/// What a measurement may take at most. One that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// The binaries that measure.
#[derive(Debug)]
pub struct Binaries {
    own: PathBuf,
    peers: PathBuf,
    /// The core on which all measure.
    pub core: Option<usize>,
}

impl Binaries {
    /// This one, and that of the peers.
    ///
    /// # Errors
    ///
    /// If the system does not tell the path of this one.
    pub fn new(peers: Option<&Path>) -> io::Result<Self> {
        let peers = peers.map_or_else(Self::where_peers_are_built, Path::to_path_buf);
        Ok(Self { own: env::current_exe()?, peers, core: last_core() })
    }

    /// The folder of the peers' package.
    pub fn peers_package() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
    }

    fn where_peers_are_built() -> PathBuf {
        Self::peers_package().join("target/release/coro-peers")
    }

    /// Whether the peers' binary is there.
    pub fn has_peers(&self) -> bool {
        self.peers.is_file()
    }

    /// The command that measures `request`.
    pub fn command(&self, request: &Request) -> (&Path, Vec<String>) {
        let mut arguments = request.arguments();
        if request.contender.is_ours() {
            arguments.insert(0, "bench-one".to_string());
            return (&self.own, arguments);
        }
        (&self.peers, arguments)
    }

    /// What the child says to `request`.
    pub fn ask(&self, request: &Request) -> Answer {
        let (program, arguments) = self.command(request);
        let ended = match run(Command::new(program).args(arguments), LIMIT) {
            Ok(ended) => ended,
            Err(error) => return Answer::Unable(error.to_string()),
        };
        match serde_json::from_str(&ended.said) {
            Ok(answer) => answer,
            Err(_) => Answer::Unable(ended.reason()),
        }
    }

    /// Whether `contender` can be asked.
    pub fn has(&self, contender: Contender) -> bool {
        contender.is_ours() || self.has_peers()
    }
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Its standard output.
    pub said: String,
    /// Its standard error.
    pub complained: String,
    /// How it ended, in words.
    pub status: String,
}

impl Ended {
    /// Why there is no answer: the first thing that it complained of, or how it ended.
    fn reason(&self) -> String {
        let complaint = self.complained.lines().map(str::trim).find(|line| !line.is_empty());
        match complaint {
            Some(complaint) => format!("{}: {complaint}", self.status),
            None => self.status.clone(),
        }
    }
}

/// Runs a command to its end, or ends it after `limit`.
///
/// # Errors
///
/// If it cannot be started, or does not end in time.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Ended> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(
            |error| io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display())),
        )?;
    let (said, complained) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
    // Its output is at its end when it has ended.
    let Ok(said) = said.recv_timeout(limit) else { return Err(end(child, limit)) };
    let status = child.wait()?.to_string();
    Ok(Ended { said, complained: complained.recv().unwrap_or_default(), status })
}

fn end(mut child: Child, limit: Duration) -> io::Error {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
    io::Error::new(io::ErrorKind::TimedOut, format!("it did not end within {limit:?}"))
}

/// Reads to the end on a thread of its own, so that nobody waits for a full pipe.
fn text_of(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is all there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
