//! What looks like a secret in clear text, wherever it stands: in a file that cannot be parsed, under a misspelt
//! name, in a comment.
//!
//! Owns the guess by which texts are starred before anybody is shown them, and errs on the safe side. Judges
//! nothing: what is wrong with a value is its reader's finding.

use super::secret;
use std::ops::Range;

/// Names of secrets hold one of these.
const PARTS: &[&str] = &["passw", "passphrase", "secret", "token"];
const SHORT: &[&str] = &["pass", "pwd", "pw"];
const PASSWORD: &str = "password";
const SECRET: &str = "secret";
/// A slip of the pen leaves this many letters where they belong, or near.
const LETTERS_LEFT: usize = 6;

/// The parts of a text that nobody is to be shown.
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for (start, word) in pieces(text, |c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))) {
        let end = start + word.len();
        let annotation = text[..start].ends_with('(') && text[end..].starts_with(')');
        let value = match annotation {
            true if is_like(word, SECRET, LETTERS_LEFT - 1) => value(text, end + 1, word == SECRET),
            false if names_secret(word) => value_of_name(text, end),
            _ => None,
        };
        ranges.extend(value);
    }
    let apart = |c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | '(' | '{' | '}');
    for (start, token) in pieces(text, apart) {
        ranges.extend(login(token).map(|login| start + login.start..start + login.end));
    }
    ranges
}

/// The user and the password that stand in a URL, or before a host: `root:hunter2@10.0.0.1`.
pub fn login(token: &str) -> Option<Range<usize>> {
    let end = token.rfind('@')?;
    let scheme = token[..end].find("://").map(|at| at + 3);
    let login = &token[scheme.unwrap_or(0)..end];
    let is_one = login.contains(':') || (scheme.is_some() && !login.contains('/'));
    is_one.then(|| scheme.unwrap_or(0)..end)
}

/// Runs of what is not `apart`, with their offsets.
fn pieces(text: &str, apart: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive(apart).map(move |piece| {
        let start = offset;
        offset += piece.len();
        (start, piece.trim_end_matches(apart))
    })
}

/// Whether a secret may stand under such a name.
pub fn names_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    PARTS.iter().any(|part| word.contains(part))
        || SHORT.contains(&&*word)
        || is_like(&word, PASSWORD, LETTERS_LEFT)
}

/// Cheap, because it is asked of every word: the first letter, and how many of the others there are.
fn is_like(word: &str, name: &str, least: usize) -> bool {
    if word.len() > name.len() + 2 || word.as_bytes().first() != name.as_bytes().first() {
        return false;
    }
    let mut left = name.as_bytes().to_vec();
    let common = word.bytes().filter(|byte| match left.iter().position(|other| other == byte) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    });
    common.count() >= least
}

/// The value that follows a name: `name=value`, `name "value"`, `"name" "value"`.
fn value_of_name(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = text[end..].trim_start_matches('"').trim_start_matches([' ', '\t']);
    // A module of a script is no name of a value.
    if rest.starts_with("::") {
        return None;
    }
    let after = rest.trim_start_matches(['=', ':']).trim_start_matches([' ', '\t']);
    let start = text.len() - after.len();
    match after.strip_prefix('(').and_then(|inside| inside.split_once(')')) {
        // What stands behind the mark of a secret is looked at by itself.
        Some((annotation, _)) if is_like(annotation, SECRET, LETTERS_LEFT - 1) => None,
        Some((annotation, _)) => value(text, start + annotation.len() + 2, false),
        // A bare word behind a name may be anything; behind a sign it is the value.
        None if rest.len() > after.len() || after.starts_with(['"', '#']) => value(text, start, false),
        None => after.starts_with(|c: char| c.is_ascii_digit()).then(|| value(text, start, false)).flatten(),
    }
}

/// The value at `start`; none when it is a reference as it should be.
fn value(text: &str, start: usize, marked: bool) -> Option<Range<usize>> {
    let rest = text[start..].trim_start_matches([' ', '\t', '#']);
    let start = text.len() - rest.len();
    let (open, length) = if let Some(inside) = rest.strip_prefix("\"\"\"") {
        (3, inside.find("\"\"\"").unwrap_or(inside.len()))
    } else if let Some(inside) = rest.strip_prefix('"') {
        (1, quoted_length(inside))
    } else {
        (0, rest.find(|c: char| c.is_whitespace() || matches!(c, ';' | '{' | '}')).unwrap_or(rest.len()))
    };
    let inside = start + open..start + open + length;
    let reference = marked && secret::of_text(&text[inside.clone()]).is_ok();
    (length > 0 && !reference).then_some(inside)
}

/// To the closing quote, or to the end of the line when there is none.
fn quoted_length(inside: &str) -> usize {
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let ends = *c == '\n' || (*c == '"' && !escaped);
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(inside.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starred(text: &str) -> Vec<&str> {
        ranges(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn what_follows_the_name_of_a_secret_is_one() {
        for text in [
            r#"password="hunter2""#,
            r#"bmc "redfish" passwrod = "hunter2" version=2"#,
            r#"pasword "hunter2";"#,
            r#"BMC_PASSWD=hunter2 "#,
            r#"password=(secret)"hunter2" }"#,
            r#"param "t" (secret)"hunter2""#,
            r#"param "t" (secrt)"hunter2""#,
            r#"param "api-token" "hunter2""#,
            r##"pwd=#"hunter2"#"##,
            r#"password="""hunter2""" x="1""#,
            "password=\"hunter2\nnode \"n02\"",
            "password=hunter2",
        ] {
            assert_eq!(starred(text), ["hunter2"], "{text}");
        }
    }

    #[test]
    fn a_login_in_front_of_a_host_is_one() {
        assert_eq!(starred("x \"https://root:hunter2@10.0.0.1/\""), ["root:hunter2"]);
        assert_eq!(starred("x \"root:hun/ter2@10.0.0.1\""), ["root:hun/ter2"]);
        assert_eq!(starred("a,https://ghp_hunter2@host/x,b"), ["ghp_hunter2"]);
    }

    #[test]
    fn references_and_other_words_stay() {
        for text in [
            r#"password=(secret)"env:BMC" version=2"#,
            r#"password (secret)"file:/a""#,
            r#"authorized-key "ssh-ed25519 AAAA ops@host""#,
            r#"url "https://host/a@b""#,
            "the password is kept elsewhere",
            "tell(secret::get(name))",
            "primary-network \"prod\"; profile \"secure\"; partition \"root\"",
            "",
        ] {
            assert_eq!(starred(text), Vec::<&str>::new(), "{text}");
        }
    }
}
