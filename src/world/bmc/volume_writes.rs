//! Making and removing volumes (DSP0268, VolumeCollection): once, whatever becomes of the answer.
//!
//! Owns when a volume is asked for: never while a look fails, while another request for it may be under way, or in place
//! of another volume. Each write is prepared by a look, so that whoever asks can note it before it leaves.

use super::drives::Drive;
use super::error::{BmcError, Class, Fault, Sent};
use super::link::{linked, odata_id, path_of};
use super::parts::{Part, Storage, word};
use super::redfish::Redfish;
use super::volumes::{NewVolume, SeenVolume, Volume, body, differs, fills, is_new};
use crate::id::EffectId;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

/// A controller that has taken a request shows the volume, or its task, within this.
const SHOWS: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Tasks of the service that are looked at: the last ones.
const TASKS_LIMIT: usize = 64;

/// A volume that is to be made.
#[derive(Debug)]
pub struct Making {
    wanted: NewVolume,
    drives: Vec<Drive>,
    collection: String,
    body: Value,
    /// Paths of the volumes that it is none of.
    there: Vec<String>,
    /// The task that makes it already.
    task: Option<String>,
}

impl Redfish {
    /// What has to be asked for; `None` when the volume is there. A volume of that name which lies on other drives, or has
    /// another level, is an error, and so is one that does not say enough of itself.
    pub async fn volume_to_make(&self, wanted: &NewVolume) -> Result<Option<Making>, BmcError> {
        let refuse =
            |why: String| self.fault(format!("volume `{}`", wanted.name), Fault::Request(why), Sent::Nothing);
        let storages = self.sure_storages().await?;
        let drives = self.drives().await?.unwrap_or_default();
        let controller = self.named_controller(wanted, &storages)?;
        let chosen = self.choose_drives(&drives, &wanted.drives, controller)?;
        let storage = chosen.first().and_then(|drive| storages.iter().find(|it| it.id == drive.controller));
        let Some((storage, collection)) = storage.and_then(|it| Some((it, it.volumes.clone()?))) else {
            return Err(refuse("the controller of its drives makes no volumes".into()));
        };
        // A collection that others could do without is the one that is written to.
        self.members(&collection).await?;
        let all = self.volumes_of(&storages).await?;
        let volumes: Vec<Volume> =
            all.iter().filter(|volume| volume.controller == storage.id).cloned().collect();
        let named: Vec<&Volume> =
            volumes.iter().filter(|volume| volume.name.as_deref() == Some(&*wanted.name)).collect();
        match named.as_slice() {
            [] => {}
            [one] => {
                return match differs(one, wanted, &chosen, &drives) {
                    None => Ok(None),
                    Some(why) => Err(refuse(format!("it is there already and {why}"))),
                };
            }
            _ => return Err(refuse("several volumes are called so".into())),
        }
        match &wanted.there {
            Some(there) if volumes.iter().any(|volume| is_new(volume, wanted, &chosen, there)) => {
                return Ok(None);
            }
            Some(_) => {}
            None => match fills(&volumes, wanted, &chosen) {
                Some(true) => return Ok(None),
                Some(false) => {}
                None => {
                    let why =
                        "a volume on its drives does not say how large it is, and may be the wanted one";
                    return Err(refuse(why.into()));
                }
            },
        }
        let task = self.task_that_makes(&collection, wanted).await?;
        Ok(Some(Making {
            body: body(wanted, &chosen),
            drives: chosen.into_iter().cloned().collect(),
            wanted: wanted.clone(),
            collection,
            there: all.into_iter().map(|volume| volume.path).collect(),
            task,
        }))
    }

    /// Asks for the volume, unless a task makes it already, and waits until it is there. After an answer that was lost it is
    /// looked for, and the error of the request stands only when nothing new was seen.
    pub async fn make_volume(
        &self,
        making: &Making,
        effect: Option<&EffectId>,
        within: Duration,
    ) -> Result<(), BmcError> {
        let ended = match &making.task {
            Some(task) => self.follow_by(task, &making.collection, within).await,
            None => match self.post(&making.collection, &making.body, effect).await {
                Ok(answer) => self.finish_by(&making.collection, answer, within).await,
                Err(error) => Err(error),
            },
        };
        let lost = match ended {
            Ok(()) => None,
            Err(error) if error.sent() == Sent::Perhaps && error.class() == Class::Transient => Some(error),
            Err(error) => return Err(error),
        };
        if matches!(lost.as_ref().map(|error| &*error.fault), Some(Fault::TaskUnfinished { .. })) {
            return lost.map_or(Ok(()), Err);
        }
        for _ in 0..looks(within) {
            match self.is_made(making).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if error.class() == Class::Transient => {}
                Err(error) => return Err(error.with_sent(Sent::Perhaps)),
            }
            if lost.is_some()
                && let Ok(Some(task)) = self.task_that_makes(&making.collection, &making.wanted).await
            {
                self.follow_by(&task, &making.collection, within).await?;
            }
            sleep(LOOK_EVERY).await;
        }
        let unseen = || {
            let why = format!("it was accepted, and no volume `{}` is there", making.wanted.name);
            self.fault(format!("POST {}", making.collection), Fault::Request(why), Sent::Perhaps)
        };
        Err(lost.unwrap_or_else(unseen))
    }

    async fn is_made(&self, making: &Making) -> Result<bool, BmcError> {
        let storages = self.sure_storages().await?;
        let volumes = self.volumes_of(&storages).await?;
        let chosen: Vec<&Drive> = making.drives.iter().collect();
        Ok(volumes.iter().any(|volume| is_new(volume, &making.wanted, &chosen, &making.there)))
    }

    /// The volume with that path or name; `None` when there is none. With `seen`, another one in its place is an error.
    pub async fn volume_to_remove(
        &self,
        wanted: &str,
        seen: Option<&SeenVolume>,
    ) -> Result<Option<Volume>, BmcError> {
        let refuse =
            |why: String| self.fault(format!("volume `{wanted}`"), Fault::Request(why), Sent::Nothing);
        let volumes = self.volumes_of(&self.sure_storages().await?).await?;
        let is_meant = |volume: &&Volume| volume.path == wanted || volume.name.as_deref() == Some(wanted);
        let meant: Vec<&Volume> = volumes.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [] => Ok(None),
            [one] if seen.is_some_and(|seen| !seen.is_still(one)) => {
                Err(refuse("it is another one than when it was looked at; it is not removed".into()))
            }
            [one] => Ok(Some((*one).clone())),
            several => {
                let paths: Vec<&str> = several.iter().map(|volume| &*volume.path).collect();
                let why =
                    format!("several volumes are called so: {}; name one by its path", paths.join(", "));
                Err(refuse(why))
            }
        }
    }

    /// Removes the volume, and with it all that is on it; it is gone when this has ended well.
    pub async fn remove_volume(
        &self,
        volume: &Volume,
        effect: Option<&EffectId>,
        within: Duration,
    ) -> Result<(), BmcError> {
        match self.delete(&volume.path, effect).await {
            Err(error) if matches!(error.status(), Some(404 | 410)) => return Ok(()),
            Err(error) => return Err(error),
            Ok(answer) => self.finish_by(&volume.path, answer, within).await?,
        }
        let was = volume.seen();
        for _ in 0..looks(within) {
            let volumes = self.volumes_of(&self.sure_storages().await?).await;
            let volumes = volumes.map_err(|error| error.with_sent(Sent::Perhaps))?;
            if !volumes.iter().any(|one| one.path == volume.path && was.is_still(one)) {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        let fault = Fault::Request("it was accepted, and the volume is still there".into());
        Err(self.fault(format!("DELETE {}", volume.path), fault, Sent::Perhaps))
    }

    fn named_controller<'a>(
        &self,
        wanted: &NewVolume,
        storages: &'a [Storage],
    ) -> Result<Option<&'a str>, BmcError> {
        let Some(name) = &wanted.controller else { return Ok(None) };
        let is_called = |storage: &&Storage| {
            let names = [Some(&storage.id), storage.name.as_ref()];
            names.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name))
        };
        let refuse = |why: String| {
            Err(self.fault(format!("volume `{}`", wanted.name), Fault::Request(why), Sent::Nothing))
        };
        match storages.iter().filter(is_called).collect::<Vec<_>>().as_slice() {
            [one] => Ok(Some(&one.id)),
            [] => {
                let known: Vec<&str> = storages.iter().map(|storage| &*storage.id).collect();
                refuse(format!("there is no controller `{name}`; there is {}", known.join(", ")))
            }
            _ => refuse(format!("several controllers are called `{name}`")),
        }
    }

    /// A task (DSP0268, Task) that has not ended and whose payload asks for this volume.
    async fn task_that_makes(
        &self,
        collection: &str,
        wanted: &NewVolume,
    ) -> Result<Option<String>, BmcError> {
        let root = self.service_root().await?;
        let Some(service) = linked(&root, "Tasks") else { return Ok(None) };
        let Part::There(service) = self.part(&service).await? else { return Ok(None) };
        let members = self.linked_members(&service, "Tasks").await?.unwrap_or_default();
        for path in members.iter().rev().take(TASKS_LIMIT) {
            if let Part::There(task) = self.part(path).await?
                && is_under_way(&task)
                && asks_for(&task, collection, &wanted.name)
            {
                return Ok(Some(odata_id(&task).unwrap_or_else(|| path.clone())));
            }
        }
        Ok(None)
    }
}

/// How often is looked for what a controller has taken.
fn looks(within: Duration) -> u128 {
    within.min(SHOWS).as_millis() / LOOK_EVERY.as_millis() + 1
}

fn is_under_way(task: &Value) -> bool {
    let ended = ["completed", "exception", "killed", "cancelled", "interrupted"];
    word(task, "TaskState").is_some_and(|state| !ended.contains(&&*state.to_ascii_lowercase()))
}

/// `Payload` holds the request as it was sent, its body as text.
fn asks_for(task: &Value, collection: &str, name: &str) -> bool {
    let Some(payload) = task.get("Payload") else { return false };
    let target = payload.get("TargetUri").and_then(Value::as_str).and_then(path_of);
    let is_post = word(payload, "HttpOperation").is_none_or(|method| method.eq_ignore_ascii_case("post"));
    let body = payload.get("JsonBody").and_then(Value::as_str);
    let body = body.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let named = body.as_ref().and_then(|body| word(body, "Name"));
    let same_place =
        target.is_some_and(|path| path.trim_end_matches('/') == collection.trim_end_matches('/'));
    same_place && is_post && named.is_none_or(|own| own == name)
}
