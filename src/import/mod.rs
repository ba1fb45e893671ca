//! Other systems' designs, as KDL that reads as if a person had written it.
//!
//! Owns the reading of foreign formats and the writing of KDL. Pure: texts in, texts out, with a list of all that was
//! not carried over as it stood. Knows no file and judges no design: whoever asks compiles what comes out.

pub mod csv;
pub mod drydock;
mod kdl;
mod report;
mod source;
mod yaml;

pub use source::Input;
