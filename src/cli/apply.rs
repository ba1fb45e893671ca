//! `apply`: plan, approve, run.

use super::Global;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use super::flags::Agreement;
use crate::model::hazard::Phase;
use crate::model::plan::Plan;
use crate::model::run::RunState;
use crate::plan::Limits;
use crate::plan::policy::{self, Approvals};
use crate::reconcile::session::{Session, SessionError};
use crate::run::Finished;
use crate::run::event::{Event, Listener};
use crate::store::RunRow;
use crate::view::progress::{self, Progress};
use crate::view::{agent, out, plan as shown, runs as shown_runs};
use crate::world::clock;
use crate::world::source::Place;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Make the machines equal to the design: plan, ask, run.
#[derive(clap::Args)]
pub struct Args {
    /// The design, a folder or a URI; or a plan that `plan --out` wrote.
    #[arg(default_value = ".", value_name = "DESIGN or PLANFILE")]
    design: String,
    /// Only these nodes: names, globs and tests, such as `rack:r1 & !tag:db`; try them with `find`.
    #[arg(long, value_name = "SELECTOR")]
    on: Option<String>,
    /// Only up to this phase.
    #[arg(long, value_name = "PHASE", value_parser = common::phase)]
    until: Option<Phase>,
    #[command(flatten)]
    agreement: Agreement,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let saved = saved_plan(&args.design)?;
    if saved.is_some() && (args.on.is_some() || args.until.is_some() || args.revision.is_some()) {
        return Err(CliError::new(
            Exit::Usage,
            "a saved plan is carried out whole; `--on`, `--until` and `--revision` belong to `plan`",
        ));
    }
    let design = saved.as_ref().map_or(args.design.as_str(), |plan| plan.design.source.as_str());
    let revision = revision(args, saved.as_ref())?;
    let site = common::load_with(global, design, &common::source(revision.as_deref(), true)).await?;
    let limits = common::limits(&site, args.on.as_deref(), args.until)?;
    let url = args.place.store(global, design)?;
    let machines = args.place.machines(design)?;
    let cancel = common::stop_on_signal();
    let (events, shower) = show_events(global.json);
    let mut session = Session::open(site, &url, machines, events, cancel.clone()).await?;
    let outcome = turn(global, args, &mut session, limits, saved, &cancel).await;
    session.close().await;
    let _ = shower.await;
    outcome
}

/// The revision that is wanted. A saved plan of a fetched design is of one revision, wherever its branch is by now.
fn revision(args: &Args, saved: Option<&Plan>) -> Result<Option<String>, CliError> {
    let Some(plan) = saved else { return Ok(args.revision.clone()) };
    let is_remote = Place::parse(&plan.design.source)?.is_remote();
    Ok(is_remote.then(|| plan.design.revision.clone()))
}

/// Events are shown by a task of their own, in the order in which they come.
pub fn show_events(json: bool) -> (Listener, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Event>();
    let mut progress = Progress::new(json, std::io::stderr().is_terminal());
    let shower = tokio::spawn(async move {
        while let Some(event) = receiver.recv().await {
            progress.show(&event);
        }
    });
    // Nobody has to listen.
    let listener: Listener = Arc::new(move |event| drop(sender.send(event)));
    (listener, shower)
}

async fn turn(
    global: &Global,
    args: &Args,
    session: &mut Session,
    mut limits: Limits,
    saved: Option<Plan>,
    cancel: &CancellationToken,
) -> Result<Exit, CliError> {
    let mut trouble = false;
    let unfinished = session.unfinished().await?;
    if !unfinished.is_empty() {
        agree_to_resume(args, session, &unfinished, cancel).await?;
        let resumed = session.resume(unfinished).await?;
        say_agents(session).await?;
        limits.under_way = Finished::left_under_way(&resumed);
        trouble = resumed.iter().any(Finished::has_failed);
    }
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let is_saved = saved.is_some();
    if is_saved && !limits.under_way.is_empty() {
        return Ok(Exit::Failed);
    }
    let plan = match saved {
        Some(plan) => {
            session.check_saved(&plan).await?;
            plan
        }
        None => session.plan(&limits).await?,
    };
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    if !global.json {
        out::result(&shown::human(&plan));
    }
    if plan.targets().next().is_none() {
        session.rename().await?;
        if global.json {
            out::json(&progress::nothing_to_do(clock::now(), plan.unplanned.len()));
        }
        return Ok(if plan.unplanned.is_empty() && !trouble { Exit::Done } else { Exit::Failed });
    }
    ask(&plan, &args.agreement.approvals(&args.place), args.agreement.yes, cancel).await?;
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let finished = session.carry_out(&plan, command(args), is_saved).await?;
    say_agents(session).await?;
    Ok(match exit(&finished, &plan, is_saved, cancel) {
        // Outside of what `--on` chose, the interrupted run did not end well.
        Exit::Done if trouble && args.on.is_some() => Exit::Failed,
        other => other,
    })
}

/// Whose agents go on without this process.
pub async fn say_agents(session: &Session) -> Result<(), CliError> {
    for (node, run) in session.agents_that_go_on().await? {
        out::note(&agent::goes_on(&node, &run));
    }
    Ok(())
}

/// How the whole command ended.
fn exit(finished: &Finished, plan: &Plan, saved: bool, cancel: &CancellationToken) -> Exit {
    let stale = |why: &str| why.contains("the plan is stale");
    if finished.interrupted && cancel.is_cancelled() {
        return Exit::Interrupted;
    }
    if saved && finished.troubled.iter().any(|(_, _, why)| stale(why)) {
        return Exit::Stale;
    }
    match finished.result {
        RunState::Succeeded if !finished.interrupted && plan.unplanned.is_empty() => Exit::Done,
        _ => Exit::Failed,
    }
}

/// What is kept of the command line with the run.
fn command(args: &Args) -> String {
    let mut words = vec!["apply".to_string(), args.design.clone()];
    if let Some(on) = &args.on {
        words.extend(["--on".into(), on.clone()]);
    }
    if let Some(until) = args.until {
        words.extend(["--until".into(), until.to_string()]);
    }
    if let Some(revision) = &args.revision {
        words.extend(["--revision".into(), revision.clone()]);
    }
    words.join(" ")
}

/// What was interrupted goes on only when somebody wants it to.
async fn agree_to_resume(
    args: &Args,
    session: &Session,
    runs: &[RunRow],
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    out::note(&shown_runs::unfinished(runs));
    let missing = session.hazards_left(runs, &args.agreement.approvals(&args.place)).await?;
    if !can_ask(args.agreement.yes) && !missing.is_empty() {
        return Err(CliError::new(Exit::Approval, shown::approval_needed(&missing)));
    }
    for hazard in &missing {
        let question = format!("It goes on with steps of hazard {hazard}. Type `{hazard}` to agree: ");
        if !answered(&question, hazard.word(), cancel).await {
            return Err(refused(cancel, format!("`{hazard}` was not approved")));
        }
    }
    let question = "Type `yes` to go on with it: ";
    if args.agreement.yes
        || !missing.is_empty()
        || (can_ask(args.agreement.yes) && answered(question, "yes", cancel).await)
    {
        return Ok(());
    }
    if cancel.is_cancelled() {
        return Err(refused(cancel, String::new()));
    }
    Err(CliError::new(
        Exit::Approval,
        "an interrupted run comes first, and nobody has agreed to go on with it",
    )
    .help("add `--yes`, or end it with `rackwright cancel RUN`"))
}

/// True when somebody sits there.
fn can_ask(yes: bool) -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !yes
}

/// Asks on a terminal; elsewhere what is not agreed to is refused. A hazard is agreed to by typing it.
pub async fn ask(
    plan: &Plan,
    approvals: &Approvals,
    yes: bool,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    let missing = policy::unapproved(plan, approvals);
    if !can_ask(yes) {
        if !missing.is_empty() {
            return Err(CliError::new(Exit::Approval, shown::approval_needed(&missing)));
        }
        return if yes {
            Ok(())
        } else {
            Err(CliError::new(Exit::Approval, "nobody is there to ask; add `--yes`"))
        };
    }
    for hazard in &missing {
        let question = format!("{} Type `{hazard}` to go on: ", shown::summary(plan));
        if !answered(&question, hazard.word(), cancel).await {
            return Err(refused(cancel, format!("`{hazard}` was not approved; nothing was done")));
        }
    }
    let question = format!("{} Type `yes` to go on: ", shown::summary(plan));
    if missing.is_empty() && !answered(&question, "yes", cancel).await {
        return Err(refused(cancel, "not approved; nothing was done".into()));
    }
    Ok(())
}

/// Somebody said no, or a signal ended the question.
fn refused(cancel: &CancellationToken, message: String) -> CliError {
    match cancel.is_cancelled() {
        true => CliError::new(Exit::Interrupted, "interrupted; nothing was done"),
        false => CliError::new(Exit::Approval, message),
    }
}

/// Waits for the answer on a thread of its own, so that a signal still ends the command.
async fn answered(question: &str, wanted: &str, cancel: &CancellationToken) -> bool {
    out::prompt(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer).unwrap_or_default()
    });
    tokio::select! {
        answer = answer => answer.is_ok_and(|answer| answer.trim() == wanted),
        () = cancel.cancelled() => false,
    }
}

/// The plan in `path`, when it is a file.
fn saved_plan(path: &str) -> Result<Option<Plan>, CliError> {
    if !Path::new(path).is_file() {
        return Ok(None);
    }
    let failed = |why: String| {
        CliError::new(Exit::Usage, format!("`{path}` is no plan: {why}"))
            .help("name a design folder, or a file that `rackwright plan --out` wrote")
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if plan.format != crate::model::plan::FORMAT {
        return Err(failed(format!(
            "it has format {}, this build knows {}",
            plan.format,
            crate::model::plan::FORMAT
        )));
    }
    if plan.compute_digest() != plan.digest {
        return Err(SessionError::Stale(vec!["the plan file was changed after it was written".into()]).into());
    }
    Ok(Some(plan))
}
