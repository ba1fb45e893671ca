//! `doctor`: what this computer lacks for which feature, and how to get it.

use super::Global;
use super::exit::{CliError, Exit};
use crate::view::out;
use crate::world::container::has_engine;
use serde_json::json;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

/// Say what this computer lacks, for which feature, and how to get it.
#[derive(clap::Args)]
pub struct Args {}

/// One thing that a feature needs.
struct Check {
    feature: &'static str,
    needs: &'static str,
    present: bool,
    way: &'static str,
}

pub async fn run(global: &Global, _args: &Args) -> Result<Exit, CliError> {
    let mut checks = checks();
    checks.push(engine().await);
    if global.json {
        let rows: Vec<_> = checks
            .iter()
            .map(|check| {
                json!({"feature": check.feature, "needs": check.needs, "present": check.present, "way": check.way})
            })
            .collect();
        out::json_document(&json!({"format": 1, "checks": rows}));
        return Ok(Exit::Done);
    }
    for check in &checks {
        match check.present {
            true => out::result(&format!("ok       {}: {}", check.feature, check.needs)),
            false => {
                out::result(&format!("missing  {}: {}\n         {}", check.feature, check.needs, check.way))
            }
        }
    }
    Ok(Exit::Done)
}

fn checks() -> Vec<Check> {
    let can_write_here = tempfile_in(Path::new(".")).is_ok();
    vec![
        Check {
            feature: "rehearsal and boot services",
            needs: "TCP and UDP ports on loopback",
            present: TcpListener::bind("127.0.0.1:0").is_ok() && UdpSocket::bind("127.0.0.1:0").is_ok(),
            way: "bring the loopback interface up: ip link set lo up",
        },
        Check {
            feature: "boot services on their usual ports",
            needs: "the right to listen on UDP port 69",
            present: UdpSocket::bind("127.0.0.1:69").is_ok(),
            way: "run as root, or setcap cap_net_bind_service=+ep on the binary, or move the ports in `site { services … }`",
        },
        Check {
            feature: "many nodes at once",
            needs: "at least 8192 open files",
            present: rlimit::increase_nofile_limit(8_192).is_ok_and(|limit| limit >= 8_192),
            way: "raise the hard limit: ulimit -Hn, or LimitNOFILE= of the service",
        },
        Check {
            feature: "the store beside the design",
            needs: "the right to write to this folder",
            present: can_write_here,
            way: "change the folder's owner, or name a store elsewhere with --store sqlite:PATH",
        },
    ]
}

async fn engine() -> Check {
    Check {
        feature: "container tasks",
        needs: "a Docker or Podman engine that answers on its socket",
        present: has_engine().await.is_ok(),
        way: "apt-get install podman, then systemctl enable --now podman.socket; or set DOCKER_HOST, such as unix:///run/podman/podman.sock",
    }
}

/// Makes and removes an empty file.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".rackwright-doctor-{}", std::process::id()));
    std::fs::write(&path, b"")?;
    std::fs::remove_file(path)
}
