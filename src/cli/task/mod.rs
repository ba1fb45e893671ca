//! `task`: for people who write tasks. One file a command; what they share is here.

mod check;
mod console;
mod docs;
mod lines;
mod test;

use super::Global;
use super::exit::{CliError, Exit};
use crate::finding::did_you_mean;
use crate::model::task::Task;
use clap::Subcommand;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

type Tasks = BTreeMap<Arc<str>, Arc<Task>>;

/// For people who write tasks: tests, checks, the reference, and a console.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Check(check::Args),
    Docs(docs::Args),
    Console(console::Args),
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    match &args.command {
        Command::Test(args) => test::run(global, args).await,
        Command::Check(args) => check::run(global, args).await,
        Command::Docs(args) => docs::run(global, args).await,
        Command::Console(args) => console::run(global, args).await,
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
fn chosen(tasks: &Tasks, design: &str, names: &[String]) -> Result<Vec<Arc<Task>>, CliError> {
    if names.is_empty() {
        return Ok(tasks.values().cloned().collect());
    }
    if let Some(name) = names.iter().find(|name| !tasks.contains_key(name.as_str())) {
        let error = CliError::new(Exit::Usage, format!("the design `{design}` has no task `{name}`"));
        return Err(match did_you_mean(name, tasks.keys().map(|key| &**key)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("write `[DESIGN] [TASK…]`; a design is a folder that is there, or a URI"),
        });
    }
    let is_named = |task: &&Arc<Task>| names.iter().any(|name| **name == *task.name);
    Ok(tasks.values().filter(is_named).cloned().collect())
}
