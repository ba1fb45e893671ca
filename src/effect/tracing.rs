//! The tracing interpreter: performs reads, and lists the writes and waits that a script would make.
//!
//! Owns what is known before the work is done. BMCs and switches are asked through clients on paper, so that it
//! is decided by the same code as live whether and what would be sent; every other write only notes its arguments. A trace
//! assumes that each effect succeeds, and says where the script would go when one does not. What a write before it may
//! have changed is not asked now: its answer is pending, and a script that decides by it ends the trace there.

use super::live::Live;
use super::observe::turn;
use super::{Job, Target, allowed, failure};
use crate::id::EffectId;
use crate::model::task::Task;
use crate::model::trace::{Request, TracedCall};
use crate::model::value::Value;
use crate::script::catalogue::{Effect, Kind, Shape};
use crate::script::convert::ScriptNode;
use crate::script::evaluate::{Function, Program, Turn};
use crate::script::tape::{Call, CallPlace, EffectFailure, Recorded};
use std::sync::Arc;

/// Modules whose devices are asked by the code that acts, with what it would send on paper.
const ON_PAPER: &[&str] = &["bmc", "port"];

/// Modules whose writes stay inside our own store and change nothing that a script could read.
const QUIET: &[&str] = &["log", "fact", "output"];

/// Effects after which another system, or none, speaks for the node.
const GIVES_DISK_UP: &[&str] = &["pxe.ticket", "agent.wipe"];

/// One node under trace, over all of its steps.
pub struct Tracer<'a> {
    /// With hardware on paper, and no fence: nothing can be written through it.
    pub live: &'a Live,
    pub target: &'a Target,
    /// Something was written on paper: what is read from now on may be another thing by then.
    moved: bool,
    /// A boot ticket was opened, or a wipe ordered, on paper: the disk will hold another system, or none.
    ticket: bool,
}

/// One function of a task's script.
pub struct Script<'a> {
    pub program: &'a Arc<Program>,
    pub task: &'a Task,
    pub node: &'a ScriptNode,
    pub params: &'a Value,
    pub step: &'a Arc<str>,
}

/// How a traced function ends.
#[derive(Clone, Debug)]
pub enum Traced {
    Done(Value),
    Failed(EffectFailure),
    /// What comes next depends on an answer that nobody knows yet.
    Depends {
        on: Arc<str>,
        at: Option<CallPlace>,
    },
}

impl<'a> Tracer<'a> {
    pub fn new(live: &'a Live, target: &'a Target) -> Tracer<'a> {
        Tracer { live, target, moved: false, ticket: false }
    }

    /// Follows `function` as far as it can be known.
    pub async fn follow(&mut self, script: &Script<'_>, function: Function) -> (Vec<TracedCall>, Traced) {
        let (mut calls, mut recorded) = (Vec::new(), Vec::new());
        loop {
            let next = turn(script.program, function, script.node, script.params, recorded.clone()).await;
            let call = match next {
                Err(failed) => return (calls, Traced::Failed(failed)),
                Ok(Turn::Done(value)) => return (calls, Traced::Done(value)),
                Ok(Turn::Failed(fault)) => {
                    return (calls, Traced::Failed(failure(fault.to_string(), fault.transient)));
                }
                Ok(Turn::Diverged(why)) => return (calls, Traced::Failed(failure(why, false))),
                Ok(Turn::Depends { on, at }) => return (calls, Traced::Depends { on, at }),
                Ok(Turn::Wants(call)) => call,
            };
            if let Err(failed) = allowed(script.task, &call) {
                return (calls, Traced::Failed(failed));
            }
            let (answer, requests) = self.answer(script, &call).await;
            if let (Ok(value), true) = (&answer, script.program.is_uncertain())
                && let Some(on) = value.first_pending()
            {
                return (calls, Traced::Depends { on: on.into(), at: call.at });
            }
            if call.effect.kind != Kind::Read {
                let otherwise = match &answer {
                    Ok(_) => self.otherwise(script, function, &call, &recorded).await,
                    Err(_) => None,
                };
                calls.push(self.listed(&call, requests, otherwise));
            }
            recorded.push(answered(&call, answer));
        }
    }

    /// The answer as it is, or as it will be if all goes well; and what was written on paper for it.
    async fn answer(
        &mut self,
        script: &Script<'_>,
        call: &Call,
    ) -> (Result<Value, EffectFailure>, Vec<Request>) {
        let effect = call.effect;
        let on_paper = ON_PAPER.contains(&effect.module);
        match effect.kind {
            Kind::Wait => (Ok(assumed(effect)), Vec::new()),
            Kind::Read if effect.full_name() == "pxe.report" && !self.ticket => {
                (self.perform(script, call).await.map(|report| self.booted_again(report)), Vec::new())
            }
            // What follows from its arguments alone is as known as they are.
            Kind::Read if effect.is_pure() => match call.args.iter().find_map(Value::first_pending) {
                Some(_) => (Ok(assumed(effect)), Vec::new()),
                None => (self.perform(script, call).await, Vec::new()),
            },
            Kind::Read if self.moved && !on_paper => (Ok(assumed(effect)), Vec::new()),
            Kind::Read if effect.full_name() == "port.read" => {
                (self.perform(script, call).await.map(|port| self.linked_again(port)), Vec::new())
            }
            Kind::Read => (self.perform(script, call).await, Vec::new()),
            Kind::Ensure | Kind::Once if on_paper => {
                let answer = self.perform(script, call).await;
                let mut requests = self.live.hardware.written(self.target);
                requests.extend(self.live.ports.written(self.target));
                self.moved |= !requests.is_empty();
                (answer, requests)
            }
            Kind::Ensure | Kind::Once => {
                self.moved |= !QUIET.contains(&effect.module);
                self.ticket |= GIVES_DISK_UP.contains(&effect.full_name().as_str());
                (Ok(assumed(effect)), Vec::new())
            }
        }
    }

    /// Without a ticket a machine boots the system that it has: it is the same, and its boot another.
    fn booted_again(&self, mut report: Value) -> Value {
        let has_reported = report.get("boot_id").is_some_and(|id| !matches!(id, Value::Unknown(_)));
        if self.moved && has_reported {
            report.put(&["boot_id".into()], Value::pending("pxe.report.boot_id"));
        }
        report
    }

    /// Whether a port has a link depends on the machine at its other end.
    fn linked_again(&self, mut port: Value) -> Value {
        if self.moved {
            port.put(&["oper_status".into()], Value::pending("port.read.oper_status"));
        }
        port
    }

    async fn perform(&self, script: &Script<'_>, call: &Call) -> Result<Value, EffectFailure> {
        let id = EffectId(format!("trace-{}", call.sequence));
        let (target, step) = (self.target, script.step);
        let (run, record, task) = ("", "", script.task);
        let job = Job { target, task, call, id: &id, run, attempt: 0, step, record, until: None };
        self.live.perform(&job).await.answer
    }

    /// Where the script goes when this effect fails: none when it ends there, as most do.
    async fn otherwise(
        &self,
        script: &Script<'_>,
        function: Function,
        call: &Call,
        recorded: &[Recorded],
    ) -> Option<String> {
        let failed = Err(failure(format!("{} failed", call.effect.full_name()), true));
        let tape = [recorded, &[answered(call, failed)]].concat();
        match turn(script.program, function, script.node, script.params, tape).await.ok()? {
            Turn::Wants(next) => Some(next.effect.full_name()),
            _ => None,
        }
    }

    fn listed(&self, call: &Call, requests: Vec<Request>, otherwise: Option<String>) -> TracedCall {
        let named = call.effect.args.iter().zip(&call.args);
        let given = named.filter(|(arg, value)| !matches!(arg.shape, Shape::Node) && !value.is_null());
        TracedCall {
            effect: call.effect.full_name(),
            kind: call.effect.kind.word().into(),
            args: Value::map(given.map(|(arg, value)| (arg.name, value.redacted().with_pending_shown()))),
            at: call.at.as_ref().map(CallPlace::to_string),
            requests,
            serves: self.serves(call),
            otherwise,
        }
    }

    /// The image that the node's next network boot installs.
    fn serves(&self, call: &Call) -> Option<Value> {
        let image = self.target.spec.get("image").filter(|_| call.effect.full_name() == "pxe.ticket")?;
        let part = |name: &'static str| (name, image.get(name).cloned().unwrap_or_default());
        Some(Value::map([part("name"), part("checksum")]))
    }
}

/// The answer of an effect that went well, as far as its shape alone tells it.
fn assumed(effect: &Effect) -> Value {
    match effect.returns {
        Shape::Nothing => Value::Null,
        _ => Value::pending(&effect.full_name()),
    }
}

fn answered(call: &Call, answer: Result<Value, EffectFailure>) -> Recorded {
    Recorded {
        effect: call.effect.full_name().into(),
        args_digest: call.args_value().digest().into(),
        answer,
    }
}
