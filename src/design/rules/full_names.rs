//! A node's full name, its name and its domain, is short enough and its own.
//!
//! Why: longer names cannot be asked for (RFC 1035, 2.3.4), and two machines of one full name answer for each other.
//! Example: node `a.b` in domain `c` and node `a` in domain `b.c`; letters count the same in both cases. Fix: rename
//! one of them, or shorten the domain.

use super::{Context, subject};
use crate::design::forms::{LONGEST_NAME, is_host_name};
use crate::design::resolve::Resolved;
use crate::finding::{Finding, NAME_INVALID};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut known: HashMap<FullName<'_>, &Resolved> = HashMap::with_capacity(context.nodes.len());
    for resolved in context.nodes.iter().filter(|resolved| is_host_name(&resolved.node.name)) {
        let name = FullName { name: &resolved.node.name, domain: resolved.node.spec.str_at("domain") };
        let mut find = |message: String, help: String| {
            let place = resolved.node.place.clone();
            findings.push(Finding::new(NAME_INVALID, subject(resolved), message).at(place).help(help));
        };
        let length = name.bytes().count();
        if length > LONGEST_NAME {
            let message =
                format!("its name and domain have {length} characters; the limit is {LONGEST_NAME}");
            find(message, "shorten the name or the domain".to_string());
        }
        match known.get(&name) {
            None => drop(known.insert(name, resolved)),
            // Two of one name are another rule's.
            Some(other) if other.node.name == resolved.node.name => {}
            Some(other) => {
                let message = format!("it has the full name of node `{}`", other.node.name);
                find(message, format!("the other is at {}; rename one of the two", other.node.place));
            }
        }
    }
}

/// A name and a domain, compared as one without regard to case (RFC 1035, 2.3.3).
struct FullName<'a> {
    name: &'a str,
    domain: Option<&'a str>,
}

impl FullName<'_> {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        let domain = self.domain.into_iter().flat_map(|domain| std::iter::once(b'.').chain(domain.bytes()));
        self.name.bytes().chain(domain).map(|byte| byte.to_ascii_lowercase())
    }
}

impl Hash for FullName<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.bytes().for_each(|byte| hasher.write_u8(byte));
    }
}

impl PartialEq for FullName<'_> {
    fn eq(&self, other: &FullName<'_>) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for FullName<'_> {}
