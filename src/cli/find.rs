//! `find`: node names, one a line.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::view::out;

/// Print the names of the nodes that a selector chooses.
#[derive(clap::Args)]
pub struct Args {
    /// Names and globs (`r1-*`), and tests of resolved values (`rack:r1 & !label:role=db`,
    /// `hardware.boot-mode=uefi`).
    selector: String,
    /// The design: a folder or a URI.
    #[arg(long, default_value = ".")]
    design: String,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site =
        common::load_with(global, &args.design, &common::source(args.revision.as_deref(), false)).await?;
    let chosen = common::choose(&site, &args.selector)?;
    match global.json {
        true => out::json_document(&chosen),
        false => chosen.iter().for_each(|name| out::result(name)),
    }
    Ok(Exit::Done)
}
