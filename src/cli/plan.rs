//! `plan`: what would be done and why. Writes nothing but the file that `--out` names.

use super::Global;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::model::hazard::Phase;
use crate::model::plan::Plan;
use crate::model::site::Site;
use crate::plan::Limits;
use crate::reconcile::rehearsal;
use crate::reconcile::session::Machines;
use crate::reconcile::viewing::{Reach, View, view};
use crate::store::{Lease, StoreError, Url};
use crate::view::{out, plan as shown, trace};
use std::path::PathBuf;
use std::sync::Arc;

/// Show the difference between the design and what was achieved, field by field.
#[derive(clap::Args)]
pub struct Args {
    /// The design: a folder, or a URI such as git+https://HOST/REPOSITORY//FOLDER?ref=TAG.
    #[arg(default_value = ".")]
    design: String,
    /// Only these nodes: names, globs and tests, such as `rack:r1 & !tag:db`; try them with `find`.
    #[arg(long, value_name = "SELECTOR")]
    on: Option<String>,
    /// Only up to this phase.
    #[arg(long, value_name = "PHASE", value_parser = common::phase)]
    until: Option<Phase>,
    /// Ask the machines instead of trusting what was last seen.
    #[arg(long)]
    refresh: bool,
    /// Follow every step: the calls that `apply` would make, and the requests that the BMCs would get. Asks the machines.
    #[arg(long)]
    trace: bool,
    /// Keep the plan in a file, for `apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 when something has to change.
    #[arg(long)]
    exit_code: bool,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let options = common::source(args.revision.as_deref(), args.place.rehearses());
    let site = args.place.site(common::load_with(global, &args.design, &options).await?);
    let limits = common::limits(&site, args.on.as_deref(), args.until)?;
    let url = args.place.store(global, &args.design)?;
    if !url.0.exists() {
        out::note(&shown::no_store(&url.to_string()));
    }
    let View { plan, traces } = match args.refresh || args.trace {
        false => view(&site, &url, &limits, None).await?,
        true => refreshed(args, &site, &url, &limits).await?,
    };
    if let Some(file) = &args.out {
        write(file, &plan)?;
    }
    match global.json {
        true => {
            let mut document = shown::as_json(&plan);
            traces.iter().for_each(|traces| trace::into_json(&mut document, traces));
            out::json_document(&document);
        }
        false => {
            out::result(&shown::human(&plan));
            traces.iter().for_each(|traces| out::result(&trace::human(traces)));
        }
    }
    Ok(if args.exit_code && !plan.is_empty() { Exit::Pending } else { Exit::Done })
}

async fn refreshed(args: &Args, site: &Arc<Site>, url: &Url, limits: &Limits) -> Result<View, CliError> {
    let reach = |endpoints| Some(Reach { endpoints, trace: args.trace });
    Ok(match args.place.machines(&args.design)? {
        Machines::Real => view(site, url, limits, reach(None)).await?,
        Machines::Rack(endpoints, _) => view(site, url, limits, reach(Some(endpoints))).await?,
        Machines::Rehearsal(folder) => {
            if Lease::is_held(url) {
                return Err(StoreError::Held(url.0.clone()).into());
            }
            let rack = rehearsal::start_frozen(site, folder).await?;
            let plan = view(site, url, limits, reach(Some(rack.endpoints()))).await;
            rack.stop().await;
            plan?
        }
    })
}

fn write(file: &PathBuf, plan: &Plan) -> Result<(), CliError> {
    let failed = |why: String| {
        CliError::new(Exit::Fault, format!("the plan cannot be written to `{}`: {why}", file.display()))
    };
    let text = serde_json::to_string_pretty(plan).map_err(|error| failed(error.to_string()))?;
    std::fs::write(file, text).map_err(|error| failed(error.to_string()))
}
