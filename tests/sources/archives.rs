//! Archives by HTTP: pins, credentials, forges' layout, damage, bombs, escapes and silence.

use super::server::{Answer, Request, Server, answer};
use crate::{impatient, load, names, options, says};
use flate2::Compression;
use flate2::write::GzEncoder;
use rackwright::world::source::{Options, SourceError};
use std::io::Write;
use tar::{Builder, EntryType, Header};

struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn of(files: &[(&str, &str)]) -> Tar {
        let mut tar = Tar(Builder::new(Vec::new()));
        for (name, text) in files {
            tar.add(name, EntryType::Regular, text.len() as u64, text.as_bytes());
        }
        tar
    }

    /// Any name and kind, past what the library lets one write by accident.
    fn add(&mut self, name: &str, kind: EntryType, size: u64, content: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        if kind == EntryType::GNUSparse {
            header.as_gnu_mut().unwrap().realsize = *b"00000000000\0";
        }
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    fn with(mut self, name: &str, kind: EntryType) -> Tar {
        self.add(name, kind, 0, b"");
        self
    }

    fn plain(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn gz(self) -> Vec<u8> {
        gz(&self.plain())
    }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const DESIGN: &[(&str, &str)] = &[
    ("site.kdl", "site \"a\""),
    ("scripts/x.rhai", "fn x() {}"),
    ("files/boot/kernel", "kernel"),
    ("README", "no part"),
];

fn inside(folder: &str) -> Tar {
    let files: Vec<(String, &str)> =
        DESIGN.iter().map(|(name, text)| (format!("{folder}{name}"), *text)).collect();
    Tar::of(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>())
}

fn serving(bytes: Vec<u8>) -> Server {
    Server::start(move |_| answer("200 OK", &bytes))
}

/// Serves the bytes, and loads them as a gzipped archive.
fn fetched(bytes: Vec<u8>, rest: &str) -> Result<rackwright::model::revision::SourceTree, SourceError> {
    let cache = tempfile::tempdir().unwrap();
    let server = serving(bytes);
    load(&format!("http://{}/x/d.tar.gz{rest}", server.host()), &options(cache.path()))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_archive_is_pinned_by_its_digest_wherever_its_top_is() {
    let mut digests = Vec::new();
    for (tar, rest) in [
        (inside(""), ""),
        (inside("./"), ""),
        (inside("design-1.2/"), ""),
        (inside("lab/"), "//lab"),
        (inside("design-1.2/sites/lab/"), "//sites/lab"),
        (inside("design-1.2/").with("pax_global_header", EntryType::XGlobalHeader), ""),
    ] {
        let bytes = tar.gz();
        let digest = sha256(&bytes);
        let tree = fetched(bytes, rest).unwrap();
        assert_eq!(names(&tree), ["scripts/x.rhai", "site.kdl"]);
        assert_eq!(tree.revision.revision, format!("sha256:{digest}"));
        assert_eq!(
            tree.payloads.unwrap().iter().map(|name| &**name).collect::<Vec<_>>(),
            ["files/boot/kernel"]
        );
        digests.push(tree.revision.digest);
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "one design, however it is packed");
    says(fetched(inside("lab/").gz(), "//nope").unwrap_err(), &["no folder `nope`"]);
    says(fetched(inside("a/b/").gz(), "").unwrap_err(), &["no `*.kdl`", "`//b`"]);
}

#[test]
fn a_pin_is_held_and_then_needs_no_server() {
    let bytes = inside("").plain();
    let cache = tempfile::tempdir().unwrap();
    let (options, digest) = (options(cache.path()), sha256(&bytes));
    let server = serving(bytes);
    let uri = |digest: &str| format!("http://{}/d.tar?digest=sha256:{digest}", server.host());
    let wrong = "0".repeat(64);
    says(load(&uri(&wrong), &options).unwrap_err(), &[&digest, &wrong, "not what was pinned"]);
    assert_eq!(load(&uri(&digest), &options).unwrap().revision.revision, format!("sha256:{digest}"));
    let asked = server.count();
    let serving = Options { payloads: true, ..options.clone() };
    let root = load(&uri(&digest), &serving).unwrap().root.unwrap();
    assert_eq!(std::fs::read_to_string(root.join("files/boot/kernel")).unwrap(), "kernel");
    assert_eq!(server.count(), asked);
    // What rots in the cache is not believed.
    std::fs::write(cache.path().join("archives").join(&digest), "rotten").unwrap();
    load(&uri(&digest), &options).unwrap();
    assert!(server.count() > asked);
    let said = Options { revision: Some(format!("sha256:{wrong}")), ..options };
    assert!(matches!(load(&uri(&digest), &said), Err(SourceError::Digest { .. })));
}

#[test]
fn credentials_come_from_references_and_stay_with_their_server() {
    let cache = tempfile::tempdir().unwrap();
    let secret = cache.path().join("secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let options = options(cache.path());
    let bytes = inside("").gz();
    let guarded = |wanted: &'static str| {
        let bytes = bytes.clone();
        Server::start(move |request: Request| match request.authorization() == wanted {
            true => answer("200 OK", &bytes),
            false => answer("401 Unauthorized", b"no"),
        })
    };
    let (basic, bearer) = (guarded("Basic me:hunter2"), guarded("Bearer hunter2"));
    let file = format!("file:{}", secret.display());
    load(&format!("http://{}/d.tgz?user=me&password={file}", basic.host()), &options).unwrap();
    load(&format!("http://{}/d.tgz?token={file}", bearer.host()), &options).unwrap();
    says(load(&format!("http://{}/d.tgz", basic.host()), &options).unwrap_err(), &["401", "password=env:"]);
    let other = format!("http://{}/d.tgz?user=you&password={file}", basic.host());
    says(load(&other, &options).unwrap_err(), &["401", "refuses the credentials"]);

    // Another host gets nothing of them.
    let host = basic.host().replace("127.0.0.1", "localhost");
    let moved = Server::start(move |_| -> Answer {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: http://{host}/d.tgz\r\n");
        format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    });
    let error =
        load(&format!("http://{}/d.tgz?user=me&password={file}", moved.host()), &options).unwrap_err();
    says(error.clone(), &["401"]);
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let cache = tempfile::tempdir().unwrap();
    let options = options(cache.path());
    let gone = Server::start(|_| answer("404 Not Found", b""));
    says(load(&format!("http://{}/d.tar", gone.host()), &options).unwrap_err(), &["d.tar", "404 Not Found"]);
    says(load("http://127.0.0.1:1/d.tar", &options).unwrap_err(), &["http://127.0.0.1:1/d.tar", "onnect"]);
    let circle = Server::start(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: /d.tar\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    });
    says(load(&format!("http://{}/d.tar", circle.host()), &options).unwrap_err(), &["without end"]);
    let cut = Server::start(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc".to_vec()
    });
    assert!(matches!(
        load(&format!("http://{}/d.tar", cut.host()), &options),
        Err(SourceError::Fetch { .. })
    ));
    assert_eq!(std::fs::read_dir(cache.path().join("archives")).unwrap().count(), 0);
}

#[test]
fn where_a_redirect_led_to_is_not_repeated() {
    let cache = tempfile::tempdir().unwrap();
    let cut = Server::start(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc".to_vec()
    });
    for (to, what) in [
        (format!("http://{}/x", cut.host()), "a body that ends early"),
        ("http://127.0.0.1:1/x".to_string(), "nobody there"),
        ("/round".to_string(), "a circle"),
        ("gopher://127.0.0.1/x".to_string(), "a scheme that is not spoken"),
    ] {
        let moved = Server::start(move |_| -> Answer {
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}?X-Amz-Signature=hunter2\r\n");
            format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
        });
        let error = load(&format!("http://{}/d.tar", moved.host()), &options(cache.path())).unwrap_err();
        says(error.clone(), &["/d.tar` cannot be fetched: "]);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{what}: {error}");
    }
}

#[test]
fn truncated_and_corrupt_archives_are_told() {
    let whole = inside("").gz();
    let plain = inside("").plain();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let mut checksum = whole.clone();
    let end = checksum.len() - 6;
    checksum[end] ^= 0x55;
    for (bytes, what) in [
        (whole[..whole.len() / 2].to_vec(), "half"),
        (whole[..whole.len() - 4].to_vec(), "without its checksum"),
        (flipped, "flipped"),
        (checksum, "wrong checksum"),
        (gz(&plain[..1024]), "cut between entries"),
        (gz(&plain[..700]), "cut in an entry"),
        (gz(b"no tar at all"), "no tar"),
        (gz(b""), "nothing"),
        (b"<html>Sign in</html>".to_vec(), "a page"),
    ] {
        let error = fetched(bytes, "").unwrap_err();
        assert!(matches!(error, SourceError::Damaged { .. }), "{what}: {error}");
    }
}

#[test]
fn entries_that_leave_or_are_not_plain_are_refused_by_name() {
    for name in ["../x.kdl", "/etc/x.kdl", "a/../../x.kdl", "files/../../x", "docs/../../x", "a\\b.kdl"] {
        let error = fetched(inside("").with(name, EntryType::Regular).gz(), "").unwrap_err();
        assert_eq!(error, SourceError::Escape { path: name.into() });
    }
    for (name, kind, what) in [
        ("racks", EntryType::Symlink, "a link"),
        ("files/boot/x", EntryType::Symlink, "a link"),
        ("x.kdl", EntryType::Link, "a hard link"),
        ("scripts/x", EntryType::Fifo, "a pipe"),
        ("x.kdl", EntryType::Char, "a device"),
        ("files/disk", EntryType::Block, "a device"),
        ("x.kdl", EntryType::GNUSparse, "a sparse file"),
    ] {
        let error = fetched(inside("").with(name, kind).gz(), "").unwrap_err();
        assert_eq!(error, SourceError::NotPlain { path: name.into(), what });
    }
    // What is no part of the design may be a link.
    fetched(inside("").with(".github", EntryType::Symlink).gz(), "").unwrap();
    let twice = Tar::of(&[("a.kdl", "1"), ("a.kdl", "2")]).gz();
    says(fetched(twice, "").unwrap_err(), &["`a.kdl` is there twice"]);
}

#[test]
fn bombs_cost_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let serve = |bytes: Vec<u8>, options: &Options| {
        let server = serving(bytes);
        load(&format!("http://{}/d.tar.gz", server.host()), options).unwrap_err()
    };
    let mut small = options(cache.path());
    small.limits.unpacked_bytes = 1 << 20;
    small.limits.file_bytes = 64 << 10;
    small.limits.entries = 10;
    small.payloads = true;
    let zeros = vec![0u8; 2 << 20];
    let content = |name: &str, length: usize| {
        let mut tar = inside("");
        tar.add(name, EntryType::Regular, length as u64, &zeros[..length]);
        tar.gz()
    };
    says(serve(content("files/x", 2 << 20), &small), &["more than 1048576 bytes"]);
    says(serve(content("big.kdl", 70 << 10), &small), &["`big.kdl` has 71680 bytes"]);
    // A header may announce anything.
    let mut announced = inside("");
    announced.add("x.kdl", EntryType::Regular, 7 << 30, b"");
    says(serve(announced.gz(), &small), &["more than 1048576 bytes"]);
    // Names and descriptions of entries are read into memory before anybody has looked at them.
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let mut long = Tar::of(&[]);
        long.add("x", kind, 2 << 20, &zeros);
        long.add("x.kdl", EntryType::Regular, 0, b"");
        says(serve(long.gz(), &small), &["an entry of the archive has more than its limit"]);
    }
    let many: Vec<String> = (0..20).map(|number| format!("{number}.kdl")).collect();
    let many = Tar::of(&many.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    says(serve(many.gz(), &small), &["more than 10 files"]);
    // Endless zeros behind the end.
    let mut tail = inside("").plain();
    tail.extend_from_slice(&zeros);
    says(serve(gz(&tail), &small), &["more than its limit"]);
    small.limits.fetched_bytes = 100;
    says(serve(inside("").gz(), &small), &["more than 100 bytes"]);
    assert_eq!(std::fs::read_dir(cache.path().join("payloads")).unwrap().count(), 0, "nothing half is left");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::silent();
    let uri = format!("http://{}/d.tar", server.host());
    assert!(matches!(load(&uri, &impatient(cache.path())), Err(SourceError::Silent { .. })));
    let mut slow = impatient(cache.path());
    (slow.limits.idle, slow.limits.overall) = (slow.limits.overall, slow.limits.idle);
    assert!(matches!(load(&uri, &slow), Err(SourceError::TooSlow { .. })));
}
