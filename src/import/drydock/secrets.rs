//! Credentials that stand in clear in the ancestor's documents, as references.
//!
//! Owns their names. The text itself goes nowhere: not into the design, not into a note, not into a rendered source.

use super::document::Field;
use crate::import::kdl::Value;

/// The variable of the first credential; further ones get a number.
const VARIABLE: &str = "BMC_PASSWORD";

#[derive(Default)]
pub struct Secrets {
    seen: Vec<String>,
}

impl Secrets {
    /// The same credential is the same variable.
    pub fn reference(&mut self, field: &Field<'_>) -> Value {
        let text = field.text();
        let (source, report) = (field.document.source, field.document.report);
        let place = field.node.place(source);
        // What an alias repeats is written somewhere else.
        if source.text[place.offset as usize..].starts_with('*') {
            source.all(text).for_each(|place| report.hide(place));
        }
        report.hide(place);
        let at = self.seen.iter().position(|held| held == text).unwrap_or_else(|| {
            self.seen.push(text.to_string());
            self.seen.len() - 1
        });
        let variable = if at == 0 { VARIABLE.to_string() } else { format!("{VARIABLE}_{}", at + 1) };
        field.changed(format!("a credential in clear: put it into the environment as {variable}"));
        Value::Annotated("secret", format!("env:{variable}"))
    }
}
