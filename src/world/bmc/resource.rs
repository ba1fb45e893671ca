//! Reading resources liberally: missing, `null` and empty mean the same, collections are paged and bounded.

use super::error::{BmcError, Fault, Sent};
use super::link;
use super::redfish::Redfish;
use serde_json::Value;

/// How many members of a collection, over how many pages, are looked at. More are an error: who counts must not miss any.
const MEMBERS_LIMIT: usize = 1024;
const PAGES_LIMIT: usize = 64;

/// Stands for a reference that leads nowhere: something is there, and cannot be read.
pub(super) const NO_PATH: &str = "(a reference that is none)";

/// The path of a reference, or what stands for none.
pub(super) fn reference(reference: &Value) -> String {
    link::odata_id(reference).unwrap_or_else(|| NO_PATH.to_string())
}

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
    /// The paths of a collection's members (DSP0266, 9.4), following `Members@odata.nextLink`: all of them, or an error.
    /// A reference that is none stands there as [`NO_PATH`].
    pub(super) async fn members(&self, collection: &str) -> Result<Vec<String>, BmcError> {
        let wrong = |seen: String| {
            let fault = Fault::Unusable { field: "Members", seen };
            Err(self.fault(format!("GET {collection}"), fault, Sent::Nothing))
        };
        let mut found: Vec<String> = Vec::new();
        let mut next = Some(collection.to_string());
        for _ in 0..PAGES_LIMIT {
            let Some(path) = next.take() else { return Ok(found) };
            let page = self.get(&path).await?;
            let is_empty = || page.get("Members@odata.count").and_then(Value::as_u64) == Some(0);
            match page.get("Members").and_then(Value::as_array) {
                Some(members) => found.extend(members.iter().map(reference)),
                None if is_empty() => {}
                None => return wrong(seen(page.get("Members"))),
            }
            if found.len() > MEMBERS_LIMIT {
                return wrong(format!("more than {MEMBERS_LIMIT}"));
            }
            next = link::linked(&page, "Members@odata.nextLink");
        }
        match next {
            None => Ok(found),
            Some(_) => wrong(format!("more than {PAGES_LIMIT} pages")),
        }
    }
}
