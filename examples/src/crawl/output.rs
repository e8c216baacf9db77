//! The file that the links are written to.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const HEADER: &str = "source_url\tparsed_url\n";

/// How many symbolic links may lead to each other: as many as Linux follows.
const LINKS: usize = 40;

/// A file that appears whole or not at all: its lines are collected, and in the end they are written beside its place
/// under another name, which is then changed. Until then there is nothing that an interrupted run could leave.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    lines: RefCell<Vec<String>>,
}

impl Output {
    /// Begins the file that will be at `target`.
    ///
    /// # Errors
    ///
    /// If `target` may not be written, nothing can be written beside it, or it is anything but a regular file: a
    /// device must not be replaced by a file.
    pub fn create(target: &Path) -> io::Result<Self> {
        let target = followed(target)?;
        match fs::metadata(&target) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("not a regular file")),
            // Replacing a file takes no right to write to it, but without that right nobody expects it to change.
            Ok(_) => drop(OpenOptions::new().write(true).open(&target)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Better now than after the crawl.
        drop(Partial::beside(&target)?);
        Ok(Self { target, lines: RefCell::default() })
    }

    /// Appends a line for each of the links of one page.
    pub fn append<'a>(&self, source: &str, links: impl IntoIterator<Item = &'a str>) {
        let lines = links.into_iter().map(|link| format!("{source}\t{link}\n"));
        self.lines.borrow_mut().extend(lines);
    }

    /// The lines so far, without the header, in a fixed order: what two runs are compared by.
    pub fn sorted_lines(&self) -> Vec<String> {
        let mut lines = self.lines.borrow().clone();
        lines.sort_unstable();
        lines
    }

    /// Writes the file, and puts it into its place. If there is one already, the new one gets its permissions.
    ///
    /// Writing to a regular file never waits for anybody, so this is a plain call in every flavour.
    ///
    /// # Errors
    ///
    /// The first failure. The place is as it was then.
    pub fn finish(self) -> io::Result<()> {
        self.finish_through(|file| file)
    }

    fn finish_through<W: Write>(self, wrap: impl FnOnce(File) -> W) -> io::Result<()> {
        let (mut partial, file) = Partial::beside(&self.target)?;
        match fs::metadata(&self.target) {
            // Before there is anything to read in it.
            Ok(metadata) => file.set_permissions(metadata.permissions())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut writer = BufWriter::new(wrap(file));
        writer.write_all(HEADER.as_bytes())?;
        for line in self.lines.take() {
            writer.write_all(line.as_bytes())?;
        }
        writer.flush()?;
        drop(writer);
        fs::rename(&partial.path, &self.target)?;
        partial.renamed = true;
        Ok(())
    }
}

/// Where a file at `target` is to be found in the end. It need not exist, even if it is a link that leads to it.
fn followed(target: &Path) -> io::Result<PathBuf> {
    let mut target = target.to_path_buf();
    for _ in 0..LINKS {
        // Anything but a link is an error here.
        let Ok(next) = fs::read_link(&target) else { return Ok(target) };
        target.pop();
        target.push(next);
    }
    Err(io::Error::other("too many symbolic links lead to each other"))
}

/// A file that goes away unless it is renamed.
struct Partial {
    path: PathBuf,
    renamed: bool,
}

impl Partial {
    /// A new file in the directory of `target`, so that renaming it is one step.
    fn beside(target: &Path) -> io::Result<(Self, File)> {
        let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        for number in 0.. {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}.partial", std::process::id()));
            let path = target.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|file| (Self { path, renamed: false }, file)),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.renamed {
            // There is nobody to tell.
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// The names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Takes a number of bytes, and no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.0);
            self.0 -= count;
            if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_write_is_an_error_and_leaves_the_place_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        fs::write(&target, "before").unwrap();
        // Both less and more than the buffer of the writer.
        for lines in [1, 10_000] {
            let output = Output::create(&target).unwrap();
            output.append("source", vec!["link"; lines]);
            let error = output.finish_through(|_file| Full(20)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(fs::read_to_string(&target).unwrap(), "before");
            assert_eq!(names(folder.path()), ["out"]);
        }
    }

    #[test]
    fn an_interrupted_run_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::create(&folder.path().join("out")).unwrap();
        output.append("source", ["link"]);
        assert_eq!(names(folder.path()), [""; 0], "not even while it runs");
        // No destructor runs in a process that is killed.
        std::mem::forget(output);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn permissions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        fs::write(&target, "before").unwrap();
        for mode in [0o600, 0o640, 0o777] {
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            Output::create(&target).unwrap().finish().unwrap();
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o7777, mode);
            assert_eq!(fs::read_to_string(&target).unwrap(), HEADER);
        }
    }

    #[test]
    fn a_file_that_may_not_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        fs::write(&target, "before").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o400)).unwrap();
        // The superuser may write to it still.
        let may = OpenOptions::new().write(true).open(&target).is_ok();
        assert_eq!(Output::create(&target).is_ok(), may);
        // Nobody may write to a program that runs.
        #[cfg(target_os = "linux")]
        assert!(Output::create(&std::env::current_exe().unwrap()).is_err());
    }

    #[test]
    fn links_are_followed_even_to_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("sub/second"));
        symlink("sub/second", &first).unwrap();
        symlink("../target", &second).unwrap();
        for _ in 0..2 {
            Output::create(&first).unwrap().finish().unwrap();
            assert!(first.is_symlink() && second.is_symlink());
            assert_eq!(fs::read_to_string(folder.path().join("target")).unwrap(), HEADER);
            assert_eq!(names(folder.path()), ["first", "sub", "target"]);
        }
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(Output::create(&circle).is_err());
    }
}
