//! Files of a revision into the catalogue.
//!
//! Owns which files are designs and which are scripts. Everything that is wrong with a file stays in its findings.

use super::catalog::Catalog;
use super::read::{self, Item};
use super::source::SourceFile;
use super::syntax;
use crate::finding::{DUPLICATE_NAME, Finding, Place};
use crate::model::revision::SourceTree;
use crate::model::task::Script;
use std::sync::Arc;

/// The folder of the standard library.
const STANDARD: &str = "stdlib/";

/// Folders whose files are no designs, whatever their names.
const OTHER_FOLDERS: &[&str] = &["scripts/", "templates/", "inventory/", "files/"];

pub fn catalog(tree: &SourceTree, stdlib: &SourceTree) -> Catalog {
    let mut catalog = Catalog::new(tree.payloads.clone());
    let standard = load(stdlib, true, &mut catalog);
    catalog.add_standard(standard);
    refuse_taken_folder(tree, &mut catalog);
    let own = load(tree, false, &mut catalog);
    catalog.add_own(own);
    catalog
}

fn load(tree: &SourceTree, standard: bool, catalog: &mut Catalog) -> Vec<Item> {
    let mut items = Vec::new();
    for (name, bytes) in &tree.files {
        let script = name.ends_with(".rhai");
        if name.starts_with(STANDARD) != standard || (!script && !is_design(name)) {
            continue;
        }
        match SourceFile::decode(name, bytes) {
            Ok(file) if script => add_script(file, catalog),
            Ok(file) => items.extend(load_design(&file, catalog)),
            Err(finding) => refuse(catalog, vec![*finding]),
        }
    }
    items
}

/// Scripts and findings name the standard library's files by its folder, so no design can have one of that name.
fn refuse_taken_folder(tree: &SourceTree, catalog: &mut Catalog) {
    let taken =
        |name: &&Arc<str>| name.starts_with(STANDARD) && (name.ends_with(".kdl") || name.ends_with(".rhai"));
    if let Some(name) = tree.files.keys().find(taken) {
        let message = "the folder `stdlib/` is the name of the standard library";
        let finding = Finding::new(DUPLICATE_NAME, format!("file `{name}`"), message).at(Place::whole(name));
        catalog
            .findings
            .push(finding.help("give the folder another name; to override a task, write it anywhere"));
    }
}

/// Is the file of this name, in a revision, read as a part of the design?
pub fn is_design(name: &str) -> bool {
    name.ends_with(".kdl") && !OTHER_FOLDERS.iter().any(|folder| name.starts_with(folder))
}

fn add_script(file: SourceFile, catalog: &mut Catalog) {
    catalog.texts.insert(file.name.clone(), file.text.clone());
    catalog.scripts.insert(file.name.clone(), Script { file: file.name, text: file.text });
}

fn load_design(file: &SourceFile, catalog: &mut Catalog) -> Vec<Item> {
    catalog.texts.insert(file.name.clone(), Arc::clone(&file.text));
    match syntax::parse(file) {
        Ok(parsed) => {
            let mut reading = read::read(file, &parsed);
            catalog.findings.append(&mut reading.findings);
            catalog.hidden.append(&mut reading.hidden);
            reading.items
        }
        Err(findings) => {
            refuse(catalog, findings);
            Vec::new()
        }
    }
}

fn refuse(catalog: &mut Catalog, findings: Vec<Finding>) {
    catalog.broken = true;
    catalog.findings.extend(findings);
}
