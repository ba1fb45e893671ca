//! `watch`: the loop, continuously, from files or git.

use super::Global;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::model::hazard::Hazard;
use crate::model::watch;
use crate::plan::policy::Approvals;
use crate::reconcile::place;
use crate::reconcile::watch::Watch;
use crate::run::event::{Event, Listener};
use crate::units;
use crate::view::progress::Progress;
use crate::view::watch::Voice;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a folder, whose changes are seen at once, is looked at to find drift.
const FOLDER_EVERY: Duration = Duration::from_secs(5 * 60);
/// How often a design that has to be fetched is looked at.
const FETCHED_EVERY: Duration = Duration::from_secs(30);
/// Looking more often would be a storm of requests to every BMC.
const LEAST_EVERY: Duration = Duration::from_secs(1);

/// Keep the machines equal to the design: look again whenever it changes, and from time to time.
#[derive(clap::Args)]
pub struct Args {
    /// The design folder or URI.
    #[arg(default_value = ".")]
    design: String,
    /// Only these nodes: names, globs and tests, such as `rack:r1 & !tag:db`; try them with `find`.
    #[arg(long, value_name = "SELECTOR")]
    on: Option<String>,
    /// Hazards that are agreed to as long as the watch goes on: reboot, reinstall, data-loss. Others wait.
    #[arg(long, value_name = "HAZARD,…", value_delimiter = ',', value_parser = common::hazard)]
    approve: Vec<Hazard>,
    /// How often to look when nothing changes, at least 1s; default 5m for a folder, 30s otherwise.
    #[arg(long, value_name = "DURATION", value_parser = every)]
    every: Option<Duration>,
    #[command(flatten)]
    place: Where,
}

/// One of the two kinds of things that are told, in the order in which they happen.
enum Told {
    Run(Event),
    Watch(watch::Event),
}

pub async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let url = args.place.store(global, &args.design)?;
    let (told, shower) = show(global, &args);
    let runs: Listener = {
        let told = told.clone();
        Arc::new(move |event| drop(told.send(Told::Run(event))))
    };
    let design = args.design.clone();
    let default = if place::folder(&design).is_some() { FOLDER_EVERY } else { FETCHED_EVERY };
    let watch = Watch {
        url,
        source: common::source(None, true),
        approvals: Approvals {
            hazards: args.approve.iter().copied().collect(),
            everything: args.place.r#virtual,
        },
        every: args.every.unwrap_or(default),
        cancel: common::stop_on_signal(),
        runs,
        tell: Box::new(move |event| drop(told.send(Told::Watch(event)))),
        limits: Box::new(move |site| {
            common::limits(site, args.on.as_deref(), None).map_err(|error| error.to_text())
        }),
        machines: Box::new(move || args.place.machines(&args.design).map_err(|error| error.to_text())),
        place: design,
    };
    let outcome = watch.run().await;
    let _ = shower.await;
    outcome?;
    Ok(Exit::Interrupted)
}

/// Shows what is told by a task of its own.
fn show(global: &Global, args: &Args) -> (mpsc::UnboundedSender<Told>, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (json, terminal) = (global.json, std::io::stderr().is_terminal());
    let voice = Voice { json, color: common::colored(global), command: command(global, args) };
    let shower = tokio::spawn(async move {
        let mut progress = Progress::new(json, terminal);
        while let Some(told) = receiver.recv().await {
            match told {
                Told::Run(event) => progress.show(&event),
                Told::Watch(event) => {
                    // The bars of a run that has ended are not drawn again.
                    progress = Progress::new(json, terminal);
                    voice.show(&event);
                }
            }
        }
    });
    (sender, shower)
}

/// The command by which somebody approves what waits.
fn command(global: &Global, args: &Args) -> String {
    let mut words = vec!["rackwright apply".to_string(), quoted(&args.design)];
    if let Some(file) = &args.place.rack {
        words.extend(["--rack".into(), quoted(&file.to_string_lossy())]);
    }
    if let Some(store) = &global.store {
        words.extend(["--store".into(), quoted(store)]);
    }
    words.join(" ")
}

/// A word as a shell takes it whole.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./:=+@%,".contains(character);
    match word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// `--every`.
fn every(text: &str) -> Result<Duration, String> {
    let duration = units::duration(text).map_err(|error| error.to_string())?;
    match duration >= LEAST_EVERY {
        true => Ok(duration),
        false => Err(format!("`{text}` is too often; the least is 1s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_are_taken_whole_by_a_shell() {
        assert_eq!(quoted("designs/lab"), "designs/lab");
        assert_eq!(quoted("git+file:///d?ref=main&user=x"), "'git+file:///d?ref=main&user=x'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_watch_looks_at_most_once_a_second() {
        assert_eq!(every("1s"), Ok(LEAST_EVERY));
        assert!(every("999ms").is_err());
        assert!(every("soon").is_err());
    }
}
