//! The disk as a boot device, and what the system on it does: it says of itself that it runs.
//!
//! Owns the start of an installed system and its phone-home. Writes no disk.

use super::super::machine::activity::{Activity, After, Cut};
use super::super::machine::settings::{Running, Target};
use super::report;
use serde_json::json;
use std::time::Duration;

const SYSTEM_MARK: &str = "rackwright virtual image: ";
/// How long a system takes to come up.
const START: Duration = Duration::from_millis(30);

/// Boots the disk. Comes back only when there is nothing to boot.
pub async fn boot(activity: &Activity, device: Target) -> Result<After, Cut> {
    let machine = activity.machine();
    let content = match machine.folder.examine(machine.remembered_content()).await {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(After::Next("the disk is empty".into())),
        Err(error) => return Ok(After::Next(format!("the disk cannot be read: {error}"))),
    };
    let Some(image) =
        content.first_line.strip_prefix(SYSTEM_MARK).map(str::trim).filter(|name| !name.is_empty())
    else {
        return Ok(After::Next("the disk is not bootable".into()));
    };
    activity.boot_starts(device, image)?;
    tokio::time::sleep(START).await;
    let Ok(boot_id) = boot_id() else {
        activity.boot_ends("failed", Some("the system has no randomness"))?;
        return Ok(After::Logged);
    };
    let running = Running { image: image.to_string(), checksum: content.checksum, boot_id, reported: false };
    activity.system_runs(running.clone())?;
    stay(activity, running).await
}

/// What a running system does, from its start or from a restart of the rack on: reports once, then stays.
pub async fn stay(activity: &Activity, running: Running) -> Result<After, Cut> {
    if !running.reported {
        phone_home(activity, &running).await;
        activity.system_reported()?;
    }
    activity.halted().await
}

async fn phone_home(activity: &Activity, running: &Running) {
    let machine = activity.machine();
    let Some(kept) = machine.kept() else { return };
    let Some(url) = &kept.phone_home else { return };
    let event = json!({
        "event": "booted",
        "image": {"name": running.image, "checksum": running.checksum},
        "boot-id": running.boot_id,
        "kernel-params": kept.kernel_params,
        "identity": machine.identity(),
    });
    if let Err(error) = report::post(machine, url, &event).await {
        tracing::info!(node = %machine.spec.node, %error, "the installed system is not heard");
    }
}

/// A random UUID (RFC 9562 version 4).
fn boot_id() -> Result<String, crate::id::NoRandomness> {
    let digits = crate::id::random_hex(16)?;
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default().to_string();
    Ok(format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32)))
}
