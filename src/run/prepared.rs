//! A run read back from the store: every step with its pinned task and compiled script.

use crate::effect::Target;
use crate::id::RunId;
use crate::model::blueprint::Step;
use crate::model::hazard::Hazard;
use crate::model::plan::{Action, NodeBasis, PlannedStep, Waiting};
use crate::model::record::recorded_as;
use crate::model::run::{NodeState, StepState};
use crate::model::task::Task;
use crate::script::closure::Closure;
use crate::script::evaluate::Program;
use crate::store::{AttemptRow, NodeRow, StepRow, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a run pins of each step besides its task and scripts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pinned {
    pub step: Step,
    pub planned: PlannedStep,
    /// What the plan of the node was made from.
    pub basis: NodeBasis,
    pub action: Action,
    /// True when the run's end makes the node deployed: its lifecycle was planned to the end.
    pub whole: bool,
    /// The blueprint of a work order; `None` in a lifecycle.
    #[serde(default)]
    pub order: Option<Arc<str>>,
    /// True when the plan was saved before: observed values are compared before the first write.
    pub saved: bool,
}

pub struct PreparedNode {
    pub row: NodeRow,
    /// This run has begun to change its machine.
    pub touched: bool,
    pub steps: Vec<PreparedStep>,
}

pub struct PreparedStep {
    pub pinned: Pinned,
    pub task: Arc<Task>,
    /// `Err` when the pinned script no longer compiles with this build.
    pub program: Result<Arc<Program>, String>,
    /// Digest of the script closure.
    pub scripts: String,
    pub state: StepState,
    /// The attempt that a process left under way.
    pub under_way: Option<AttemptRow>,
    /// That attempt has begun to change something: it goes on from its journal.
    pub begun: bool,
    /// It may have changed what is on a disk.
    pub touched_disks: bool,
    pub attempts: i64,
}

impl PreparedStep {
    /// How a step of this run's blueprint is on record.
    pub fn recorded_as(&self, step: &str) -> String {
        recorded_as(self.pinned.order.as_deref(), step)
    }

    /// The hazards that the plan had approved and that have not been begun. What destroys is begun when it has come to
    /// a disk: to have switched the machine off for it is nothing that could not be left at that.
    pub fn hazards_left(&self) -> Vec<Hazard> {
        let ended = matches!(self.state, StepState::Succeeded | StepState::Failed | StepState::Skipped);
        let begun = match self.pinned.planned.hazard {
            Hazard::Reinstall | Hazard::DataLoss => self.touched_disks,
            Hazard::None | Hazard::Reboot => self.begun,
        };
        if ended || begun {
            return Vec::new();
        }
        let approval = |waiting: &Waiting| match waiting {
            Waiting::Approval { hazard } => Some(*hazard),
            Waiting::Budget { .. } => None,
        };
        self.pinned.planned.waiting.iter().filter_map(approval).collect()
    }
}

/// Reads everything that is left of a run.
pub async fn load(store: &Store, run: &RunId) -> Result<Vec<PreparedNode>, StoreError> {
    let pinned = store.pinned(run).await?;
    let mut steps: HashMap<Arc<str>, Vec<StepRow>> = HashMap::new();
    for row in store.run_steps(run).await? {
        steps.entry(row.node.clone()).or_default().push(row);
    }
    let mut attempts: HashMap<(Arc<str>, Arc<str>), Vec<AttemptRow>> = HashMap::new();
    for row in store.attempts(run).await? {
        attempts.entry((row.node.clone(), row.step.clone())).or_default().push(row);
    }
    let wrote = store.attempts_that_wrote(run).await?;
    let touched = store.attempts_that_touched_disks(run).await?;
    let mut reader = Reader { pinned, wrote, touched, tasks: HashMap::new(), programs: HashMap::new() };
    let mut nodes = Vec::new();
    for row in store.run_nodes(run).await? {
        if matches!(row.state, NodeState::Succeeded | NodeState::Failed | NodeState::Skipped) {
            nodes.push(PreparedNode { row, touched: true, steps: Vec::new() });
            continue;
        }
        let rows = steps.remove(&row.node).unwrap_or_default();
        let (mut touched, mut prepared) = (false, Vec::with_capacity(rows.len()));
        for step in rows {
            let made = attempts.remove(&(step.node.clone(), step.step.clone())).unwrap_or_default();
            touched |= made.iter().any(|attempt| reader.wrote.contains(&attempt.id));
            prepared.push(reader.prepare(step, made)?);
        }
        nodes.push(PreparedNode { row, touched, steps: prepared });
    }
    Ok(nodes)
}

/// Every step of a run, ended or not, with its node as it was pinned and the attempts made.
pub async fn every_step(
    store: &Store,
    run: &RunId,
) -> Result<Vec<(Target, PreparedStep, Vec<AttemptRow>)>, StoreError> {
    let pinned = store.pinned(run).await?;
    let mut reader = Reader {
        pinned,
        wrote: BTreeSet::new(),
        touched: BTreeSet::new(),
        tasks: HashMap::new(),
        programs: HashMap::new(),
    };
    let nodes = store.run_nodes(run).await?;
    let targets: HashMap<Arc<str>, Target> =
        nodes.into_iter().map(|row| (row.node.clone(), Target { node: row.node, spec: row.spec })).collect();
    let mut attempts: HashMap<(Arc<str>, Arc<str>), Vec<AttemptRow>> = HashMap::new();
    for row in store.attempts(run).await? {
        attempts.entry((row.node.clone(), row.step.clone())).or_default().push(row);
    }
    let mut steps = Vec::new();
    for row in store.run_steps(run).await? {
        let Some(target) = targets.get(&row.node).cloned() else { continue };
        let made = attempts.remove(&(row.node.clone(), row.step.clone())).unwrap_or_default();
        steps.push((target, reader.prepare(row, made.clone())?, made));
    }
    Ok(steps)
}

struct Reader {
    pinned: BTreeMap<String, String>,
    /// The attempts that have begun to change something.
    wrote: BTreeSet<i64>,
    /// Those that may have changed what is on a disk.
    touched: BTreeSet<i64>,
    tasks: HashMap<String, Arc<Task>>,
    programs: HashMap<String, Result<Arc<Program>, String>>,
}

impl Reader {
    fn prepare(&mut self, row: StepRow, attempts: Vec<AttemptRow>) -> Result<PreparedStep, StoreError> {
        Ok(PreparedStep {
            pinned: serde_json::from_str(&row.planned)?,
            task: self.task(&row.task)?,
            program: self.program(&row.closure)?,
            scripts: row.closure,
            state: row.state,
            attempts: attempts.last().map_or(0, |attempt| attempt.number),
            begun: attempts.last().is_some_and(|last| self.wrote.contains(&last.id)),
            touched_disks: attempts.last().is_some_and(|last| self.touched.contains(&last.id)),
            under_way: attempts.into_iter().last().filter(|attempt| attempt.state == "running"),
        })
    }

    fn content(&self, digest: &str) -> Result<&str, StoreError> {
        let missing = || StoreError::Content(format!("pinned content {digest} is missing"));
        self.pinned.get(digest).map(String::as_str).ok_or_else(missing)
    }

    fn task(&mut self, digest: &str) -> Result<Arc<Task>, StoreError> {
        if let Some(task) = self.tasks.get(digest) {
            return Ok(task.clone());
        }
        let task: Arc<Task> = Arc::new(serde_json::from_str(self.content(digest)?)?);
        self.tasks.insert(digest.to_string(), task.clone());
        Ok(task)
    }

    fn program(&mut self, digest: &str) -> Result<Result<Arc<Program>, String>, StoreError> {
        if let Some(program) = self.programs.get(digest) {
            return Ok(program.clone());
        }
        let closure: Closure = serde_json::from_str(self.content(digest)?)?;
        let program = Program::compile(closure).map(Arc::new).map_err(|error| error.to_string());
        self.programs.insert(digest.to_string(), program.clone());
        Ok(program)
    }
}
