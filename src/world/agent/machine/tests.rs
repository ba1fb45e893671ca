//! A machine in a folder: read as a real one, wiped for real.

use super::*;
use serde_json::json;
use std::fs;

/// A machine with one disk for each name, of 64 KiB each, in use or not as its files say.
fn tree(disks: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write(root.path(), path, text);
    write("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    write("sys/class/dmi/id/product_name", "To Be Filled By O.E.M.\n");
    write("sys/class/dmi/id/product_uuid", "4c4c4544-0042-4c10-8051-b9c04f4d3132\n");
    write(
        "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Xeon\nphysical id\t: 0\n\nprocessor\t: 1\nphysical id\t: 1\n",
    );
    write("proc/meminfo", "MemTotal:       65536000 kB\nMemFree: 1 kB\n");
    for (nic, mac) in [("eth0", "52:54:00:12:34:01"), ("br0", "52:54:00:00:00:99")] {
        write(&format!("sys/class/net/{nic}/address"), mac);
        if nic == "eth0" {
            write("sys/class/net/eth0/device/vendor", "0x8086");
            write("sys/class/net/eth0/carrier", "1\n");
            write("sys/class/net/eth0/speed", "25000\n");
        }
    }
    write("proc/sys/kernel/random/boot_id", "1f3c9a2e-0d5b-4a53-8d4c-6d1d7f0c2b11\n");
    for (index, disk) in disks.iter().enumerate() {
        write(&format!("sys/block/{disk}/device/model"), "PM9A3           \n");
        write(&format!("sys/block/{disk}/device/serial"), &format!("S{index}\n"));
        write(&format!("sys/block/{disk}/size"), "128\n");
        write(&format!("sys/block/{disk}/dev"), &format!("8:{index}\n"));
        write(&format!("sys/block/{disk}/queue/rotational"), "0\n");
        write(&format!("sys/block/{disk}/ro"), "0\n");
        fs::create_dir_all(root.path().join("dev")).unwrap();
        fs::write(root.path().join("dev").join(disk), vec![7u8; 64 << 10]).unwrap();
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn machine(root: &tempfile::TempDir) -> Machine {
    Machine::new(root.path().into(), Vec::new())
}

/// The disks with these ids as the machine inventories them now.
fn meant(machine: &Machine, ids: &[&str]) -> Vec<Meant> {
    let there = machine.inventory().disks;
    let meant = |id: &&str| {
        let disk = there.iter().find(|disk| disk.id == *id);
        Meant {
            id: id.to_string(),
            bytes: disk.map_or(0, |disk| disk.bytes),
            model: disk.and_then(|disk| disk.model.clone()),
            serial: disk.and_then(|disk| disk.serial.clone()),
        }
    };
    ids.iter().map(meant).collect()
}

fn wipe(machine: &Machine, disks: &[&str], method: Method) -> Result<Vec<Wiped>, MachineError> {
    machine.wipe(&meant(machine, disks), method, &Progress::default())
}

#[test]
fn a_machine_is_read_from_its_tree() {
    let root = tree(&["nvme0n1", "sda"]);
    write(root.path(), "sys/block/nvme0n1/wwid", "eui.0025  38b8\n");
    // No disks: a loop device, a CD drive, and one that is too small to be there.
    write(root.path(), "sys/block/loop0/size", "8");
    write(root.path(), "sys/block/sr0/device/type", "5");
    write(root.path(), "sys/block/sr0/size", "8");
    let seen = serde_json::to_value(machine(&root).inventory()).unwrap();
    let disk = |id: &str, name: &str, serial: &str| {
        json!({"id": id, "name": name, "model": "PM9A3", "serial": serial, "bytes": 65536, "rotational": false,
               "removable": false, "transport": "unknown", "in_use": null})
    };
    let wanted = json!({
        "vendor": "Dell Inc.", "model": null, "serial": null, "uuid": "4c4c4544-0042-4c10-8051-b9c04f4d3132",
        "bios": null, "cpus": {"model": "Xeon", "sockets": 2, "threads": 2}, "memory_mib": 64000,
        "disks": [disk("eui.0025_38b8", "nvme0n1", "S0"), disk("S1", "sda", "S1")],
        "nics": [{"name": "eth0", "mac": "52:54:00:12:34:01", "link": true, "speed_mbps": 25000}],
    });
    assert_eq!(seen, wanted);
    assert_eq!(machine(&root).identity().macs, ["52:54:00:12:34:01".parse().unwrap()]);
    assert!(Inventory::of(seen).is_ok());
    let nothing = tempfile::tempdir().unwrap();
    assert!(Inventory::of(serde_json::to_value(machine(&nothing).inventory()).unwrap()).is_ok());
}

#[test]
fn disks_that_share_an_id_are_told_apart() {
    let root = tree(&["sda", "sdb"]);
    write(root.path(), "sys/block/sdb/device/serial", "S0");
    let ids: Vec<String> = machine(&root).disks().into_iter().map(|found| found.disk.id).collect();
    assert_eq!(ids, ["sda@1f3c9a2e", "sdb@1f3c9a2e"]);
}

#[test]
fn a_name_is_good_for_one_boot_and_without_a_boot_for_none() {
    let root = tree(&["sda"]);
    fs::remove_file(root.path().join("sys/block/sda/device/serial")).unwrap();
    let inventoried = meant(&machine(&root), &["sda@1f3c9a2e"]);
    write(root.path(), "proc/sys/kernel/random/boot_id", "77aa00bb-0d5b-4a53-8d4c-6d1d7f0c2b11\n");
    let again = machine(&root).wipe(&inventoried, Method::Zero, &Progress::default()).unwrap_err();
    assert_eq!(again.to_string(), "there is no disk `sda@1f3c9a2e`; there is sda@77aa00bb");
    fs::remove_file(root.path().join("proc/sys/kernel/random/boot_id")).unwrap();
    let error = wipe(&machine(&root), &["sda@unknown-boot"], Method::Zero).unwrap_err().to_string();
    assert!(error.contains("does not say which boot this is"), "{error}");
    assert_eq!(fs::read(root.path().join("dev/sda")).unwrap(), vec![7u8; 64 << 10]);
}

#[test]
fn a_disk_that_is_not_the_one_that_was_inventoried_is_not_touched() {
    let root = tree(&["sda", "sdb"]);
    let inventoried = meant(&machine(&root), &["S0", "S1"]);
    for (file, text) in [("sys/block/sdb/device/model", "MZ7L3"), ("sys/block/sdb/size", "64\n")] {
        let root = tree(&["sda", "sdb"]);
        write(root.path(), file, text);
        let error = machine(&root).wipe(&inventoried, Method::Zero, &Progress::default()).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("disk `S1` is not touched: PM9A3 with S1 and 65536 bytes was"), "{error}");
        assert!(error.contains("now it is MZ7L3") || error.ends_with("S1 and 32768 bytes"), "{error}");
        assert_eq!(fs::read(root.path().join("dev/sda")).unwrap(), vec![7u8; 64 << 10]);
    }
}

#[test]
fn disks_are_wiped_at_the_same_time_and_answered_in_their_order() {
    let names: Vec<String> = (0..6).map(|index| format!("sd{}", (b'a' + index) as char)).collect();
    let root = tree(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let ids = ["S5", "S0", "S3", "S1", "S2", "S4"];
    let machine = machine(&root);
    let chosen = meant(&machine, &ids);
    let open = |ids: &[Meant]| -> Vec<wipe::Open> {
        let there = machine.disks();
        chosen_of(&there, ids).into_iter().map(|found| wipe::Open::new(found).unwrap()).collect()
    };
    let proof = wipe::all(open(&chosen), 2, Method::Zero, &Progress::default()).unwrap();
    assert_eq!(proof.iter().map(|wiped| wiped.disk.as_str()).collect::<Vec<_>>(), ids);
    assert!(proof.iter().all(|wiped| !wiped.was_empty && wiped.read_back == 65536));
    // One that ends before its end fails the order, by its name.
    let opened = open(&chosen);
    fs::OpenOptions::new().write(true).open(root.path().join("dev/sdd")).unwrap().set_len(512).unwrap();
    let error = wipe::all(opened, 6, Method::Zero, &Progress::default()).unwrap_err().to_string();
    assert!(error.starts_with("disk `S3` cannot be read"), "{error}");
}

fn chosen_of<'a>(there: &'a [disks::Found], ids: &[Meant]) -> Vec<&'a disks::Found> {
    chosen(there, ids).unwrap()
}

#[test]
fn a_disk_is_wiped_and_read_back_and_an_empty_one_is_left_alone() {
    let root = tree(&["sda", "sdb"]);
    for (method, disk, id) in [(Method::Zero, "sda", "S0"), (Method::Discard, "sdb", "S1")] {
        let proof = wipe(&machine(&root), &[id], method).unwrap();
        let wiped = |was_empty| Wiped {
            disk: id.into(),
            method: method.word().into(),
            bytes: 65536,
            was_empty,
            read_back: 65536,
        };
        assert_eq!(proof, [wiped(false)]);
        let path = root.path().join("dev").join(disk);
        assert_eq!(fs::read(&path).unwrap(), vec![0u8; 65536]);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(wipe(&machine(&root), &[id], method).unwrap(), [wiped(true)]);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    }
}

#[test]
fn what_is_in_use_or_not_there_keeps_every_disk_from_being_touched() {
    let full = vec![7u8; 64 << 10];
    for (file, text, why) in [
        ("proc/self/mountinfo", "36 35 8:17 / /srv rw - ext4 /dev/sdb1 rw", "sdb1 is mounted at /srv"),
        ("proc/self/mountinfo", "36 35 0:44 / /srv rw - btrfs /dev/sdb1 rw", "sdb1 is mounted at /srv"),
        ("proc/swaps", "Filename Type\n/dev/sdb1 partition 1 0 -2", "sdb1 is used as swap"),
        ("sys/block/sdb/sdb1/holders/md0", "", "sdb1 is part of md0"),
        ("sys/block/sdb/ro", "1", "it is read-only"),
    ] {
        let root = tree(&["sda", "sdb"]);
        write(root.path(), "sys/block/sdb/sdb1/partition", "1");
        write(root.path(), "sys/block/sdb/sdb1/dev", "8:17");
        write(root.path(), file, text);
        let error = wipe(&machine(&root), &["S0", "S1"], Method::Zero).unwrap_err().to_string();
        assert_eq!(error, format!("disk `S1` is not touched: {why}"));
        assert_eq!(fs::read(root.path().join("dev/sda")).unwrap(), full, "{why}");
    }
    let root = tree(&["sda"]);
    for (ids, why) in [
        (&["S0", "S9"][..], "there is no disk `S9`; there is S0"),
        (&["S0", "S0"], "disk `S0` is named twice"),
        (&[], "no disk is named"),
    ] {
        assert_eq!(wipe(&machine(&root), ids, Method::Zero).unwrap_err().to_string(), why);
    }
    fs::write(root.path().join("dev/sda"), "").unwrap();
    assert_eq!(
        wipe(&machine(&root), &["S0"], Method::Zero).unwrap_err().to_string(),
        "disk `S0` has no bytes"
    );
}

#[test]
fn a_file_stands_for_the_disks_and_the_own_ones_are_out_of_reach() {
    let root = tree(&["sda"]);
    let file = root.path().join("rehearsal.img");
    fs::write(&file, vec![7u8; 5 << 20]).unwrap();
    let name = file.display().to_string();
    let machine = Machine::new(root.path().into(), vec![file.clone()]);
    assert!(matches!(wipe(&machine, &["S0"], Method::Zero), Err(MachineError::NoDisk(..))));
    let progress = Progress::default();
    let proof = machine.wipe(&meant(&machine, &[&name]), Method::Zero, &progress).unwrap();
    assert_eq!((proof[0].bytes, proof[0].was_empty), (5 << 20, false));
    assert_eq!(progress.done.load(Ordering::Relaxed), progress.of.load(Ordering::Relaxed));
    // What shows it as a disk elsewhere may be mounted.
    let real = fs::canonicalize(&file).unwrap().display().to_string();
    write(root.path(), "sys/block/loop3/loop/backing_file", &real);
    let error = wipe(&machine, &[&name], Method::Zero).unwrap_err().to_string();
    assert!(error.ends_with("it is the content of loop3"), "{error}");
    let folder = Machine::new(root.path().into(), vec![root.path().join("dev")]);
    let error = wipe(&folder, &[&root.path().join("dev").display().to_string()], Method::Zero).unwrap_err();
    assert!(error.to_string().ends_with("neither a file nor a disk"), "{error}");
}

#[test]
fn an_order_that_is_taken_back_stops() {
    let root = tree(&["sda"]);
    let progress = Progress::default();
    progress.stop.store(true, Ordering::Relaxed);
    let machine = machine(&root);
    let stopped = machine.wipe(&meant(&machine, &["S0"]), Method::Zero, &progress);
    assert!(matches!(stopped, Err(MachineError::Stopped)));
    assert_eq!(fs::read(root.path().join("dev/sda")).unwrap(), vec![7u8; 64 << 10]);
}
