//! The firmware: self-test, then the boot order, again and again while there is power.
//!
//! Owns which device is tried next and what becomes of the boot override. The devices are in `boot/`.

use super::activity::{Activity, After, Cut};
use super::settings::{Enabled, Target};
use crate::virtual_rack::boot::{installed, network};
use crate::virtual_rack::spec::BootMode;
use std::time::Duration;

/// A server set to boot from disk, with the network behind it: how they are delivered.
const ORDER: [Target; 2] = [Target::Hdd, Target::Pxe];
const SELF_TEST: Duration = Duration::from_millis(20);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Resets in a row before the pauses between them have grown to their longest.
const QUICK_RESETS: u32 = 5;

/// Runs the firmware until the turn is over. It comes back only by being cut.
pub async fn run(activity: &Activity) -> Result<(), Cut> {
    let mut resets = 0u32;
    loop {
        activity.post()?;
        activity.lasts("self-test", SELF_TEST).await;
        boot(activity).await?;
        // A machine that does nothing but reset must not keep the whole rack busy.
        tokio::time::sleep(pause(resets.saturating_sub(1))).await;
        resets = (resets + 1).min(QUICK_RESETS + 1);
    }
}

/// Tries devices until something boots that ends in a reset. The override is read here, once: firmware reads
/// it at self-test, and what a client sets later is for the reset that the client will order.
async fn boot(activity: &Activity) -> Result<(), Cut> {
    let (once, always, mode) = take_override(activity)?;
    let mut once = once.into_iter();
    for round in 0.. {
        for device in once.by_ref().chain(always).chain(ORDER) {
            match attempt(activity, device, mode).await? {
                After::Reset => return Ok(()),
                After::Logged => {}
                After::Next(why) => activity.boot_fails(device, &why)?,
            }
        }
        tokio::time::sleep(pause(round)).await;
    }
    Ok(())
}

fn pause(count: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << count.min(QUICK_RESETS)).min(LONGEST_PAUSE)
}

/// The device that the override names for this time, the one that it names for every time, and the mode.
/// `Once` is used up as its attempt begins, as real firmware does.
fn take_override(activity: &Activity) -> Result<(Option<Target>, Option<Target>, BootMode), Cut> {
    let machine = activity.machine();
    let boot = machine.live().board.boot.clone();
    match (boot.enabled, boot.target) {
        (Enabled::Disabled, _) | (_, Target::None) => Ok((None, None, machine.spec.boot_mode)),
        (Enabled::Continuous, target) => Ok((None, Some(target), boot.mode)),
        (Enabled::Once, target) => {
            activity.use_override_up()?;
            Ok((Some(target), None, boot.mode))
        }
    }
}

async fn attempt(activity: &Activity, device: Target, mode: BootMode) -> Result<After, Cut> {
    let machine = activity.machine();
    if machine.around.faults.boot_fails(&machine.spec.node, machine.next_boot()) {
        return Ok(After::Next("fault: the device fails in firmware".into()));
    }
    match device {
        Target::Hdd => installed::boot(activity, device).await,
        Target::Pxe | Target::UefiHttp => network::boot(activity, device, mode).await,
        Target::BiosSetup => activity.halted().await,
        Target::Cd => Ok(After::Next("there is no medium".into())),
        Target::None => Ok(After::Next("there is no device".into())),
    }
}
