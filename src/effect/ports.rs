//! The switch ports of the nodes: how each switch is reached, and the bounds on how many requests it gets at once.
//!
//! A port is found through the node's own cables, so no script can name another node's. A switch that kept silent is left
//! alone for a moment: whoever waits for it fails at once, and by its name.

use super::hardware::Redirect;
use super::{Target, failure};
use crate::model::path::Path;
use crate::model::site::{SWITCH_DRIVERS, Site};
use crate::model::trace::Request;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::units::{self, Time};
use crate::world::bmc::Class;
use crate::world::http::Web;
use crate::world::switch::{Address, Reading, Switch, SwitchError, Wish, Write};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One request to a switch; a busy one takes a second or two.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(6);
/// Ports under work at once on one switch: its management is a small computer.
const AT_ONCE_PER_SWITCH: usize = 4;
/// How long anybody waits for a turn: two hundred ports of one switch, a second each.
const LONGEST_WAIT: Duration = Duration::from_secs(45);
/// How long a switch that kept silent is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(5);

pub struct Ports {
    /// By the design's name of the switch; `None` when the design's addresses are the real ones.
    redirects: Option<BTreeMap<String, Redirect>>,
    /// Nothing is written: what would be sent is noted, and read back.
    paper: Option<Mutex<Paper>>,
    per_switch: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// When a switch last kept silent.
    silent: Mutex<HashMap<String, Time>>,
    /// Whose the ports are in the design of today, by switch and port.
    owners: HashMap<(String, String), Arc<str>>,
}

#[derive(Default)]
struct Paper {
    /// By switch and port.
    written: HashMap<(String, String), Vec<Write>>,
    /// By node, since it was last asked.
    noted: HashMap<Arc<str>, Vec<Request>>,
}

/// One interface's port, and how its switch is reached.
pub struct Wired {
    pub address: Address,
    pub port: String,
}

impl Ports {
    pub fn new(redirects: Option<BTreeMap<String, Redirect>>) -> Ports {
        Ports {
            redirects,
            paper: None,
            per_switch: Mutex::default(),
            silent: Mutex::default(),
            owners: HashMap::new(),
        }
    }

    /// The same, for tracing: switches are asked, and what would be written to them is only noted.
    pub fn on_paper(redirects: Option<BTreeMap<String, Redirect>>) -> Ports {
        Ports { paper: Some(Mutex::default()), ..Ports::new(redirects) }
    }

    /// With what the design of today says of cables: a node that is on its way out, or goes on with an older design,
    /// touches no port that another one has by now.
    pub fn of(self, site: &Site) -> Ports {
        let mut owners = HashMap::new();
        for node in &site.nodes {
            let cables = node.spec.get("cables").and_then(Value::as_map).into_iter().flatten();
            for (_, cable) in cables {
                if let (Some(switch), Some(port)) = (cable.str_at("switch-name"), cable.str_at("port")) {
                    owners.insert((switch.to_string(), port.to_string()), node.name.clone());
                }
            }
        }
        Ports { owners, ..self }
    }

    /// What was noted for the target's ports since this was last asked.
    pub fn written(&self, target: &Target) -> Vec<Request> {
        let noted = self.paper.as_ref().and_then(|paper| lock(paper).noted.remove(&target.node));
        noted.unwrap_or_default()
    }

    /// The port that an interface of the target is plugged into.
    pub fn wired(&self, target: &Target, interface: &str) -> Result<Wired, EffectFailure> {
        let at = |parent: &str, name: &str| target.spec.at(&Path(vec![parent.into(), name.into()]));
        let Some(cable) = at("cables", interface) else {
            let why = format!(
                "`{interface}` of node `{}` has no cable in the design; write cable \"{interface}\" switch=\"…\" port=\"…\"",
                target.node
            );
            return Err(failure(why, false));
        };
        let (Some(name), Some(port)) = (cable.str_at("switch-name"), cable.str_at("port")) else {
            return Err(failure(format!("the cable of `{interface}` names no switch or no port"), false));
        };
        let owner = self.owners.get(&(name.to_string(), port.to_string()));
        if let Some(owner) = owner.filter(|owner| **owner != target.node) {
            let why = format!(
                "port `{port}` of switch `{name}` is that of node `{owner}` in the design of today; it is left alone"
            );
            return Err(failure(why, false));
        }
        let Some(switch) = at("port-switches", name) else {
            let why = format!("the port of `{interface}` is one that the design leaves alone");
            return Err(failure(why, false));
        };
        Ok(Wired { address: self.address(name, switch)?, port: port.to_string() })
    }

    fn address(&self, name: &str, switch: &Value) -> Result<Address, EffectFailure> {
        if let Some(driver) = switch.str_at("driver").filter(|driver| !SWITCH_DRIVERS.contains(driver)) {
            let why = format!(
                "switch `{name}` has the driver `{driver}`, which is not built in; write a task of your own that speaks to \
                 it with `http`, `ssh` or `command`"
            );
            return Err(failure(why, false));
        }
        if let Some(redirects) = &self.redirects {
            let redirect = redirects
                .get(name)
                .ok_or_else(|| failure(format!("the virtual rack has no switch `{name}`"), false))?;
            let Redirect { endpoint, user, password } = redirect;
            return Ok(Address::of_rehearsal(name, endpoint, user, password));
        }
        let word = |word: &str| switch.str_at(word).unwrap_or_default().to_string();
        if word("uri").is_empty() {
            let why = format!("switch `{name}` has no uri; write uri \"https://HOST\" in the design");
            return Err(failure(why, false));
        }
        Ok(Address {
            switch: name.to_string(),
            uri: word("uri"),
            user: word("user"),
            password: switch.get("password").cloned().unwrap_or_default(),
            ca: word("ca"),
            rehearsal: false,
        })
    }

    /// Looks at a port.
    pub async fn read(&self, web: &Web, wired: &Wired, now: fn() -> Time) -> Result<Reading, EffectFailure> {
        let _turn = self.turn(wired, now).await?;
        self.look(web, wired, now).await
    }

    /// Looks at a port, and makes it so with at most one request. True when one was sent; with an error whether one may
    /// have been.
    pub async fn ensure(
        &self,
        web: &Web,
        wired: &Wired,
        wish: &Wish,
        by: (&Target, &crate::id::EffectId),
        now: fn() -> Time,
    ) -> Result<bool, (EffectFailure, bool)> {
        let before = |why: EffectFailure| (why, false);
        let _turn = self.turn(wired, now).await.map_err(before)?;
        let reading = self.look(web, wired, now).await.map_err(before)?;
        let named = |fault| {
            let (switch, port) = (wired.address.switch.clone(), wired.port.clone());
            failed(&SwitchError { switch, port, fault })
        };
        let change = reading.change(&wired.port, wish).map_err(|fault| before(named(fault)))?;
        let Some(write) = change else { return Ok(false) };
        match &self.paper {
            Some(paper) => lock(paper).note(by.0, wired, write),
            None => {
                let switch = Switch { web, address: &wired.address, timeout: REQUEST_TIMEOUT };
                switch.write(&wired.port, &write, by.1).await.map_err(|error| {
                    self.remember(&error, now);
                    (failed(&error), error.sent() == crate::world::bmc::Sent::Perhaps)
                })?;
            }
        }
        Ok(true)
    }

    async fn look(&self, web: &Web, wired: &Wired, now: fn() -> Time) -> Result<Reading, EffectFailure> {
        let switch = Switch { web, address: &wired.address, timeout: REQUEST_TIMEOUT };
        let told = |error: SwitchError| {
            self.remember(&error, now);
            failed(&error)
        };
        let reading = switch.read(&wired.port).await.map_err(told)?;
        let Some(paper) = &self.paper else { return Ok(reading) };
        let key = (wired.address.switch.clone(), wired.port.clone());
        let written = lock(paper).written.get(&key).cloned().unwrap_or_default();
        written.iter().try_fold(reading, |reading, write| {
            let named = |fault| SwitchError { switch: key.0.clone(), port: key.1.clone(), fault };
            reading.after(&wired.port, write).map_err(|fault| failed(&named(fault)))
        })
    }

    /// Waits for its turn at the switch.
    async fn turn(&self, wired: &Wired, now: fn() -> Time) -> Result<OwnedSemaphorePermit, EffectFailure> {
        let name = &wired.address.switch;
        let turns = lock(&self.per_switch)
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_SWITCH)))
            .clone();
        let turn = match tokio::time::timeout(LONGEST_WAIT, turns.acquire_owned()).await {
            Ok(turn) => turn.map_err(|_| failure("the process is ending", true))?,
            Err(_) => {
                let waited = units::short(LONGEST_WAIT);
                return Err(failure(format!("switch `{name}` had no turn left within {waited}"), true));
            }
        };
        let silent = lock(&self.silent).get(name).copied();
        match silent.filter(|at| now().since(*at) < LEFT_ALONE) {
            None => Ok(turn),
            Some(_) => {
                let patience = units::short(REQUEST_TIMEOUT);
                let why = format!(
                    "switch `{name}` did not answer within {patience} and is left alone for a moment"
                );
                Err(failure(why, true))
            }
        }
    }

    fn remember(&self, error: &SwitchError, now: fn() -> Time) {
        if error.is_silence() {
            lock(&self.silent).insert(error.switch.clone(), now());
        }
    }
}

impl Paper {
    fn note(&mut self, target: &Target, wired: &Wired, write: Write) {
        self.noted.entry(target.node.clone()).or_default().push(Request {
            method: write.method.into(),
            path: wired.address.path(&wired.port),
            body: Value::from_json(&write.body),
        });
        let key = (wired.address.switch.clone(), wired.port.clone());
        self.written.entry(key).or_default().push(write);
    }
}

fn failed(error: &SwitchError) -> EffectFailure {
    failure(error.to_string(), error.class() == Class::Transient)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let spec = r#"{
            "cables": {
                "nic1": { "switch-name": "sw1", "port": "Ethernet1/1" },
                "nic2": { "switch-name": "sw2", "port": "Ethernet1/1" },
                "nic3": { "switch-name": "sw3", "port": "Ethernet1/1" },
                "nic4": { "switch-name": "sw4", "port": "Ethernet1/1" },
                "nic5": { "switch-name": "sw1" }
            },
            "port-switches": {
                "sw1": { "uri": "https://10.16.0.5/api", "user": "ops", "password": { "$secret": "env:SWITCH" } },
                "sw2": { "driver": "sonic-cli", "address": "10.16.0.6" },
                "sw3": { "driver": "openconfig", "address": "10.16.0.7" }
            }
        }"#;
        Target { node: "n01".into(), spec: serde_json::from_str(spec).unwrap() }
    }

    #[test]
    fn a_port_is_found_through_the_nodes_own_cable_and_no_other_way() {
        let ports = Ports::new(None);
        let wired = ports.wired(&target(), "nic1").unwrap();
        assert_eq!(
            (wired.address.switch.as_str(), wired.address.uri.as_str(), wired.port.as_str()),
            ("sw1", "https://10.16.0.5/api", "Ethernet1/1")
        );
        assert_eq!(wired.address.password, Value::Secret("env:SWITCH".into()));
        for (interface, said) in [
            ("Ethernet1/1", "write cable \"Ethernet1/1\" switch="),
            (
                "nic2",
                "switch `sw2` has the driver `sonic-cli`, which is not built in; write a task of your own",
            ),
            ("nic3", "switch `sw3` has no uri"),
            ("nic4", "the port of `nic4` is one that the design leaves alone"),
            ("nic5", "names no switch or no port"),
        ] {
            let why = ports.wired(&target(), interface).err().unwrap();
            assert!(why.message.contains(said) && !why.transient, "{interface}: {}", why.message);
        }
    }

    #[test]
    fn a_rehearsal_knows_the_switches_of_its_rack_alone() {
        let ports = Ports::new(Some(BTreeMap::new()));
        let why = ports.wired(&target(), "nic1").err().unwrap();
        assert_eq!(why.message, "the virtual rack has no switch `sw1`");
    }
}
