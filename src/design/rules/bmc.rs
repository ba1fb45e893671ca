//! Every node has a BMC with an address, a user and a password.
//!
//! Why: everything begins with power. Example: a node without `bmc`, in itself and in its profiles. Fix: write
//! `bmc "redfish" address=… user=… password=(secret)"env:NAME"`; the parts may stand in different layers.

use super::{Context, subject};
use crate::finding::{Finding, MISSING_BMC, MISSING_VALUE};

const HELP: &str = "write bmc \"redfish\" address=\"https://…\" user=\"…\" password=(secret)\"env:NAME\"";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.sure_nodes() {
        let Some(bmc) = resolved.node.spec.get("bmc").filter(|bmc| !bmc.is_null()) else {
            let message = format!("node `{}` has no BMC", resolved.node.name);
            let place = resolved.node.place.clone();
            findings.push(Finding::new(MISSING_BMC, subject(resolved), message).at(place).help(HELP));
            continue;
        };
        for (key, code) in [("address", MISSING_BMC), ("user", MISSING_VALUE), ("password", MISSING_VALUE)] {
            if bmc.get(key).is_none_or(|value| value.is_null()) {
                let message = format!("the BMC of node `{}` lacks `{key}`", resolved.node.name);
                let place = resolved.node.place.clone();
                findings.push(Finding::new(code, subject(resolved), message).at(place).help(HELP));
            }
        }
    }
}
