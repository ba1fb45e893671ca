//! `import`: what another system keeps of a site, as a design in a folder of its own.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::finding::Finding;
use crate::import::{Input, csv, drydock};
use crate::model::imported::Imported;
use crate::reconcile::imported::{judge, judge_sources};
use crate::view::{findings, import as shown, out};
use crate::world::source::rewrite;
use clap::ValueEnum;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a design of what another system keeps, and list what does not go over.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 when the result is valid; 3 when it has errors, or a file cannot be read."
)]
pub struct Args {
    /// What the files are.
    kind: Kind,
    /// The files, all of one site.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder of the new design; it must be empty, or not be there yet.
    #[arg(long, value_name = "DIR", required_unless_present = "validate_only")]
    out: Option<PathBuf>,
    /// Write nothing; report what is wrong, at its place in the imported files.
    #[arg(long, conflicts_with = "out")]
    validate_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// YAML documents of Drydock, as Deckhand keeps them.
    Drydock,
    /// Tables with a line for each machine.
    Csv,
}

/// More files than this are not one site's.
const MOST_FILES: usize = 1_000;

pub fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    if args.files.len() > MOST_FILES {
        return Err(CliError::new(
            Exit::Usage,
            format!("at most {MOST_FILES} files can be imported at once"),
        ));
    }
    if let Some(folder) = &args.out {
        must_be_empty(folder)?;
    }
    let inputs = args.files.iter().map(|path| input(path)).collect::<Result<Vec<_>, _>>()?;
    let imported = match args.kind {
        Kind::Drydock => drydock::import(&inputs),
        Kind::Csv => csv::import(&inputs),
    };
    match &args.out {
        None => Ok(validate(global, &imported)),
        Some(_) if imported.findings.iter().any(Finding::is_error) => {
            validate(global, &imported);
            Err(CliError::new(Exit::Design, "nothing was written")
                .help("correct the files and import them again"))
        }
        Some(folder) => write(global, &imported, folder),
    }
}

fn input(path: &Path) -> Result<Input, CliError> {
    let bytes = rewrite::read(path).map_err(|error| {
        CliError::new(Exit::Design, format!("`{}` cannot be read: {error}", path.display()))
    })?;
    Ok(Input { name: path.display().to_string().into(), bytes })
}

fn must_be_empty(folder: &Path) -> Result<(), CliError> {
    let occupied = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            let message = format!("`{}` cannot be written to: {error}", folder.display());
            return Err(CliError::new(Exit::Usage, message).help("name another folder"));
        }
    };
    match occupied {
        true => Err(CliError::new(Exit::Usage, format!("`{}` is not empty", folder.display()))
            .help("name a new folder: an import writes over nothing")),
        false => Ok(()),
    }
}

/// The findings alone, in the words of what was imported.
fn validate(global: &Global, imported: &Imported) -> Exit {
    let judged = judge_sources(imported);
    match global.json {
        true => out::json_document(&findings::as_json(&judged.findings)),
        false => out::result(&findings::human(&judged.findings, &judged.texts, common::colored(global))),
    }
    if judged.findings.iter().any(Finding::is_error) { Exit::Design } else { Exit::Done }
}

fn write(global: &Global, imported: &Imported, folder: &Path) -> Result<Exit, CliError> {
    for (name, text) in &imported.files {
        let path = folder.join(name);
        put(&path, text).map_err(|error| {
            CliError::new(Exit::Fault, format!("`{}` cannot be written: {error}", path.display()))
        })?;
    }
    let written: Vec<String> = imported.files.iter().map(|(name, _)| name.clone()).collect();
    let shown_folder = folder.display().to_string();
    let judged = judge(imported, &shown_folder);
    match global.json {
        true => out::json_document(&shown::as_json(imported, &shown_folder, &written, &judged.findings)),
        false => {
            out::result(&shown::human(imported, &shown_folder, &written));
            out::result(&findings::human(&judged.findings, &judged.texts, common::colored(global)));
        }
    }
    Ok(if judged.findings.iter().any(Finding::is_error) { Exit::Design } else { Exit::Done })
}

/// A new file: one that has come meanwhile stays as it is.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
