//! Arguments that several commands take.

use super::common::{self, Where};
use crate::model::hazard::Hazard;
use crate::plan::policy::Approvals;

/// Which run, and what of it.
#[derive(clap::Args)]
pub struct OfRun {
    /// The run, as `runs` names it; default the newest.
    pub run: Option<String>,
    /// The design folder.
    #[arg(long, default_value = ".")]
    pub design: String,
    /// Only this node.
    #[arg(long)]
    pub node: Option<String>,
    /// Only this step.
    #[arg(long)]
    pub step: Option<String>,
    #[command(flatten)]
    pub place: Where,
}

/// What whoever calls agrees to.
#[derive(clap::Args)]
pub struct Agreement {
    /// Hazards that are agreed to: reboot, reinstall, data-loss.
    #[arg(long, value_name = "HAZARD,…", value_delimiter = ',', value_parser = common::hazard)]
    pub approve: Vec<Hazard>,
    /// Do not ask; covers only what needs no approval.
    #[arg(long)]
    pub yes: bool,
}

impl Agreement {
    /// In a rehearsal of our own `--yes` covers everything.
    pub fn approvals(&self, place: &Where) -> Approvals {
        Approvals { hazards: self.approve.iter().copied().collect(), everything: place.r#virtual && self.yes }
    }
}
