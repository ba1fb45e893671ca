//! Designs in tar archives: fetched by HTTP into the cache, pinned by SHA-256, and read as they stream past.

mod download;
mod unpack;

use super::uri::Archive;
use super::{Options, SourceError, cache, parts};
use crate::model::revision::{Revision, SourceTree};
use std::path::PathBuf;
use std::time::Duration;

/// Fetches the archive unless the one that is pinned is here, and reads the design in it.
pub(super) async fn load(uri: &str, archive: &Archive, options: &Options) -> Result<SourceTree, SourceError> {
    let root = options.cache.as_ref().ok_or_else(|| SourceError::NoCache(uri.into()))?;
    let folder = cache::folder(root, "archives")?;
    let payloads = options.payloads.then(|| cache::folder(root, "payloads")).transpose()?;
    let overall = options.limits.overall;
    let fetched = tokio::time::timeout(overall, here(uri, archive, options, &folder)).await;
    let (path, digest) = fetched
        .unwrap_or_else(|_| Err(SourceError::TooSlow { uri: uri.into(), seconds: overall.as_secs() }))?;
    let source = unpack::Source {
        uri: uri.into(),
        path,
        gzip: archive.gzip,
        subdir: archive.subdir.clone(),
        // One archive may hold several designs.
        payloads: payloads.map(|folder| folder.join(cache::name_of(&format!("{digest} {}", archive.subdir)))),
        limits: options.limits.clone(),
    };
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let read = tokio::task::spawn_blocking(move || unpack::read(&source)).await;
    let (gathered, root) = read.map_err(|error| failed(error.to_string()))??;
    gathered.has_kdl(uri)?;
    let parts::Gathered { files, payloads, .. } = gathered;
    let revision =
        Revision { source: uri.into(), revision: format!("sha256:{digest}"), digest: parts::digest(&files) };
    Ok(SourceTree { revision, files, payloads: Some(payloads), root })
}

/// The archive in the cache, and its digest.
async fn here(
    uri: &str,
    archive: &Archive,
    options: &Options,
    folder: &std::path::Path,
) -> Result<(PathBuf, String), SourceError> {
    if let Some(pinned) = &archive.digest {
        let kept = folder.join(pinned);
        // What lies in the cache for long is looked at again before it is believed.
        if kept.is_file() && download::digest_of(&kept).await.is_ok_and(|digest| digest == *pinned) {
            return Ok((kept, pinned.clone()));
        }
    }
    let (part, digest) = download::fetch(uri, archive, options, folder).await?;
    if let Some(wanted) = archive.digest.as_ref().filter(|wanted| **wanted != digest) {
        return Err(SourceError::Digest { uri: uri.into(), is: digest, wanted: wanted.clone() });
    }
    let path = folder.join(&digest);
    part.finish(&path)?;
    // One that another process reads stays open to it.
    cache::sweep(folder, Duration::ZERO);
    Ok((path, digest))
}
