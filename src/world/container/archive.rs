//! Tar archives to and from the engine: what is built, what a container is given, and the one file that it gives back.

use super::ContainerError;
use crate::model::image::Folder;
use std::io::Read;
use std::path::Path;

/// What an image is built from: the same whenever and wherever it is made. A design keeps no modes, so that every file
/// may be executed.
pub(super) fn of_folder(folder: &Folder) -> std::io::Result<Vec<u8>> {
    tar(folder.files.iter().map(|(name, bytes)| (&**name, &**bytes, 0o755)))
}

/// A tar archive of plain files with their modes. Nothing in it says when it was made.
pub(super) fn tar<'a>(files: impl Iterator<Item = (&'a str, &'a [u8], u32)>) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        builder.append_data(&mut header, name, bytes)?;
    }
    builder.into_inner()
}

/// The first file of an archive, up to `limit` bytes; `None` where there is none, or a larger one.
pub(super) fn only_file(archive: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entry = archive.entries().ok()?.next()?.ok()?;
    let mut bytes = Vec::new();
    let is_file = entry.header().entry_type().is_file() && entry.size() <= limit;
    (is_file && entry.take(limit).read_to_end(&mut bytes).is_ok()).then_some(bytes)
}

/// blake3 of a file, read in pieces: an image archive may have gigabytes.
pub async fn file_digest(path: &Path) -> Result<String, ContainerError> {
    let owned = path.to_path_buf();
    let digest = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(&owned)?)?;
        Ok::<_, std::io::Error>(hasher.finalize().to_hex()[..32].to_string())
    });
    let failed = |why: String| ContainerError::File { path: path.display().to_string(), why };
    digest.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_folder_is_the_same_archive_every_time() {
        let files = [("Dockerfile", "FROM scratch"), ("a/b", "x")];
        let files = files.map(|(name, text)| (Arc::from(name), Arc::from(text.as_bytes())));
        let folder = Folder::new(files.into_iter().collect());
        let tar = of_folder(&folder).unwrap();
        assert_eq!(tar, of_folder(&folder).unwrap());
        assert_eq!(only_file(&tar, 100).unwrap(), b"FROM scratch");
        assert_eq!(only_file(&tar, 3), None);
        assert_eq!(only_file(b"no archive", 100), None);
    }
}
