//! One HTTP download into a file of the cache, with its digest: bounded in size and silence.

use super::super::cache::{self, Part};
use super::super::uri::{Archive, Login};
use super::super::{Options, SourceError, chain, git};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const REDIRECTS: usize = 5;
const BLOCK_BYTES: usize = 64 << 10;

/// The archive as the server sends it, and its SHA-256 in hexadecimal.
pub(super) async fn fetch(
    uri: &str,
    archive: &Archive,
    options: &Options,
    folder: &Path,
) -> Result<(Part, String), SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let limit = options.limits.fetched_bytes;
    let too_large = || SourceError::Limit(format!("the archive has more than {limit} bytes"));
    let mut response = ask(uri, archive, options).await?;
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let part = Part::beside(&folder.join("download"))?;
    let mut file =
        tokio::fs::File::create_new(&part.path).await.map_err(|error| cache::failed(&part.path, &error))?;
    let (mut bytes, mut hasher) = (0u64, Sha256::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(uri, error, options))? {
        bytes += chunk.len() as u64;
        if bytes > limit {
            return Err(too_large());
        }
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(|error| cache::failed(&part.path, &error))?;
    }
    file.flush().await.map_err(|error| cache::failed(&part.path, &error))?;
    if bytes == 0 {
        return Err(failed("the server sends an empty file".into()));
    }
    Ok((part, crate::id::hex(&hasher.finalize())))
}

async fn ask(uri: &str, archive: &Archive, options: &Options) -> Result<Response, SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let client = Client::builder()
        .connect_timeout(options.limits.idle)
        .read_timeout(options.limits.idle)
        .redirect(Policy::custom(follow))
        .user_agent(concat!("rackwright/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| failed(chain(&error)))?;
    let request = client.get(&archive.url);
    let request = match &archive.login {
        None => request,
        Some(Login::Basic { user, password }) => {
            request.basic_auth(user, Some(git::fetch_secret(uri, password)?.clear()))
        }
        Some(Login::Bearer { token }) => request.bearer_auth(git::fetch_secret(uri, token)?.clear()),
    };
    let response = request.send().await.map_err(|error| broken(uri, error, options))?;
    let refused = match &archive.login {
        None => "; write ?user=NAME&password=env:VARIABLE, or ?token=env:VARIABLE",
        Some(_) => ": it refuses the credentials",
    };
    match response.status() {
        StatusCode::OK => Ok(response),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Err(failed(format!("the server answers {status}{refused}")))
        }
        status => Err(failed(format!("the server answers {status}"))),
    }
}

/// A redirect never leaves TLS; the library takes credentials out when it leaves the host.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_safe = attempt.previous().iter().any(|url| url.scheme() == "https");
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("it leads from one place to the next without end");
    }
    match was_safe && attempt.url().scheme() != "https" {
        true => attempt.error("it leads from https to http"),
        false => attempt.follow(),
    }
}

/// Where a redirect led to is not said: such an address is often signed, and whoever has it may read what it names.
fn broken(uri: &str, error: reqwest::Error, options: &Options) -> SourceError {
    let error = error.without_url();
    match error.is_timeout() {
        true => SourceError::Silent { uri: uri.into(), seconds: options.limits.idle.as_secs() },
        false => SourceError::Fetch { uri: uri.into(), why: chain(&error) },
    }
}

/// SHA-256 of a file, in hexadecimal.
pub(super) async fn digest_of(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hasher, mut block) = (Sha256::new(), vec![0; BLOCK_BYTES]);
    loop {
        match file.read(&mut block).await? {
            0 => return Ok(crate::id::hex(&hasher.finalize())),
            length => hasher.update(&block[..length]),
        }
    }
}
