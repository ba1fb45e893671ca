//! Where the engine is: what `DOCKER_HOST` says, or the sockets at which Podman and Docker listen.

use std::path::PathBuf;

/// Where to look, the first first. What the environment names is the only one when it is there.
pub fn addresses() -> Vec<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(host) = set("DOCKER_HOST") {
        return vec![host];
    }
    let own = set("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("podman/podman.sock"));
    let rest = ["/run/podman/podman.sock", "/var/run/docker.sock"].map(PathBuf::from);
    own.into_iter().chain(rest).map(|path| format!("unix://{}", path.display())).collect()
}
