//! `task test`: the tests of tasks, run against a world that they script. Nothing is performed, no store is opened.

use crate::cli::exit::{CliError, Exit};
use crate::cli::{Global, common};
use crate::reconcile::desk;
use crate::view::{out, tested as shown};

/// Run the `test_…` functions of task scripts; the effects that they expect are answered by the tests themselves.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 when all tests pass; 4 when one fails; 3 when the design or a script has errors."
)]
pub struct Args {
    /// [DESIGN] [TASK…]: the design, by default the current folder, and the tasks, by default all of them.
    #[arg(value_name = "[DESIGN] [TASK")]
    words: Vec<String>,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let (design, names) = super::design_and_tasks(&args.words);
    let site = common::load_with(global, design, &common::source(args.revision.as_deref(), false)).await?;
    let tasks = super::chosen(&site.tasks, design, names)?;
    let tested = desk::test(&site, &tasks).await.map_err(|error| CliError::of(Exit::Design, &error))?;
    match global.json {
        true => out::json_document(&shown::as_json(&tested)),
        false => out::result(&shown::human(&tested, &site.scripts)),
    }
    let passed = tested.iter().all(|test| test.failure.is_none());
    Ok(if passed { Exit::Done } else { Exit::Failed })
}
