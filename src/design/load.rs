//! Files of a revision into the catalogue.
//!
//! Owns which files are designs, which are scripts, and which are built into images. Everything that is wrong with a file stays in its findings.

use super::cached::{self, Cache};
use super::catalog::Catalog;
use super::read::{self, Item, Variables};
use super::source::{LARGEST_TABLE_BYTES, LARGEST_TEXT_BYTES, SourceFile};
use super::syntax::{self, Parsed};
use crate::finding::{DUPLICATE_NAME, Finding, MISSING_REFERENCE, Place, did_you_mean};
use crate::model::image::{DOCKERFILE, FOLDERS, Folder};
use crate::model::revision::SourceTree;
use crate::model::task::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The folder of the standard library.
const STANDARD: &str = "stdlib/";

/// The folder of texts that machines are given.
pub const TEMPLATES: &str = "templates/";

/// Folders whose files are no designs, whatever their names.
const OTHER_FOLDERS: &[&str] = &["scripts/", TEMPLATES, "inventory/", "files/", FOLDERS];

pub fn catalog(tree: &SourceTree, stdlib: &SourceTree, cache: Option<&dyn Cache>) -> Catalog {
    let mut catalog = Catalog::new(tree.payloads.clone());
    catalog.files = tree.files.keys().cloned().collect();
    catalog.folders = folders(tree);
    let standard = load(stdlib, true, None, &mut catalog);
    catalog.add_standard(standard);
    refuse_taken_folder(tree, &mut catalog);
    let own = load(tree, false, cache, &mut catalog);
    catalog.add_own(own);
    catalog
}

/// The folders below `containers/` that have a Dockerfile, each with everything in it.
fn folders(tree: &SourceTree) -> BTreeMap<Arc<str>, Arc<Folder>> {
    let dockerfiles = tree.files.keys().filter(|name| name.starts_with(FOLDERS));
    let paths = dockerfiles.filter_map(|name| name.strip_suffix(DOCKERFILE)?.strip_suffix('/'));
    paths
        .filter(|path| path.len() >= FOLDERS.len())
        .map(|path| {
            let inside = |(name, bytes): (&Arc<str>, &Arc<[u8]>)| {
                let name = name.strip_prefix(path)?.strip_prefix('/')?;
                Some((Arc::from(name), bytes.clone()))
            };
            (path.into(), Arc::new(Folder::new(tree.files.iter().filter_map(inside).collect())))
        })
        .collect()
}

fn load(tree: &SourceTree, standard: bool, cache: Option<&dyn Cache>, catalog: &mut Catalog) -> Vec<Item> {
    let (mut designs, mut kept) = (Vec::new(), Vec::new());
    for (name, bytes) in tree.files.iter().filter(|(name, _)| name.starts_with(STANDARD) == standard) {
        match () {
            () if name.starts_with(FOLDERS) => {}
            () if name.ends_with(".rhai") => add_script(name, bytes, catalog),
            () if is_table(name) => add_table(name, bytes, catalog),
            () if is_design(name) => {
                let Some(file) = decoded(name, bytes, catalog) else { continue };
                match cache.and_then(|cache| cached::find(cache, &file)) {
                    Some(reading) => kept.push((file, reading)),
                    None => designs.extend(parsed(file, catalog)),
                }
            }
            () if standard || name.starts_with(TEMPLATES) => {
                catalog.templates.insert(name.clone(), bytes.clone());
            }
            () => {}
        }
    }
    follow_includes(tree, &mut designs, kept.iter().map(|(file, _)| &file.name), catalog);
    // What is kept declares no variables, so these are all.
    let variables = Variables::collect(designs.iter().map(|(_, parsed)| parsed));
    let mut items = Vec::new();
    for (file, reading) in kept {
        match reading.counts_under(&variables) {
            true => items.extend(reading.items),
            false => designs.extend(parsed(file, catalog)),
        }
    }
    for (file, parsed) in designs {
        let mut reading = read::read(&file, &parsed, &variables);
        if let Some(cache) = cache {
            cached::keep(cache, &file, &reading, &variables);
        }
        catalog.findings.append(&mut reading.findings);
        catalog.hidden.append(&mut reading.hidden);
        items.append(&mut reading.items);
    }
    items
}

/// Adds what the files include, and what that includes; each file once.
fn follow_includes<'k>(
    tree: &SourceTree,
    designs: &mut Vec<(SourceFile, Parsed)>,
    kept: impl Iterator<Item = &'k Arc<str>>,
    catalog: &mut Catalog,
) {
    let mut loaded: BTreeSet<Arc<str>> = kept.cloned().collect();
    loaded.extend(designs.iter().map(|(file, _)| file.name.clone()));
    let mut next = 0;
    while let Some((file, document)) = designs.get(next) {
        next += 1;
        let mut found = Vec::new();
        for node in document.document.nodes().iter().filter(|node| node.name().value() == "include") {
            let Some(entry) = node.entries().first().filter(|entry| entry.name().is_none()) else { continue };
            let Some(wanted) = entry.value().as_string() else { continue };
            match tree.files.get_key_value(wanted).filter(|(name, _)| name.ends_with(".kdl")) {
                Some((name, bytes)) if loaded.insert(name.clone()) => {
                    found.push((name.clone(), bytes.clone()))
                }
                Some(_) => {}
                None => {
                    let place = file.place(document.base + entry.span().offset(), entry.span().len());
                    catalog.findings.push(not_included(tree, wanted, place));
                }
            }
        }
        for (name, bytes) in found {
            let file = decoded(&name, &bytes, catalog);
            designs.extend(file.and_then(|file| parsed(file, catalog)));
        }
    }
}

fn not_included(tree: &SourceTree, wanted: &str, place: Place) -> Finding {
    let known = tree.files.keys().map(|name| &**name).filter(|name| name.ends_with(".kdl"));
    let help = match did_you_mean(wanted, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the path of a KDL file of the design, from the design's folder".to_string(),
    };
    let message = format!("there is no KDL file `{wanted}` in the design");
    Finding::new(MISSING_REFERENCE, format!("include \"{wanted}\""), message).at(place).help(help)
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

fn is_table(name: &str) -> bool {
    name.starts_with("inventory/") && name.ends_with(".csv")
}

fn add_script(name: &Arc<str>, bytes: &[u8], catalog: &mut Catalog) {
    match SourceFile::decode(name, bytes, LARGEST_TEXT_BYTES) {
        Ok(file) => {
            catalog.texts.insert(file.name.clone(), file.text.clone());
            catalog.scripts.insert(file.name.clone(), Script { file: file.name, text: file.text });
        }
        Err(finding) => refuse(catalog, vec![*finding]),
    }
}

fn add_table(name: &Arc<str>, bytes: &[u8], catalog: &mut Catalog) {
    match SourceFile::decode(name, bytes, LARGEST_TABLE_BYTES) {
        Ok(file) => {
            catalog.texts.insert(file.name.clone(), file.text.clone());
            catalog.tables.insert(file.name.clone(), file);
        }
        Err(finding) => refuse(catalog, vec![*finding]),
    }
}

/// A KDL file as text, when it is one.
fn decoded(name: &Arc<str>, bytes: &[u8], catalog: &mut Catalog) -> Option<SourceFile> {
    match SourceFile::decode(name, bytes, LARGEST_TEXT_BYTES) {
        Ok(file) => {
            catalog.texts.insert(file.name.clone(), Arc::clone(&file.text));
            Some(file)
        }
        Err(finding) => {
            refuse(catalog, vec![*finding]);
            None
        }
    }
}

/// The file with its document, when it can be parsed.
fn parsed(file: SourceFile, catalog: &mut Catalog) -> Option<(SourceFile, Parsed)> {
    match syntax::parse(&file) {
        Ok(parsed) => Some((file, parsed)),
        Err(findings) => {
            refuse(catalog, findings);
            None
        }
    }
}

fn refuse(catalog: &mut Catalog, findings: Vec<Finding>) {
    catalog.broken = true;
    catalog.findings.extend(findings);
}
