//! Where the disk of the system is divided up, one filesystem is mounted at `/`, and it has at least 20 GiB.
//!
//! Why: an installed system without room for itself fails in the middle of its first upgrade. Example:
//! `partition "root" size="10g" { filesystem "ext4" mount="/" }`. Fix: write `size="20g"` or more. A disk
//! image brings its own root filesystem, so disks that only hold data need none. A share of a disk cannot be judged, and
//! two filesystems at `/` are found by `mount_points.rs`.

use super::finding;
use super::layout::{Disk, Layout};
use crate::finding::{Finding, ROOT_FILESYSTEM};

const ROOT: &str = "/";
/// Who divides up one of these has the system's own disk in hand.
const OF_THE_SYSTEM: &[&str] = &["/boot", "/boot/efi", "/efi", "/usr"];
const DISK_IMAGE: &str = "disk-image";
const LEAST_BYTES: u64 = 20 << 30;

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    for part in layout.mounted_at(ROOT) {
        if part.is_below(LEAST_BYTES) {
            let message = format!("the root filesystem on `{}` has less than 20 GiB", part.name);
            let finding = finding(layout.node, ROOT_FILESYSTEM, &part.path.join("size"), message);
            findings.push(finding.help("write size=\"20g\" or more, or size=\">20g\""));
        }
    }
    let Some(first) = layout.parts().next() else { return };
    if needs_root(layout) && !layout.filesystems().any(|it| it.mount == Some(ROOT)) {
        let message = format!("node `{}` has no filesystem that is mounted at `/`", layout.node.node.name);
        let finding = finding(layout.node, ROOT_FILESYSTEM, &first.path, message);
        findings
            .push(finding.help("write filesystem \"ext4\" mount=\"/\" in a partition, a volume or a raid"));
    }
}

/// True when nothing but the layout can bring the root filesystem.
fn needs_root(layout: &Layout<'_>) -> bool {
    let spec = &layout.node.node.spec;
    let of_the_system = |mount: &str| OF_THE_SYSTEM.contains(&mount);
    let root_disk = spec.str_at("storage.root.name");
    let divided = |disk: &Disk<'_>| !disk.keep && !disk.partitions.is_empty();
    spec.str_at("image.method") != Some(DISK_IMAGE)
        || layout.new_filesystems().any(|it| it.mount.is_some_and(of_the_system))
        || layout.disks.iter().any(|disk| Some(disk.name) == root_disk && divided(disk))
}
