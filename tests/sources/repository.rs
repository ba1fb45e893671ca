//! A git repository that a test fills commit by commit.

use git2::{Oid, Repository, Signature};
use std::path::{Path, PathBuf};

pub struct Repo {
    pub folder: tempfile::TempDir,
    repository: Repository,
}

impl Repo {
    pub fn new() -> Repo {
        let folder = tempfile::tempdir().unwrap();
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let repository = Repository::init_opts(folder.path().join("d"), &options).unwrap();
        Repo { folder, repository }
    }

    /// The work tree.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("d")
    }

    pub fn git(&self) -> &Repository {
        &self.repository
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Everything that is in the work tree.
    pub fn commit(&self) -> String {
        let mut index = self.repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        self.commit_tree(index.write_tree().unwrap())
    }

    pub fn commit_tree(&self, tree: Oid) -> String {
        let tree = self.repository.find_tree(tree).unwrap();
        let author = Signature::now("tests", "tests@localhost").unwrap();
        let parents: Vec<git2::Commit<'_>> =
            self.repository.head().ok().map(|head| head.peel_to_commit().unwrap()).into_iter().collect();
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        self.repository.commit(Some("HEAD"), &author, &author, "x", &tree, &parents).unwrap().to_string()
    }

    /// A tree made by hand, entry by entry, with names and modes that `git add` would never write.
    pub fn raw_tree(&self, entries: &[(&str, i32, Oid)]) -> Oid {
        let mut bytes = Vec::new();
        for (name, mode, id) in entries {
            bytes.extend_from_slice(format!("{mode:o} {name}\0").as_bytes());
            bytes.extend_from_slice(id.as_bytes());
        }
        self.repository.odb().unwrap().write(git2::ObjectType::Tree, &bytes).unwrap()
    }

    pub fn blob(&self, text: &str) -> Oid {
        self.repository.blob(text.as_bytes()).unwrap()
    }

    pub fn branch(&self, name: &str) {
        let head = self.repository.head().unwrap().peel_to_commit().unwrap();
        self.repository.branch(name, &head, true).unwrap();
    }

    /// An annotated tag, which is an object of its own.
    pub fn tag(&self, name: &str) {
        let head = self.repository.head().unwrap().peel_to_commit().unwrap();
        let tagger = Signature::now("tests", "tests@localhost").unwrap();
        self.repository.tag(name, head.as_object(), &tagger, "x", true).unwrap();
    }

    pub fn uri(&self, rest: &str) -> String {
        format!("git+file://{}{rest}", self.path().display())
    }
}

/// Copies a folder's files.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
