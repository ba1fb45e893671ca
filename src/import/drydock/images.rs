//! What documents only name: images with their kernels, and racks.

use super::site::Documents;
use crate::import::kdl::Element;
use crate::import::yaml::Node;
use crate::model::imported::{Mark, NoteKind};
use std::collections::BTreeSet;

/// An image and the kernels that are asked for with it.
struct Named<'a> {
    name: &'a str,
    mark: Mark,
    kernels: Vec<(&'a str, Mark)>,
}

/// One image for each name, which can be rehearsed: what it is made of the ancestor does not say.
pub fn images(documents: &Documents<'_>) -> Vec<Element> {
    let mut images: Vec<Named<'_>> = Vec::new();
    for host in documents.hosts() {
        let (image, kernel) = (["platform", "image"], ["platform", "kernel"]);
        let Some((by, at)) = documents.inherited_from(host, &image) else { continue };
        let Some(name) = at.text() else { continue };
        let position = images.iter().position(|held| held.name == name).unwrap_or_else(|| {
            by.note(
                NoteKind::Changed,
                at,
                "platform.image",
                "only its name is known: it can be rehearsed, and not installed",
            );
            images.push(Named { name, mark: by.mark(at), kernels: Vec::new() });
            images.len() - 1
        });
        let kernels = &mut images[position].kernels;
        let said = documents.inherited_from(host, &kernel);
        if let Some((by, at)) = said
            && let Some(kernel) = at.text()
            && kernels.iter().all(|(held, _)| *held != kernel)
        {
            kernels.push((kernel, by.mark(at)));
        }
    }
    let mut comment = Some(
        "Drydock only named its images. Each can be rehearsed; to install real machines, write `kernel`, `initrd`, `url`",
    );
    images.into_iter().map(|named| image(named, comment.take())).collect()
}

fn image(named: Named<'_>, comment: Option<&'static str>) -> Element {
    let mut image = Element::new("image").arg(named.name).at(named.mark);
    image.add(Element::new("rehearsal-only").arg(true));
    if !named.kernels.is_empty() {
        let kernels = Element::new("kernels");
        image.add(named.kernels.into_iter().fold(kernels, |it, (name, mark)| it.arg(name).from(mark)));
    }
    if let Some(comment) = comment { image.comment(comment) } else { image }
}

/// The names of the images.
pub fn names<'a>(documents: &'a Documents<'_>) -> impl Iterator<Item = &'a str> {
    documents.hosts().filter_map(|host| host.peek(&["platform", "image"])?.text())
}

/// Racks that nodes name and no document describes.
pub fn racks(documents: &Documents<'_>) -> Vec<Element> {
    let mut known: BTreeSet<&str> = documents.of("Rack").map(|rack| rack.name).collect();
    let mut racks = Vec::new();
    for node in documents.of("BaremetalNode") {
        let Some(at) = node.peek(&["metadata", "rack"]) else { continue };
        let Some(name) = Node::text(at) else { continue };
        if known.insert(name) {
            node.note(
                NoteKind::Changed,
                at,
                "metadata.rack",
                format!("no Rack document describes `{name}`: it is empty"),
            );
            racks.push(Element::new("rack").arg(name).at(node.mark(at)));
        }
    }
    racks
}
