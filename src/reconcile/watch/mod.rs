//! The watch: the loop turned again and again, on every change of the design and from time to time.
//!
//! Owns when a turn begins and what is told of it. A trigger only says "look again"; what is done follows from
//! the revision and the machines. The site is held for the length of a look and no longer, so that between two
//! looks everybody else may `apply`, `cancel` or `release`. Nothing is approved here that the caller did not name.

mod patience;
mod revision;
mod triggers;
mod turn;

use super::place;
use super::session::{Machines, SessionError};
use crate::model::site::Site;
use crate::model::watch::{Event, Waiting, What};
use crate::plan::Limits;
use crate::plan::policy::Approvals;
use crate::run::event::Listener;
use crate::store::{StoreError, Url};
use crate::units::Time;
use crate::world::clock;
use crate::world::source::{Options, SourceError};
use patience::Patience;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use triggers::Triggers;

/// Chooses the nodes that a watch is for, or says why it cannot.
type Choose = dyn Fn(&Site) -> Result<Limits, String> + Send + Sync;

/// What is watched, and how.
pub struct Watch {
    /// The design: a folder or a URI.
    pub place: String,
    /// How it is brought in.
    pub source: Options,
    pub url: Url,
    /// Where the machines are; asked anew for every look, since a rack may come back elsewhere.
    pub machines: Box<dyn Fn() -> Result<Machines, String> + Send + Sync>,
    /// The nodes that the watch is for, in a revision.
    pub limits: Box<Choose>,
    pub approvals: Approvals,
    /// How long after a look the next one begins when nothing changes.
    pub every: Duration,
    pub cancel: CancellationToken,
    /// Hears the runs.
    pub runs: Listener,
    /// Hears everything else, in one order with the runs.
    pub tell: Box<dyn Fn(Event) + Send + Sync>,
}

/// Why a look came to nothing. The first one ends the watch; later ones are put off.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("{0}")]
    Selector(String),
    #[error("{0}")]
    Machines(String),
    #[error("the store `{0}` is gone; put it back, or start the watch again to begin a new one")]
    StoreGone(PathBuf),
    #[error("the design could not be read to its end: {0}")]
    Broken(String),
}

impl Watch {
    /// Goes on until it is asked to stop, or the first look fails.
    pub async fn run(self) -> Result<(), WatchError> {
        let mut triggers = Triggers::on(&self.place);
        let mut watching = Watching::new(self);
        let mut first = true;
        loop {
            match watching.turn(first).await {
                Ok(()) => {}
                Err(error) if first => return Err(error),
                Err(error) => watching.put_off(&error),
            }
            first = false;
            if watching.options.cancel.is_cancelled() {
                break;
            }
            let at_most = watching.idle();
            if !triggers.wait(at_most, &watching.options.cancel).await {
                break;
            }
        }
        watching.tell(What::Stopped);
        Ok(())
    }
}

/// A watch under way, with what it remembers from look to look.
struct Watching {
    options: Watch,
    /// The last good revision, compiled: the one in force.
    site: Option<Arc<Site>>,
    /// What was last told of a revision that cannot be used, or of a look that failed, or of a plan:
    /// nothing is told twice in a row.
    told_invalid: Option<String>,
    told_failed: Option<String>,
    told_plan: Option<String>,
    /// When the machines are looked at next, whatever happens.
    due: Time,
    /// Looks that came to nothing, in a row.
    failures: u32,
    patience: Patience,
    /// The store has been there: it is not begun anew when somebody removes it.
    had_store: bool,
    /// Since the last idle moment something was told, and something that a person wants to read.
    told: bool,
    told_news: bool,
}

impl Watching {
    fn new(options: Watch) -> Watching {
        let patience = Patience::new(options.every);
        Watching {
            options,
            site: None,
            told_invalid: None,
            told_failed: None,
            told_plan: None,
            due: Time(0),
            failures: 0,
            patience,
            had_store: false,
            told: false,
            told_news: false,
        }
    }

    /// Brings the design in, and looks at the machines when it is new or when it is time.
    async fn turn(&mut self, first: bool) -> Result<(), WatchError> {
        let news = self.bring_in(first).await?;
        let Some(site) = self.site.clone() else { return Ok(()) };
        let is_due = news.is_some() || clock::now() >= self.due;
        if is_due && !self.options.cancel.is_cancelled() {
            // Payloads, and mostly the store, lie in the folder: without it nobody is looked at.
            if place::folder(&self.options.place).is_none_or(|folder| folder.is_dir()) {
                self.look(site, news).await?;
            }
            self.due = clock::now().plus(self.options.every);
            self.failures = 0;
            self.told_failed = None;
        }
        Ok(())
    }

    /// A look came to nothing: it is said once, and tried again later and later.
    fn put_off(&mut self, error: &WatchError) {
        self.failures = self.failures.saturating_add(1);
        let again_at = clock::now().plus(patience::pause(self.failures));
        self.due = again_at;
        let why = super::causes(error);
        let text = why.join("\n");
        if self.told_failed.as_ref() == Some(&text) {
            return;
        }
        self.told_failed = Some(text);
        let held = matches!(
            error,
            WatchError::Session(SessionError::Store(StoreError::Held(_) | StoreError::Fenced))
        );
        self.tell(match held {
            true => What::Waiting(Waiting::Lease { why: why.join(": "), again_at }),
            false => What::Failed { why, again_at },
        });
    }

    /// Says when the next look is; how long it is until then.
    fn idle(&mut self) -> Duration {
        let now = clock::now();
        // No look is further away than that, unless somebody has put the clock back.
        let latest = now.plus(self.options.every.max(patience::LONGEST_PAUSE));
        self.due = self.due.min(latest);
        let until = match self.site {
            Some(_) => self.due,
            None => now.plus(self.options.every),
        };
        if self.told {
            self.tell(What::Idle { until, quiet: !self.told_news });
        }
        (self.told, self.told_news) = (false, false);
        until.since(now)
    }

    fn tell(&mut self, what: What) {
        self.told = true;
        self.told_news |= !matches!(what, What::Look { news: None, .. });
        let revision = self.site.as_ref().map(|site| site.revision.clone());
        (self.options.tell)(Event { at: clock::now(), revision, what });
    }
}
