//! Calls that have one home: the clock, the environment, files, and printing; and what every file begins with.

use super::text::{Source, sources};
use crate::none;
use regex::Regex;

/// What is banned, why, and the files or folders where it may stand. Tests may do all of it but print.
struct Ban {
    pattern: &'static str,
    why: &'static str,
    homes: &'static [&'static str],
}

/// Asking whether somebody looks at a stream is not writing to it.
const HARMLESS: &str = ".is_terminal";

const BANS: &[Ban] = &[
    Ban {
        pattern: r"\b(SystemTime|Instant|Timestamp|Zoned)::now\b",
        why: "time is an argument; the clock is read in one place",
        homes: &["world/clock.rs", "virtual_rack/clock.rs"],
    },
    Ban {
        pattern: r"\bstd::env::|\benv::var",
        why: "the environment is read where secrets are fetched, for the engine's address, and on the command line",
        homes: &["world/secret/", "world/container/socket.rs", "cli/common.rs", "main.rs"],
    },
    Ban {
        pattern: r"\b(std|tokio)::fs\b",
        why: "files belong to the world, to the store's own file, and to what a command writes",
        homes: &[
            "world/secret/",
            "world/source/",
            "world/agent/command_line.rs",
            "world/agent/machine/",
            "world/boot/folder.rs",
            "world/boot/payload.rs",
            "world/boot/tftp/",
            "world/command/",
            "world/container/",
            "store/open.rs",
            "store/lease.rs",
            "virtual_rack/disk.rs",
            "reconcile/rehearsal.rs",
            "reconcile/stand_in.rs",
            "cli/init.rs",
            "cli/import.rs",
            "cli/plan.rs",
            "cli/apply.rs",
            "cli/doctor.rs",
            "cli/task/docs.rs",
        ],
    },
    Ban { pattern: r"\be?print(ln)?!|\bdbg!", why: "printing is `view/out.rs`", homes: &[] },
    Ban {
        pattern: r"\b(stdout|stderr)\(\)(\.\w+)?|\bio::(stdout|stderr)\b[^(]",
        why: "results and notes are written in one place; the log is set up in another",
        homes: &["view/out.rs", "cli/setup.rs"],
    },
    Ban {
        pattern: r"\b(thread_rng|rand::|OsRng|getrandom::)",
        why: "randomness is an argument; keys and ids are drawn in one place",
        homes: &["id.rs"],
    },
];

fn check(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    if !source.text.starts_with("//!") && source.name != "lib.rs" {
        complaints.push(format!("src/{}: the file does not open with `//!`", source.name));
    }
    for ban in BANS {
        if ban
            .homes
            .iter()
            .any(|home| source.name == *home || (home.ends_with('/') && source.name.starts_with(home)))
        {
            continue;
        }
        let pattern = Regex::new(ban.pattern).unwrap();
        for hit in pattern.find_iter(&source.product).filter(|hit| !hit.as_str().ends_with(HARMLESS)) {
            let place = format!("src/{}:{}", source.name, source.line(hit.start()));
            complaints.push(format!("{place}: `{}`: {}", hit.as_str(), ban.why));
        }
    }
    if let Some(at) = source.code.find("#[allow").or(source.code.find("#![allow")) {
        let line = source.line(at);
        complaints.push(format!("src/{}:{line}: write `#[expect(…, reason = \"…\")]`", source.name));
    }
    complaints
}

#[test]
fn files_have_headers_and_call_nothing_away_from_its_home() {
    none(sources().iter().flat_map(check).collect());
}

#[test]
fn every_home_is_lived_in() {
    let sources = sources();
    for ban in BANS {
        let pattern = Regex::new(ban.pattern).unwrap();
        for home in ban.homes {
            let inhabited = sources
                .iter()
                .filter(|source| {
                    source.name == *home || (home.ends_with('/') && source.name.starts_with(home))
                })
                .any(|source| pattern.is_match(&source.product));
            assert!(inhabited, "{home} has no call of {}: remove it from the table", ban.pattern);
        }
    }
}

#[test]
fn bad_calls_are_seen() {
    let count = |name: &str, text: &str| check(&Source::new(name, &format!("//! x\n{text}"))).len();
    for bad in [
        "let a = std::time::Instant::now();",
        "SystemTime::now()",
        "std::env::var(\"X\")",
        "use std::fs::File;",
        "tokio::fs::read(x)",
        "println!(\"x\")",
        "eprint!(\"x\")",
        "let out = std::io::stdout();",
        "stderr().write_all(b)",
        "with_writer(std::io::stderr)",
        "#[allow(dead_code)]\nfn x() {}",
    ] {
        assert_eq!(count("plan/x.rs", bad), 1, "{bad}");
    }
    for good in [
        "// std::fs",
        "let text = \"std::fs::read\";",
        "#[cfg(test)]\nmod tests { fn a() { std::fs::read(x); Instant::now(); } }",
        "std::io::stderr().is_terminal()",
    ] {
        assert_eq!(count("plan/x.rs", good), 0, "{good}");
    }
    assert_eq!(count("world/clock.rs", "SystemTime::now()"), 0);
    assert_eq!(check(&Source::new("plan/x.rs", "fn x() {}")).len(), 1);
}
