//! Which nodes a selector means, for whoever names some on the way in.

use crate::design::selector::{Selector, SelectorError, declared};
use crate::model::site::Site;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names of the nodes that the selector matches; none is an answer too.
pub fn choose(site: &Site, selector: &str) -> Result<BTreeSet<Arc<str>>, SelectorError> {
    Ok(Selector::parse(selector)?.choose(site.nodes.iter(), &declared(site))?.into_iter().collect())
}
