//! How names of the design language reach scripts and come back: kebab-case there, snake_case here.
//!
//! Keys under a few places are data, not names (BIOS attributes, labels, kernel parameters): they
//! pass unchanged in both directions.

use super::value::{Map, Value};
use std::sync::Arc;

/// Places in a node's spec whose keys are data. `*` stands for any key.
const DATA_KEYS: &[&[&str]] = &[
    &["hardware", "bios"],
    &["hardware", "alias"],
    &["hardware", "firmware"],
    &["hardware", "cpuset"],
    &["hardware", "hugepages"],
    &["hardware", "pci"],
    &["hardware", "drives"],
    &["hardware", "volumes"],
    &["image", "templates"],
    &["addresses"],
    &["interfaces"],
    &["interfaces", "*", "labels"],
    &["cables"],
    &["ports"],
    &["boot-ports"],
    &["port-switches"],
    &["storage", "disks"],
    &["storage", "disks", "*", "labels"],
    &["storage", "disks", "*", "partitions"],
    &["storage", "disks", "*", "partitions", "*", "labels"],
    &["storage", "groups"],
    &["storage", "groups", "*", "volumes"],
    &["storage", "groups", "*", "volumes", "*", "labels"],
    &["storage", "raids"],
    &["storage", "raids", "*", "labels"],
    &["kernel-params"],
    &["labels"],
    &["owner-data"],
    &["params"],
];

fn keys_are_data(path: &[Arc<str>]) -> bool {
    DATA_KEYS.iter().any(|pattern| {
        pattern.len() == path.len()
            && pattern.iter().zip(path).all(|(want, key)| *want == "*" || *want == &**key)
    })
}

/// The value with every language name in snake_case, as scripts see a spec rooted at `path`.
pub fn to_script(value: &Value) -> Value {
    rename(value, &mut Vec::new(), &|key| key.replace('-', "_").into())
}

/// The reverse, for what `observe` returns: its names are those of the spec.
pub fn from_script(value: &Value) -> Value {
    rename(value, &mut Vec::new(), &|key| key.replace('_', "-").into())
}

fn rename(value: &Value, path: &mut Vec<Arc<str>>, name: &dyn Fn(&str) -> Arc<str>) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let data = keys_are_data(path);
    let renamed: Map = map
        .iter()
        .map(|(key, inner)| {
            path.push(key.replace('_', "-").into());
            let inner = rename(inner, path, name);
            path.pop();
            (if data { key.clone() } else { name(key) }, inner)
        })
        .collect();
    Value::Map(Arc::new(renamed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_and_data_keys_do_not() {
        let attributes = Value::map([("Boot-Mode_x", Value::Int(1))]);
        let spec = Value::map([
            ("boot-mac", Value::text("x")),
            ("hardware", Value::map([("boot-mode", Value::Int(2)), ("bios", attributes)])),
        ]);
        let script = to_script(&spec);
        assert_eq!(
            script.to_string(),
            r#"{"boot_mac":"x","hardware":{"bios":{"Boot-Mode_x":1},"boot_mode":2}}"#
        );
        assert_eq!(from_script(&script), spec);
    }
}
