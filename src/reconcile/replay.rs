//! Replay of a run: what it pinned, held against the scripts of today.

use crate::id::RunId;
use crate::model::replay::Replayed;
use crate::model::site::Site;
use crate::run::replay::{self, Today, Wanted};
use crate::script::closure::Closure;
use crate::script::evaluate::Program;
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which attempts of a run are replayed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    pub node: Option<&'a str>,
    pub step: Option<&'a str>,
    /// With the scripts that the design has now instead of those that the run pinned.
    pub edited: bool,
}

/// Replays attempts of `run`; `site` is the design as it is now, where it can be read.
pub async fn replay(
    store: &Store,
    run: &RunId,
    site: Option<&Site>,
    choice: Choice<'_>,
) -> Result<Vec<Replayed>, StoreError> {
    let today = site.map(today).unwrap_or_default();
    let wanted = Wanted { node: choice.node, step: choice.step, today, edited: choice.edited };
    replay::run(store, run, &wanted).await
}

fn today(site: &Site) -> BTreeMap<Arc<str>, Today> {
    let mut tasks = BTreeMap::new();
    for task in site.tasks.values() {
        let Ok(closure) = Closure::of(task, &site.scripts) else { continue };
        let digest = closure.digest();
        let program = Program::compile(closure).map(Arc::new).map_err(|error| error.to_string());
        tasks.insert(task.name.clone(), Today { digest, program });
    }
    tasks
}
