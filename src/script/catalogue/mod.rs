//! The catalogue of effects: every built-in that touches the world is one row here, and this alone
//! feeds the registration in Rhai, the capability check, the journal and the reference.

mod bmc;
mod fact;
mod log;
mod pxe;
mod wait;

use std::time::Duration;

/// One built-in.
#[derive(Debug)]
pub struct Effect {
    /// The module, which is also the capability that a task must be allowed.
    pub module: &'static str,
    pub name: &'static str,
    pub args: &'static [Arg],
    pub kind: Kind,
    /// The longest that one performance may take, its own retries included.
    pub deadline: Duration,
    /// One sentence: what it does, in which units, by which standard.
    pub doc: &'static str,
    /// The shape of its answer.
    pub returns: &'static str,
    /// The rows that make it up, performed in order with the same arguments; empty for a row of its own.
    pub made_of: &'static [&'static str],
}

#[derive(Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// The node that the task was given.
    Node,
    Text,
    /// Text such as `10m`.
    Duration,
    List,
    Map,
    Any,
}

/// What performing an effect twice would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Safe at any time.
    Read,
    /// An idempotent write: it looks first, and does nothing when what it wants is so.
    Ensure,
    /// A write that must not be repeated.
    Once,
    /// Until an event or a time.
    Wait,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Read => "read",
            Kind::Ensure => "ensure",
            Kind::Once => "once",
            Kind::Wait => "wait",
        }
    }

    /// True when performing it may change something.
    pub fn writes(self) -> bool {
        matches!(self, Kind::Ensure | Kind::Once)
    }
}

impl Effect {
    /// `bmc.set_bios`: how the journal and people name it.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}

const FAMILIES: &[&[Effect]] = &[bmc::ROWS, fact::ROWS, log::ROWS, pxe::ROWS, wait::ROWS];

/// Every row, by module, then in the order of documentation.
pub fn rows() -> impl Iterator<Item = &'static Effect> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The row with this full name, such as `bmc.power_on`.
pub fn find(full_name: &str) -> Option<&'static Effect> {
    let (module, name) = full_name.split_once('.')?;
    rows().find(|row| row.module == module && row.name == name)
}

/// The modules, which are the capabilities that `allow` can name.
pub fn modules() -> Vec<&'static str> {
    FAMILIES.iter().filter_map(|family| family.first()).map(|row| row.module).collect()
}

const NODE: Arg = Arg { name: "node", kind: ArgKind::Node };

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parts_exist() {
        let mut names: Vec<String> = rows().map(Effect::full_name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in rows() {
            assert!(row.doc.ends_with('.'), "{} has no sentence", row.full_name());
            for part in row.made_of {
                assert!(find(part).is_some_and(|part| part.made_of.is_empty()), "{part}");
            }
        }
    }
}
