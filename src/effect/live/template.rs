//! `template` effects: filling texts in. Reach nothing; a text with secrets among its values stays a reference.

use super::text;
use crate::effect::{Job, failure};
use crate::model::task::Template;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::template::{Rendered, Stays, Texts};

/// How a text that the script itself holds is called in messages.
const OWN: &str = "of the script";
/// The words by which a template asks for another.
const ASKS: &[&str] = &["include", "extends", "import"];

pub fn perform(job: &Job<'_>) -> Result<Value, EffectFailure> {
    let templates = &job.task.templates;
    let (name, own) = match job.call.effect.name {
        "render" => (OWN.into(), text(job, 0).into()),
        "file" => {
            let template = named(templates, text(job, 0), &job.task.name)?;
            (template.name.clone(), template.text.clone())
        }
        other => return Err(failure(format!("this build has no effect `template.{other}`"), false)),
    };
    let values = job.call.args.get(1).cloned().unwrap_or_default();
    let rendered = Rendered { texts: others(templates, &own), name, text: own, values };
    match rendered.stays() {
        Ok(Stays::Clear(text)) => Ok(Value::from(text)),
        Ok(Stays::Secret(reference)) => Ok(Value::Secret(reference.into())),
        Err(error) => Err(failure(error.to_string(), false)),
    }
}

fn named<'a>(templates: &'a [Template], name: &str, task: &str) -> Result<&'a Template, EffectFailure> {
    templates.iter().find(|template| &*template.name == name).ok_or_else(|| {
        failure(
            format!("task `{task}` declares no template `{name}`; add `template \"{name}\"` to it"),
            false,
        )
    })
}

/// The task's templates, for a text that asks for others.
fn others(templates: &[Template], own: &str) -> Texts {
    match ASKS.iter().any(|word| own.contains(word)) {
        true => templates.iter().map(|template| (template.name.clone(), template.text.clone())).collect(),
        false => Texts::new(),
    }
}
