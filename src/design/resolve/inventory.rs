//! The rows of an inventory, a layer of a node each.
//!
//! Owns the reading of tables: headings to slots, cells to typed values, a finding with the row's line for each
//! that does not fit. Spreadsheets are how MACs arrive, so an unknown heading is an error and never lost data.

use super::{Part, Rank, Resolver};
use crate::design::clear_text;
use crate::design::read::{Item, Reference};
use crate::design::schema::Type;
use crate::design::secret;
use crate::design::slots::{self, Target};
use crate::design::source::SourceFile;
use crate::design::value_of::{self, Problem};
use crate::finding::{
    Finding, INVENTORY_COLUMN, INVENTORY_ROW, LIMIT, MISSING_REFERENCE, Place, did_you_mean,
};
use crate::model::path::Path;
use crate::model::site::Layer;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most rows of one table.
const MOST_ROWS: usize = 200_000;
/// A table that is wrong is usually wrong in every row; this many findings are enough.
const MOST_PROBLEMS: usize = 20;

/// The path of a node's name, and the key of its row when nothing else is said.
const NAME: &str = "name";
/// The list whose entries hold commas.
const KEYS: &str = "authorized-keys";
const CLOSE_QUOTE: &str = "write it on one line; perhaps a quote is missing at its end";

/// One column that counts.
struct Column {
    index: usize,
    heading: String,
    target: Target,
    /// What a cell is put into: `https://{}`.
    form: Option<String>,
}

/// What the headings come to.
struct Columns {
    /// The index of the column that names the nodes.
    key: usize,
    filled: Vec<Column>,
    /// Columns without a heading, as spreadsheets leave them behind; their cells are empty.
    unnamed: Vec<usize>,
    width: usize,
}

pub fn rows(resolver: &mut Resolver<'_>, item: &Item) {
    let catalog = resolver.catalog;
    let Some(file) = item.tree.str_at("file") else { return };
    let Some(table) = catalog.tables.get(file) else {
        if !catalog.broken {
            resolver.findings.push(no_table(item, file, catalog.tables.keys().map(|name| &**name)));
        }
        return;
    };
    let (body, base) = table.body();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(item))
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(body.as_bytes());
    let Ok(headings) = reader.headers().cloned() else { return };
    let mut reading = Reading { item, table, base, problems: 0, no_places: Arc::default() };
    let below = reader.position().byte() as usize;
    let Some(columns) = reading.columns(&headings, below, resolver) else { return };
    let shared = profile_layer(item);
    let mut record = csv::StringRecord::new();
    let mut count = 0;
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return,
            Ok(true) if record.iter().all(str::is_empty) => {}
            Ok(true) => {
                count += 1;
                if count > MOST_ROWS {
                    let message = format!("the table has more than {MOST_ROWS} rows");
                    return reading.find(resolver, LIMIT, message, item.place.clone(), "split it");
                }
                if !resolver.may_add(item) {
                    return;
                }
                let end = reader.position().byte() as usize;
                let part = reading.row(resolver, &record, end, &columns, shared.as_ref());
                resolver.parts.extend(part);
            }
            // The text is UTF-8 already, and rows may be of any length: nothing else is left to go wrong.
            Err(error) => {
                let place = item.place.clone();
                return reading.find(resolver, INVENTORY_ROW, error.to_string(), place, "correct the table");
            }
        }
    }
}

fn separator(item: &Item) -> u8 {
    match item.tree.str_at("separator") {
        Some("semicolon") => b';',
        Some("tab") => b'\t',
        _ => b',',
    }
}

fn no_table<'t>(item: &Item, file: &str, known: impl Iterator<Item = &'t str>) -> Finding {
    let help = match did_you_mean(file, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "put the table there; tables are `inventory/*.csv`".to_string(),
    };
    let message = format!("there is no table `{file}` in the design");
    Finding::new(MISSING_REFERENCE, item.subject(), message).at(item.place.clone()).help(help)
}

/// The profile of all rows is a layer below each.
fn profile_layer(item: &Item) -> Option<Layer> {
    let profile = item.tree.get("profile")?;
    Some(Layer {
        label: item.subject().into(),
        written: true,
        tree: Value::map([("profile", profile.clone())]),
        place: Some(item.place.clone()),
        places: item.places.clone(),
    })
}

/// What the `inventory` says of headings.
struct Said<'a> {
    key: Option<&'a str>,
    renamed: BTreeMap<&'a str, &'a Value>,
    ignored: BTreeSet<&'a str>,
}

impl<'a> Said<'a> {
    fn of(item: &'a Item) -> Said<'a> {
        let renamed = item.tree.get("columns").and_then(Value::as_map).into_iter().flatten();
        let ignored = item.tree.get("ignore").and_then(Value::as_list).unwrap_or_default();
        Said {
            key: item.tree.str_at("key"),
            renamed: renamed.map(|(heading, column)| (&**heading, column)).collect(),
            ignored: ignored.iter().filter_map(Value::as_str).collect(),
        }
    }

    /// The heading that `key=` names is the nodes' name.
    fn path_of<'s>(&'s self, heading: &'s str) -> &'s str {
        match self.renamed.get(heading).and_then(|column| column.str_at("path")) {
            _ if self.key == Some(heading) => NAME,
            Some(path) => path,
            None => heading,
        }
    }

    /// When `key=` names a heading, no other one names the nodes.
    fn is_key(&self, heading: &str) -> bool {
        self.key.map_or(self.path_of(heading) == NAME, |key| key == heading)
    }

    fn knows(&self, heading: &str) -> bool {
        self.is_key(heading)
            || self.ignored.contains(heading)
            || slots::target(self.path_of(heading)).is_some()
    }
}

struct Reading<'a> {
    item: &'a Item,
    table: &'a SourceFile,
    /// The byte at which the table's text starts, after a byte-order mark.
    base: usize,
    problems: usize,
    /// A row stands where it stands; its cells have no finer place.
    no_places: Arc<BTreeMap<Path, Place>>,
}

impl Reading<'_> {
    /// What the columns mean; `below` is where the headings end. `None` without a column for the names.
    fn columns(
        &mut self,
        headings: &csv::StringRecord,
        below: usize,
        resolver: &mut Resolver<'_>,
    ) -> Option<Columns> {
        let (item, place) = (self.item, self.heading_place(headings));
        let said = Said::of(item);
        if !headings.iter().any(|heading| said.knows(heading)) {
            // The first row of a table without headings may hold anything, so nothing of it is quoted.
            resolver.hidden.push(self.table.place(self.base, usize::MAX - self.base));
            let message = format!("the first line of the table `{}` holds no known heading", self.table.name);
            let help =
                "write headings such as name,boot-mac,bmc.address; separator= says what stands between them";
            self.find(resolver, INVENTORY_COLUMN, message, place, help);
            return None;
        }
        self.guard(resolver, headings, below, &said);
        // Without the names' column the first line may be a row, and what nobody knows of it a secret.
        let are_headings = headings.iter().any(|heading| said.is_key(heading));
        if !are_headings {
            resolver.hidden.push(self.table.place(self.base, below));
        }
        let known: BTreeSet<&str> = headings.iter().collect();
        for name in said.renamed.keys().chain(&said.ignored).filter(|name| !known.contains(**name)) {
            let message = format!("the table `{}` has no column `{name}`", self.table.name);
            let near = if self.problems < MOST_PROBLEMS { did_you_mean(name, headings) } else { None };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a heading as it stands in the table".to_string(),
            };
            self.find(resolver, INVENTORY_COLUMN, message, item.place.clone(), help);
        }
        let (mut key, mut filled, mut unnamed, mut seen) = (None, Vec::new(), Vec::new(), BTreeMap::new());
        for (index, heading) in headings.iter().enumerate().filter(|(_, it)| !said.ignored.contains(it)) {
            let path = said.path_of(heading);
            if heading.is_empty() {
                unnamed.push(index);
            } else if let Some(first) = seen.insert(path, heading) {
                let message = format!("the columns `{first}` and `{heading}` both go to `{path}`");
                let help = "ignore or rename one of the two";
                self.find(resolver, INVENTORY_COLUMN, message, place.clone(), help);
            } else if said.is_key(heading) {
                key = Some(index);
            } else if let Some(target) = slots::target(path) {
                self.names(resolver, heading, &target, &place);
                let form = said.renamed.get(heading).and_then(|own| own.str_at("as")).map(str::to_string);
                filled.push(Column { index, heading: heading.to_string(), target, form });
            } else {
                self.unknown_column(resolver, (index, heading, path), are_headings, place.clone());
            }
        }
        if key.is_none() {
            let wanted = said.key.unwrap_or(NAME);
            let message =
                format!("the table `{}` has no column `{wanted}` for the nodes' names", self.table.name);
            let help = "write key=\"…\" with the column's heading";
            self.find(resolver, INVENTORY_COLUMN, message, place, help);
        }
        key.map(|key| Columns { key, filled, unnamed, width: headings.len() })
    }

    /// Names inside the path of a heading are names of the design: `addresses.NETWORK`.
    fn names(&mut self, resolver: &mut Resolver<'_>, heading: &str, target: &Target, place: &Place) {
        for (kind, name) in &target.names {
            if let Err(problem) = value_of::of_text(*kind, name) {
                let message = format!("column `{heading}`: {}", problem.message);
                self.find(resolver, problem.code, message, place.clone(), problem.help);
            } else if let Type::Reference(kind) = *kind {
                let reference = Reference { kind, name: name.clone(), place: place.clone() };
                resolver.refer(|| self.item.subject(), reference);
            }
        }
    }

    /// Findings show a line with its neighbours. So rows that hold secrets, or what nobody can tell, are shown to
    /// nobody: a row may always have a cell too many, or a secret in clear text.
    fn guard(
        &self,
        resolver: &mut Resolver<'_>,
        headings: &csv::StringRecord,
        below: usize,
        said: &Said<'_>,
    ) {
        let holds_secrets = |heading: &str| match slots::target(said.path_of(heading)) {
            _ if clear_text::names_secret(heading) => true,
            Some(target) => target.kind == Type::Secret,
            None => !heading.is_empty() && !said.knows(heading),
        };
        if headings.iter().any(holds_secrets) {
            resolver.hidden.push(self.table.place(self.base + below, usize::MAX - self.base - below));
        }
    }

    /// A heading that is no path. It is quoted where it is one for certain, or nearly the name of one.
    fn unknown_column(
        &mut self,
        resolver: &mut Resolver<'_>,
        (index, heading, path): (usize, &str, &str),
        is_heading: bool,
        place: Place,
    ) {
        let names = if self.problems < MOST_PROBLEMS { slots::names() } else { Vec::new() };
        let near = did_you_mean(path, names.iter().map(String::as_str));
        let (what, help) = match near {
            Some(near) => {
                let help = format!("did you mean `{near}`? Write column \"{heading}\" \"{near}\"");
                (format!("column `{heading}`"), help)
            }
            None if is_heading => {
                let help = format!("write column \"{heading}\" \"PATH\", or ignore \"{heading}\"");
                (format!("column `{heading}`"), help)
            }
            None => {
                let help = "write the headings into the first line of the table".to_string();
                (format!("heading of column {}", index + 1), help)
            }
        };
        let message = format!("the {what} is no path of a node's spec");
        self.find(resolver, INVENTORY_COLUMN, message, place, help);
    }

    /// The node of a row that reaches to byte `end` of the text.
    fn row(
        &mut self,
        resolver: &mut Resolver<'_>,
        record: &csv::StringRecord,
        end: usize,
        columns: &Columns,
        shared: Option<&Layer>,
    ) -> Option<Part> {
        let (place, whole) = self.places_of(record, end);
        let name = record.get(columns.key).unwrap_or_default();
        if name.is_empty() {
            let message = format!("the row at line {} names no node", place.line);
            self.find(resolver, INVENTORY_ROW, message, place, "fill the column of the names in");
            return None;
        }
        if name.contains('\n') {
            let message = format!("the name in the row at line {} holds a line break", place.line);
            self.find(resolver, INVENTORY_ROW, message, place, CLOSE_QUOTE);
            return None;
        }
        let mut tree = Value::map([(NAME, Value::text(name))]);
        let mut faulty = self.item.faulty;
        let unnamed = columns.unnamed.iter().any(|index| record.get(*index).is_some_and(|it| !it.is_empty()));
        if unnamed || record.len() > columns.width {
            faulty = true;
            resolver.hidden.push(whole);
            let (message, help) = match unnamed {
                true => (
                    format!("the row of `{name}` has a cell in a column without a heading"),
                    "give the column a heading, or empty the cell",
                ),
                false => (
                    format!("the row of `{name}` has {} cells for {} columns", record.len(), columns.width),
                    "put quotes around a cell that holds the separator",
                ),
            };
            self.find(resolver, INVENTORY_ROW, message, place.clone(), help);
        } else {
            for column in &columns.filled {
                let cell = record.get(column.index).unwrap_or_default();
                if !cell.is_empty() {
                    faulty |= !self.cell(resolver, &mut tree, column, cell, name, (&place, &whole));
                }
            }
        }
        let was = tree.str_at("was").map(Arc::from);
        let label = format!("row {} of {}", place.line, self.table.name);
        let own = Layer {
            label: label.into(),
            written: true,
            tree: if was.is_some() { super::contribution(&tree) } else { tree },
            place: Some(place.clone()),
            places: self.no_places.clone(),
        };
        let layers = shared.cloned().into_iter().chain([own]).collect();
        Some(Part { name: name.into(), rank: Rank::Row, layers, place, faulty, was })
    }

    /// Puts a cell into the tree; false when it does not fit.
    fn cell(
        &mut self,
        resolver: &mut Resolver<'_>,
        tree: &mut Value,
        column: &Column,
        cell: &str,
        node: &str,
        (place, whole): (&Place, &Place),
    ) -> bool {
        let Target { keys, kind, many, .. } = &column.target;
        let is_list_of_keys = keys.last().is_some_and(|key| &**key == KEYS);
        // Such a cell holds the cells and rows after it, and perhaps their secrets.
        if cell.contains('\n') && !is_list_of_keys && *kind != Type::Scalar {
            resolver.hidden.push(whole.clone());
            let message = format!("column `{}`: the cell holds a line break", column.heading);
            self.find_about(resolver, node, INVENTORY_ROW, message, place, CLOSE_QUOTE.to_string());
            return false;
        }
        let parts: Vec<&str> = match many {
            // The options in front of a key hold commas: `from="10.0.0.1,10.0.0.2" ssh-ed25519 …`.
            true if is_list_of_keys => cell.lines().collect(),
            true => cell.split([',', ';']).collect(),
            false => vec![cell],
        };
        let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            let form = column.form.as_deref();
            // A form multiplies its cell, and each row has one.
            let length = form.map_or(0, |form| form.len() + form.matches("{}").count() * part.len());
            if !resolver.may_expand(self.item, length) {
                return false;
            }
            let text = form.map(|form| form.replace("{}", part));
            match typed(*kind, text.as_deref().unwrap_or(part)) {
                Ok(value) => values.push(value),
                Err(problem) => {
                    if value_of::hides_text(&problem) {
                        resolver.hidden.push(whole.clone());
                    }
                    let message = format!("column `{}`: {}", column.heading, problem.message);
                    self.find_about(resolver, node, problem.code, message, place, problem.help);
                    return false;
                }
            }
        }
        if let Type::Reference(kind) = *kind {
            for name in values.iter().filter_map(Value::as_str) {
                let reference = Reference { kind, name: name.into(), place: place.clone() };
                resolver.refer(|| format!("node \"{node}\""), reference);
            }
        }
        match many {
            true => tree.put(keys, Value::list(values)),
            false => values.into_iter().for_each(|value| tree.put(keys, value)),
        }
        true
    }

    /// The first line of a row that reaches to byte `end`, to be underlined, and the whole of it.
    fn places_of(&self, record: &csv::StringRecord, end: usize) -> (Place, Place) {
        let (text, _) = self.table.body();
        let mut start = record.position().map_or(0, |position| position.byte()) as usize;
        // Empty lines and comments before a row belong to its record.
        loop {
            let rest = &text[start..];
            let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
            match rest.bytes().next() {
                Some(b'\r' | b'\n') => start += 1,
                Some(b'#') => start += line,
                _ => break,
            }
        }
        let length = text[start..].find(['\r', '\n']).unwrap_or(text.len() - start);
        let whole = end.saturating_sub(start).max(length);
        (self.table.place(self.base + start, length), self.table.place(self.base + start, whole))
    }

    fn heading_place(&self, headings: &csv::StringRecord) -> Place {
        let (place, _) = self.places_of(headings, 0);
        Place { length: 0, ..place }
    }

    fn find(
        &mut self,
        resolver: &mut Resolver<'_>,
        code: crate::finding::Code,
        message: String,
        place: Place,
        help: impl Into<String>,
    ) {
        self.problems += 1;
        if self.problems <= MOST_PROBLEMS {
            resolver.findings.push(Finding::new(code, self.item.subject(), message).at(place).help(help));
        }
    }

    fn find_about(
        &mut self,
        resolver: &mut Resolver<'_>,
        node: &str,
        code: crate::finding::Code,
        message: String,
        place: &Place,
        help: String,
    ) {
        self.problems += 1;
        if self.problems <= MOST_PROBLEMS {
            let subject = format!("node \"{node}\"");
            resolver.findings.push(Finding::new(code, subject, message).at(place.clone()).help(help));
        }
    }
}

/// A cell has no types of its own: where the language takes several, a number is a number and a truth a truth.
fn typed(kind: Type, text: &str) -> Result<Value, Problem> {
    match kind {
        Type::Secret => secret::of_text(text),
        Type::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Value::Bool(true)),
            "false" | "no" | "0" => Ok(Value::Bool(false)),
            _ => value_of::of_text(kind, text),
        },
        // `00123` and `+5` are texts: a serial number keeps its zeros.
        Type::Attribute | Type::Scalar | Type::KernelParam => match (text.parse::<i64>(), text) {
            (Ok(number), _) if number.to_string() == text => Ok(Value::Int(number)),
            (_, "true") => Ok(Value::Bool(true)),
            (_, "false") => Ok(Value::Bool(false)),
            _ => value_of::of_text(kind, text),
        },
        _ => value_of::of_text(kind, text),
    }
}
