//! YAML documents as trees that know where each value stands.
//!
//! Owns the bounds: depth, values, and what aliases expand to (YAML 1.2.2, 3.2.2.2), so that a few lines cannot become
//! gigabytes. Keeps texts as they are written; what is a number or a truth is for its reader to say. The grammar itself
//! is the library's.

use super::source::Source;
use crate::finding::{Code, Finding, IMPORT_SYNTAX, LIMIT, Place, REPEATED};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// How deep values may stand in each other; documents of sites have fewer than ten floors.
const DEEPEST: usize = 64;
/// Values of one file, those that aliases repeat included.
const MOST_VALUES: usize = 500_000;
/// A file that is wrong in one way is usually wrong in it everywhere.
const MOST_FINDINGS: usize = 100;
/// The key whose map is merged into the one that it stands in (YAML 1.1, merge key).
const MERGE: &str = "<<";

/// A value with its place, in characters.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    start: usize,
    end: usize,
    /// How many values it holds, itself included.
    weight: usize,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// `plain`: without quotes, so that it may be null, a truth or a number.
    Scalar {
        text: Rc<str>,
        plain: bool,
    },
    List(Rc<[Node]>),
    Map(Rc<[(Node, Node)]>),
}

impl Node {
    pub fn place(&self, source: &Source) -> Place {
        source.place(self.start, self.end)
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// A truth as YAML 1.1 writes it; its users' parser read `yes` and `on` so.
    pub fn truth(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn number(&self) -> Option<i64> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => text.parse().ok(),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    pub fn map(&self) -> Option<&[(Node, Node)]> {
        if let Kind::Map(entries) = &self.kind { Some(entries) } else { None }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|(held, _)| held.text() == Some(key)).map(|(_, value)| value)
    }
}

/// The documents of a file up to its first fault, and the faults.
pub fn read(source: &Source) -> (Vec<Node>, Vec<Finding>) {
    let mut reader = Reader::new(source);
    let mut parser = Parser::new_from_str(source.body());
    // The parser gives an event for each few bytes and then ends; the values are counted besides.
    while let Some(event) = parser.next_event() {
        let done = match event {
            Ok((event, span)) => reader.event(event, span),
            Err(error) => Err(reader.broken(&error)),
        };
        if let Err(finding) = done {
            reader.findings.push(*finding);
            break;
        }
    }
    (reader.documents, reader.findings)
}

/// A list or a map that is not closed yet.
struct Open {
    map: bool,
    anchor: usize,
    start: usize,
    items: Vec<Node>,
}

struct Reader<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    documents: Vec<Node>,
    findings: Vec<Finding>,
}

type Step = Result<(), Box<Finding>>;

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Reader<'a> {
        Reader {
            source,
            open: Vec::new(),
            anchors: HashMap::new(),
            values: 0,
            documents: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        let (start, end) = (span.start.index(), span.end.index());
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = Kind::Scalar { text: (&*text).into(), plain: style == ScalarStyle::Plain };
                self.add(Node { kind, start, end: end.max(start), weight: 1 }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(false, anchor, start),
            Event::MappingStart(anchor, _) => self.begin(true, anchor, start),
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.add(Node { start, end, ..node }, 0),
                None => Err(self.fault(IMPORT_SYNTAX, start, end, "this alias is inside what it repeats")),
            },
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
        }
    }

    fn begin(&mut self, map: bool, anchor: usize, start: usize) -> Step {
        if self.open.len() >= DEEPEST {
            let message = format!("values stand in each other more than {DEEPEST} deep");
            return Err(self.fault(LIMIT, start, start, &message));
        }
        self.open.push(Open { map, anchor, start, items: Vec::new() });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Step {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let weight = open.items.iter().map(|item| item.weight).sum::<usize>() + 1;
        let kind = match open.map {
            true => Kind::Map(self.entries(open.items).into()),
            false => Kind::List(open.items.into()),
        };
        // The values inside have been counted.
        self.values = self.values.saturating_sub(weight - 1);
        self.add(Node { kind, start: open.start, end: end.max(open.start), weight }, open.anchor)
    }

    /// A finished value to where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Step {
        self.values = self.values.saturating_add(node.weight);
        if self.values > MOST_VALUES {
            let message =
                format!("the file comes to more than {MOST_VALUES} values, with what aliases repeat");
            return Err(self.fault(LIMIT, node.start, node.end, &message));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }

    /// Keys and values in turn to entries; of two with one key the first stands.
    fn entries(&mut self, items: Vec<Node>) -> Vec<(Node, Node)> {
        let mut entries: Vec<(Node, Node)> = Vec::with_capacity(items.len() / 2);
        let mut merged: Vec<Node> = Vec::new();
        let mut seen: HashSet<Rc<str>> = HashSet::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Kind::Scalar { text, plain } = &key.kind else {
                let finding =
                    self.fault(IMPORT_SYNTAX, key.start, key.end, "a key is a text, not a list or a map");
                self.findings.push(*finding);
                continue;
            };
            if *plain && &**text == MERGE {
                merged.extend(value.list().map(<[Node]>::to_vec).unwrap_or_else(|| vec![value]));
            } else if seen.insert(text.clone()) {
                entries.push((key, value));
            } else if self.findings.len() < MOST_FINDINGS {
                let message = format!("the key `{}` is given twice here", shortened(text));
                self.findings.push(*self.fault(REPEATED, key.start, key.end, &message));
            }
        }
        for (key, value) in merged.iter().filter_map(Node::map).flatten() {
            if let Kind::Scalar { text, .. } = &key.kind
                && seen.insert(text.clone())
            {
                entries.push((key.clone(), value.clone()));
            }
        }
        entries
    }

    fn broken(&self, error: &ScanError) -> Box<Finding> {
        let at = error.marker().index();
        let message = format!("this is no YAML: {}; nothing behind it is read", shortened(error.info()));
        self.fault(IMPORT_SYNTAX, at, at + 1, &message)
    }

    fn fault(&self, code: Code, start: usize, end: usize, message: &str) -> Box<Finding> {
        let help = match code {
            LIMIT => "split the file, and write repeated parts out where they are needed",
            REPEATED => "keep one; the first is taken",
            _ => "correct the text at the place named; indentation is made of spaces, never of tabs",
        };
        let subject = format!("file `{}`", self.source.name);
        Box::new(Finding::new(code, subject, message).at(self.source.place(start, end)).help(help))
    }
}

/// One line of at most this many characters of a text that somebody else wrote.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn documents(text: &str) -> (Vec<Node>, Vec<Finding>) {
        read(&Source::new("a.yaml".into(), text.into()))
    }

    fn faults(text: &str) -> Vec<(u16, u32, u32)> {
        let place = |finding: &Finding| finding.place.as_ref().map_or((0, 0), |it| (it.line, it.column));
        documents(text)
            .1
            .iter()
            .map(|finding| (finding.code.number, place(finding).0, place(finding).1))
            .collect()
    }

    #[test]
    fn values_know_where_they_stand() {
        let text = "# x\n---\nä: {b: [one, 'two']}\n...\n---\nc: >\n  d\n  e\n";
        let source = Source::new("a.yaml".into(), text.into());
        let (documents, findings) = read(&source);
        assert_eq!((documents.len(), findings.len()), (2, 0));
        let two = &documents[0].get("ä").unwrap().get("b").unwrap().list().unwrap()[1];
        let place = two.place(&source);
        assert_eq!((two.text(), place.line, place.column), (Some("two"), 3, 14));
        assert_eq!(&text[place.offset as usize..(place.offset + place.length) as usize], "'two'");
        assert_eq!(documents[1].get("c").unwrap().text(), Some("d e\n"));
    }

    #[test]
    fn quotes_make_texts_and_nothing_is_null() {
        let (documents, _) = documents("a: 'true'\nb: yes\nc: ~\nd:\ne: '1'\nf: 1\ng: ''\n");
        let of = |key: &str| documents[0].get(key).unwrap();
        assert_eq!((of("a").truth(), of("b").truth()), (None, Some(true)));
        assert!(of("c").is_null() && of("d").is_null() && !of("g").is_null());
        assert_eq!((of("e").number(), of("f").number(), of("g").text()), (None, Some(1), Some("")));
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let (documents, findings) = documents("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n");
        assert!(findings.is_empty());
        let d = documents[0].get("d").unwrap();
        assert_eq!((d.get("b").unwrap().number(), d.get("c").unwrap().number()), (Some(1), Some(3)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(faults("a: 1\nb: 2\na: 3\n"), [(REPEATED.number, 3, 1)]);
        assert_eq!(faults("a:\n\tb: 1\n")[0].0, IMPORT_SYNTAX.number);
        assert_eq!(faults("a: [1\nb: 2\n")[0].0, IMPORT_SYNTAX.number);
        assert_eq!(faults("a: &x [*x]\n")[0].0, IMPORT_SYNTAX.number);
        assert_eq!(faults(&"[".repeat(DEEPEST + 1))[0].0, LIMIT.number);
    }

    #[test]
    fn a_few_lines_do_not_become_gigabytes() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_string();
        for floor in 1..30 {
            let alias = format!("*a{}", floor - 1);
            text += &format!("a{floor}: &a{floor} [{}]\n", vec![alias; 9].join(", "));
        }
        assert_eq!(faults(&text).iter().map(|fault| fault.0).collect::<Vec<_>>(), [LIMIT.number]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-a-z0-9 :\\[\\]{}&*!|>'\"%@`#,?\n\t~<ä€.]{0,200}") {
            let source = Source::new("a.yaml".into(), text.into());
            for finding in read(&source).1 {
                prop_assert!(finding.place.is_some());
            }
        }
    }
}
