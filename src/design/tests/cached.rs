//! A kept reading is the reading: the same site and the same findings, and only while nothing has changed.

use super::{BASE, STDLIB, shown, tree};
use crate::design::{Cache, Compiled, compile_with};
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
struct Memory {
    kept: Mutex<BTreeMap<String, Vec<u8>>>,
    found: Mutex<usize>,
}

impl Cache for Memory {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.kept.lock().unwrap().get(key).cloned();
        *self.found.lock().unwrap() += usize::from(found.is_some());
        found
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        self.kept.lock().unwrap().insert(key.to_string(), bytes.to_vec());
    }
}

fn many(extra: &str) -> String {
    let node = |n: usize| {
        format!(
            "node \"n-{n}\" profile=\"base\" {{ bmc \"redfish\" address=\"https://a{n}\" system=(text)\"{{zone}}\"; boot-mac \"5254{n:08x}\"\n tag \"é\" \"b\"; label \"x.y\" \"{n}\"; address \"pxe\" #null; protect #true; param \"p\" 1.5\n param \"q\" (secret)\"env:Q\" version=2 }}\n"
        )
    };
    (0..300).map(node).collect::<String>() + extra
}

fn compiled(text: &str, zone: &str, memory: &Memory) -> Compiled {
    let site = BASE.replace(
        "domain \"example.net\";",
        &format!("domain \"example.net\"; variable \"zone\" \"{zone}\";"),
    );
    let own = tree(&[("base.kdl", site.as_bytes()), ("many.kdl", text.as_bytes())]);
    let stdlib: Vec<(&str, &[u8])> = STDLIB.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    compile_with(&own, &tree(&stdlib), Some(memory))
}

/// Everything that a compiled design is, in words.
fn said(compiled: &Compiled) -> String {
    let nodes = compiled.site.iter().flat_map(|site| &site.nodes);
    let nodes: String =
        nodes.map(|node| format!("{} {} {:?}\n", node.name, node.spec, node.layers)).collect();
    nodes + compiled.findings.iter().map(shown).collect::<String>().as_str()
}

#[test]
fn a_kept_reading_gives_the_same_site_and_findings() {
    let memory = Memory::default();
    let late = "node \"z\" profile=\"bas\" { bmc \"redfish\" address=\"https://z\" system=\"1\"; boot-mac \"52:54:00:99:99:99\" }\nrollout \"r\" { group \"g\" on=\"tag:none\" }\n";
    for extra in ["", late] {
        let first = compiled(&many(extra), "a", &memory);
        let again = compiled(&many(extra), "a", &memory);
        assert_eq!(said(&first), said(&again));
        assert!(said(&first).len() > 10_000 || !first.findings.is_empty());
    }
    assert_eq!(*memory.found.lock().unwrap(), 2);
}

#[test]
fn what_has_changed_is_read_again() {
    let memory = Memory::default();
    compiled(&many(""), "a", &memory);
    // Another value of a variable, though the file is the same.
    let moved = compiled(&many(""), "b", &memory);
    assert_eq!(moved.site.unwrap().nodes[3].spec.str_at("bmc.system"), Some("b"));
    // Files with a site or an include are never kept, and neither are faulty ones.
    let before = memory.kept.lock().unwrap().len();
    for extra in ["include \"base.kdl\"", "node \"y\" { tga \"x\" }"] {
        compiled(&many(extra), "a", &memory);
    }
    assert_eq!(memory.kept.lock().unwrap().len(), before);
}

#[test]
fn a_damaged_reading_is_none() {
    let memory = Memory::default();
    let first = said(&compiled(&many(""), "a", &memory));
    let good: Vec<Vec<u8>> = memory.kept.lock().unwrap().values().cloned().collect();
    for at in (0..good[0].len()).step_by(997).chain([0, good[0].len() - 1]) {
        for bytes in memory.kept.lock().unwrap().values_mut() {
            bytes.clone_from(&good[0]);
            bytes[at] ^= 0x41;
        }
        if at < 3_000 {
            assert_eq!(said(&compiled(&many(""), "a", &memory)), first);
        }
    }
    memory.kept.lock().unwrap().values_mut().for_each(|bytes| bytes.truncate(7));
    assert_eq!(said(&compiled(&many(""), "a", &memory)), first);
}
