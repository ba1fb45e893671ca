//! Templates: a text with places to be filled in (the Jinja language, by minijinja), and values to fill them with.
//!
//! Pure: the same text and values give the same result, within written limits, and nothing is reached. Owns what a
//! mistake in a template looks like to its author, and the form of a text that cannot be written out yet because secrets
//! are among its values. Knows no scripts and resolves no secret.

mod rendered;

pub use rendered::{PREFIX, Rendered, Stays};

use crate::model::value::Value;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// What one template may do: some milliseconds of work, a hundred thousand turns of a loop.
const FUEL: u64 = 500_000;
/// Templates that include each other.
const DEPTH: usize = 16;
/// The largest result: what a script may hold as one text.
pub const RESULT_BYTES: usize = 1 << 20;
/// The largest template, as for scripts.
pub const TEMPLATE_BYTES: usize = 256 << 10;

/// The texts that a template may include, by the names that it calls them by.
pub type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// A mistake in a template or in what it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template `{template}`{}: {why}", on_line(*.line))]
pub struct TemplateError {
    pub template: String,
    /// From 1; absent where the mistake is at no line in particular.
    pub line: Option<usize>,
    pub why: String,
}

fn on_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

/// Whether `text` can be read as a template.
pub fn check(name: &str, text: &str) -> Result<(), TemplateError> {
    is_small(name, text)?;
    environment(&Texts::new())?
        .template_from_named_str(name, text)
        .map(|_| ())
        .map_err(|error| mistake(name, &error))
}

/// Fills `text` in. Every secret must have been put in place, or have been stood in for.
pub fn fill(name: &str, text: &str, texts: &Texts, values: &Value) -> Result<String, TemplateError> {
    is_small(name, text)?;
    readable(name, "", values)?;
    let environment = environment(texts)?;
    let template = environment.template_from_named_str(name, text).map_err(|error| mistake(name, &error))?;
    let mut result = Bounded { bytes: Vec::new(), full: false };
    let context = given(values);
    let written = template.render_captured_to(context, &mut result).map(|_| ());
    if result.full {
        let why = format!("it makes more than {RESULT_BYTES} bytes");
        return Err(TemplateError { template: name.to_string(), line: None, why });
    }
    written.map_err(|error| mistake(name, &error))?;
    String::from_utf8(result.bytes).map_err(|_| TemplateError {
        template: name.to_string(),
        line: None,
        why: "it makes no text".into(),
    })
}

fn is_small(name: &str, text: &str) -> Result<(), TemplateError> {
    match text.len() <= TEMPLATE_BYTES {
        true => Ok(()),
        false => {
            let why = format!("it has {} bytes, and may have {TEMPLATE_BYTES}", text.len());
            Err(TemplateError { template: name.to_string(), line: None, why })
        }
    }
}

/// What could not be read is not filled in: it would stand in a file as if somebody had said so.
fn readable(name: &str, at: &str, value: &Value) -> Result<(), TemplateError> {
    let inside = |key: &dyn std::fmt::Display| match at {
        "" => key.to_string(),
        at => format!("{at}.{key}"),
    };
    match value {
        Value::Unknown(why) => Err(TemplateError {
            template: name.to_string(),
            line: None,
            why: format!("the value `{at}` is unknown ({why})"),
        }),
        Value::List(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| readable(name, &inside(&index), item))
        }
        Value::Map(map) => map.iter().try_for_each(|(key, item)| readable(name, &inside(key), item)),
        _ => Ok(()),
    }
}

/// The values as the engine has them. A secret is never handed to it: what is not put in place is only its sign.
fn given(value: &Value) -> minijinja::Value {
    match value {
        Value::Null | Value::Unknown(_) => ().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => (&**text).into(),
        Value::Secret(_) => "(secret)".into(),
        Value::List(items) => items.iter().map(given).collect::<Vec<_>>().into(),
        Value::Map(map) => {
            map.iter().map(|(name, item)| (name.to_string(), given(item))).collect::<BTreeMap<_, _>>().into()
        }
    }
}

fn environment(texts: &Texts) -> Result<Environment<'_>, TemplateError> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    // Files of machines are no web pages, and they end as they were written.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax =
        SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| mistake("", &error))?);
    environment.set_formatter(|out, state, value| {
        if value.kind() == ValueKind::None {
            let why = "a value that is not set is to be written out; give it a `default` or ask with `if`";
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, why));
        }
        minijinja::escape_formatter(out, state, value)
    });
    for (name, text) in texts {
        environment.add_template(name, text).map_err(|error| mistake(name, &error))?;
    }
    Ok(environment)
}

/// The mistake where it is: in an included template, when it is there.
fn mistake(name: &str, error: &minijinja::Error) -> TemplateError {
    let mut innermost = error;
    // An include wraps the error of what it includes.
    for _ in 0..DEPTH {
        match std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref::<minijinja::Error>())
        {
            Some(cause) => innermost = cause,
            None => break,
        }
    }
    let what = innermost.kind().to_string();
    let why = match innermost.kind() {
        ErrorKind::OutOfFuel => "it does more than a template may; is there a loop without end?".into(),
        _ => innermost.detail().map_or_else(|| what.clone(), |detail| format!("{what}: {detail}")),
    };
    TemplateError {
        template: innermost.name().or(error.name()).unwrap_or(name).to_string(),
        line: innermost.line().or(error.line()),
        why: with_source(innermost, why),
    }
}

/// What stands in the template where the mistake is, when nothing else names it.
fn with_source(error: &minijinja::Error, why: String) -> String {
    let piece = error.range().and_then(|range| error.template_source()?.get(range));
    match piece.map(str::trim).filter(|piece| !piece.is_empty() && piece.len() <= 80 && !why.contains(piece))
    {
        Some(piece) => format!("{why}, at `{piece}`"),
        None => why,
    }
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > RESULT_BYTES {
            self.full = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, values: Value) -> Result<String, String> {
        fill("motd", text, &Texts::new(), &values).map_err(|error| error.to_string())
    }

    fn of(entries: &[(&str, Value)]) -> Value {
        Value::map(entries.iter().map(|(name, value)| (*name, value.clone())))
    }

    #[test]
    fn values_are_filled_in_and_the_text_ends_as_it_was_written() {
        let values = of(&[
            ("name", "r1-n01".into()),
            ("ntp", Value::list(vec!["10.0.0.1".into(), "10.0.0.2".into()])),
            ("count", Value::Int(2)),
            ("open", Value::Null),
        ]);
        let text = "host {{ name }}\n{% for server in ntp %}\nserver {{ server }}\n{% endfor %}\n{{ count + 1 }} {{ open or '-' }} <{{ name|upper }}>\n";
        let wanted = "host r1-n01\nserver 10.0.0.1\nserver 10.0.0.2\n3 - <R1-N01>\n";
        assert_eq!(filled(text, values).unwrap(), wanted);
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let values =
            of(&[("name", "x".into()), ("open", Value::Null), ("seen", Value::Unknown("no BMC".into()))]);
        let known = of(&[("name", "x".into()), ("open", Value::Null)]);
        let why = |text: &str| filled(text, known.clone()).unwrap_err();
        assert!(
            why("a\n{{ nam }}\n").starts_with("template `motd`, line 2: undefined value"),
            "{}",
            why("a\n{{ nam }}\n")
        );
        assert!(why("{{ nam }}").contains("nam"), "{}", why("{{ nam }}"));
        assert!(why("{{ name.deep.er }}").contains("line 1"), "{}", why("{{ name.deep.er }}"));
        assert!(why("{{ open }}").contains("not set"), "{}", why("{{ open }}"));
        assert!(why("\n\n{% for x %}").contains("line 3: syntax error"), "{}", why("\n\n{% for x %}"));
        assert!(why("{{ name|nosuch }}").contains("nosuch"), "{}", why("{{ name|nosuch }}"));
        assert!(why("{% include 'other' %}").contains("other"), "{}", why("{% include 'other' %}"));
        assert_eq!(filled("x", values).unwrap_err(), "template `motd`: the value `seen` is unknown (no BMC)");
        assert!(check("motd", "{% if %}").is_err() && check("motd", "{{ anything }}").is_ok());
    }

    #[test]
    fn what_is_included_is_named_when_it_is_at_fault() {
        let texts = Texts::from([
            ("part".into(), "\n{{ missing }}".into()),
            ("good".into(), "<{{ name }}>".into()),
            ("self".into(), "{% include 'self' %}".into()),
        ]);
        let values = of(&[("name", "x".into())]);
        assert_eq!(fill("motd", "{% include 'good' %}", &texts, &values).unwrap(), "<x>");
        let error = fill("motd", "{% include 'part' %}", &texts, &values).unwrap_err();
        assert_eq!((error.template.as_str(), error.line), ("part", Some(2)), "{error}");
        assert!(fill("motd", "{% include 'self' %}", &texts, &values).is_err());
    }

    #[test]
    fn hostile_templates_end_at_a_limit() {
        for text in [
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 999999999 }}",
            "{{ 'x' * 2000000 }}",
            "{{ '%999999999s'|format('x') }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% set ns = namespace(x='xxxxxxxxxx') %}{% for a in range(99999) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "{{ range(999999999)|list }}",
            "{{ (((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))) / 0 }}",
        ] {
            let error = match filled(text, of(&[])) {
                Ok(result) => panic!("{text} made {} bytes", result.len()),
                Err(error) => error,
            };
            assert!(error.starts_with("template `motd`") && error.len() < 400, "{text}: {error}");
        }
        let large = "x".repeat(TEMPLATE_BYTES + 1);
        assert!(filled(&large, of(&[])).unwrap_err().contains("may have"));
    }
}
