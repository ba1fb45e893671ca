//! What an order does: the inventory of a rehearsal machine, its burn-in, and the wipe of its one disk.
//!
//! Owns the answers in the form of the wire. Speaks to nobody.

use super::super::super::machine::Machine;
use super::super::super::machine::activity::Cut;
use super::take::Taker;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A rehearsal machine has this one disk.
const DISK: &str = "sda";
const MODEL: &str = "virtual disk";
/// Wiping takes a moment at least, so that there is a middle in which something can happen.
const HALF_A_WIPE: Duration = Duration::from_millis(400);

#[derive(Deserialize)]
pub struct Order {
    pub id: String,
    #[serde(flatten)]
    work: Work,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Work {
    Inventory,
    #[serde(rename_all = "kebab-case")]
    Stress {
        seconds: u64,
        memory_percent: u64,
    },
    Wipe {
        disks: Vec<Named>,
        method: String,
    },
    #[serde(other)]
    Unknown,
}

/// A disk as the control side knows it.
#[derive(Deserialize)]
struct Named {
    id: String,
    bytes: u64,
    model: Option<String>,
    serial: Option<String>,
}

/// The answer, or why there is none.
pub async fn carry_out(taker: &Taker<'_>, order: &Order) -> Result<Result<Value, String>, Cut> {
    match &order.work {
        Work::Inventory => Ok(Ok(inventory(taker.activity.machine()))),
        Work::Stress { seconds, memory_percent } => Ok(Ok(stress(taker, *seconds, *memory_percent).await)),
        Work::Wipe { disks, method } => wipe(taker, &order.id, disks, method).await,
        Work::Unknown => Ok(Err("the agent does not know such an order".into())),
    }
}

fn disk_id(machine: &Machine) -> String {
    format!("virtual-{}", machine.identity().serial.to_lowercase())
}

fn disk_serial(machine: &Machine) -> String {
    format!("{}-D1", machine.identity().serial)
}

/// Whether what is named is the disk that the machine has, in every respect.
fn is_own(machine: &Machine, disk: &Named) -> bool {
    let seen = (disk.id.as_str(), disk.bytes, disk.model.as_deref(), disk.serial.as_deref());
    seen == (&disk_id(machine), machine.spec.boot_bytes(), Some(MODEL), Some(&disk_serial(machine)))
}

fn inventory(machine: &Machine) -> Value {
    let (spec, identity) = (&machine.spec, machine.identity());
    let nics = identity.macs.iter().enumerate();
    let nics: Vec<Value> = nics
        .map(|(index, mac)| {
            json!({"name": format!("eth{index}"), "mac": mac, "link": index == 0, "speed_mbps": 25_000})
        })
        .collect();
    json!({
        "vendor": spec.vendor,
        "model": spec.model,
        "serial": identity.serial,
        "uuid": identity.uuid,
        "bios": "1.0-virtual",
        "cpus": {"model": "virtual", "sockets": 1, "threads": spec.cores},
        "memory_mib": u64::from(spec.memory_gib) << 10,
        "disks": [{
            "id": disk_id(machine),
            "name": DISK,
            "model": MODEL,
            "serial": disk_serial(machine),
            "bytes": spec.boot_bytes(),
            "rotational": false,
            "removable": false,
            "transport": "ata",
            "in_use": null,
        }],
        "nics": nics,
    })
}

/// A rehearsal does not take the time that it says.
async fn stress(taker: &Taker<'_>, seconds: u64, memory_percent: u64) -> Value {
    let (activity, machine) = (taker.activity, taker.activity.machine());
    activity.lasts("stress", HALF_A_WIPE).await;
    let faulty = machine.around.faults.stress_fails(&machine.spec.node, machine.next_order());
    json!({
        "seconds": seconds,
        "threads": machine.spec.cores,
        "memory_mib": (u64::from(machine.spec.memory_gib) << 10) * memory_percent.min(95) / 100,
        "rounds": seconds,
        "faults": u64::from(faulty),
        "corrected": 0,
        "uncorrected": 0,
    })
}

async fn wipe(
    taker: &Taker<'_>,
    id: &str,
    disks: &[Named],
    method: &str,
) -> Result<Result<Value, String>, Cut> {
    let (activity, machine) = (taker.activity, taker.activity.machine());
    let (own, bytes) = (disk_id(machine), machine.spec.boot_bytes());
    if !matches!(disks, [disk] if is_own(machine, disk)) {
        let named: Vec<String> = disks
            .iter()
            .map(|disk| format!("`{}` ({:?}, {:?}, {} bytes)", disk.id, disk.model, disk.serial, disk.bytes))
            .collect();
        return Ok(Err(format!("the machine has the disk `{own}` alone, not {}", named.join(", "))));
    }
    if !["zero", "discard"].contains(&method) {
        return Ok(Err(format!("the agent cannot wipe by `{method}`")));
    }
    let content = match machine.folder.examine(machine.remembered_content()).await {
        Ok(content) => content,
        Err(error) => return Ok(Err(format!("disk `{own}` cannot be read: {error}"))),
    };
    if content.is_some() {
        let count = machine.next_order();
        let (faults, node) = (&machine.around.faults, &machine.spec.node);
        activity.wipe_starts(&own, method, id)?;
        // From the first byte on nothing boots from it, and it is not empty yet.
        if let Err(error) = activity.leave_remains()? {
            activity.wipe_ends("failed", Some(&error.to_string()))?;
            return Ok(Err(format!("disk `{own}` cannot be written: {error}")));
        }
        activity.lasts("wipe", HALF_A_WIPE).await;
        if faults.wipe_cut(node, count) {
            activity.loses_power()?;
            return activity.halted().await;
        }
        taker.under_way(id, bytes, bytes.saturating_mul(2)).await;
        if faults.wipe_fails(node, count) {
            let why = format!("disk `{own}` cannot be written: fault: a block is bad");
            activity.wipe_ends("failed", Some(&why))?;
            return Ok(Err(why));
        }
        activity.lasts("wipe", HALF_A_WIPE).await;
        activity.wipe()?;
        activity.wipe_ends("wiped", None)?;
    }
    let was_empty = content.is_none();
    Ok(Ok(json!([
        {"disk": own, "method": method, "bytes": bytes, "was_empty": was_empty, "read_back": bytes},
    ])))
}
