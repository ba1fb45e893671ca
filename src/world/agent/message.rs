//! The messages of the agent's protocol, closed and bounded.

use crate::world::boot::Identity;
use serde::{Deserialize, Serialize};

/// A larger body is refused unread.
pub const HELLO_LIMIT_BYTES: usize = 64 << 10;
/// An inventory of a thousand disks fits.
pub const SAID_LIMIT_BYTES: usize = 256 << 10;
pub(super) const TEXT_LIMIT_BYTES: usize = 4096;
pub(super) const LIST_LIMIT: usize = 1024;

/// Who the agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Drawn when the agent starts.
    pub boot: String,
    pub version: String,
    pub identity: Identity,
}

/// The agent has nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Next {
    pub boot: String,
}

/// What the agent is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The id of the effect that wants it.
    pub id: String,
    /// Of the controller, for an agent that does not know such an order.
    #[serde(default)]
    pub version: String,
    #[serde(flatten)]
    pub work: Work,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Work {
    /// Say what the machine has.
    Inventory,
    /// Keep the processors busy and write and read back so many percent of the free memory, for so many seconds.
    Stress { seconds: u64, memory_percent: u64 },
    /// Leave nothing but zeros on these disks.
    Wipe { disks: Vec<Meant>, method: Method },
}

/// A disk as it was inventoried: another one under its id is not meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    pub id: String,
    pub bytes: u64,
    pub model: Option<String>,
    pub serial: Option<String>,
}

/// How a disk is wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Zeros are written over all of it.
    Zero,
    /// The device forgets all of it, and promises to read it back as zeros.
    Discard,
}

impl Work {
    pub fn word(&self) -> &'static str {
        match self {
            Work::Inventory => "inventory",
            Work::Stress { .. } => "stress",
            Work::Wipe { .. } => "wipe",
        }
    }
}

impl Method {
    pub fn word(self) -> &'static str {
        match self {
            Method::Zero => "zero",
            Method::Discard => "discard",
        }
    }
}

/// What the controller wants, as far as this version can read it.
pub enum Given {
    Order(Order),
    /// Of another version; it is answered all the same.
    Unknown {
        id: String,
        why: String,
    },
}

/// Reads an order; the error is of what has no id, and so could not even be refused.
pub fn given(body: &[u8]) -> Result<Given, String> {
    let order: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let error = match Order::deserialize(&order) {
        Ok(order) => return Ok(Given::Order(order)),
        Err(error) => error,
    };
    let text = |name: &str| order.get(name).and_then(serde_json::Value::as_str);
    let Some(id) = text("id") else { return Err(error.to_string()) };
    let (work, theirs) = (text("do").unwrap_or("nothing"), text("version").unwrap_or("unknown"));
    let own = env!("CARGO_PKG_VERSION");
    let why = format!(
        "the agent, of version {own}, cannot read the order `{work}` of a controller of version {theirs}: {error}; give the \
         node an image whose ramdisk holds an agent of the controller's version"
    );
    Ok(Given::Unknown { id: id.to_string(), why })
}

/// What comes of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub boot: String,
    /// The order's id.
    pub id: String,
    #[serde(flatten)]
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// How much of the work is done, of how much: bytes, or milliseconds.
    UnderWay {
        done: u64,
        of: u64,
    },
    Done {
        answer: serde_json::Value,
    },
    Failed {
        why: String,
    },
}

/// A message whose texts have their limits.
pub trait Bounded {
    fn texts(&self) -> Vec<&str>;
    /// The length of every list.
    fn lists(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl Bounded for Hello {
    fn texts(&self) -> Vec<&str> {
        let named = [self.identity.uuid.as_deref(), self.identity.serial.as_deref()];
        named.into_iter().flatten().chain([self.boot.as_str(), self.version.as_str()]).collect()
    }

    fn lists(&self) -> Vec<usize> {
        vec![self.identity.macs.len()]
    }
}

impl Bounded for Next {
    fn texts(&self) -> Vec<&str> {
        vec![&self.boot]
    }
}

impl Bounded for Said {
    fn texts(&self) -> Vec<&str> {
        let why = match &self.state {
            State::Failed { why } => Some(why.as_str()),
            _ => None,
        };
        why.into_iter().chain([self.boot.as_str(), self.id.as_str()]).collect()
    }
}

/// Reads a message; the error says what is wrong with it.
pub fn parse<'a, T: Deserialize<'a> + Bounded>(body: &'a [u8]) -> Result<T, String> {
    let message: T = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    within_limits(&message)?;
    Ok(message)
}

/// Whether every text and list of a message has its limits.
pub(super) fn within_limits(message: &impl Bounded) -> Result<(), String> {
    if let Some(text) = message.texts().iter().find(|text| text.len() > TEXT_LIMIT_BYTES) {
        return Err(format!("a text of {} bytes is longer than {TEXT_LIMIT_BYTES}", text.len()));
    }
    if let Some(length) = message.lists().iter().find(|length| **length > LIST_LIMIT) {
        return Err(format!("a list of {length} items is longer than {LIST_LIMIT}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_as_the_protocol_writes_them() {
        let order =
            |work| serde_json::to_value(Order { id: "r-1-2".into(), version: "2".into(), work }).unwrap();
        assert_eq!(order(Work::Inventory), json!({"id": "r-1-2", "version": "2", "do": "inventory"}));
        let disk = Meant { id: "d1".into(), bytes: 8, model: None, serial: Some("S1".into()) };
        let wipe = order(Work::Wipe { disks: vec![disk], method: Method::Discard });
        let disk = json!({"id": "d1", "bytes": 8, "model": null, "serial": "S1"});
        assert_eq!(
            wipe,
            json!({"id": "r-1-2", "version": "2", "do": "wipe", "disks": [disk], "method": "discard"})
        );
        let stress = order(Work::Stress { seconds: 60, memory_percent: 80 });
        assert_eq!(
            stress,
            json!({"id": "r-1-2", "version": "2", "do": "stress", "seconds": 60, "memory-percent": 80})
        );
        let said = json!({"boot": "b", "id": "r-1-2", "state": "under-way", "done": 1, "of": 2});
        let read: Said = parse(said.to_string().as_bytes()).unwrap();
        assert_eq!(read.state, State::UnderWay { done: 1, of: 2 });
        assert_eq!(serde_json::to_value(&read).unwrap(), said);
    }

    #[test]
    fn an_order_of_another_version_is_refused_by_its_id_and_names_both() {
        let unknown = |order: serde_json::Value| match given(order.to_string().as_bytes()) {
            Ok(Given::Unknown { id, why }) => (id, why),
            Ok(Given::Order(order)) => panic!("{order:?}"),
            Err(why) => panic!("{why}"),
        };
        let own = env!("CARGO_PKG_VERSION");
        let (id, why) = unknown(json!({"id": "e1", "version": "9.9", "do": "flash", "part": "nic1"}));
        assert_eq!(id, "e1");
        assert!(why.contains("`flash`") && why.contains("9.9") && why.contains(own), "{why}");
        let (_, why) = unknown(json!({"id": "e1", "do": "wipe", "disks": ["d1"], "method": "zero"}));
        assert!(why.contains("`wipe`") && why.contains("version unknown"), "{why}");
        assert!(given(br#"{"do": "inventory"}"#).is_err());
        assert!(given(b"[").is_err());
        let newer = br#"{"id": "e1", "version": "9.9", "do": "inventory", "more": 1}"#;
        assert!(matches!(given(newer), Ok(Given::Order(_))));
    }

    #[test]
    fn what_is_too_long_or_unknown_is_refused_with_a_reason() {
        let long = "x".repeat(TEXT_LIMIT_BYTES + 1);
        let macs = vec!["52:54:00:00:00:01"; LIST_LIMIT + 1];
        for hello in [
            json!({"boot": long, "version": "1", "identity": {}}),
            json!({"boot": "b", "version": "1", "identity": {"macs": macs}}),
            json!({"boot": "b", "version": "1", "identity": {}, "more": 1}),
            json!({"boot": "b", "identity": {}}),
        ] {
            assert!(!parse::<Hello>(hello.to_string().as_bytes()).unwrap_err().is_empty());
        }
        let failed = json!({"boot": "b", "id": "i", "state": "failed", "why": long}).to_string();
        assert!(parse::<Said>(failed.as_bytes()).unwrap_err().contains("longer than"));
        assert!(parse::<Said>(br#"{"boot": "b", "id": "i", "state": "lost"}"#).is_err());
    }
}
