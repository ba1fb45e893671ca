//! KDL as a person would have written it.
//!
//! Owns quoting (KDL 2.0.0, 3.9 to 3.11: quoted, raw and multi-line strings) and the layout: short things on one line
//! with `;`, longer ones in braces. Remembers which bytes came from where. Knows nothing of the design language.

use crate::model::imported::Mark;
use std::fmt::Write;

/// The widest line, as long as no single value is wider.
const WIDTH: usize = 110;
const INDENT: usize = 4;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    /// With the word in parentheses before it: `(secret)"env:X"`.
    Annotated(&'static str, String),
    Int(i64),
    Bool(bool),
    Null,
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_string())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    name: Option<&'static str>,
    value: Value,
    mark: Option<Mark>,
}

/// One KDL node.
#[derive(Clone, Debug)]
pub struct Element {
    name: String,
    entries: Vec<Entry>,
    children: Vec<Element>,
    mark: Option<Mark>,
    comment: Option<&'static str>,
    /// A new line begins with it.
    fresh: bool,
}

impl Element {
    pub fn new(name: impl Into<String>) -> Element {
        Element {
            name: name.into(),
            entries: Vec::new(),
            children: Vec::new(),
            mark: None,
            comment: None,
            fresh: false,
        }
    }

    pub fn arg(mut self, value: impl Into<Value>) -> Element {
        self.entries.push(Entry { name: None, value: value.into(), mark: None });
        self
    }

    pub fn prop(mut self, name: &'static str, value: impl Into<Value>) -> Element {
        self.entries.push(Entry { name: Some(name), value: value.into(), mark: None });
        self
    }

    /// Where the last argument or property comes from; before the first, the whole.
    pub fn from(mut self, mark: Mark) -> Element {
        match self.entries.last_mut() {
            Some(entry) => entry.mark = Some(mark),
            None => self.mark = Some(mark),
        }
        self
    }

    /// Where the whole comes from.
    pub fn at(mut self, mark: Mark) -> Element {
        self.mark = Some(mark);
        self
    }

    pub fn child(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    pub fn add(&mut self, child: Element) {
        self.children.push(child);
    }

    pub fn comment(mut self, comment: &'static str) -> Element {
        self.comment = Some(comment);
        self
    }

    pub fn fresh(mut self) -> Element {
        self.fresh = true;
        self
    }

    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    fn is_multi_line(&self) -> bool {
        self.entries.iter().any(|entry| matches!(&entry.value, Value::Text(text) if fits_lines(text)))
    }
}

/// A file, and which of its bytes come from where.
#[derive(Debug, Default)]
pub struct Written {
    pub text: String,
    pub spans: Vec<(usize, usize, Mark)>,
}

/// The elements as a file, with an empty line before each that has braces over several lines.
pub fn write(elements: &[Element]) -> Written {
    let mut out = Written::default();
    let mut previous_tall = true;
    let mut previous_kind = "";
    for element in elements {
        let before = out.text.len();
        let tall = line_of(element).is_none_or(|line| line.len() > WIDTH) || element.comment.is_some();
        let apart = tall || previous_tall || element.name != previous_kind;
        if before > 0 && apart {
            out.text.push('\n');
        }
        out.block(element, 0);
        (previous_tall, previous_kind) = (tall, &element.name);
    }
    out.spans.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    out
}

impl Written {
    /// One element and its line's end, at an indentation.
    fn block(&mut self, element: &Element, indent: usize) {
        if let Some(comment) = element.comment {
            let _ = writeln!(self.text, "{:indent$}// {comment}", "");
        }
        let _ = write!(self.text, "{:indent$}", "");
        match line_of(element).filter(|line| indent + line.len() <= WIDTH) {
            Some(_) => self.line(element),
            None => self.tall(element, indent),
        }
        self.text.push('\n');
    }

    /// The element on several lines.
    fn tall(&mut self, element: &Element, indent: usize) {
        let start = self.text.len();
        self.head(element, indent);
        if element.children.is_empty() {
            return self.mark(start, &element.mark);
        }
        self.text.push_str(" {\n");
        let inner = indent + INDENT;
        let mut run: Vec<&Element> = Vec::new();
        for child in &element.children {
            let small = !child.has_children() && child.comment.is_none() && !child.is_multi_line();
            let width: usize = run.iter().chain([&child]).map(|it| width(it) + 2).sum();
            if !small || child.fresh || inner + width > WIDTH + 2 {
                self.run(&mut run, inner);
            }
            match small {
                true => run.push(child),
                false => self.block(child, inner),
            }
        }
        self.run(&mut run, inner);
        let _ = write!(self.text, "{:indent$}}}", "");
        self.mark(start, &element.mark);
    }

    /// Small children on one line.
    fn run(&mut self, run: &mut Vec<&Element>, indent: usize) {
        for (index, child) in run.iter().enumerate() {
            match index {
                0 => drop(write!(self.text, "{:indent$}", "")),
                _ => self.text.push_str("; "),
            }
            self.line(child);
        }
        if !run.is_empty() {
            self.text.push('\n');
        }
        run.clear();
    }

    /// The element on one line.
    fn line(&mut self, element: &Element) {
        let start = self.text.len();
        self.head(element, 0);
        for (index, child) in element.children.iter().enumerate() {
            self.text.push_str(if index == 0 { " { " } else { "; " });
            self.line(child);
        }
        if element.has_children() {
            self.text.push_str(" }");
        }
        self.mark(start, &element.mark);
    }

    fn head(&mut self, element: &Element, indent: usize) {
        self.text.push_str(&name(&element.name));
        for entry in &element.entries {
            self.text.push(' ');
            let start = self.text.len();
            if let Some(property) = entry.name {
                let _ = write!(self.text, "{property}=");
            }
            self.text.push_str(&value(&entry.value, indent));
            self.mark(start, &entry.mark);
        }
    }

    fn mark(&mut self, start: usize, mark: &Option<Mark>) {
        if let Some(mark) = mark {
            self.spans.push((start, self.text.len(), mark.clone()));
        }
    }
}

/// The element on one line, when it may stand so: no texts of several lines, and no braces within braces.
fn line_of(element: &Element) -> Option<String> {
    let plain = |it: &Element| it.comment.is_none() && !it.is_multi_line();
    let flat = element.children.iter().all(|child| plain(child) && !child.has_children() && !child.fresh);
    if !flat || element.is_multi_line() {
        return None;
    }
    let mut out = Written::default();
    out.line(element);
    Some(out.text)
}

fn width(element: &Element) -> usize {
    line_of(element).map_or(WIDTH, |line| line.chars().count())
}

/// A name, in quotes where it needs them.
fn name(text: &str) -> String {
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let reserved = ["true", "false", "null", "inf", "nan"].contains(&text);
    if starts && rest && !reserved { text.to_string() } else { one_line(text) }
}

fn value(value: &Value, indent: usize) -> String {
    match value {
        Value::Text(text) if fits_lines(text) => lines(text, indent),
        Value::Text(text) => one_line(text),
        Value::Annotated(word, text) => format!("({word}){}", one_line(text)),
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => format!("#{truth}"),
        Value::Null => "#null".to_string(),
    }
}

/// Characters that must not stand in KDL as they are (KDL 2.0.0, 3.18), and those that end a line there.
fn is_literal(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}')
}

/// True for texts that are easiest to read as lines. A line of white space alone would lose it.
fn fits_lines(text: &str) -> bool {
    text.contains('\n')
        && text.split('\n').all(|line| line.chars().all(|c| is_literal(c) || c == '\t'))
        && text.split('\n').all(|line| line.is_empty() || !line.trim().is_empty())
}

fn lines(text: &str, indent: usize) -> String {
    let hashes = if text.contains(['\\', '"']) { hashes_for(text, "\"\"\"") } else { String::new() };
    let indent = indent + INDENT;
    let mut written = format!("{hashes}\"\"\"\n");
    for line in text.split('\n') {
        match line.is_empty() {
            true => written.push('\n'),
            false => drop(writeln!(written, "{:indent$}{line}", "")),
        }
    }
    let _ = write!(written, "{:indent$}\"\"\"{hashes}", "");
    written
}

/// As many `#` as the end of a raw text needs to be told from what is in it; at least one.
fn hashes_for(text: &str, quotes: &str) -> String {
    let mut hashes = "#".to_string();
    while text.contains(&format!("{quotes}{hashes}")) {
        hashes.push('#');
    }
    hashes
}

fn one_line(text: &str) -> String {
    let literal = text.chars().all(is_literal);
    // Two quotes at the start would begin a text of several lines.
    if literal && text.contains(['\\', '"']) && !text.starts_with('"') {
        let hashes = hashes_for(text, "\"");
        return format!("{hashes}\"{text}\"{hashes}");
    }
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if is_literal(c) => written.push(c),
            c => drop(write!(written, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::kdl::{KdlDocument, KdlValue};
    use proptest::prelude::*;

    #[test]
    fn short_things_stand_on_one_line_and_long_ones_in_braces() {
        let network = Element::new("network")
            .arg("oob")
            .child(Element::new("cidr").arg("10.0.0.0/24"))
            .child(Element::new("vlan").arg(7));
        assert_eq!(
            write(std::slice::from_ref(&network)).text,
            "network \"oob\" { cidr \"10.0.0.0/24\"; vlan 7 }\n"
        );
        let tall = network.child(Element::new("dhcp").child(Element::new("lease").arg("1h")));
        let text = "network \"oob\" {\n    cidr \"10.0.0.0/24\"; vlan 7\n    dhcp { lease \"1h\" }\n}\n";
        assert_eq!(write(&[tall]).text, text);
    }

    #[test]
    fn texts_are_quoted_as_simply_as_they_can_be() {
        let quoted = |text: &str| value(&text.into(), 0);
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted(r"0000:(19|01):00\.0"), r##"#"0000:(19|01):00\.0"#"##);
        assert_eq!(quoted("a\"#b"), "##\"a\"#b\"##");
        assert_eq!(quoted("\"a"), "\"\\\"a\"");
        assert_eq!(quoted("a\nb\n"), "\"\"\"\n    a\n    b\n\n    \"\"\"");
        assert_eq!(quoted("a\n  \nb"), "\"a\\n  \\nb\"");
        assert_eq!(
            (name("a-b"), name("true"), name("1a")),
            ("a-b".into(), "\"true\"".into(), "\"1a\"".into())
        );
    }

    #[test]
    fn bytes_know_where_they_come_from() {
        let mark = |line| Mark {
            document: "d".into(),
            place: crate::finding::Place { line, ..crate::finding::Place::whole("a.yaml") },
        };
        let element =
            Element::new("a").at(mark(1)).arg("b").from(mark(2)).child(Element::new("c").at(mark(3)));
        let written = write(&[element]);
        let spans: Vec<(&str, u32)> = written
            .spans
            .iter()
            .map(|(start, end, mark)| (&written.text[*start..*end], mark.place.line))
            .collect();
        assert_eq!(spans, [("a \"b\" { c }", 1), ("\"b\"", 2), ("c", 3)]);
    }

    fn any_text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "\"", "\\", "#", "\n", "\r", "\t", " ", "\u{feff}", "\u{2028}", "\u{85}", "\u{202e}", "\0",
            "\"\"\"", "a", "ä", "{", "}", "/-", ";", "\u{b}", "\u{c}", "\u{3000}", "\u{7f}",
        ]);
        prop_oneof![any::<String>(), prop::collection::vec(odd, 0..12).prop_map(|parts| parts.concat())]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(texts in prop::collection::vec(any_text(), 1..4), node in any_text()) {
            let inner = texts.iter().fold(Element::new(node.clone()), |it, text| it.arg(text.as_str()));
            let element = Element::new("outer").arg(7).prop("yes", true).child(inner);
            let text = write(&[element]).text;
            let document: KdlDocument = text.parse().map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
            let outer = &document.nodes()[0];
            prop_assert_eq!(outer.entry("yes").unwrap().value(), &KdlValue::Bool(true));
            let inner = &outer.children().unwrap().nodes()[0];
            prop_assert_eq!(inner.name().value(), node.as_str());
            let read: Vec<&str> = inner.entries().iter().map(|entry| entry.value().as_string().unwrap()).collect();
            prop_assert_eq!(read, texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
