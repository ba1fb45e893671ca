//! A Podman service of a test's own: its own storage in a temporary folder, its Docker API on a socket there.
//!
//! Runs as root with runc, the vfs storage driver and explicit limits of open files and processes, which is what every
//! computer allows. It ends with this value, with everything that it still runs.

use super::{Running, program, until};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// One static program with a shell and everything that the tests' containers do (Debian's `busybox-static`).
pub const BUSYBOX: &str = "/bin/busybox";
const UP: Duration = Duration::from_secs(60);
const ENDS: Duration = Duration::from_secs(120);

pub struct Podman {
    folder: tempfile::TempDir,
    service: Option<Running>,
    host: String,
}

const CONF: &str = r#"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
"#;

impl Podman {
    pub fn start() -> Podman {
        let is_there = |path: &str| Path::new(path).exists();
        let has_all =
            is_there("/usr/bin/podman") && (is_there("/usr/sbin/runc") || is_there("/usr/bin/runc"));
        assert!(has_all && is_there(BUSYBOX), "get them with: apt-get install -y podman runc busybox-static");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("containers.conf"), CONF).unwrap();
        let host = format!("unix://{}", folder.path().join("podman.sock").display());
        let mut podman = Podman { folder, service: None, host };
        let mut service = podman.command(&["system", "service", "--time=0", &podman.host.clone()]);
        service.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        podman.service = Some(Running::of(service));
        let socket = podman.folder.path().join("podman.sock");
        assert!(until(UP, || socket.exists().then_some(())).is_some(), "the Podman service is not up");
        podman
    }

    /// What the binary needs to find it.
    pub fn env(&self) -> [(&str, &str); 1] {
        [("DOCKER_HOST", &self.host)]
    }

    /// Podman on the same storage; what it says.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
        assert!(output.status.success(), "podman {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn command(&self, args: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = Command::new("/usr/bin/podman");
        command.args([
            "--root".as_ref(),
            at("root").as_os_str(),
            "--runroot".as_ref(),
            at("run").as_os_str(),
        ]);
        command.args(["--storage-driver", "vfs", "--log-level", "error"]).args(args);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.folder.path());
        // Its helpers leave a note where they are started.
        command.current_dir(self.folder.path());
        command.env("CONTAINERS_CONF", at("containers.conf")).env("TMPDIR", self.folder.path());
        command
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // With what it still runs, or its folder could not be removed.
        let _ = self.command(&["rm", "--all", "--force", "--time", "0"]).output();
        if let Some(mut service) = self.service.take()
            && service.is_running()
        {
            service.signal("TERM");
            until(ENDS, || (!service.is_running()).then_some(()));
        }
    }
}

/// Writes an image archive, as `docker save` does, that holds nothing but busybox: made with `tar`, without an engine.
pub fn archive(to: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("layer/bin")).unwrap();
    std::fs::create_dir_all(at("layer/tmp")).unwrap();
    std::fs::copy(BUSYBOX, at("layer/bin/busybox")).unwrap();
    for name in ["sh", "cat", "echo", "touch", "sleep", "ip", "wc", "grep", "tail"] {
        std::os::unix::fs::symlink("busybox", at("layer/bin").join(name)).unwrap();
    }
    tar(&at("layer"), &at("layer.tar"), ".");
    let digest = |path: PathBuf| sha256(&std::fs::read(path).unwrap());
    let config = serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(at("layer.tar")))]},
    });
    let name = format!("{}.json", sha256(config.to_string().as_bytes()));
    std::fs::write(at(&name), config.to_string()).unwrap();
    let manifest =
        serde_json::json!([{"Config": name, "RepoTags": ["localhost/burn-in:1"], "Layers": ["layer.tar"]}]);
    std::fs::write(at("manifest.json"), manifest.to_string()).unwrap();
    std::fs::remove_dir_all(at("layer")).unwrap();
    tar(folder.path(), to, ".");
}

fn tar(from: &Path, to: &Path, what: &str) {
    // The archive must not hold itself.
    let part = tempfile::NamedTempFile::new().unwrap();
    let name = part.path().to_str().unwrap();
    program("tar", &["-C", from.to_str().unwrap(), "-cf", name, what]).exits(0);
    std::fs::copy(part.path(), to).unwrap();
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
