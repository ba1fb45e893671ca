//! Exit codes, and one place where each kind of error gets its code and its way out.

use crate::reconcile::causes;
use crate::reconcile::console::ConsoleError;
use crate::reconcile::place::PlaceError;
use crate::reconcile::rehearsal::FileError;
use crate::reconcile::session::SessionError;
use crate::reconcile::viewing::ViewError;
use crate::reconcile::watch::WatchError;
use crate::store::StoreError;
use crate::view::out;
use crate::virtual_rack::{FaultsError, RackError};
use crate::world::source::SourceError;
use std::process::ExitCode;

/// The contract's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Fault = 1,
    Pending = 2,
    Design = 3,
    Failed = 4,
    Stale = 5,
    Approval = 6,
    Held = 7,
    Usage = 64,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct CliError {
    pub exit: Exit,
    /// The message, then each cause.
    pub messages: Vec<String>,
    pub help: Option<String>,
}

impl CliError {
    pub fn new(exit: Exit, message: impl Into<String>) -> CliError {
        CliError { exit, messages: vec![message.into()], help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> CliError {
        self.help = Some(help.into());
        self
    }

    /// An error with all its causes.
    pub fn of(exit: Exit, error: &dyn std::error::Error) -> CliError {
        CliError { exit, messages: causes(error), help: None }
    }

    /// Everything in one text, for whoever goes on after it.
    pub fn to_text(&self) -> String {
        let mut text = self.messages.join("\n  because: ");
        if let Some(help) = &self.help {
            text.push_str("\n  help: ");
            text.push_str(help);
        }
        text
    }

    pub fn print(&self) {
        if let Some((first, causes)) = self.messages.split_first() {
            out::note(&format!("error: {first}"));
            for cause in causes {
                out::note(&format!("  because: {cause}"));
            }
        }
        if let Some(help) = &self.help {
            out::note(&format!("  help: {help}"));
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        let plain = CliError::of(Exit::Fault, &error);
        match error {
            StoreError::Held(_) => CliError { exit: Exit::Held, ..plain }
                .help("wait for it to end; `rackwright status` says what it is doing"),
            StoreError::Newer { .. } => {
                plain.help("use that version of Rackwright, or restore a backup made by this one")
            }
            StoreError::Full => {
                plain.help("free some space and run the same command again: it goes on where it stopped")
            }
            StoreError::Locked(_) => {
                plain.help("end the program that has the store open, then run the same command again")
            }
            StoreError::Damaged(_) => {
                plain.help("put the file aside and restore a backup; the machines are not touched meanwhile")
            }
            StoreError::Open { .. } => plain.help("is the folder there, and may you write to it?"),
            StoreError::OtherSite { .. } => plain.help("name a store of its own with --store sqlite:PATH"),
            StoreError::Url(_) => CliError { exit: Exit::Usage, ..plain },
            StoreError::Fenced => CliError { exit: Exit::Held, ..plain },
            _ => plain,
        }
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> CliError {
        let exit = match &error {
            SourceError::Uri { .. } | SourceError::Scheme { .. } => Exit::Usage,
            SourceError::Fetch { .. }
            | SourceError::Silent { .. }
            | SourceError::TooSlow { .. }
            | SourceError::NoCache(_)
            | SourceError::Cache { .. } => Exit::Fault,
            _ => Exit::Design,
        };
        CliError::of(exit, &error)
    }
}

impl From<PlaceError> for CliError {
    fn from(error: PlaceError) -> CliError {
        match error {
            PlaceError::Store(error) => error.into(),
            PlaceError::Source(error) => error.into(),
            PlaceError::NoStore(_) => CliError::of(Exit::Usage, &error)
                .help("name one with --store sqlite:PATH, or in RACKWRIGHT_STORE"),
        }
    }
}

impl From<RackError> for CliError {
    fn from(error: RackError) -> CliError {
        CliError::of(Exit::Fault, &error)
    }
}

impl From<FaultsError> for CliError {
    fn from(error: FaultsError) -> CliError {
        CliError::of(Exit::Usage, &error)
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> CliError {
        CliError::of(Exit::Fault, &error)
    }
}

impl From<ViewError> for CliError {
    fn from(error: ViewError) -> CliError {
        match error {
            ViewError::Store(error) => error.into(),
            other => CliError::of(Exit::Fault, &other),
        }
    }
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> CliError {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Stale(_) => {
                CliError::of(Exit::Stale, &error).help("plan again, look at it, and apply that")
            }
            SessionError::Mixed(_) => {
                CliError::of(Exit::Usage, &error).help("name a store for the rehearsal: --store sqlite:PATH")
            }
            SessionError::Release(_) => CliError::of(Exit::Failed, &error),
            SessionError::Order(_) => CliError::of(Exit::Usage, &error),
            other => CliError::of(Exit::Fault, &other),
        }
    }
}

impl From<ConsoleError> for CliError {
    fn from(error: ConsoleError) -> CliError {
        match error {
            ConsoleError::Session(error) => error.into(),
            ConsoleError::NoNode(_) => CliError::of(Exit::Usage, &error),
        }
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> CliError {
        match error {
            WatchError::Source(error) => error.into(),
            WatchError::Session(error) => error.into(),
            WatchError::Selector(_) => CliError::of(Exit::Usage, &error),
            other => CliError::of(Exit::Fault, &other),
        }
    }
}
