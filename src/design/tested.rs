//! The spec and the parameters that a test of a task may write, completed as those of a node and of a step are.
//!
//! Owns that a test sees what a run would show its script: the declared paths only, with what the design leaves open
//! as `()`; a name that no task of the script declares, or that the spec does not have, is a mistake of the test.

use super::spec::Defaults;
use crate::finding::did_you_mean;
use crate::model::hazard::Aim;
use crate::model::names;
use crate::model::param::Param;
use crate::model::path::Path;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::scripted::Declared;
use std::sync::Arc;

/// What the tasks of one script declare, together.
pub struct TestForm {
    visible: Vec<Path>,
    params: Vec<Param>,
    defaults: Defaults,
    aim: Aim,
}

impl TestForm {
    /// Of all tasks that have the script.
    pub fn of(tasks: &[Arc<Task>]) -> TestForm {
        let mut params: Vec<Param> = Vec::new();
        for param in tasks.iter().flat_map(|task| &task.params) {
            if !params.iter().any(|known| known.name == param.name) {
                params.push(param.clone());
            }
        }
        let visible = tasks.iter().flat_map(|task| task.visible().cloned()).collect();
        let aim = tasks.first().map(|task| task.aim).unwrap_or_default();
        TestForm { visible, params, defaults: Defaults::of(aim), aim }
    }

    fn allowed(&self, path: &Path, value: &Value) -> Result<(), String> {
        if !self.defaults.knows(path) {
            let whose = if self.aim == Aim::Site { "the site" } else { "a node" };
            return Err(match self.defaults.suggestion(path) {
                Some(near) => format!("`{path}` is not a path of {whose}'s spec; did you mean `{near}`?"),
                None => format!("`{path}` is not a path of {whose}'s spec"),
            });
        }
        let is_empty = value.is_null() || value.as_map().is_some_and(|map| map.is_empty());
        let declared =
            self.visible.iter().any(|seen| path.starts_with(seen) || (is_empty && seen.starts_with(path)));
        match declared {
            true => Ok(()),
            false => Err(format!("the task does not declare `{path}`; add `uses \"{path}\"` to it")),
        }
    }
}

impl Declared for TestForm {
    fn spec(&self, written: &Value) -> Result<Value, String> {
        let mut spec = self.defaults.bare.clone();
        for (path, value) in written.leaves().into_iter().filter(|(path, _)| !path.0.is_empty()) {
            self.allowed(&path, value)?;
            spec.put(&path.0, value.clone());
        }
        self.defaults.complete(&mut spec);
        Ok(names::to_script(&spec.visible(&self.visible)))
    }

    fn params(&self, written: &Value) -> Result<Value, String> {
        let mut params = Value::empty_map();
        for param in self.params.iter().filter(|param| !param.default.is_null() || !param.required) {
            params.put(std::slice::from_ref(&param.name), param.default.clone());
        }
        for (name, value) in written.as_map().into_iter().flatten() {
            let Some(param) = self.params.iter().find(|param| param.name == *name) else {
                return Err(match did_you_mean(name, self.params.iter().map(|param| &*param.name)) {
                    Some(near) => format!("the task has no parameter `{name}`; did you mean `{near}`?"),
                    None => format!("the task has no parameter `{name}`"),
                });
            };
            if let Err(wanted) = param.fits(value) {
                return Err(format!("the parameter `{name}` must be {wanted}"));
            }
            params.put(std::slice::from_ref(name), value.clone());
        }
        match self.params.iter().find(|param| params.get(&param.name).is_none()) {
            Some(param) => Err(format!(
                "the parameter `{}` is required; write `world.params(#{{ {0}: … }})`",
                param.name
            )),
            None => Ok(params),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::tests::compiled;

    fn form() -> TestForm {
        let design = r#"
            site "s" { }
            task "t" script="t.rhai" {
                realizes "hardware.bios"; uses "boot-override"
                param "count" type="int" default=3
                param "who" required=#true
            }"#;
        let files: [(&str, &[u8]); 2] =
            [("x.kdl", design.as_bytes()), ("scripts/t.rhai", b"fn apply(node) { }")];
        let site = compiled(&files).site.expect("the design compiles");
        TestForm::of(&[site.tasks["t"].clone()])
    }

    fn spec(path: &str, value: Value) -> Result<String, String> {
        let mut written = Value::empty_map();
        written.put(&Path::parse(path).0, value);
        form().spec(&written).map(|spec| spec.to_string())
    }

    #[test]
    fn a_test_sees_the_spec_as_a_run_does() {
        let device = spec("boot-override.device", Value::text("pxe")).unwrap();
        assert_eq!(device, r#"{"boot_override":{"device":"pxe","persistence":null},"hardware":null}"#);
        let bios = spec("hardware.bios.A_b-C", Value::Int(1)).unwrap();
        assert_eq!(bios, r#"{"boot_override":null,"hardware":{"bios":{"A_b-C":1}}}"#);
        assert_eq!(spec("hardware", Value::Null).unwrap(), r#"{"boot_override":null,"hardware":null}"#);
        assert!(spec("hardware.vendor", Value::text("x")).unwrap_err().contains("does not declare"));
        assert!(spec("hardware.bois", Value::Int(1)).unwrap_err().contains("did you mean `hardware.bios`?"));
    }

    #[test]
    fn parameters_have_their_types_and_defaults() {
        let params = |name: &str, value| form().params(&Value::map([(name, value)])).map(|it| it.to_string());
        assert_eq!(params("who", Value::text("me")).unwrap(), r#"{"count":3,"who":"me"}"#);
        assert!(params("count", Value::Int(1)).unwrap_err().contains("`who` is required"));
        assert!(params("count", Value::text("x")).unwrap_err().contains("must be of type int"));
        assert!(params("whom", Value::Null).unwrap_err().contains("did you mean `who`?"));
    }
}
