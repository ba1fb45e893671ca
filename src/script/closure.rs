//! The closure of a script: itself and everything that it imports, as text, with a digest.
//!
//! An attempt pins its closure in the store, so that neither an edit nor an upgrade changes what is
//! under way. Imports are literal: `import "util"` is `scripts/util.rhai`, `import "std/power"` is
//! `stdlib/power.rhai`.

use super::{sandbox, scripted};
use crate::model::task::{Script, Task};
use rhai::{AST, ASTNode, Engine, Expr, Module, ModuleResolver, Position, Scope, Shared, Stmt};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many files a closure may have: more is a circle or a mistake.
const FILES_AT_MOST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The file of the task's own script.
    pub main: Arc<str>,
    /// Every file of the closure, the main one included.
    pub files: BTreeMap<Arc<str>, Arc<str>>,
    /// The templates that the task may fill in, by name: they are a part of its version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClosureError {
    #[error("`{file}` cannot be parsed: {message}")]
    Syntax { file: Arc<str>, message: String, position: Position },
    #[error("`{file}` imports `{path}`, which is not part of the design or the standard library")]
    Missing { file: Arc<str>, path: String, position: Position },
    #[error("`{file}` imports a path that is not a plain text")]
    Computed { file: Arc<str>, position: Position },
    #[error("`{main}` imports more than {FILES_AT_MOST} files")]
    TooMany { main: Arc<str> },
}

impl ClosureError {
    /// The file at fault and where in it.
    pub fn place(&self) -> (&Arc<str>, Position) {
        match self {
            ClosureError::Syntax { file, position, .. }
            | ClosureError::Missing { file, position, .. }
            | ClosureError::Computed { file, position } => (file, *position),
            ClosureError::TooMany { main } => (main, Position::NONE),
        }
    }
}

/// The file that an import path names.
pub fn file_of(path: &str) -> String {
    match path.strip_prefix("std/") {
        Some(rest) => format!("stdlib/{rest}.rhai"),
        None => format!("scripts/{path}.rhai"),
    }
}

/// Everything that a script reaches by its imports, as far as it can be read, and everything that is in the way.
pub struct Reach {
    /// The main script first, if it can be parsed.
    pub parsed: Vec<(Script, AST)>,
    pub errors: Vec<ClosureError>,
}

/// Follows the imports of `main` through `scripts`; one fault does not hide the others.
pub fn reach(main: &Script, scripts: &BTreeMap<Arc<str>, Script>) -> Reach {
    let engine = sandbox::parser();
    let mut reach = Reach { parsed: Vec::new(), errors: Vec::new() };
    let mut known = BTreeSet::from([main.file.clone()]);
    let mut unread = vec![main.clone()];
    while let Some(script) = unread.pop() {
        let ast = match parse(engine, &script) {
            Ok(ast) => ast,
            Err(error) => {
                reach.errors.push(error);
                continue;
            }
        };
        for import in imports(&ast, &script) {
            match import.and_then(|(path, position)| imported(&script, path, position, scripts)) {
                Ok(found) if known.insert(found.file.clone()) => unread.push(found.clone()),
                Ok(_) => {}
                Err(error) => reach.errors.push(error),
            }
        }
        reach.parsed.push((script, ast));
        if known.len() > FILES_AT_MOST {
            reach.errors.push(ClosureError::TooMany { main: main.file.clone() });
            break;
        }
    }
    reach
}

impl Closure {
    /// The closure of a task's script, which must be without faults.
    pub fn of(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Result<Closure, ClosureError> {
        let reach = reach(&task.script, scripts);
        let templates = task.templates.iter().map(|template| (template.name.clone(), template.text.clone()));
        match reach.errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Closure {
                main: task.script.file.clone(),
                files: reach.parsed.into_iter().map(|(script, _)| (script.file, script.text)).collect(),
                templates: templates.collect(),
            }),
        }
    }

    /// The closure as it is pinned: JSON with sorted keys.
    pub fn pinned(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// blake3 of the pinned form: the version of a task's scripts.
    pub fn digest(&self) -> String {
        blake3::hash(self.pinned().as_bytes()).to_hex().to_string()
    }
}

/// The imports of a script in order: what each names, or that it names nothing literal.
fn imports(ast: &AST, script: &Script) -> Vec<Result<(String, Position), ClosureError>> {
    let mut found = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = nodes.last() {
            found.push(match &import.0 {
                Expr::StringConstant(path, at) => Ok((path.to_string(), *at)),
                _ => Err(ClosureError::Computed { file: script.file.clone(), position: *position }),
            });
        }
        true
    });
    found
}

fn imported<'a>(
    script: &Script,
    path: String,
    position: Position,
    scripts: &'a BTreeMap<Arc<str>, Script>,
) -> Result<&'a Script, ClosureError> {
    let missing = |path| ClosureError::Missing { file: script.file.clone(), path, position };
    scripts.get(file_of(&path).as_str()).ok_or_else(|| missing(path))
}

/// Parses a script under the sandbox's limits.
pub fn parse(engine: &Engine, script: &Script) -> Result<AST, ClosureError> {
    let mut ast = engine.compile(&*script.text).map_err(|error| ClosureError::Syntax {
        file: script.file.clone(),
        message: error.err_type().to_string(),
        position: error.position(),
    })?;
    ast.set_source(&*script.file);
    Ok(ast)
}

/// The same for what is run: without its tests, which must not change anything that is done to a machine.
pub fn parse_to_run(engine: &Engine, script: &Script) -> Result<AST, ClosureError> {
    let mut ast = parse(engine, script)?;
    let tests = scripted::functions_of_tests(&ast);
    if !tests.is_empty() {
        ast.retain_functions(|_, _, name, _| !tests.contains(name));
    }
    Ok(ast)
}

/// The script with the functions of this name only, and nothing outside of them.
pub fn only(ast: &AST, name: &str, params: Option<usize>) -> AST {
    let mut alone = ast.clone_functions_only();
    alone.retain_functions(|_, _, other, count| other == name && params.is_none_or(|params| params == count));
    alone
}

/// Resolves imports to the files of a closure, and to nothing else.
pub struct Resolver(pub Arc<Closure>);

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<rhai::EvalAltResult>> {
        let file: Arc<str> = file_of(path).into();
        let missing = || Box::new(rhai::EvalAltResult::ErrorModuleNotFound(path.into(), position));
        let text = self.0.files.get(&file).ok_or_else(missing)?;
        let ast = parse_to_run(engine, &Script { file, text: text.clone() }).map_err(|_| missing())?;
        Ok(Module::eval_ast_as_new(Scope::new(), &ast, engine)?.into())
    }
}
