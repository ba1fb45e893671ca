//! `dns` effects: lookups at the servers that the node's spec names.

use super::{Live, text};
use crate::effect::{Job, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::world::dns::{Kind, look_up};
use std::net::SocketAddr;

const PORT: u16 = 53;

pub async fn perform(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let kind = match (job.call.effect.name, text(job, 1)) {
        ("lookup", "A") => Kind::A,
        ("lookup", "AAAA") => Kind::Aaaa,
        ("lookup", "PTR") => Kind::Ptr,
        (other, _) => return Err(failure(format!("this build has no effect `dns.{other}`"), false)),
    };
    let found = ask(live, job, text(job, 0), kind).await?;
    Ok(Value::list(found.into_iter().map(Value::from).collect()))
}

/// Whether the name has an address of either kind.
pub async fn resolves(live: &Live, job: &Job<'_>, name: &str) -> Result<bool, EffectFailure> {
    Ok(!ask(live, job, name, Kind::A).await?.is_empty()
        || !ask(live, job, name, Kind::Aaaa).await?.is_empty())
}

async fn ask(live: &Live, job: &Job<'_>, name: &str, kind: Kind) -> Result<Vec<String>, EffectFailure> {
    let written = job.target.spec.get("dns").and_then(Value::as_list).unwrap_or_default();
    let servers: Vec<SocketAddr> = written
        .iter()
        .filter_map(|server| Some(SocketAddr::new(server.as_str()?.parse().ok()?, PORT)))
        .collect();
    let found = look_up(name, kind, &servers, live.hardware.is_rehearsal()).await;
    found.map_err(|error| failure(error.to_string(), error.is_transient()))
}
