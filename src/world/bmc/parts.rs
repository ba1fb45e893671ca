//! How parts of a machine are read: what a service says that it has no such thing, and what it lists and cannot show.
//!
//! Owns that difference, the health of a part, and where a system's chassis, managers and storage are. What a service
//! lists and cannot show is never left out in silence: "absent" must not be said for "unreadable".

use super::error::{BmcError, Fault, Sent};
use super::link::{last_segment, linked, odata_id};
use super::redfish::Redfish;
use super::resource::{NO_PATH, reference, text};
use super::session::ROOT;
use serde_json::Value;
use std::time::Duration;

/// Before a part is asked for again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// How many chassis and managers of one system are looked at.
const NEIGHBOURS_LIMIT: usize = 8;
/// The longest name, version or number of a part, in characters.
const WORD_LIMIT_CHARACTERS: usize = 256;
/// How many storage controllers, drives and volumes a machine may have. More are an error: who counts must not miss any.
const STORAGES_LIMIT: usize = 32;
pub(super) const DRIVES_LIMIT: usize = 256;
pub(super) const VOLUMES_LIMIT: usize = 256;

/// A resource that another one lists.
#[derive(Debug)]
pub(super) enum Part {
    There(Value),
    /// 404 or 410: it went away after it was listed.
    Gone,
    /// The service answered that it cannot show it; here is why.
    Unreadable(String),
}

/// A storage controller with its drives (DSP0268, Storage).
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub id: String,
    pub name: Option<String>,
    pub path: String,
    pub drives: Vec<String>,
    pub volumes: Option<String>,
    pub body: Value,
}

impl Redfish {
    pub(super) async fn part(&self, path: &str) -> Result<Part, BmcError> {
        if path == NO_PATH {
            return Ok(Part::Unreadable("the BMC lists it and does not say where it is".into()));
        }
        match self.one_of_many(path).await {
            Ok(body) => Ok(Part::There(body)),
            Err(error) if matches!(error.status(), Some(404 | 410)) => Ok(Part::Gone),
            Err(error) if is_unreadable(&error) => Ok(Part::Unreadable(error.fault.to_string())),
            Err(error) => Err(error),
        }
    }

    /// A request that breaks is made again at once: a read of a hundred parts would otherwise begin anew for each.
    pub(super) async fn one_of_many(&self, path: &str) -> Result<Value, BmcError> {
        for pause in PAUSES {
            match self.get(path).await {
                Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
                other => return other,
            }
        }
        self.get(path).await
    }

    /// The members of the collection that `resource` links to; `None` when the service has or shows none.
    pub(super) async fn linked_members(
        &self,
        resource: &Value,
        key: &str,
    ) -> Result<Option<Vec<String>>, BmcError> {
        let Some(collection) = linked(resource, key) else { return Ok(None) };
        match self.members(&collection).await {
            Ok(members) => Ok(Some(members)),
            Err(error) if error.is_absence() || is_unreadable(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The storage controllers of the system; `None` when the service has no Storage at all.
    pub(super) async fn storages(&self, system: &Value) -> Result<Option<Vec<Storage>>, BmcError> {
        let Some(members) = self.linked_members(system, "Storage").await? else { return Ok(None) };
        let mut storages = Vec::new();
        self.within("Storage", members.len(), STORAGES_LIMIT)?;
        for path in members {
            // A controller that cannot be shown hides drives: whoever counts them must know.
            let body = match self.one_of_many(&path).await {
                Err(error) if matches!(error.status(), Some(404 | 410)) => continue,
                other => other?,
            };
            storages.push(Storage {
                id: word(&body, "Id").unwrap_or_else(|| last_segment(&path).to_string()),
                name: word(&body, "Name"),
                drives: items(&body, "Drives").map(reference).collect(),
                volumes: linked(&body, "Volumes"),
                path,
                body,
            });
        }
        Ok(Some(storages))
    }

    /// The resources that `Links` of the system names at `key`, such as `Chassis`.
    pub(super) async fn neighbours(
        &self,
        system: &Value,
        key: &str,
    ) -> Result<Vec<(String, Part)>, BmcError> {
        let paths = system.get("Links").map(|all| links(all, key)).unwrap_or_default();
        let mut found = Vec::new();
        for path in paths.into_iter().take(NEIGHBOURS_LIMIT) {
            let part = self.part(&path).await?;
            found.push((path, part));
        }
        Ok(found)
    }

    /// Refuses more of a thing than is looked at.
    pub(super) fn within(&self, field: &'static str, count: usize, limit: usize) -> Result<(), BmcError> {
        match count <= limit {
            true => Ok(()),
            false => {
                let fault = Fault::Unusable { field, seen: format!("more than {limit}") };
                Err(self.fault(format!("the {field} of the system"), fault, Sent::Nothing))
            }
        }
    }

    pub(super) async fn service_root(&self) -> Result<Value, BmcError> {
        self.get(ROOT).await
    }
}

/// A broken connection and a busy service; what took its whole time already is not worth it.
fn may_pass(error: &BmcError) -> bool {
    matches!(*error.fault, Fault::Broken) || matches!(error.status(), Some(429 | 503))
}

/// 405, 500 and 501: the service has understood and has nothing to show. sushy-tools answers 500 for storage that it does
/// not have.
pub(super) fn is_unreadable(error: &BmcError) -> bool {
    matches!(error.status(), Some(405 | 500 | 501))
}

/// The paths in the list of references at `key`.
pub(super) fn links(resource: &Value, key: &str) -> Vec<String> {
    items(resource, key).filter_map(odata_id).collect()
}

/// The items of the list at `key`; none when it is no list.
pub(super) fn items<'a>(resource: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    resource.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// `Status.Health` (DSP0268) in lower case: `ok`, `warning` or `critical`; nothing for an empty slot, and when the
/// service does not say.
pub(super) fn health_of(resource: &Value) -> Option<String> {
    let status = resource.get("Status")?;
    if is_absent(resource) {
        return None;
    }
    word(status, "Health").map(|health| health.to_ascii_lowercase())
}

/// An empty socket, bay or slot has a resource of its own in many services.
pub(super) fn is_absent(resource: &Value) -> bool {
    let state = resource.get("Status").and_then(|status| text(status, "State"));
    state.is_some_and(|state| state.eq_ignore_ascii_case("absent"))
}

/// The text at `key`, on one line and no longer than people read: a service may send anything.
pub(super) fn word(resource: &Value, key: &str) -> Option<String> {
    let text = text(resource, key)?;
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    Some(plain.take(WORD_LIMIT_CHARACTERS).collect())
}

/// What a person calls the thing: its name, else the end of its path.
pub(super) fn called(resource: &Value, path: &str) -> String {
    word(resource, "Name").or_else(|| word(resource, "Id")).unwrap_or_else(|| last_segment(path).to_string())
}
