//! One written value to a typed one: what each `Type` accepts, and what it says otherwise.
//!
//! Owns the checks of single values and their normal forms. Does not know where a value stands.

use super::clear_text;
use super::forms;
use super::keywords;
use super::refer;
use super::schema::Type;
use super::secret;
use crate::finding::{
    CIDR_HOST_BITS, CLEAR_TEXT_SECRET, Code, NOT_ONE_OF, PATH_ESCAPE, RESERVED_NAME, WRONG_TYPE, did_you_mean,
};
use crate::model::value::{REFERENCE, Value};
use crate::units;
use ipnet::Ipv4Net;
use kdl::KdlValue;
use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};

/// Why a value does not do, without its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub code: Code,
    pub message: String,
    pub help: String,
}

impl Problem {
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), help: help.into() }
    }
}

/// For a boot MAC: what the machine reports. For an address: one of the network's, chosen and kept.
pub const AUTO: &str = "auto";
/// For an address: what a DHCP server gives.
pub const DHCP: &str = "dhcp";

/// The longest text of one value: longer ones belong in a file.
const LONGEST_TEXT_BYTES: usize = 64 << 10;

/// A value as it stands in KDL; `annotation` is the word in parentheses before it.
pub fn of_kdl(kind: Type, annotation: Option<&str>, value: &KdlValue) -> Result<Value, Problem> {
    match annotation {
        Some("secret") => return secret::written(kind, value),
        Some("ref") => return refer::written(kind, value),
        _ if kind == Type::Secret => return Err(secret::clear_text()),
        Some(other) => return Err(unknown_annotation(other)),
        None => {}
    }
    match (kind, value) {
        (Type::Bool | Type::Attribute | Type::Scalar | Type::KernelParam, KdlValue::Bool(truth)) => {
            Ok(Value::Bool(*truth))
        }
        (Type::Int { least, most }, KdlValue::Integer(number)) => integer(*number, least, most),
        (
            Type::Attribute | Type::Scalar | Type::KernelParam | Type::SecretVersion,
            KdlValue::Integer(number),
        ) => integer(*number, i64::MIN, i64::MAX),
        (Type::CountOrPercent, KdlValue::Integer(number)) => integer(*number, 0, i64::MAX),
        (Type::Scalar, KdlValue::Float(number)) if number.is_finite() => Ok(Value::Float(*number)),
        (_, KdlValue::String(text)) if takes_text(kind) => of_text(kind, text),
        _ => Err(wrong(kind, &shown(value))),
    }
}

/// A value that was text to begin with, or a pattern that has become text.
pub fn of_text(kind: Type, text: &str) -> Result<Value, Problem> {
    if text.len() > LONGEST_TEXT_BYTES {
        let message = format!("the text has {} bytes; the limit is {LONGEST_TEXT_BYTES}", text.len());
        return Err(Problem::new(crate::finding::LIMIT, message, "put it into a file"));
    }
    match kind {
        Type::Int { least, most } => match text.parse() {
            Ok(number) => integer(number, least, most),
            Err(_) => Err(wrong(kind, &quoted(text))),
        },
        Type::ScriptName if keywords::is_reserved(text) => Err(reserved(text)),
        Type::Duration => keep_if(units::duration(text).is_ok(), kind, text),
        Type::Address => normal(text.parse::<Ipv4Addr>().ok(), kind, text),
        Type::Cidr => cidr(text),
        Type::Socket => normal(text.parse::<SocketAddr>().ok(), kind, text),
        Type::Url | Type::Location if secret::is_in_url(text) => Err(secret::in_url()),
        Type::Url => keep_if(is_url(text), kind, text),
        Type::File => file(text),
        Type::Location if text.contains("://") => keep_if(is_url(text), kind, text),
        Type::Location => file(text),
        Type::OneOf(words) => one_of(words, text),
        Type::Checksum => checksum(text),
        Type::Prose | Type::Scalar if text.contains(REFERENCE) => Err(control_character(text)),
        Type::Prose | Type::Scalar => Ok(Value::text(text)),
        _ if text.contains(char::is_control) => Err(control_character(text)),
        Type::Attribute | Type::KernelParam => Ok(Value::text(text)),
        Type::Uri if secret::is_in_url(text) => Err(secret::in_url()),
        Type::BmcAddress if secret::is_in_url(text) => Err(secret::in_url()),
        Type::Uri => keep_if(forms::is_uri(text), kind, text),
        Type::Host => keep_if(forms::is_host(text), kind, text),
        Type::BmcAddress if text.contains("://") => keep_if(is_url(text), kind, text),
        Type::BmcAddress => keep_if(forms::is_host_and_port(text), kind, text),
        Type::Pattern => forms::pattern(text),
        Type::CpuSet => keep_if(forms::is_cpu_set(text), kind, text),
        Type::PciId => normal(forms::pci_id(text), kind, text),
        Type::PageSize => keep_if(forms::is_page_size(text), kind, text),
        Type::Size => keep_if(units::size(text).is_ok(), kind, text),
        Type::DiskSize => keep_if(text.parse::<units::DiskSize>().is_ok(), kind, text),
        Type::Uuid => keep_if(forms::is_uuid(text), kind, text),
        Type::MountPoint => keep_if(forms::is_absolute(text), kind, text),
        Type::FileMode => keep_if(forms::is_file_mode(text), kind, text),
        Type::CountOrPercent => keep_if(forms::is_count_or_percent(text), kind, text),
        Type::BootMac | Type::NodeAddress if text == AUTO => Ok(Value::text(text)),
        Type::NodeAddress if text == DHCP => Ok(Value::text(text)),
        Type::BootMac => normal(text.parse::<units::Mac>().ok(), kind, text),
        Type::NodeAddress => normal(text.parse::<Ipv4Addr>().ok(), kind, text),
        _ if text.is_empty() => Err(wrong(kind, "an empty text")),
        _ => Ok(Value::text(text)),
    }
}

/// Line breaks in names and settings would end up in boot scripts and host names.
fn control_character(text: &str) -> Problem {
    let message = format!("{} holds a line break or another control character", quoted(text));
    Problem::new(WRONG_TYPE, message, "write it on one line")
}

fn takes_text(kind: Type) -> bool {
    !matches!(kind, Type::Bool | Type::Int { .. })
}

/// The kind of value that was wanted, for a sentence.
fn wanted(kind: Type) -> &'static str {
    match kind {
        Type::Text | Type::Prose | Type::ScriptName | Type::Secret => "text such as \"abc\"",
        Type::Reference(_) | Type::OneOf(_) => "a name in quotes",
        Type::Int { .. } => "a whole number",
        Type::Bool => "#true or #false",
        Type::Duration => "a duration such as \"30s\", \"10m\" or \"1h30m\"",
        Type::Address => "an IPv4 address such as \"10.20.0.11\"",
        Type::Cidr => "a network such as \"10.20.0.0/21\"",
        Type::Socket => "an address with a port such as \"127.0.0.1:10080\"",
        Type::Url => "a URL that starts with http:// or https://",
        Type::File => "a path inside the design",
        Type::Location => "a path inside the design or a URL that starts with http:// or https://",
        Type::SecretVersion => "a number or a text",
        Type::Checksum => "a checksum such as \"sha256:\" and 64 hexadecimal digits",
        Type::Attribute => "a text, a whole number, #true or #false",
        Type::Scalar => "a text, a number, #true or #false",
        Type::SpecPath => "a path such as \"hardware.bios\"",
        Type::Host => "a host name or an IPv4 address",
        Type::Uri => "a URI such as \"https://switch.example.net/api\"",
        Type::BmcAddress => "a URL such as \"https://10.17.1.1\", or for IPMI a host such as \"10.17.1.1\"",
        Type::Pattern => "a regular expression",
        Type::CpuSet => "a list of processors such as \"2,4-7\"",
        Type::PciId => "four hexadecimal digits such as \"15b3\"",
        Type::PageSize => "a page size such as \"2M\" or \"1G\"",
        Type::Size => "a size such as \"512MiB\", \"20GiB\" or \"1TB\"",
        Type::DiskSize => "a size such as \"20GiB\", \">20GiB\" or \"40%\"",
        Type::Uuid => "a UUID such as \"8c1f0f3e-7d1b-4c63-9d0a-5f0f6a3f2f11\"",
        Type::MountPoint => "an absolute path such as \"/var/log\"",
        Type::BootMac => "a MAC address such as \"52:54:00:12:34:01\", or \"auto\"",
        Type::NodeAddress => "an IPv4 address such as \"10.20.0.11\", \"dhcp\" or \"auto\"",
        Type::Selector => "a selector such as \"rack:r1 & tag:k8s\"",
        Type::FileMode => "a mode such as \"0644\"",
        Type::CountOrPercent => "a number or a share such as \"10%\"",
        Type::KernelParam => {
            "a text, a whole number, #true, #false, or a reference such as (ref)\"hardware.cpuset.sriov\""
        }
    }
}

fn wrong(kind: Type, found: &str) -> Problem {
    let wanted = wanted(kind);
    Problem::new(WRONG_TYPE, format!("{found} is not {wanted}"), format!("write {wanted}"))
}

fn reserved(text: &str) -> Problem {
    Problem::new(
        RESERVED_NAME,
        format!("`{text}` is a keyword of the script language, so no script could use this name"),
        format!("choose another name, such as `{text}-value`"),
    )
}

fn unknown_annotation(annotation: &str) -> Problem {
    let message = format!("`({annotation})` is not a type of the language");
    Problem::new(
        WRONG_TYPE,
        message,
        "write the value without it; the types are (secret), (ref), (var) and (text)",
    )
}

fn integer(number: i128, least: i64, most: i64) -> Result<Value, Problem> {
    match i64::try_from(number) {
        Ok(small) if (least..=most).contains(&small) => Ok(Value::Int(small)),
        _ => Err(Problem::new(
            WRONG_TYPE,
            format!("{number} is not between {least} and {most}"),
            format!("write a whole number from {least} to {most}"),
        )),
    }
}

fn keep_if(good: bool, kind: Type, text: &str) -> Result<Value, Problem> {
    if good { Ok(Value::text(text)) } else { Err(wrong(kind, &quoted(text))) }
}

fn normal<T: ToString>(parsed: Option<T>, kind: Type, text: &str) -> Result<Value, Problem> {
    parsed.map(|value| value.to_string().into()).ok_or_else(|| wrong(kind, &quoted(text)))
}

fn cidr(text: &str) -> Result<Value, Problem> {
    let Some(network) = text.parse::<Ipv4Net>().ok().filter(|_| text.contains('/')) else {
        return Err(wrong(Type::Cidr, &quoted(text)));
    };
    if network.addr() == network.network() {
        return Ok(network.to_string().into());
    }
    let message = format!("`{text}` is an address in a network, not a network");
    Err(Problem::new(CIDR_HOST_BITS, message, format!("write \"{}\"", network.trunc())))
}

/// A URL with a host and without white space. What lies behind the host is the server's business.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let bare = host.rsplit_once(':').map_or(
        host,
        |(name, port)| {
            if port.parse::<u16>().is_ok() { name } else { host }
        },
    );
    // Credentials in a URL would be clear text, so `@` is refused.
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    let bracketed = bare.starts_with('[') && bare.ends_with(']');
    !bare.is_empty()
        && bare.chars().all(well_formed)
        && (bracketed || !bare.contains(':'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A relative path with `/` that stays inside the design.
fn file(text: &str) -> Result<Value, Problem> {
    if text.is_empty() {
        return Err(wrong(Type::File, "an empty text"));
    }
    let leaves = text.starts_with('/') || text.contains('\\') || text.split('/').any(|part| part == "..");
    if leaves {
        let message = format!("the path {} leaves the design", quoted(text));
        return Err(Problem::new(
            PATH_ESCAPE,
            message,
            "write a path inside the design, with `/` and without `..`",
        ));
    }
    Ok(Value::text(text))
}

fn one_of(words: &[&str], text: &str) -> Result<Value, Problem> {
    if words.contains(&text) {
        return Ok(Value::text(text));
    }
    let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let help = match did_you_mean(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {}", all.join(" or ")),
    };
    Err(Problem::new(NOT_ONE_OF, format!("{} is not one of {}", quoted(text), all.join(", ")), help))
}

fn checksum(text: &str) -> Result<Value, Problem> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    let good = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if good { Ok(text.to_ascii_lowercase().into()) } else { Err(wrong(Type::Checksum, &quoted(text))) }
}

/// Long or multi-line texts are cut for a message.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = without_login(text);
    let line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("`{line}{more}`")
}

/// A password in front of a host is one wherever it stands.
fn without_login(text: &str) -> Cow<'_, str> {
    match clear_text::login(text) {
        Some(login) => Cow::Owned(format!("{}***{}", &text[..login.start], &text[login.end..])),
        None => Cow::Borrowed(text),
    }
}

fn shown(value: &KdlValue) -> String {
    match value {
        KdlValue::String(text) => quoted(text),
        KdlValue::Integer(number) => number.to_string(),
        KdlValue::Float(number) => number.to_string(),
        KdlValue::Bool(truth) => format!("#{truth}"),
        KdlValue::Null => "#null".to_string(),
    }
}

/// True for the problem whose text must not be shown again.
pub fn hides_text(problem: &Problem) -> bool {
    problem.code == CLEAR_TEXT_SECRET
}
