//! Files on a machine: what is there, and putting one whole or not at all.

use super::error::{Fault, SshError};
use super::kept::words;
use super::session::Session;
use crate::id::hex;
use crate::model::value::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

const PLACER: &str = include_str!("placer.sh");
/// To look at or to write one file of at most a megabyte.
const LIMIT: Duration = Duration::from_secs(60);
const ANSWER_BYTES: usize = 64 << 10;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    Nothing,
    File { mode: String, owner: String, group: String, digest: String },
}

/// What is wanted at a path. `mode` is octal; what is not said stays as it is.
pub struct Placed<'a> {
    pub path: &'a str,
    pub content: &'a Value,
    pub mode: Option<&'a str>,
    /// `user` or `user:group`.
    pub owner: Option<&'a str>,
}

/// A new file without a mode of its own.
const DEFAULT_MODE: &str = "644";

impl Session {
    /// Makes sure that the file is there; true when it had to be written. Digests are compared on our side, so that no list
    /// of processes shows one of a secret.
    pub async fn place(&mut self, wanted: &Placed<'_>) -> Result<bool, SshError> {
        let content = self.opened().text(wanted.content).map_err(Fault::Secret);
        let content = content.map_err(|fault| self.error(fault))?;
        let there = self.there(wanted.path).await?;
        let digest = hex(&Sha256::digest(content.as_bytes()));
        if is_so(&there, wanted, &digest) {
            return Ok(false);
        }
        let (mode, owner) = match &there {
            There::File { mode, owner, group, .. } => (mode.clone(), format!("{owner}:{group}")),
            There::Nothing => (DEFAULT_MODE.to_string(), String::new()),
        };
        let (mode, owner) = (wanted.mode.unwrap_or(&mode), wanted.owner.unwrap_or(&owner));
        let bytes = content.len().to_string();
        self.ask(&["write", wanted.path, &bytes, mode, owner], content.as_bytes()).await?;
        let there = self.there(wanted.path).await?;
        match is_so(&there, wanted, &digest) {
            true => Ok(true),
            false => {
                let why = format!("`{}` was written and is not as it should be", wanted.path);
                Err(self.error(Fault::Refused(why)))
            }
        }
    }

    async fn there(&self, path: &str) -> Result<There, SshError> {
        let said = self.ask(&["look", path], b"").await?;
        let fail = |why: String| self.error(Fault::Refused(why));
        match said.split(' ').collect::<Vec<_>>()[..] {
            ["absent"] => Ok(There::Nothing),
            ["folder"] => Err(fail(format!("`{path}` is a folder"))),
            ["file", mode, owner, group, digest] => Ok(There::File {
                mode: mode.into(),
                owner: owner.into(),
                group: group.into(),
                digest: digest.into(),
            }),
            _ => Err(fail(format!("it says of `{path}`: {said}"))),
        }
    }

    /// The line that the script on the machine answers.
    async fn ask(&self, args: &[&str], input: &[u8]) -> Result<String, SshError> {
        let line = words(&[&["exec", "/bin/sh", "-c", PLACER, "rackwright"], args].concat());
        let output = self.run(&line, input, LIMIT, ANSWER_BYTES).await?;
        let said = self.covered(&output.stdout);
        let answer = said.rsplit_once("\nrackwright-file ").map(|(_, answer)| answer.trim_end().to_string());
        match answer.filter(|_| output.status == Some(0)) {
            Some(answer) => Ok(answer),
            None => {
                let why: String = self.covered(&output.stderr).trim().chars().take(300).collect();
                Err(self.error(Fault::Refused(why)))
            }
        }
    }
}

fn is_so(there: &There, wanted: &Placed<'_>, digest: &str) -> bool {
    let There::File { mode, owner, group, digest: seen } = there else { return false };
    let bare = |mode: &str| mode.trim_start_matches('0').to_string();
    let owned = |wanted: &str| match wanted.split_once(':') {
        Some((user, of)) => user == owner && of == group,
        None => wanted == owner,
    };
    seen == digest
        && wanted.mode.is_none_or(|wanted| bare(wanted) == bare(mode))
        && wanted.owner.is_none_or(owned)
}
