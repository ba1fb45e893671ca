//! `fmt`: the KDL files of a design in the house style.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::model::formatted::Formatted;
use crate::reconcile::format;
use crate::view::{format as shown, out};

/// Format the KDL files of a design in place; comments and meaning stay.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 when every file is formatted; 2 with --check when a file would change; \
    3 when a file is no KDL, which is left as it is."
)]
pub struct Args {
    /// Design folders and files; `-` formats standard input to standard output.
    #[arg(default_value = ".", value_name = "DESIGN or FILE")]
    places: Vec<String>,
    /// Write nothing; list the files that would change, and exit 2 when there are any.
    #[arg(long)]
    check: bool,
}

/// The place that is standard input.
const STDIN: &str = "-";

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let mut formatted = Formatted::default();
    for place in &args.places {
        if place != STDIN {
            format::files(place)
                .await?
                .iter()
                .for_each(|path| format::file(&mut formatted, path, !args.check));
        } else if let Some(text) = format::stream(&mut formatted, std::io::stdin().lock())
            && !args.check
            && !global.json
        {
            out::text(&text);
        }
    }
    // Standard output holds the text then.
    let streamed = args.places.iter().any(|place| place == STDIN) && !args.check;
    if global.json {
        out::json_document(&shown::as_json(&formatted));
    } else {
        shown::complaints(&formatted, common::colored(global)).iter().for_each(|text| out::note(text));
        if !streamed {
            out::result(&shown::human(&formatted, args.check));
        }
    }
    let counts = shown::Counts::of(&formatted);
    Ok(match args.check && counts.changed > 0 {
        _ if counts.failed > 0 => Exit::Fault,
        _ if counts.with_findings > 0 => Exit::Design,
        true => Exit::Pending,
        false => Exit::Done,
    })
}
