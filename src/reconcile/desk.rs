//! Tasks at a desk: checked, and their tests run. Nothing is performed, no machine and no store is anywhere near.

use super::design::Loaded;
use crate::design::TestForm;
use crate::finding::Finding;
use crate::model::site::Site;
use crate::model::task::Task;
use crate::model::tested::{TestFailure, Tested};
use crate::script::closure::{self, Closure, ClosureError};
use crate::script::scripted::Trials;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A test that is still under way then is ended: one built-in may take long where its count of operations is small.
const LONGEST: Duration = Duration::from_secs(30);

/// The tests of one script.
struct Script {
    task: Arc<str>,
    file: Arc<str>,
    trials: Arc<Trials>,
}

/// Runs the tests of `tasks`, one after the other: by script in order of its first task, then as they stand in it. A
/// script that several tasks share is tested once, with what all of them declare.
pub async fn test(site: &Site, tasks: &[Arc<Task>]) -> Result<Vec<Tested>, ClosureError> {
    let mut tested = Vec::new();
    for script in scripts(site, tasks)? {
        for name in script.trials.names() {
            let failure = run(&script.trials, &name).await;
            tested.push(Tested { task: script.task.clone(), file: script.file.clone(), name, failure });
        }
    }
    Ok(tested)
}

fn scripts(site: &Site, tasks: &[Arc<Task>]) -> Result<Vec<Script>, ClosureError> {
    let mut sharing: BTreeMap<&Arc<str>, Vec<Arc<Task>>> = BTreeMap::new();
    for task in site.tasks.values() {
        sharing.entry(&task.script.file).or_default().push(task.clone());
    }
    let mut scripts: Vec<Script> = Vec::new();
    for task in tasks {
        if scripts.iter().any(|script| script.file == task.script.file) {
            continue;
        }
        let all = sharing.get(&task.script.file).map(Vec::as_slice).unwrap_or_default();
        let closure = Closure::of(task, &site.scripts)?;
        let trials = Trials::compile(closure, Arc::new(TestForm::of(all)))?;
        scripts.push(Script {
            task: task.name.clone(),
            file: task.script.file.clone(),
            trials: Arc::new(trials),
        });
    }
    Ok(scripts)
}

/// What was found of the tasks of these names and of the scripts that they reach; of all tasks when none is named.
pub fn findings(loaded: &Loaded, names: &[String]) -> Vec<Finding> {
    let is_chosen = |name: &str| names.is_empty() || names.iter().any(|chosen| chosen == name);
    let mut files: BTreeSet<Arc<str>> = BTreeSet::new();
    for task in loaded.tasks.values().filter(|task| is_chosen(&task.name)) {
        files.insert(task.script.file.clone());
        let reach = closure::reach(&task.script, &loaded.scripts);
        files.extend(reach.parsed.into_iter().map(|(script, _)| script.file));
        files.extend(reach.errors.iter().map(|error| error.place().0.clone()));
    }
    let of_task = |finding: &Finding| {
        let name = finding.subject.strip_prefix("task \"").and_then(|rest| rest.strip_suffix('"'));
        name.is_some_and(is_chosen)
    };
    let of_script =
        |finding: &Finding| finding.place.as_ref().is_some_and(|place| files.contains(&place.file));
    loaded.findings.iter().filter(|finding| of_task(finding) || of_script(finding)).cloned().collect()
}

/// One test, on a thread that may be busy for a while.
async fn run(trials: &Arc<Trials>, name: &str) -> Option<TestFailure> {
    let (own, test) = (trials.clone(), name.to_string());
    let mut running = tokio::task::spawn_blocking(move || own.run(&test));
    let ended = match tokio::time::timeout(LONGEST, &mut running).await {
        Ok(ended) => ended,
        Err(_) => {
            trials.budget().stop();
            running.await
        }
    };
    ended.unwrap_or_else(|error| Some(TestFailure::new(format!("the test broke off: {error}"))))
}
