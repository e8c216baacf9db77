//! The cases that once failed, as [text](super::text): a line each, and no matter from which seed they came.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::syntax::Case;

/// A file of cases. What cannot be written is not kept; it has been shown.
pub(super) struct Kept(Option<PathBuf>);

impl Kept {
    pub(super) fn new(file: &str) -> Self {
        Self((!file.is_empty()).then(|| file.into()))
    }

    /// All of them. Lines that begin with `#` are comments.
    pub(super) fn read(&self) -> Result<Vec<Case>, String> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.parse().map_err(|error| format!("{error}"))).collect()
    }

    pub(super) fn keep(&self, case: &Case) {
        let Some(file) = &self.0 else { return };
        let append = |file: &PathBuf| {
            fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            writeln!(OpenOptions::new().create(true).append(true).open(file)?, "{case}")
        };
        if let Err(error) = append(file) {
            println!("{}: {error}", file.display());
        }
    }
}
