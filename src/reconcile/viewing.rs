//! Looking without leaving a trace: the store opened to be read, the machines only asked.

use super::look::{self, look};
use super::{rehearsal, settle};
use crate::effect::hardware::{Hardware, Redirect};
use crate::effect::live::Live;
use crate::model::observed::Observed;
use crate::model::plan::Plan;
use crate::model::site::Site;
use crate::plan::{Limits, plan};
use crate::store::{Store, StoreError, Url};
use crate::virtual_rack::Endpoints;
use crate::world::clock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An HTTP client for BMCs: straight to them, never through a proxy.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1)
        .build()
}

/// Plans from what is on record, or from the machines themselves when `refresh` says how to reach them.
pub async fn view(
    site: &Arc<Site>,
    url: &Url,
    limits: &Limits,
    refresh: Option<Reach>,
) -> Result<Plan, ViewError> {
    let store = Store::open_to_read(url).await?;
    let mut site = site.clone();
    settle::addresses(&mut site, &store.addresses().await?);
    let site = &site;
    let record = store.record(&site.name).await?;
    let observed = match refresh {
        None => look::from_facts(store.newest_facts().await?),
        Some(reach) => refreshed(site, &store, limits, reach).await?,
    };
    store.close().await;
    Ok(plan(site, &record, &observed, limits))
}

/// How the design's BMC addresses are reached.
pub struct Reach {
    pub endpoints: Option<Endpoints>,
}

impl Reach {
    fn redirects(&self) -> Option<BTreeMap<String, Redirect>> {
        self.endpoints.as_ref().map(rehearsal::redirects)
    }
}

async fn refreshed(
    site: &Arc<Site>,
    store: &Store,
    limits: &Limits,
    reach: Reach,
) -> Result<Observed, ViewError> {
    let hardware = Hardware::new(http_client()?, reach.redirects());
    let live = Arc::new(Live {
        hardware,
        store: store.clone(),
        fence: None,
        boot_secret: String::new(),
        now: clock::now,
    });
    let chosen = limits.on.as_ref().map(|(_, nodes)| nodes);
    let observed = look(&live, site, chosen, limits.until).await;
    live.hardware.log_out().await;
    Ok(observed)
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no HTTP client can be made")]
    Http(#[from] reqwest::Error),
}
