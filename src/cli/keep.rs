//! `keep`: this program as the keeper of one command; Rackwright starts it itself.

use super::exit::{CliError, Exit};
use crate::world::{clock, command};
use std::path::PathBuf;

/// Look after one command of a task until it has ended; Rackwright starts this itself.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of the command. What it is to do comes on standard input.
    folder: PathBuf,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let kept =
        tokio::task::spawn_blocking(move || command::keep(&args.folder, std::io::stdin(), clock::now)).await;
    kept.map_err(|error| CliError::of(Exit::Fault, &error))?
        .map_err(|error| CliError::of(Exit::Fault, &error))?;
    Ok(Exit::Done)
}
