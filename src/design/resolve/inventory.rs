//! The rows of an inventory, a layer of a node each.
//!
//! Owns the reading of tables: headings to slots, cells to typed values, a finding with the row's line for each
//! that does not fit. Spreadsheets are how MACs arrive, so an unknown heading is an error and never lost data.

use super::{Part, Rank, Resolver};
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

/// One column that counts.
struct Column {
    index: usize,
    heading: String,
    target: Target,
    /// What a cell is put into: `https://{}`.
    form: Option<String>,
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
    let Some((key, columns)) = reading.columns(&headings, resolver) else { return };
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
                let part = reading.row(resolver, &record, headings.len(), key, &columns, shared.as_ref());
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
    /// The index of the key's column, and the other columns that count. `None` without a key.
    fn columns(
        &mut self,
        headings: &csv::StringRecord,
        resolver: &mut Resolver<'_>,
    ) -> Option<(usize, Vec<Column>)> {
        let (item, place) = (self.item, self.table.place(self.base, 0));
        let renamed: BTreeMap<&str, &Value> = item
            .tree
            .get("columns")
            .and_then(Value::as_map)
            .into_iter()
            .flatten()
            .map(|(k, v)| (&**k, v))
            .collect();
        let ignored: BTreeSet<&str> = item
            .tree
            .get("ignore")
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let known: BTreeSet<&str> = headings.iter().collect();
        for name in renamed.keys().chain(&ignored).filter(|name| !known.contains(**name)) {
            let message = format!("the table `{}` has no column `{name}`", self.table.name);
            let near = if self.problems < MOST_PROBLEMS { did_you_mean(name, headings) } else { None };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a heading as it stands in the table".to_string(),
            };
            self.find(resolver, INVENTORY_COLUMN, message, item.place.clone(), help);
        }
        let key_path = item.tree.str_at("key").unwrap_or("name");
        let (mut key, mut columns, mut seen) = (None, Vec::new(), BTreeMap::new());
        for (index, heading) in headings.iter().enumerate().filter(|(_, it)| !ignored.contains(it)) {
            let own = renamed.get(heading);
            let path = own.and_then(|own| own.str_at("path")).unwrap_or(heading);
            if let Some(first) = seen.insert(path, heading) {
                let message = format!("the columns `{first}` and `{heading}` both go to `{path}`");
                self.find(
                    resolver,
                    INVENTORY_COLUMN,
                    message,
                    place.clone(),
                    "ignore or rename one of the two",
                );
            } else if path == "name" || heading == key_path {
                key = Some(index);
            } else if let Some(target) = slots::target(path) {
                let form = own.and_then(|own| own.str_at("as")).map(str::to_string);
                columns.push(Column { index, heading: heading.to_string(), target, form });
            } else {
                self.unknown_column(resolver, heading, path, place.clone());
            }
        }
        if key.is_none() {
            let message =
                format!("the table `{}` has no column `{key_path}` for the nodes' names", self.table.name);
            self.find(
                resolver,
                INVENTORY_COLUMN,
                message,
                place,
                "write key=\"…\" with the column's heading",
            );
        }
        key.map(|key| (key, columns))
    }

    fn unknown_column(&mut self, resolver: &mut Resolver<'_>, heading: &str, path: &str, place: Place) {
        let names = if self.problems < MOST_PROBLEMS { slots::names() } else { Vec::new() };
        let help = match did_you_mean(path, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? Write column \"{heading}\" \"{near}\""),
            None => format!("write column \"{heading}\" \"PATH\", or ignore \"{heading}\""),
        };
        let message = format!("the column `{heading}` is no path of a node's spec");
        self.find(resolver, INVENTORY_COLUMN, message, place, help);
    }

    fn row(
        &mut self,
        resolver: &mut Resolver<'_>,
        record: &csv::StringRecord,
        width: usize,
        key: usize,
        columns: &[Column],
        shared: Option<&Layer>,
    ) -> Option<Part> {
        let place = self.place_of(record);
        let name = record.get(key).unwrap_or_default();
        if name.is_empty() {
            let message = format!("the row at line {} names no node", place.line);
            self.find(resolver, INVENTORY_ROW, message, place, "fill the column of the names in");
            return None;
        }
        if record.len() > width {
            let message = format!("the row of `{name}` has {} cells for {width} columns", record.len());
            let help = "put quotes around a cell that holds the separator";
            self.find(resolver, INVENTORY_ROW, message, place.clone(), help);
        }
        let mut tree = Value::map([("name", Value::text(name))]);
        let mut faulty = self.item.faulty;
        for column in columns {
            let cell = record.get(column.index).unwrap_or_default();
            if !cell.is_empty() {
                faulty |= !self.cell(resolver, &mut tree, column, cell, name, &place);
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
        place: &Place,
    ) -> bool {
        let Target { keys, kind, many } = &column.target;
        let parts: Vec<&str> = match many {
            true => cell.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect(),
            false => vec![cell],
        };
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
                        resolver.hidden.push(place.clone());
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

    fn place_of(&self, record: &csv::StringRecord) -> Place {
        let start = record.position().map_or(0, |position| position.byte()) as usize;
        let (text, _) = self.table.body();
        // Empty lines before a row belong to its record.
        let blank = text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
        let start = start + blank;
        let length = text[start..].find(['\r', '\n']).unwrap_or(text.len() - start);
        self.table.place(self.base + start, length)
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
        Type::Attribute | Type::Scalar | Type::KernelParam => match (text.parse(), text) {
            (Ok(number), _) => Ok(Value::Int(number)),
            (_, "true") => Ok(Value::Bool(true)),
            (_, "false") => Ok(Value::Bool(false)),
            _ => value_of::of_text(kind, text),
        },
        _ => value_of::of_text(kind, text),
    }
}
