//! Stand-ins: what rehearsal machines fetch in place of a design's real kernels, images and boot programs.
//!
//! A rehearsal machine cannot run a real kernel, and a rehearsal fetches nothing from outside. So every payload
//! that is not made for rehearsals is stood in for by a small text of the same role, with a checksum of its own;
//! everything else of the design stays as it is. Payloads that are made for rehearsals are used as they are.

use crate::id::hex;
use crate::model::path::Path as SpecPath;
use crate::model::site::Site;
use crate::model::value::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// How payloads for rehearsals begin.
const MARK: &str = "rackwright virtual ";

/// The boot programs that firmware asks for, below `files/`.
const PROGRAMS: &[&str] = &["tftp/snponly.efi", "tftp/undionly.kpxe"];
const PROGRAM: &str = "rackwright virtual boot program: ipxe\n";

/// The payloads of an image: where its URL and checksum stand, and what stands in.
const PARTS: &[(&str, &str, &str)] = &[
    ("kernel", "image.kernel", "rackwright virtual kernel: agent\n"),
    ("initrd", "image.initrd", "rackwright virtual ramdisk: agent\n"),
    ("disk", "image", "rackwright virtual image: "),
];

/// Texts by their names below `files/`.
#[derive(Debug, Default, PartialEq)]
pub struct StandIns(BTreeMap<String, String>);

/// The site as a rehearsal carries it out. It is marked as a rehearsal's when anything is stood in for, or when it is
/// carried out on machines `of_our_own`: what is planned for it is never done to real ones.
pub fn rehearsed(site: &Arc<Site>, of_our_own: bool) -> (Arc<Site>, StandIns) {
    let mut stand_ins = StandIns::default();
    let root = site.root.as_deref();
    for program in PROGRAMS.iter().filter(|program| !is_made_for_rehearsal(root, &format!("files/{program}")))
    {
        stand_ins.0.insert((*program).to_string(), PROGRAM.to_string());
    }
    let mut site = site.clone();
    Arc::make_mut(&mut site).on_rack = true;
    let mut done: HashMap<String, Option<Value>> = HashMap::new();
    for index in 0..site.nodes.len() {
        let Some(image) = site.nodes[index].spec.get("image").filter(|image| !image.is_null()) else {
            continue;
        };
        let replaced = done.entry(image.digest()).or_insert_with(|| replaced(root, image, &mut stand_ins));
        if let Some(replaced) = replaced {
            Arc::make_mut(&mut site).nodes[index].spec.put(&["image".into()], replaced.clone());
        }
    }
    let differs = stand_ins.0.keys().any(|name| !PROGRAMS.contains(&name.as_str()));
    if of_our_own || differs {
        Arc::make_mut(&mut site).rehearsed = true;
    }
    (site, stand_ins)
}

/// A payload that is made for rehearsals would leave a real machine with a few bytes of text on its disk: images with
/// one are for rehearsals only, whatever the design says.
pub fn refuse_rehearsal_payloads(site: &mut Arc<Site>) {
    let root = site.root.clone();
    let mut judged: HashMap<String, bool> = HashMap::new();
    for index in 0..site.nodes.len() {
        let Some(image) = site.nodes[index].spec.get("image").filter(|image| !image.is_null()) else {
            continue;
        };
        let toy = *judged.entry(image.digest()).or_insert_with(|| {
            let urls = PARTS.iter().filter_map(|(_, path, _)| {
                let path =
                    SpecPath::parse(path.trim_start_matches("image").trim_start_matches('.')).join("url");
                image.at(&path).and_then(Value::as_str)
            });
            urls.into_iter().any(|url| is_made_for_rehearsal(root.as_deref(), url))
        });
        if toy {
            let path = SpecPath::parse("image.rehearsal-only");
            Arc::make_mut(site).nodes[index].spec.put(&path.0, Value::Bool(true));
        }
    }
}

/// The image with stand-ins for what no rehearsal machine could use; `None` when there is no such thing.
fn replaced(root: Option<&Path>, image: &Value, stand_ins: &mut StandIns) -> Option<Value> {
    let name = image.str_at("name")?;
    let folder = format!("stand-ins/{}", &hex(blake3::hash(name.as_bytes()).as_bytes())[..16]);
    let mut whole = Value::map([("image", image.clone())]);
    let mut changed = false;
    for (part, path, text) in PARTS {
        let url = whole.str_at(&format!("{path}.url")).unwrap_or_default().to_string();
        if is_made_for_rehearsal(root, &url) {
            continue;
        }
        // Another image behind the same name must still be another image.
        let written = whole.str_at(&format!("{path}.checksum")).unwrap_or_default().to_string();
        let text = match *part {
            "disk" => format!("{text}{name}\nin place of {url} {written}\n"),
            _ => (*text).to_string(),
        };
        let file = format!("{folder}/{part}");
        let put = |whole: &mut Value, key: &str, value: String| {
            whole.put(&SpecPath::parse(&format!("{path}.{key}")).0, Value::from(value));
        };
        put(&mut whole, "url", format!("files/{file}"));
        put(&mut whole, "checksum", format!("sha256:{}", hex(&Sha256::digest(text.as_bytes()))));
        stand_ins.0.insert(file, text);
        changed = true;
    }
    whole.put(&SpecPath::parse("image.rehearsal-only").0, Value::Bool(false));
    changed.then(|| whole.get("image").cloned()).flatten()
}

/// True for a payload of the design that a rehearsal machine can use.
fn is_made_for_rehearsal(root: Option<&Path>, url: &str) -> bool {
    let Some(root) = root.filter(|_| url.starts_with("files/")) else { return false };
    // Opening a named pipe would hang.
    if !root.join(url).is_file() {
        return false;
    }
    let mut head = Vec::with_capacity(MARK.len());
    let read =
        std::fs::File::open(root.join(url)).map(|file| file.take(MARK.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == MARK.as_bytes()
}

impl StandIns {
    /// Writes them below `folder`, which is then served before the design's own files.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        // What an earlier rehearsal stood in for may be there by now.
        for name in PROGRAMS.iter().filter(|name| !self.0.contains_key(**name)) {
            match std::fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for (name, text) in &self.0 {
            let path = folder.join(name);
            if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
                continue;
            }
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
