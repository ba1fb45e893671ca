//! `BootAction`: files, units and packages for the installed system.
//!
//! Owns the undoing of base64 where it only wrapped a text.

use super::document::{Document, Field, Fields};
use super::filter;
use crate::import::kdl::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where units lie that are known by their names alone.
const UNIT_FOLDERS: &[&str] = &["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"];

pub fn boot_action(document: &Document<'_>) -> Element {
    let mut fields = document.fields();
    let mut action = Element::new("boot-action").arg(document.name).at(document.name_mark());
    if let Some(filter) = fields.take("node_filter") {
        let mark = filter.mark();
        if let Some(selector) = filter::selector(filter) {
            action.add(Element::new("on").at(mark).arg(selector));
        }
    }
    if let Some(signaling) = fields.scalar("signaling") {
        action.add(signaling.element("signal", signaling.truth()));
    }
    for asset in fields.list("assets") {
        self::asset(&mut action, asset);
    }
    fields.finish();
    action
}

fn asset(action: &mut Element, asset: Field<'_>) {
    let kind = asset.node.get("type").and_then(|kind| kind.text()).unwrap_or("file");
    let whole = asset.clone();
    let mut fields = asset.fields();
    let _ = fields.take("type");
    match kind {
        "pkg_list" => packages(action, fields),
        "file" | "unit" => match fields.take("location") {
            Some(location) => {
                let why = "nothing is fetched from elsewhere: put the file into the design and write the asset anew";
                location.dropped(why);
            }
            None => action.add(file(kind, &whole, fields)),
        },
        _ => whole.dropped("an asset is a file, a unit or a list of packages"),
    }
}

fn packages(action: &mut Element, mut fields: Fields<'_>) {
    for (name, version) in fields.named("data") {
        let element = Element::new("package").at(version.mark()).arg(name).fresh();
        action.add(match version.node.text() {
            Some(text) => element.prop("version", text),
            None => element,
        });
    }
    fields.finish();
}

fn file(kind: &str, whole: &Field<'_>, mut fields: Fields<'_>) -> Element {
    let mut element = Element::new(kind).at(whole.mark());
    if let Some(path) = fields.scalar("path") {
        let name = match kind {
            "unit" => unit_name(&path),
            _ => path.text(),
        };
        element = element.arg(name).from(path.mark());
    }
    if let Some(mode) = fields.scalar("permissions") {
        element = element.prop("mode", mode.text()).from(mode.mark());
    }
    let data = fields.scalar("data");
    let pipeline = fields.take("data_pipeline").map(Field::texts).unwrap_or_default();
    fields.finish();
    let Some(data) = data else { return element };
    let content = content(&data, &pipeline);
    if content.base64 {
        element = element.prop("encoding", "base64");
    }
    if content.template {
        element = element.prop("template", true);
    }
    element.child(data.element("content", content.text))
}

/// A unit is known by its name; where its file lies is the system's business.
fn unit_name<'a>(path: &Field<'a>) -> &'a str {
    let (folder, name) = path.text().rsplit_once('/').unwrap_or(("", path.text()));
    if !folder.is_empty() && !UNIT_FOLDERS.contains(&folder) {
        path.changed(format!("units are known by their names; `{folder}` is not kept"));
    }
    name
}

struct Content {
    text: String,
    base64: bool,
    template: bool,
}

fn content(data: &Field<'_>, pipeline: &[Field<'_>]) -> Content {
    let mut content = Content { text: data.text().to_string(), base64: false, template: false };
    for step in pipeline {
        match step.text() {
            "base64_decode" => content.base64 = true,
            "utf8_decode" => {}
            "template" => {
                content.template = true;
                let why =
                    "a template keeps the names of the ancestor's variables: compare them with the spec's";
                step.changed(why);
            }
            _ => step.dropped("this step of the pipeline is not taken: the content is as it was before it"),
        }
    }
    if content.base64 {
        let packed: String = content.text.split_whitespace().collect();
        let decoded = STANDARD.decode(&packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.filter(|text| !text.contains('\0')) {
            Some(text) => (content.text, content.base64) = (text, false),
            None => content.text = packed,
        }
    }
    content
}
