//! `explain`: the page of a finding's code.

use super::Global;
use super::exit::{CliError, Exit};
use crate::view::{explain, out};

/// Say what a finding's code means, why it matters, and what to do about it.
#[derive(clap::Args)]
pub struct Args {
    /// The code, such as RW0030; without one, every code is listed.
    code: Option<String>,
}

pub fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let Some(written) = &args.code else {
        match global.json {
            true => out::json_document(&explain::all_as_json()),
            false => out::result(&explain::all()),
        }
        return Ok(Exit::Done);
    };
    let code = explain::code(written).ok_or_else(|| unknown(written))?;
    match global.json {
        true => out::json_document(&explain::as_json(code)),
        false => out::result(&explain::human(code)),
    }
    Ok(Exit::Done)
}

fn unknown(written: &str) -> CliError {
    let error = CliError::new(Exit::Usage, format!("there is no finding code `{written}`"));
    match explain::nearest(written) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`rackwright explain` lists all codes"),
    }
}
