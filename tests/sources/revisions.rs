//! Revisions on the command line: what is pinned in plans and runs, going back, and where stores lie.

use super::repository::{Repo, copy};
use super::server::{Server, answer};
use crate::common::{Lab, Output, rackwright_with};
use serde_json::Value;
use std::path::Path;

/// The lab with one node, in a repository's folder.
struct Story {
    repo: Repo,
    lab: Lab,
    cache: tempfile::TempDir,
}

impl Story {
    fn new() -> Story {
        let story = Story { repo: Repo::new(), lab: Lab::small(1), cache: tempfile::tempdir().unwrap() };
        story.repo.write(".gitignore", ".rackwright/\n");
        story
    }

    /// Commits the lab as it is.
    fn commit(&self) -> String {
        copy(self.lab.path(), &self.repo.path().join("sites/lab"));
        self.repo.commit()
    }

    fn uri(&self, query: &str) -> String {
        self.repo.uri(&format!("//sites/lab{query}"))
    }

    fn folder(&self) -> String {
        self.repo.path().join("sites/lab").to_str().unwrap().to_string()
    }

    fn run(&self, args: &[&str]) -> Output {
        rackwright_with(&[("XDG_CACHE_HOME", self.cache.path().to_str().unwrap())], args)
    }

    fn dearer(&self) {
        self.lab.edit("nodes.kdl", "SysProfile \"PerfOptimized\"", "SysProfile \"PowerSaver\"");
    }
}

fn attribute(plan: &Value) -> (Value, Value) {
    let steps = plan["nodes"][0]["steps"].as_array().unwrap();
    let changes = steps.iter().flat_map(|step| step["changes"].as_array().unwrap());
    let change = changes.into_iter().find(|change| change["path"] == "hardware.bios.SysProfile").unwrap();
    (change["before"].clone(), change["after"].clone())
}

#[test]
fn a_fetched_design_is_rehearsed_and_its_commit_stands_in_plan_and_run() {
    let story = Story::new();
    let commit = story.commit();
    let uri = story.uri("?ref=main");
    let plan = story.run(&["plan", &uri, "--virtual", "--json"]).exits(0).json();
    assert_eq!(
        (plan["design"]["source"].as_str(), plan["design"]["revision"].as_str()),
        (Some(&*uri), Some(&*commit))
    );
    story.run(&["apply", &uri, "--virtual", "--yes"]).exits(0).says("rehearsal is kept in");
    let runs = story.run(&["runs", &uri, "--virtual", "--json"]).exits(0).json();
    assert_eq!(runs["runs"][0]["revision"], commit.as_str(), "{runs:#}");
    assert_eq!(runs["runs"][0]["source"], uri.as_str());
    assert!(
        !Path::new(&story.folder()).join(".rackwright").exists(),
        "nothing was written beside the origin"
    );
    story.run(&["plan", &uri, "--virtual", "--exit-code"]).exits(0);
    story.run(&["validate", &uri]).exits(0);
    story.run(&["find", "*", "--design", &uri]).exits(0).says("lab-n01");
    story.run(&["show", &uri, "node", "lab-n01"]).exits(0).says("hardware.bios");

    // A saved plan is of its commit, wherever the branch is by now.
    let file = story.lab.beside("plan.json");
    story.dearer();
    let second = story.commit();
    story.run(&["plan", &uri, "--virtual", "--refresh", "--out", file.to_str().unwrap()]).exits(0);
    story.lab.edit("nodes.kdl", "PowerSaver", "Dense");
    story.commit();
    story.run(&["apply", file.to_str().unwrap(), "--virtual", "--yes"]).exits(0);
    let runs = story.run(&["runs", &uri, "--virtual", "--json"]).exits(0).json();
    assert_eq!(runs["runs"][0]["revision"], second.as_str());
    // Going back is naming the old commit.
    let back = story.run(&["plan", &uri, "--virtual", "--revision", &commit, "--json"]).exits(0).json();
    assert_eq!(attribute(&back), ("PowerSaver".into(), "PerfOptimized".into()));
}

#[test]
fn apply_goes_back_to_an_earlier_design_of_the_folder() {
    let story = Story::new();
    let first = story.commit();
    story.dearer();
    let second = story.commit();
    let folder = story.folder();
    story.run(&["apply", &folder, "--virtual", "--yes"]).exits(0);
    let runs = story.run(&["runs", &folder, "--virtual", "--json"]).exits(0).json();
    assert_eq!(runs["runs"][0]["revision"], second.as_str());

    // What lies in the folder does not matter, and is left as it is.
    story.repo.write("sites/lab/nodes.kdl", "this is { no KDL");
    story.run(&["validate", &folder]).exits(3);
    story.run(&["validate", &folder, "--revision", "HEAD"]).exits(0);
    let back = story.run(&["plan", &folder, "--virtual", "--revision", &first, "--json"]).exits(0).json();
    assert_eq!(attribute(&back), ("PowerSaver".into(), "PerfOptimized".into()));
    assert_eq!(back["design"]["revision"], first.as_str());
    let file = story.lab.beside("plan.json");
    story
        .run(&[
            "plan",
            &folder,
            "--virtual",
            "--revision",
            "HEAD~1",
            "--refresh",
            "--out",
            file.to_str().unwrap(),
        ])
        .exits(0);
    story.run(&["apply", file.to_str().unwrap(), "--virtual", "--yes"]).exits(0);
    let runs = story.run(&["runs", &folder, "--virtual", "--json"]).exits(0).json();
    assert_eq!(runs["runs"][0]["revision"], first.as_str());
    story
        .run(&["apply", &folder, "--revision", &first, "--virtual", "--yes"])
        .exits(0)
        .says("Nothing has to change");
    assert_eq!(std::fs::read_to_string(Path::new(&folder).join("nodes.kdl")).unwrap(), "this is { no KDL");
}

#[test]
fn a_secret_comes_from_the_environment_and_goes_nowhere_else() {
    let story = Story::new();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("lab-1.0", story.lab.path()).unwrap();
    let bytes = tar.into_inner().unwrap();
    let server = Server::start(move |request| match request.authorization() == "Bearer hunter2" {
        true => answer("200 OK", &bytes),
        false => answer("401 Unauthorized", b""),
    });
    let uri = format!("http://{}/lab.tar?token=env:RACK_TOKEN", server.host());
    let cache = story.cache.path().to_str().unwrap();
    let run = |args: &[&str]| rackwright_with(&[("XDG_CACHE_HOME", cache), ("RACK_TOKEN", "hunter2")], args);
    run(&["apply", &uri, "--virtual", "--yes"]).exits(0);
    let plan = run(&["plan", &uri, "--virtual", "--json"]).exits(0);
    assert!(plan.json()["design"]["revision"].as_str().unwrap().starts_with("sha256:"));
    assert!(!plan.stdout.contains("hunter2"));
    let mut folders = vec![story.cache.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let bytes = std::fs::read(&path).unwrap();
                    assert!(!bytes.windows(7).any(|seven| seven == b"hunter2"), "{}", path.display());
                }
            }
        }
    }
    story.run(&["validate", &uri]).exits(1).says("RACK_TOKEN is not set");
}

#[test]
fn what_cannot_be_pinned_or_kept_is_wrong_usage_or_a_fault() {
    let story = Story::new();
    story.commit();
    let plain = story.lab.design();
    story.run(&["validate", plain, "--revision", "HEAD"]).exits(3).says("no git work tree");
    story.run(&["validate", &story.folder(), "--revision", "nope"]).exits(3).says("no revision `nope`");
    let uri = story.uri("");
    story.run(&["plan", &uri]).exits(64).says("--store sqlite:PATH");
    let store = format!("sqlite:{}", story.lab.beside("s.db").display());
    story.run(&["plan", &uri, "--store", &store]).exits(0);
    story.run(&["validate", "svn://h/x"]).exits(64).says("`svn://` is not known");
    story.run(&["validate", "git+https://me:hunter2@h/x"]).exits(64).says("password=env:VARIABLE");
    story.run(&["validate", "git+file:///nope"]).exits(1).says("cannot be fetched");
    story.run(&["apply", &uri, "--revision", "nope", "--store", &store]).exits(3);
    rackwright_with(&[], &["validate", &uri]).exits(1).says("XDG_CACHE_HOME");
    let help = format!("{uri}?revision=x");
    story.run(&["validate", &help]).exits(64).says("`revision=` is not known here");
}
