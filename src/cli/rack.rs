//! `rack`: the virtual rack alone, on loopback, until interrupted.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::reconcile::{place, rehearsal};
use crate::view::out;
use crate::view::words::count;
use crate::virtual_rack::{Fabric, Faults};
use std::path::PathBuf;

/// Run the virtual rack that a design describes, until interrupted.
#[derive(clap::Args)]
pub struct Args {
    /// The design folder.
    #[arg(default_value = ".")]
    design: String,
    /// Where its endpoints are written, for `apply --rack FILE`.
    #[arg(long, value_name = "FILE")]
    endpoints: Option<PathBuf>,
    /// Faults, as SEED:SPEC, such as 7:slow=0.1,drop=0.05.
    #[arg(long, value_name = "SEED:SPEC")]
    faults: Option<String>,
    /// Where the machines' disks, settings and the log are kept; default beside the design's store.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site = common::load(global, &args.design).await?;
    let faults = args.faults.as_deref().map(Faults::parse).transpose()?.unwrap_or_default();
    let folder = match &args.state {
        Some(folder) => folder.clone(),
        None => place::rack_folder(&args.design, common::cache_folder().as_deref())?,
    };
    let stop = common::stop_on_signal();
    let rack = rehearsal::start(&site, Some(folder), faults).await?;
    // The rack's switch forwards to where the design says that the services are.
    rack.connect(Fabric { dhcp: site.services.dhcp, tftp: site.services.tftp });
    let endpoints = rack.endpoints();
    if let Some(file) = &args.endpoints {
        rehearsal::write_endpoints(file, &endpoints)?;
    }
    match global.json {
        true => out::json(&endpoints),
        false => out::result(&format!(
            "The rack is up: {}, control side at {}.",
            count(endpoints.bmcs.len(), "machine"),
            endpoints.control
        )),
    }
    stop.cancelled().await;
    rack.stop().await;
    Ok(Exit::Done)
}
