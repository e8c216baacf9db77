//! What a server serves: a directory, or pages in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hyper::body::Bytes;

/// What a server serves. Cloning is cheap.
#[derive(Clone)]
pub struct Source {
    content: Content,
    start: String,
}

#[derive(Clone)]
enum Content {
    /// With its links resolved, so that it can be told what lies within.
    Directory(PathBuf),
    Pages(Rc<BTreeMap<String, Bytes>>),
}

/// What there is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file, and its `Content-Type`.
    File(Bytes, &'static str),
    /// A directory that was asked for without its final slash: relative links in its index need that.
    WithSlash,
    /// Nothing, or nothing that may be served.
    Nothing,
}

impl Source {
    /// The files under `root`. `start` is the path of the first page, as in a URL.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub fn directory(root: impl AsRef<Path>, start: &str) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        if !root.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { content: Content::Directory(root), start: start.to_string() })
    }

    /// Pages by their paths, which begin with a slash.
    pub fn pages<P, B>(start: &str, pages: impl IntoIterator<Item = (P, B)>) -> Self
    where
        P: Into<String>,
        B: Into<Bytes>,
    {
        let pages = pages.into_iter().map(|(path, body)| (path.into(), body.into())).collect();
        Self { content: Content::Pages(Rc::new(pages)), start: start.to_string() }
    }

    /// The path of the first page.
    pub fn start(&self) -> &str {
        &self.start
    }

    /// Looks up the path of a request, percent-encoded as it came, without its query.
    pub fn find(&self, path: &str) -> Found {
        let Some(path) = decode(path) else { return Found::Nothing };
        match &self.content {
            Content::Directory(root) => find_file(root, &path),
            Content::Pages(pages) => {
                let index = format!("{path}index.html");
                let name = if path.ends_with('/') && pages.contains_key(&index) { &index } else { &path };
                let kind = if path.contains('.') { content_type(Path::new(name)) } else { HTML };
                pages.get(name).map_or(Found::Nothing, |body| Found::File(body.clone(), kind))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Directory(root) => write!(f, "{}{}", root.display(), self.start),
            Content::Pages(pages) => write!(f, "{} pages in memory, from {}", pages.len(), self.start),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content: &dyn fmt::Debug = match &self.content {
            Content::Directory(root) => root,
            Content::Pages(pages) => &pages.len(),
        };
        f.debug_struct("Source").field("content", content).field("start", &self.start).finish()
    }
}

/// The largest file that is served: it is read as a whole.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

fn find_file(root: &Path, path: &str) -> Found {
    let mut file = root.to_path_buf();
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        if name == ".." || name.contains(['\\', '\0']) {
            return Found::Nothing;
        }
        file.push(name);
    }
    let Some(mut file) = within(root, &file) else { return Found::Nothing };
    if file.is_dir() {
        if !path.ends_with('/') {
            return Found::WithSlash;
        }
        // The index may be a link as well.
        let Some(index) = within(root, &file.join("index.html")) else { return Found::Nothing };
        file = index;
    }
    match read(&file) {
        Ok(body) => Found::File(body.into(), content_type(&file)),
        Err(_unreadable) => Found::Nothing,
    }
}

/// Where `file` is in truth, if that is within `root`: a symbolic link may lead out of it.
fn within(root: &Path, file: &Path) -> Option<PathBuf> {
    fs::canonicalize(file).ok().filter(|file| file.starts_with(root))
}

/// The read blocks the loop, as every read of a regular file does: a page is in the cache of the system, and
/// small. Anything but a regular file may block it for ever.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(file)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > FILE_BYTES {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    let mut body = Vec::new();
    // It may be growing.
    File::open(file)?.take(FILE_BYTES).read_to_end(&mut body)?;
    Ok(body)
}

/// Undoes percent-encoding. `None` if the result is no UTF-8.
fn decode(path: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let encoded = digits.filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if encoded.is_some() {
            rest = &after[2..];
        }
        decoded.push(encoded.unwrap_or(byte));
    }
    String::from_utf8(decoded).ok()
}

const HTML: &str = "text/html; charset=utf-8";

fn content_type(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => HTML,
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(decode("/a%20b").as_deref(), Some("/a b"));
        assert_eq!(decode("/100%").as_deref(), Some("/100%"));
        assert_eq!(decode("/%zz%2").as_deref(), Some("/%zz%2"));
        assert_eq!(decode("/%ff"), None);
    }

    #[test]
    fn a_directory_serves_what_lies_within() {
        let root = tempfile::tempdir().unwrap();
        let served = root.path().join("served");
        fs::create_dir_all(served.join("sub")).unwrap();
        fs::write(served.join("sub/index.html"), "index").unwrap();
        fs::write(served.join("style.css"), "css").unwrap();
        fs::write(root.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), served.join("link")).unwrap();

        let source = Source::directory(&served, "/").unwrap();
        assert_eq!(source.find("/sub/"), Found::File("index".into(), HTML));
        assert_eq!(source.find("/sub"), Found::WithSlash);
        assert_eq!(source.find("/style.css"), Found::File("css".into(), "text/css; charset=utf-8"));
        for path in ["/../secret", "/%2e%2e/secret", "/sub/..%2f../secret", "/link", "/none", "/"] {
            assert_eq!(source.find(path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn an_index_that_leads_out_is_not_served() {
        let root = tempfile::tempdir().unwrap();
        let served = root.path().join("served");
        fs::create_dir_all(served.join("sub")).unwrap();
        fs::write(served.join("within"), "within").unwrap();
        fs::write(root.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), served.join("index.html")).unwrap();
        std::os::unix::fs::symlink("../within", served.join("sub/index.html")).unwrap();

        let source = Source::directory(&served, "/").unwrap();
        assert_eq!(source.find("/"), Found::Nothing);
        assert_eq!(source.find("/index.html"), Found::Nothing);
        assert!(matches!(source.find("/sub/"), Found::File(body, _) if body == "within"));
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_served() {
        let root = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(root.path().join("index.html")).status();
        assert!(made.unwrap().success());
        let sized = |name: &str, bytes| File::create(root.path().join(name)).unwrap().set_len(bytes).unwrap();
        sized("large", FILE_BYTES + 1);
        sized("small", 1);

        let source = Source::directory(root.path(), "/").unwrap();
        assert_eq!(source.find("/"), Found::Nothing, "a pipe that nobody writes to");
        assert_eq!(source.find("/large"), Found::Nothing);
        assert!(matches!(source.find("/small"), Found::File(..)));
    }
}
