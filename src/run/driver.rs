//! The journalled driver of one script: evaluate, write the intent, perform, write the answer,
//! evaluate again.
//!
//! On resume the answers on record are read first, so the script takes the same way; it goes on
//! live from the first effect without an answer.

use super::verdict::{Halt, Verdict};
use crate::effect::live::Live;
use crate::effect::observe::turn;
use crate::effect::{Found, Job, Performed, Target, allowed, failure};
use crate::id::EffectId;
use crate::model::record::unanswered;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::catalogue::{self, Kind};
use crate::script::convert::ScriptNode;
use crate::script::evaluate::{Function, Program, Turn};
use crate::script::tape::{Call, EffectFailure, Recorded};
use crate::store::{EffectRow, Fence, Intent};
use crate::units::{self, Time};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// After a stop is asked for, an effect that is under way may still end within this.
const GRACE: Duration = Duration::from_secs(10);

/// One attempt's script and everything around it.
pub struct Driver<'a> {
    pub live: &'a Live,
    pub fence: &'a Fence,
    pub run: &'a str,
    pub attempt: i64,
    pub deadline: Time,
    pub target: &'a Target,
    pub step: &'a Arc<str>,
    /// The step as it is on record.
    pub record: &'a str,
    pub program: &'a Arc<Program>,
    pub task: &'a Task,
    pub node: &'a ScriptNode,
    pub params: &'a Value,
    pub cancel: &'a CancellationToken,
}

/// The answers on record, and the effect that was begun and has none.
struct Journal {
    recorded: Vec<Recorded>,
    unanswered: Option<EffectRow>,
    once: bool,
}

impl Driver<'_> {
    /// Drives `function` to its end.
    pub async fn drive(&self, function: Function) -> Result<Verdict, Halt> {
        let mut journal = match self.read_journal().await? {
            Ok(journal) => journal,
            Err(verdict) => return Ok(verdict),
        };
        loop {
            let next = turn(self.program, function, self.node, self.params, journal.recorded.clone()).await;
            let call = match next {
                Err(failure) => return Ok(Verdict::failed(failure)),
                Ok(Turn::Done(_) | Turn::Failed(_)) if journal.unanswered.is_some() => {
                    let question =
                        "the script ended before an effect that was begun; what was done so far?".into();
                    return Ok(Verdict::InDoubt { question });
                }
                Ok(Turn::Done(_)) => return Ok(Verdict::Done { once: journal.once }),
                Ok(Turn::Failed(fault)) => {
                    let (why, transient) = (fault.to_string(), fault.transient);
                    return Ok(Verdict::Failed { why, transient, once: journal.once });
                }
                Ok(Turn::Diverged(why)) => {
                    let question =
                        format!("the script does not match its journal ({why}); what was done so far?");
                    return Ok(Verdict::InDoubt { question });
                }
                // Only traces hold answers that are not known yet.
                Ok(Turn::Depends { on, .. }) => {
                    let why = format!("the answer of {on} is not known");
                    return Ok(Verdict::Failed { why, transient: false, once: journal.once });
                }
                Ok(Turn::Wants(call)) => call,
            };
            if let Err(failure) = allowed(self.task, &call) {
                return Ok(Verdict::failed(failure));
            }
            if self.cancel.is_cancelled() {
                return Ok(Verdict::interrupted());
            }
            if (self.live.now)() >= self.deadline {
                let why = format!("the attempt passed its deadline before {}", call.effect.full_name());
                return Ok(Verdict::Failed { why, transient: true, once: journal.once });
            }
            match self.answer(&call, &mut journal).await? {
                Ok(recorded) => journal.recorded.push(recorded),
                Err(verdict) => return Ok(verdict),
            }
        }
    }

    /// Reads the journal; an effect that this build does not have puts the step in doubt.
    async fn read_journal(&self) -> Result<Result<Journal, Verdict>, Halt> {
        let mut journal = Journal { recorded: Vec::new(), unanswered: None, once: false };
        for row in self.live.store.journal(self.attempt).await? {
            if catalogue::find(&row.name).is_none() {
                let question =
                    format!("the journal holds the effect {}, which this build does not have", row.name);
                return Ok(Err(Verdict::InDoubt { question }));
            }
            journal.once |= row.kind == Kind::Once.word();
            match recorded_of(&row) {
                Some(recorded) => {
                    Box::pin(self.live.forget(&row.name, &row.id)).await;
                    journal.recorded.push(recorded);
                }
                None => {
                    journal.unanswered = Some(row);
                    break;
                }
            }
        }
        Ok(Ok(journal))
    }

    /// Gets the answer of one effect into the journal.
    async fn answer(&self, call: &Call, journal: &mut Journal) -> Result<Result<Recorded, Verdict>, Halt> {
        self.note("wanted", call);
        let mut intent = self.intent(call);
        let begun = journal.unanswered.take();
        if let Some(begun) = &begun {
            if let Some(verdict) = other_effect(begun, call) {
                return Ok(Err(verdict));
            }
            intent.at = begun.intent_at;
            intent.deadline = begun.deadline.or(intent.deadline);
            intent.mark = begun.mark.clone();
        }
        let performed = match self.begin(call, &mut intent, begun.is_some()).await? {
            Some(performed) => performed,
            None => match self.perform_once_or_find(call, &intent, begun.is_some()).await {
                Ok(performed) => performed,
                Err(verdict) => return Ok(Err(verdict)),
            },
        };
        journal.once |= call.effect.kind == Kind::Once;
        self.note("answered", call);
        let stored = performed
            .answer
            .clone()
            .map_err(|failure| serde_json::to_string(&failure).unwrap_or(failure.message));
        let now = (self.live.now)();
        let (name, id) = (intent.name.clone(), intent.id.clone());
        self.live.store.write_answer(self.fence, intent, stored, performed.wrote, now).await?;
        self.note("recorded", call);
        Box::pin(self.live.forget(&name, &id)).await;
        Ok(Ok(Recorded {
            effect: call.effect.full_name().into(),
            args_digest: call.args_value().digest().into(),
            answer: performed.answer,
        }))
    }

    /// Writes the intent of an effect that has none; `Some` when it has failed before it could begin.
    async fn begin(
        &self,
        call: &Call,
        intent: &mut Intent,
        has_begun: bool,
    ) -> Result<Option<Performed>, Halt> {
        if has_begun || call.effect.kind == Kind::Read {
            return Ok(None);
        }
        if call.effect.kind == Kind::Once {
            let id = EffectId(intent.id.clone());
            match Box::pin(self.live.mark(&self.job(call, intent, &id))).await {
                Ok(mark) => intent.mark = mark,
                Err(failure) => return Ok(Some(Performed::read(Err(failure)))),
            }
        }
        self.live.store.write_intent(self.fence, intent.clone()).await?;
        self.note("intended", call);
        Ok(None)
    }

    /// Performs the effect; one that must not be repeated and may have been done is looked for instead.
    async fn perform_once_or_find(
        &self,
        call: &Call,
        intent: &Intent,
        has_begun: bool,
    ) -> Result<Performed, Verdict> {
        if has_begun && call.effect.kind == Kind::Once {
            match self.find_again(call, intent).await? {
                Found::Done(performed) => return Ok(performed),
                Found::NotDone => {}
                Found::Unknown => return Err(Verdict::InDoubt { question: question(call) }),
            }
        }
        let performed = self.perform(call, intent).await.ok_or_else(Verdict::interrupted)?;
        if !performed.perhaps {
            return Ok(performed);
        }
        match self.find_again(call, intent).await? {
            Found::Done(found) => Ok(found),
            // It was not carried out, so its failure is all that there is.
            Found::NotDone => Ok(Performed { wrote: false, perhaps: false, ..performed }),
            Found::Unknown => Err(Verdict::InDoubt { question: question(call) }),
        }
    }

    async fn find_again(&self, call: &Call, intent: &Intent) -> Result<Found, Verdict> {
        let id = EffectId(intent.id.clone());
        let job = self.job(call, intent, &id);
        tokio::select! {
            found = Box::pin(self.live.find_again(&job, &intent.mark, intent.at)) => Ok(found),
            () = tokio::time::sleep(call.effect.deadline) => Ok(Found::Unknown),
            () = self.cancel.cancelled() => Err(Verdict::interrupted()),
        }
    }

    fn job<'j>(&'j self, call: &'j Call, intent: &Intent, id: &'j EffectId) -> Job<'j> {
        Job {
            target: self.target,
            task: self.task,
            call,
            id,
            run: self.run,
            attempt: self.attempt,
            step: self.step,
            record: self.record,
            until: intent.deadline,
        }
    }

    /// Each moment of the journal is in the log, for whoever follows an effect on its way.
    fn note(&self, moment: &'static str, call: &Call) {
        tracing::debug!(
            target: "rackwright::journal",
            moment,
            node = %self.target.node,
            step = %self.step,
            sequence = call.sequence,
            effect = call.effect.full_name(),
            kind = call.effect.kind.word(),
        );
    }

    fn intent(&self, call: &Call) -> Intent {
        let now = (self.live.now)();
        let is_wait = call.effect.kind == Kind::Wait;
        let within = call.args.last().and_then(Value::as_str).and_then(|text| units::duration(text).ok());
        Intent {
            attempt: self.attempt,
            sequence: call.sequence,
            id: format!("{}-{}-{}", self.run, self.attempt, call.sequence),
            name: call.effect.full_name(),
            kind: call.effect.kind.word(),
            args: call.args_value(),
            at: now,
            deadline: within.filter(|_| is_wait).map(|within| now.plus(within)),
            mark: Value::Null,
        }
    }

    /// Performs the effect within the attempt's deadline; `None` when we were told to stop.
    async fn perform(&self, call: &Call, intent: &Intent) -> Option<Performed> {
        let id = EffectId(intent.id.clone());
        let job = self.job(call, intent, &id);
        let performing = self.live.perform(&job);
        tokio::pin!(performing);
        let left = self.deadline.since((self.live.now)());
        tokio::select! {
            performed = &mut performing => Some(performed),
            () = tokio::time::sleep(left) => Some(self.too_late(call)),
            () = self.cancel.cancelled() => {
                let grace = match call.effect.kind {
                    Kind::Wait => Duration::ZERO,
                    Kind::Once if Live::goes_on(call.effect) => Duration::ZERO,
                    // What must not be repeated is waited for, or it would be in doubt for nothing.
                    Kind::Once => call.effect.deadline,
                    Kind::Read | Kind::Ensure => GRACE,
                };
                tokio::time::timeout(grace, &mut performing).await.ok()
            }
        }
    }

    fn too_late(&self, call: &Call) -> Performed {
        let why = format!("the attempt's timeout ended during {}", call.effect.full_name());
        let answer: Result<Value, EffectFailure> = Err(failure(why, true));
        Performed { answer, wrote: false, perhaps: call.effect.kind == Kind::Once }
    }
}

/// The answer of a journal's row; `None` while it has none.
pub fn recorded_of(row: &EffectRow) -> Option<Recorded> {
    let answer = row.answer.clone()?;
    Some(Recorded {
        effect: row.name.as_str().into(),
        args_digest: row.args_digest.as_str().into(),
        answer: answer.map_err(|text| serde_json::from_str(&text).unwrap_or_else(|_| failure(text, false))),
    })
}

/// An effect that was begun and not answered, and the script asks for another one now.
fn other_effect(begun: &EffectRow, call: &Call) -> Option<Verdict> {
    let asked = (call.effect.full_name(), call.args_value().digest());
    if (&begun.name, &begun.args_digest) == (&asked.0, &asked.1) {
        return None;
    }
    let question = format!(
        "the journal began {} as effect {}, the script now asks for {}; was it done?",
        begun.name, begun.sequence, asked.0
    );
    Some(Verdict::InDoubt { question })
}

fn question(call: &Call) -> String {
    unanswered(&call.effect.full_name())
}
