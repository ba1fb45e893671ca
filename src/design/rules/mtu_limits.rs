//! The MTU of a network or link is between 1280 and 65536 bytes.
//!
//! Why: below 1280 no IPv6 packet passes (RFC 8200, 5), and no Ethernet carries more than 65536. Example: `mtu 900`
//! where `mtu 9000` was meant. Fix: write a size that the switches carry, such as 1500 or 9000.

use super::Context;
use crate::finding::{Finding, MTU_LIMIT};
use crate::model::value::Value;
use std::ops::RangeInclusive;

const LIMITS: RangeInclusive<i64> = 1280..=65_536;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for item in context.catalog.of("network").chain(context.catalog.of("link")) {
        let Some(mtu) = item.tree.get("mtu").and_then(Value::as_int) else { continue };
        if !LIMITS.contains(&mtu) {
            let (least, most) = (LIMITS.start(), LIMITS.end());
            let message = format!("an MTU of {mtu} bytes is not between {least} and {most}");
            let finding = Finding::new(MTU_LIMIT, item.subject(), message).at(item.place_of("mtu"));
            findings.push(finding.help("write a size that the switches carry, such as 1500 or 9000"));
        }
    }
}
