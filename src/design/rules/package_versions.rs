//! The version of a package is one Debian version, without operators and wildcards.
//!
//! Why: the installed system compares it to what it has, and `>=1.2` is no version. Example:
//! `package "nginx" version=">=1.24"`. Fix: write the version as `apt list` prints it, such as `1.24.0-2ubuntu7`
//! (Debian policy, 5.6.12).

use super::Context;
use crate::finding::{Finding, PACKAGE_VERSION};
use crate::model::path::Path;
use crate::model::value::Value;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for item in context.catalog.of("boot-action") {
        let packages = item.tree.get("packages").and_then(Value::as_map);
        for (name, package) in packages.into_iter().flatten() {
            let Some(version) = package.str_at("version").filter(|version| !is_version(version)) else {
                continue;
            };
            let path = Path(vec!["packages".into(), name.clone(), "version".into()]);
            let place = item.places.get(&path).unwrap_or(&item.place).clone();
            let message = format!("`{version}` is not a version of a Debian package");
            let finding = Finding::new(PACKAGE_VERSION, item.subject(), message).at(place);
            findings.push(finding.help("write one version, such as \"1.24.0-2\", or none for the newest"));
        }
    }
}

/// `[epoch:]upstream[-revision]`.
fn is_version(text: &str) -> bool {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (Some(epoch), rest),
        None => (None, text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision)),
        None => (rest, None),
    };
    let letters = |text: &str, more: &[u8]| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".+~".contains(&byte) || more.contains(&byte);
        !text.is_empty() && text.bytes().all(fits)
    };
    // An upstream version may hold colons where an epoch, and hyphens where a revision, comes before or after.
    let colon: &[u8] = if epoch.is_some() { b":-" } else { b"-" };
    epoch.is_none_or(|epoch| epoch.parse::<u32>().is_ok() && !epoch.starts_with('+'))
        && upstream.starts_with(|c: char| c.is_ascii_digit())
        && letters(upstream, colon)
        && revision.is_none_or(|revision| letters(revision, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_versions_are_told_from_conditions() {
        for version in [
            "1",
            "1.24.0-2ubuntu7",
            "2:8.39-13",
            "1.0~rc1-1",
            "1.2+dfsg-3-1",
            "0:1:2-3",
            "5.4.0-42.46",
            "20230311ubuntu0.22.04.1",
        ] {
            assert!(is_version(version), "{version}");
        }
        for version in [
            "", ">=1.2", "=1.2", "1.2*", "1.2 ", "a1", ":1", "x:1", "+1:2", "1-", "1:", "1.2-3_4", "1,2", "é",
        ] {
            assert!(!is_version(version), "{version}");
        }
    }
}
