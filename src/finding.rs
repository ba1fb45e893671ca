//! Findings: what is wrong with something that a person wrote, with its place and the way out.
//!
//! Owns the `Finding` value and the place type that every floor uses to point into a design.
//! Does not render anything: `view/` turns findings into text and JSON.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// How bad a finding is. Errors stop a plan; warnings do so only under `--strict`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// A place in a source file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Path inside the design, or `stdlib/…`.
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
    /// Byte offset and byte length of the offending text in the file, for underlining.
    pub offset: u32,
    pub length: u32,
}

impl Place {
    /// The place of a whole file, for faults that have no finer one.
    pub fn whole(file: &str) -> Place {
        Place { file: file.into(), line: 1, column: 1, offset: 0, length: 0 }
    }

    /// The place of `length` bytes at byte `offset` of `text`; offsets past the end point at the end.
    pub fn at(file: &Arc<str>, text: &str, offset: usize, length: usize) -> Place {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Place {
            file: file.clone(),
            line: clamp(line),
            column: clamp(column),
            offset: clamp(offset),
            length: clamp(length.min(text.len() - offset)),
        }
    }
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One diagnostic: `RW` + four digits, a message, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub message: String,
    /// What the finding is about, such as `node "r1-n01"`.
    pub subject: String,
    pub place: Option<Place>,
    pub help: Option<String>,
}

/// A row of the code table in [`CODES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub number: u16,
    pub severity: Severity,
    /// One line: what the code means, for the documentation page.
    pub title: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RW{:04}", self.number)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal $severity:ident $title:literal;)*) => {
        $(pub const $name: Code = Code { number: $number, severity: Severity::$severity, title: $title };)*
        /// Every code there is, in order of number.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    SYNTAX = 1 Error "the KDL text cannot be parsed";
    NOT_UTF8 = 2 Error "a design file is not UTF-8 text";
    EMPTY_DESIGN = 3 Error "the folder holds no design";
    UNKNOWN_NODE = 4 Error "a node name that is not part of the language here";
    UNKNOWN_PROPERTY = 5 Error "a property that is not part of the language here";
    UNEXPECTED_ARGUMENT = 6 Error "more values than the language has a place for";
    MISSING_VALUE = 7 Error "a required value is missing";
    WRONG_TYPE = 8 Error "a value has the wrong type or cannot be parsed";
    DUPLICATE_NAME = 9 Error "two things of one kind have the same name";
    MISSING_REFERENCE = 10 Error "a name refers to nothing";
    CYCLE = 11 Error "things refer to each other in a circle";
    NO_SITE = 12 Error "the design names no site";
    NOT_ONE_OF = 13 Error "a value is not one of those allowed";
    CLEAR_TEXT_SECRET = 14 Error "a secret is written in clear text";
    RESERVED_NAME = 15 Error "a name is a keyword of the script language";
    LIMIT = 16 Error "a part of the design is larger than its limit";
    REPEATED = 17 Error "a setting is given twice";
    INVENTORY_COLUMN = 18 Error "a column of an inventory has no meaning";
    INVENTORY_ROW = 19 Error "a row of an inventory cannot be used";
    VALUE_REFERENCE = 20 Error "a value refers to something that is not there";
    ADDRESS_OUTSIDE = 30 Error "an address is outside its network";
    RANGE_INVALID = 31 Error "a range ends before it starts or leaves its network";
    CIDR_HOST_BITS = 32 Error "a CIDR has host bits set";
    DUPLICATE_ADDRESS = 33 Error "two nodes have the same address, MAC or BMC";
    MISSING_BOOT_MAC = 34 Error "a node that is installed has no boot MAC";
    MISSING_BMC = 35 Error "a node has no BMC";
    NAME_INVALID = 36 Error "a name is not a valid host name (RFC 1123)";
    IMAGE_INCOMPLETE = 37 Error "an image lacks what its method needs";
    PHASE_ORDER = 38 Error "a step waits for a step of a later phase";
    PAYLOAD_MISSING = 39 Error "a file that machines are to fetch is not there";
    ADDRESSES_EXHAUSTED = 40 Error "a network has no address left for a node";
    ADDRESS_NOT_STATIC = 41 Error "a node's address is one that no node may have";
    MTU_LIMIT = 42 Error "an MTU is out of bounds";
    MTU_EXCEEDS_LINK = 43 Error "a network's MTU is larger than its link's";
    TRUNKING = 44 Error "a link cannot tell its networks apart";
    BONDING = 45 Error "a bond and its options or members do not fit";
    NETWORK_ON_LINKS = 46 Error "a network is allowed on several links";
    INTERFACE_NETWORK = 47 Error "an interface has networks that its link does not carry to it alone";
    ROUTE_INVALID = 48 Error "a route leads nowhere, or twice to one place";
    BMC_ADDRESS = 49 Error "the address of a BMC does not fit its kind or network";
    SCRIPT_SYNTAX = 50 Error "a script cannot be parsed";
    SCRIPT_MISSING = 51 Error "a task names a script that is not there";
    SCRIPT_FUNCTION = 52 Error "a task script lacks a function or has one with the wrong parameters";
    SCRIPT_IMPORT = 53 Error "a script imports something that is not part of the design";
    CAPABILITY = 54 Error "a task allows a capability that does not exist";
    DECLARED_PATH = 55 Error "a task declares a spec path that does not exist";
    ROOT_FILESYSTEM = 56 Error "a node has no root filesystem, or a small one";
    BOOT_FILESYSTEM = 57 Error "a boot filesystem is too small, or firmware cannot read it";
    DISK_USE = 58 Error "a disk is used in two ways, or in none";
    VOLUME_GROUP = 59 Error "a volume group is not defined, or lies on no disk";
    FILE_UNREADABLE = 60 Error "a design file cannot be read";
    PATH_ESCAPE = 61 Error "a path leaves the design";
    DISK_SIZE = 62 Error "what is on a disk or in a volume group does not fit";
    MOUNT_POINT = 63 Error "two filesystems are mounted at one place";
    HUGE_PAGES = 64 Error "kernel parameters for huge pages are not a pair";
    IMAGE_KERNEL = 65 Error "a node asks for a kernel that its image does not offer";
    RACK_UNIT = 66 Error "two things are in one unit of a rack, or one is above it";
    HARDWARE_NAME = 67 Error "a device is called by a name that is almost an alias";
    PACKAGE_VERSION = 68 Error "the version of a package is not a Debian version";
    PRIMARY_NETWORK = 69 Error "a node is not on its primary network";
    SELECTOR = 70 Error "a selector cannot be understood";
    NOTHING_SELECTED = 71 Warning "a selector matches no node";
    WITHOUT_BOOT_ACTION = 72 Warning "no boot-action applies to a node";
    REHEARSAL_ONLY = 73 Warning "nodes have an image that is for rehearsals only";
    SOFTWARE_RAID = 74 Error "a software RAID cannot be made of its members";
    FILESYSTEM = 75 Error "a filesystem cannot be mounted or found as it is written";
    ASSET = 76 Error "a file or unit of a boot-action has no content that can be used";
    NO_DHCP_NETWORK = 77 Warning "machines boot from the network and no network is served by DHCP";
    RELAY_INVALID = 78 Error "a DHCP relay is outside its network, or of two networks";
    TEMPLATE = 79 Error "a template of a task is not there or cannot be read";
    NO_NODES = 80 Warning "the design has no nodes";
    NOT_DECLARED = 81 Error "a script asks for a template or secret that its task does not declare";
    SSH = 82 Error "a node cannot be reached over SSH as the design says";
    IMPORT_SYNTAX = 84 Error "a text that is to be imported cannot be parsed";
    IMPORT_DOCUMENT = 85 Error "a document that is to be imported says not what it is";
    TASK_ACTION = 86 Error "a task does not say one thing to do";
    CONTAINER_IMAGE = 87 Error "the image of a container is not pinned, or not there";
    NOT_ACTED_ON = 90 Info "a part of the design is judged and not acted on yet";
    SCRIPT_NAME = 91 Error "a script uses a function or a variable that is not there";
    UNUSED_CAPABILITY = 92 Warning "a task allows a capability that its script does not use";
    UNDECLARED_READ = 93 Error "a script reads a part of the spec that its task does not declare";
    READ_ONLY = 94 Error "a function that may only look writes or waits";
    CONTROLLER_VOLUME = 100 Error "a volume of a storage controller cannot be made of its drives";
    EXPECTED_DEVICE = 101 Error "an expected PCI device does not say what it is";
    BOOT_VOLUME = 102 Error "nobody says which volume the machine boots from";
    CABLE = 120 Error "a cable leads nowhere";
    PORT_TAKEN = 121 Error "two cables are in one port of a switch";
    SWITCH_UNUSABLE = 122 Error "the ports of a switch cannot be worked on";
    PORT_VLAN = 123 Error "it cannot be said what a port is to carry";
    SITE_STEPS = 130 Error "what is done for the site and what is done to nodes are mixed";
}

impl Finding {
    pub fn new(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding { code, message: cut(message.into()), subject: cut(subject.into()), place: None, help: None }
    }

    pub fn at(mut self, place: Place) -> Finding {
        self.place = Some(place);
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(cut(help.into()));
        self
    }

    pub fn is_error(&self) -> bool {
        self.code.severity == Severity::Error
    }
}

/// The longest text of a finding in bytes. Names of megabytes would be repeated in every finding about them.
const LONGEST_TEXT: usize = 2_000;

/// The text, or as much of it as anybody reads.
pub fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.push('…');
    }
    text
}

/// Sorts findings by place, then code, and drops exact repeats, so that output is stable.
pub fn tidy(findings: &mut Vec<Finding>) {
    findings
        .sort_by(|a, b| (&a.place, a.code.number, &a.message).cmp(&(&b.place, b.code.number, &b.message)));
    findings.dedup();
}

/// Longer names than this get no suggestion: comparing them costs more than it helps.
const LONGEST_SUGGESTED: usize = 128;
/// Nobody wants to wait for the nearest of a hundred thousand names.
const MOST_COMPARED: usize = 2_000;
/// Comparing in full costs microseconds; of the names that could be near, those with most letters in common are.
const MOST_COMPARED_IN_FULL: usize = 32;
/// How much of two names must be the same.
const NEAR: f32 = 0.6;

/// The known name nearest to `wanted`, when near enough to be worth suggesting.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A ratio of 0.6 needs lengths that are not too different.
    let comparable = |name: &&str| {
        let (short, long) = (name.len().min(wanted.len()), name.len().max(wanted.len()));
        long <= LONGEST_SUGGESTED && short * 3 >= long
    };
    let letters = letters(wanted);
    let mut candidates: Vec<(f32, &str)> = known
        .into_iter()
        .filter(comparable)
        .take(MOST_COMPARED)
        .map(|name| (most_in_common(&letters, name), name))
        .filter(|(bound, _)| *bound >= NEAR)
        .collect();
    candidates.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    candidates
        .into_iter()
        .take(MOST_COMPARED_IN_FULL)
        .map(|(_, name)| (similar::TextDiff::from_chars(wanted, name).ratio(), name))
        .filter(|(ratio, _)| *ratio >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// How often each letter stands in a text; letters beyond ASCII share the places of others, which only widens what
/// two texts may have in common.
fn letters(text: &str) -> [u8; 128] {
    let mut counts = [0u8; 128];
    text.chars().take(LONGEST_SUGGESTED).for_each(|letter| counts[letter as usize % 128] += 1);
    counts
}

/// The ratio that two texts would have if their common letters stood in the same order: never less than they have.
fn most_in_common(wanted: &[u8; 128], name: &str) -> f32 {
    let own = letters(name);
    let common: u32 = wanted.iter().zip(&own).map(|(a, b)| u32::from(*a.min(b))).sum();
    let all: u32 = wanted.iter().chain(&own).map(|count| u32::from(*count)).sum();
    2.0 * common as f32 / all.max(1) as f32
}
