//! Folders that are served as one: names from the wire become files inside them, or nothing.
//!
//! Used by TFTP and HTTP alike. Absolute names, `..`, and links that leave the folder are refused.

use std::path::{Component, Path, PathBuf};

/// The longest name that is looked up.
const NAME_LIMIT_BYTES: usize = 1024;

#[derive(Clone, Debug)]
pub(super) struct Folder(Vec<PathBuf>);

/// Why a name is not served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotServed {
    #[error("the name leaves the folder")]
    Outside,
    #[error("there is no such file")]
    Missing,
}

impl Folder {
    /// The first that has a name serves it. `None` when there are none.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Option<Folder> {
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        (!paths.is_empty()).then_some(Folder(paths))
    }

    pub fn join(&self, name: &str) -> Folder {
        Folder(self.0.iter().map(|path| path.join(name)).collect())
    }

    /// The real path of the regular file `name`, a relative path with forward slashes.
    pub async fn file(&self, name: &str) -> Result<PathBuf, NotServed> {
        let name = relative(name).ok_or(NotServed::Outside)?;
        for root in &self.0 {
            match file_in(root, name).await {
                Err(NotServed::Missing) => {}
                found => return found,
            }
        }
        Err(NotServed::Missing)
    }
}

async fn file_in(root: &Path, name: &Path) -> Result<PathBuf, NotServed> {
    let root = tokio::fs::canonicalize(root).await.map_err(|_| NotServed::Missing)?;
    let real = tokio::fs::canonicalize(root.join(name)).await.map_err(|_| NotServed::Missing)?;
    if !real.starts_with(&root) {
        return Err(NotServed::Outside);
    }
    // Opening a named pipe would hang.
    match tokio::fs::metadata(&real).await {
        Ok(metadata) if metadata.is_file() => Ok(real),
        _ => Err(NotServed::Missing),
    }
}

fn relative(name: &str) -> Option<&Path> {
    let hostile = name.is_empty() || name.len() > NAME_LIMIT_BYTES || name.contains(['\0', '\\']);
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (!hostile && plain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_files_inside_the_folder_are_served() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("files");
        std::fs::create_dir_all(root.join("boot")).unwrap();
        std::fs::write(root.join("boot/kernel"), "k").unwrap();
        std::fs::write(place.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("leaves")).unwrap();
        std::os::unix::fs::symlink("boot/kernel", root.join("stays")).unwrap();
        let other = place.path().join("stand-ins");
        std::fs::create_dir_all(other.join("boot")).unwrap();
        std::fs::write(other.join("boot/kernel"), "other").unwrap();
        let folder = Folder::of([other.clone(), root.clone()]).unwrap();
        assert!(folder.file("boot/kernel").await.unwrap().starts_with(other.canonicalize().unwrap()));
        assert!(folder.file("boot/kernel").await.is_ok());
        assert!(folder.file("./boot//kernel").await.is_ok());
        assert!(folder.file("stays").await.is_ok());
        for (name, why) in [
            ("leaves", NotServed::Outside),
            ("../secret", NotServed::Outside),
            ("boot/../../secret", NotServed::Outside),
            ("/etc/passwd", NotServed::Outside),
            ("boot\\kernel", NotServed::Outside),
            ("boot/ker\0nel", NotServed::Outside),
            ("", NotServed::Outside),
            ("boot", NotServed::Missing),
            ("absent", NotServed::Missing),
        ] {
            assert_eq!(folder.file(name).await, Err(why), "{name:?}");
        }
        let gone = Folder::of([PathBuf::from("/nonexistent")]).unwrap();
        assert_eq!(gone.file("x").await, Err(NotServed::Missing));
    }
}
