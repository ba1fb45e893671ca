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

/// The phases of a node's lifecycle, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Verify,
    Prepare,
    Deploy,
    Configure,
    Release,
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
    Verify = "verify",
    Prepare = "prepare",
    Deploy = "deploy",
    Configure = "configure",
    Release = "release",
});
words!(Scope { Hardware = "hardware", Os = "os" });
