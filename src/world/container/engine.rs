//! The engine: found once, then asked.

use super::{ContainerError, REQUEST, socket};
use bollard::{API_DEFAULT_VERSION, Docker};
use std::time::Duration;

/// An engine that is there answers a ping at once.
const PING: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    /// Such as `unix:///run/podman/podman.sock`.
    pub address: String,
}

impl Engine {
    /// The first engine that answers, at the addresses that the environment and custom name.
    pub async fn find() -> Result<Engine, ContainerError> {
        let mut tried = Vec::new();
        for address in socket::addresses() {
            match Engine::at(&address).await {
                Ok(engine) => return Ok(engine),
                Err(why) => tried.push(format!("{address}: {why}")),
            }
        }
        Err(ContainerError::NoEngine { tried: tried.join("; ") })
    }

    async fn at(address: &str) -> Result<Engine, String> {
        let seconds = REQUEST.as_secs();
        let docker = match address.split_once("://") {
            Some(("unix", path)) => Docker::connect_with_unix(path, seconds, API_DEFAULT_VERSION),
            Some(("tcp" | "http", _)) => Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION),
            _ => return Err("this build speaks unix://, tcp:// and http:// only".into()),
        };
        let docker = docker.map_err(|error| error.to_string())?;
        let negotiated = tokio::time::timeout(PING, docker.negotiate_version()).await;
        let docker = negotiated.map_err(|_| "it does not answer")?.map_err(|error| error.to_string())?;
        Ok(Engine { docker, address: address.to_string() })
    }
}

/// Whether an engine answers, and how it calls itself.
pub async fn has_engine() -> Result<String, ContainerError> {
    let engine = Engine::find().await?;
    let version =
        engine.docker.version().await.map_err(|error| ContainerError::engine("say its version", &error))?;
    let component = version.components.into_iter().flatten().next().map(|part| part.name);
    let name = component.unwrap_or_else(|| "container engine".into());
    Ok(format!("{name} {} at {}", version.version.unwrap_or_default(), engine.address))
}
