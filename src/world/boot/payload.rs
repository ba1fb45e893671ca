//! A payload as machines would be given it: is the file there, and is it what its design says?
//!
//! Looks where the HTTP service looks, by the same rules. Reads the whole file when a digest is wanted.

use super::folder::{Folder, NotServed};
use crate::id::hex;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file is read in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;
const SHA256: &str = "sha256:";

/// Why a payload would not serve.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error("`files/{0}` is not there")]
    Missing(String),
    #[error("`files/{0}` leads out of the design's folder `files/`")]
    Outside(String),
    #[error("`files/{0}` is empty")]
    Empty(String),
    #[error("`files/{name}` cannot be read: {source}")]
    Unreadable { name: String, source: std::io::Error },
    #[error("`files/{name}` has the digest {found}, and the design says {wanted}")]
    Differs { name: String, found: String, wanted: String },
}

/// Looks at `name`, a path below `files/`, in the first of `folders` that has it. `checksum` is `sha256:` and 64
/// hexadecimal digits; where it is absent the file has only to be there.
pub async fn look(folders: Vec<PathBuf>, name: &str, checksum: Option<&str>) -> Result<(), PayloadError> {
    let name = name.to_string();
    let Some(folder) = Folder::of(folders) else { return Err(PayloadError::Missing(name)) };
    let path = folder.file(&name).await.map_err(|why| match why {
        NotServed::Missing => PayloadError::Missing(name.clone()),
        NotServed::Outside => PayloadError::Outside(name.clone()),
    })?;
    let checksum = checksum.map(str::to_string);
    let (whole, named) = (checksum.is_some(), name.clone());
    let read = tokio::task::spawn_blocking(move || read(&path, whole)).await;
    let unreadable = |source| PayloadError::Unreadable { name: named, source };
    let (bytes, found) = match read {
        Ok(read) => read.map_err(unreadable)?,
        Err(error) => return Err(unreadable(std::io::Error::other(error))),
    };
    match checksum {
        _ if bytes == 0 => Err(PayloadError::Empty(name)),
        Some(wanted) if !wanted.eq_ignore_ascii_case(&found) => {
            Err(PayloadError::Differs { name, found, wanted })
        }
        _ => Ok(()),
    }
}

/// How many bytes the file has and, when the whole is wanted, its digest.
fn read(path: &Path, whole: bool) -> std::io::Result<(u64, String)> {
    let mut file = std::fs::File::open(path)?;
    if !whole {
        return Ok((file.metadata()?.len(), String::new()));
    }
    let (mut digest, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, format!("{SHA256}{}", hex(&digest.finalize()))));
        }
        digest.update(&piece[..read]);
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_payload_is_there_and_is_what_the_design_says() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("boot")).unwrap();
        std::fs::write(place.path().join("boot/kernel"), "abc").unwrap();
        std::fs::write(place.path().join("empty"), "").unwrap();
        // FIPS 180-4, appendix B.1.
        let abc = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        let folders = || vec![PathBuf::from("/nonexistent"), place.path().to_path_buf()];
        assert!(look(folders(), "boot/kernel", Some(abc)).await.is_ok());
        assert!(look(folders(), "boot/kernel", None).await.is_ok());
        for (name, checksum, said) in [
            ("boot/kernel", Some("sha256:00"), "`files/boot/kernel` has the digest sha256:ba78"),
            ("boot/gone", Some(abc), "`files/boot/gone` is not there"),
            ("boot", None, "`files/boot` is not there"),
            ("empty", None, "`files/empty` is empty"),
            ("../x", None, "leads out of"),
        ] {
            let error = look(folders(), name, checksum).await.unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(look(Vec::new(), "boot/kernel", None).await.is_err());
    }
}
