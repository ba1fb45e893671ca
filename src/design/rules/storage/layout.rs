//! A node's storage as the rules look at it: disks, partitions, volumes, arrays and filesystems, with their paths.
//!
//! Owns the step from the spec's tree to these. Everything has been typed when it was read, so what does not
//! parse here is not there.

use crate::design::resolve::Resolved;
use crate::model::path::Path;
use crate::model::value::{Map, Value};
use crate::units::DiskSize;
use std::sync::Arc;

/// The storage of `node`, and of all that share it.
pub struct Layout<'a> {
    pub node: &'a Resolved,
    pub disks: Vec<Disk<'a>>,
    pub groups: Vec<Group<'a>>,
    pub raids: Vec<Raid<'a>>,
}

pub struct Disk<'a> {
    pub name: &'a str,
    pub path: Path,
    pub keep: bool,
    pub group: Option<&'a str>,
    pub partitions: Vec<Part<'a>>,
}

pub struct Group<'a> {
    pub name: &'a str,
    pub path: Path,
    pub uuid: Option<&'a str>,
    pub volumes: Vec<Part<'a>>,
}

/// A partition of a disk, or a volume of a group.
pub struct Part<'a> {
    pub name: &'a str,
    pub path: Path,
    pub size: Option<DiskSize>,
    pub group: Option<&'a str>,
    pub uuid: Option<&'a str>,
    pub filesystem: Option<Filesystem<'a>>,
}

pub struct Raid<'a> {
    pub name: &'a str,
    pub path: Path,
    pub level: &'a str,
    pub group: Option<&'a str>,
    pub uuid: Option<&'a str>,
    pub filesystem: Option<Filesystem<'a>>,
    pub members: Vec<&'a str>,
    pub spares: Vec<&'a str>,
}

pub struct Filesystem<'a> {
    pub path: Path,
    pub kind: &'a str,
    pub mount: Option<&'a str>,
    pub label: Option<&'a str>,
    pub uuid: Option<&'a str>,
}

impl<'a> Layout<'a> {
    pub fn read(node: &'a Resolved) -> Layout<'a> {
        let root = Path(vec!["storage".into()]);
        let storage = node.node.spec.get("storage");
        let each = |key: &str| {
            let path = root.join(key);
            entries(storage, key).map(move |(name, value)| (&**name, value, path.join(name)))
        };
        Layout {
            node,
            disks: each("disks").map(|(name, value, path)| disk(name, value, path)).collect(),
            groups: each("groups").map(|(name, value, path)| group(name, value, path)).collect(),
            raids: each("raids").map(|(name, value, path)| raid(name, value, path)).collect(),
        }
    }

    /// Every partition and volume; of disks that are kept only when `kept`.
    fn all_parts(&self, kept: bool) -> impl Iterator<Item = &Part<'a>> {
        let disks = self.disks.iter().filter(move |disk| kept || !disk.keep);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        disks.flat_map(|disk| &disk.partitions).chain(volumes)
    }

    /// Every partition and volume that is made: not those of disks that are kept.
    pub fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.all_parts(false)
    }

    /// Every filesystem, those of disks that are kept among them.
    pub fn filesystems(&self) -> impl Iterator<Item = &Filesystem<'a>> {
        let parts = self.all_parts(true).filter_map(|part| part.filesystem.as_ref());
        parts.chain(self.raids.iter().filter_map(|raid| raid.filesystem.as_ref()))
    }

    /// Every filesystem that is made.
    pub fn new_filesystems(&self) -> impl Iterator<Item = &Filesystem<'a>> {
        let parts = self.parts().filter_map(|part| part.filesystem.as_ref());
        parts.chain(self.raids.iter().filter_map(|raid| raid.filesystem.as_ref()))
    }

    /// Partitions and volumes that are made with a filesystem of this mount point.
    pub fn mounted_at<'l>(&'l self, mount: &'l str) -> impl Iterator<Item = &'l Part<'a>> {
        let is_it = move |part: &Part<'_>| part.filesystem.as_ref().is_some_and(|it| it.mount == Some(mount));
        self.parts().filter(move |part| is_it(part))
    }

    /// The array of which this disk is a member or a spare.
    pub fn array_of(&self, member: &str) -> Option<&Raid<'a>> {
        self.raids.iter().find(|raid| raid.devices().any(|device| device == member))
    }

    /// The exact size of the disk of the root filesystem, when the design tells it.
    pub fn known_bytes(&self, disk: &Disk<'_>) -> Option<u64> {
        let root = self.node.node.spec.get("storage")?.get("root")?;
        let size = text(root, "size").filter(|_| text(root, "name") == Some(disk.name))?;
        let size: DiskSize = size.parse().ok()?;
        size.least_bytes().filter(|bytes| size.most_bytes() == Some(*bytes))
    }
}

impl<'a> Raid<'a> {
    /// Members and spares.
    pub fn devices(&self) -> impl Iterator<Item = &'a str> {
        self.members.iter().chain(&self.spares).copied()
    }
}

impl Filesystem<'_> {
    /// `none` says just that there is none.
    pub fn is_there(&self) -> bool {
        self.kind != "none"
    }
}

impl Part<'_> {
    /// True when it surely has fewer bytes.
    pub fn is_below(&self, least: u64) -> bool {
        let known = self.size.and_then(|size| size.least_bytes().or(size.most_bytes()));
        known.is_some_and(|bytes| bytes < least)
    }
}

fn disk<'a>(name: &'a str, value: &'a Value, path: Path) -> Disk<'a> {
    let partitions = parts(value, "partitions", &path);
    let keep = value.get("keep").and_then(Value::as_bool) == Some(true);
    Disk { name, keep, group: text(value, "group"), partitions, path }
}

fn group<'a>(name: &'a str, value: &'a Value, path: Path) -> Group<'a> {
    Group { name, uuid: text(value, "uuid"), volumes: parts(value, "volumes", &path), path }
}

fn raid<'a>(name: &'a str, value: &'a Value, path: Path) -> Raid<'a> {
    Raid {
        name,
        level: text(value, "level").unwrap_or_default(),
        group: text(value, "group"),
        uuid: text(value, "uuid"),
        filesystem: filesystem(value, &path),
        members: texts(value, "members"),
        spares: texts(value, "spares"),
        path,
    }
}

fn parts<'a>(holder: &'a Value, key: &str, above: &Path) -> Vec<Part<'a>> {
    let above = above.join(key);
    let part = |(name, value): (&'a Arc<str>, &'a Value)| {
        let path = above.join(name);
        Part {
            name,
            size: text(value, "size").and_then(|size| size.parse().ok()),
            group: text(value, "group"),
            uuid: text(value, "uuid"),
            filesystem: filesystem(value, &path),
            path,
        }
    };
    entries(Some(holder), key).map(part).collect()
}

fn filesystem<'a>(holder: &'a Value, above: &Path) -> Option<Filesystem<'a>> {
    let value = holder.get("filesystem").filter(|value| !value.is_null())?;
    Some(Filesystem {
        path: above.join("filesystem"),
        kind: text(value, "type").unwrap_or_default(),
        mount: text(value, "mount"),
        label: text(value, "label"),
        uuid: text(value, "uuid"),
    })
}

fn entries<'a>(
    holder: Option<&'a Value>,
    key: &str,
) -> impl Iterator<Item = (&'a Arc<str>, &'a Value)> + use<'a> {
    let map: Option<&'a Map> = holder.and_then(|holder| holder.get(key)).and_then(Value::as_map);
    map.into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let list = value.get(key).and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}
