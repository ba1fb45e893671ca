//! `node_filter` of boot actions, as a selector.
//!
//! Owns the translation: within one list any item will do; lists of a set, and sets, are joined by `union` or
//! `intersection`, and the ancestor takes the latter when neither is said.

use super::document::{Field, Fields};

/// The selector, or nothing when every node is meant.
pub fn selector(filter: Field<'_>) -> Option<String> {
    let mut fields = filter.fields();
    let sign = sign(&mut fields, "filter_set_type");
    let sets = fields.list("filter_set").into_iter().filter_map(|set| {
        let mut fields = set.fields();
        let sign = self::sign(&mut fields, "filter_type");
        let parts = self::parts(&mut fields);
        fields.finish();
        joined(parts, sign)
    });
    let sets = sets.collect();
    fields.finish();
    joined(sets, sign).map(|(text, _)| text)
}

fn sign(fields: &mut Fields<'_>, key: &str) -> char {
    match fields.scalar(key) {
        Some(field) if field.text() == "union" => '|',
        Some(field) if field.text() != "intersection" => {
            field.changed("neither union nor intersection: taken as intersection");
            '&'
        }
        _ => '&',
    }
}

/// A text, and the sign that binds it.
type Part = (String, Option<char>);

fn parts(fields: &mut Fields<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    for (key, prefix) in [("node_names", "name:"), ("node_tags", "tag:"), ("rack_names", "rack:")] {
        let items = fields.take(key).map(Field::texts).unwrap_or_default();
        let tests =
            items.iter().filter_map(|item| Some((format!("{prefix}{}", word(item, item.text())?), None)));
        parts.extend(joined(tests.collect(), '|'));
    }
    // The ancestor's labels of a node are its owner data.
    for (key, prefix) in [("node_labels", "owner-data."), ("rack_labels", "labels.")] {
        let tests = fields.named(key).into_iter().filter_map(|(name, value)| {
            Some((format!("{prefix}{}={}", word(&value, name)?, word(&value, value.text())?), None))
        });
        parts.extend(joined(tests.collect(), '|'));
    }
    parts
}

fn joined(mut parts: Vec<Part>, sign: char) -> Option<Part> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let texts: Vec<String> = parts
        .into_iter()
        .map(
            |(text, inner)| if inner.is_some_and(|inner| inner != sign) { format!("({text})") } else { text },
        )
        .collect();
    Some((texts.join(&format!(" {sign} ")), Some(sign)))
}

/// A value of a selector, in quotes where it holds signs of the selector language.
fn word(field: &Field<'_>, text: &str) -> Option<String> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"&|!()=<>\"'*?[]{}:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Some(text.to_string());
    }
    match ['"', '\'']
        .into_iter()
        .find(|quote| !text.contains(*quote))
        .filter(|_| !text.contains(char::is_control))
    {
        Some(quote) => Some(format!("{quote}{text}{quote}")),
        None => {
            field.dropped("a selector cannot hold this text");
            None
        }
    }
}
