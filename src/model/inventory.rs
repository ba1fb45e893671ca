//! What Ansible is told of a node: its variables and its groups.
//!
//! Owns the names and what stands in a variable. The spec stands under `rackwright`, with the names that scripts see,
//! because some of them (`name`, `tags`) mean something else to Ansible. Secrets are left out: a playbook that wants one
//! then fails with a name, and uses no placeholder. Ansible allows letters, digits and underscores in names of groups;
//! two groups whose names become the same are told apart by a digest of what they were called, so that a group keeps its
//! name when another one comes.

use super::names;
use super::value::Value as Spec;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What Ansible would take for a template.
const TEMPLATES: [&str; 3] = ["{{", "{%", "{#"];

/// Length of the digest that tells two names apart, in hexadecimal digits.
const DIGEST: usize = 6;

/// Texts of the spec that make groups, and what these begin with.
const TEXTS: &[(&str, &str)] = &[
    ("rack", "rack"),
    ("region", "region"),
    ("profile", "profile"),
    ("hardware", "hardware.name"),
    ("image", "image.name"),
];

/// An inventory file (JSON, which is YAML) that holds one node. Its address and its groups follow from its whole spec;
/// of its variables it has those in `visible`.
pub fn of_one(name: &str, spec: &Spec, visible: &Spec) -> Value {
    let host = json!({"ansible_host": address(name, spec), "rackwright": plain(&names::to_script(visible))});
    let groups = groups_of(spec);
    let called = group_names(groups.iter().map(String::as_str));
    let children: Map<String, Value> =
        called.into_iter().map(|group| (group, json!({"hosts": {name: {}}}))).collect();
    json!({"all": {"hosts": {name: host}, "children": children}})
}

/// The address on the primary network; else the only one; else the full name.
pub fn address(name: &str, spec: &Spec) -> String {
    let addresses = spec.get("addresses").and_then(Spec::as_map);
    let written =
        |value: &Spec| value.as_str().filter(|text| text.parse::<IpAddr>().is_ok()).map(str::to_string);
    let primary = spec.str_at("primary-network");
    if let Some(address) = primary.and_then(|network| written(addresses?.get(network)?)) {
        return address;
    }
    let all: Vec<String> = addresses.into_iter().flat_map(|map| map.values()).filter_map(written).collect();
    match (all.as_slice(), spec.str_at("domain")) {
        ([only], _) => only.clone(),
        (_, Some(domain)) => format!("{name}.{domain}"),
        (_, None) => name.to_string(),
    }
}

/// JSON without secrets, in which no text is a template.
pub fn plain(value: &Spec) -> Value {
    match value {
        Spec::Text(text) => literal(text),
        Spec::List(items) => items.iter().filter(|item| is_open(item)).map(plain).collect(),
        Spec::Map(map) => {
            let open = map.iter().filter(|(_, value)| is_open(value));
            Value::Object(open.map(|(key, value)| (key.to_string(), plain(value))).collect())
        }
        Spec::Null | Spec::Secret(_) | Spec::Unknown(_) => Value::Null,
        Spec::Bool(truth) => (*truth).into(),
        Spec::Int(number) => (*number).into(),
        Spec::Float(number) => (*number).into(),
    }
}

fn is_open(value: &Spec) -> bool {
    !matches!(value, Spec::Secret(_))
}

/// A text that Ansible does not evaluate: designs say what machines are, and nothing is run for it.
pub fn literal(text: &str) -> Value {
    match TEMPLATES.iter().any(|mark| text.contains(mark)) {
        true => json!({"__ansible_unsafe": text}),
        false => text.into(),
    }
}

/// JSON in which no text is a template.
pub fn marked(json: &Value) -> Value {
    match json {
        Value::String(text) => literal(text),
        Value::Array(items) => items.iter().map(marked).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), marked(value))).collect())
        }
        other => other.clone(),
    }
}

/// What a node with this spec is in, as the design calls it.
pub fn groups_of(spec: &Spec) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for (kind, path) in TEXTS {
        groups.extend(spec.str_at(path).map(|name| format!("{kind}_{name}")));
    }
    let tags = spec.get("tags").and_then(|tags| tags.as_list()).unwrap_or_default();
    groups.extend(tags.iter().filter_map(|tag| tag.as_str()).map(|tag| format!("tag_{tag}")));
    let labels = spec.get("labels").and_then(|labels| labels.as_map()).into_iter().flatten();
    groups.extend(labels.filter_map(|(name, value)| Some(format!("label_{name}_{}", value.as_str()?))));
    groups
}

/// Names that Ansible allows, one for each of `wanted`, in the same order and all different.
pub fn group_names<'a>(wanted: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    wanted.clone().for_each(|name| *users.entry(allowed(name)).or_default() += 1);
    wanted
        .map(|name| {
            let allowed = allowed(name);
            // Whoever is called so already keeps the name; no digest is needed where there is no other.
            match allowed == name || users[&allowed] == 1 {
                true => allowed,
                false => format!("{allowed}_{}", &blake3::hash(name.as_bytes()).to_hex()[..DIGEST]),
            }
        })
        .collect()
}

fn allowed(name: &str) -> String {
    name.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_ansible_allows_and_all_different() {
        let of = |wanted: &[&str]| group_names(wanted.iter().copied());
        assert_eq!(
            of(&["rack_r1", "tag_gen 10", "label_a.b/c_d"]),
            ["rack_r1", "tag_gen_10", "label_a_b_c_d"]
        );
        let names = of(&["tag_a-b", "tag_a.b", "tag_a_b"]);
        assert_eq!(names[2], "tag_a_b");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("tag_a_b") && allowed(name) == *name), "{names:?}");
        // A third one takes nobody's name away.
        assert_eq!(of(&["tag_a-b", "tag_a.b"])[0], names[0]);
    }

    #[test]
    fn an_inventory_of_one_node_shows_what_may_be_seen() {
        let spec = Spec::map([
            ("addresses", Spec::map([("prod", Spec::text("10.21.0.11"))])),
            ("tags", Spec::list(vec![Spec::text("k8s")])),
            ("bmc", Spec::map([("user", Spec::text("root")), ("password", Spec::Secret("env:X".into()))])),
        ]);
        let visible = spec.project([&super::super::path::Path::parse("bmc")]);
        assert_eq!(
            of_one("n1", &spec, &visible).to_string(),
            r#"{"all":{"children":{"tag_k8s":{"hosts":{"n1":{}}}},"hosts":{"n1":{"ansible_host":"10.21.0.11","rackwright":{"bmc":{"user":"root"}}}}}}"#
        );
    }
}
