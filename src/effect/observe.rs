//! The read-only interpreter: runs a task's `observe` and refuses every write.

use super::live::Live;
use super::{Job, Target, allowed, failure};
use crate::id::EffectId;
use crate::model::names;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::convert::ScriptNode;
use crate::script::evaluate::{Function, Program, Turn};
use crate::script::tape::{EffectFailure, Recorded};
use std::sync::Arc;

/// What of a node's spec a task may see, as its script sees it.
pub fn script_node(target: &Target, task: &Task) -> ScriptNode {
    let visible = target.spec.visible(task.visible());
    ScriptNode { name: target.node.clone(), spec: names::to_script(&visible) }
}

/// Runs `function` (without writes) and returns what it found, with the names of the spec.
pub async fn look(
    live: &Live,
    program: &Arc<Program>,
    function: Function,
    target: &Target,
    task: &Task,
    params: &Value,
) -> Result<Value, EffectFailure> {
    let node = &script_node(target, task);
    let mut recorded: Vec<Recorded> = Vec::new();
    let step: Arc<str> = function.name().into();
    loop {
        let call = match turn(program, function, node, params, recorded.clone()).await? {
            Turn::Done(value) => return Ok(names::from_script(&value)),
            Turn::Failed(fault) => return Err(failure(fault.to_string(), fault.transient)),
            Turn::Diverged(why) => return Err(failure(why, false)),
            // Only traces hold answers that are not known yet.
            Turn::Depends { on, .. } => {
                return Err(failure(format!("the answer of {on} is not known"), false));
            }
            Turn::Wants(call) => call,
        };
        let name = call.effect.full_name();
        allowed(task, &call)?;
        if call.effect.kind != Kind::Read {
            let why = format!(
                "`{}` calls {name}, which is no read; only `apply` may write or wait",
                function.name()
            );
            return Err(failure(why, false));
        }
        let id = EffectId(format!("look-{}", call.sequence));
        let job = Job { target, task, call: &call, id: &id, run: "", attempt: 0, step: &step, until: None };
        let answer = live.perform(&job).await.answer;
        recorded.push(Recorded {
            effect: name.into(),
            args_digest: call.args_value().digest().into(),
            answer,
        });
    }
}

/// One evaluation, on a thread that may be busy for a while.
pub async fn turn(
    program: &Arc<Program>,
    function: Function,
    node: &ScriptNode,
    params: &Value,
    recorded: Vec<Recorded>,
) -> Result<Turn, EffectFailure> {
    let (program, node, params) = (program.clone(), node.clone(), params.clone());
    tokio::task::spawn_blocking(move || program.evaluate(function, &node, &params, recorded))
        .await
        .map_err(|error| failure(format!("the script's evaluation broke off: {error}"), false))
}
