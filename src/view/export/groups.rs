//! Which Ansible groups a node is in, and what they are called.
//!
//! Owns the names. Ansible allows letters, digits and underscores; two things whose names become the same are told
//! apart by a digest of what they were called, so that a group keeps its name when another one comes.

use crate::model::site::{Node, Site};
use std::collections::{BTreeMap, BTreeSet};

/// Length of the digest that tells two names apart, in hexadecimal digits.
const DIGEST: usize = 6;

/// Texts of the spec that make groups, and what these begin with.
const TEXTS: &[(&str, &str)] =
    &[("rack", "rack"), ("region", "region"), ("hardware", "hardware.name"), ("image", "image.name")];

/// Groups and their nodes, both in order of name.
pub fn of(site: &Site) -> BTreeMap<String, Vec<&str>> {
    let mut raw: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in &site.nodes {
        for group in of_node(node) {
            raw.entry(group).or_default().push(&node.name);
        }
    }
    let names: Vec<String> = names(raw.keys().map(String::as_str));
    names.into_iter().zip(raw.into_values()).collect()
}

/// What the node is in, as the design calls it.
fn of_node(node: &Node) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for (kind, path) in TEXTS {
        groups.extend(node.spec.str_at(path).map(|name| format!("{kind}_{name}")));
    }
    let tags = node.spec.get("tags").and_then(|tags| tags.as_list()).unwrap_or_default();
    groups.extend(tags.iter().filter_map(|tag| tag.as_str()).map(|tag| format!("tag_{tag}")));
    let labels = node.spec.get("labels").and_then(|labels| labels.as_map()).into_iter().flatten();
    groups.extend(labels.filter_map(|(name, value)| Some(format!("label_{name}_{}", value.as_str()?))));
    groups.extend(node.profiles().map(|name| format!("profile_{name}")));
    groups
}

/// Names that Ansible allows, one for each of `wanted`, in the same order and all different.
fn names<'a>(wanted: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
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
        let of = |wanted: &[&str]| names(wanted.iter().copied());
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
}
