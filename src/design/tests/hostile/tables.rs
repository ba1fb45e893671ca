//! Tables as spreadsheets and attackers write them.

use super::{BASE, cases, judged};
use crate::finding::{INVENTORY_COLUMN, LIMIT};
use proptest::prelude::*;

const HEADINGS: &[&str] = &[
    "name",
    "boot-mac",
    "bmc.address",
    "bmc.password",
    "rack",
    "rack.unit",
    "labels.role",
    "labels.a b",
    "tags",
    "addresses.pxe",
    "addresses.",
    "params.x",
    "profile",
    "hardware.name",
    "was",
    "",
    " name",
    "Name",
    "\u{feff}name",
    "is-no-path",
    "kernel-params.x",
    "interfaces.a.networks",
    "#name",
];

const CELLS: &[&str] = &[
    "",
    "n1",
    "n01",
    "52:54:00:12:34:01",
    "10.20.0.11",
    "auto",
    "true",
    "é",
    "\"",
    "\"\"",
    "\"a\nb\"",
    "\"a,b;c\"",
    "a\tb",
    "\0",
    "\r",
    "x\ry",
    "env:X",
    "-1",
    "1e3",
    "#",
    "{}",
    "{a}",
    "base",
    "https://h",
    "99999999999999999999",
    "!a",
    "a;b",
    "'",
];

fn row(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(words), 0..8)
}

fn design(more: &str) -> String {
    format!("{BASE}\ninventory \"inventory/t.csv\" as=\"nodes\" {more}")
}

fn files(design: String, table: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    vec![("x.kdl".into(), design.into_bytes()), ("inventory/t.csv".into(), table)]
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn tables_of_any_cells_have_findings_with_places(
        headings in row(HEADINGS),
        rows in prop::collection::vec((row(CELLS), prop::sample::select(&["\n", "\r\n", "\r", "\n\n", "\n,\n"][..])), 0..6),
        separator in prop::sample::select(&["comma", "semicolon", "tab"][..]),
        marked in any::<bool>(),
        more in prop::sample::select(&[
            "", "profile=\"base\"", "key=\"name\"", "key=\"rack\"", "{ column \"rack\" \"labels.x\" as=\"{}{}\" }",
            "{ ignore \"rack\" \"\"; column \"name\" \"was\" }", "{ column \"is-no-path\" \"bmc.password\" }",
        ][..]),
    ) {
        let between = match separator { "comma" => ",", "tab" => "\t", _ => ";" };
        let mut table = if marked { "\u{feff}".to_string() } else { String::new() };
        table += &format!("name{between}{}\n", headings.join(between));
        for (cells, end) in rows {
            table += &format!("{}{end}", cells.join(between));
        }
        let (properties, children) = more.split_once('{').map_or((more, String::new()), |(_, rest)| ("", format!("{{{rest}")));
        let design = design(&format!("{properties} separator=\"{separator}\" {children}"));
        judged(&files(design, table.into_bytes()));
    }

    #[test]
    fn tables_of_any_bytes_have_findings_with_places(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        judged(&files(design(""), bytes));
    }
}

#[test]
fn wide_and_deep_tables_have_few_findings() {
    let wide: Vec<String> = (0..10_000).map(|index| format!("colunm-{index}")).collect();
    let compiled = judged(&files(design(""), format!("name,{}\na\n", wide.join(",")).into_bytes()));
    let of_columns = compiled.findings.iter().filter(|finding| finding.code == INVENTORY_COLUMN);
    assert!((1..=20).contains(&of_columns.count()));
    let huge = format!("name,tags\nn1,\"{}\"\n", "x,".repeat(500_000));
    judged(&files(design(""), huge.into_bytes()));
}

#[test]
fn a_form_cannot_multiply_a_cell_without_bound() {
    let column = format!("{{ column \"t\" \"tags\" as=\"{}\" }}", "{}".repeat(50_000));
    let table = format!("name,t\nn1,{}\n", "x".repeat(50_000));
    let compiled = judged(&files(design(&column), table.into_bytes()));
    assert!(compiled.findings.iter().any(|finding| finding.code == LIMIT));
}
