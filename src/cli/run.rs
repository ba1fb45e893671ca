//! `run`: a work order, now: a task alone or a blueprint, once, on nodes that a selector chooses.

use super::Global;
use super::apply::{ask, say_agents, show_events};
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use super::flags::Agreement;
use crate::finding::did_you_mean;
use crate::model::plan::{Order, OrderKind};
use crate::model::run::RunState;
use crate::model::site::Site;
use crate::model::value::Value;
use crate::plan::{Limits, order};
use crate::reconcile::session::Session;
use crate::view::{out, plan as shown, progress, runs};
use crate::world::clock;
use clap::ValueEnum;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Run a task or a blueprint once on some nodes, now.
#[derive(clap::Args)]
pub struct Args {
    /// What is run.
    kind: Kind,
    /// The task or the blueprint, by name.
    name: String,
    /// The design, a folder or a URI.
    #[arg(long, default_value = ".")]
    design: String,
    /// These nodes: names, globs and tests, such as `rack:r1 & !tag:db`; try them with `find`.
    #[arg(long, value_name = "SELECTOR")]
    on: String,
    /// A parameter of the task or the blueprint.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    param: Vec<String>,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    place: Where,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One task alone.
    Task,
    /// Every step of a blueprint, in its order.
    Blueprint,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site = common::load_with(global, &args.design, &common::source(None, true)).await?;
    let order = ordered(&site, args)?;
    let limits = common::limits(&site, Some(&args.on), None)?;
    let url = args.place.store(global, &args.design)?;
    let machines = args.place.machines(&args.design)?;
    let cancel = common::stop_on_signal();
    let (events, shower) = show_events(global.json);
    let mut session = Session::open(site, &url, machines, events, cancel.clone()).await?;
    let outcome = turn(global, args, &mut session, (&order, &limits), &cancel).await;
    session.close().await;
    let _ = shower.await;
    outcome
}

/// The order, with every parameter checked: nothing begins that could not end for want of one.
fn ordered(site: &Site, args: &Args) -> Result<Order, CliError> {
    let kind = match args.kind {
        Kind::Task => OrderKind::Task,
        Kind::Blueprint => OrderKind::Blueprint,
    };
    let declared = order::params(site, kind, &args.name).ok_or_else(|| unknown(site, kind, &args.name))?;
    let mut params = Value::empty_map();
    for given in &args.param {
        let wrong = |message: String, help: String| CliError::new(Exit::Usage, message).help(help);
        let Some((name, text)) = given.split_once('=') else {
            return Err(wrong(format!("`{given}` is no parameter"), "write -p NAME=VALUE".into()));
        };
        let Some(param) = declared.iter().find(|param| *param.name == *name) else {
            let help = match did_you_mean(name, declared.iter().map(|param| &*param.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`rackwright show {}` shows what it takes", shown_as(kind, &args.name)),
            };
            return Err(wrong(format!("`{}` has no parameter `{name}`", args.name), help));
        };
        let value = param
            .parse(text)
            .map_err(|wanted| wrong(format!("the parameter `{name}` must be {wanted}"), String::new()))?;
        params.put(&[Arc::from(name)], value);
    }
    let missing = declared
        .iter()
        .find(|param| param.required && param.default.is_null() && params.get(&param.name).is_none());
    match missing {
        Some(param) => {
            Err(CliError::new(Exit::Usage, format!("`{}` wants the parameter `{}`", args.name, param.name))
                .help(format!("add -p {}=…, {}", param.name, param.wanted())))
        }
        None => Ok(Order { kind, name: args.name.as_str().into(), params }),
    }
}

fn shown_as(kind: OrderKind, name: &str) -> String {
    match kind {
        OrderKind::Task => format!("task {name}"),
        OrderKind::Blueprint => format!("blueprint {name}"),
    }
}

fn unknown(site: &Site, kind: OrderKind, name: &str) -> CliError {
    let near = match kind {
        OrderKind::Task => did_you_mean(name, site.tasks.keys().map(|known| &**known)),
        OrderKind::Blueprint => did_you_mean(name, site.blueprints.keys().map(|known| &**known)),
    };
    let error = CliError::new(Exit::Usage, format!("there is no {}", shown_as(kind, name)));
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

async fn turn(
    global: &Global,
    args: &Args,
    session: &mut Session,
    (order, limits): (&Order, &Limits),
    cancel: &CancellationToken,
) -> Result<Exit, CliError> {
    let unfinished = session.unfinished().await?;
    if !unfinished.is_empty() {
        return Err(CliError::new(Exit::Fault, runs::unfinished(&unfinished))
            .help("go on with it by `rackwright apply`, or end it with `rackwright cancel RUN`"));
    }
    let plan = session.plan_order(order, limits).await?;
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    if !global.json {
        out::result(&shown::human(&plan));
    }
    if plan.nodes.is_empty() {
        if global.json {
            out::json(&progress::nothing_to_do(clock::now(), plan.unplanned.len()));
        }
        return Ok(Exit::Failed);
    }
    ask(&plan, &args.agreement.approvals(&args.place), args.agreement.yes, cancel).await?;
    let command = format!("run {} --on {}", shown_as(order.kind, &order.name), args.on);
    let finished = session.carry_out(&plan, command, false).await?;
    say_agents(session).await?;
    if finished.interrupted && cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let well = finished.result == RunState::Succeeded && !finished.interrupted && plan.unplanned.is_empty();
    Ok(if well { Exit::Done } else { Exit::Failed })
}
