//! Taking orders: says who the machine is, asks, carries out, answers, and asks again.
//!
//! Owns the conversation with the control side, and that no order is carried out twice. What an order does is `order.rs`.

use super::super::super::machine::activity::{Activity, After, Cut};
use super::super::http::HttpError;
use super::super::report::{self, Patience};
use super::order::{self, Order};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Orders that are remembered; no script has more effects.
const REMEMBERED: usize = 2_000;

/// Another agent may say hello with the same key as often as this one does.
const BEFORE_HELLO: Duration = Duration::from_millis(200);

/// How the control side took a message.
enum Heard {
    /// With what it answered, if anything.
    Yes(Option<String>),
    /// Somebody has to say hello first.
    WhoIsThere,
    /// The key is worth nothing any more.
    No,
}

/// One agent, from its start to its end.
pub struct Taker<'a> {
    pub activity: &'a Activity,
    url: &'a str,
    boot: String,
    done: BTreeMap<String, Value>,
}

pub async fn run(activity: &Activity, url: &str) -> Result<After, Cut> {
    let machine = activity.machine();
    if machine.around.faults.agent_silent(&machine.spec.node, machine.next_order()) {
        tracing::info!(node = %machine.spec.node, "fault: the agent never asks");
        return activity.halted().await;
    }
    let Ok(boot) = crate::id::random_hex(16) else { return Ok(After::Reset) };
    let mut taker = Taker { activity, url: url.trim_end_matches('/'), boot, done: BTreeMap::new() };
    if !taker.hello().await {
        return Ok(After::Reset);
    }
    loop {
        match taker.post("next", json!({"boot": taker.boot})).await {
            Heard::Yes(None) => {}
            Heard::Yes(Some(text)) => match taker.take(&text).await? {
                true => {}
                false => return Ok(After::Reset),
            },
            Heard::WhoIsThere => {
                tokio::time::sleep(BEFORE_HELLO).await;
                if !taker.hello().await {
                    return Ok(After::Reset);
                }
            }
            Heard::No => return Ok(After::Reset),
        }
    }
}

impl Taker<'_> {
    async fn hello(&self) -> bool {
        let identity = self.activity.machine().identity();
        let hello = json!({"boot": self.boot, "version": "virtual", "identity": identity});
        matches!(self.post("hello", hello).await, Heard::Yes(_))
    }

    /// Carries an order out, unless it is known already, and says what came of it; `false` ends the agent.
    async fn take(&mut self, text: &str) -> Result<bool, Cut> {
        let Ok(order) = serde_json::from_str::<Order>(text) else {
            tracing::warn!(node = %self.activity.machine().spec.node, "the agent does not understand an order");
            return Ok(false);
        };
        if self.done.len() >= REMEMBERED {
            return Ok(false);
        }
        let ended = match self.done.get(&order.id) {
            Some(ended) => ended.clone(),
            None => {
                let ended = match order::carry_out(self, &order).await? {
                    Ok(answer) => json!({"state": "done", "answer": answer}),
                    Err(why) => json!({"state": "failed", "why": why}),
                };
                self.done.insert(order.id.clone(), ended.clone());
                ended
            }
        };
        Ok(!matches!(self.say(&order.id, ended).await, Heard::No))
    }

    /// How far an order is: so much of so much. Nobody has to hear it, and the work does not wait.
    pub async fn under_way(&self, id: &str, done: u64, of: u64) {
        let said = json!({"boot": self.boot, "id": id, "state": "under-way", "done": done, "of": of});
        let url = format!("{}/said", self.url);
        if let Err(error) = report::post_once(self.activity.machine(), &url, &said).await {
            tracing::debug!(%error, "how far an order is was not heard");
        }
    }

    async fn say(&self, id: &str, mut state: Value) -> Heard {
        state["boot"] = json!(self.boot);
        state["id"] = json!(id);
        self.post("said", state).await
    }

    /// Says something until it is heard or refused, for ten minutes.
    async fn post(&self, what: &str, message: Value) -> Heard {
        let machine = self.activity.machine();
        let url = format!("{}/{what}", self.url);
        let mut patience = Patience::new();
        loop {
            match report::post_once(machine, &url, &message).await {
                Ok(answer) => return Heard::Yes(answer),
                Err(HttpError::Status(409)) => return Heard::WhoIsThere,
                Err(error) if error.is_transient() && patience.pause().await => {}
                Err(error) => {
                    tracing::info!(node = %machine.spec.node, %error, "the agent is sent away and reboots");
                    return Heard::No;
                }
            }
        }
    }
}
