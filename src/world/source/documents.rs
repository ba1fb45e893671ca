//! The rendered documents of a site, as a Deckhand server answers with them: one text, fetched and pinned as archives are.
//!
//! Owns the fetching. Looks into no document: what they say is for whoever imports them.

use super::uri::Resource;
use super::{Options, SourceError, cache, download};

/// Documents of another system: a design as soon as they have been imported.
#[derive(Clone, Debug)]
pub struct Documents {
    /// Where they came from: a URI.
    pub source: String,
    /// The last name of the URI's path, by which places in them are called.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub revision: String,
    pub bytes: Vec<u8>,
}

/// Fetches the documents unless the ones that are pinned are here.
pub(super) async fn load(
    uri: &str,
    resource: &Resource,
    options: &Options,
) -> Result<Documents, SourceError> {
    let root = options.cache.as_ref().ok_or_else(|| SourceError::NoCache(uri.into()))?;
    let folder = cache::folder(root, "documents")?;
    // They are held in memory, as any text of a design is.
    let most = options.limits.fetched_bytes.min(options.limits.file_bytes);
    let (path, digest) = download::kept(uri, resource, options, &folder, most).await?;
    let bytes = tokio::fs::read(&path).await.map_err(|error| cache::failed(&path, &error))?;
    let name = resource.url.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_string();
    Ok(Documents { source: uri.into(), name, revision: format!("sha256:{digest}"), bytes })
}
