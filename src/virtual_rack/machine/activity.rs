//! The handle of whatever runs on a machine during one turn of its power.
//!
//! Owns the rule that a turn which is over changes nothing more, and the log lines of boots, installs and wipes.
//! Decides nothing about what runs.

use super::settings::{Drive, Enabled, Kept, LastBoot, Running, Target};
use super::{Live, Machine, Open, Power};
use crate::virtual_rack::disk::Content;
use crate::virtual_rack::log::Entry;
use std::sync::Arc;
use std::time::Duration;

/// The turn is over: power was cut, or the machine reset. Whoever meets it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

/// What comes after a boot attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// The next boot device; the text says why this one did not boot.
    Next(String),
    /// The next boot device; the failure is in the log.
    Logged,
    /// A warm reset.
    Reset,
}

/// One turn of one machine.
pub struct Activity {
    machine: Arc<Machine>,
    turn: u64,
}

impl Activity {
    pub fn new(machine: Arc<Machine>, turn: u64) -> Activity {
        Activity { machine, turn }
    }

    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Changes the machine, unless this turn is over.
    fn change<R>(&self, change: impl FnOnce(&mut Live) -> R) -> Result<R, Cut> {
        let mut live = self.machine.live();
        if live.turn != self.turn {
            return Err(Cut);
        }
        let result = change(&mut live);
        self.machine.keep(&live);
        Ok(result)
    }

    fn change_drive(&self, drive: Drive) -> Result<(), Cut> {
        self.change(|live| {
            live.drive = drive;
            self.machine.keep_drive(live);
        })
    }

    /// Lets `least` or a little more pass.
    pub async fn lasts(&self, kind: &str, least: Duration) {
        let time = self.machine.around.about(&self.machine.spec.node, kind, self.turn, least);
        tokio::time::sleep(time).await;
    }

    /// Does nothing until the power goes.
    pub async fn halted<R>(&self) -> R {
        std::future::pending().await
    }

    pub fn set_power(&self, power: Power) -> Result<(), Cut> {
        self.change(|live| live.power = power)
    }

    /// Power goes and does not come back.
    pub fn loses_power(&self) -> Result<(), Cut> {
        tracing::info!(node = %self.machine.spec.node, "fault: the machine loses power");
        self.change(|live| {
            live.end_open(&self.machine, "interrupted", "the machine lost its power");
            live.power = Power::Off;
            live.board.powered = false;
            live.board.running = None;
        })
    }

    /// Self-test: pending settings become effective, nothing runs yet.
    pub fn post(&self) -> Result<(), Cut> {
        self.change(|live| {
            live.board.post();
            live.board.running = None;
        })
    }

    /// The boot override is used up.
    pub fn use_override_up(&self) -> Result<(), Cut> {
        self.change(|live| {
            live.board.boot.enabled = Enabled::Disabled;
            live.board.boot.target = Target::None;
            live.board.boot.mode = self.machine.spec.boot_mode;
        })
    }

    /// `booted` is given control by `device`.
    pub fn boot_starts(&self, device: Target, booted: &str) -> Result<(), Cut> {
        self.change(|live| {
            let entry =
                Entry { device: Some(device.name()), booted: Some(booted), ..self.entry("boot", "start") };
            self.machine.around.log.add(&entry);
            live.open = Some(Open::Boot { device, booted: booted.to_string() });
        })
    }

    pub fn boot_ends(&self, outcome: &str, why: Option<&str>) -> Result<(), Cut> {
        self.change(|live| live.end_boot(&self.machine, outcome, why, None))
    }

    /// `device` booted nothing. The same failure is said once a turn.
    pub fn boot_fails(&self, device: Target, why: &str) -> Result<(), Cut> {
        let mut live = self.machine.live();
        if live.turn != self.turn {
            return Err(Cut);
        }
        if live.said.iter().any(|(said, text)| *said == device && text == why) {
            return Ok(());
        }
        // A machine has few devices, and their reasons repeat; the bound is for those that do not.
        if live.said.len() < 64 {
            live.said.push((device, why.to_string()));
        }
        let (device_name, outcome, why_text) = (Some(device.name()), Some("failed"), Some(why));
        let entry = Entry { device: device_name, outcome, why: why_text, ..self.entry("boot", "end") };
        self.machine.around.log.add(&entry);
        live.board.last_boot =
            Some(LastBoot { device, outcome: "failed".into(), why: Some(why.to_string()) });
        self.machine.keep(&live);
        Ok(())
    }

    /// The installed system is up.
    pub fn system_runs(&self, running: Running) -> Result<(), Cut> {
        self.change(|live| {
            live.end_boot(&self.machine, "running", None, Some(&running.boot_id));
            live.board.running = Some(running);
        })
    }

    /// The installed system has phoned home, or given it up.
    pub fn system_reported(&self) -> Result<(), Cut> {
        self.change(|live| {
            if let Some(running) = &mut live.board.running {
                running.reported = true;
            }
        })
    }

    pub fn install_starts(&self, image: &str, checksum: &str) -> Result<(), Cut> {
        self.change(|live| {
            let entry =
                Entry { image: Some(image), checksum: Some(checksum), ..self.entry("install", "start") };
            self.machine.around.log.add(&entry);
            live.open = Some(Open::Install { image: image.to_string(), checksum: checksum.to_string() });
        })
    }

    pub fn install_ends(&self, outcome: &str, why: Option<&str>) -> Result<(), Cut> {
        self.change(|live| live.end_install(&self.machine, outcome, why))
    }

    /// A disk begins to be wiped, for the effect of this id.
    pub fn wipe_starts(&self, disk: &str, how: &str, effect: &str) -> Result<(), Cut> {
        self.change(|live| {
            let entry = Entry {
                disk: Some(disk),
                how: Some(how),
                effect: Some(effect),
                ..self.entry("wipe", "start")
            };
            self.machine.around.log.add(&entry);
            live.open = Some(Open::Wipe { disk: disk.into(), how: how.into(), effect: effect.into() });
        })
    }

    pub fn wipe_ends(&self, outcome: &str, why: Option<&str>) -> Result<(), Cut> {
        self.change(|live| live.end_wipe(&self.machine, outcome, why))
    }

    /// What a wipe leaves until it has come to its end: nothing that boots, and not nothing. The inner error is the disk's.
    pub fn leave_remains(&self) -> Result<std::io::Result<()>, Cut> {
        let written = self.machine.folder.write().and_then(|mut writer| {
            writer.append(b"what a wipe has not reached yet\n")?;
            writer.finish()
        });
        match written {
            Ok(content) => self.change_drive(Drive { content: Some(content), kept: None }).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The disk loses its content.
    pub fn wipe(&self) -> Result<(), Cut> {
        self.change_drive(Drive::default())?;
        if let Err(error) = self.machine.folder.wipe() {
            tracing::warn!(node = %self.machine.spec.node, %error, "a disk cannot be wiped");
        }
        Ok(())
    }

    /// The disk has a new content, and beside it what the system keeps.
    pub fn installed(&self, content: Content, kept: Kept) -> Result<(), Cut> {
        self.change_drive(Drive { content: Some(content), kept: Some(kept) })
    }

    fn entry(&self, kind: &'static str, phase: &'static str) -> Entry<'_> {
        Entry { node: &self.machine.spec.node, kind, phase, ..Entry::default() }
    }
}

impl Live {
    /// Ends the boot, install or wipe that is under way, if one is.
    pub fn end_open(&mut self, machine: &Machine, outcome: &str, why: &str) {
        match &self.open {
            Some(Open::Boot { .. }) => self.end_boot(machine, outcome, Some(why), None),
            Some(Open::Install { .. }) => self.end_install(machine, outcome, Some(why)),
            Some(Open::Wipe { .. }) => self.end_wipe(machine, outcome, Some(why)),
            None => {}
        }
    }

    fn end_boot(&mut self, machine: &Machine, outcome: &str, why: Option<&str>, boot_id: Option<&str>) {
        let Some(Open::Boot { device, booted }) = self.open.take() else { return };
        machine.around.log.add(&Entry {
            node: &machine.spec.node,
            kind: "boot",
            phase: "end",
            device: Some(device.name()),
            booted: Some(&booted),
            outcome: Some(outcome),
            boot_id,
            why,
            ..Entry::default()
        });
        let why = why.map(str::to_string);
        self.board.last_boot = Some(LastBoot { device, outcome: outcome.to_string(), why });
    }

    fn end_wipe(&mut self, machine: &Machine, outcome: &str, why: Option<&str>) {
        let Some(Open::Wipe { disk, how, effect }) = self.open.take() else { return };
        machine.around.log.add(&Entry {
            node: &machine.spec.node,
            kind: "wipe",
            phase: "end",
            disk: Some(&disk),
            how: Some(&how),
            effect: Some(&effect),
            outcome: Some(outcome),
            why,
            ..Entry::default()
        });
    }

    fn end_install(&mut self, machine: &Machine, outcome: &str, why: Option<&str>) {
        let Some(Open::Install { image, checksum }) = self.open.take() else { return };
        machine.around.log.add(&Entry {
            node: &machine.spec.node,
            kind: "install",
            phase: "end",
            image: Some(&image),
            checksum: Some(&checksum),
            outcome: Some(outcome),
            why,
            ..Entry::default()
        });
    }
}
