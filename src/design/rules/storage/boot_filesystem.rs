//! A filesystem at `/boot` has at least 1 GiB, and one at `/boot/efi` is one that firmware reads.
//!
//! Why: kernels pile up in `/boot`, and firmware reads nothing but FAT (UEFI 2.10, 13.3). Example:
//! `partition "boot" size="500m" { filesystem "ext4" mount="/boot" }`. Fix: write `size="1g"` or more, and
//! `filesystem "vfat"` at `/boot/efi`.

use super::finding;
use super::layout::{Filesystem, Layout};
use crate::finding::{BOOT_FILESYSTEM, Finding};

const BOOT: &str = "/boot";
const LEAST_BYTES: u64 = 1 << 30;
const EFI: &str = "/boot/efi";
const READ_BY_FIRMWARE: &str = "vfat";

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    for part in layout.mounted_at(BOOT) {
        if part.is_below(LEAST_BYTES) {
            let message = format!("the boot filesystem on `{}` has less than 1 GiB", part.name);
            let finding = finding(layout.node, BOOT_FILESYSTEM, &part.path.join("size"), message);
            findings.push(finding.help("write size=\"1g\" or more"));
        }
    }
    let unreadable = |it: &&Filesystem<'_>| it.mount == Some(EFI) && it.kind != READ_BY_FIRMWARE;
    for filesystem in layout.new_filesystems().filter(unreadable) {
        let message = format!("firmware cannot read the filesystem `{}` at `{EFI}`", filesystem.kind);
        let finding = finding(layout.node, BOOT_FILESYSTEM, &filesystem.path.join("type"), message);
        findings.push(finding.help("write filesystem \"vfat\" mount=\"/boot/efi\""));
    }
}
