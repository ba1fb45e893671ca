//! Looking without leaving a trace: the store opened to be read, the machines only asked.

use super::look::{self, look};
use super::{rehearsal, settle, trace};
use crate::effect::hardware::{Hardware, Redirect};
use crate::effect::live::Live;
use crate::effect::outside::Outside;
use crate::effect::ports::Ports;
use crate::model::plan::Plan;
use crate::model::site::Site;
use crate::model::trace::Traces;
use crate::plan::{Limits, plan};
use crate::store::{Store, StoreError, Url};
use crate::virtual_rack::Endpoints;
use crate::world::agent::Room;
use crate::world::clock;
use crate::world::http::Web;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A connection that nobody uses for so long is closed: a step's requests follow each other within milliseconds, and
/// thousands of machines that wait need none. Each takes about 33 KiB.
const IDLE: Duration = Duration::from_secs(1);

/// An HTTP client for BMCs: straight to them, never through a proxy.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE)
        .build()
}

/// A plan, and what its steps would do when that was asked for.
pub struct View {
    pub plan: Plan,
    pub traces: Option<Traces>,
}

/// Plans from what is on record, or from the machines themselves when `reach` says how to reach them.
pub async fn view(
    site: &Arc<Site>,
    url: &Url,
    limits: &Limits,
    reach: Option<Reach>,
) -> Result<View, ViewError> {
    let store = Store::open_to_read(url).await?;
    let mut site = site.clone();
    settle::addresses(&mut site, &store.addresses().await?);
    let record = store.record(&site.name).await?;
    let view = match reach {
        None => {
            let observed = look::from_facts(store.newest_facts().await?);
            View { plan: plan(&site, &record, &observed, limits), traces: None }
        }
        Some(reach) => {
            let live = reach.live(&site, &store, Hardware::new, Ports::new)?;
            let chosen = limits.on.as_ref().map(|(_, nodes)| nodes);
            let observed = look(&live, &site, chosen, limits.until).await;
            live.hardware.log_out().await;
            let plan = plan(&site, &record, &observed, limits);
            let traces = match reach.trace {
                true => Some(traced(&reach, &store, &site, &plan).await?),
                false => None,
            };
            View { plan, traces }
        }
    };
    store.close().await;
    Ok(view)
}

async fn traced(reach: &Reach, store: &Store, site: &Arc<Site>, plan: &Plan) -> Result<Traces, ViewError> {
    let live = reach.live(site, store, Hardware::on_paper, Ports::on_paper)?;
    let traces = trace::traces(&live, site, plan).await;
    live.hardware.log_out().await;
    Ok(traces)
}

/// How the design's BMCs and switches are reached, and what for.
pub struct Reach {
    pub endpoints: Option<Endpoints>,
    /// Follow every planned step besides looking.
    pub trace: bool,
}

type Redirects = BTreeMap<String, Redirect>;

impl Reach {
    /// Everything that looking needs, and no right to write.
    fn live(
        &self,
        site: &Site,
        store: &Store,
        hardware: fn(reqwest::Client, Option<Redirects>) -> Hardware,
        ports: fn(Option<Redirects>) -> Ports,
    ) -> Result<Arc<Live>, ViewError> {
        let redirects = self.endpoints.as_ref().map(rehearsal::redirects);
        Ok(Arc::new(Live {
            hardware: hardware(http_client()?, redirects),
            ports: ports(self.endpoints.as_ref().map(rehearsal::switches_of)).of(site),
            web: Web::default(),
            agents: Room::default(),
            outside: Outside::looking(site, self.endpoints.is_some()),
            store: store.clone(),
            fence: None,
            boot_secret: String::new(),
            now: clock::now,
        }))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no HTTP client can be made")]
    Http(#[from] reqwest::Error),
}
