//! The closure of a script: itself and everything that it imports, as text, with a digest.
//!
//! An attempt pins its closure in the store, so that neither an edit nor an upgrade changes what is
//! under way. Imports are literal: `import "util"` is `scripts/util.rhai`, `import "std/power"` is
//! `stdlib/power.rhai`.

use super::limits::{
    EXPRESSION_DEPTH, FILES, FUNCTION_EXPRESSION_DEPTH, FUNCTIONS, SCRIPT_BYTES, TEXT_BYTES,
};
use super::meter;
use super::rules::{self, Refusal};
use super::{sandbox, scripted};
use crate::model::task::{Script, Task};
use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, Module, ModuleResolver, ParseErrorType, Position,
    Scope, Shared, Stmt,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    #[error("`{main}` imports more than {FILES} files")]
    TooMany { main: Arc<str> },
    #[error("`{file}` has {bytes} bytes; a script may have {SCRIPT_BYTES}")]
    TooLong { file: Arc<str>, bytes: usize },
    #[error("imports lead in a circle: {}", .files.join(" → "))]
    Circle { files: Vec<Arc<str>> },
    #[error("`{file}`: {}", .refusal.why)]
    Refused { file: Arc<str>, refusal: Refusal },
}

impl ClosureError {
    /// The file at fault and where in it.
    pub fn place(&self) -> (&Arc<str>, Position) {
        match self {
            ClosureError::Syntax { file, position, .. }
            | ClosureError::Missing { file, position, .. }
            | ClosureError::Computed { file, position } => (file, *position),
            ClosureError::TooMany { main: file } | ClosureError::TooLong { file, .. } => {
                (file, Position::NONE)
            }
            ClosureError::Circle { files } => (&files[0], Position::NONE),
            ClosureError::Refused { file, refusal } => (file, refusal.position),
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
        for import in imports(&ast) {
            let computed = |position| ClosureError::Computed { file: script.file.clone(), position };
            match import
                .map_err(computed)
                .and_then(|(path, position)| imported(&script, path, position, scripts))
            {
                Ok(found) if known.insert(found.file.clone()) => unread.push(found.clone()),
                Ok(_) => {}
                Err(error) => reach.errors.push(error),
            }
        }
        reach.parsed.push((script, ast));
        if known.len() > FILES {
            reach.errors.push(ClosureError::TooMany { main: main.file.clone() });
            break;
        }
    }
    let refused: Vec<_> = reach.parsed.iter().flat_map(|(script, ast)| refused(&script.file, ast)).collect();
    reach.errors.extend(refused);
    reach.errors.extend(circle(reach.parsed.iter().map(|(script, ast)| (&script.file, ast))));
    reach
}

/// What a script says against the rules.
pub fn refused(file: &Arc<str>, ast: &AST) -> Vec<ClosureError> {
    let refused = |refusal| ClosureError::Refused { file: file.clone(), refusal };
    rules::refusals(ast).into_iter().map(refused).collect()
}

/// A file that imports itself, by way of others or straight, would be made again without end.
pub fn circle<'a>(parsed: impl IntoIterator<Item = (&'a Arc<str>, &'a AST)>) -> Option<ClosureError> {
    let into = |ast| {
        let paths = imports(ast).into_iter().filter_map(|import| Some(import.ok()?.0));
        paths.map(|path| file_of(&path).into()).collect()
    };
    let imports: Vec<(Arc<str>, Vec<Arc<str>>)> =
        parsed.into_iter().map(|(file, ast)| (file.clone(), into(ast))).collect();
    rules::circle(&imports).map(|files| ClosureError::Circle { files })
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

/// The imports of a script in order: what each names, or where one names nothing literal.
fn imports(ast: &AST) -> Vec<Result<(String, Position), Position>> {
    let mut found = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = nodes.last() {
            found.push(match &import.0 {
                Expr::StringConstant(path, at) => Ok((path.to_string(), *at)),
                _ => Err(*position),
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
    if script.text.len() > SCRIPT_BYTES {
        return Err(ClosureError::TooLong { file: script.file.clone(), bytes: script.text.len() });
    }
    let mut ast = engine.compile(&*script.text).map_err(|error| ClosureError::Syntax {
        file: script.file.clone(),
        message: parse_message(error.err_type()),
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

/// The parser's own words, but where it has met a limit: which, and the way out.
fn parse_message(error: &ParseErrorType) -> String {
    match error {
        ParseErrorType::ExprTooDeep => format!(
            "expressions or blocks are nested, or chained, more than {FUNCTION_EXPRESSION_DEPTH} deep \
             ({EXPRESSION_DEPTH} outside of functions); split it, with variables or functions"
        ),
        ParseErrorType::TooManyFunctions => {
            format!("it has more than {FUNCTIONS} functions and closures; split the file")
        }
        ParseErrorType::LiteralTooLarge(what, _) => {
            format!("{what} is too large; a text may have {TEXT_BYTES} bytes")
        }
        other => other.to_string(),
    }
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
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let file: Arc<str> = file_of(path).into();
        let missing = || Box::new(EvalAltResult::ErrorModuleNotFound(path.into(), position));
        let text = self.0.files.get(&file).ok_or_else(missing)?;
        // A byte takes about as long to parse as a step takes.
        if let Some(limit) = meter::charge(text.len() as u64) {
            return Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(limit), position)));
        }
        let ast = parse_to_run(engine, &Script { file, text: text.clone() }).map_err(|_| missing())?;
        Ok(Module::eval_ast_as_new(Scope::new(), &ast, engine)?.into())
    }
}
