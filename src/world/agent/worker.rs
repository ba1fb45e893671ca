//! The agent at work: says who it is, asks for orders, carries them out one at a time, and answers.
//!
//! Keeps what came of each order for as long as it lives, so that none is carried out twice. It outlasts the controller: what
//! cannot be said now is said again later. How long without any answer it bears is bounded.

use super::machine::{Machine, Progress};
use super::message::{Given, Hello, Next, Order, Said, State, given};
use crate::id::{NoRandomness, random_hex};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The controller answers a question for orders within 15 seconds.
const ANSWER: Duration = Duration::from_secs(45);
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long no answer at all is borne: a controller may be upgraded meanwhile.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Between two words about an order that is under way.
const PROGRESS: Duration = Duration::from_secs(5);
/// More than one attempt can have effects.
const ORDERS_KEPT: usize = 2000;
const ORDER_BYTES: usize = 256 << 10;

/// What happened, for whoever looks on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The controller knows this agent now.
    Known {
        boot: String,
    },
    Begun {
        order: Order,
    },
    Done {
        order: Order,
    },
    Failed {
        order: Order,
        why: String,
    },
    /// The controller wants something that this version cannot.
    Unknown {
        id: String,
        why: String,
    },
    /// The controller does not answer; it is asked again.
    Waiting {
        why: String,
    },
}

/// The agent ended well: its ticket is used up or withdrawn, or it was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Withdrawn,
    Stopped,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the controller does not know this key; was the URL copied whole, and is it from this site?")]
    UnknownKey,
    #[error(
        "the controller refuses this machine: its ticket is used up or withdrawn, or made for another machine"
    )]
    NotWelcome,
    #[error(
        "the controller does not understand this agent (HTTP {status}): {said}; are both of one version?"
    )]
    Misunderstood { status: u16, said: String },
    #[error("the controller did not answer for an hour: {0}")]
    Unreachable(String),
    #[error("no HTTP client can be made")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Why a message was not taken.
enum Refused {
    /// Somebody has to say hello first.
    Stranger,
    Gone,
    Stopped,
    Error(WorkerError),
}

impl From<WorkerError> for Refused {
    fn from(error: WorkerError) -> Refused {
        Refused::Error(error)
    }
}

pub struct Worker {
    client: reqwest::Client,
    url: String,
    boot: String,
    machine: Arc<Machine>,
    kept: BTreeMap<String, State>,
    now: fn() -> Duration,
    stop: CancellationToken,
    events: Box<dyn Fn(Event) + Send + Sync>,
}

impl Worker {
    pub fn new(
        url: String,
        machine: Machine,
        now: fn() -> Duration,
        stop: CancellationToken,
        events: Box<dyn Fn(Event) + Send + Sync>,
    ) -> Result<Worker, WorkerError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()?;
        let (boot, machine) = (random_hex(16)?, Arc::new(machine));
        Ok(Worker { client, url, boot, machine, kept: BTreeMap::new(), now, stop, events })
    }

    /// Works until the ticket ends, this is told to stop, or nobody answers any more.
    pub async fn work(mut self) -> Result<Left, WorkerError> {
        match self.hello().await {
            Err(Refused::Gone) => return Err(WorkerError::NotWelcome),
            Err(other) => return other.end(),
            Ok(()) => {}
        }
        let mut pause = FIRST_PAUSE;
        loop {
            match self.turn().await {
                Ok(()) => pause = FIRST_PAUSE,
                // Somebody else may say hello with this key as often as we do.
                Err(Refused::Stranger) => {
                    if let Err(other) = self.hello_after(pause).await {
                        return other.end();
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(other) => return other.end(),
            }
        }
    }

    async fn hello_after(&self, pause: Duration) -> Result<(), Refused> {
        tokio::select! {
            () = tokio::time::sleep(pause) => self.hello().await,
            () = self.stop.cancelled() => Err(Refused::Stopped),
        }
    }

    async fn hello(&self) -> Result<(), Refused> {
        let machine = self.machine.clone();
        let identity = tokio::task::spawn_blocking(move || machine.identity()).await.unwrap_or_default();
        let hello = Hello { boot: self.boot.clone(), version: env!("CARGO_PKG_VERSION").into(), identity };
        self.say("hello", &hello).await?;
        (self.events)(Event::Known { boot: self.boot.clone() });
        Ok(())
    }

    /// One order, or the news that there is none.
    async fn turn(&mut self) -> Result<(), Refused> {
        let order = match self.say("next", &Next { boot: self.boot.clone() }).await? {
            None => return Ok(()),
            Some(Given::Order(order)) => order,
            Some(Given::Unknown { id, why }) => {
                (self.events)(Event::Unknown { id: id.clone(), why: why.clone() });
                return self.said(&id, State::Failed { why: cut(why) }).await;
            }
        };
        let state = match self.kept.get(&order.id) {
            Some(kept) => kept.clone(),
            None => {
                let state = self.carry_out(&order).await?;
                self.kept.insert(order.id.clone(), state.clone());
                state
            }
        };
        self.said(&order.id, state).await
    }

    async fn said(&self, id: &str, state: State) -> Result<(), Refused> {
        let said = Said { boot: self.boot.clone(), id: id.to_string(), state };
        self.say("said", &said).await.map(|_| ())
    }

    async fn carry_out(&self, order: &Order) -> Result<State, Refused> {
        if self.kept.len() >= ORDERS_KEPT {
            let why =
                format!("the agent has carried out {ORDERS_KEPT} orders and remembers no more; boot it anew");
            return Ok(State::Failed { why });
        }
        (self.events)(Event::Begun { order: order.clone() });
        let progress = Arc::new(Progress::default());
        let (machine, work, shared, now) =
            (self.machine.clone(), order.work.clone(), progress.clone(), self.now);
        let mut working = tokio::task::spawn_blocking(move || machine.carry_out(&work, now, &shared));
        let ended = loop {
            tokio::select! {
                ended = &mut working => break ended,
                () = tokio::time::sleep(PROGRESS) => {}
            }
            let (done, of) = (progress.done.load(Ordering::Relaxed), progress.of.load(Ordering::Relaxed));
            match self.said(&order.id, State::UnderWay { done: done.min(of), of }).await {
                // Whose order it is will be seen when it has ended.
                Ok(()) | Err(Refused::Stranger) => {}
                Err(over) => {
                    progress.stop.store(true, Ordering::Relaxed);
                    let _ = working.await;
                    return Err(over);
                }
            }
        };
        let state = match ended {
            Ok(Ok(answer)) => State::Done { answer },
            Ok(Err(error)) => State::Failed { why: cut(error.to_string()) },
            Err(error) => State::Failed { why: cut(format!("the agent broke off: {error}")) },
        };
        (self.events)(match &state {
            State::Failed { why } => Event::Failed { order: order.clone(), why: why.clone() },
            _ => Event::Done { order: order.clone() },
        });
        Ok(state)
    }

    /// Says something until it is heard or refused; `Some` when an order came back.
    async fn say<T: Serialize + Sync>(&self, what: &str, message: &T) -> Result<Option<Given>, Refused> {
        let (mut pause, mut told) = (FIRST_PAUSE, false);
        let until = (self.now)().saturating_add(PATIENCE);
        loop {
            let why = tokio::select! {
                sent = self.send(what, message) => match sent {
                    Ok(answer) => return answer,
                    Err(why) => why,
                },
                () = self.stop.cancelled() => return Err(Refused::Stopped),
            };
            if (self.now)() >= until {
                return Err(WorkerError::Unreachable(why).into());
            }
            if !told {
                (self.events)(Event::Waiting { why });
                told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => return Err(Refused::Stopped),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says it once. The outer error is one that may pass.
    async fn send<T: Serialize + Sync>(
        &self,
        what: &str,
        message: &T,
    ) -> Result<Result<Option<Given>, Refused>, String> {
        let sent = self.client.post(format!("{}/{what}", self.url)).json(message).send().await;
        let response = sent.map_err(unanswered)?;
        let status = response.status().as_u16();
        let body = read(response).await?;
        let text = || String::from_utf8_lossy(&body).trim().chars().take(300).collect::<String>();
        match status {
            200 => match given(&body) {
                Ok(given) => Ok(Ok(Some(given))),
                Err(error) => {
                    let said = format!("an order cannot be read: {error}");
                    Ok(Err(WorkerError::Misunderstood { status, said }.into()))
                }
            },
            204 => Ok(Ok(None)),
            404 => Ok(Err(WorkerError::UnknownKey.into())),
            409 => Ok(Err(Refused::Stranger)),
            410 => Ok(Err(Refused::Gone)),
            500.. => Err(format!("HTTP {status}")),
            _ => Ok(Err(WorkerError::Misunderstood { status, said: text() }.into())),
        }
    }
}

impl Refused {
    /// The end that this means for the agent.
    fn end(self) -> Result<Left, WorkerError> {
        match self {
            Refused::Gone => Ok(Left::Withdrawn),
            Refused::Stopped => Ok(Left::Stopped),
            // Hello is what a stranger is asked for.
            Refused::Stranger => Err(WorkerError::NotWelcome),
            Refused::Error(error) => Err(error),
        }
    }
}

/// The body of an answer; what is too large is no answer of ours.
async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > ORDER_BYTES {
            return Err(format!("the answer is larger than {ORDER_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why there was no answer, without the URL, which holds the key.
fn unanswered(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

/// A reason has its limit in the protocol.
fn cut(why: String) -> String {
    why.chars().take(1000).collect()
}
