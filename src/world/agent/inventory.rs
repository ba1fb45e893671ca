//! What an agent says that its machine has, and what came of a wipe. Bounded and plain: what is not known is absent. What an
//! agent of another version says besides is left out.

use super::message::{Bounded, Meant, within_limits};
use serde::{Deserialize, Serialize};

/// A machine as its own operating system sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Of the system, as SMBIOS says (DSP0134, 7.2): vendor, product name, serial number, UUID.
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub uuid: Option<String>,
    /// Version of the firmware (DSP0134, 7.1).
    pub bios: Option<String>,
    pub cpus: Cpus,
    /// What the kernel may use, in MiB; a little less than what is built in.
    pub memory_mib: u64,
    pub disks: Vec<Disk>,
    pub nics: Vec<Nic>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpus {
    pub model: Option<String>,
    pub sockets: u64,
    pub threads: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The same on every boot where the disk has a world-wide id or a serial number that no other has. Else `NAME@BOOT`, which
    /// is good until the machine is restarted.
    pub id: String,
    /// As the kernel calls it now.
    pub name: String,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub bytes: u64,
    pub rotational: bool,
    pub removable: bool,
    /// How it is attached: `ata`, `sas`, `raid`, `nvme` and `virtio` are in the machine, `named` is what the agent was given in
    /// place of its disks; `fc`, `iscsi`, `usb`, `nvme-fabrics` and `unknown` may be anywhere.
    #[serde(default = "unknown")]
    pub transport: String,
    /// Why it cannot be written now: mounted, used as swap, part of an array, read-only.
    pub in_use: Option<String>,
}

/// Of an agent that does not say it.
fn unknown() -> String {
    "unknown".into()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    pub name: String,
    pub mac: String,
    /// Whether there is a carrier; unknown while the interface is down.
    pub link: Option<bool>,
    pub speed_mbps: Option<u64>,
}

/// The proof that a disk is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiped {
    pub disk: String,
    pub method: String,
    pub bytes: u64,
    /// It held nothing but zeros before: nothing was written.
    pub was_empty: bool,
    /// How many bytes were read after that, all of them zero.
    pub read_back: u64,
}

/// What a burn-in found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stressed {
    /// How long it took.
    pub seconds: u64,
    pub threads: u64,
    /// How much memory was written and read back.
    pub memory_mib: u64,
    /// How often each thread went through its memory, all threads together.
    pub rounds: u64,
    /// Results and words that came out wrong.
    pub faults: u64,
    /// What the memory controllers corrected meanwhile, and what they could not; unknown where the kernel watches none.
    pub corrected: Option<u64>,
    pub uncorrected: Option<u64>,
}

impl Stressed {
    /// Reads an agent's answer to a burn-in of `least` seconds.
    pub fn of(answer: serde_json::Value, least: u64) -> Result<Stressed, String> {
        let stressed: Stressed = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        let numbers =
            [stressed.threads, stressed.memory_mib, stressed.rounds, stressed.faults, stressed.seconds];
        let errors = [stressed.corrected, stressed.uncorrected].into_iter().flatten();
        if let Some(number) = numbers.into_iter().chain(errors).find(|number| i64::try_from(*number).is_err())
        {
            return Err(format!("{number} is no number of a burn-in"));
        }
        match stressed.seconds < least || stressed.threads == 0 {
            true => Err(format!("it was busy for {} s of {least} s", stressed.seconds)),
            false => Ok(stressed),
        }
    }
}

impl Bounded for Inventory {
    fn texts(&self) -> Vec<&str> {
        let system = [&self.vendor, &self.model, &self.serial, &self.uuid, &self.bios, &self.cpus.model];
        let disks = self.disks.iter().flat_map(|disk| {
            let named = [&disk.model, &disk.serial, &disk.in_use].into_iter().flatten();
            named.chain([&disk.id, &disk.name, &disk.transport])
        });
        let nics = self.nics.iter().flat_map(|nic| [&nic.name, &nic.mac]);
        system.into_iter().flatten().chain(disks).chain(nics).map(String::as_str).collect()
    }

    fn lists(&self) -> Vec<usize> {
        vec![self.disks.len(), self.nics.len()]
    }
}

impl Inventory {
    /// Reads an agent's answer; the error says what is wrong with it.
    pub fn of(answer: serde_json::Value) -> Result<Inventory, String> {
        let inventory: Inventory = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        within_limits(&inventory)?;
        // What scripts calculate with has 63 bits.
        let numbers = inventory.disks.iter().map(|disk| disk.bytes);
        let rest = [inventory.memory_mib, inventory.cpus.sockets, inventory.cpus.threads];
        let speeds = inventory.nics.iter().filter_map(|nic| nic.speed_mbps);
        match numbers.chain(rest).chain(speeds).find(|number| i64::try_from(*number).is_err()) {
            Some(number) => Err(format!("{number} is no number of a machine")),
            None => Ok(inventory),
        }
    }
}

impl Wiped {
    /// Reads an agent's proof that `disks` are empty: for each of them, in order, all of its bytes.
    pub fn of(answer: serde_json::Value, disks: &[Meant]) -> Result<Vec<Wiped>, String> {
        let proof: Vec<Wiped> = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        if !proof.iter().map(|wiped| &wiped.disk).eq(disks.iter().map(|disk| &disk.id)) {
            return Err("it speaks of other disks".into());
        }
        for (wiped, meant) in proof.iter().zip(disks) {
            if wiped.bytes != meant.bytes {
                return Err(format!(
                    "disk `{}` had {} bytes when it was inventoried, and {} when it was wiped",
                    wiped.disk, meant.bytes, wiped.bytes
                ));
            }
            if wiped.bytes == 0 || wiped.read_back != wiped.bytes || i64::try_from(wiped.bytes).is_err() {
                return Err(format!(
                    "of disk `{}` {} of {} bytes were read back",
                    wiped.disk, wiped.read_back, wiped.bytes
                ));
            }
        }
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wiped(disk: &str, bytes: u64, read_back: u64) -> serde_json::Value {
        json!({"disk": disk, "method": "zero", "bytes": bytes, "was_empty": false, "read_back": read_back})
    }

    #[test]
    fn a_proof_is_of_all_bytes_of_the_disks_that_were_named() {
        let meant = |id: &str, bytes| Meant { id: id.into(), bytes, model: None, serial: None };
        let disks = [meant("a", 8), meant("b", 9)];
        let proof = |first, second| Wiped::of(json!([first, second]), &disks);
        assert_eq!(proof(wiped("a", 8, 8), wiped("b", 9, 9)).unwrap().len(), 2);
        for (first, second) in [
            (wiped("a", 8, 8), wiped("c", 9, 9)),
            (wiped("b", 8, 8), wiped("a", 9, 9)),
            (wiped("a", 8, 8), wiped("b", 9, 8)),
            (wiped("a", 0, 0), wiped("b", 9, 9)),
            (wiped("a", 8, 8), wiped("b", 10, 10)),
            (wiped("a", 8, 8), json!("b")),
        ] {
            assert!(proof(first, second).is_err());
        }
        assert!(Wiped::of(json!([wiped("a", 8, 8)]), &disks).is_err());
    }

    #[test]
    fn a_burn_in_took_its_time() {
        let answer = |seconds: u64, faults: u64| {
            json!({"seconds": seconds, "threads": 2, "memory_mib": 1, "rounds": 3, "faults": faults, "corrected": null,
                   "uncorrected": 0})
        };
        assert!(Stressed::of(answer(60, 0), 60).is_ok());
        assert!(Stressed::of(answer(59, 0), 60).unwrap_err().contains("59 s of 60 s"));
        assert!(Stressed::of(answer(60, u64::MAX), 60).is_err());
        assert!(Stressed::of(json!({"seconds": 60}), 60).is_err());
    }

    #[test]
    fn an_inventory_is_bounded_and_what_is_unknown_in_it_is_left_out() {
        let disk = json!({"id": "d", "name": "sda", "model": null, "serial": null, "bytes": 1, "rotational": false,
                          "removable": false, "in_use": null});
        let with = |disks: Vec<serde_json::Value>, memory: u64| {
            Inventory::of(json!({"vendor": null, "model": null, "serial": null, "uuid": null, "bios": null,
                "cpus": {"model": null, "sockets": 1, "threads": 2}, "memory_mib": memory, "disks": disks, "nics": []}))
        };
        assert_eq!(with(vec![disk.clone()], 1).unwrap().disks[0].transport, "unknown");
        let mut newer = disk.clone();
        newer["zoned"] = json!(true);
        assert!(with(vec![newer], 1).is_ok());
        assert!(with(vec![disk.clone(); 1025], 1).unwrap_err().contains("1025"));
        assert!(with(vec![json!({"id": "d"})], 1).is_err());
        assert!(with(vec![], u64::MAX).unwrap_err().contains("no number"));
        assert!(Inventory::of(json!({"disks": []})).is_err());
    }
}
