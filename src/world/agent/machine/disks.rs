//! The disks of a machine, and whether one is in use: mounted, used as swap, part of something, or read-only.
//!
//! Whoever opens a disk to write asks the kernel for it exclusively besides: what is missed here is refused there.

use super::super::inventory::Disk;
use super::{names, text, transport};
use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The unit of `size` in `/sys/block`, whatever the disk's own blocks are.
const SECTOR_BYTES: u64 = 512;

/// A disk, and where it is opened.
pub struct Found {
    pub disk: Disk,
    pub path: PathBuf,
}

/// Every disk with a device behind it.
pub fn all(root: &Path) -> Vec<Found> {
    let folder = root.join("sys/block");
    let mut found: Vec<Found> = names(&folder).into_iter().filter_map(|name| disk(root, &name)).collect();
    let boot = text(&root.join("proc/sys/kernel/random/boot_id"));
    let boot = boot.as_deref().and_then(|id| id.split('-').next()).filter(|id| !id.is_empty());
    // Two disks of one id are told apart by their names, as one without any is.
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for one in &found {
        *count.entry(one.disk.id.clone()).or_default() += 1;
    }
    for one in &mut found {
        if one.disk.id.is_empty() || count.get(&one.disk.id).is_some_and(|count| *count > 1) {
            name_for_now(&mut one.disk, boot);
        }
    }
    found
}

/// A name may be another disk's after a restart: the id holds the kernel's own id of this boot (random(4)), and no other boot
/// knows it.
fn name_for_now(disk: &mut Disk, boot: Option<&str>) {
    disk.id = format!("{}@{}", disk.name, boot.unwrap_or("unknown-boot"));
    if boot.is_none() && disk.in_use.is_none() {
        disk.in_use = Some("it has no id, and the kernel does not say which boot this is".into());
    }
}

/// sysfs, `/sys/block/NAME`; without an id where the disk has none of its own.
fn disk(root: &Path, name: &str) -> Option<Found> {
    let folder = root.join("sys/block").join(name);
    let read = |file: &str| text(&folder.join(file));
    let flag = |file: &str| read(file).is_some_and(|text| text == "1");
    // SCSI type 5 and its kind are no disks (SPC-4, 6.6.2); hidden ones are paths to another.
    let kind = read("device/type").and_then(|kind| kind.parse::<u32>().ok());
    let is_other = kind.is_some_and(|kind| kind != 0 && kind != 20);
    if !folder.join("device").exists() || is_other || flag("hidden") {
        return None;
    }
    let bytes = size(&folder).filter(|bytes| *bytes > 0)?;
    let serial = read("device/serial").or_else(|| read("serial"));
    let wwid = read("wwid").or_else(|| read("device/wwid")).map(|text| one_word(&text));
    let id = wwid.or_else(|| serial.as_deref().map(one_word)).unwrap_or_default();
    let disk = Disk {
        id,
        name: name.to_string(),
        model: read("device/model"),
        serial,
        bytes,
        rotational: flag("queue/rotational"),
        removable: flag("removable"),
        transport: transport::of(root, name).into(),
        in_use: if flag("ro") { Some("it is read-only".into()) } else { in_use(root, name) },
    };
    Some(Found { disk, path: root.join("dev").join(name) })
}

fn size(folder: &Path) -> Option<u64> {
    text(&folder.join("size"))?.parse::<u64>().ok()?.checked_mul(SECTOR_BYTES)
}

/// Ids are padded with blanks by some vendors.
fn one_word(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("_")
}

/// Files, or devices by their paths, in place of the machine's disks.
pub fn files(root: &Path, paths: &[PathBuf]) -> Vec<Found> {
    paths.iter().map(|path| file(root, path)).collect()
}

fn file(root: &Path, path: &Path) -> Found {
    let name = path.display().to_string();
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let own = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (bytes, in_use) = match std::fs::metadata(&real) {
        Err(error) => (0, Some(format!("it cannot be looked at: {error}"))),
        Ok(metadata) if metadata.file_type().is_block_device() => {
            (size(&root.join("sys/class/block").join(&own)).unwrap_or_default(), in_use(root, &own))
        }
        Ok(metadata) if metadata.is_file() => (metadata.len(), loop_of(root, &real)),
        Ok(_) => (0, Some("it is neither a file nor a disk".into())),
    };
    let disk = Disk {
        id: name.clone(),
        name,
        model: None,
        serial: None,
        bytes,
        rotational: false,
        removable: false,
        transport: transport::NAMED.into(),
        in_use,
    };
    Found { disk, path: real }
}

/// The loop device that shows this file as a disk.
fn loop_of(root: &Path, file: &Path) -> Option<String> {
    let folder = root.join("sys/block");
    let backs = |name: &String| {
        text(&folder.join(name).join("loop/backing_file")).is_some_and(|backing| Path::new(&backing) == file)
    };
    names(&folder).into_iter().find(backs).map(|name| format!("it is the content of {name}"))
}

/// Why the disk or a partition of it cannot be written.
fn in_use(root: &Path, name: &str) -> Option<String> {
    let folder = root.join("sys/class/block").join(name);
    let folder = if folder.exists() { folder } else { root.join("sys/block").join(name) };
    let partitions = names(&folder).into_iter().filter(|part| folder.join(part).join("partition").exists());
    let parts: Vec<(String, PathBuf)> = partitions
        .map(|part| (part.clone(), folder.join(part)))
        .chain([(name.to_string(), folder.clone())])
        .collect();
    let mounts = text(&root.join("proc/self/mountinfo")).unwrap_or_default();
    let swaps = text(&root.join("proc/swaps")).unwrap_or_default();
    parts.iter().find_map(|(part, folder)| {
        let number = text(&folder.join("dev"));
        let mount = mounts.lines().find_map(|line| mounted(line, part, number.as_deref()));
        if let Some(at) = mount {
            return Some(format!("{part} is mounted at {at}"));
        }
        let swap = |line: &str| line.split_whitespace().next() == Some(&format!("/dev/{part}"));
        if swaps.lines().any(swap) {
            return Some(format!("{part} is used as swap"));
        }
        let holder = names(&folder.join("holders")).into_iter().next();
        holder.map(|holder| format!("{part} is part of {holder}"))
    })
}

/// proc_pid_mountinfo(5): where the device is mounted, by its number or by its name as the source.
fn mounted(line: &str, name: &str, number: Option<&str>) -> Option<String> {
    let mut words = line.split(' ');
    let (device, at) = (words.nth(2)?, words.nth(1)?);
    let source = line.split_once(" - ").and_then(|(_, rest)| rest.split(' ').nth(1));
    let named = source.is_some_and(|source| source.strip_prefix("/dev/") == Some(name));
    (Some(device) == number || named).then(|| at.to_string())
}
