//! The live interpreter: performs effects on the devices and the store.

mod again;
mod agent;
mod agent_end;
mod bmc;
mod command;
mod container;
mod dns;
mod host_key;
mod http;
mod image;
mod parts;
mod port;
mod program;
mod pxe;
mod secret;
pub mod ssh;
mod template;
mod volumes;
mod wait;

use super::hardware::Hardware;
use super::outside::Outside;
use super::ports::Ports;
use super::{Job, Performed, Target, failure};
use crate::model::observed::{
    HOST_KEY_SOURCE, Identity, MACHINE_SOURCE, Machine, STEP_SOURCE, SYSTEM_SOURCE,
};
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::tape::EffectFailure;
use crate::store::{Fence, Message, Output, Store, StoreError};
use crate::units::{self, Time};
use crate::world::agent::Room;
use crate::world::http::Web;
use std::sync::Arc;
use std::time::Duration;

/// How often a `read` or `ensure` is tried when the transport fails, and the wait before the next
/// try; it doubles.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// A look that failed within this is tried again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The longest that a machine may take to say who it is; a BMC that hangs ends at its first request.
const MACHINE: Duration = Duration::from_secs(90);

/// Everything that effects need.
pub struct Live {
    pub hardware: Hardware,
    pub ports: Ports,
    pub web: Web,
    pub outside: Outside,
    /// Where orders to agents wait.
    pub agents: Room,
    pub store: Store,
    /// The right to write; absent while only looking.
    pub fence: Option<Fence>,
    /// Key from which boot keys are derived; empty while only looking.
    pub boot_secret: String,
    pub now: fn() -> Time,
}

impl Live {
    /// Performs one effect within its deadline. Waits end at their own.
    pub async fn perform(&self, job: &Job<'_>) -> Performed {
        let kind = job.call.effect.kind;
        let limit = match job.until {
            Some(until) => until.since((self.now)()) + job.call.effect.deadline,
            None => job.call.effect.deadline,
        };
        match tokio::time::timeout(limit, self.with_retries(job)).await {
            Ok(performed) => performed,
            Err(_) => {
                let why =
                    format!("{} did not end within {}", job.call.effect.full_name(), units::short(limit));
                Performed { answer: Err(failure(why, true)), wrote: false, perhaps: kind == Kind::Once }
            }
        }
    }

    async fn with_retries(&self, job: &Job<'_>) -> Performed {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let performed = self.once(job).await;
            let retriable = match &performed.answer {
                // Waits and agents have a patience of their own.
                Err(failure) => {
                    let own = job.call.effect.kind == Kind::Wait || job.call.effect.module == "agent";
                    failure.transient && !performed.perhaps && !own
                }
                Ok(_) => false,
            };
            if !retriable || attempt >= TRIES || (job.call.effect.kind == Kind::Once && performed.wrote) {
                return performed;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        unreachable_performed()
    }

    /// Boxed by module: what waits holds the room of its own effect, not that of the largest.
    async fn once(&self, job: &Job<'_>) -> Performed {
        match job.call.effect.module {
            "agent" => Box::pin(agent::perform(self, job)).await,
            "bmc" => Box::pin(bmc::perform(self, job)).await,
            "dns" => Performed::read(Box::pin(dns::perform(self, job)).await),
            "http" => Box::pin(http::perform(self, job)).await,
            "image" => Performed::read(Box::pin(image::perform(self, job)).await),
            "command" => Box::pin(command::perform(self, job)).await,
            "container" => Box::pin(container::perform(self, job)).await,
            "port" => Box::pin(port::perform(self, job)).await,
            "pxe" => Box::pin(pxe::perform(self, job)).await,
            "secret" => Performed::read(secret::perform(self, job)),
            "ssh" => Box::pin(ssh::perform(self, job)).await,
            "template" => Performed::read(template::perform(job)),
            "wait" => Performed::read(Box::pin(wait::perform(self, job)).await),
            "fact" => Box::pin(self.record_fact(job)).await,
            "log" => Box::pin(self.log(job)).await,
            "output" => Box::pin(self.set_output(job)).await,
            other => Performed::read(Err(failure(format!("this build has no effects of `{other}`"), false))),
        }
    }

    /// The token that every write carries; none while only looking.
    pub fn fence(&self) -> Result<&Fence, StoreError> {
        self.fence.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// What the BMC says of the machine: identity and power.
    pub async fn machine(&self, target: &Target) -> Result<Machine, EffectFailure> {
        let late =
            |_| failure(format!("its BMC did not say who it is within {}", units::short(MACHINE)), true);
        tokio::time::timeout(MACHINE, self.ask_machine_again(target)).await.map_err(late)?
    }

    /// A BMC that is busy or drops a connection is asked again; one that hangs has had its time.
    async fn ask_machine_again(&self, target: &Target) -> Result<Machine, EffectFailure> {
        let (began, mut pause) = ((self.now)(), PAUSE);
        for _ in 1..TRIES {
            match self.ask_machine(target).await {
                Err(failure) if failure.transient && (self.now)().since(began) < ASK_AGAIN => {}
                answered => return answered,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask_machine(target).await
    }

    async fn ask_machine(&self, target: &Target) -> Result<Machine, EffectFailure> {
        let controller = self.hardware.controller(target).await?;
        let identity = controller.redfish.identity().await.map_err(|error| bmc::failed(&error))?;
        let power = controller.redfish.power().await.map_err(|error| bmc::failed(&error))?;
        Ok(Machine {
            identity: Identity { uuid: identity.uuid, serial: identity.serial, macs: identity.macs },
            power: bmc::power_word(power).into(),
        })
    }

    async fn record_fact(&self, job: &Job<'_>) -> Performed {
        let source: Arc<str> = text(job, 1).into();
        if is_ours(&source) {
            return Performed::read(Err(failure(format!("facts of `{source}` are Rackwright's own"), false)));
        }
        let value = job.call.args.get(2).cloned().unwrap_or_default();
        let written = match self.fence() {
            Ok(fence) => {
                let fact = (job.target.node.clone(), source, value);
                self.store.record_facts(fence, vec![fact], (self.now)()).await
            }
            Err(error) => Err(error),
        };
        Performed::read(written.map(|()| Value::Null).map_err(|error| store_failed(&error)))
    }

    async fn set_output(&self, job: &Job<'_>) -> Performed {
        let output = Output {
            run: job.run.to_string(),
            node: job.target.node.clone(),
            step: job.record.into(),
            name: text(job, 0).to_string(),
            value: job.call.args.get(1).cloned().unwrap_or_default(),
            at: (self.now)(),
        };
        let written = match self.fence() {
            Ok(fence) => self.store.set_output(fence, output).await,
            Err(error) => Err(error),
        };
        Performed::read(written.map(|()| Value::Null).map_err(|error| store_failed(&error)))
    }

    async fn log(&self, job: &Job<'_>) -> Performed {
        let Some(fence) = &self.fence else {
            return Performed::read(Err(failure("nothing can be logged while only looking", false)));
        };
        let message = Message {
            run: job.run.to_string(),
            node: Some(job.target.node.clone()),
            step: Some(job.step.clone()),
            at: (self.now)(),
            level: if job.call.effect.name == "warn" { "warning" } else { "info" },
            text: text(job, 0).to_string(),
            effect: Some(job.id.0.clone()),
        };
        let written = self.store.write_message(fence, message).await;
        Performed::read(written.map(|()| Value::Null).map_err(|error| store_failed(&error)))
    }
}

/// Fact sources that plans are made from, and the one that we trust machines by; no script may speak for them.
fn is_ours(source: &str) -> bool {
    [SYSTEM_SOURCE, MACHINE_SOURCE, HOST_KEY_SOURCE].contains(&source) || source.starts_with(STEP_SOURCE)
}

/// The loop above always returns; this says so without a panic.
fn unreachable_performed() -> Performed {
    Performed::read(Err(failure("the retries ran out", true)))
}

/// The text argument at `index`.
fn text<'a>(job: &'a Job<'_>, index: usize) -> &'a str {
    job.call.args.get(index).and_then(Value::as_str).unwrap_or("")
}

/// A store that is locked or full may be mended; nothing was done to a machine.
fn store_failed(error: &crate::store::StoreError) -> EffectFailure {
    failure(error.to_string(), true)
}
