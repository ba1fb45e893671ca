//! The HTTP side of a machine: bounded fetches over plain HTTP.
//!
//! Owns the shared client and its limits. Knows no meaning of what is fetched.

use super::super::disk;
use super::super::machine::Machine;
use reqwest::{Client, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Silence on a connection, or a connection that does not come about, for this long is a failure.
const SILENCE: Duration = Duration::from_secs(20);
/// The largest kernel or ramdisk.
const LARGEST_BYTES: u64 = 2 << 30;
/// The largest script, order or boot program head.
const TEXT_BYTES: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("HTTP: {0}")]
    Transport(#[from] reqwest::Error),
    #[error("HTTP: the server answers {0}")]
    Status(u16),
    #[error("HTTP: the answer is too large")]
    TooLarge,
    #[error("there is no link: the switch port is shut")]
    NoLink,
}

impl HttpError {
    /// Whether asking again later may help: no connection, a broken one, or a server in trouble.
    pub fn is_transient(&self) -> bool {
        match self {
            HttpError::Transport(error) => !error.is_builder(),
            HttpError::Status(status) => *status >= 500,
            HttpError::NoLink => true,
            HttpError::TooLarge => false,
        }
    }
}

/// A fetched file, as far as a loader looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    pub first_line: String,
    /// `sha256:HEX`.
    pub checksum: String,
}

/// The client that all machines share. It trusts no certificate: the boot wire is plain HTTP, and a
/// provider chosen here keeps the client independent of what the process installs.
pub fn client() -> Result<Client, HttpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut builder = Client::builder();
    if let Ok(versions) = versions {
        let config = versions.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        builder = builder.tls_backend_preconfigured(config);
    }
    let client = builder
        .no_proxy()
        .connect_timeout(SILENCE)
        .read_timeout(SILENCE)
        .pool_idle_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(32)
        .build()?;
    Ok(client)
}

/// The machine's client, while its port is open.
pub fn linked(machine: &Machine) -> Result<&Client, HttpError> {
    if machine.has_network() { Ok(&machine.around.http) } else { Err(HttpError::NoLink) }
}

/// Fetches a text of at most 256 KiB.
pub async fn text(machine: &Machine, url: &str) -> Result<String, HttpError> {
    read_text(succeeded(linked(machine)?.get(url).send().await?)?).await
}

/// The text of an answer, at most 256 KiB.
pub async fn read_text(mut response: Response) -> Result<String, HttpError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > TEXT_BYTES {
            return Err(HttpError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Fetches a file through a digest, keeping its first line.
pub async fn payload(machine: &Machine, url: &str) -> Result<Payload, HttpError> {
    let mut response = succeeded(linked(machine)?.get(url).send().await?)?;
    let (mut head, mut bytes, mut hash) = (Vec::new(), 0u64, Sha256::new());
    while let Some(chunk) = response.chunk().await? {
        let room = 512usize.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(&chunk[..room]);
        bytes += chunk.len() as u64;
        if bytes > LARGEST_BYTES {
            return Err(HttpError::TooLarge);
        }
        hash.update(&chunk);
    }
    let checksum = format!("sha256:{}", crate::id::hex(&hash.finalize()));
    Ok(Payload { first_line: disk::first_line(&head), checksum })
}

/// The answer, when its status says success.
pub fn succeeded(response: Response) -> Result<Response, HttpError> {
    let status = response.status();
    if status.is_success() { Ok(response) } else { Err(HttpError::Status(status.as_u16())) }
}
