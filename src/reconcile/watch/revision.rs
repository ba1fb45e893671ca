//! Bringing the design in: what is new comes into force, what cannot be used is told once and changes nothing.

use super::{WatchError, Watching};
use crate::finding::Finding;
use crate::model::watch::{Invalid, What};
use crate::reconcile::design::{self, Loaded};

impl Watching {
    /// The warnings of a revision that is in force since now; `None` when nothing new is.
    pub(super) async fn bring_in(&mut self, first: bool) -> Result<Option<Vec<Finding>>, WatchError> {
        let (place, source) = (self.options.place.clone(), self.options.source.clone());
        // A fetch may hang; a signal ends the waiting for it.
        let loading = tokio::spawn(async move { design::load(&place, &source).await });
        let loaded = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => return Ok(None),
            loaded = loading => loaded.map_err(|error| WatchError::Broken(error.to_string()))?,
        };
        match loaded {
            Ok(loaded) => self.judge(loaded, first),
            // A place that was never there is a slip of the pen.
            Err(error) if first => Err(error.into()),
            Err(error) => {
                let text = error.to_string();
                self.refuse(text.clone(), Invalid::Source(text));
                Ok(None)
            }
        }
    }

    fn judge(&mut self, loaded: Loaded, first: bool) -> Result<Option<Vec<Finding>>, WatchError> {
        let Loaded { revision, site, mut findings, texts, .. } = loaded;
        let Some(site) = site else {
            findings.retain(Finding::is_error);
            let key = format!("{} {findings:?}", revision.digest);
            self.refuse(key, Invalid::Findings { revision, findings, texts });
            return Ok(None);
        };
        if let Err(why) = (self.options.limits)(&site) {
            if first {
                return Err(WatchError::Selector(why));
            }
            self.refuse(format!("{} {why}", revision.digest), Invalid::Selector(why));
            return Ok(None);
        }
        let same = self.site.as_ref().is_some_and(|site| site.revision.digest == revision.digest);
        // The same content may have another commit by now.
        self.site = Some(site);
        if self.told_invalid.take().is_none() && same {
            return Ok(None);
        }
        self.patience.forget();
        self.told_plan = None;
        Ok(Some(findings))
    }

    fn refuse(&mut self, key: String, invalid: Invalid) {
        if self.told_invalid.as_ref() != Some(&key) {
            self.told_invalid = Some(key);
            self.tell(What::Invalid(invalid));
        }
    }
}
