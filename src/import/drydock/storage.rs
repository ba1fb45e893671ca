//! `storage` of profiles and nodes: disks, partitions, volume groups. A child adds to what its parent has.

use super::document::{self, Field, Fields};
use crate::import::kdl::{Element, Value};

pub fn storage(host: &mut Element, mut fields: Fields<'_>) {
    for (name, disk) in fields.named("physical_devices") {
        host.add(self::disk(name, disk));
    }
    for (name, group) in fields.named("volume_groups") {
        host.add(self::group(name, group));
    }
    fields.finish();
}

/// A thing with a name; one that is taken away from its parent's is all said with that.
fn thing<'a>(kind: &str, name: &str, field: &Field<'a>) -> (Element, Option<Fields<'a>>) {
    let element = Element::new(kind).at(field.mark()).arg(name.trim_start_matches('!'));
    match name.starts_with('!') || field.node.is_null() {
        true => (element.arg(Value::Null), None),
        false => (element, Some(field.clone().fields())),
    }
}

fn disk(name: &str, disk: Field<'_>) -> Element {
    let (mut element, fields) = thing("disk", name, &disk);
    let Some(mut fields) = fields else { return element };
    if let Some(group) = fields.scalar("volume_group") {
        element = element.prop("group", group.text()).from(group.mark());
    }
    document::keyed(&mut element, fields.named("labels"), "label");
    for partition in fields.list("partitions") {
        element.add(self::partition(partition));
    }
    fields.finish();
    element
}

fn partition(partition: Field<'_>) -> Element {
    let name = partition.node.get("name").and_then(|name| name.text()).unwrap_or_default();
    let (mut element, fields) = thing("partition", name, &partition);
    let Some(mut fields) = fields else { return element };
    let _ = fields.take("name");
    if let Some(size) = fields.scalar("size") {
        element = element.prop("size", size.text()).from(size.mark());
    }
    // `false` is what a partition is that says nothing, and whose parent says nothing either.
    let alone = fields.document.peek(&["host_profile"]).is_none();
    let plain = |it: &Field<'_>| alone && it.node.truth() == Some(false);
    if let Some(bootable) = fields.scalar("bootable").filter(|it| !plain(it)) {
        element = element.prop("bootable", bootable.truth()).from(bootable.mark());
    }
    for (key, name) in [("volume_group", "group"), ("part_uuid", "uuid")] {
        if let Some(field) = fields.scalar(key) {
            element = element.prop(name, field.text()).from(field.mark());
        }
    }
    self::filesystem(&mut element, &mut fields);
    document::keyed(&mut element, fields.named("labels"), "label");
    fields.finish();
    element
}

fn group(name: &str, group: Field<'_>) -> Element {
    let (mut element, fields) = thing("volume-group", name, &group);
    let Some(mut fields) = fields else { return element };
    if let Some(uuid) = fields.scalar("vg_uuid") {
        element = element.prop("uuid", uuid.text()).from(uuid.mark());
    }
    for volume in fields.list("logical_volumes") {
        element.add(self::volume(volume));
    }
    fields.finish();
    element
}

fn volume(volume: Field<'_>) -> Element {
    let name = volume.node.get("name").and_then(|name| name.text()).unwrap_or_default();
    let (mut element, fields) = thing("volume", name, &volume);
    let Some(mut fields) = fields else { return element };
    let _ = fields.take("name");
    for (key, name) in [("size", "size"), ("lv_uuid", "uuid")] {
        if let Some(field) = fields.scalar(key) {
            element = element.prop(name, field.text()).from(field.mark());
        }
    }
    self::filesystem(&mut element, &mut fields);
    document::keyed(&mut element, fields.named("labels"), "label");
    fields.finish();
    element
}

fn filesystem(into: &mut Element, fields: &mut Fields<'_>) {
    let Some(field) = fields.take("filesystem") else { return };
    let mark = field.mark();
    let mut fields = field.fields();
    let mut element = Element::new("filesystem").at(mark);
    // The ancestor's default.
    let kind = fields.scalar("fstype");
    element = match &kind {
        Some(kind) => element.arg(kind.text()).from(kind.mark()),
        None => element.arg("ext4"),
    };
    let properties =
        [("mountpoint", "mount"), ("mount_options", "options"), ("fs_label", "label"), ("fs_uuid", "uuid")];
    for (key, name) in properties {
        if let Some(field) = fields.scalar(key) {
            element = element.prop(name, field.text()).from(field.mark());
        }
    }
    fields.finish();
    into.add(element);
}
