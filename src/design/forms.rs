//! Forms of texts that need no more than a look: hosts, URIs, processor lists, modes, UUIDs.
//!
//! Owns their grammars, each with its source. Says yes or no; the sentences are `value_of.rs`.

use super::value_of::Problem;
use crate::finding::WRONG_TYPE;
use crate::model::value::Value;
use std::net::Ipv4Addr;

/// The most bytes of a regular expression, and of the automaton that it becomes.
const LONGEST_PATTERN_BYTES: usize = 1 << 10;
const LARGEST_AUTOMATON_BYTES: usize = 1 << 20;

/// The longest whole name, and the longest part between dots (RFC 1123, 2.1; RFC 1035, 2.3.4).
pub const LONGEST_NAME: usize = 253;
const LONGEST_PART: usize = 63;

/// The most processors that Linux can be built for is far below this.
const MOST_PROCESSORS: u32 = 1 << 16;

/// A host name (RFC 1123, 2.1): letters, digits and hyphens in each part.
pub fn is_host_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=LONGEST_PART).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= LONGEST_NAME && name.split('.').all(part)
}

pub fn is_host(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || (is_host_name(text) && !looks_like_address(text))
}

/// Four numbers with dots are an address or a mistake, never a name.
fn looks_like_address(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

pub fn is_host_and_port(text: &str) -> bool {
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && port.parse::<u16>().is_ok(),
        None => is_host(text),
    }
}

/// The IPv4 address in a URL or a host with a port.
pub fn address_of(text: &str) -> Option<Ipv4Addr> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next()?.parse().ok()
}

/// A scheme, `://` and something without white space (RFC 3986, 3.1).
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(letters)
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

/// A regular expression of bounded cost.
pub fn pattern(text: &str) -> Result<Value, Problem> {
    let compiled = match text.len() > LONGEST_PATTERN_BYTES {
        true => Err(format!("it is longer than {LONGEST_PATTERN_BYTES} bytes")),
        false => regex::RegexBuilder::new(text)
            .size_limit(LARGEST_AUTOMATON_BYTES)
            .build()
            .map_err(|error| error.to_string().lines().last().unwrap_or_default().to_string()),
    };
    match compiled {
        Ok(_) => Ok(Value::text(text)),
        Err(why) => {
            let message =
                format!("this regular expression cannot be used: {}", why.trim_start_matches("error: "));
            Err(Problem::new(WRONG_TYPE, message, "write one such as \"0000:(19|01):00\\\\.0\""))
        }
    }
}

/// Numbers and ranges with commas (cpuset(7), list format).
pub fn is_cpu_set(text: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number < MOST_PROCESSORS);
    text.split(',').all(|part| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
        None => number(part).is_some(),
    })
}

/// A number and K, M or G, as the kernel's `hugepagesz=` takes it.
pub fn is_page_size(text: &str) -> bool {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    digits.len() + 1 == text.len() && digits.parse::<u32>().is_ok_and(|number| number > 0)
}

/// Four hexadecimal digits in lower case, without the `0x` that may stand before them (PCI Local Bus Specification,
/// 6.2.1: Vendor ID and Device ID have 16 bits).
pub fn pci_id(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let fits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| digits.to_ascii_lowercase())
}

/// Hexadecimal digits and hyphens: whole UUIDs (RFC 9562, 4) and the short ones of FAT.
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && (groups == [8, 4, 4, 4, 12] || groups == [4, 4])
}

/// An absolute path without empty, `.` and `..` parts.
pub fn is_absolute(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    rest.is_empty() || rest.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// Three or four octal digits.
pub fn is_file_mode(text: &str) -> bool {
    (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
}

pub fn is_count_or_percent(text: &str) -> bool {
    match text.strip_suffix('%') {
        Some(share) => share.parse::<u32>().is_ok_and(|share| share <= 100),
        None => text.parse::<u32>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_takes_what_it_should_and_nothing_else() {
        type Form = fn(&str) -> bool;
        let cases: &[(Form, &[&str], &[&str])] = &[
            (is_host, &["10.0.0.1", "bmc-1.example.net"], &["", "10.0.0.256", "a_b", "-a", "a..b"]),
            (is_host_and_port, &["10.0.0.1:623", "bmc"], &["a:b", ":1", "10.0.0.1:99999"]),
            (
                is_uri,
                &["polo+https://api.example.net/x?y=z"],
                &["", "x", "://a", "1x://a", "a://", "a://b c"],
            ),
            (is_cpu_set, &["2,4", "0-3,7", "5"], &["", "3-1", "a", "1,", "70000"]),
            (is_page_size, &["2M", "1G", "64K"], &["", "M", "2", "0M", "2MM", "2Mi"]),
            (is_uuid, &["8c1f0f3e-7d1b-4c63-9d0a-5f0f6a3f2f11", "ABCD-1234"], &["", "x", "8c1f0f3e"]),
            (is_absolute, &["/", "/var/log"], &["", "var", "/var/", "/a//b", "/../x"]),
            (is_file_mode, &["555", "0644"], &["", "8", "77777", "0o644"]),
            (is_count_or_percent, &["3", "10%"], &["", "%", "101%", "-1", "a"]),
        ];
        for (form, good, bad) in cases {
            good.iter().for_each(|text| assert!(form(text), "{text}"));
            bad.iter().for_each(|text| assert!(!form(text), "{text}"));
        }
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(pattern(r"0000:(19|01):00\.0").is_ok());
        assert!(pattern("(").is_err());
        assert!(pattern(r"(\w{1000}){1000}").is_err());
    }
}
