//! Triggers: what says "look again". A change in the design folder, a timer, a signal to stop.
//!
//! Owns the watching of the folder: debounced, with subfolders as they come, through its deletion and its
//! replacement. Says nothing about what changed: whoever is woken looks for himself.

use crate::reconcile::place;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Events of one file that come within this time are one.
const DEBOUNCE: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(25);
/// A look begins when nothing has happened for this time, so that a storm of events is one look …
const QUIET: Duration = Duration::from_millis(50);
/// … or after so many rings, so that a storm without end does not keep everybody from looking.
const RINGS: u32 = 40;
/// How often a folder that is gone, or that cannot be watched, is looked for.
const BLIND: Duration = Duration::from_secs(1);

pub struct Triggers {
    /// The design folder; `None` for a design that lies elsewhere, which only the timer looks at.
    folder: Option<PathBuf>,
    eyes: Option<Eyes>,
    /// That it cannot be watched was said.
    told_blind: bool,
    bell: Arc<Bell>,
}

/// The folder being watched, until this is dropped.
struct Eyes(#[expect(dead_code, reason = "held for its drop")] Debouncer<RecommendedWatcher, NoCache>);

#[derive(Default)]
struct Bell {
    rings: Notify,
    /// The folder itself came, went or was replaced: it must be watched anew.
    moved: AtomicBool,
}

impl Triggers {
    /// Watches the design at `place`, when it is a folder.
    pub fn on(place: &str) -> Triggers {
        let absolute = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        let folder = place::folder(place).map(absolute);
        let mut triggers = Triggers { folder, eyes: None, told_blind: false, bell: Arc::default() };
        triggers.open_eyes();
        triggers
    }

    /// Waits for a reason to look again, at most so long; false when asked to stop.
    pub async fn wait(&mut self, at_most: Duration, cancel: &CancellationToken) -> bool {
        if self.open_eyes() {
            // What happened before they were open was not seen.
            return !cancel.is_cancelled();
        }
        let blind = self.folder.is_some() && self.eyes.is_none();
        let at_most = if blind { at_most.min(BLIND) } else { at_most };
        tokio::select! {
            biased;
            () = cancel.cancelled() => return false,
            () = self.bell.rings.notified() => {}
            () = tokio::time::sleep(at_most) => return true,
        }
        for _ in 0..RINGS {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return false,
                () = self.bell.rings.notified() => {}
                () = tokio::time::sleep(QUIET) => break,
            }
        }
        true
    }

    /// Watches the folder when it is there and not watched, or was replaced; true when that was news.
    fn open_eyes(&mut self) -> bool {
        let Some(folder) = self.folder.clone() else { return false };
        if self.bell.moved.swap(false, Ordering::AcqRel) {
            self.eyes = None;
        }
        if self.eyes.is_some() || !folder.is_dir() {
            return false;
        }
        match watch(&folder, self.bell.clone()) {
            Ok(eyes) => {
                self.eyes = Some(Eyes(eyes));
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told_blind, true) {
                    tracing::warn!(%error, "the design folder cannot be watched; it is read every second");
                }
                false
            }
        }
    }
}

/// Watches the folder with everything in it, and its place in the folder above: from inside nobody sees
/// that the whole folder was exchanged.
fn watch(folder: &Path, bell: Arc<Bell>) -> notify::Result<Debouncer<RecommendedWatcher, NoCache>> {
    let named = folder.to_path_buf();
    let ring = move |result: DebounceEventResult| match result {
        Ok(events) => {
            let heard = events.iter().map(|event| hear(&named, event)).max().unwrap_or(Heard::Nothing);
            if heard == Heard::Moved {
                bell.moved.store(true, Ordering::Release);
            }
            if heard > Heard::Nothing {
                bell.rings.notify_one();
            }
        }
        // Something was missed: one more look does no harm.
        Err(errors) => {
            tracing::warn!(?errors, "the watched folder could not be read for a moment");
            bell.rings.notify_one();
        }
    };
    let mut eyes = new_debouncer_opt(DEBOUNCE, Some(TICK), ring, NoCache, notify::Config::default())?;
    eyes.watch(folder, RecursiveMode::Recursive)?;
    if let (Some(above), Some(_)) = (folder.parent(), folder.file_name()) {
        // Where that is not allowed, a folder that was exchanged is seen at the next look.
        let seen = eyes.watch(above, RecursiveMode::NonRecursive);
        tracing::debug!(?seen, "the folder above");
    }
    Ok(eyes)
}

/// What an event is to us.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Nothing,
    Change,
    Moved,
}

fn hear(folder: &Path, event: &notify::Event) -> Heard {
    // Reading is no change, and our own looks read.
    let reading = match event.kind {
        EventKind::Access(kind) => kind != AccessKind::Close(AccessMode::Write),
        _ => false,
    };
    if reading {
        return Heard::Nothing;
    }
    if event.need_rescan() {
        return Heard::Change;
    }
    event.paths.iter().map(|path| place_of(folder, path, &event.kind)).max().unwrap_or(Heard::Nothing)
}

fn place_of(folder: &Path, path: &Path, kind: &EventKind) -> Heard {
    let Ok(inside) = path.strip_prefix(folder) else { return Heard::Nothing };
    if inside.as_os_str().is_empty() {
        let replaced = matches!(kind, EventKind::Create(_) | EventKind::Remove(_))
            || matches!(kind, EventKind::Modify(notify::event::ModifyKind::Name(_)));
        return if replaced { Heard::Moved } else { Heard::Change };
    }
    // Our own store, version control, and what editors keep for themselves.
    let hidden = |part: std::path::Component| part.as_os_str().as_encoded_bytes().starts_with(b".");
    if inside.components().any(hidden) { Heard::Nothing } else { Heard::Change }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, ModifyKind, RemoveKind};

    fn heard(path: &str, kind: EventKind) -> Heard {
        hear(Path::new("/designs/lab"), &notify::Event::new(kind).add_path(PathBuf::from(path)))
    }

    #[test]
    fn only_what_may_change_a_design_is_heard() {
        let written = EventKind::Modify(ModifyKind::Any);
        let created = EventKind::Create(CreateKind::Any);
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let removed = EventKind::Remove(RemoveKind::Any);
        for (path, kind, expected) in [
            ("/designs/lab/site.kdl", written, Heard::Change),
            ("/designs/lab/scripts/new/x.rhai", created, Heard::Change),
            ("/designs/lab/site.kdl", EventKind::Access(AccessKind::Close(AccessMode::Write)), Heard::Change),
            ("/designs/lab/site.kdl", read, Heard::Nothing),
            ("/designs/lab/.rackwright/store.db-wal", written, Heard::Nothing),
            ("/designs/lab/scripts/.x.rhai.swp", written, Heard::Nothing),
            ("/designs/lab", removed, Heard::Moved),
            ("/designs/lab", written, Heard::Change),
            ("/designs/other", created, Heard::Nothing),
        ] {
            assert_eq!(heard(path, kind), expected, "{path} {kind:?}");
        }
    }
}
