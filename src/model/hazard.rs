//! Hazards, phases and scopes: the words for what a step may harm, when it runs, and what it makes.

use super::words::words;
use serde::{Deserialize, Serialize};

/// What a step may harm, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    #[default]
    None,
    Reboot,
    Reinstall,
    DataLoss,
}

/// The phases of a run, in order: first those of the site, then those of each node's lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    VerifySite,
    PrepareSite,
    Verify,
    Prepare,
    Deploy,
    Configure,
    Release,
}

/// What a task is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    #[default]
    Node,
    /// The site as a whole: its task has no machine, and harms none.
    Site,
}

impl Phase {
    /// Carried out once, before any node.
    pub fn is_of_site(self) -> bool {
        self <= Phase::PrepareSite
    }
}

/// What holds a step's result: a reinstall wipes what has scope `os`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    #[default]
    Hardware,
    Os,
}

words!(Hazard { None = "none", Reboot = "reboot", Reinstall = "reinstall", DataLoss = "data-loss" });
words!(Phase {
    VerifySite = "verify-site",
    PrepareSite = "prepare-site",
    Verify = "verify",
    Prepare = "prepare",
    Deploy = "deploy",
    Configure = "configure",
    Release = "release",
});
words!(Aim { Node = "node", Site = "site" });
words!(Scope { Hardware = "hardware", Os = "os" });
