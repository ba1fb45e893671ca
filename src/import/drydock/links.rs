//! Networks that interfaces want and their links do not allow. The ancestor never compared the two.
//!
//! Owns what is added to links so that machines keep the networks that they had.

use super::document::{Document, Field};
use super::site::Documents;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Additions<'a> {
    by_link: BTreeMap<String, Vec<Field<'a>>>,
}

impl<'a> Additions<'a> {
    pub fn collect(documents: &'a Documents<'a>) -> Additions<'a> {
        let mut additions = Additions::default();
        for document in documents.hosts() {
            additions.of_host(documents, document);
        }
        additions
    }

    fn of_host(&mut self, documents: &'a Documents<'a>, document: &'a Document<'a>) {
        let interfaces = document.peek(&["interfaces"]).and_then(|node| node.map()).unwrap_or_default();
        for (key, interface) in interfaces {
            let Some(name) = key.text() else { continue };
            let Some(link) = documents.inherited(document, &["interfaces", name, "device_link"]) else {
                continue;
            };
            let Some(link) = link.text().and_then(|name| documents.get("NetworkLink", name)) else {
                continue;
            };
            let allowed = link.peek(&["allowed_networks"]).and_then(|node| node.list()).unwrap_or_default();
            let mut known: BTreeSet<&str> = allowed.iter().filter_map(|node| node.text()).collect();
            let added = self.by_link.entry(link.name.to_string()).or_default();
            known.extend(added.iter().map(|field| field.text()));
            let wanted = interface.get("networks").and_then(|node| node.list()).unwrap_or_default();
            for (index, node) in wanted.iter().enumerate() {
                let Some(network) = node.text().filter(|text| !text.starts_with('!')) else { continue };
                if known.insert(network) {
                    let field = Field { document, path: format!("interfaces.{name}.networks.{index}"), node };
                    field.changed(format!("link `{}` did not allow it; now it does", link.name));
                    added.push(field);
                }
            }
        }
    }

    pub fn to(&self, link: &str) -> Vec<Field<'a>> {
        self.by_link.get(link).cloned().unwrap_or_default()
    }
}
