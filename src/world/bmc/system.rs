//! Which ComputerSystem is ours. A service may have several: one is chosen by Id or UUID, never by guessing.

use super::error::{BmcError, Fault, Sent};
use super::redfish::Redfish;
use super::resource::text;
use super::session::ROOT;
use super::{link, transport::Answer};
use serde_json::Value;

const SYSTEMS: &str = "/redfish/v1/Systems";

impl Redfish {
    /// The ComputerSystem resource with its path.
    pub(super) async fn system(&self) -> Result<(String, Answer), BmcError> {
        let path = self.system_path().await?;
        let answer = self.read(&path).await?;
        Ok((path, answer))
    }

    pub(super) async fn system_path(&self) -> Result<String, BmcError> {
        if let Some(path) = self.system_cache().get() {
            return Ok(path.clone());
        }
        let root = self.get(ROOT).await?;
        let collection = link::linked(&root, "Systems").unwrap_or_else(|| SYSTEMS.into());
        let members = self.members(&collection).await?;
        let path = self.choose(&collection, members).await?;
        Ok(self.system_cache().get_or_init(|| path).clone())
    }

    async fn choose(&self, collection: &str, members: Vec<String>) -> Result<String, BmcError> {
        let wrong = |fault| Err(self.fault(format!("GET {collection}"), fault, Sent::Nothing));
        let names = || members.iter().map(|path| link::last_segment(path).to_string()).collect::<Vec<_>>();
        let Some(wanted) = self.chosen_system() else {
            return match members.as_slice() {
                [only] => Ok(only.clone()),
                [] => wrong(Fault::Unusable { field: "Members", seen: "no systems".into() }),
                _ => wrong(Fault::SeveralSystems(names())),
            };
        };
        if let Some(path) = members.iter().find(|path| link::last_segment(path) == wanted) {
            return Ok(path.clone());
        }
        for path in &members {
            if is_called(&self.get(path).await?, wanted) {
                return Ok(path.clone());
            }
        }
        wrong(Fault::NoSuchSystem { wanted: wanted.into(), present: names() })
    }
}

fn is_called(system: &Value, wanted: &str) -> bool {
    text(system, "Id").as_deref() == Some(wanted)
        || text(system, "UUID").is_some_and(|uuid| uuid.eq_ignore_ascii_case(wanted))
}
