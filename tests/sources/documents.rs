//! Documents of another system, from a server: a design like any other, pinned, imported, and told what did not go over.

use super::server::{Answer, Request, Server, answer};
use crate::common::{Output, rackwright_with};
use crate::{bring, impatient, options, says};

const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/drydock/");

fn documents(name: &str) -> Vec<u8> {
    std::fs::read(format!("{SITE}{name}")).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server for one text, and whoever asks it.
struct Deckhand {
    cache: tempfile::TempDir,
    server: Server,
}

impl Deckhand {
    fn with(respond: impl Fn(Request) -> Answer + Send + Sync + 'static) -> Deckhand {
        Deckhand { cache: tempfile::tempdir().unwrap(), server: Server::start(respond) }
    }

    fn of(bytes: Vec<u8>) -> Deckhand {
        Deckhand::with(move |_| answer("200 OK", &bytes))
    }

    fn uri(&self, query: &str) -> String {
        format!("deckhand+http://{}/api/v1.0/revisions/7/rendered-documents{query}", self.server.host())
    }

    fn run(&self, args: &[&str]) -> Output {
        let cache = self.cache.path().to_str().unwrap();
        rackwright_with(&[("XDG_CACHE_HOME", cache), ("DECKHAND_TOKEN", "hunter2")], args)
    }
}

#[test]
fn rendered_documents_are_a_design_that_is_pinned_by_its_digest() {
    let bytes = documents("deckhand_fullsite.yaml");
    let digest = format!("sha256:{}", sha256(&bytes));
    let deckhand = Deckhand::of(bytes);
    let uri = deckhand.uri("");
    let valid = deckhand.run(&["validate", &uri]).exits(0);
    assert!(valid.stdout.contains("The design is valid"), "{}", valid.stdout);
    assert!(!valid.stdout.contains("carried over") && valid.stderr.contains("Not carried over"));
    assert!(valid.stderr.contains("  rendered-documents:"), "{}", valid.stderr);

    let plan = deckhand.run(&["plan", &uri, "--virtual", "--json"]).exits(0);
    assert!(plan.stderr.contains("things of the imported documents"), "{}", plan.stderr);
    assert_eq!(plan.stderr.matches("imported").count(), 1);
    let plan = plan.json();
    assert_eq!(
        (plan["design"]["source"].as_str(), plan["design"]["revision"].as_str()),
        (Some(&*uri), Some(&*digest))
    );
    let nodes: Vec<&str> =
        plan["nodes"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["compute01", "compute02", "controller01"]);

    // What is pinned and here needs no server.
    let asked = deckhand.server.count();
    let pinned = deckhand.run(&["plan", &uri, "--virtual", "--revision", &digest, "--json"]).exits(0);
    assert_eq!(pinned.json()["design"], plan["design"]);
    deckhand.run(&["validate", &deckhand.uri(&format!("?digest={digest}"))]).exits(0);
    assert_eq!(deckhand.server.count(), asked);
    let wrong = deckhand.uri(&format!("?digest=sha256:{}", "0".repeat(64)));
    deckhand.run(&["validate", &wrong]).exits(3).says("not what was pinned");
}

#[test]
fn what_is_wrong_with_documents_is_said_at_its_place_in_them() {
    let deckhand = Deckhand::of(documents("invalid_network_cidr.yaml"));
    let output = deckhand.run(&["validate", &deckhand.uri(""), "--json"]).exits(3).json();
    let errors = output["findings"].as_array().unwrap().iter().filter(|it| it["severity"] == "error");
    let files: Vec<&str> = errors.map(|it| it["file"].as_str().unwrap()).collect();
    assert!(!files.is_empty() && files.iter().all(|file| *file == "rendered-documents"), "{output:#}");
    deckhand.run(&["plan", &deckhand.uri(""), "--virtual"]).exits(3).says("rendered-documents:");

    for (bytes, says) in [
        (b"<html>Sign in</html>".to_vec(), "no document of a Drydock site"),
        (b"schema: drydock/Rack/v1\ndata: [".to_vec(), "rendered-documents"),
        (vec![b'#'; (8 << 20) + 1], "the limit is 8388608 bytes"),
        (b"\xff\xfe\0".to_vec(), "no text"),
    ] {
        let deckhand = Deckhand::of(bytes);
        deckhand.run(&["validate", &deckhand.uri("")]).exits(3).says(says);
    }
}

#[test]
fn a_deckhand_server_is_answered_and_limited_as_others_are() {
    let bytes = documents("deckhand_fullsite.yaml");
    let guarded = Deckhand::with(move |request| match request.authorization() == "Bearer hunter2" {
        true => answer("200 OK", &bytes),
        false => answer("401 Unauthorized", b""),
    });
    guarded.run(&["validate", &guarded.uri("?token=env:DECKHAND_TOKEN")]).exits(0);
    guarded.run(&["validate", &guarded.uri("")]).exits(1).says("token=env:VARIABLE");
    let cache = tempfile::tempdir().unwrap();
    let mut small = options(cache.path());
    small.limits.file_bytes = 100;
    let large = Deckhand::of(vec![b'x'; 101]);
    says(bring(&large.uri(""), &small).unwrap_err(), &["more than 100 bytes"]);
    let silent = Server::silent();
    let uri = format!("deckhand+http://{}/d", silent.host());
    says(bring(&uri, &impatient(cache.path())).unwrap_err(), &["no answer for 0 s"]);
    assert_eq!(std::fs::read_dir(cache.path().join("documents")).unwrap().count(), 0);
}
