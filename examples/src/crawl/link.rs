//! The links in a page.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

/// areq.py's. A test compiles it, so that it cannot fail in a program.
static HREF: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"href="(.*?)""#).expect("the pattern is a valid constant"));

/// What every `href="…"` of `html` says, in order.
pub fn hrefs(html: &str) -> impl Iterator<Item = &str> {
    HREF.captures_iter(html).filter_map(|found| Some(found.get(1)?.as_str()))
}

/// The text of a page, and whether it was UTF-8; what was not is replaced.
pub fn decode(body: Vec<u8>) -> (String, bool) {
    match String::from_utf8(body) {
        Ok(text) => (text, true),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    }
}

/// Where `href` leads from `page`, as an address of a page on the same origin: without its fragment. `None` if it
/// leads elsewhere or nowhere.
///
/// In HTML an ampersand is written `&amp;`, and generators of pages do so in every query.
pub fn within_origin(page: &Url, href: &str) -> Option<Url> {
    let mut link = page.join(&href.replace("&amp;", "&")).ok()?;
    link.set_fragment(None);
    (link.origin() == page.origin()).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hrefs_are_found_in_order() {
        let html =
            r##"<a href="/a">a</a> <a class="x" href="b?q=1">b</a> <a href="">c</a> <a href='d'>d</a>"##;
        assert_eq!(hrefs(html).collect::<Vec<_>>(), ["/a", "b?q=1", ""]);
    }

    #[test]
    fn only_pages_of_the_same_origin_count() {
        let page = Url::parse("http://host:80/dir/page.html").unwrap();
        let found = |href| within_origin(&page, href).map(String::from);
        assert_eq!(found("other.html#part").as_deref(), Some("http://host/dir/other.html"));
        assert_eq!(found("../up").as_deref(), Some("http://host/up"));
        assert_eq!(found("//host/x").as_deref(), Some("http://host/x"));
        assert_eq!(found("x?a=1&amp;b=2").as_deref(), Some("http://host/dir/x?a=1&b=2"));
        assert_eq!(found("https://host/x"), None);
        assert_eq!(found("http://host:81/x"), None);
        assert_eq!(found("mailto:somebody"), None);
        assert_eq!(found("http://["), None);
    }
}
