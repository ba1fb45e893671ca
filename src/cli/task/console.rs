//! `task console`: a prompt at which statements are evaluated for one node, on a virtual rack.

use super::lines::{Lines, Typed};
use crate::cli::common::{self, Where};
use crate::cli::exit::{CliError, Exit};
use crate::cli::{Global, common::choose_node};
use crate::model::console::{Notice, Said};
use crate::reconcile::console::Sitting;
use crate::view::{console as shown, out};
use tokio::signal::unix::{SignalKind, signal};

/// Try statements out for one node, effects performed at once on a virtual rack; nothing is planned or recorded.
#[derive(clap::Args)]
#[command(after_help = "Without a terminal statements are read from standard input, line by line. \
    Exit codes: 0; 4 when a statement failed and nobody sat at a terminal; 7 when another process holds the site.")]
pub struct Args {
    /// The design: a folder, or a URI such as git+https://HOST/REPOSITORY//FOLDER?ref=TAG.
    #[arg(default_value = ".")]
    design: String,
    /// The node that statements are for.
    #[arg(long, value_name = "NODE")]
    node: String,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    if !args.place.rehearses() {
        let message =
            "a console acts at once, without a plan and without a record, so it takes no real machines";
        return Err(CliError::new(Exit::Usage, message)
            .help("add `--virtual`, or `--rack FILE` for a rack that runs"));
    }
    let options = common::source(args.revision.as_deref(), true);
    let site = common::load_with(global, &args.design, &options).await?;
    choose_node(&site, &args.node)?;
    let url = args.place.store(global, &args.design)?;
    let machines = args.place.machines(&args.design)?;
    let mut sitting = Sitting::open(site, &url, machines, &args.node).await?;
    let history = url.0.with_file_name("console-history");
    let outcome = match Lines::open(&args.node, &history) {
        Ok(lines) => sit(global, &mut sitting, lines).await,
        Err(error) => Err(error),
    };
    sitting.close().await;
    outcome
}

async fn sit(global: &Global, sitting: &mut Sitting, mut lines: Lines) -> Result<Exit, CliError> {
    let (mut failed, mut warned) = (false, false);
    loop {
        lines.can_name(sitting.names());
        let statement = match lines.next().await? {
            Typed::Statement(statement) => statement,
            Typed::Nothing => continue,
            Typed::End => break,
        };
        let mut noticed = |notice| show(&notice, &mut warned);
        // Listened for before the statement begins: a signal that nobody listens for ends the process.
        let listening = signal(SignalKind::interrupt());
        let mut interrupt = listening.map_err(|error| CliError::of(Exit::Fault, &error))?;
        let said = tokio::select! {
            said = sitting.say(&statement, &mut noticed) => Some(said),
            _ = interrupt.recv() => None,
        };
        failed |= !matches!(said, Some(Said::Value(_)));
        match &said {
            None => out::note(shown::INTERRUPTED),
            Some(said) if global.json => out::json(&shown::as_json(said)),
            Some(Said::Value(value)) => value.iter().for_each(|value| out::result(value)),
            Some(Said::Failed { message, at, places }) => {
                out::note(&shown::failed(message, at.as_ref(), places, &statement));
            }
        }
    }
    Ok(if failed && !lines.has_person() { Exit::Failed } else { Exit::Done })
}

/// What happens on the way; before the first write, what it is not.
fn show(notice: &Notice, warned: &mut bool) {
    if matches!(notice, Notice::Calls { writes: true, .. }) && !std::mem::replace(warned, true) {
        out::note(shown::NO_RECORD);
    }
    out::note(&shown::notice(notice));
}
