//! One HTTP download into a file of the cache, known by its digest: bounded in size, silence and time.

use super::cache::{self, Part};
use super::uri::{Login, Resource};
use super::{Options, SourceError, chain, git};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const REDIRECTS: usize = 5;
const BLOCK_BYTES: usize = 64 << 10;

/// The file in `folder`, which is named by its SHA-256 in hexadecimal, and that digest. What is pinned and here is not asked for.
pub(super) async fn kept(
    uri: &str,
    resource: &Resource,
    options: &Options,
    folder: &Path,
    most_bytes: u64,
) -> Result<(PathBuf, String), SourceError> {
    let overall = options.limits.overall;
    let fetched = tokio::time::timeout(overall, here(uri, resource, options, folder, most_bytes)).await;
    fetched.unwrap_or_else(|_| Err(SourceError::TooSlow { uri: uri.into(), seconds: overall.as_secs() }))
}

async fn here(
    uri: &str,
    resource: &Resource,
    options: &Options,
    folder: &Path,
    most_bytes: u64,
) -> Result<(PathBuf, String), SourceError> {
    if let Some(pinned) = &resource.digest {
        let kept = folder.join(pinned);
        // What lies in the cache for long is looked at again before it is believed.
        if kept.is_file() && digest_of(&kept).await.is_ok_and(|digest| digest == *pinned) {
            return Ok((kept, pinned.clone()));
        }
    }
    let (part, digest) = fetch(uri, resource, options, folder, most_bytes).await?;
    if let Some(wanted) = resource.digest.as_ref().filter(|wanted| **wanted != digest) {
        return Err(SourceError::Digest { uri: uri.into(), is: digest, wanted: wanted.clone() });
    }
    let path = folder.join(&digest);
    part.finish(&path)?;
    // One that another process reads stays open to it.
    cache::sweep(folder, Duration::ZERO);
    Ok((path, digest))
}

/// What the server sends, and its SHA-256.
async fn fetch(
    uri: &str,
    resource: &Resource,
    options: &Options,
    folder: &Path,
    limit: u64,
) -> Result<(Part, String), SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let too_large = || SourceError::Limit(format!("what the server sends has more than {limit} bytes"));
    let mut response = ask(uri, resource, options).await?;
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

async fn ask(uri: &str, resource: &Resource, options: &Options) -> Result<Response, SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let client = Client::builder()
        .connect_timeout(options.limits.idle)
        .read_timeout(options.limits.idle)
        .redirect(Policy::custom(follow))
        .user_agent(concat!("rackwright/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| failed(chain(&error)))?;
    let request = client.get(&resource.url);
    let request = match &resource.login {
        None => request,
        Some(Login::Basic { user, password }) => {
            request.basic_auth(user, Some(git::fetch_secret(uri, password)?.clear()))
        }
        Some(Login::Bearer { token }) => request.bearer_auth(git::fetch_secret(uri, token)?.clear()),
    };
    let response = request.send().await.map_err(|error| broken(uri, error, options))?;
    let refused = match &resource.login {
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
async fn digest_of(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hasher, mut block) = (Sha256::new(), vec![0; BLOCK_BYTES]);
    loop {
        match file.read(&mut block).await? {
            0 => return Ok(crate::id::hex(&hasher.finalize())),
            length => hasher.update(&block[..length]),
        }
    }
}
