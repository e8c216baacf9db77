//! Text of others, in one line.

use std::borrow::Cow;

/// `text` with a replacement character in place of whatever could end the line or order a terminal about.
///
/// What comes from a page, a server or an argument is shown to people, and may have been written to deceive them.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    if text.contains(breaks) { text.replace(breaks, "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_text_is_replaced() {
        assert_eq!(one_line("a\nb\r\x1b[31mc\u{85}\u{2028}\t"), "a�b��[31mc���");
        assert!(matches!(one_line("plain – text"), Cow::Borrowed("plain – text")));
    }
}
