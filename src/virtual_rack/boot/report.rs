//! Talking to the control side from inside a machine: patient, because a control process may be restarting.
//!
//! Owns the pauses and the ten minutes. Knows no event.

use super::super::clock;
use super::super::machine::Machine;
use super::http::{self, HttpError};
use crate::units::Time;
use serde_json::Value;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long no answer is borne.
const PATIENCE: Duration = Duration::from_secs(600);
/// One answer must come within this time.
const ANSWER: Duration = Duration::from_secs(30);

/// Growing pauses with an end.
pub struct Patience {
    until: Time,
    pause: Duration,
}

impl Patience {
    pub fn new() -> Patience {
        Patience { until: clock::now().plus(PATIENCE), pause: FIRST_PAUSE }
    }

    /// Pauses; `false` when the ten minutes are over.
    pub async fn pause(&mut self) -> bool {
        if clock::now() >= self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = self.pause.mul_f64(1.5).min(LONGEST_PAUSE);
        true
    }
}

/// Posts an event until it is accepted, refused, or ten minutes have passed.
pub async fn post(machine: &Machine, url: &str, event: &Value) -> Result<(), HttpError> {
    let mut patience = Patience::new();
    loop {
        match post_once(machine, url, event).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_transient() && patience.pause().await => {
                tracing::debug!(%error, "a report is sent again");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Posts a message once; `Some` when the answer has a text.
pub async fn post_once(machine: &Machine, url: &str, message: &Value) -> Result<Option<String>, HttpError> {
    let asked = http::linked(machine)?.post(url).timeout(ANSWER).json(message);
    let response = http::succeeded(asked.send().await?)?;
    if response.status().as_u16() == 204 {
        return Ok(None);
    }
    http::read_text(response).await.map(Some)
}

/// Fetches a text likewise.
pub async fn get(machine: &Machine, url: &str) -> Result<String, HttpError> {
    let mut patience = Patience::new();
    loop {
        match http::text(machine, url).await {
            Err(error) if error.is_transient() && patience.pause().await => {
                tracing::debug!(%error, "an order is asked for again");
            }
            done => return done,
        }
    }
}
