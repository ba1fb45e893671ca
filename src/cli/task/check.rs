//! `task check`: what can be said of task scripts without running them.

use crate::cli::exit::{CliError, Exit};
use crate::cli::{Global, common};
use crate::reconcile::{design, desk};
use crate::view::{findings, out};

/// Check task scripts without running anything: names, arguments, capabilities, and which parts of the spec they read.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 when nothing is wrong; 3 when there is an error, or a warning with --strict."
)]
pub struct Args {
    /// [DESIGN] [TASK…]: the design, by default the current folder, and the tasks, by default all of them.
    #[arg(value_name = "[DESIGN] [TASK")]
    words: Vec<String>,
    /// Warnings fail too.
    #[arg(long)]
    strict: bool,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let (place, names) = super::design_and_tasks(&args.words);
    let loaded = design::load(place, &common::source(args.revision.as_deref(), false)).await?;
    let tasks = super::chosen(&loaded.tasks, place, names)?;
    let found = desk::findings(&loaded, names);
    match global.json {
        true => out::json_document(&findings::as_json(&found)),
        false if found.is_empty() => out::result(&findings::sound(tasks.len())),
        false => out::result(&findings::human(&found, &loaded.texts, common::colored(global))),
    }
    let (errors, warnings) = findings::counts(&found);
    Ok(if errors > 0 || (args.strict && warnings > 0) { Exit::Design } else { Exit::Done })
}
