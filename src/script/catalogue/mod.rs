//! The catalogue of effects: every built-in that touches the world is one row here, and this alone
//! feeds the registration in Rhai, the capability check, the journal and the reference.

mod agent;
mod bmc;
mod bmc_parts;
mod command;
mod container;
mod dns;
#[cfg(test)]
mod examples;
mod fact;
mod http;
mod image;
mod log;
mod output;
mod port;
mod program;
mod pxe;
mod secret;
mod shape;
mod ssh;
mod template;
mod wait;

pub use shape::{Field, Misfit, Shape};

use crate::model::hazard::Hazard;
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
    pub returns: Shape,
    /// One statement of a script that calls it.
    pub example: &'static str,
    /// The rows that make it up, performed in order with the same arguments; empty for a row of its own.
    pub made_of: &'static [&'static str],
}

#[derive(Debug)]
pub struct Arg {
    pub name: &'static str,
    pub shape: Shape,
    /// The last arguments may be left out.
    pub optional: bool,
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
    /// How many arguments a call must have at least.
    pub fn least_args(&self) -> usize {
        self.args.iter().filter(|arg| !arg.optional).count()
    }

    /// `bmc::set_bios(node, attributes)`: how a script calls it.
    pub fn call(&self) -> String {
        let names =
            self.args.iter().map(|arg| if arg.optional { format!("{}?", arg.name) } else { arg.name.into() });
        format!("{}::{}({})", self.module, self.name, names.collect::<Vec<_>>().join(", "))
    }

    /// Its answer follows from its arguments and the pinned task alone: no machine is asked.
    pub fn is_pure(&self) -> bool {
        PURE.contains(&self.module)
    }

    /// What a task that calls it has to declare at least: what it destroys no approval may overlook.
    pub fn least_hazard(&self) -> Hazard {
        match (self.module, self.name) {
            ("agent", "wipe") | ("bmc", "create_volume" | "delete_volume") => Hazard::DataLoss,
            ("pxe", "ticket") => Hazard::Reinstall,
            _ => Hazard::None,
        }
    }

    /// `bmc.set_bios`: how the journal and people name it.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}

const FAMILIES: &[&[Effect]] = &[
    agent::ROWS,
    bmc::ROWS,
    bmc_parts::ROWS,
    command::ROWS,
    container::ROWS,
    dns::ROWS,
    fact::ROWS,
    http::ROWS,
    image::ROWS,
    log::ROWS,
    output::ROWS,
    port::ROWS,
    pxe::ROWS,
    secret::ROWS,
    ssh::ROWS,
    template::ROWS,
    wait::ROWS,
];

/// The modules whose effects reach nothing.
const PURE: &[&str] = &["secret", "template"];

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
    let mut modules: Vec<&'static str> =
        FAMILIES.iter().filter_map(|family| family.first()).map(|row| row.module).collect();
    // A large module has several families, one behind the other.
    modules.dedup();
    modules
}

const NODE: Arg = arg("node", Shape::Node);

const fn arg(name: &'static str, shape: Shape) -> Arg {
    Arg { name, shape, optional: false }
}

/// A name of a record that is always there.
const fn field(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, shape, optional: false, doc }
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
            let called = format!("{}::{}(", row.module, row.name);
            assert!(row.example.contains(&called), "the example of {} calls another", row.full_name());
            assert!(row.args.is_sorted_by_key(|arg| arg.optional), "{}", row.full_name());
            for part in row.made_of {
                assert!(find(part).is_some_and(|part| part.made_of.is_empty()), "{part}");
            }
        }
    }
}
