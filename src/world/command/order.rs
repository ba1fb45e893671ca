//! What a keeper is to do. It comes on the keeper's standard input, so that no secret in it is ever an argument.

use crate::model::inventory;
use crate::units::Time;
use crate::world::program::Payload;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The folders in which programs are found by name; the controller's own are nobody's business.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    pub program: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The program's standard input, and the file `node.json`.
    payload: String,
    /// The file `params.json`.
    params: String,
    /// For Ansible, the files `inventory.json` and `extra-vars.json`.
    ansible: Option<(String, String)>,
    /// When the program's time is over.
    pub until: Time,
}

impl Order {
    /// In `args`, `{payload}`, `{params}`, `{inventory}`, `{extra_vars}` and `{result}` stand for paths in the command's
    /// `folder`. The parameters as extra variables hold no templates: an inventory comes with them.
    pub fn new(
        (program, args, env): (&str, &[String], &[(String, String)]),
        payload: &Payload,
        inventory: Option<String>,
        folder: &Path,
        until: Time,
    ) -> Order {
        let at = |name: &str| folder.join(name).display().to_string();
        let with_paths = |arg: &String| {
            let named = arg.replace("{payload}", &at(super::folder::PAYLOAD));
            let named = named.replace("{params}", &at(super::folder::PARAMS));
            named
                .replace("{inventory}", &at(super::folder::INVENTORY))
                .replace("{extra_vars}", &at(super::folder::EXTRA_VARS))
                .replace("{result}", &at(super::folder::RESULT))
        };
        let own = [
            ("PATH", PATH.to_string()),
            ("LANG", "C.UTF-8".to_string()),
            ("HOME", at(super::folder::WORK)),
            ("RACKWRIGHT_PAYLOAD", at(super::folder::PAYLOAD)),
            ("RACKWRIGHT_PARAMS", at(super::folder::PARAMS)),
            ("RACKWRIGHT_RESULT", at(super::folder::RESULT)),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_string(), value));
        Order {
            program: program.to_string(),
            args: args.iter().map(with_paths).collect(),
            env: own.chain(env.iter().cloned()).collect(),
            payload: payload.whole(),
            params: payload.params().to_string(),
            ansible: inventory.map(|text| (text, inventory::marked(&payload.params()).to_string())),
            until,
        }
    }

    /// The files that the program may read, by name.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let ansible = self.ansible.as_ref().into_iter().flat_map(|(inventory, extra)| {
            [(super::folder::INVENTORY, inventory.as_str()), (super::folder::EXTRA_VARS, extra.as_str())]
        });
        let own =
            [(super::folder::PAYLOAD, self.payload.as_str()), (super::folder::PARAMS, self.params.as_str())];
        own.into_iter().chain(ansible)
    }

    pub(super) fn input(&self) -> &str {
        &self.payload
    }
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Order({} …)", self.program)
    }
}
