//! The agent in the ramdisk: installs what its order names, or takes orders until there are no more.
//!
//! Owns what the kernel's command line may ask of it. The two works are in the files beside this one.

mod install;
mod order;
mod take;

use super::super::machine::activity::{Activity, After, Cut};

/// What the kernel's command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Fetch one order of an install from this address.
    Install(String),
    /// Take orders at this address.
    TakeOrders(String),
}

/// Runs the agent. It ends in a reset, or halts until the power goes.
pub async fn run(activity: &Activity, errand: &Errand) -> Result<After, Cut> {
    match errand {
        Errand::Install(url) => install::run(activity, url).await,
        Errand::TakeOrders(url) => take::run(activity, url).await,
    }
}
