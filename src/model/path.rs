//! A path to a leaf of a spec, such as `hardware.bios.ProcVirtualization`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Keys from the root down. A key that holds a dot, a quote or a space is printed in quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(pub Vec<Arc<str>>);

impl Path {
    /// Reads `a.b."c.d"`. Never fails: an open quote runs to the end.
    pub fn parse(text: &str) -> Path {
        let mut keys = Vec::new();
        let mut key = String::new();
        let mut quoted = false;
        for character in text.chars() {
            match character {
                '"' => quoted = !quoted,
                '.' if !quoted => keys.push(Arc::from(std::mem::take(&mut key))),
                other => key.push(other),
            }
        }
        if !text.is_empty() {
            keys.push(key.into());
        }
        Path(keys)
    }

    pub fn join(&self, key: &str) -> Path {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Path(keys)
    }

    /// True when `self` is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &Path) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if key.is_empty() || key.contains(['.', ' ', '"']) {
                write!(f, "\"{}\"", key.replace('"', ""))?;
            } else {
                f.write_str(key)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
        Ok(Path::parse(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_dots_survive_printing_and_reading() {
        let path = Path(vec!["hardware".into(), "bios".into(), "Boot.Mode x".into()]);
        assert_eq!(path.to_string(), "hardware.bios.\"Boot.Mode x\"");
        assert_eq!(Path::parse(&path.to_string()), path);
        assert_eq!(Path::parse(""), Path::default());
    }
}
