//! `ssh` effects: commands and files on the installed system of the task's node.
//!
//! Owns how a command that must not be repeated is found again: the machine keeps it by the effect's id, so that a broken
//! connection only asks again, and a controller that died asks before it does anything.

use super::{Live, host_key, text};
use crate::effect::{Found, Job, Performed, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::units;
use crate::world::bmc::Class;
use crate::world::ssh::{
    Asked, COMMAND_BYTES, Credentials, Fault, Kept, Mode, Place, Placed, STREAM_BYTES, Session, SshError,
    Stopped, banner,
};
use std::time::Duration;

const PORT: u16 = 22;
const RUN: Duration = Duration::from_secs(5 * 60);
const LONGEST_RUN: Duration = Duration::from_secs(60 * 60);
const READ: Duration = Duration::from_secs(60);
const LONGEST_READ: Duration = Duration::from_secs(5 * 60);
/// How long a machine is looked for that went away with a command under way.
const MISSING: Duration = Duration::from_secs(5 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// By convention (sysexits.h, EX_TEMPFAIL) the command says that trying again later may help.
const TEMPORARY: i64 = 75;

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    match job.call.effect.name {
        "run" => run(live, job).await,
        "read" => Performed::read(read(live, job).await),
        "put" => put(live, job).await,
        other => Performed::read(Err(failure(format!("this build has no effect `ssh.{other}`"), false))),
    }
}

/// What became of an `ssh.run` that was begun and has no answer. Waits for it while it is still under way.
pub async fn find_again(live: &Live, job: &Job<'_>) -> Found {
    if job.call.effect.full_name() != "ssh.run" {
        return Found::Unknown;
    }
    let Ok(wanted) = Wanted::of(job, RUN, LONGEST_RUN) else { return Found::Unknown };
    let (began, mut pause) = ((live.now)(), FIRST_PAUSE);
    loop {
        match ask(live, job, &wanted, Mode::Find).await {
            Ok(Kept::Never) => return Found::NotDone,
            Ok(kept @ Kept::Done { .. }) => return Found::Done(came_of(job, &wanted, kept)),
            Ok(Kept::Lost | Kept::Unknown) => return Found::Unknown,
            Err(broke) if !broke.why.transient || (live.now)().since(began) >= MISSING + wanted.limit => {
                return Found::Unknown;
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the node answers, and lets us on where we have something to log in with.
pub async fn reached(live: &Live, job: &Job<'_>) -> Result<(), EffectFailure> {
    let place = place(live, job)?;
    if credentials(job).is_err() {
        return banner(&place).await.map_err(failed);
    }
    match connected(live, job).await {
        Ok(session) => {
            session.close().await;
            Ok(())
        }
        // Whoever may log in is often settled while a system starts.
        Err(Unreached { why, refused: true }) => Err(EffectFailure { transient: true, ..why }),
        Err(Unreached { why, .. }) => Err(why),
    }
}

/// What a call wants, with its options.
struct Wanted<'a> {
    command: &'a str,
    input: Value,
    expect: Vec<i64>,
    limit: Duration,
}

impl<'a> Wanted<'a> {
    fn of(job: &'a Job<'_>, usual: Duration, longest: Duration) -> Result<Wanted<'a>, EffectFailure> {
        let options = job.call.args.get(2).unwrap_or(&Value::Null);
        let listed = options.get("expect").and_then(Value::as_list);
        let limit = match options.str_at("timeout").map(units::duration).transpose() {
            Ok(limit) => limit.unwrap_or(usual),
            Err(error) => return Err(failure(error.to_string(), false)),
        };
        if limit > longest {
            return Err(failure(format!("a command may take {}", units::short(longest)), false));
        }
        let command = text(job, 1);
        if command.len() > COMMAND_BYTES {
            return Err(failure(
                format!("a command may have {COMMAND_BYTES} bytes; put a file first"),
                false,
            ));
        }
        Ok(Wanted {
            command,
            input: options.get("input").cloned().unwrap_or_default(),
            expect: listed.map_or_else(|| vec![0], |list| list.iter().filter_map(Value::as_int).collect()),
            limit,
        })
    }

    /// The command in a sentence.
    fn named(&self) -> String {
        let line = self.command.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(60).collect();
        if shown == self.command { format!("`{shown}`") } else { format!("`{shown}…`") }
    }

    fn answer(&self, status: i64, stdout: &str, stderr: &str) -> Result<Value, EffectFailure> {
        if self.expect.contains(&status) {
            return Ok(Value::map([
                ("status", Value::Int(status)),
                ("stdout", Value::text(stdout)),
                ("stderr", Value::text(stderr)),
            ]));
        }
        let said = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let said: String = said.chars().take(300).collect();
        let because = if said.is_empty() { String::new() } else { format!(": {said}") };
        Err(failure(format!("{} ended with status {status}{because}", self.named()), status == TEMPORARY))
    }
}

/// Why a command has no answer, and whether the machine may have begun it.
struct Broke {
    why: EffectFailure,
    perhaps: bool,
}

async fn run(live: &Live, job: &Job<'_>) -> Performed {
    let wanted = match Wanted::of(job, RUN, LONGEST_RUN) {
        Ok(wanted) => wanted,
        Err(why) => return Performed::read(Err(why)),
    };
    let (began, mut pause, mut perhaps) = ((live.now)(), FIRST_PAUSE, false);
    loop {
        let mode = if perhaps { Mode::Find } else { Mode::Run };
        match ask(live, job, &wanted, mode).await {
            // The request was lost on its way: the machine says so itself.
            Ok(Kept::Never) if perhaps => perhaps = false,
            Ok(kept) => return came_of(job, &wanted, kept),
            Err(broke) => {
                perhaps |= broke.perhaps;
                let late = (live.now)().since(began) >= MISSING + wanted.limit;
                if !perhaps || !broke.why.transient || late {
                    return Performed { answer: Err(broke.why), wrote: perhaps, perhaps };
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn ask(live: &Live, job: &Job<'_>, wanted: &Wanted<'_>, mode: Mode) -> Result<Kept, Broke> {
    let nothing = |why| Broke { why, perhaps: false };
    let mut session = connected(live, job).await.map_err(|unreached| nothing(unreached.why))?;
    let asked =
        Asked { mode, effect: &job.id.0, command: wanted.command, input: &wanted.input, limit: wanted.limit };
    let kept = session.keep(&asked).await;
    session.close().await;
    kept.map_err(|error| {
        let perhaps = !matches!(error.fault, Fault::Secret(_) | Fault::NotBegun(_));
        Broke { perhaps, why: failed(error) }
    })
}

fn came_of(job: &Job<'_>, wanted: &Wanted<'_>, kept: Kept) -> Performed {
    let (answer, perhaps) = match kept {
        Kept::Done { stopped: Some(Stopped::Late), .. } => {
            let within = units::short(wanted.limit);
            (
                Err(failure(format!("{} did not end within {within} and was stopped", wanted.named()), true)),
                false,
            )
        }
        Kept::Done { stopped: Some(Stopped::Flood), .. } => {
            (Err(failure(format!("{} wrote more than 64 MiB and was stopped", wanted.named()), false)), false)
        }
        Kept::Done { status, stdout, stderr, .. } => (wanted.answer(status, &stdout, &stderr), false),
        Kept::Never | Kept::Lost | Kept::Unknown => {
            let node = &job.target.node;
            let why =
                format!("nothing on node `{node}` shows how {} ended; it may have restarted", wanted.named());
            (Err(failure(why, false)), true)
        }
    };
    Performed { answer, wrote: true, perhaps }
}

async fn read(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let wanted = Wanted::of(job, READ, LONGEST_READ)?;
    let mut session = connected(live, job).await.map_err(|unreached| unreached.why)?;
    let output = session.read(wanted.command, &wanted.input, wanted.limit, STREAM_BYTES).await;
    let answer = match output {
        Ok(output) => {
            let (stdout, stderr) = (session.covered(&output.stdout), session.covered(&output.stderr));
            match output.status {
                Some(status) => wanted.answer(i64::from(status), &stdout, &stderr),
                None => Err(failure(format!("{} was ended by a signal", wanted.named()), true)),
            }
        }
        Err(error) => Err(failed(error)),
    };
    session.close().await;
    answer
}

async fn put(live: &Live, job: &Job<'_>) -> Performed {
    let options = job.call.args.get(3).unwrap_or(&Value::Null);
    let (path, nothing) = (text(job, 1), Value::Null);
    let wanted = Placed {
        path,
        content: job.call.args.get(2).unwrap_or(&nothing),
        mode: options.str_at("mode"),
        owner: options.str_at("owner"),
    };
    if let Some(why) = unplaceable(&wanted) {
        return Performed::read(Err(failure(why, false)));
    }
    let mut session = match connected(live, job).await {
        Ok(session) => session,
        Err(unreached) => return Performed::read(Err(unreached.why)),
    };
    let placed = session.place(&wanted).await;
    session.close().await;
    match placed {
        Ok(wrote) => Performed { answer: Ok(Value::Null), wrote, perhaps: false },
        Err(error) => Performed { answer: Err(failed(error)), wrote: true, perhaps: false },
    }
}

fn unplaceable(wanted: &Placed<'_>) -> Option<String> {
    let path = wanted.path;
    let is_mode =
        |mode: &str| (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let is_owner = |owner: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        !owner.is_empty() && !owner.starts_with('-') && owner.chars().all(letters)
    };
    if !path.starts_with('/') || path.contains(char::is_control) || path.len() > 4_000 {
        return Some("the path of a file is absolute, such as `/etc/motd`".into());
    }
    if wanted.mode.is_some_and(|mode| !is_mode(mode)) {
        return Some("a mode is written in octal, such as `0640`".into());
    }
    wanted.owner.filter(|owner| !is_owner(owner)).map(|_| "an owner is `user` or `user:group`".into())
}

/// Why nobody is logged in; `refused` when the machine answered and would not have us.
struct Unreached {
    why: EffectFailure,
    refused: bool,
}

/// A session whose host key is right and pinned, and that is logged in.
async fn connected(live: &Live, job: &Job<'_>) -> Result<Session, Unreached> {
    let other = |why| Unreached { why, refused: false };
    let place = place(live, job).map_err(other)?;
    let who = credentials(job).map_err(other)?;
    let pin = host_key::expected(live, job).await.map_err(other)?;
    let connected = Session::connect(&place, pin.meant.as_deref()).await;
    let mut session = connected.map_err(|error| other(failed(error)))?;
    host_key::keep(live, job, &pin, &session.host_key).await.map_err(other)?;
    match session.log_in(&who).await {
        Ok(()) => Ok(session),
        Err(error) => {
            session.close().await;
            Err(Unreached { refused: matches!(error.fault, Fault::Login(_)), why: failed(error) })
        }
    }
}

/// Where the node's installed system is: as its `ssh` says, or else its address on the primary network.
fn place(live: &Live, job: &Job<'_>) -> Result<Place, EffectFailure> {
    let (node, spec) = (&job.target.node, &job.target.spec);
    let primary = || {
        let network = spec.str_at("primary-network")?;
        spec.get("addresses")?
            .get(network)?
            .as_str()
            .filter(|address| address.parse::<std::net::IpAddr>().is_ok())
    };
    let host = spec.str_at("ssh.address").or_else(primary).ok_or_else(|| {
        let why = format!(
            "node `{node}` has no address for SSH; write ssh address=\"…\", or one on its primary network"
        );
        failure(why, false)
    })?;
    let port = spec.get("ssh").and_then(|ssh| ssh.get("port")).and_then(Value::as_int);
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(PORT);
    Ok(Place { host: host.to_string(), port, rehearsal: live.hardware.is_rehearsal() })
}

fn credentials(job: &Job<'_>) -> Result<Credentials, EffectFailure> {
    let (node, spec) = (&job.target.node, &job.target.spec);
    let secret =
        |key: &str| spec.get("ssh").and_then(|ssh| ssh.get(key)).filter(|value| !value.is_null()).cloned();
    let (key, password) = (secret("key"), secret("password"));
    match spec.str_at("ssh.user") {
        Some(user) if key.is_some() || password.is_some() => {
            Ok(Credentials { user: user.to_string(), key, password })
        }
        _ => {
            let why = format!(
                "node `{node}` has no user with a key or password for SSH; write ssh user=\"…\" key=(secret)\"file:…\""
            );
            Err(failure(why, false))
        }
    }
}

fn failed(error: SshError) -> EffectFailure {
    let transient = error.class() == Class::Transient;
    failure(error.to_string(), transient)
}
