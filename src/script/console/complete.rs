//! What may come next where a person has typed the beginning of a name.

use crate::model::value::Value;
use crate::script::catalogue;
use std::collections::BTreeSet;

/// Words that begin a statement or stand in one.
const WORDS: &[&str] = &[
    "catch", "const", "else", "false", "for", "if", "import", "let", "loop", "return", "switch", "throw",
    "true", "try", "while",
];

/// Everything that can be named.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Variables and functions of the session.
    own: BTreeSet<String>,
    spec: Value,
}

impl Names {
    pub fn new(own: BTreeSet<String>, spec: Value) -> Names {
        Names { own, spec }
    }

    /// What may stand from the byte returned to the end of `before`, in order.
    pub fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let start = before.trim_end_matches(is_part).len();
        let (ahead, begun) = before.split_at(start);
        let mut found: Vec<String> = if let Some(module) = ahead.strip_suffix("::") {
            let module = module.rsplit(|letter| !is_part(letter)).next().unwrap_or_default();
            effects(module)
        } else if let Some(path) = ahead.strip_suffix('.') {
            self.below(path.rsplit(|letter| !is_part(letter) && letter != '.').next().unwrap_or_default())
        } else {
            let modules = catalogue::modules().into_iter().map(|module| format!("{module}::"));
            let words = WORDS.iter().map(ToString::to_string);
            modules.chain(words).chain(self.own.iter().cloned()).collect()
        };
        found.retain(|name| name.starts_with(begun));
        found.sort();
        (start, found)
    }

    /// The names of the node, and of its spec below a path such as `node.spec.hardware`.
    fn below(&self, path: &str) -> Vec<String> {
        let mut keys = path.split('.');
        match (keys.next(), keys.next()) {
            (Some("node"), None) => vec!["name".into(), "spec".into()],
            (Some("node"), Some("spec")) => {
                let part = keys.try_fold(&self.spec, |value, key| value.get(key));
                let names = part.and_then(Value::as_map).into_iter().flatten();
                names.map(|(name, _)| name.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The effects of a module, up to the parenthesis.
fn effects(module: &str) -> Vec<String> {
    catalogue::rows().filter(|row| row.module == module).map(|row| format!("{}(", row.name)).collect()
}
