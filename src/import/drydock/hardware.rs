//! `HardwareProfile`: what a kind of machine is.

use super::document::{self, Document, Field};
use crate::import::kdl::Element;

/// Before an address that is a regular expression.
const PATTERN: &str = "regexp:";

pub fn hardware(document: &Document<'_>) -> Element {
    let mut fields = document.fields();
    let mut hardware = Element::new("hardware").arg(document.name).at(document.name_mark());
    for (key, name) in [("vendor", "vendor"), ("generation", "generation"), ("hw_version", "version")] {
        document::text(&mut hardware, fields.scalar(key), name);
    }
    if let Some(mode) = fields.scalar("boot_mode") {
        hardware.add(mode.element("boot-mode", mode.text()).fresh());
    }
    match fields.scalar("bootstrap_protocol") {
        Some(field) if !["pxe", "http"].contains(&field.text()) => {
            field.dropped("machines are booted by pxe or http");
        }
        field => document::text(&mut hardware, field, "boot-protocol"),
    }
    document::text(&mut hardware, fields.scalar("pxe_interface"), "pxe-interface");
    if let Some(version) = fields.scalar("bios_version") {
        let element = version.element("firmware", "bios").prop("version", version.text());
        hardware.add(element.fresh());
    }
    let settings = fields.named("bios_settings");
    if let Some((_, first)) = settings.first() {
        let bios = Element::new("bios").at(first.mark());
        hardware.add(
            settings.iter().fold(bios, |it, (name, value)| it.child(value.element(name, value.scalar()))),
        );
    }
    for (name, alias) in fields.named("device_aliases") {
        hardware.add(self::alias(name, alias));
    }
    for (index, (name, set)) in fields.named("cpu_sets").into_iter().enumerate() {
        let element = Element::new("cpuset").at(set.mark()).arg(name).arg(set.text());
        hardware.add(if index == 0 { element.fresh() } else { element });
    }
    for (index, (name, pages)) in fields.named("hugepages").into_iter().enumerate() {
        let element = self::hugepages(name, pages);
        hardware.add(if index == 0 { element.fresh() } else { element });
    }
    fields.finish();
    hardware
}

fn alias(name: &str, alias: Field<'_>) -> Element {
    let mut element = Element::new("alias").at(alias.mark()).arg(name).fresh();
    let mut fields = alias.fields();
    if let Some(bus) = fields.scalar("bus_type") {
        element = element.prop("bus", bus.text()).from(bus.mark());
    }
    if let Some(address) = fields.scalar("address") {
        element = match address.text().strip_prefix(PATTERN) {
            Some(pattern) => element.prop("address-pattern", pattern),
            None => element.prop("address", address.text()),
        }
        .from(address.mark());
    }
    if let Some(device) = fields.scalar("dev_type") {
        element = element.prop("device", device.text()).from(device.mark());
    }
    fields.finish();
    element
}

fn hugepages(name: &str, pages: Field<'_>) -> Element {
    let mut element = Element::new("hugepages").at(pages.mark()).arg(name);
    let mut fields = pages.fields();
    if let Some(size) = fields.scalar("size") {
        element = element.prop("size", size.text()).from(size.mark());
    }
    if let Some(count) = fields.scalar("count") {
        element = element.prop("count", count.number()).from(count.mark());
    }
    fields.finish();
    element
}
