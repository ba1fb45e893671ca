//! A port of a switch takes one cable.
//!
//! Why: what is done to the port for one machine would be done to another. Example: two nodes with
//! `cable "nic1" switch="sw1" port="Ethernet1/5"`. Fix: correct one of the two; in a `nodes` block let the port vary.

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{Finding, PORT_TAKEN};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

type Plugged<'a> = (&'a Resolved, &'a Arc<str>);

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut taken: HashMap<(&str, &str), Plugged<'_>> = HashMap::new();
    for resolved in context.nodes {
        let cables = resolved.node.spec.get("cables").and_then(Value::as_map);
        for (interface, cable) in cables.into_iter().flatten() {
            let (Some(switch), Some(port)) = (cable.str_at("switch-name"), cable.str_at("port")) else {
                continue;
            };
            match taken.get(&(switch, port)) {
                None => drop(taken.insert((switch, port), (resolved, interface))),
                Some(other) => findings.push(collision((switch, port), (resolved, interface), *other)),
            }
        }
    }
}

fn collision((switch, port): (&str, &str), this: Plugged<'_>, other: Plugged<'_>) -> Finding {
    let place = |plugged: Plugged<'_>| {
        let cable = Path(vec!["cables".into(), plugged.1.clone()]);
        place_at(&plugged.0.node, &cable.join("port"))
    };
    let message = format!(
        "`{}` of node `{}` is plugged into port `{port}` of switch `{switch}`, and so is `{}` of node `{}`",
        this.1, this.0.node.name, other.1, other.0.node.name
    );
    let help = match place(other) == place(this) {
        true => "let the port vary from node to node, such as with a variable of the block".to_string(),
        false => format!("the other is at {}; correct one of the two", place(other)),
    };
    Finding::new(PORT_TAKEN, subject(this.0), message).at(place(this)).help(help)
}
