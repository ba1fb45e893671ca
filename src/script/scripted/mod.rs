//! The scripted interpreter: answers the effects of a task from what a test expects, in order.
//!
//! A test is a function `test_…(world)` of the task's own script. It scripts the effects that it expects and their
//! answers, runs `observe`, `check`, `apply` or `remove` against them, and looks at what came of it. Nothing is
//! performed: the functions are evaluated as an attempt evaluates them, and only the answers are made up. Owns the
//! vocabulary of tests (`vocabulary`), what is expected (`expected`) and how a test is judged (`trial`).

mod budget;
mod expected;
mod run;
mod trial;
mod vocabulary;
mod world;

pub use budget::Budget;
pub use trial::Trials;
pub use vocabulary::has_word;

use crate::model::value::Value;
use crate::script::closure;
use crate::script::tape::Call;
use rhai::{AST, ASTNode, Dynamic, Expr, FnPtr};
use std::collections::BTreeSet;

/// The name that scripts see of the node under test.
pub const NODE: &str = "n1";

/// How the names of tests begin.
const TEST: &str = "test_";

pub fn is_test(name: &str) -> bool {
    name.starts_with(TEST)
}

/// What a test says of the spec and of the step's parameters, completed as the design language completes them.
/// Errors are sentences for whoever wrote the test.
pub trait Declared: Send + Sync {
    /// The spec as the script sees it (names in snake_case), from what the test wrote of it.
    fn spec(&self, written: &Value) -> Result<Value, String>;
    /// The parameters with their defaults.
    fn params(&self, written: &Value) -> Result<Value, String>;
}

/// A call as scripts write it.
pub fn written(call: &Call) -> String {
    expected::call(call.effect, Some(&expected::given(call.effect, &call.args)))
}

/// The names of all tests of a script, and of the closures in them.
pub fn functions_of_tests(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for def in ast.iter_fn_def().filter(|def| is_test(&def.name)) {
        names.insert(def.name.to_string());
        closures(ast, &def.name, &mut names);
    }
    names
}

/// Closures are functions of their own, whose names nobody wrote; the function that makes one holds a pointer to it.
fn closures(ast: &AST, function: &str, names: &mut BTreeSet<String>) {
    let mut found = Vec::new();
    let alone = closure::only(ast, function, None);
    alone.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::DynamicConstant(constant, _))) = nodes.last()
            && let Some(pointer) = pointer(constant)
            && pointer.is_anonymous()
        {
            found.push(pointer.fn_name().to_string());
        }
        true
    });
    for name in found {
        if names.insert(name.clone()) {
            closures(ast, &name, names);
        }
    }
}

fn pointer(constant: &Dynamic) -> Option<FnPtr> {
    constant.clone().try_cast::<FnPtr>()
}

#[cfg(test)]
mod tests;
