//! What a script may not say, though the language could: found by reading it, before it is ever run.
//!
//! Each rule keeps a promise of the sandbox that no limit can keep at run time. Owns the rules and their words; that a
//! script parses at all is the parser's to say, and what it may call is `check.rs`'.

use super::catalogue;
use super::evaluate::Function;
use super::limits::{LITERAL_BYTES, LITERAL_ITEMS};
use super::{closure, meter, scripted};
use rhai::{AST, ASTFlags, ASTNode, Engine, Expr, FnCallExpr, Position, Stmt};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// What a script says against a rule, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub why: String,
    pub help: &'static str,
    pub position: Position,
}

/// Built-ins that call a function that they are given, and let go of it before they return: name and which argument.
const CALLERS: &[(&str, usize)] = &[
    ("all", 0),
    ("dedup", 0),
    ("drain", 0),
    ("filter", 0),
    ("find", 0),
    ("find_map", 0),
    ("for_each", 0),
    ("index_of", 0),
    ("map", 0),
    ("order", 0),
    ("order_by", 0),
    ("reduce", 0),
    ("reduce_rev", 0),
    ("retain", 0),
    ("some", 0),
    ("sort", 0),
    ("sort_by", 0),
    ("zip", 1),
];

/// Every rule that the script breaks.
pub fn refusals(ast: &AST) -> Vec<Refusal> {
    let mut found: Vec<Refusal> = ast.statements().iter().filter_map(at_the_top).collect();
    let own: BTreeSet<&str> = ast.iter_functions().map(|signature| signature.name).collect();
    let of_tests = methods_of_tests(ast);
    found.extend(
        ast.iter_fn_def().filter_map(|function| shadowing(&function.name, function.body.start_position())),
    );
    ast.walk(&mut |path: &[ASTNode]| {
        found.extend(match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                kept_closure(path, call, *at).or_else(|| parent_scope(call, *at))
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => {
                let ambiguous = ambiguous(&own, call, *at).filter(|_| !of_tests.contains(at));
                ambiguous.or_else(|| parent_scope(call, *at))
            }
            Some(ASTNode::Expr(Expr::DynamicConstant(value, at))) => literal(value, *at),
            Some(ASTNode::Expr(Expr::StringConstant(text, at))) => long_text(text, *at),
            Some(ASTNode::Stmt(Stmt::Import(import, _))) => alias(&import.1.name, import.1.pos),
            _ => None,
        });
        true
    });
    found
}

/// The top of a file is carried out at each evaluation, and again by each import.
fn at_the_top(statement: &Stmt) -> Option<Refusal> {
    let is_fine = match statement {
        Stmt::Noop(_) | Stmt::Import(..) | Stmt::Export(..) => true,
        Stmt::Var(variable, flags, _) => flags.contains(ASTFlags::CONSTANT) && variable.1.is_constant(),
        _ => false,
    };
    (!is_fine).then(|| Refusal {
        why: "a statement stands outside of every function, and is no import and no constant that is written out".into(),
        help: "move it into a function; at the top of a file write `import` and `const NAME = …` with plain values",
        position: statement.position(),
    })
}

/// A closure that is kept could hold itself, which is never freed, or grow where no limit of sizes looks.
fn kept_closure(path: &[ASTNode], call: &FnCallExpr, position: Position) -> Option<Refusal> {
    if call.name != "curry" {
        return None;
    }
    // The parser makes a block of a closure that uses variables from around it: sharing them, then currying.
    let block = path.iter().rposition(|node| matches!(node, ASTNode::Expr(Expr::Stmt(_))));
    let around = block.and_then(|at| Some((&path[at], &path[at.checked_sub(1)?])));
    let Some((ASTNode::Expr(closure), around)) = around else {
        return Some(kept(position));
    };
    let (caller, skipped) = match around {
        ASTNode::Expr(Expr::MethodCall(caller, _)) => (caller, 0),
        ASTNode::Expr(Expr::FnCall(caller, _)) | ASTNode::Stmt(Stmt::FnCall(caller, _)) => (caller, 1),
        _ => return Some(kept(position)),
    };
    let at = caller.args.iter().position(|argument| std::ptr::eq(argument, *closure));
    let lets_go = caller.namespace.is_empty()
        && CALLERS.iter().any(|(name, index)| caller.name == *name && at == Some(index + skipped));
    (!lets_go).then(|| kept(position))
}

fn kept(position: Position) -> Refusal {
    Refusal {
        why: "a closure that uses variables from around it is kept".into(),
        help: "give it straight to `map`, `filter`, `sort` or the like, or write a function with those variables as parameters",
        position,
    }
}

/// `f!(…)` copies every variable of the caller in one step.
fn parent_scope(call: &FnCallExpr, position: Position) -> Option<Refusal> {
    call.capture_parent_scope.then(|| Refusal {
        why: format!("`{}!` reaches into the variables of its caller", call.name),
        help: "give the function what it needs as arguments",
        position,
    })
}

/// A method of the same name as a function of the file is that function, with a receiver that it cannot see.
fn ambiguous(own: &BTreeSet<&str>, call: &FnCallExpr, position: Position) -> Option<Refusal> {
    let is_task = Function::ALL.iter().any(|function| call.name == function.name());
    (is_task && own.contains(call.name.as_str())).then(|| Refusal {
        why: format!("`{0}` is called as a method, and this file has a function `{0}` of its own", call.name),
        help: "give the value to a function in another file, and import that",
        position,
    })
}

/// Where tests call methods. The world of a test has methods that are called like the functions of a task, and tests are
/// cut out of what is run on machines.
fn methods_of_tests(ast: &AST) -> Vec<Position> {
    let mut positions = Vec::new();
    for test in ast.iter_fn_def().filter(|function| scripted::is_test(&function.name)) {
        closure::only(ast, &test.name, None).walk(&mut |path: &[ASTNode]| {
            if let Some(ASTNode::Expr(Expr::MethodCall(_, at))) = path.last() {
                positions.push(*at);
            }
            true
        });
    }
    positions
}

fn literal(value: &rhai::Dynamic, position: Position) -> Option<Refusal> {
    let items = meter::items(value);
    (items > LITERAL_ITEMS).then(|| Refusal {
        why: format!("a list or map of {items} items is written out; {LITERAL_ITEMS} are the most"),
        help: "write less of it, or take long tables from the design, as parameters of the task",
        position,
    })
}

fn long_text(text: &str, position: Position) -> Option<Refusal> {
    (text.len() > LITERAL_BYTES).then(|| Refusal {
        why: format!("a text of {} bytes is written out; {LITERAL_BYTES} are the most", text.len()),
        help: "take long texts from the design, as parameters of the task",
        position,
    })
}

/// An import may not take the place of built-in effects: whoever reads `bmc::power_on` must be able to trust it.
fn alias(name: &str, position: Position) -> Option<Refusal> {
    (catalogue::modules().contains(&name) || name == "global").then(|| Refusal {
        why: format!("an import takes the name `{name}`, which is built in"),
        help: "give the import another name",
        position,
    })
}

/// A function with the name of a built-in one would be called in its place, by everything in the file.
fn shadowing(name: &str, position: Position) -> Option<Refusal> {
    static BUILT_IN: LazyLock<BTreeSet<String>> = LazyLock::new(|| built_in(super::sandbox::parser()));
    let is_task = Function::ALL.iter().any(|function| name == function.name());
    (!is_task && BUILT_IN.contains(name)).then(|| Refusal {
        why: format!("the function `{name}` has the name of a built-in one"),
        help: "give the function another name",
        position,
    })
}

/// The names of the functions that every script can call.
fn built_in(engine: &Engine) -> BTreeSet<String> {
    let signatures = engine.gen_fn_signatures(true);
    let names = signatures.iter().filter_map(|signature| signature.split_once('(').map(|(name, _)| name));
    names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .map(str::to_string)
        .collect()
}

/// A circle of imports, from a file back to itself, if there is one.
pub fn circle(imports: &[(Arc<str>, Vec<Arc<str>>)]) -> Option<Vec<Arc<str>>> {
    let mut left: Vec<&(Arc<str>, Vec<Arc<str>>)> = imports.iter().collect();
    // Files that lead into no circle go, until none is left to go.
    loop {
        let names: BTreeSet<&Arc<str>> = left.iter().map(|(file, _)| file).collect();
        let count = left.len();
        left.retain(|(_, into)| into.iter().any(|file| names.contains(file)));
        if left.len() == count {
            break;
        }
    }
    let mut way = vec![left.first()?.0.clone()];
    loop {
        let (_, into) = left.iter().find(|(file, _)| Some(file) == way.last())?;
        let next = into.iter().find(|file| left.iter().any(|(other, _)| other == *file))?;
        if let Some(start) = way.iter().position(|file| file == next) {
            way.push(next.clone());
            return Some(way.split_off(start));
        }
        way.push(next.clone());
    }
}
