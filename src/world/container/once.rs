//! One container, begun once: named by what it is for, and found again by that name.
//!
//! Owns how it is confined. Beginning it again does nothing but what is missing, so that whoever was interrupted can
//! simply begin it again.

use super::archive::tar;
use super::{ContainerError, Engine, is_missing};
use crate::units::Time;
use crate::world::program::Payload;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, KillContainerOptions,
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// In the container, what it is given and what it gives back.
const FOLDER: &str = "/rackwright";
const PAYLOAD: &str = "/rackwright/node.json";
const PARAMS: &str = "/rackwright/params.json";
pub(super) const RESULT: &str = "/rackwright/result.json";

/// Container labels: what it is of, and when its time is over (microseconds since 1970).
const OF: &str = "rackwright.effect";
const UNTIL: &str = "rackwright.until";

/// A program that does not read what it is given does not hold anybody up.
const STDIN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    #[default]
    None,
    Bridge,
    Host,
}

/// A container that is to run.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The id of the effect that it is for.
    pub id: &'a str,
    pub image: &'a str,
    /// In place of the image's own command; `{payload}`, `{params}` and `{result}` stand for paths.
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub payload: &'a Payload,
    pub network: Network,
    /// Thousandths of a processor.
    pub milli_cpus: i64,
    pub memory_bytes: i64,
    pub pids: i64,
    pub until: Time,
}

/// What became of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was never begun, or never started.
    NotBegun,
    /// It runs, until its time is over.
    Running {
        until: Time,
    },
    Ended {
        code: i64,
        out_of_memory: bool,
        until: Time,
    },
}

/// The name of the container of an effect.
pub(super) fn name(id: &str) -> String {
    let plain = |one: char| if one.is_ascii_alphanumeric() || matches!(one, '-' | '.') { one } else { '_' };
    format!("rackwright-{}", id.chars().map(plain).collect::<String>())
}

impl Engine {
    /// What became of the container of effect `id`.
    pub async fn find_container(&self, id: &str) -> Result<Found, ContainerError> {
        let container = match self.docker.inspect_container(&name(id), None).await {
            Ok(container) => container,
            Err(error) if is_missing(&error) => return Ok(Found::NotBegun),
            Err(error) => return Err(ContainerError::engine("look for the container", &error)),
        };
        let labels = container.config.and_then(|config| config.labels).unwrap_or_default();
        let until = Time(labels.get(UNTIL).and_then(|text| text.parse().ok()).unwrap_or_default());
        let state = container.state.unwrap_or_default();
        let status = state.status.map(|status| status.to_string()).unwrap_or_default();
        Ok(match status.as_str() {
            "exited" | "dead" | "removing" | "stopped" => Found::Ended {
                code: state.exit_code.unwrap_or_default(),
                out_of_memory: state.oom_killed.unwrap_or_default(),
                until,
            },
            "running" | "paused" | "restarting" | "stopping" => Found::Running { until },
            _ => Found::NotBegun,
        })
    }

    /// Begins the container; one that was made and not started goes on from there.
    pub async fn begin_container(&self, wanted: &Wanted<'_>) -> Result<(), ContainerError> {
        let name = name(wanted.id);
        let doing = |doing| move |error| ContainerError::engine(doing, &error);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        match self.docker.create_container(Some(options), body(wanted)).await {
            Ok(_) => {}
            Err(error) if is_there(&error) => {}
            Err(error) if is_missing(&error) => {
                return Err(ContainerError::NoImage(wanted.image.to_string()));
            }
            Err(error) => return Err(ContainerError::engine("make the container", &error)),
        }
        let given = given(wanted.payload).map_err(|error| ContainerError::Image(error.to_string()))?;
        let options = UploadToContainerOptionsBuilder::default().path(FOLDER).build();
        let uploaded =
            self.docker.upload_to_container(&name, Some(options), bollard::body_full(given.into())).await;
        uploaded.map_err(doing("give the container its payload"))?;
        let options = AttachContainerOptionsBuilder::default().stream(true).stdin(true).build();
        let attached = self.docker.attach_container(&name, Some(options)).await;
        let mut attached = attached.map_err(doing("reach the container's standard input"))?;
        self.docker.start_container(&name, None).await.map_err(doing("start the container"))?;
        let text = wanted.payload.whole();
        let written = async {
            attached.input.write_all(text.as_bytes()).await?;
            attached.input.shutdown().await
        };
        // A program that has ended, or does not read, has what it wanted.
        let _ = tokio::time::timeout(STDIN, written).await;
        Ok(())
    }

    /// Ends the container at once.
    pub async fn kill_container(&self, id: &str) -> Result<(), ContainerError> {
        match self.docker.kill_container(&name(id), None::<KillContainerOptions>).await {
            Ok(()) => Ok(()),
            Err(error) if is_missing(&error) || is_there(&error) => Ok(()),
            Err(error) => Err(ContainerError::engine("kill the container", &error)),
        }
    }

    /// The effects whose containers are there, running or not.
    pub async fn containers(&self) -> Result<Vec<String>, ContainerError> {
        let ours = HashMap::from([("label".to_string(), vec![OF.to_string()])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&ours).build();
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(|error| ContainerError::engine("list the containers", &error))?;
        Ok(listed.into_iter().filter_map(|container| container.labels?.remove(OF)).collect())
    }

    /// Removes the container with its volume.
    pub async fn remove_container(&self, id: &str) -> Result<(), ContainerError> {
        let options = RemoveContainerOptionsBuilder::default().v(true).force(true).build();
        match self.docker.remove_container(&name(id), Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(ContainerError::engine("remove the container", &error)),
        }
    }
}

/// 409: it is there already, or it does not run.
fn is_there(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 409, .. })
}

fn body(wanted: &Wanted<'_>) -> ContainerCreateBody {
    let own = [("RACKWRIGHT_PAYLOAD", PAYLOAD), ("RACKWRIGHT_PARAMS", PARAMS), ("RACKWRIGHT_RESULT", RESULT)];
    let env = own.iter().map(|(name, value)| format!("{name}={value}"));
    let env = env.chain(wanted.env.iter().map(|(name, value)| format!("{name}={value}")));
    let args: Vec<String> = wanted.args.iter().map(|arg| with_paths(arg)).collect();
    let labels = [(OF, wanted.id.to_string()), (UNTIL, wanted.until.0.to_string())];
    ContainerCreateBody {
        image: Some(wanted.image.to_string()),
        cmd: (!args.is_empty()).then_some(args),
        env: Some(env.collect()),
        labels: Some(labels.into_iter().map(|(name, value)| (name.to_string(), value)).collect()),
        attach_stdin: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        volumes: Some(vec![FOLDER.to_string()]),
        host_config: Some(confined(wanted)),
        ..ContainerCreateBody::default()
    }
}

fn with_paths(arg: &str) -> String {
    arg.replace("{payload}", PAYLOAD).replace("{params}", PARAMS).replace("{result}", RESULT)
}

/// What the container may do and take: nothing of the host, and only its share.
fn confined(wanted: &Wanted<'_>) -> HostConfig {
    let network = match wanted.network {
        Network::None => "none",
        Network::Bridge => "bridge",
        Network::Host => "host",
    };
    HostConfig {
        network_mode: Some(network.into()),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".into()]),
        security_opt: Some(vec!["no-new-privileges".into()]),
        tmpfs: Some(HashMap::from([("/tmp".to_string(), "rw,nosuid,nodev,size=64m,mode=1777".to_string())])),
        nano_cpus: Some(wanted.milli_cpus.saturating_mul(1_000_000)),
        memory: Some(wanted.memory_bytes),
        // Without swap: the limit is what it says.
        memory_swap: Some(wanted.memory_bytes),
        pids_limit: Some(wanted.pids),
        ..HostConfig::default()
    }
}

/// What lies in the container's folder: whoever the program runs as may read its payload and write its result.
fn given(payload: &Payload) -> std::io::Result<Vec<u8>> {
    let (whole, params) = (payload.whole(), payload.params().to_string());
    let files: [(&str, &[u8], u32); 3] = [
        ("node.json", whole.as_bytes(), 0o444),
        ("params.json", params.as_bytes(), 0o444),
        ("result.json", b"", 0o666),
    ];
    tar(files.into_iter())
}
