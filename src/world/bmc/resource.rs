//! Reading resources liberally: missing, `null` and empty mean the same, collections are paged and bounded.

use super::error::BmcError;
use super::link;
use super::redfish::Redfish;
use serde_json::Value;

/// How many members of a collection, over how many pages, are looked at.
const MEMBERS_LIMIT: usize = 256;
const PAGES_LIMIT: usize = 16;

/// The text at `key`, trimmed; `None` for `null`, empty and anything that is no text.
pub(super) fn text(resource: &Value, key: &str) -> Option<String> {
    let text = resource.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_string())
}

/// The texts of the list at `key`; empty when there is none.
pub(super) fn texts(resource: &Value, key: &str) -> Vec<String> {
    let items = resource.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}

/// What a person is shown of a value that cannot be used.
pub(super) fn seen(value: Option<&Value>) -> String {
    match value {
        None => "missing".into(),
        Some(value) => value.to_string().chars().take(120).collect(),
    }
}

impl Redfish {
    /// The paths of a collection's members (DSP0266, 9.4), following `Members@odata.nextLink`.
    pub(super) async fn members(&self, collection: &str) -> Result<Vec<String>, BmcError> {
        let mut found: Vec<String> = Vec::new();
        let mut next = Some(collection.to_string());
        for _ in 0..PAGES_LIMIT {
            let Some(path) = next.take() else { break };
            let page = self.get(&path).await?;
            let members = page.get("Members").and_then(Value::as_array);
            found.extend(members.into_iter().flatten().filter_map(link::odata_id));
            if found.len() >= MEMBERS_LIMIT {
                break;
            }
            next = link::linked(&page, "Members@odata.nextLink");
        }
        found.truncate(MEMBERS_LIMIT);
        Ok(found)
    }
}
