//! The file that the links are written to.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that appears whole or not at all: it is written beside its place under another name, and renamed at the
/// end. Dropped before that, nothing is left of it.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    partial: PathBuf,
    state: RefCell<State>,
    kept: bool,
}

#[derive(Debug)]
struct State {
    writer: BufWriter<File>,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
    lines: Vec<String>,
}

impl Output {
    /// Begins the file that will be at `target`.
    ///
    /// # Errors
    ///
    /// If nothing can be written beside `target`, or `target` is anything but a regular file: a device must not be
    /// replaced by a file.
    pub fn create(target: &Path) -> io::Result<Self> {
        // Behind a symbolic link it is the file that is replaced, not the link.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        if target.exists() && !target.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let (partial, file) = create_beside(&target)?;
        let state = State { writer: BufWriter::new(file), failed: None, lines: Vec::new() };
        let output = Self { target, partial, state: RefCell::new(state), kept: false };
        output.state.borrow_mut().write("source_url\tparsed_url\n");
        Ok(output)
    }

    /// Appends a line for each of the links of one page. A failure is kept for [`finish`](Self::finish), and makes
    /// this false.
    ///
    /// A write to a regular file never waits for anybody, so this is a plain call in every flavour.
    pub fn append<'a>(&self, source: &str, links: impl IntoIterator<Item = &'a str>) -> bool {
        let mut state = self.state.borrow_mut();
        for link in links {
            let line = format!("{source}\t{link}\n");
            state.write(&line);
            state.lines.push(line);
        }
        state.failed.is_none()
    }

    /// The lines so far, without the header, in a fixed order: what two runs are compared by.
    pub fn sorted_lines(&self) -> Vec<String> {
        let mut lines = self.state.borrow().lines.clone();
        lines.sort_unstable();
        lines
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    ///
    /// The first failure of a write, or of the renaming. The place is as it was then.
    pub fn finish(mut self) -> io::Result<()> {
        let state = self.state.get_mut();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        state.writer.flush()?;
        fs::rename(&self.partial, &self.target)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.kept {
            // There is nobody to tell.
            drop(fs::remove_file(&self.partial));
        }
    }
}

impl State {
    fn write(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.writer.write_all(text.as_bytes()).err();
        }
    }
}

/// A new file in the directory of `target`, so that renaming it is one step.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    for number in 0.. {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{number}.partial", std::process::id()));
        let partial = target.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (partial, file)),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}
