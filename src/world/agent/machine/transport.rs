//! How a disk is attached, from where it hangs in the kernel's tree of devices (`/sys/devices`).
//!
//! `removable` of sysfs says nothing of this: a LUN of a storage network and a USB disk are no more removable there than what
//! is built in. What is not known for certain is `unknown`.

use super::{names, text};
use std::path::Path;

pub const UNKNOWN: &str = "unknown";
/// A file or device that the agent was given in place of the machine's disks.
pub const NAMED: &str = "named";

/// Kernel drivers of controllers in the machine that show their drives, or volumes of them, as plain SCSI disks.
const RAID_DRIVERS: &[&str] = &[
    "3w-9xxx",
    "3w-sas",
    "aacraid",
    "arcmsr",
    "hpsa",
    "megaraid_sas",
    "mpi3mr",
    "mpt2sas",
    "mpt3sas",
    "mptsas",
    "smartpqi",
];

/// The transport of the disk that the kernel calls `name`: one of `ata`, `sas`, `raid`, `nvme`, `virtio`, which are in the
/// machine, or `fc`, `iscsi`, `usb`, `nvme-fabrics` and `unknown`.
pub fn of(root: &Path, name: &str) -> &'static str {
    let (Ok(root), Ok(path)) =
        (std::fs::canonicalize(root), std::fs::canonicalize(root.join("sys/block").join(name)))
    else {
        return UNKNOWN;
    };
    let Ok(inside) = path.strip_prefix(root.join("sys/devices")) else { return UNKNOWN };
    let parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if numbered(name, "nvme") {
        return nvme(&path, &parts);
    }
    let any = |prefix: &str| parts.iter().any(|part| numbered(part, prefix));
    let host = parts.iter().find(|part| numbered(part, "host"));
    let is_host_of =
        |class: &str| host.is_some_and(|host| root.join("sys/class").join(class).join(host).exists());
    match () {
        () if any("usb") => "usb",
        // Behind an rport (scsi_transport_fc), FCoE as well.
        () if any("rport-") || is_host_of("fc_host") => "fc",
        () if any("session") || is_host_of("iscsi_host") => "iscsi",
        () if is_host_of("srp_host") => UNKNOWN,
        () if any("virtio") => "virtio",
        () if any("ata") => "ata",
        () if any("end_device-") => "sas",
        () if any("pci") && host.is_some_and(|host| is_raid(&path, host)) => "raid",
        () => UNKNOWN,
    }
}

/// `prefix` and a number, and what may follow it.
fn numbered(part: &str, prefix: &str) -> bool {
    part.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// Whether the device above the SCSI host is a RAID controller's.
fn is_raid(path: &Path, host: &str) -> bool {
    let Some(above) = path.ancestors().find(|folder| folder.ends_with(host)).and_then(Path::parent) else {
        return false;
    };
    let driver = std::fs::canonicalize(above.join("driver")).ok();
    let name = driver.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| RAID_DRIVERS.contains(&name.as_str()))
}

/// Every controller that leads to the namespace: the one that it hangs from, or those of its subsystem.
fn nvme(path: &Path, parts: &[String]) -> &'static str {
    let Some(parent) = path.parent() else { return UNKNOWN };
    let own = text(&parent.join("transport"));
    let others = names(parent).into_iter().filter(|name| numbered(name, "nvme"));
    let others = others.filter_map(|name| text(&parent.join(name).join("transport")));
    let transports: Vec<String> = own.into_iter().chain(others).collect();
    match transports.is_empty() {
        _ if parts.iter().any(|part| part == "nvme-fabrics") => "nvme-fabrics",
        true => UNKNOWN,
        false if transports.iter().all(|transport| transport == "pcie") => "nvme",
        false => "nvme-fabrics",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    const PCI: &str = "pci0000:3a/0000:3a:00.0/0000:3b:00.0";

    /// A tree with one disk at `path` below `/sys/devices`, and what else is there.
    fn seen(path: &str, files: &[(&str, &str)], driver: Option<(&str, &str)>) -> &'static str {
        let root = tempfile::tempdir().unwrap();
        let device = root.path().join("sys/devices").join(path);
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(root.path().join("sys/block")).unwrap();
        let name = device.file_name().unwrap().to_str().unwrap();
        symlink(&device, root.path().join("sys/block").join(name)).unwrap();
        for (file, content) in files {
            let file = root.path().join("sys").join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        if let Some((of, name)) = driver {
            let driver = root.path().join("sys/bus/pci/drivers").join(name);
            fs::create_dir_all(&driver).unwrap();
            symlink(&driver, root.path().join("sys/devices").join(of).join("driver")).unwrap();
        }
        of(root.path(), name)
    }

    #[test]
    fn scsi_disks_of_each_kind_are_told_apart() {
        let scsi = |path: &str| seen(&format!("{PCI}/{path}"), &[], Some((PCI, "some_hba")));
        for (path, wanted) in [
            ("ata1/host0/target0:0:0/0:0:0:0/block/sda", "ata"),
            ("host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda", "sas"),
            ("host0/port-0:0/expander-0:0/port-0:0:1/end_device-0:0:1/target0:0:1/0:0:1:0/block/sda", "sas"),
            ("virtio1/block/vda", "virtio"),
            ("virtio1/host2/target2:0:0/2:0:0:0/block/sda", "virtio"),
            ("host5/rport-5:0-2/target5:0:0/5:0:0:0/block/sdb", "fc"),
            ("host6/session1/target6:0:0/6:0:0:0/block/sdc", "iscsi"),
            ("usb2/2-1/2-1:1.0/host7/target7:0:0/7:0:0:0/block/sdd", "usb"),
            ("host8/target8:0:0/8:0:0:0/block/sde", "unknown"),
            ("mmc_host/mmc0/mmc0:0001/block/mmcblk0", "unknown"),
        ] {
            assert_eq!(scsi(path), wanted, "{path}");
        }
        assert_eq!(seen("platform/host6/session1/target6:0:0/6:0:0:0/block/sdc", &[], None), "iscsi");
    }

    #[test]
    fn a_raid_controller_is_known_by_its_driver_and_a_storage_network_by_its_class() {
        let path = format!("{PCI}/host0/target0:2:0/0:2:0:0/block/sda");
        for (driver, wanted) in
            [("megaraid_sas", "raid"), ("smartpqi", "raid"), ("mpi3mr", "raid"), ("mlx5_core", "unknown")]
        {
            assert_eq!(seen(&path, &[], Some((PCI, driver))), wanted, "{driver}");
        }
        for (class, wanted) in [("fc_host", "fc"), ("iscsi_host", "iscsi"), ("srp_host", "unknown")] {
            let file = format!("class/{class}/host0/port_name");
            assert_eq!(seen(&path, &[(&file, "1")], Some((PCI, "megaraid_sas"))), wanted, "{class}");
        }
    }

    #[test]
    fn a_namespace_is_local_when_every_way_to_it_is() {
        let direct = format!("{PCI}/nvme/nvme0/nvme0n1");
        let transport = format!("devices/{PCI}/nvme/nvme0/transport");
        assert_eq!(seen(&direct, &[(&transport, "pcie\n")], None), "nvme");
        assert_eq!(seen(&direct, &[], None), "unknown");
        assert_eq!(seen("virtual/nvme-fabrics/ctl/nvme1/nvme1n1", &[], None), "nvme-fabrics");
        let subsystem = "virtual/nvme-subsystem/nvme-subsys0";
        let ways = |first: &str, second: &str| {
            let file = |name: &str| format!("devices/{subsystem}/{name}/transport");
            let (a, b) = (file("nvme0"), file("nvme3"));
            seen(&format!("{subsystem}/nvme0n1"), &[(&a, first), (&b, second)], None)
        };
        assert_eq!((ways("pcie", "pcie"), ways("pcie", "tcp")), ("nvme", "nvme-fabrics"));
        assert_eq!(ways("fc", "fc"), "nvme-fabrics");
    }

    #[test]
    fn a_disk_without_a_place_is_unknown() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("sys/block/sda/device")).unwrap();
        assert_eq!((of(root.path(), "sda"), of(root.path(), "sdb")), ("unknown", "unknown"));
    }
}
