//! Designs in tar archives: fetched by HTTP into the cache, pinned by SHA-256, and read as they stream past.

mod unpack;

use super::uri::Archive;
use super::{Options, SourceError, cache, download, parts};
use crate::model::revision::{Revision, SourceTree};

/// Fetches the archive unless the one that is pinned is here, and reads the design in it.
pub(super) async fn load(uri: &str, archive: &Archive, options: &Options) -> Result<SourceTree, SourceError> {
    let root = options.cache.as_ref().ok_or_else(|| SourceError::NoCache(uri.into()))?;
    let folder = cache::folder(root, "archives")?;
    let payloads = options.payloads.then(|| cache::folder(root, "payloads")).transpose()?;
    let most = options.limits.fetched_bytes;
    let (path, digest) = download::kept(uri, &archive.resource, options, &folder, most).await?;
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
