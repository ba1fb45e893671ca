//! A site for other programs: the whole of it as JSON, an Ansible inventory, its blueprints as graphs.
//!
//! Pure: a `Site` in, a document out. No value of a secret is in a site, and no reference to one leaves it.

pub mod ansible;
pub mod graph;
mod groups;
pub mod json;
