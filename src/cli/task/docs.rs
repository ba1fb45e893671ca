//! `task docs`: the reference of tasks, blueprints and effects.

use crate::cli::exit::{CliError, Exit};
use crate::cli::{Global, common};
use crate::model::reference::Reference;
use crate::reconcile::reference;
use crate::view::{definitions, out, reference as shown};
use std::path::{Path, PathBuf};

/// Print the reference: of the standard library, or of a design with its own tasks.
#[derive(clap::Args)]
pub struct Args {
    /// [DESIGN] [TASK…]: without a design the standard library; tasks alone without blueprints and effects.
    #[arg(value_name = "[DESIGN] [TASK")]
    words: Vec<String>,
    /// Only the effects that scripts can call.
    #[arg(long)]
    effects: bool,
    /// As Markdown.
    #[arg(long)]
    markdown: bool,
    /// Write definition files of the effects for editors into this folder, one a module.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["markdown", "effects"])]
    definitions: Option<PathBuf>,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    if let Some(folder) = &args.definitions {
        write_definitions(folder)?;
        return Ok(Exit::Done);
    }
    let mut reference = reference(global, args).await?;
    if args.effects {
        (reference.tasks, reference.blueprints) = (Vec::new(), Vec::new());
    }
    match (global.json, args.markdown) {
        (true, _) => out::json_document(&shown::as_json(&reference)),
        (false, true) => out::result(&shown::markdown(&reference)),
        (false, false) => out::result(&shown::human(&reference)),
    }
    Ok(Exit::Done)
}

async fn reference(global: &Global, args: &Args) -> Result<Reference, CliError> {
    let standard = reference::standard();
    if args.words.is_empty() {
        return Ok(standard);
    }
    let (design, names) = super::design_and_tasks(&args.words);
    let is_standard = |name: &String| standard.tasks.iter().any(|task| *task.name == **name);
    if args.words.len() == names.len() && names.iter().all(is_standard) {
        return Ok(only(standard, names));
    }
    let site = common::load_with(global, design, &common::source(args.revision.as_deref(), false)).await?;
    super::chosen(&site.tasks, design, names)?;
    Ok(only(reference::of(&site), names))
}

/// The tasks of these names alone; everything when none is named.
fn only(mut reference: Reference, names: &[String]) -> Reference {
    if names.is_empty() {
        return reference;
    }
    reference.tasks.retain(|task| names.iter().any(|name| **name == *task.name));
    Reference { tasks: reference.tasks, ..Reference::default() }
}

fn write_definitions(folder: &Path) -> Result<(), CliError> {
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::new(Exit::Fault, format!("`{}` cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (name, text) in definitions::files(&reference::modules()) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
        out::result(&path.display().to_string());
    }
    Ok(())
}
