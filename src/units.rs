//! Units that people write: MAC addresses, durations, sizes, and points in time.
//!
//! Parsing and normal forms only. A value keeps the text that a person wrote; these functions say
//! when two texts mean the same.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A 48-bit MAC address (IEEE 802), printed in lower case with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("`{0}` is not a MAC address such as 52:54:00:12:34:01")]
    Mac(String),
    #[error("`{0}` is not a duration such as 30s, 10m, 1h30m or 2d")]
    Duration(String),
    #[error("`{0}` is not a size such as 512MiB, 20GiB or 1TB")]
    Size(String),
}

impl FromStr for Mac {
    type Err = UnitError;

    /// Accepts `52:54:00:12:34:01`, the same with dashes, and twelve bare digits, in any case.
    fn from_str(text: &str) -> Result<Mac, UnitError> {
        let wrong = || UnitError::Mac(text.to_string());
        let digits: String = match text.len() {
            17 => {
                let separator = text.as_bytes()[2];
                let separated = text.bytes().skip(2).step_by(3).all(|byte| byte == separator);
                if !matches!(separator, b':' | b'-') || !separated {
                    return Err(wrong());
                }
                text.split(separator as char).collect()
            }
            12 => text.to_string(),
            _ => return Err(wrong()),
        };
        if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut octets = [0u8; 6];
        for (index, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Mac(octets))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl Serialize for Mac {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Mac, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The longest duration that a design may name: a year. Anything longer is a slip of the pen.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Parses `250ms`, `30s`, `10m`, `1h30m`, `2d`. A bare number has no unit and is refused.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let wrong = || UnitError::Duration(text.to_string());
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let millis: u64 = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let part = count.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[digits + letters..];
    }
    if total > LONGEST { Err(wrong()) } else { Ok(total) }
}

/// A duration as people write it, in at most two units: `1h30m`, `45s`, `250ms`.
pub fn short(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let seconds = duration.as_secs();
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if text.is_empty() { "0s".into() } else { text }
}

/// Parses `512MiB`, `20GiB`, `1.5TB`, `20g` into bytes. A single letter means the binary unit.
pub fn size(text: &str) -> Result<u64, UnitError> {
    let wrong = || UnitError::Size(text.to_string());
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let number: f64 = trimmed[..digits].parse().map_err(|_| wrong())?;
    let (base, power) = match trimmed[digits..].to_ascii_lowercase().as_str() {
        "b" => (1f64, 0),
        "k" | "kib" => (1024.0, 1),
        "m" | "mib" => (1024.0, 2),
        "g" | "gib" => (1024.0, 3),
        "t" | "tib" => (1024.0, 4),
        "p" | "pib" => (1024.0, 5),
        "kb" => (1000.0, 1),
        "mb" => (1000.0, 2),
        "gb" => (1000.0, 3),
        "tb" => (1000.0, 4),
        "pb" => (1000.0, 5),
        _ => return Err(wrong()),
    };
    let bytes = number * base.powi(power);
    // 2^63 bytes: beyond any disk, and the last size that the store can hold.
    if bytes.is_finite() && bytes < 9.2e18 { Ok(bytes as u64) } else { Err(wrong()) }
}

/// How large something on a disk shall be: `20GiB`, `>20GiB`, `<20GiB`, `40%`, `>40%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiskSize {
    pub bound: Bound,
    pub amount: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Exactly,
    AtLeast,
    AtMost,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    Bytes(u64),
    /// Of the disk or the volume group; 0 < share ≤ 100.
    Percent(f64),
}

impl FromStr for DiskSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<DiskSize, UnitError> {
        let trimmed = text.trim();
        let (bound, rest) = match trimmed.as_bytes().first() {
            Some(b'>') => (Bound::AtLeast, &trimmed[1..]),
            Some(b'<') => (Bound::AtMost, &trimmed[1..]),
            _ => (Bound::Exactly, trimmed),
        };
        let amount = match rest.strip_suffix('%') {
            Some(share) => share
                .parse::<f64>()
                .ok()
                .filter(|share| *share > 0.0 && *share <= 100.0 && !rest.starts_with('+'))
                .map(Amount::Percent)
                .ok_or_else(|| UnitError::Size(text.to_string()))?,
            None => Amount::Bytes(size(rest)?),
        };
        Ok(DiskSize { bound, amount })
    }
}

impl DiskSize {
    /// The bytes that it takes at the least, when it is no share.
    pub fn least_bytes(self) -> Option<u64> {
        match (self.bound, self.amount) {
            (Bound::Exactly | Bound::AtLeast, Amount::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes that it may have at the most, when it is no share and has an end.
    pub fn most_bytes(self) -> Option<u64> {
        match (self.bound, self.amount) {
            (Bound::Exactly | Bound::AtMost, Amount::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    pub fn plus(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    pub fn minus(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is before.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_are_read_in_three_spellings_and_printed_in_one() {
        for text in ["52:54:00:AB:34:01", "52-54-00-ab-34-01", "525400aB3401"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "52:54:00:ab:34:01");
        }
        for text in ["", "52:54:00:ab:34", "52:54-00:ab:34:01", "52:54:00:ab:34:0g", "é2540000000"] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }

    #[test]
    fn disk_sizes_have_a_bound_and_an_amount() {
        let read = |text: &str| text.parse::<DiskSize>().ok();
        assert_eq!(read(">20GiB").unwrap().least_bytes(), Some(20 << 30));
        assert_eq!(read("500m").unwrap().most_bytes(), Some(500 << 20));
        assert_eq!(read(">20g").unwrap().most_bytes(), None);
        assert_eq!(read("40%").unwrap().amount, Amount::Percent(40.0));
        for text in ["", ">", "0%", "101%", "NaN%", "inf%", "%", "20", "-1g", ">>1g", "1g%", "é"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_read_and_printed() {
        assert_eq!(duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(short(Duration::from_secs(5400)), "1h30m");
        assert_eq!(short(duration("250ms").unwrap()), "250ms");
        assert_eq!(short(Duration::from_secs(3605)), "1h");
        for text in ["", "10", "m", "10x", "1h é", "99999999999999999999s", "900d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!(size("20GiB").unwrap(), 20 << 30);
        assert_eq!(size("20g").unwrap(), 20 << 30);
        assert_eq!(size("1.5TB").unwrap(), 1_500_000_000_000);
        for text in ["", "GiB", "1..5g", "1e400g", "99999999PB", "5"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
