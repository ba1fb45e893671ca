//! Images of containers, as a design gives them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The folder of a design whose folders are built into images.
pub const FOLDERS: &str = "containers/";
/// What an image is built from in such a folder.
pub const DOCKERFILE: &str = "Dockerfile";

/// A folder with a Dockerfile: its files by their path in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub files: BTreeMap<Arc<str>, Arc<[u8]>>,
    /// blake3 over names and contents, 32 hexadecimal digits.
    pub digest: String,
}

impl Folder {
    pub fn new(files: BTreeMap<Arc<str>, Arc<[u8]>>) -> Folder {
        let mut hasher = blake3::Hasher::new();
        for (name, content) in &files {
            for part in [name.as_bytes(), content] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        Folder { digest: hasher.finalize().to_hex()[..32].to_string(), files }
    }
}

/// The image of a task, as its `container=` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Image {
    /// `registry/name@sha256:…`.
    Registry { name: Arc<str> },
    /// `files/name.tar`, as `docker save` writes it.
    Archive { file: Arc<str> },
    /// `containers/name`, as it was when the design was read.
    Folder { path: Arc<str>, digest: Arc<str> },
}

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// The engine has it.
    Ready,
    /// Nobody has made it.
    Missing,
    /// Somebody is at it now; what was said so far.
    Building { log: String },
    /// The last try failed, with all that was said.
    Failed { log: String },
    /// Nobody can tell, and why.
    Unseen { why: String },
}

/// An image of a design, with the tasks that it is of.
#[derive(Clone, Debug)]
pub struct ImageRow {
    pub image: Image,
    pub state: ImageState,
    pub tasks: Vec<Arc<str>>,
}

/// Between a folder and its digest, in the word by which an effect calls an image.
const AS_OF: &str = "@folder:";

impl Image {
    /// The word by which an effect calls it.
    pub fn word(&self) -> String {
        match self {
            Image::Registry { name } => name.to_string(),
            Image::Archive { file } => file.to_string(),
            Image::Folder { path, digest } => format!("{path}{AS_OF}{digest}"),
        }
    }

    /// As its task writes it.
    pub fn shown(&self) -> &str {
        match self {
            Image::Registry { name } => name,
            Image::Archive { file } => file,
            Image::Folder { path, .. } => path,
        }
    }

    /// The image that a word calls; `None` when it is none of a design and not pinned.
    pub fn of_word(word: &str) -> Option<Image> {
        if let Some((path, digest)) = word.split_once(AS_OF) {
            return Some(Image::Folder { path: path.into(), digest: digest.into() });
        }
        if word.starts_with("files/") {
            return Some(Image::Archive { file: word.into() });
        }
        is_pinned(word).then(|| Image::Registry { name: word.into() })
    }
}

/// Whether it is a name in a registry with the digest of the image (OCI Distribution Specification).
fn is_pinned(word: &str) -> bool {
    let Some((name, digest)) = word.split_once("@sha256:") else { return false };
    let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-' | '/' | ':');
    !name.is_empty()
        && name.chars().all(plain)
        && digest.len() == 64
        && digest.bytes().all(|one| one.is_ascii_digit() || (b'a'..=b'f').contains(&one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_by_one_word() {
        let digest = "ab".repeat(32);
        for word in [
            format!("quay.io:443/a/b@sha256:{digest}"),
            "files/a.tar".into(),
            "containers/x@folder:12".into(),
        ] {
            assert_eq!(Image::of_word(&word).unwrap().word(), word);
        }
        for word in ["quay.io/a/b:latest", "a@sha256:12", &format!("@sha256:{digest}"), "containers/x", ""] {
            assert_eq!(Image::of_word(word), None, "{word}");
        }
    }

    #[test]
    fn the_digest_of_a_folder_follows_names_and_contents() {
        let folder = |files: &[(&str, &str)]| {
            Folder::new(
                files.iter().map(|(name, text)| (Arc::from(*name), Arc::from(text.as_bytes()))).collect(),
            )
            .digest
        };
        assert_eq!(folder(&[("a", "b")]), folder(&[("a", "b")]));
        assert_ne!(folder(&[("a", "b")]), folder(&[("ab", "")]));
        assert_ne!(folder(&[("a", "b")]), folder(&[("a", "c")]));
    }
}
