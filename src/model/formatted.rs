//! What became of files that were to be formatted.

use crate::finding::Finding;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the house style.
    Tidy,
    /// It was written again, or would have been.
    Changed,
    /// It is no KDL, and stays as it is.
    Findings(Vec<Finding>),
    /// It could not be read or written, or the formatter refused it; the text says why.
    Failed(String),
}

#[derive(Clone, Debug, Default)]
pub struct Formatted {
    /// In the order in which they were named.
    pub files: Vec<(Arc<str>, Outcome)>,
    /// The texts of files with findings, for underlining.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}
