//! Hostile and broken files: a finding inside the file, never a panic, never without bound.

mod bounds;
mod real;
mod tables;
mod words;

use super::{BASE, compiled, findings, shown};
use crate::design::Compiled;
use crate::design::report::MOST_FINDINGS;
use crate::finding::{EMPTY_DESIGN, Finding, LIMIT, NOT_UTF8};
use proptest::prelude::*;

/// So many cases, and no file for those that fail: one that was found becomes a test with a name.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What stands for a secret in hostile texts, and must be in no finding.
const SECRET: &str = "hunter2";

/// Every finding has a place that lies in its file; only what is wrong with a file as a whole has no other.
fn places_are_inside(compiled: &Compiled) {
    assert!(compiled.findings.len() <= MOST_FINDINGS);
    for finding in &compiled.findings {
        // A chance that puts the secret where the headings are has made it one.
        let heading = finding.place.as_ref().is_some_and(|place| has_secret_heading(compiled, &place.file));
        assert!(heading || !shown(finding).contains(SECRET), "{}", shown(finding));
        // What is only said needs no way out.
        assert!(finding.help.is_some() || !finding.is_error(), "{}", shown(finding));
        assert!(!finding.message.is_empty());
        let Some(place) = &finding.place else {
            assert_eq!(finding.code, EMPTY_DESIGN, "{}", shown(finding));
            continue;
        };
        let Some(text) = compiled.texts.get(&place.file) else {
            let of_file = [LIMIT, NOT_UTF8].contains(&finding.code) || is_standard(finding);
            assert!(of_file, "{}", shown(finding));
            continue;
        };
        let end = place.offset as usize + place.length as usize;
        assert!(end <= text.len(), "{}", shown(finding));
        assert!(
            text.is_char_boundary(place.offset as usize) && text.is_char_boundary(end),
            "{}",
            shown(finding)
        );
        assert!(place.line as usize <= text.matches('\n').count() + 1, "{}", shown(finding));
    }
}

/// A table whose first line names the nodes' column and holds the secret beside it.
fn has_secret_heading(compiled: &Compiled, file: &str) -> bool {
    let text = compiled.texts.get(file).filter(|_| file.ends_with(".csv"));
    let line = text.and_then(|text| text.lines().find(|line| !line.is_empty() && !line.starts_with('#')));
    line.is_some_and(|line| line.contains(SECRET) && ["name", "host"].iter().any(|key| line.contains(key)))
}

/// A file of the library's name is refused without having been read.
fn is_standard(finding: &Finding) -> bool {
    finding.place.as_ref().is_some_and(|place| place.file.starts_with("stdlib/"))
}

/// Compiles twice, which says the same, with findings as they must be.
fn judged(files: &[(String, Vec<u8>)]) -> Compiled {
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let once = compiled(&files);
    places_are_inside(&once);
    let twice = compiled(&files);
    assert_eq!(once.findings, twice.findings);
    assert_eq!(once.site.is_some(), twice.site.is_some());
    once
}

/// Words, numbers and signs with the white space between them.
fn pieces(text: &str) -> Vec<String> {
    let class = |c: char| (c.is_alphanumeric() || "-_.:".contains(c), c.is_whitespace());
    let mut pieces: Vec<String> = Vec::new();
    let mut last = None;
    for letter in text.chars() {
        match pieces.last_mut().filter(|_| last == Some(class(letter)) && class(letter) != (false, false)) {
            Some(piece) => piece.push(letter),
            None => pieces.push(letter.to_string()),
        }
        last = Some(class(letter));
    }
    pieces
}

fn survives(text: &[u8]) -> Compiled {
    let compiled = compiled(&[("base.kdl", BASE.as_bytes()), ("x.kdl", text)]);
    places_are_inside(&compiled);
    compiled
}

fn codes(text: &[u8]) -> Vec<u16> {
    survives(text).findings.iter().map(|finding| finding.code.number).collect()
}

#[test]
fn depth_size_and_numbers_have_limits() {
    assert_eq!(codes("a{".repeat(100_000).as_bytes()), [16]);
    assert_eq!(codes(["a{".repeat(50_000), "}".repeat(50_000)].concat().as_bytes()), [16]);
    assert_eq!(codes("/*".repeat(100_000).as_bytes()), [16]);
    assert_eq!(codes(&vec![b'a'; 100 << 20]), [16]);
    assert_eq!(codes("a;".repeat(300_000).as_bytes()), [16]);
    assert_eq!(codes("a 1 ".repeat(600_000).as_bytes()), [16]);
    assert_eq!(
        codes(format!("network \"x\" {{ cidr \"10.0.0.0/8\"; vlan {} }}", "9".repeat(5000)).as_bytes()).len(),
        1
    );
    assert_eq!(codes(b"nodes \"a{x}{y}\" x=\"1..9999\" y=\"1..9999\"").len(), 1);
}

#[test]
fn encodings_are_told_apart() {
    assert_eq!(codes(b"profile \"\xff\""), [2]);
    assert_eq!(codes(b"\xff\xfep\0r\0"), [2]);
    assert_eq!(codes(b"profile \"a\0\""), [1]);
    assert_eq!(codes("\u{feff}profile \"a\"\r\nprofile \"b\"\r\n".as_bytes()), Vec::<u16>::new());
    let file: &[u8] = "\u{feff}profile \"a\"\r\nprofil \"b\"".as_bytes();
    let found = findings(&[("base.kdl", BASE.as_bytes()), ("x.kdl", file)]);
    assert!(found.starts_with("RW0004 x.kdl:2:1+6"), "{found}");
    assert_eq!(codes(b""), Vec::<u16>::new());
}

#[test]
fn a_clear_text_secret_is_shown_nowhere() {
    for secret in [
        "password=\"hunter2\"",
        "password=(secret)\"hunter2\"",
        "passwrod=\"hunter2\"",
        "password=(scret)\"hunter2\"",
    ] {
        let text = format!("profile \"p\" {{ bmc \"redfish\" {secret}; }}");
        let compiled = survives(text.as_bytes());
        assert!(!compiled.findings.is_empty());
        let findings: String = compiled.findings.iter().map(shown).collect();
        assert!(!findings.contains("hunter2"), "{findings}");
        assert!(!compiled.texts["x.kdl"].contains("hunter2"), "{secret}");
    }
}

const VALID: &str = r##"
hardware "h" { vendor "Déll"; bios { Cores 4; Boot #true }; firmware "bios" version="1" ; alias "d" bus="scsi" }
profile "p" extends="base" { label "a" "b"; kernel-param "x" #null; param "t" (secret)"env:T" version=2 } // c
network "n" { cidr "10.0.0.0/8"; range "static" "10.0.0.1" "10.0.0.9"; dhcp mode="server" { range "10.1.0.1" "10.1.0.9" } }
nodes "m{s:02}" s="1..3" profile="p" { bmc "redfish" address="https://10.1.1.{s}"; boot-mac "52:54:00:00:01:{s:02x}" }
/* task */ task "t" script="stdlib/bios.rhai" { realizes "image" hazard="none"; doc """
    two
    lines
    """ }
blueprint "b" { step "x" task="std/bios"; step "y" task="std/install" after="x" { param "mode" #"raw"# } }
"##;

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        survives(text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn arbitrary_scripts_never_panic(text in "(fn apply\\(n\\) \\{)?(\\PC|[ \n\"`{}();:]|bmc::|import ){0,60}\\}?") {
        let task = "task \"t\" script=\"t.rhai\" { allow \"bmc\" }";
        let files = [("base.kdl", BASE), ("x.kdl", task), ("scripts/t.rhai", &text)];
        places_are_inside(&compiled(&files.map(|(name, text)| (name, text.as_bytes()))));
    }

    #[test]
    fn words_of_the_language_in_any_order_never_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "node", "nodes", "profile", "network", "task", "blueprint", "step", "bios", "\"a\"", "\"n{x}\"", "x=\"1..3\"",
            "{", "}", ";", "\n", "#null", "#true", "1", "-1.5", "=", "extends=\"a\"", "bmc", "\"redfish\"", "/-", "(secret)",
            "\"env:X\"", "password=", "label", "address", "\"10.20.0.1\"", "range", "cidr", "\\", "\"\"\"", "#\"", "(", ")",
        ]), 0..60)
    ) {
        survives(words.join(" ").as_bytes());
    }

    #[test]
    fn mutated_text_never_panics(
        edits in proptest::collection::vec((0usize..VALID.len(), 0usize..12, "\\PC{0,3}|[{}\"\\\\/*;=()#\n]{0,2}"), 1..6)
    ) {
        let mut text: Vec<char> = VALID.chars().collect();
        for (at, cut, put) in edits {
            let at = at.min(text.len());
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        survives(text.into_iter().collect::<String>().as_bytes());
    }
}

#[test]
fn the_text_that_is_mutated_is_valid() {
    assert_eq!(codes(VALID.as_bytes()), Vec::<u16>::new());
}
