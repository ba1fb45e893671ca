//! A declared parameter, typed; what contradicts itself in the declaration is found here.

use super::{entries, parsed, texts};
use crate::design::read::Item;
use crate::finding::{Finding, MISSING_VALUE, WRONG_TYPE};
use crate::model::param::{Param, ParamKind, whole};
use crate::model::path::Path;
use crate::model::value::Value;
use std::sync::Arc;

/// Every parameter that a task or a blueprint declares.
pub fn all(item: &Item, findings: &mut Vec<Finding>) -> Vec<Param> {
    entries(&item.tree, "params").map(|(name, tree)| param(item, name, tree, findings)).collect()
}

fn param(item: &Item, name: &Arc<str>, tree: &Value, findings: &mut Vec<Finding>) -> Param {
    let param = Param {
        name: name.clone(),
        kind: parsed(tree, "type").unwrap_or(ParamKind::Text),
        required: tree.get("required").and_then(Value::as_bool).unwrap_or_default(),
        default: tree.get("default").cloned().unwrap_or_default(),
        doc: tree.str_at("doc").unwrap_or_default().to_string(),
        values: texts(tree, "values").map(Arc::from).collect(),
        pattern: tree.str_at("pattern").map(Arc::from),
        least: number(tree, "least"),
        most: number(tree, "most"),
    };
    let place = |key: &str| {
        let path = Path(vec!["params".into(), name.clone(), key.into()]);
        item.places.get(&path).or_else(|| item.places.get(&Path(path.0[..2].to_vec()))).unwrap_or(&item.place)
    };
    let mut find = |code, key: &str, message: String, help: String| {
        findings.push(Finding::new(code, item.subject(), message).at(place(key).clone()).help(help));
    };
    if param.kind == ParamKind::Enum && param.values.is_empty() {
        let help = format!("write param \"{name}\" type=\"enum\" {{ one-of \"…\" \"…\" }}");
        find(MISSING_VALUE, "type", format!("the parameter `{name}` is an enum without values"), help);
    }
    if param.kind != ParamKind::Enum && !param.values.is_empty() {
        let message = format!("the parameter `{name}` lists values and is no enum");
        find(WRONG_TYPE, "values", message, "write type=\"enum\", or take `one-of` out".into());
    }
    if param.pattern.as_ref().is_some_and(|pattern| whole(pattern).is_err()) {
        let message = format!("the pattern of `{name}` is too large, or no pattern as a whole");
        find(WRONG_TYPE, "pattern", message, "write a simpler regular expression".into());
    }
    let is_number = matches!(param.kind, ParamKind::Int | ParamKind::Float);
    for key in ["least", "most"] {
        if tree.get(key).is_some_and(|value| !value.is_null()) && (!is_number || number(tree, key).is_none())
        {
            let message = format!("`{key}` of `{name}` wants a number, of a parameter that is one");
            find(WRONG_TYPE, key, message, "write type=\"int\" or \"float\", and a number".into());
        }
    }
    if !param.default.is_null()
        && let Err(wanted) = param.fits(&param.default)
    {
        let kind = param.kind;
        let message = format!("the default of `{name}` must be {wanted}");
        find(WRONG_TYPE, "default", message, format!("write a value of type {kind}, or change the type"));
    }
    param
}

fn number(tree: &Value, key: &str) -> Option<f64> {
    match tree.get(key)? {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
