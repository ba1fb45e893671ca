//! Values as scripts write them, for people who read scripts: `#{power: "on"}`, `()`.

use super::value::Value;

/// The value in the script language, on one line. A secret is the word for it, never its reference.
pub fn in_script(value: &Value) -> String {
    match value {
        Value::Null => "()".into(),
        Value::Text(text) => quoted(text),
        Value::Secret(_) => "(secret)".into(),
        Value::Unknown(why) => format!("unknown({})", quoted(why)),
        Value::List(items) => format!("[{}]", items.iter().map(in_script).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries = map.iter().map(|(name, value)| format!("{}: {}", key(name), in_script(value)));
            format!("#{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// A name of a map: bare where the language lets it be.
fn key(name: &str) -> String {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    match starts && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        true => name.into(),
        false => quoted(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_a_script_writes_them() {
        let value = Value::map([
            ("a", Value::list(vec![Value::Int(1), Value::Null, Value::text("x\"y")])),
            ("b-c", Value::Secret("env:PASSWORD".into())),
            ("d", Value::Unknown("why".into())),
        ]);
        assert_eq!(in_script(&value), r#"#{a: [1, (), "x\"y"], "b-c": (secret), d: unknown("why")}"#);
    }
}
