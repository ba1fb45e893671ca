//! `Region` and `Rack`: the place, what its machines share, and where they stand.

use super::document::{self, Document, Field};
use super::site::Documents;
use crate::import::kdl::Element;

/// The region, and the repositories that it names.
pub fn region(document: &Document<'_>) -> (Element, Vec<Element>) {
    let mut fields = document.fields();
    let mut region = Element::new("region").arg(document.name).at(document.name_mark());
    let mut repositories = Vec::new();
    for (name, field) in fields.named("repositories") {
        match name {
            "remove_unlisted" => {
                field.dropped("repositories that a machine has besides are left as they are")
            }
            _ => {
                region.add(Element::new("use-repository").at(field.mark()).arg(name));
                repositories.push(repository(name, field));
            }
        }
    }
    for key in fields.take("authorized_keys").map(Field::texts).unwrap_or_default() {
        let joined = joined(key.text());
        region.add(key.element("authorized-key", joined).fresh());
    }
    for rule in fields.list("tag_definitions") {
        region.add(tag_rule(rule));
    }
    fields.finish();
    (region, repositories)
}

/// A key that was broken into lines to be read more easily; its parts have no white space of their own.
fn joined(key: &str) -> String {
    key.lines().map(str::trim_end).collect::<String>().trim().to_string()
}

fn tag_rule(rule: Field<'_>) -> Element {
    let mark = rule.mark();
    let mut fields = rule.fields();
    let mut element = Element::new("tag-rule").at(mark).fresh();
    if let Some(tag) = fields.scalar("tag") {
        element = element.arg(tag.text()).from(tag.mark());
    }
    if let Some(kind) = fields.scalar("definition_type") {
        element = element.prop("kind", kind.text().replace('_', "-")).from(kind.mark());
    }
    if let Some(definition) = fields.scalar("definition") {
        element = element.prop("definition", definition.text()).from(definition.mark());
    }
    fields.finish();
    element
}

fn repository(name: &str, repository: Field<'_>) -> Element {
    let mut element = Element::new("repository").at(repository.mark()).arg(name);
    let mut fields = repository.fields();
    document::text(&mut element, fields.scalar("repo_type"), "type");
    document::text(&mut element, fields.scalar("url"), "url");
    let lists = [
        ("distributions", "distributions"),
        ("components", "components"),
        ("arches", "architectures"),
        ("archs", "architectures"),
    ];
    for (key, name) in lists {
        let items = fields.take(key).map(Field::texts).unwrap_or_default();
        document::list(&mut element, &items, name);
    }
    if let Some(key) = fields.scalar("gpgkey") {
        let text = format!("{}\n", key.text().trim_end());
        element.add(key.element("key", text));
    }
    fields.finish();
    element
}

/// The rack, and its switches.
pub fn rack(documents: &Documents<'_>, document: &Document<'_>) -> (Element, Vec<Element>) {
    let mut fields = document.fields();
    let mut rack = Element::new("rack").arg(document.name).at(document.name_mark());
    let location = fields.named("location");
    if let Some((_, first)) = location.first() {
        let place = Element::new("location").at(first.mark());
        rack.add(
            location.iter().fold(place, |it, (name, value)| it.child(value.element(name, value.scalar()))),
        );
    }
    let mut switches = Vec::new();
    let mut names = Element::new("switch");
    for (name, switch) in fields.named("tor_switches") {
        names = names.arg(name).from(switch.mark());
        switches.push(self::switch(document.name, name, switch));
    }
    if !switches.is_empty() {
        rack.add(names.fresh());
    }
    let (known, unknown): (Vec<_>, Vec<_>) = fields
        .take("local_networks")
        .map(Field::texts)
        .unwrap_or_default()
        .into_iter()
        .partition(|network| documents.get("Network", network.text()).is_some());
    unknown.iter().for_each(|network| network.dropped(format!("there is no Network `{}`", network.text())));
    document::list(&mut rack, &known, "local-network");
    document::keyed(&mut rack, fields.named("labels"), "label");
    fields.finish();
    (rack, switches)
}

fn switch(rack: &str, name: &str, switch: Field<'_>) -> Element {
    let mut element = Element::new("switch").at(switch.mark()).arg(name);
    let mut fields = switch.fields();
    document::text(&mut element, fields.scalar("mgmt_ip"), "address");
    document::text(&mut element, fields.scalar("sdn_api_uri"), "uri");
    fields.finish();
    element.child(Element::new("rack").arg(rack))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn keys_of_several_lines_are_one_key() {
        assert_eq!(joined("ssh-rsa AAAA\nBBBB \nCCC ops@lab\n"), "ssh-rsa AAAABBBBCCC ops@lab");
        assert_eq!(joined("ssh-ed25519 AAAA ops\n"), "ssh-ed25519 AAAA ops");
    }
}
