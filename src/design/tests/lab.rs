//! The lab design: it compiles without findings, and its payloads are what its checksums say.

use super::{compiled, shown};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

fn lab() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("designs/lab")
}

#[test]
fn the_lab_compiles_and_its_checksums_are_true() {
    let texts: Vec<(String, Vec<u8>)> = ["site.kdl", "images.kdl", "nodes.kdl"]
        .map(|name| (name.to_string(), std::fs::read(lab().join(name)).unwrap()))
        .into();
    let files: Vec<(&str, &[u8])> =
        texts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let compiled = compiled(&files);
    assert_eq!(compiled.findings.iter().map(shown).collect::<String>(), "");
    let site = compiled.site.unwrap();
    let names: Vec<&str> = site.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!((names.len(), names[0], names[7]), (8, "lab-n01", "lab-n08"));
    let spec = &site.nodes[7].spec;
    assert_eq!(spec.str_at("bmc.address"), Some("https://10.17.1.8"));
    assert_eq!(spec.str_at("addresses.pxe"), Some("10.20.0.108"));
    for part in ["image.kernel", "image.initrd", "image"] {
        let file = spec.str_at(&format!("{part}.url")).unwrap();
        let digest = crate::id::hex(&Sha256::digest(std::fs::read(lab().join(file)).unwrap()));
        assert_eq!(
            spec.str_at(&format!("{part}.checksum")),
            Some(format!("sha256:{digest}").as_str()),
            "{file}"
        );
    }
}
