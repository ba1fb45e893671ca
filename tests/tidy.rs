//! The house rules of the code, as tests: who may import whom, what may be called where, how long things may be, and
//! that everything that people meet is documented.
//!
//! Owns the rules and their tables; each checker is a function from text to complaints and is tried on small bad
//! inputs first, so that none passes by being blind. Runs nothing of the product but the design compiler.

#![expect(clippy::unwrap_used, reason = "a rule that cannot read what it judges has failed")]

mod tidy {
    pub mod bans;
    pub mod designs;
    pub mod docs;
    pub mod floors;
    pub mod size;
    pub mod text;
}

/// Fails with every complaint, one a line.
#[track_caller]
pub fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
