//! What one evaluation of a script may use: the numbers, and why each is what it is.
//!
//! Owns every limit of the sandbox. `stdlib/README.md` lists [`TABLE`], and a test holds it to that. Where a limit is
//! passed the script ends; no `try` catches it.

use std::fmt;

/// Steps of the interpreter in one evaluation, the replay of earlier effects and the making of imported modules included.
/// A value that is used costs more the larger it is, so that a step is never worth more than some microseconds: this
/// is well under a second of one core for plain scripts, and under ten for the worst that we could make.
pub const OPERATIONS: u64 = 2_000_000;

/// What the values of an evaluation may take together, and the modules that it imports. It is looked at after each step.
pub const MEMORY_BYTES: usize = 32 << 20;

/// The most memory that one evaluation takes at any moment, whatever its script does: what it may have, and what one step
/// can add to it, which is at most a value of the largest size, written out. Sixteen may run at once.
pub const PEAK_BYTES: usize = MEMORY_BYTES + (16 << 20);

/// Lists and maps in each other. Every walk over a value (comparing, printing, dropping it) recurses, on two megabytes
/// of stack; and JSON that is nested deeper than 128 cannot be read back from the journal.
pub const DEPTH: usize = 64;

/// Calls within calls, callbacks included. Thirty-two with the deepest expressions take half of the stack.
pub const CALL_LEVELS: usize = 32;
/// Expressions and blocks in each other, at the top of a file and within a function.
pub const EXPRESSION_DEPTH: usize = 64;
pub const FUNCTION_EXPRESSION_DEPTH: usize = 32;

/// One text; the texts of one list or map together; and the names in one map together. Writing a value out takes at most
/// six times as much.
pub const TEXT_BYTES: usize = 256 << 10;
/// One list with what its lists hold, and one map likewise.
pub const LIST_ITEMS: usize = 20_000;
pub const MAP_ENTRIES: usize = 20_000;
/// A list or a map that is written out in a script: using it copies it in one step, whose cost nothing else bounds.
pub const LITERAL_ITEMS: usize = 500;
/// A text that is written out in a script, likewise.
pub const LITERAL_BYTES: usize = 8 << 10;

/// One file of scripts. Parsing takes time and memory by its length.
pub const SCRIPT_BYTES: usize = 128 << 10;
/// Files that one script reaches by its imports: more is a mistake.
pub const FILES: usize = 64;
pub const MODULES: usize = 32;
pub const FUNCTIONS: usize = 256;
pub const VARIABLES: usize = 256;

/// What a script hands to an effect, and what it returns: its texts and names, and sixteen bytes for each value. It is a row
/// of the journal.
pub const VALUE_BYTES: usize = 512 << 10;

/// What is bounded, as people read it, and by how much.
pub const TABLE: &[(&str, u64, &str)] = &[
    ("effects of one attempt", super::tape::EFFECTS_AT_MOST as u64, ""),
    ("steps of the interpreter, from the start to the next effect", OPERATIONS, ""),
    ("memory of all values together", MEMORY_BYTES as u64 >> 20, "MiB"),
    ("lists and maps in each other", DEPTH as u64, ""),
    ("one text, the texts of a list or map together, its names together", TEXT_BYTES as u64 >> 10, "KiB"),
    ("items of a list, with those of lists in it", LIST_ITEMS as u64, ""),
    ("entries of a map, with those of maps in it", MAP_ENTRIES as u64, ""),
    ("a list or map written out in a script", LITERAL_ITEMS as u64, "items"),
    ("a text written out in a script", LITERAL_BYTES as u64 >> 10, "KiB"),
    ("calls within calls", CALL_LEVELS as u64, ""),
    ("expressions and blocks in each other", FUNCTION_EXPRESSION_DEPTH as u64, ""),
    ("variables of one function", VARIABLES as u64, ""),
    ("functions of one file", FUNCTIONS as u64, ""),
    ("one file", SCRIPT_BYTES as u64 >> 10, "KiB"),
    ("files reached by imports", FILES as u64, ""),
    ("imports of one file", MODULES as u64, ""),
    ("a value handed to an effect or returned", VALUE_BYTES as u64 >> 10, "KiB"),
];

/// A limit that ends an evaluation wherever it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Operations,
    Memory,
    Depth,
    Names,
}

impl fmt::Display for Limit {
    /// Which limit, and the way out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Operations => write!(
                f,
                "the script took more than {OPERATIONS} steps; look for a loop that does not end, or split the task"
            ),
            Limit::Memory => write!(
                f,
                "the script's values take more than {} MiB; keep less of what it reads, or split the task",
                MEMORY_BYTES >> 20
            ),
            Limit::Names => write!(
                f,
                "the names in a map take more than {} KiB; keep long texts as values, or in lists",
                TEXT_BYTES >> 10
            ),
            Limit::Depth => write!(
                f,
                "lists and maps are nested more than {DEPTH} deep; keep the values beside each other instead"
            ),
        }
    }
}
