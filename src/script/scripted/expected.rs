//! One effect that a test expects, and the answer that it gives.

use crate::finding::did_you_mean;
use crate::model::value::Value;
use crate::model::written::in_script;
use crate::script::catalogue::{self, Effect, Shape};
use crate::script::tape::{CallPlace, EffectFailure};

#[derive(Clone, Debug)]
pub struct Expected {
    /// Where the test expects it.
    pub at: Option<CallPlace>,
    pub effect: &'static Effect,
    /// Without the node; any arguments will do when absent.
    pub args: Option<Vec<Value>>,
    pub answer: Result<Value, EffectFailure>,
    /// The part before it fails, so that nobody will ask for this one.
    pub is_void: bool,
}

/// The effect that a test names as scripts do, such as `bmc::power_on`.
pub fn find(name: &str) -> Result<&'static Effect, String> {
    if let Some(found) = catalogue::rows().find(|row| path(row) == name) {
        return Ok(found);
    }
    let names: Vec<String> = catalogue::rows().map(path).collect();
    Err(match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(near) => format!("there is no effect `{name}`; did you mean `{near}`?"),
        None => format!("there is no effect `{name}`; write it as scripts do, such as `bmc::power_on`"),
    })
}

fn path(effect: &Effect) -> String {
    format!("{}::{}", effect.module, effect.name)
}

/// The effects that a script asks for when it calls `effect`: its parts, where it is made of some.
pub fn parts(effect: &'static Effect) -> Vec<&'static Effect> {
    match effect.made_of.is_empty() {
        true => vec![effect],
        false => effect.made_of.iter().filter_map(|name| catalogue::find(name)).collect(),
    }
}

/// The arguments as the test wrote them, held to their shapes; those that may be left out are filled up with `()`.
pub fn arguments(effect: &Effect, mut given: Vec<Value>) -> Result<Vec<Value>, String> {
    let declared: Vec<_> = without_node(effect).collect();
    let least = declared.iter().filter(|arg| !arg.optional).count();
    if !(least..=declared.len()).contains(&given.len()) {
        let wanted: Vec<&str> = declared.iter().map(|arg| arg.name).collect();
        return Err(format!(
            "`{}` is expected with {} arguments, and takes {} besides the node: [{}]",
            path(effect),
            given.len(),
            declared.len(),
            wanted.join(", ")
        ));
    }
    given.resize(declared.len(), Value::Null);
    for (arg, value) in declared.iter().zip(&given).filter(|(arg, value)| !(arg.optional && value.is_null()))
    {
        arg.shape.fits(value).map_err(|misfit| {
            format!("`{}` can never be called so: the argument `{}`: {misfit}", path(effect), arg.name)
        })?;
    }
    Ok(given)
}

fn without_node(effect: &'_ Effect) -> impl Iterator<Item = &'_ catalogue::Arg> {
    effect.args.iter().filter(|arg| !matches!(arg.shape, Shape::Node))
}

/// What a call gives besides the node.
pub fn given<'a>(effect: &Effect, args: &'a [Value]) -> Vec<&'a Value> {
    effect
        .args
        .iter()
        .zip(args)
        .filter(|(arg, _)| !matches!(arg.shape, Shape::Node))
        .map(|(_, arg)| arg)
        .collect()
}

/// The call as a script writes it; `None` stands for any arguments.
pub fn call(effect: &Effect, args: Option<&[&Value]>) -> String {
    let mut words: Vec<String> = Vec::new();
    if effect.args.first().is_some_and(|arg| matches!(arg.shape, Shape::Node)) {
        words.push("node".into());
    }
    match args {
        Some(args) => {
            let kept = args.iter().rposition(|arg| !arg.is_null()).map_or(0, |last| last + 1);
            words.extend(args[..kept].iter().map(|arg| in_script(arg)));
        }
        None if without_node(effect).next().is_some() => words.push("…".into()),
        None => {}
    }
    format!("{}({})", path(effect), words.join(", "))
}

impl Expected {
    /// As a script would call it.
    pub fn written(&self) -> String {
        let args: Option<Vec<&Value>> = self.args.as_ref().map(|args| args.iter().collect());
        call(self.effect, args.as_deref())
    }

    /// Why the answer is none that this effect can give.
    pub fn misfit(&self) -> Option<String> {
        let value = self.answer.as_ref().ok()?;
        let misfit = self.effect.returns.fits(value).err()?;
        let returns = self.effect.returns.written();
        Some(match value.is_null() {
            true => format!("`{}` answers {returns}; write `.gives(…)`", path(self.effect)),
            false => format!("`{}` never answers that: {misfit}; it answers {returns}", path(self.effect)),
        })
    }
}
