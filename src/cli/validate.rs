//! `validate`: findings, nothing else; opens no store, and no socket but to fetch the design.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::reconcile::design;
use crate::view::{findings, import, out};

/// Check a design and report everything that is wrong with it.
#[derive(clap::Args)]
pub struct Args {
    /// The design: a folder, or a URI such as git+https://HOST/REPOSITORY//FOLDER?ref=TAG.
    #[arg(default_value = ".")]
    design: String,
    /// Warnings fail too.
    #[arg(long)]
    strict: bool,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let loaded = design::load(&args.design, &common::source(args.revision.as_deref(), false)).await?;
    if !loaded.notes.is_empty() {
        out::note(import::notes(&loaded.notes).trim_end());
    }
    match global.json {
        true => out::json_document(&findings::as_json(&loaded.findings)),
        false => out::result(&findings::human(&loaded.findings, &loaded.texts, common::colored(global))),
    }
    let (errors, warnings) = findings::counts(&loaded.findings);
    Ok(if errors > 0 || (args.strict && warnings > 0) { Exit::Design } else { Exit::Done })
}
