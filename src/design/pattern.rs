//! Patterns: texts with variables such as `r{rack}-n{slot:02}`, and the variables' values.
//!
//! Owns the small language of `nodes` blocks: `{name}`, `{name:02}` (width, with leading zeros), `{name:x}` and
//! `{name:02x}` (hexadecimal), `{{` and `}}` for braces. Does not know what a pattern is for.

/// The most values of one variable, and the most nodes of one block.
pub const MOST_NODES: usize = 100_000;
/// The most variables of one text: people turn two or three.
pub const MOST_VARIABLES: usize = 32;
/// The widest padding.
const WIDEST: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Variable { name: String, format: Format },
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Format {
    width: usize,
    zeros: bool,
    hex: bool,
}

/// One value of a variable: its text, and its number when it is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    text: String,
    number: Option<u64>,
}

/// A variable of a `nodes` block with all its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    pub values: Vec<Value>,
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            plain.push_str(&rest[..position]);
            let brace = &rest[position..position + 1];
            rest = &rest[position + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = rest.find('}').filter(|_| brace == "{");
            let Some(end) = end else { return Err(format!("a `{brace}` stands alone in `{text}`")) };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(variable(&rest[..end])?);
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Pattern { parts })
    }

    /// The names of its variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable { name, .. } => Some(name.as_str()),
        })
    }

    /// At least the bytes of the text for one choice of values.
    pub fn length(&self, choice: &[(&str, &Value)]) -> usize {
        let of_value =
            |name: &str| choice.iter().find(|(known, _)| *known == name).map_or(0, |(_, it)| it.text.len());
        let lengths = self.parts.iter().map(|part| match part {
            Part::Text(plain) => plain.len(),
            Part::Variable { name, .. } => WIDEST + of_value(name),
        });
        lengths.fold(0, usize::saturating_add)
    }

    /// The text for one choice of values. A variable that is not given stays out.
    pub fn expand(&self, choice: &[(&str, &Value)]) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Variable { name, format } => {
                    let chosen = choice.iter().find(|(known, _)| known == name);
                    if let Some((_, value)) = chosen {
                        text.push_str(&format.apply(value));
                    }
                }
            }
        }
        text
    }
}

fn variable(inside: &str) -> Result<Part, String> {
    let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
    let good = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !good {
        return Err(format!("`{{{inside}}}` names no variable"));
    }
    let wrong = || format!("`{format}` in `{{{inside}}}` is not a format such as 02, x or 02x");
    let digits = format.strip_suffix('x').unwrap_or(format);
    let width = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| wrong())? };
    if width > WIDEST || digits.starts_with('+') {
        return Err(wrong());
    }
    let format = Format { width, zeros: digits.starts_with('0'), hex: format.ends_with('x') };
    Ok(Part::Variable { name: name.to_string(), format })
}

impl Format {
    fn apply(self, value: &Value) -> String {
        let Format { width, zeros, hex } = self;
        match value.number {
            Some(number) if hex && zeros => format!("{number:0width$x}"),
            Some(number) if hex => format!("{number:width$x}"),
            Some(number) if zeros => format!("{number:0width$}"),
            _ => format!("{:>width$}", value.text),
        }
    }
}

impl Value {
    /// One value, as it is written.
    pub fn word(text: &str) -> Value {
        Value { text: text.to_string(), number: text.parse().ok() }
    }
}

/// Reads `2..20`, `1..4,7`, `a,b`: numbers, ranges with both ends included, and words.
pub fn values(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part.split_once("..") {
            Some((first, last)) => values.extend(range(first.trim(), last.trim(), text)?),
            None if part.is_empty() => return Err(format!("`{text}` has an empty part")),
            None => values.push(Value::word(part)),
        }
        if values.len() > MOST_NODES {
            return Err(format!("`{text}` has more than {MOST_NODES} values"));
        }
    }
    Ok(values)
}

fn range(first: &str, last: &str, text: &str) -> Result<impl Iterator<Item = Value> + use<>, String> {
    let wrong = || format!("`{text}` is not a range such as 1..40");
    let first: u64 = first.parse().map_err(|_| wrong())?;
    let last: u64 = last.parse().map_err(|_| wrong())?;
    if first > last {
        return Err(format!("the range `{text}` ends before it starts"));
    }
    if last - first >= MOST_NODES as u64 {
        return Err(format!("`{text}` has more than {MOST_NODES} values"));
    }
    Ok((first..=last).map(|number| Value { text: number.to_string(), number: Some(number) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pattern: &str, number: &str) -> String {
        let values = values(number).unwrap();
        Pattern::parse(pattern).unwrap().expand(&[("n", &values[0])])
    }

    #[test]
    fn variables_are_put_in_with_their_format() {
        assert_eq!(expand("lab-n{n:02}", "7"), "lab-n07");
        assert_eq!(expand("52:54:00:12:34:{n:02x}", "26"), "52:54:00:12:34:1a");
        assert_eq!(expand("{n}{n:x}{{n}}", "31"), "311f{n}");
    }

    #[test]
    fn ranges_lists_and_words_are_values() {
        let texts = |text| values(text).unwrap().into_iter().map(|value| value.text).collect::<Vec<_>>();
        assert_eq!(texts("1..3,7"), ["1", "2", "3", "7"]);
        assert_eq!(texts("a, b"), ["a", "b"]);
        for text in ["", "1..", "3..1", "1..99999999", "a..b", "1,,2"] {
            assert!(values(text).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in ["{", "}", "{n", "{}", "{n:", "{n:99}", "{n:y}", "a}b", "{n n}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
