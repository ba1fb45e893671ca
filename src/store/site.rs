//! The site's own row and the design revisions that were used.

use super::{Store, StoreError};
use crate::model::revision::Revision;
use crate::units::Time;
use std::sync::Arc;

impl Store {
    /// Makes the site's row when it is not there; refuses a store of another site. `boot_secret` is
    /// used only at first.
    pub async fn ensure_site(&self, name: &Arc<str>, boot_secret: String) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(move |connection| {
            Box::pin(async move {
                let found: Option<String> =
                    sqlx::query_scalar("SELECT name FROM site").fetch_optional(&mut *connection).await?;
                match found {
                    Some(found) if *found != *name => {
                        return Err(StoreError::OtherSite { wanted: name.to_string(), found });
                    }
                    Some(_) => return Ok(()),
                    None => {}
                }
                sqlx::query("INSERT INTO site (name, boot_secret) VALUES ($1, $2)")
                    .bind(&*name)
                    .bind(boot_secret)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The site that the store belongs to; `None` while it belongs to none.
    pub async fn site_name(&self) -> Result<Option<Arc<str>>, StoreError> {
        let name: Option<String> =
            sqlx::query_scalar("SELECT name FROM site").fetch_optional(&self.reads).await?;
        Ok(name.map(Arc::from))
    }

    /// The key from which boot keys are derived.
    pub async fn boot_secret(&self, name: &str) -> Result<String, StoreError> {
        let secret: Option<String> = sqlx::query_scalar("SELECT boot_secret FROM site WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.reads)
            .await?;
        secret.ok_or_else(|| StoreError::Content(format!("site `{name}` has no row")))
    }

    pub async fn remember_revision(&self, revision: &Revision, now: Time) -> Result<(), StoreError> {
        let revision = revision.clone();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO design_revision (digest, source, revision, first_seen) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (digest) DO NOTHING",
                )
                .bind(revision.digest)
                .bind(revision.source)
                .bind(revision.revision)
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
