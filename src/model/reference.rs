//! The reference of what tasks can use: plain data, printed for terminals, as Markdown and as definitions for editors.

use super::blueprint::Blueprint;
use super::task::Task;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Reference {
    pub tasks: Vec<Arc<Task>>,
    pub blueprints: Vec<Arc<Blueprint>>,
    pub modules: Vec<ModuleReference>,
}

/// The effects of one module, which is the capability that a task must be allowed.
#[derive(Clone, Debug, Serialize)]
pub struct ModuleReference {
    pub name: String,
    pub effects: Vec<EffectReference>,
}

/// One row of the catalogue.
#[derive(Clone, Debug, Serialize)]
pub struct EffectReference {
    pub name: String,
    /// `read`, `ensure`, `once` or `wait`.
    pub kind: String,
    pub doc: String,
    pub args: Vec<ValueReference>,
    pub returns: ValueReference,
    /// The longest that one performance may take.
    #[serde(skip)]
    pub within: Duration,
    pub example: String,
    /// The effects that make it up, as scripts call them.
    pub made_of: Vec<String>,
}

/// An argument, an answer, or a part of one.
#[derive(Clone, Debug, Serialize)]
pub struct ValueReference {
    /// Of a part its path in the whole, such as `image.name`; empty for an answer.
    pub name: String,
    /// As the reference writes shapes: `text`, `[text]`, `"on" or "off"`.
    pub shape: String,
    /// The nearest type of the language, for editors.
    pub script_type: String,
    pub optional: bool,
    pub doc: String,
    pub fields: Vec<ValueReference>,
}
