//! Spreadsheets: a table of machines as it is, and a small design that reads it.
//!
//! Owns the guessing of columns from headings as people write them. The table is not rewritten: what is guessed wrong is
//! corrected in the design, a line for each column. What holds passwords in clear is refused.

use super::kdl::{self, Element, Value};
use super::report::Report;
use super::source::{Input, Source};
use crate::finding::{CLEAR_TEXT_SECRET, Finding, INVENTORY_COLUMN, LIMIT};
use crate::model::imported::{Imported, NoteKind};
use std::collections::BTreeSet;

/// Headings, without case, spaces and signs, and the paths of the spec that they mean. `designs/README.md` has them.
const MEANINGS: &[(&str, &[&str])] = &[
    ("name", &["name", "hostname", "host", "node", "nodename", "server", "servername", "machine", "device"]),
    ("rack", &["rack", "rackname", "cabinet"]),
    ("unit", &["u", "unit", "rackunit", "ru", "uposition", "position"]),
    ("boot-mac", &["mac", "macaddress", "bootmac", "pxemac", "nic1mac", "mac1", "primarymac"]),
    ("bmc.address", BMC_ADDRESS),
    ("bmc.user", &["bmcuser", "bmcusername", "oobuser", "ipmiuser", "idracuser", "ilouser"]),
    ("tags", &["tag", "tags"]),
    ("labels.role", &["role", "function", "purpose"]),
    ("domain", &["domain", "dnsdomain"]),
];

const BMC_ADDRESS: &[&str] = &[
    "bmc",
    "bmcip",
    "bmcaddress",
    "bmcurl",
    "oob",
    "oobip",
    "oobaddress",
    "ipmi",
    "ipmiip",
    "ipmiaddress",
    "idrac",
    "idracip",
    "ilo",
    "iloip",
    "xcc",
    "xccip",
    "redfish",
    "redfishurl",
    "managementip",
    "mgmtip",
];

/// Parts of headings of columns that hold secrets.
const SECRETS: &[&str] = &["password", "passwd", "passphrase", "pwd", "secret", "credential"];
/// What a secret may look like in a design.
const REFERENCES: &[&str] = &["env:", "file:", "age:", "vault:"];

/// No spreadsheet of machines is wider.
const MOST_COLUMNS: usize = 1_000;

/// The design that reads these tables.
pub fn import(inputs: &[Input]) -> Imported {
    let report = Report::default();
    let mut imported = Imported::default();
    let mut inventories = Vec::new();
    let mut guessed = BTreeSet::new();
    for input in inputs {
        let source = match Source::decode(input) {
            Ok(source) => source,
            Err(finding) => {
                report.find(*finding);
                continue;
            }
        };
        if let Some(table) = Table::read(&source, &report) {
            let file = unused(&imported, stem(&source.name));
            inventories.push(table.inventory(&file, &report));
            guessed.extend(table.columns.iter().filter_map(|column| column.path));
            guessed.extend(table.columns.iter().any(Column::is_ipmi).then_some("ipmi"));
            imported.origins.renamed.insert(file.clone(), source.name.clone());
            imported.files.push((file, source.text.to_string()));
        }
    }
    if let Some(first) = inputs.first().filter(|_| !inventories.is_empty()) {
        let site = [site(stem(&first.name)), profile(&guessed)];
        imported.files.insert(0, ("site.kdl".into(), kdl::write(&site).text));
        imported.files.insert(1, ("nodes.kdl".into(), kdl::write(&inventories).text));
    }
    (imported.notes, imported.findings, _) = report.into_parts();
    imported
}

/// The file's name without folders and ending.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).trim_matches('.')
}

fn unused(imported: &Imported, stem: &str) -> String {
    let stem = if stem.is_empty() { "nodes" } else { stem };
    let taken = |name: &String| imported.files.iter().any(|(held, _)| held == name);
    let numbered = (2..).map(|number| format!("inventory/{stem}-{number}.csv"));
    let mut names = std::iter::once(format!("inventory/{stem}.csv")).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

fn site(name: &str) -> Element {
    let name = if name.is_empty() { "site" } else { name };
    Element::new("site").arg(name).child(Element::new("defaults").prop("profile", "base"))
}

/// What a table does not say of its machines, said for all of them.
fn profile(guessed: &BTreeSet<&str>) -> Element {
    let kind = if guessed.contains("ipmi") { "ipmi" } else { "redfish" };
    let mut bmc = Element::new("bmc").arg(kind);
    if !guessed.contains("bmc.user") {
        bmc = bmc.prop("user", "root");
    }
    let bmc = bmc.prop("password", Value::Annotated("secret", "env:BMC_PASSWORD".into()));
    Element::new("profile")
        .arg("base")
        .child(Element::new("lifecycle").arg("std/power-on").fresh())
        .child(bmc.fresh())
        .comment("What the table does not say. To install the machines: an image here, and `lifecycle \"std/bring-up\"`.")
}

struct Column {
    heading: String,
    /// The path of the spec that it goes to.
    path: Option<&'static str>,
    /// Its cells are URLs already.
    urls: bool,
}

impl Column {
    fn is_ipmi(&self) -> bool {
        self.path == Some("bmc.address") && plain(&self.heading).contains("ipmi")
    }
}

struct Table<'a> {
    source: &'a Source,
    separator: (u8, &'static str),
    columns: Vec<Column>,
}

impl<'a> Table<'a> {
    /// The headings with their meanings; nothing when the table cannot be used as it is.
    fn read(source: &'a Source, report: &Report) -> Option<Table<'a>> {
        let refuse = |code, message: String, help: &str| {
            let finding = Finding::new(code, format!("file `{}`", source.name), message);
            report.find(finding.at(source.place(0, 0)).help(help));
            None
        };
        let separator = separator(source.body());
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(separator.0)
            .flexible(true)
            .trim(::csv::Trim::All)
            .from_reader(source.body().as_bytes());
        let headings: Vec<String> = match reader.headers() {
            Ok(headings) => headings.iter().map(str::to_string).collect(),
            Err(error) => return refuse(INVENTORY_COLUMN, error.to_string(), "save the table as CSV again"),
        };
        if headings.len() > MOST_COLUMNS {
            let message = format!("the table has {} columns; the limit is {MOST_COLUMNS}", headings.len());
            return refuse(LIMIT, message, "leave the columns out that do not speak of machines");
        }
        let mut seen = BTreeSet::new();
        for (index, heading) in headings.iter().enumerate() {
            if heading.is_empty() || heading.contains(char::is_control) {
                let message = format!("column {} has no heading", index + 1);
                return refuse(INVENTORY_COLUMN, message, "write headings into the first line of the table");
            }
            if !seen.insert(heading) {
                let message = format!("two columns have the heading `{heading}`");
                return refuse(INVENTORY_COLUMN, message, "rename one of them in the table");
            }
        }
        let mut columns = meanings(headings);
        for record in reader.records().map_while(Result::ok) {
            for (column, cell) in columns.iter_mut().zip(&record) {
                column.urls |= cell.contains("://");
                if holds_secrets(&column.heading) && !cell.is_empty() && !is_reference(cell) {
                    let message = format!("the column `{}` holds secrets in clear", column.heading);
                    let help =
                        "take the column out of the table; the design names the variable with the password";
                    return refuse(CLEAR_TEXT_SECRET, message, help);
                }
            }
        }
        if columns.iter().all(|column| column.path != Some("name")) {
            let known = MEANINGS.first().map(|(_, words)| words.join(", ")).unwrap_or_default();
            let message = "no column is known to hold the names of the machines".to_string();
            return refuse(INVENTORY_COLUMN, message, &format!("give it one of these headings: {known}"));
        }
        Some(Table { source, separator, columns })
    }

    fn inventory(&self, file: &str, report: &Report) -> Element {
        let mut inventory = Element::new("inventory").arg(file);
        let mut ignored = Vec::new();
        for column in &self.columns {
            let heading = column.heading.as_str();
            match column.path {
                Some("name") if heading == "name" => {}
                Some("name") => inventory = inventory.prop("key", heading),
                Some(path) if path == heading && path != "bmc.address" => {}
                Some(path) => {
                    let element = Element::new("column").arg(heading).arg(path).fresh();
                    let wants_url = path == "bmc.address" && !column.urls && !column.is_ipmi();
                    inventory.add(if wants_url { element.prop("as", "https://{}") } else { element });
                }
                None => {
                    let why =
                        "its heading is not known: write `column \"HEADING\" \"PATH\"` in place of `ignore`";
                    let place = self.source.place(0, 0);
                    let field = format!("column `{heading}`");
                    report.note(NoteKind::Dropped, place, &self.source.name, field, why.into());
                    ignored.push(heading);
                }
            }
        }
        if self.separator.0 != b',' {
            inventory = inventory.prop("separator", self.separator.1);
        }
        if !ignored.is_empty() {
            inventory.add(ignored.into_iter().fold(Element::new("ignore").fresh(), Element::arg));
        }
        inventory
    }
}

/// Of the signs that separate cells, the one that stands most often in the first line.
fn separator(text: &str) -> (u8, &'static str) {
    let line = text.lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [0usize; 3];
    const SIGNS: [(u8, &str); 3] = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab")];
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        if let Some(at) = SIGNS.iter().position(|(sign, _)| *sign == byte).filter(|_| !quoted) {
            counts[at] += 1;
        }
    }
    let most = (0..SIGNS.len()).rev().max_by_key(|at| counts[*at]).unwrap_or(0);
    SIGNS[most]
}

/// Each heading's meaning; of two with one meaning the first has it.
fn meanings(headings: Vec<String>) -> Vec<Column> {
    let mut taken = BTreeSet::new();
    let meaning = |heading: &str| {
        let plain = plain(heading);
        let found = MEANINGS.iter().find(|(path, words)| *path == heading || words.contains(&&*plain));
        found.map(|(path, _)| *path).filter(|path| taken.insert(*path))
    };
    let mut meaning = meaning;
    headings.into_iter().map(|heading| Column { path: meaning(&heading), urls: false, heading }).collect()
}

/// Letters and digits alone, in small letters.
fn plain(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn holds_secrets(heading: &str) -> bool {
    let plain = plain(heading);
    SECRETS.iter().any(|word| plain.contains(word))
}

fn is_reference(cell: &str) -> bool {
    REFERENCES.iter().any(|scheme| cell.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn imported(text: &str) -> Imported {
        import(&[Input { name: "lists/fra1.csv".into(), bytes: text.as_bytes().to_vec() }])
    }

    #[test]
    fn headings_as_people_write_them_become_columns() {
        let text = "\u{feff}Hostname;MAC Address;BMC IP;Rack;U;Comment\nn1;52:54:00:00:00:01;10.0.0.1;r1;4;\"a;b\"\n";
        let imported = imported(text);
        assert_eq!(imported.findings, []);
        let nodes = &imported.files[1];
        let expected = "inventory \"inventory/fra1.csv\" key=\"Hostname\" separator=\"semicolon\" {\n    \
                        column \"MAC Address\" \"boot-mac\"\n    column \"BMC IP\" \"bmc.address\" as=\"https://{}\"\n    \
                        column \"Rack\" \"rack\"\n    column \"U\" \"unit\"\n    ignore \"Comment\"\n}\n";
        assert_eq!((nodes.0.as_str(), nodes.1.as_str()), ("nodes.kdl", expected));
        assert_eq!(imported.files[2], ("inventory/fra1.csv".to_string(), text.to_string()));
        assert_eq!(imported.notes.len(), 1);
        assert_eq!(imported.notes[0].field, "column `Comment`");
    }

    #[test]
    fn separators_are_seen_outside_of_quotes() {
        assert_eq!(separator("a,b;c,d").1, "comma");
        assert_eq!(separator("a;b;c,d").1, "semicolon");
        assert_eq!(separator("\"a;b;c;d\",e").1, "comma");
        assert_eq!(separator("a\tb").1, "tab");
        assert_eq!(separator("a").1, "comma");
    }

    #[test]
    fn a_table_that_cannot_be_used_is_refused_with_the_reason() {
        let code = |text: &str| imported(text).findings.first().map(|finding| finding.code);
        assert_eq!(code("mac,rack\na,b\n"), Some(INVENTORY_COLUMN));
        assert_eq!(code("name,,rack\na,b,c\n"), Some(INVENTORY_COLUMN));
        assert_eq!(code("name,x,x\na,b,c\n"), Some(INVENTORY_COLUMN));
        assert_eq!(code("name,iDRAC Password\na,hunter2\n"), Some(CLEAR_TEXT_SECRET));
        assert_eq!(code("name,iDRAC Password\na,env:X\nb,\n"), None);
        let refused = imported("name,pwd\na,hunter2\n");
        assert!(refused.files.is_empty() && refused.texts.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z,;\t\"\n\r ä\u{0}]{0,200}") {
            let imported = imported(&text);
            prop_assert!(!imported.findings.is_empty() || !imported.files.is_empty());
        }
    }
}
