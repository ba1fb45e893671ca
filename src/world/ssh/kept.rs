//! Commands that are run once and kept: by a script on the machine, in a folder named by the effect.
//!
//! Owns the words between us and that script. Asking again with the same name begins nothing: it waits for what was begun,
//! or says what came of it.

use super::error::{Fault, SshError};
use super::session::{Output, Session};
use crate::model::value::Value;
use std::time::Duration;

const KEEPER: &str = include_str!("keeper.sh");
/// Of each stream of a command, what is handed on.
pub const STREAM_BYTES: usize = 128 << 10;
/// An answer: both streams, a line, and what a login script may have said before it.
const ANSWER_BYTES: usize = 2 * STREAM_BYTES + (64 << 10);
/// The longest command: with the script it goes to the machine as one word of a command line.
pub const COMMAND_BYTES: usize = 64 << 10;
/// What stands behind the input, so that half of it is not taken for all.
const END: &[u8] = b"rackwright-end";
/// After the command's own time: to be stopped, and to answer.
const GRACE: Duration = Duration::from_secs(30);

/// Whether it is begun when it has not been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Run,
    Find,
}

/// What is asked of a machine.
pub struct Asked<'a> {
    pub mode: Mode,
    /// Letters, digits and hyphens.
    pub effect: &'a str,
    pub command: &'a str,
    pub input: &'a Value,
    /// After this the machine stops the command.
    pub limit: Duration,
}

/// What the machine says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Done {
        status: i64,
        /// Why the machine stopped it, if it did.
        stopped: Option<Stopped>,
        /// A stream was longer than what is handed on.
        cut: bool,
        stdout: String,
        stderr: String,
    },
    /// It was never begun there.
    Never,
    /// It was begun, and nothing shows how it ended: the machine restarted, or somebody ended it.
    Lost,
    /// There is no record, and there may have been one.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its time was up.
    Late,
    /// It wrote more than 64 MiB.
    Flood,
}

impl Session {
    /// Runs or finds a command, and waits for its end.
    pub async fn keep(&mut self, asked: &Asked<'_>) -> Result<Kept, SshError> {
        let named = !asked.effect.is_empty()
            && asked.effect.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !named || asked.command.len() > COMMAND_BYTES || asked.command.contains('\0') {
            let why = format!("a command has at most {COMMAND_BYTES} bytes, and no zero byte");
            return Err(self.error(Fault::NotBegun(why)));
        }
        let input = self.opened().text(asked.input).map_err(Fault::Secret);
        let mut input = input.map_err(|fault| self.error(fault))?.into_bytes();
        input.extend_from_slice(END);
        let line = words(&[
            "exec",
            "/bin/sh",
            "-c",
            KEEPER,
            "rackwright",
            if asked.mode == Mode::Run { "run" } else { "find" },
            asked.effect,
            &asked.limit.as_secs().max(1).to_string(),
            &STREAM_BYTES.to_string(),
            asked.command,
        ]);
        let output = self.run(&line, &input, asked.limit + GRACE, ANSWER_BYTES).await?;
        match self.said(asked.effect, &output.stdout) {
            Some(Ok(kept)) => Ok(kept),
            Some(Err(why)) => Err(self.error(why)),
            None => {
                let said = self.covered(&output.stderr);
                let said = said.trim().chars().take(300).collect::<String>();
                Err(self.error(Fault::Refused(format!("its shell does not run our script: {said}"))))
            }
        }
    }

    /// Runs a command that need not be kept, because it changes nothing.
    pub async fn read(
        &mut self,
        command: &str,
        input: &Value,
        limit: Duration,
        bytes: usize,
    ) -> Result<Output, SshError> {
        let input = self.opened().text(input).map_err(Fault::Secret);
        let input = input.map_err(|fault| self.error(fault))?;
        let line = words(&["exec", "/bin/sh", "-c", command]);
        self.run(&line, input.as_bytes(), limit, bytes).await
    }

    fn said(&self, effect: &str, stdout: &[u8]) -> Option<Result<Kept, Fault>> {
        let mark = format!("\nrackwright-answer {effect} ");
        let from = stdout.windows(mark.len()).position(|part| part == mark.as_bytes())? + mark.len();
        let end = from + stdout[from..].iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&stdout[from..end]).ok()?;
        let rest = &stdout[end + 1..];
        Some(match line.split(' ').collect::<Vec<_>>()[..] {
            ["done", status, stopped, cut, out, err] => {
                let (out, err): (usize, usize) = (out.parse().ok()?, err.parse().ok()?);
                let stdout = self.covered(rest.get(..out)?);
                let stderr = self.covered(rest.get(out..out.checked_add(err)?)?);
                let stopped = match stopped {
                    "late" => Some(Stopped::Late),
                    "flood" => Some(Stopped::Flood),
                    _ => None,
                };
                Ok(Kept::Done { status: status.parse().ok()?, stopped, cut: cut == "yes", stdout, stderr })
            }
            ["never"] => Ok(Kept::Never),
            ["lost"] => Ok(Kept::Lost),
            ["unknown"] => Ok(Kept::Unknown),
            ["incomplete"] => Err(Fault::Broken("the command's input did not arrive whole".into())),
            _ => Err(Fault::NotBegun("there is no folder where the command could be kept".into())),
        })
    }
}

/// A command line for a POSIX shell: each word as it is.
pub(super) fn words(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}
