//! Replay: the attempts of a run evaluated again from what it pinned and journalled. Nothing is asked of any device.
//!
//! Owns the way from rows to [`Replayed`]. The scripts are those that the run pinned, or today's where somebody wants to
//! see what an edited script would have made of the same answers.

use super::driver::recorded_of;
use super::prepared::{self, PreparedStep};
use crate::effect::Target;
use crate::effect::observe::{script_node, turn};
use crate::id::RunId;
use crate::model::replay::{ReplayEnd, Replayed, ReplayedEffect, ScriptNow};
use crate::script::evaluate::{Function, Program, Turn};
use crate::script::tape::{CallPlace, Recorded};
use crate::store::{AttemptRow, EffectRow, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of longer journals the places of the effects are not looked up: each takes an evaluation.
const PLACES_AT_MOST: usize = 200;

/// Which attempts, and with which scripts.
#[derive(Default)]
pub struct Wanted<'a> {
    pub node: Option<&'a str>,
    pub step: Option<&'a str>,
    /// The scripts of today, by task: their digests and, when they shall be used, the programs.
    pub today: BTreeMap<Arc<str>, Today>,
    /// Evaluate today's scripts instead of the pinned ones.
    pub edited: bool,
}

/// A task's script as the design has it now.
pub struct Today {
    pub digest: String,
    pub program: Result<Arc<Program>, String>,
}

/// Replays the attempts of a run, in the order in which they were made.
pub async fn run(store: &Store, run: &RunId, wanted: &Wanted<'_>) -> Result<Vec<Replayed>, StoreError> {
    let mut replayed = Vec::new();
    for (node, step, attempts) in prepared::every_step(store, run).await? {
        let is_wanted = wanted.node.is_none_or(|only| *node.node == *only)
            && wanted.step.is_none_or(|only| *step.pinned.step.name == *only);
        if !is_wanted {
            continue;
        }
        for attempt in attempts {
            let journal = store.journal(attempt.id).await?;
            let replay = Replay { node: &node, step: &step, attempt: &attempt, wanted };
            replayed.push((attempt.id, replay.make(&journal).await));
        }
    }
    replayed.sort_by_key(|(id, _)| *id);
    Ok(replayed.into_iter().map(|(_, replayed)| replayed).collect())
}

struct Replay<'a> {
    node: &'a Target,
    step: &'a PreparedStep,
    attempt: &'a AttemptRow,
    wanted: &'a Wanted<'a>,
}

impl Replay<'_> {
    async fn make(&self, journal: &[EffectRow]) -> Replayed {
        let today = self.wanted.today.get(&self.step.task.name);
        let script = match today {
            Some(today) if today.digest == self.step.scripts => ScriptNow::Same,
            Some(_) => ScriptNow::Changed,
            None => ScriptNow::Unknown,
        };
        let recorded: Vec<Recorded> = journal.iter().map_while(recorded_of).collect();
        let own = self.evaluated(self.step.program.clone(), &recorded, journal.is_empty()).await;
        let fits = own.1.fits(&self.attempt.state, self.attempt.error.as_deref());
        let ((places, end), agrees) = match (self.wanted.edited, today) {
            (false, _) => (own, fits),
            (true, today) => {
                let missing = || Err("the design has no such task now".into());
                let program = today.map_or_else(missing, |today| today.program.clone());
                let edited = self.evaluated(program, &recorded, journal.is_empty()).await;
                let agrees = edited.1 == own.1;
                (edited, agrees)
            }
        };
        let mut places = places.into_iter();
        Replayed {
            node: self.node.node.clone(),
            step: self.step.pinned.step.name.clone(),
            attempt: self.attempt.number,
            effects: journal.iter().map(|row| effect(row, places.next().flatten())).collect(),
            end,
            state: self.attempt.state.clone(),
            error: self.attempt.error.clone(),
            agrees,
            script,
        }
    }

    /// Where each effect is wanted, and what the script comes to.
    async fn evaluated(
        &self,
        program: Result<Arc<Program>, String>,
        recorded: &[Recorded],
        nothing_done: bool,
    ) -> (Vec<Option<String>>, ReplayEnd) {
        match program {
            Err(why) => (Vec::new(), ReplayEnd::Unreadable { why }),
            Ok(_) if nothing_done => (Vec::new(), ReplayEnd::NotCalled),
            Ok(program) => {
                (self.places(&program, recorded).await, self.end(&program, recorded.to_vec()).await)
            }
        }
    }

    async fn turn(&self, program: &Arc<Program>, recorded: Vec<Recorded>) -> Turn {
        let node = script_node(self.node, &self.step.task);
        let unpinned = || self.step.task.params_of(&self.step.pinned.step, &self.node.spec);
        let params = self.attempt.params.clone().unwrap_or_else(unpinned);
        let turned = turn(program, Function::Apply, &node, &params, recorded).await;
        turned.unwrap_or_else(|failure| Turn::Diverged(failure.message))
    }

    async fn end(&self, program: &Arc<Program>, recorded: Vec<Recorded>) -> ReplayEnd {
        match self.turn(program, recorded).await {
            Turn::Done(_) => ReplayEnd::Returned,
            Turn::Failed(fault) => ReplayEnd::Failed { why: fault.to_string() },
            Turn::Wants(call) => ReplayEnd::Unanswered {
                effect: call.effect.full_name(),
                at: call.at.as_ref().map(CallPlace::to_string),
            },
            Turn::Diverged(why) => ReplayEnd::Diverged { why },
            Turn::Depends { on, .. } => {
                ReplayEnd::Diverged { why: format!("the answer of {on} is not known") }
            }
        }
    }

    /// Where in the script each effect is wanted.
    async fn places(&self, program: &Arc<Program>, recorded: &[Recorded]) -> Vec<Option<String>> {
        let mut places = Vec::new();
        for answered in 0..=recorded.len().min(PLACES_AT_MOST) {
            match self.turn(program, recorded[..answered].to_vec()).await {
                Turn::Wants(call) => places.push(call.at.map(|at| at.to_string())),
                _ => break,
            }
        }
        places
    }
}

fn effect(row: &EffectRow, at: Option<String>) -> ReplayedEffect {
    let failure = recorded_of(row).and_then(|recorded| recorded.answer.err());
    ReplayedEffect {
        sequence: row.sequence,
        effect: row.name.clone(),
        kind: row.kind.clone(),
        args: row.args.redacted(),
        answer: row.answer.as_ref().and_then(|answer| answer.as_ref().ok()).map(|answer| answer.redacted()),
        failure: failure.map(|failure| failure.message),
        wrote: row.wrote,
        wanted_at: row.intent_at,
        at,
    }
}
