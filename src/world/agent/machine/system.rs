//! Who a machine is and what it has, but for its disks: SMBIOS, processors, memory, network interfaces.

use super::super::inventory::{Cpus, Disk, Inventory, Nic};
use super::{names, text};
use crate::units::Mac;
use crate::world::boot::Identity;
use std::collections::BTreeSet;
use std::path::Path;

/// What boards without a name of their own say of themselves.
const NOTHING_SAID: &[&str] =
    &["to be filled by o.e.m.", "default string", "not specified", "none", "unknown"];

/// A text of SMBIOS as the kernel shows it; what says nothing is left out.
fn smbios(root: &Path, name: &str) -> Option<String> {
    let said = text(&root.join("sys/class/dmi/id").join(name))?;
    (!NOTHING_SAID.contains(&said.to_ascii_lowercase().as_str())).then_some(said)
}

pub fn identity(root: &Path) -> Identity {
    Identity {
        uuid: smbios(root, "product_uuid"),
        serial: smbios(root, "product_serial"),
        macs: nics(root).iter().filter_map(|nic| nic.mac.parse::<Mac>().ok()).collect(),
    }
}

pub fn inventory(root: &Path, disks: Vec<Disk>) -> Inventory {
    Inventory {
        vendor: smbios(root, "sys_vendor"),
        model: smbios(root, "product_name"),
        serial: smbios(root, "product_serial"),
        uuid: smbios(root, "product_uuid"),
        bios: smbios(root, "bios_version"),
        cpus: cpus(&text(&root.join("proc/cpuinfo")).unwrap_or_default()),
        memory_mib: memory_mib(&text(&root.join("proc/meminfo")).unwrap_or_default()),
        disks,
        nics: nics(root),
    }
}

/// proc(5), `/proc/cpuinfo`: one paragraph a thread. Not every architecture names sockets.
fn cpus(info: &str) -> Cpus {
    let values = |wanted: &str| -> Vec<&str> {
        let pairs = info.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim()).collect()
    };
    let threads = values("processor").len() as u64;
    let sockets = values("physical id").into_iter().collect::<BTreeSet<_>>().len() as u64;
    let model = values("model name").first().map(|model| model.to_string());
    Cpus { model, sockets: sockets.max(u64::from(threads > 0)), threads }
}

/// proc(5), `/proc/meminfo`: `MemTotal` in KiB.
fn memory_mib(info: &str) -> u64 {
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// Interfaces with a device behind them: no bridges, bonds or tunnels.
fn nics(root: &Path) -> Vec<Nic> {
    let folder = root.join("sys/class/net");
    let real = names(&folder).into_iter().filter(|name| folder.join(name).join("device").exists());
    let nic = |name: String| {
        let read = |file: &str| text(&folder.join(&name).join(file));
        let mac = read("address")?;
        // Reading these fails while the interface is down.
        let link = read("carrier").map(|carrier| carrier == "1");
        // -1: the driver does not know.
        let speed_mbps = read("speed").and_then(|speed| speed.parse().ok()).filter(|speed| *speed > 0);
        Some(Nic { name, mac, link, speed_mbps })
    };
    real.filter_map(nic).collect()
}
