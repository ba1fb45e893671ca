//! `image` effects: could machines fetch this payload?

use super::{Live, http, text};
use crate::effect::{Job, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::world::boot::payload;

/// Below this the design's own files are named, and served.
const FILES: &str = "files/";
/// What a rehearsal makes when it begins; whoever only looks finds none yet.
const STAND_INS: &str = "stand-ins/";

pub async fn perform(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let (url, checksum) = (text(job, 0), job.call.args.get(1).and_then(Value::as_str));
    match (job.call.effect.name, url.strip_prefix(FILES)) {
        ("check", Some(name)) => {
            if live.fence.is_none() && live.outside.rehearsed && name.starts_with(STAND_INS) {
                return Ok(Value::Null);
            }
            let looked = payload::look(live.outside.served.clone(), name, checksum).await;
            looked.map(|()| Value::Null).map_err(|error| failure(error.to_string(), false))
        }
        ("check", None) => http::is_there(live, job, url).await.map(|()| Value::Null),
        (other, _) => Err(failure(format!("this build has no effect `image.{other}`"), false)),
    }
}
