//! Readings that are kept between processes, so that a large file which has not changed is not parsed again.
//!
//! Owns what may be kept and when it still counts: only files without findings, without patterns and without
//! anything that concerns other files (`site`, `include`); by the digest of the file, of the language, and of the
//! design's variables. Where readings are kept is the caller's business; what comes back is checked by digest,
//! and anything strange is no reading at all.

mod form;

use super::kinds::KINDS;
use super::read::{Item, Reading, Variables};
use super::source::SourceFile;
use std::sync::LazyLock;

/// A place that keeps bytes by key. Both may fail in silence: a reading can always be made again.
pub trait Cache: Sync {
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    fn put(&self, key: &str, bytes: &[u8]);
}

/// Smaller files are parsed faster than they are looked up.
const SMALLEST_BYTES: usize = 32 << 10;

/// Grows with every change of what a text is read as that the descriptions of the kinds do not show.
const READER: u32 = 1;

/// The digest of the language: what another language has read is of no use.
static LANGUAGE: LazyLock<blake3::Hash> =
    LazyLock::new(|| blake3::hash(format!("{READER} {} {KINDS:?}", env!("CARGO_PKG_VERSION")).as_bytes()));

/// A kept reading, and the variables under which it was made.
pub struct Kept {
    pub items: Vec<Item>,
    variables: [u8; 32],
}

impl Kept {
    /// True when it would be read the same now.
    pub fn counts_under(&self, variables: &Variables) -> bool {
        self.variables == digest_of(variables)
    }
}

fn digest_of(variables: &Variables) -> [u8; 32] {
    *blake3::hash(format!("{variables:?}").as_bytes()).as_bytes()
}

fn key(file: &SourceFile) -> Option<String> {
    if file.text.len() < SMALLEST_BYTES {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(LANGUAGE.as_bytes()).update(&(file.name.len() as u64).to_le_bytes());
    hasher.update(file.name.as_bytes()).update(file.text.as_bytes());
    Some(hasher.finalize().to_hex().to_string())
}

/// What was kept of a file, if anything.
pub fn find(cache: &dyn Cache, file: &SourceFile) -> Option<Kept> {
    let bytes = cache.get(&key(file)?)?;
    let (digest, body) = bytes.split_at_checked(blake3::OUT_LEN)?;
    if blake3::hash(body).as_bytes() != digest {
        return None;
    }
    let (variables, items) = form::decode(body, &file.name)?;
    Some(Kept { items, variables })
}

/// Keeps a reading, when it is one that may be kept.
pub fn keep(cache: &dyn Cache, file: &SourceFile, reading: &Reading, variables: &Variables) {
    let Some(key) = key(file) else { return };
    let alone = |item: &Item| item.block.is_none() && item.kind != "site" && item.kind != "include";
    if !reading.findings.is_empty() || !reading.hidden.is_empty() || !reading.items.iter().all(alone) {
        return;
    }
    if let Some(body) = form::encode(digest_of(variables), &reading.items, &file.name) {
        let mut bytes = blake3::hash(&body).as_bytes().to_vec();
        bytes.extend_from_slice(&body);
        cache.put(&key, &bytes);
    }
}
