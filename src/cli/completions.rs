//! `completions`: shell completions on standard output.

use super::exit::{CliError, Exit};
use crate::view::out;
use clap_complete::Shell;

/// Print completions for a shell.
#[derive(clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

pub fn run(args: &Args, mut command: clap::Command) -> Result<Exit, CliError> {
    let mut buffer = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rackwright", &mut buffer);
    out::result(&String::from_utf8_lossy(&buffer));
    Ok(Exit::Done)
}
