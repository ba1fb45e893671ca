//! Git repositories: from disk and by HTTP, every kind of revision, credentials, damage, hostility and silence.

use super::repository::Repo;
use super::server::{Server, git_backend};
use crate::{design, impatient, load, names, options, runtime, says};
use rackwright::world::source::{self, Limits, Options, SourceError};
use std::sync::atomic::Ordering;

/// Two designs in two folders, three commits: `v1` (a tag), `stable` (a branch), and the newest.
fn history() -> (Repo, [String; 3]) {
    let repo = Repo::new();
    repo.write("sites/fra1/site.kdl", "site \"one\"");
    repo.write("sites/fra1/scripts/x.rhai", "fn x() {}");
    repo.write("sites/fra1/files/boot/kernel", "kernel one");
    repo.write("other.kdl", "site \"top\"");
    let one = repo.commit();
    repo.tag("v1");
    repo.write("sites/fra1/site.kdl", "site \"two\"");
    let two = repo.commit();
    repo.branch("stable");
    repo.write("sites/fra1/site.kdl", "site \"three\"");
    let three = repo.commit();
    (repo, [one, two, three])
}

fn site(tree: &rackwright::model::revision::SourceTree) -> String {
    String::from_utf8(tree.files["site.kdl"].to_vec()).unwrap()
}

#[test]
fn a_branch_a_tag_a_commit_and_the_default_each_pin_their_commit() {
    let (repo, [one, two, three]) = history();
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    for (reference, commit, text) in [
        ("", &three, "site \"three\""),
        ("?ref=main", &three, "site \"three\""),
        ("?ref=stable", &two, "site \"two\""),
        ("?ref=refs/heads/stable", &two, "site \"two\""),
        ("?ref=v1", &one, "site \"one\""),
        (&format!("?ref={one}"), &one, "site \"one\""),
        (&format!("?ref={}", &two[..10]), &two, "site \"two\""),
        ("?ref=main~1", &two, "site \"two\""),
    ] {
        let uri = repo.uri(&format!("//sites/fra1{reference}"));
        let tree = load(&uri, &options).unwrap();
        assert_eq!((&tree.revision.revision, site(&tree).as_str()), (commit, text), "{uri}");
        assert_eq!(tree.revision.source, uri);
        assert_eq!(names(&tree), ["scripts/x.rhai", "site.kdl"]);
        assert_eq!(
            tree.payloads.unwrap().iter().map(|name| &**name).collect::<Vec<_>>(),
            ["files/boot/kernel"]
        );
        assert_eq!(tree.root, None);
    }
    // The same folder on disk has the same digest: a design does not depend on how it came.
    let disk = load(repo.path().join("sites/fra1").to_str().unwrap(), &options).unwrap();
    let fetched = load(&repo.uri("//sites/fra1"), &options).unwrap();
    assert_eq!(disk.revision.digest, fetched.revision.digest);
    // A revision that is said apart comes before the one in the URI.
    let said = Options { revision: Some("v1".into()), ..options.clone() };
    assert_eq!(load(&repo.uri("//sites/fra1?ref=stable"), &said).unwrap().revision.revision, one);
}

#[test]
fn what_git_ignores_is_no_part_of_a_commit() {
    let repo = Repo::new();
    repo.write(".gitignore", "*.csv\n/build/\n.rackwright/\n");
    repo.write("site.kdl", "site \"a\"");
    let commit = repo.commit();
    let cache = tempfile::tempdir().unwrap();
    let load = || load(repo.path().to_str().unwrap(), &options(cache.path())).unwrap();
    // Ignored, and not read.
    for name in ["build/notes.txt", "notes.csv", ".rackwright/store.db"] {
        repo.write(name, "x");
    }
    assert_eq!(load().revision.revision, commit);
    for name in ["inventory/fra1.csv", "build/more.kdl"] {
        repo.write(name, "name");
        let tree = load();
        assert!(names(&tree).contains(&name));
        assert_eq!(tree.revision.revision, format!("{commit}+modified"), "{name}");
        std::fs::remove_file(repo.path().join(name)).unwrap();
        assert_eq!(load().revision.revision, commit);
    }
}

#[test]
fn what_is_not_there_is_said() {
    let (repo, _) = history();
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    says(
        load(&repo.uri("//sites/fra1?ref=nope"), &options).unwrap_err(),
        &["no revision `nope`", "git+file://"],
    );
    says(load(&repo.uri("//sites/nope"), &options).unwrap_err(), &["no folder `sites/nope`"]);
    says(load(&repo.uri("//sites"), &options).unwrap_err(), &["no `*.kdl`", "`//fra1`"]);
    says(load("git+file:///nope/x", &options).unwrap_err(), &["git+file:///nope/x", "/nope/x"]);
    says(load("git+http://127.0.0.1:1/x", &options).unwrap_err(), &["git+http://127.0.0.1:1/x", "onnect"]);
    repo.branch("v1");
    says(load(&repo.uri("?ref=v1"), &options).unwrap_err(), &["a branch and a tag", "refs/tags/v1"]);
    says(load(&Repo::new().uri(""), &options).unwrap_err(), &["is empty"]);
    says(load(&repo.uri(""), &Options { cache: None, ..options }).unwrap_err(), &["XDG_CACHE_HOME"]);
}

#[test]
fn a_commit_that_is_in_the_mirror_needs_no_server_and_a_branch_does() {
    let (repo, [one, _, three]) = history();
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    load(&repo.uri(""), &options).unwrap();
    let away = repo.folder.path().join("away");
    std::fs::rename(repo.path(), &away).unwrap();
    for commit in [&one, &three] {
        assert_eq!(&load(&repo.uri(&format!("?ref={commit}")), &options).unwrap().revision.revision, commit);
    }
    assert!(matches!(load(&repo.uri("?ref=main"), &options), Err(SourceError::Fetch { .. })));
}

#[test]
fn branches_move_vanish_and_make_room() {
    let (repo, _) = history();
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    repo.branch("topic");
    load(&repo.uri("?ref=topic"), &options).unwrap();
    repo.git().find_branch("topic", git2::BranchType::Local).unwrap().delete().unwrap();
    repo.write("other.kdl", "site \"moved\"");
    let moved = repo.commit();
    repo.branch("topic/below");
    assert_eq!(load(&repo.uri("?ref=topic/below"), &options).unwrap().revision.revision, moved);
    assert_eq!(load(&repo.uri(""), &options).unwrap().revision.revision, moved);
    assert!(matches!(load(&repo.uri("?ref=topic"), &options), Err(SourceError::NoRevision { .. })));
}

#[test]
fn a_damaged_mirror_is_made_anew() {
    let (repo, [one, _, three]) = history();
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    load(&repo.uri(""), &options).unwrap();
    let ruin = |ending: &str, bytes: &[u8]| {
        let mut ruined = 0;
        let mut folders = vec![cache.path().join("git")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_str().unwrap().ends_with(ending) {
                    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
                    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
                    std::fs::set_permissions(&path, permissions).unwrap();
                    std::fs::write(&path, bytes).unwrap();
                    ruined += 1;
                }
            }
        }
        ruined
    };
    for (ending, bytes) in
        [(".pack", b"PACK".as_slice()), (".idx", b""), ("/HEAD", b"\0\0"), ("/config", b"[[[")]
    {
        assert!(ruin(ending, bytes) > 0, "{ending}");
        assert_eq!(load(&repo.uri(""), &options).unwrap().revision.revision, three, "{ending}");
        assert_eq!(
            load(&repo.uri(&format!("?ref={one}")), &options).unwrap().revision.revision,
            one,
            "{ending}"
        );
    }
}

#[test]
fn many_at_once_share_one_mirror() {
    let (repo, [.., three]) = history();
    let cache = tempfile::tempdir().unwrap();
    let (options, uri) = (options(cache.path()), repo.uri("//sites/fra1"));
    let serving = Options { payloads: true, ..options };
    let loads = (0..8).map(|_| source::load(&uri, &serving));
    for tree in runtime().block_on(futures::future::join_all(loads)) {
        let tree = design(tree.unwrap());
        assert_eq!(tree.revision.revision, three);
        let kernel = std::fs::read_to_string(tree.root.unwrap().join("files/boot/kernel")).unwrap();
        assert_eq!(kernel, "kernel one");
    }
    assert_eq!(std::fs::read_dir(cache.path().join("payloads")).unwrap().count(), 1);
}

#[test]
fn git_over_http_with_and_without_credentials() {
    let (repo, [one, _, three]) = history();
    let cache = tempfile::tempdir().unwrap();
    let (secret, wrong) = (cache.path().join("secret"), cache.path().join("wrong"));
    std::fs::write(&secret, "hunter2\n").unwrap();
    std::fs::write(&wrong, "hunter3\n").unwrap();
    let options = options(cache.path());

    let open = git_backend(repo.folder.path().to_path_buf(), None);
    let uri = format!("git+http://{}/d//sites/fra1", open.host());
    assert_eq!(load(&uri, &options).unwrap().revision.revision, three);
    assert_eq!(load(&format!("{uri}?ref=v1"), &options).unwrap().revision.revision, one);
    repo.write("sites/fra1/site.kdl", "site \"four\"");
    let four = repo.commit();
    let newest = |uri: &str| runtime().block_on(source::newest(uri, &options)).unwrap();
    assert_eq!(newest(&uri), Some(four.clone()));
    assert_eq!(newest(&format!("{uri}?ref=v1")), Some(one.clone()));
    assert_eq!(newest(&format!("{uri}?ref={one}")), Some(one));
    assert_eq!(newest(&format!("{uri}?ref=nope")), None);
    assert_eq!(load(&uri, &options).unwrap().revision.revision, four);

    let closed = git_backend(repo.folder.path().to_path_buf(), Some("me:hunter2"));
    let uri = |query: &str| format!("git+http://{}/d//sites/fra1{query}", closed.host());
    let with =
        |user: &str, file: &std::path::Path| uri(&format!("?user={user}&password=file:{}", file.display()));
    says(load(&uri(""), &options).unwrap_err(), &["asks for credentials", "password=env:"]);
    says(load(&with("me", &wrong), &options).unwrap_err(), &["refuses the credentials"]);
    says(
        load(&uri("?user=me&password=env:RACKWRIGHT_NOT_SET"), &options).unwrap_err(),
        &["RACKWRIGHT_NOT_SET is not set"],
    );
    let tree = load(&with("me", &secret), &options).unwrap();
    assert_eq!(tree.revision.revision, four);
    assert!(!format!("{:?}", tree.revision).contains("hunter2"));
    let token = git_backend(repo.folder.path().to_path_buf(), Some("x-access-token:hunter2"));
    let uri = format!("git+http://{}/d//sites/fra1?token=file:{}", token.host(), secret.display());
    assert_eq!(load(&uri, &options).unwrap().revision.revision, four);
}

#[test]
fn a_tree_that_leaves_or_is_not_plain_is_refused_by_name() {
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    let hostile = |name: &str, mode: i32| {
        let repo = Repo::new();
        let (blob, link) = (repo.blob("site \"a\""), repo.blob("../../etc/passwd"));
        let id = match mode {
            0o120000 => link,
            0o40000 => repo.raw_tree(&[("x.kdl", 0o100644, blob)]),
            _ => blob,
        };
        repo.commit_tree(repo.raw_tree(&[(name, mode, id), ("site.kdl", 0o100644, blob)]));
        load(&repo.uri(""), &options).unwrap_err()
    };
    assert_eq!(hostile("..", 0o40000), SourceError::Escape { path: "..".into() });
    assert_eq!(hostile("a\\b.kdl", 0o100644), SourceError::Escape { path: "a\\b.kdl".into() });
    assert_eq!(hostile("../x.kdl", 0o100644), SourceError::Escape { path: "../x.kdl".into() });
    for (name, mode, what) in
        [("racks", 0o120000, "a link"), ("a.kdl", 0o120000, "a link"), ("sub", 0o160000, "a submodule")]
    {
        assert_eq!(hostile(name, mode), SourceError::NotPlain { path: name.into(), what });
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let (repo, _) = history();
    let cache = tempfile::tempdir().unwrap();
    let within = |change: fn(&mut Limits)| {
        let mut options = Options { payloads: true, ..options(cache.path()) };
        change(&mut options.limits);
        load(&repo.uri("//sites/fra1"), &options).unwrap_err()
    };
    says(within(|limits| limits.file_bytes = 8), &["`scripts/x.rhai` has 9 bytes", "8"]);
    says(within(|limits| limits.text_bytes = 12), &["more than 12 bytes"]);
    says(within(|limits| limits.entries = 3), &["more than 3 files"]);
    says(within(|limits| limits.blob_bytes = 3), &["`files/boot/kernel` has 10 bytes"]);
    says(within(|limits| limits.unpacked_bytes = 3), &["payloads have more than 3 bytes"]);
    // A fetch that was refused leaves nothing behind that the next one stumbles over.
    load(&repo.uri("//sites/fra1"), &Options { payloads: true, ..options(cache.path()) }).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let mut small = options(fresh.path());
    small.limits.fetched_bytes = 10;
    let server = git_backend(repo.folder.path().to_path_buf(), None);
    let error = load(&format!("git+http://{}/d", server.host()), &small).unwrap_err();
    says(error, &["more than 10 bytes"]);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::silent();
    let uri = format!("git+http://{}/d", server.host());
    let silent = SourceError::Silent { uri: uri.clone(), seconds: 0 };
    assert_eq!(load(&uri, &impatient(cache.path())).unwrap_err(), silent);
    // The thread that hangs holds nothing that the next one needs.
    assert_eq!(load(&uri, &impatient(cache.path())).unwrap_err(), silent);
    assert_eq!(runtime().block_on(source::newest(&uri, &impatient(cache.path()))).unwrap_err(), silent);
    assert!(server.requests.load(Ordering::SeqCst) >= 3);
}
