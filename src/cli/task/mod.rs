//! `task`: for people who write tasks. One file a command; what they share is here.

mod test;

use super::Global;
use super::exit::{CliError, Exit};
use crate::finding::did_you_mean;
use crate::model::site::Site;
use crate::model::task::Task;
use clap::Subcommand;
use std::path::Path;
use std::sync::Arc;

/// For people who write tasks: test them at a desk.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    match &args.command {
        Command::Test(args) => test::run(global, args).await,
    }
}

/// `[DESIGN] [TASK…]`: the first word is the design when it is a folder, a file or a URI.
fn design_and_tasks(words: &[String]) -> (&str, &[String]) {
    let is_place = |word: &String| word.contains("://") || Path::new(word).exists();
    match words.split_first() {
        Some((first, rest)) if is_place(first) => (first, rest),
        _ => (".", words),
    }
}

/// The tasks of these names, in order of name; all of them when none is named.
fn chosen(site: &Site, design: &str, names: &[String]) -> Result<Vec<Arc<Task>>, CliError> {
    if names.is_empty() {
        return Ok(site.tasks.values().cloned().collect());
    }
    let mut tasks: Vec<Arc<Task>> = Vec::new();
    for name in names {
        let found = site.tasks.get(name.as_str()).ok_or_else(|| {
            let message = format!("the design `{design}` has no task `{name}`");
            let error = CliError::new(Exit::Usage, message);
            match did_you_mean(name, site.tasks.keys().map(|key| &**key)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("write `[DESIGN] [TASK…]`; a design is a folder that is there, or a URI"),
            }
        })?;
        tasks.push(found.clone());
    }
    tasks.sort_by(|one, other| one.name.cmp(&other.name));
    tasks.dedup_by(|one, other| one.name == other.name);
    Ok(tasks)
}
