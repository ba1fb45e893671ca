//! Names that the Linux kernel or udev gives to disks and network interfaces.
//!
//! Owns the list of their forms, by which the rules tell them from names that a design makes up. Says nothing of
//! whether a machine has such a device.

/// How names begin, and what may follow: the device names of the kernel's documentation (`devices.txt`) and of
/// udev's predictable names (systemd.net-naming-scheme(7)).
const LETTERS: &[&str] = &["sd", "hd", "vd", "xvd"];
const NUMBERED: &[&str] = &[
    "nvme", "mmcblk", "md", "dm-", "pmem", "loop", "eth", "wlan", "ib", "usb", "bond", "br", "vlan", "team",
];
const PREDICTABLE: &[&str] = &["en", "ib", "sl", "wl", "ww"];

/// True for `sda`, `nvme0n1`, `/dev/disk/by-path/…`, `eno1`, `ens3f0`, `bond0`, `0` and their like.
pub fn is_given(name: &str) -> bool {
    let after = |begins: &[&str], fits: fn(&str) -> bool| {
        begins.iter().any(|begin| name.strip_prefix(begin).is_some_and(fits))
    };
    name.starts_with("/dev/")
        || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
        || after(LETTERS, |rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase()))
        || after(NUMBERED, |rest| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        || after(PREDICTABLE, is_place)
}

/// What follows `en`: on-board `o1`, slot `s3f0`, path `p0s31f6`, domain `P1p2s0`, MAC `x525400123401`.
fn is_place(rest: &str) -> bool {
    let kind = rest.starts_with(['o', 's', 'p', 'P', 'x', 'b', 'c', 'a', 'v', 'd']);
    kind && rest.bytes().any(|byte| byte.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kernel_and_udev_are_told_from_made_up_ones() {
        for name in [
            "sda",
            "sdaa",
            "vdb",
            "nvme0n1",
            "mmcblk0",
            "md0",
            "dm-3",
            "/dev/disk/by-path/x",
            "eth0",
            "eno1",
            "ens3f0",
            "enp0s31f6",
            "enP1p2s0",
            "enx525400123401",
            "bond0",
            "br0",
            "0",
            "17",
            "ibp5s0",
            "wlp2s0",
            "ib0",
        ] {
            assert!(is_given(name), "{name}");
        }
        for name in [
            "",
            "sd",
            "nic1",
            "prim_nic01",
            "boot-disk",
            "prod",
            "ether",
            "enough",
            "bonding",
            "sd-a",
            "data1",
        ] {
            assert!(!is_given(name), "{name}");
        }
    }
}
