//! Documentation: everything that people meet is written down, and what is generated is current.

use super::designs;
use super::text::{read, root};
use crate::none;
use clap::CommandFactory;
use rackwright::cli::Cli;
use rackwright::finding::{CODES, Code};
use rackwright::reconcile::reference;
use rackwright::script::{catalogue, check};
use rackwright::view::{definitions, explain, reference as shown};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of the Markdown tables in `text` whose first cell matches: the cell's match, then all cells.
fn rows(text: &str, first: &str) -> BTreeMap<String, Vec<String>> {
    let first = Regex::new(first).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<String> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string()).collect();
        if let Some(hit) = first.captures(&cells[0]) {
            rows.insert(hit[1].to_string(), cells);
        }
    }
    rows
}

/// What is in one and not in the other.
fn differences(what: &str, there: &BTreeSet<String>, written: &BTreeSet<String>, file: &str) -> Vec<String> {
    let missing = there.difference(written).map(|name| format!("{file}: {what} `{name}` is not documented"));
    let gone = written.difference(there).map(|name| format!("{file}: there is no {what} `{name}`"));
    missing.chain(gone).collect()
}

fn code_complaints(codes: &[Code], text: &str) -> Vec<String> {
    let rows = rows(text, r"^(RW\d{4})$");
    let there = codes.iter().map(Code::to_string).collect();
    let mut complaints = differences("code", &there, &rows.keys().cloned().collect(), "designs/README.md");
    for code in codes {
        let Some(cells) = rows.get(&code.to_string()) else { continue };
        if cells.len() != 4 || cells.iter().any(String::is_empty) {
            complaints.push(format!("designs/README.md: {code} wants what, why and the way out"));
        } else if cells[1] != code.title {
            complaints.push(format!("designs/README.md: {code} is \"{}\"", code.title));
        }
    }
    complaints
}

#[test]
fn every_finding_code_is_documented() {
    none(code_complaints(CODES, &read("designs/README.md")));
    let numbers: BTreeSet<u16> = CODES.iter().map(|code| code.number).collect();
    assert_eq!(numbers.len(), CODES.len(), "two codes have one number");
}

/// Pages of findings by file name, without `.md`.
fn page_complaints(codes: &[Code], pages: &BTreeMap<String, String>) -> Vec<String> {
    let there = codes.iter().map(Code::to_string).collect();
    let mut complaints = differences("page of code", &there, &pages.keys().cloned().collect(), PAGES);
    for code in codes {
        let Some(text) = pages.get(&code.to_string()) else { continue };
        let title = format!("{code}: {}", code.title);
        match explain::read(text) {
            Err(why) => complaints.push(format!("{PAGES}/{code}.md: {why}")),
            Ok(page) if page.title != title => complaints.push(format!("{PAGES}/{code}.md: is \"{title}\"")),
            Ok(page) if !page.sections[2].contains("```") => {
                complaints.push(format!("{PAGES}/{code}.md: the example has no code"));
            }
            Ok(_) => {}
        }
    }
    complaints
}

const PAGES: &str = "src/design/rules/pages";

#[test]
fn every_finding_code_has_a_page() {
    let entries = std::fs::read_dir(root().join(PAGES)).unwrap().map(|entry| entry.unwrap().path());
    let pages = entries.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.strip_suffix(".md").unwrap_or(&name).to_string(), std::fs::read_to_string(&path).unwrap())
    });
    let pages: BTreeMap<String, String> = pages.collect();
    none(page_complaints(CODES, &pages));
    // The binary has them, too.
    let shown = |code: &Code| explain::human(code) == pages[&code.to_string()].trim_end();
    none(CODES.iter().filter(|code| !shown(code)).map(|code| format!("{code} is shown otherwise")).collect());
}

#[test]
fn every_command_is_documented() {
    let command = Cli::command();
    let there: BTreeSet<String> =
        command.get_subcommands().map(|command| command.get_name().to_string()).collect();
    let written = rows(&read("README.md"), r"^`([a-z]+)\b.*`$").into_keys().collect();
    let mut complaints = differences("command", &there, &written, "README.md");
    let nested = command.get_subcommands().flat_map(|command| command.get_subcommands());
    for command in command.get_subcommands().chain(nested) {
        let silent =
            |text: Option<&clap::builder::StyledStr>| text.is_none_or(|text| text.to_string().is_empty());
        if silent(command.get_about()) {
            complaints.push(format!("`{}` has no help", command.get_name()));
        }
        for argument in command.get_arguments().filter(|argument| silent(argument.get_help())) {
            complaints.push(format!("`{} {}` has no help", command.get_name(), argument.get_id()));
        }
    }
    none(complaints);
}

#[test]
fn the_reference_is_current() {
    let printed = shown::markdown(&reference::standard());
    assert!(
        read("stdlib/REFERENCE.md").trim_end() == printed,
        "the reference has moved: cargo run -- task docs --markdown > stdlib/REFERENCE.md"
    );
    let titles = Regex::new(r"(?m)^### `([a-z]+::[a-z_]+)\(").unwrap();
    let written: BTreeSet<String> = titles.captures_iter(&printed).map(|hit| hit[1].to_string()).collect();
    let there = catalogue::rows().map(|row| format!("{}::{}", row.module, row.name)).collect();
    none(differences("effect", &there, &written, "stdlib/REFERENCE.md"));
}

/// Each line of a definition file is one of these; what is declared parses as a function of the language.
fn definition_complaints(file: &str, text: &str) -> Vec<String> {
    let module = file.strip_suffix(".d.rhai").unwrap_or_default();
    let declaration =
        Regex::new(r"^fn ([a-z_]+)\(((?:[a-z_]+: [A-Za-z?]+(?:, )?)*)\) -> (?:[A-Za-z?]+|\(\));$").unwrap();
    let mut complaints = Vec::new();
    let mut script = String::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty()
            || line.starts_with("/// ")
            || line == "///"
            || (index == 0 && line == format!("module {module};"))
        {
            continue;
        }
        match declaration.captures(line) {
            Some(hit) => {
                let names: Vec<&str> =
                    hit[2].split(", ").filter_map(|arg| Some(arg.split_once(':')?.0)).collect();
                script += &format!("fn {}({}) {{ }}\n", &hit[1], names.join(", "));
            }
            None => {
                complaints.push(format!("{file}:{}: `{line}` is no line of a definition file", index + 1))
            }
        }
    }
    if let Err(error) = rhai::Engine::new().compile(&script) {
        complaints.push(format!("{file}: {error}"));
    }
    let declared = script.lines().count();
    let wanted: usize = catalogue::rows()
        .filter(|row| row.module == module)
        .map(|row| row.args.len() - row.least_args() + 1)
        .sum();
    if declared != wanted {
        complaints.push(format!("{file}: {declared} functions are declared, {wanted} there are"));
    }
    complaints
}

#[test]
fn the_definitions_for_editors_are_of_the_language() {
    let files = definitions::files(&reference::modules());
    let names: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, catalogue::modules().iter().map(|name| format!("{name}.d.rhai")).collect());
    none(files.iter().flat_map(|(name, text)| definition_complaints(name, text)).collect());
}

/// The limits of scripts, as they stand in `stdlib/README.md`.
fn limits() -> String {
    let rows = rackwright::script::limits::TABLE.iter().map(|(what, most, unit)| {
        let most = grouped(*most);
        format!("| {what} | {most}{}{unit} |\n", if unit.is_empty() { "" } else { " " })
    });
    format!("| of | at most |\n|---|---|\n{}", rows.collect::<String>())
}

/// `2,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    parts.collect::<Vec<_>>().join(",")
}

#[test]
fn the_limits_of_scripts_are_documented() {
    let text = read("stdlib/README.md");
    let (_, rest) = text.split_once("<!-- limits -->\n").unwrap();
    let (written, _) = rest.split_once("<!-- end of limits -->").unwrap();
    let limits = limits();
    assert!(written == limits, "put this between the marks in stdlib/README.md:\n\n{limits}");
    assert_eq!([grouped(7), grouped(1_000), grouped(2_000_000)], ["7", "1,000", "2,000,000"]);
}

#[test]
fn the_standard_library_is_documented_and_sound() {
    let text = read("stdlib/README.md");
    let site = designs::site("lab");
    let mut complaints = Vec::new();
    let tasks: BTreeSet<String> = site.tasks.keys().map(|name| name.to_string()).collect();
    let blueprints: BTreeSet<String> = site.blueprints.keys().map(|name| name.to_string()).collect();
    let standard = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names.iter().filter(|name| name.starts_with("std/")).cloned().collect()
    };
    let there = standard(&tasks).union(&standard(&blueprints)).cloned().collect();
    let written = rows(&text, r"^`(std/[a-z-]+)`$").into_keys().collect();
    complaints.extend(differences("task or blueprint", &there, &written, "stdlib/README.md"));
    for task in site.tasks.values() {
        if !task.doc.ends_with('.') {
            complaints.push(format!("task `{}` has no sentence in `doc`", task.name));
        }
        complaints.extend(check::check(task, &site.scripts).iter().map(rackwright::view::findings::line));
    }
    for blueprint in site.blueprints.values().filter(|blueprint| !blueprint.doc.ends_with('.')) {
        complaints.push(format!("blueprint `{}` has no sentence in `doc`", blueprint.name));
    }
    none(complaints);
}

/// Names of KDL nodes, and names of properties, as the descriptions of the kinds have them.
fn language(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let names = Regex::new(r#"Shape::(?:once|many|listed|keyed)\(\s*"([a-z-]+)""#).unwrap();
    let slot = Regex::new(r#"slot\(\s*"([a-z-]+)""#).unwrap();
    let found = |pattern: &Regex, text: &str| -> BTreeSet<String> {
        pattern.captures_iter(text).map(|hit| hit[1].to_string()).collect()
    };
    const PROPERTIES: &str = ".properties(";
    let inside = text
        .match_indices(PROPERTIES)
        .flat_map(|(at, _)| found(&slot, in_parentheses(&text[at + PROPERTIES.len()..])))
        .collect();
    (found(&names, text), inside)
}

/// What stands before the parenthesis that closes.
fn in_parentheses(text: &str) -> &str {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

#[test]
fn every_word_of_the_design_language_is_documented() {
    let reference = read("designs/README.md");
    let mut complaints = Vec::new();
    for entry in std::fs::read_dir(root().join("src/design/kinds")).unwrap() {
        let path = entry.unwrap().path();
        let (names, properties) = language(&std::fs::read_to_string(&path).unwrap());
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let missing = |pattern: String| !Regex::new(&pattern).unwrap().is_match(&reference);
        for name in names.iter().filter(|name| missing(format!("`{name}[ `]"))) {
            complaints.push(format!("designs/README.md: `{name}` of kinds/{file} is not documented"));
        }
        for name in properties.iter().filter(|name| missing(format!("[ `]{name}="))) {
            complaints.push(format!("designs/README.md: `{name}=` of kinds/{file} is not documented"));
        }
    }
    none(complaints);
}

#[test]
fn what_is_missing_is_seen() {
    let row = "| RW0001 | the KDL text cannot be parsed | why | fix |\n| RW9999 | x | y | z |\n";
    let complaints = code_complaints(&CODES[..2], row);
    assert_eq!(
        complaints,
        [
            "designs/README.md: code `RW0002` is not documented",
            "designs/README.md: there is no code `RW9999`"
        ]
    );
    assert_eq!(code_complaints(&CODES[..1], "| RW0001 | something else | why | fix |").len(), 1);
    assert_eq!(code_complaints(&CODES[..1], "| RW0001 | the KDL text cannot be parsed |  | fix |").len(), 1);
    let good =
        format!("# RW0001: {}\n\n## What\na\n\n## Why\nb\n\n## Example\n```\n\n## Fix\nd\n", CODES[0].title);
    let pages = |text: &str| BTreeMap::from([("RW0001".to_string(), text.to_string())]);
    assert_eq!(page_complaints(&CODES[..1], &pages(&good)), Vec::<String>::new());
    assert_eq!(page_complaints(&CODES[..2], &pages(&good)).len(), 1);
    assert_eq!(page_complaints(&[], &pages(&good)).len(), 1);
    for (from, to) in [("RW0001", "RW0002"), ("## Why\nb\n\n", ""), ("```", "none"), ("parsed", "read")] {
        assert_eq!(page_complaints(&CODES[..1], &pages(&good.replace(from, to))).len(), 1, "{from}");
    }
    let kind = "Shape::once(\"x\").properties(&[slot(\"y\", A(&[\"b\"])), slot(\n\"z\", C)]).arguments(&[slot(\"w\", D)])";
    let (names, properties) = language(kind);
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["x"]);
    assert_eq!(properties.into_iter().collect::<Vec<_>>(), ["y", "z"]);
    let bad = "module log;\n\n/// Says.\nfn info(text: String) -> ();\nfn warn(text) -> ();\n";
    assert_eq!(definition_complaints("log.d.rhai", bad).len(), 2);
}
