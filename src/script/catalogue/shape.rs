//! The shapes of what effects take and give: how they are written in the reference, and whether a value has one.
//!
//! Owns the schema of arguments and answers. A call with another argument fails before anything is done; a scripted
//! answer of another shape is refused by `task test`.

use crate::model::value::Value;
use crate::units;

/// What a value must look like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// The effect says nothing; a script sees `()`.
    Nothing,
    /// The node that the task was given.
    Node,
    Bool,
    Int,
    Text,
    /// Text such as `10m`.
    Duration,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// Text, or a secret that stands for one.
    Secret,
    Any,
    /// This, or `()` where there is none.
    Maybe(&'static Shape),
    List(&'static Shape),
    /// Names that are data, to values of one shape.
    Map(&'static Shape),
    /// Names that the effect knows; another name is a mistake.
    Record(&'static [Field]),
}

/// One name of a [`Shape::Record`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    /// It may be left out.
    pub optional: bool,
    pub doc: &'static str,
}

impl Field {
    pub const fn optional(self) -> Field {
        Field { optional: true, ..self }
    }
}

impl Shape {
    /// As the reference writes it: `[text]`, `#{uuid: text or (), …}`.
    pub fn written(&self) -> String {
        match self {
            Shape::Nothing => "()".into(),
            Shape::Node => "node".into(),
            Shape::Bool => "bool".into(),
            Shape::Int => "int".into(),
            Shape::Text => "text".into(),
            Shape::Duration => "duration".into(),
            Shape::Word(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            Shape::Secret => "text or secret".into(),
            Shape::Any => "any".into(),
            Shape::Maybe(shape) => format!("{} or ()", shape.written()),
            Shape::List(shape) => format!("[{}]", shape.written()),
            Shape::Map(shape) => format!("#{{name: {}}}", shape.written()),
            Shape::Record(fields) => {
                let names = fields.iter().map(|field| {
                    let mark = if field.optional { "?" } else { "" };
                    format!("{}{mark}: {}", field.name, field.shape.written())
                });
                format!("#{{{}}}", names.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What is asked for, as a sentence says it.
    fn wanted(&self) -> String {
        match self {
            Shape::Node => "the node".into(),
            Shape::Duration => "a duration such as \"10m\"".into(),
            Shape::List(_) => "an array".into(),
            Shape::Map(_) | Shape::Record(_) => "a map".into(),
            Shape::Maybe(shape) => format!("{} or ()", shape.wanted()),
            other => other.written(),
        }
    }

    /// Whether `value` has this shape; what could not be read has every shape. The error says where and what.
    pub fn fits(&self, value: &Value) -> Result<(), Misfit> {
        match (self, value) {
            (_, Value::Unknown(_))
            | (Shape::Any, _)
            | (Shape::Node | Shape::Text, Value::Text(_))
            | (Shape::Secret, Value::Text(_) | Value::Secret(_))
            | (Shape::Nothing | Shape::Maybe(_), Value::Null)
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Int, Value::Int(_)) => Ok(()),
            (Shape::Duration, Value::Text(text)) => units::duration(text)
                .map(|_| ())
                .map_err(|error| Misfit { at: String::new(), why: error.to_string() }),
            (Shape::Word(words), Value::Text(text)) if words.contains(&&**text) => Ok(()),
            (Shape::Maybe(shape), _) => shape.fits(value),
            (Shape::List(shape), Value::List(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| shape.fits(item).map_err(|misfit| misfit.inside(&index))),
            (Shape::Map(shape), Value::Map(map)) => {
                map.iter().try_for_each(|(name, item)| shape.fits(item).map_err(|misfit| misfit.inside(name)))
            }
            (Shape::Record(fields), Value::Map(map)) => {
                for field in *fields {
                    match map.get(field.name) {
                        Some(item) => {
                            field.shape.fits(item).map_err(|misfit| misfit.inside(&field.name))?;
                        }
                        None if field.optional => {}
                        None => {
                            return Err(Misfit {
                                at: String::new(),
                                why: format!("`{}` is missing", field.name),
                            });
                        }
                    }
                }
                let known = |name: &str| fields.iter().any(|field| field.name == name);
                match map.iter().find(|(name, _)| !known(name)) {
                    Some((name, _)) => {
                        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                        let why = format!("`{name}` is not known; there is {}", names.join(", "));
                        Err(Misfit { at: String::new(), why })
                    }
                    None => Ok(()),
                }
            }
            _ => Err(Misfit {
                at: String::new(),
                why: format!("must be {}, not {}", self.wanted(), kind(value)),
            }),
        }
    }
}

/// Why a value has not the shape that is asked for, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// `.macs.0`; empty for the value itself.
    at: String,
    why: String,
}

impl Misfit {
    fn inside(self, name: &dyn std::fmt::Display) -> Misfit {
        Misfit { at: format!(".{name}{}", self.at), why: self.why }
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at.strip_prefix('.') {
            Some(at) => write!(f, "`{at}` {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// What a value is, without what it holds: it may be long, and it may be a secret.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "()".into(),
        Value::Bool(_) => "bool".into(),
        Value::Int(_) => "int".into(),
        Value::Float(_) => "float".into(),
        Value::Text(text) if text.len() <= 40 => format!("\"{text}\""),
        Value::Text(_) => "text".into(),
        Value::Secret(_) => "a secret".into(),
        Value::Unknown(_) => "unknown".into(),
        Value::List(_) => "an array".into(),
        Value::Map(_) => "a map".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER: Shape = Shape::Word(&["on", "off"]);
    const MACHINE: Shape = Shape::Record(&[
        Field { name: "power", shape: POWER, optional: false, doc: "" },
        Field { name: "macs", shape: Shape::List(&Shape::Text), optional: true, doc: "" },
    ]);

    fn misfit(shape: &Shape, value: Value) -> String {
        shape.fits(&value).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let macs = |item| Value::map([("power", Value::text("on")), ("macs", Value::list(vec![item]))]);
        assert_eq!(MACHINE.fits(&macs(Value::text("x"))), Ok(()));
        assert_eq!(misfit(&MACHINE, macs(Value::Int(1))), "`macs.0` must be text, not int");
        assert_eq!(misfit(&MACHINE, Value::empty_map()), "`power` is missing");
        let other = Value::map([("power", Value::text("on")), ("x", Value::Null)]);
        assert_eq!(misfit(&MACHINE, other), "`x` is not known; there is power, macs");
        assert_eq!(misfit(&POWER, Value::text("up")), "must be \"on\" or \"off\", not \"up\"");
    }

    #[test]
    fn what_could_not_be_read_fits_and_a_secret_is_no_text() {
        assert_eq!(POWER.fits(&Value::Unknown("why".into())), Ok(()));
        assert_eq!(misfit(&Shape::Text, Value::Secret("env:X".into())), "must be text, not a secret");
        assert_eq!(Shape::Secret.fits(&Value::Secret("env:X".into())), Ok(()));
    }

    #[test]
    fn shapes_are_written_as_scripts_write_values() {
        assert_eq!(MACHINE.written(), "#{power: \"on\" or \"off\", macs?: [text]}");
        assert_eq!(Shape::Map(&Shape::Maybe(&Shape::Int)).written(), "#{name: int or ()}");
    }
}
