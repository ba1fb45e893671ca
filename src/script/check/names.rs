//! Functions, modules and variables that a script uses and nobody defines.

use super::facts::{Called, Facts, Function};
use super::graph::{File, Files};
use crate::finding::{Finding, SCRIPT_NAME, did_you_mean};
use crate::script::{catalogue, sandbox, scripted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words of the language that look like functions, with any number of arguments.
const WORDS: &[&str] = &["Fn", "call", "curry", "is_shared", "is_def_fn", "is_def_var", "type_of"];

/// The functions of the engine, with the numbers of their parameters.
static NATIVE: LazyLock<BTreeMap<String, BTreeSet<usize>>> = LazyLock::new(|| {
    let mut native: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let found = sandbox::parser().collect_fn_metadata(
        None,
        |info| info.namespace.is_empty().then(|| (info.metadata.name.to_string(), info.metadata.num_params)),
        true,
    );
    for (name, params) in found {
        native.entry(name).or_default().insert(params);
    }
    native
});

pub fn check(files: &Files, subject: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, file) in files.files.iter().enumerate() {
        for function in &file.facts.functions {
            for (name, at) in &function.unknown {
                let known = function.params.iter().map(String::as_str);
                let help = match did_you_mean(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `let` before its first use; a function sees its parameters and its own variables only"
                        .into(),
                };
                let message = format!("there is no variable `{name}`");
                findings
                    .push(Finding::new(SCRIPT_NAME, subject, message).at(files.place(index, *at)).help(help));
            }
            for call in &function.calls {
                let is_variable = function.called_variables.contains(&call.name);
                if let Some((message, help)) = wrong(files, index, call, is_variable) {
                    let finding = Finding::new(SCRIPT_NAME, subject, message).at(files.place(index, call.at));
                    findings.push(finding.help(help));
                }
            }
        }
    }
    findings
}

/// What is wrong with a call, and what to do about it.
fn wrong(files: &Files, file: usize, call: &Called, is_variable: bool) -> Option<(String, String)> {
    match call.namespace.as_slice() {
        [] if call.is_method => method(&files.files[file].facts, call),
        [] => plain(&files.files[file].facts, call, is_variable),
        [module] => namespaced(files, file, module, call),
        _ => None,
    }
}

fn plain(facts: &Facts, call: &Called, is_variable: bool) -> Option<(String, String)> {
    let (name, count) = (call.name.as_str(), call.args.len());
    let is_native = |count| NATIVE.get(name).is_some_and(|params| params.contains(&count));
    if name.starts_with("anon$") || WORDS.contains(&name) || is_native(count) || defines(facts, name, count) {
        return None;
    }
    if is_variable {
        let help = format!("a variable that holds a function is called with `{name}.call(…)`");
        return Some((format!("there is no function `{name}`"), help));
    }
    Some(unknown(facts, name, count, true))
}

/// A method may also be a function that a map of the script holds under that name.
fn method(facts: &Facts, call: &Called) -> Option<(String, String)> {
    let (name, count) = (call.name.as_str(), call.args.len());
    let is_native = NATIVE.get(name).is_some_and(|params| params.contains(&(count + 1)));
    let is_of_tests = has_tests(facts) && scripted::has_word(name, count);
    let known = is_native || is_of_tests || WORDS.contains(&name) || facts.keys.contains(name);
    if known || defines(facts, name, count) {
        return None;
    }
    Some(unknown(facts, name, count, true))
}

fn has_tests(facts: &Facts) -> bool {
    facts.functions.iter().any(|function| scripted::is_test(&function.name))
}

fn namespaced(files: &Files, file: usize, module: &str, call: &Called) -> Option<(String, String)> {
    let facts = &files.files[file].facts;
    // What is wrong with effects is said of them.
    if module == "global" || catalogue::modules().contains(&module) {
        return None;
    }
    if !facts.imports.contains_key(module) {
        let known = catalogue::modules();
        let help =
            match did_you_mean(module, known.iter().copied().chain(facts.imports.keys().map(String::as_str)))
            {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "write `import \"…\" as {module}`; the modules of effects are {}",
                    known.join(", ")
                ),
            };
        return Some((format!("there is no module `{module}`"), help));
    }
    // A file that is not there, or cannot be read, has been told of.
    let imported = files.imported(file, module)?;
    if files.target(file, call).is_some() {
        return None;
    }
    let File { facts, script } = &files.files[imported];
    let is_private = |function: &Function| function.is_private && function.name == call.name;
    if facts.functions.iter().any(is_private) {
        let message = format!("`{}` is private to `{}`", call.name, script.file);
        return Some((message, "take `private` away from its definition".into()));
    }
    let (message, help) = unknown(facts, &call.name, call.args.len(), false);
    Some((format!("{message} in `{}`", script.file), help))
}

fn defines(facts: &Facts, name: &str, count: usize) -> bool {
    facts.functions.iter().any(|function| function.name == name && function.params.len() == count)
}

fn arguments(count: usize) -> String {
    if count == 1 { "1 argument".into() } else { format!("{count} arguments") }
}

/// A function that is there with other arguments, or not at all.
fn unknown(facts: &Facts, name: &str, count: usize, with_native: bool) -> (String, String) {
    let signatures: Vec<String> = facts
        .functions
        .iter()
        .filter(|function| function.name == name)
        .map(|function| format!("`{}({})`", function.name, function.params.join(", ")))
        .collect();
    if !signatures.is_empty() {
        let message = format!("`{name}` is called with {}", arguments(count));
        return (message, format!("write {}", signatures.join(" or ")));
    }
    if with_native && NATIVE.contains_key(name) {
        let message = format!("`{name}` is called with {}", arguments(count));
        return (message, "the language has it with other arguments".into());
    }
    let own = facts.functions.iter().map(|function| function.name.as_str()).filter(|name| !name.is_empty());
    let native = NATIVE.keys().map(String::as_str);
    let native = native.filter(|name| with_native && rhai::is_valid_identifier(name));
    let help = match did_you_mean(name, own.chain(native)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write `fn {name}(…) {{ … }}`; effects are called with their module, such as `bmc::power(node)`"
        ),
    };
    (format!("there is no function `{name}`"), help)
}
