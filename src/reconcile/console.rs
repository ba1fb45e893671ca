//! A console: statements evaluated for one node, their effects performed live on a virtual rack.
//!
//! Holds the site as `apply` does, with boot services running. Keeps no plan, no run and no journal; so nothing is
//! resumed, and no boot ticket can be opened, for those are good only while an attempt is under way.

use super::session::{Machines, Session, SessionError};
use crate::effect::live::Live;
use crate::effect::{Job, Performed, Target, failure};
use crate::id::{EffectId, random_hex};
use crate::model::console::{Notice, Said};
use crate::model::names;
use crate::model::site::Site;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::console::{Console, FILE, Spoken};
use crate::script::convert::ScriptNode;
use crate::script::fault::{ScriptFault, place_at};
use crate::script::scripted;
use crate::script::tape::{Call, EffectFailure, Recorded};
use crate::store::Url;
use crate::units;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub use crate::script::console::{Names, is_open};

/// Modules whose effects leave something for, or in, a run.
const OF_RUNS: &[&str] = &["command", "container", "output"];

/// One sitting at a console, from the lease to the last closed BMC session.
pub struct Sitting {
    session: Session,
    target: Target,
    /// A task that declares nothing: no template and no secret can be asked for by name here.
    task: Task,
    console: Console,
    /// What the ids of its effects begin with, and how many there were.
    prefix: String,
    performed: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("the site has no node `{0}`")]
    NoNode(String),
}

impl Sitting {
    /// Takes the site, and starts the rack and the boot services as `apply` does.
    pub async fn open(
        site: Arc<Site>,
        url: &Url,
        machines: Machines,
        node: &str,
    ) -> Result<Sitting, ConsoleError> {
        let session = Session::open(site, url, machines, Arc::new(|_| {}), CancellationToken::new()).await?;
        match Sitting::begin(session, node).await {
            Ok(sitting) => Ok(sitting),
            Err((session, error)) => {
                session.close().await;
                Err(error)
            }
        }
    }

    async fn begin(mut session: Session, node: &str) -> Result<Sitting, (Session, ConsoleError)> {
        let Some(found) = session.site.node(node) else {
            return Err((session, ConsoleError::NoNode(node.into())));
        };
        let target = Target { node: found.name.clone(), spec: found.spec.clone() };
        if let Err(error) = session.start_boot().await {
            return Err((session, error.into()));
        }
        let prefix = match random_hex(8) {
            Ok(random) => format!("{FILE}-{random}"),
            Err(error) => return Err((session, SessionError::from(error).into())),
        };
        let own = ScriptNode { name: target.node.clone(), spec: names::to_script(&target.spec) };
        let console = Console::new(&session.site.scripts, own);
        Ok(Sitting { session, target, task: Task::bare(FILE), console, prefix, performed: 0 })
    }

    /// Evaluates one statement to its end. Dropped on the way, it leaves every variable as it was; what an effect has
    /// done is done.
    pub async fn say(&mut self, statement: &str, notice: &mut (dyn FnMut(Notice) + Send)) -> Said {
        let mut recorded = Vec::new();
        loop {
            let console = &mut self.console;
            let answers = recorded.clone();
            match tokio::task::block_in_place(|| console.evaluate(statement, answers)) {
                Spoken::Done(value) => return Said::Value(value),
                Spoken::Failed(fault) => return failed(&fault, statement),
                Spoken::Wants(call) => {
                    let answer = self.perform(&call, notice).await;
                    recorded.push(Recorded {
                        effect: call.effect.full_name().into(),
                        args_digest: call.args_value().digest().into(),
                        answer,
                    });
                }
            }
        }
    }

    async fn perform(
        &mut self,
        call: &Call,
        notice: &mut (dyn FnMut(Notice) + Send),
    ) -> Result<Value, EffectFailure> {
        let effect = call.effect;
        if effect.module == "log" {
            let text = call.args.first().and_then(Value::as_str).unwrap_or_default().to_string();
            notice(Notice::Says { level: effect.name.into(), text });
            return Ok(Value::Null);
        }
        if ["pxe.ticket", "pxe.agent_ticket"].contains(&effect.full_name().as_str()) {
            let why = "a boot ticket is good only while an attempt is under way; use it in a task with `apply` or `run`";
            return Err(failure(why, false));
        }
        if OF_RUNS.contains(&effect.module) {
            let why = format!("`{}` belongs to a run; try it with `rackwright run task`", effect.module);
            return Err(failure(why, false));
        }
        let (kind, writes) = (effect.kind.word().into(), effect.kind.writes());
        notice(Notice::Calls { call: scripted::written(call), kind, writes });
        self.performed += 1;
        let id = EffectId(format!("{}-{}", self.prefix, self.performed));
        let live: &Live = self.session.live();
        let within = call.args.last().and_then(Value::as_str).and_then(|text| units::duration(text).ok());
        let until = within.filter(|_| effect.kind == Kind::Wait).map(|within| (live.now)().plus(within));
        let step: Arc<str> = FILE.into();
        let (run, record, target, task) = ("", "", &self.target, &self.task);
        let job = Job { target, task, call, id: &id, run, attempt: 0, step: &step, record, until };
        let Performed { answer, perhaps, .. } = live.perform(&job).await;
        match perhaps {
            true => Err(failure(format!("nobody knows whether {} was done", effect.full_name()), false)),
            false => answer,
        }
    }

    /// What can be named now.
    pub fn names(&self) -> Names {
        self.console.names()
    }

    /// Lets go of everything.
    pub async fn close(self) {
        self.session.close().await;
    }
}

fn failed(fault: &ScriptFault, statement: &str) -> Said {
    let file: Arc<str> = FILE.into();
    let own = fault.frames.iter().find(|frame| frame.file == FILE);
    Said::Failed {
        message: fault.message.clone(),
        at: own.map(|frame| place_at(&file, statement, frame.line, frame.column)),
        places: fault.frames.iter().map(|it| format!("{}:{}:{}", it.file, it.line, it.column)).collect(),
    }
}
