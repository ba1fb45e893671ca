//! What each function of a script calls, reads and names: one walk over its text, with its scopes.
//!
//! Owns where a variable is known, and from which parameter a value comes. Judges nothing.

use crate::script::closure;
use rhai::{AST, ASTFlags, ASTNode, Dynamic, Expr, FnCallExpr, FnPtr, Position, Stmt, StmtBlock};
use std::collections::{BTreeMap, BTreeSet};

/// A value that is a part of a parameter: its number, and the names that lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub param: usize,
    pub keys: Vec<String>,
}

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Called {
    /// `y::f(…)` has one name; none for a function of the script or of the language.
    pub namespace: Vec<String>,
    pub name: String,
    pub is_method: bool,
    /// Of each argument what it is a part of, where that is known. The receiver of a method is none of them.
    pub args: Vec<Option<Origin>>,
    pub at: Position,
}

/// A part of a parameter that is read.
#[derive(Clone, Debug)]
pub struct Read {
    pub origin: Origin,
    /// Of the last name.
    pub at: Position,
}

/// A function, a closure (whose name nobody wrote), or what stands outside of functions (without a name).
#[derive(Debug, Default)]
pub struct Function {
    pub name: String,
    pub params: Vec<String>,
    pub is_private: bool,
    pub calls: Vec<Called>,
    pub reads: Vec<Read>,
    /// Variables that are not there.
    pub unknown: Vec<(String, Position)>,
    /// Names that a call uses as a function and that are variables.
    pub called_variables: BTreeSet<String>,
}

/// All of a file.
#[derive(Debug, Default)]
pub struct Facts {
    pub functions: Vec<Function>,
    /// What `import "path" as alias` makes of `alias`.
    pub imports: BTreeMap<String, Option<String>>,
    /// Names that maps of the script have: one of them may hold a function.
    pub keys: BTreeSet<String>,
}

impl Facts {
    pub fn of(ast: &AST) -> Facts {
        let mut facts = Facts::default();
        let names: BTreeSet<String> = ast.iter_fn_def().map(|def| def.name.to_string()).collect();
        let mut main = Walk::new(&names, &mut facts, &[]);
        main.statements(ast.statements());
        let main = main.function;
        facts.functions.push(main);
        for def in ast.iter_fn_def() {
            let (name, params) = (def.name.to_string(), def.params.len());
            let alone = closure::only(ast, &name, Some(params));
            let params: Vec<String> = def.params.iter().map(ToString::to_string).collect();
            let mut walk = Walk::new(&names, &mut facts, &params);
            walk.statements(&body(&alone));
            let is_private = def.access == rhai::FnAccess::Private;
            let function = Function { name, params, is_private, ..walk.function };
            facts.functions.push(function);
        }
        facts
    }
}

/// The statements of the only function.
fn body(alone: &AST) -> Vec<Stmt> {
    let mut statements = Vec::new();
    alone.walk(&mut |nodes: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = nodes {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

/// One name after the other of `a.b["c"].d(…)`.
enum Link<'a> {
    Name(&'a str, Position),
    Index(&'a Expr),
    Method(&'a FnCallExpr, Position),
}

struct Walk<'a> {
    function: Function,
    names: &'a BTreeSet<String>,
    facts: &'a mut Facts,
    /// Blocks from the outermost, each with its variables.
    scopes: Vec<Vec<(String, Option<Origin>)>>,
}

impl<'a> Walk<'a> {
    fn new(names: &'a BTreeSet<String>, facts: &'a mut Facts, params: &[String]) -> Walk<'a> {
        let origin = |param| Some(Origin { param, keys: Vec::new() });
        let scope = params.iter().enumerate().map(|(index, name)| (name.clone(), origin(index))).collect();
        Walk { function: Function::default(), names, facts, scopes: vec![scope] }
    }

    fn variable(&mut self, name: &str) -> Option<&mut Option<Origin>> {
        let known = self.scopes.iter_mut().rev().flat_map(|scope| scope.iter_mut().rev());
        known.into_iter().find(|(known, _)| known == name).map(|(_, origin)| origin)
    }

    fn declare(&mut self, name: &str, origin: Option<Origin>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((name.into(), origin));
        }
    }

    /// A name that must be there.
    fn use_of(&mut self, name: &str, at: Position) -> Option<Origin> {
        if let Some(origin) = self.variable(name) {
            return origin.clone();
        }
        // A function's own name stands for a pointer to it.
        if !self.names.contains(name) {
            self.function.unknown.push((name.into(), at));
        }
        None
    }

    fn block(&mut self, block: &StmtBlock, variables: &[&str]) {
        self.scopes.push(variables.iter().map(|name| (name.to_string(), None)).collect());
        self.statements(block.statements());
        self.scopes.pop();
    }

    fn statements(&mut self, statements: &[Stmt]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expr(&flow.expr);
                self.block(&flow.body, &[]);
                self.block(&flow.branch, &[]);
            }
            Stmt::Switch(switch, _) => {
                self.expr(&switch.0);
                for case in &switch.1.expressions {
                    self.expr(&case.lhs);
                    self.expr(&case.rhs);
                }
            }
            Stmt::For(each, _) => {
                let (name, counter, flow) = &**each;
                self.expr(&flow.expr);
                let names: Vec<&str> =
                    [Some(name), counter.as_ref()].into_iter().flatten().map(|it| it.name.as_str()).collect();
                self.block(&flow.body, &names);
            }
            Stmt::Var(var, ..) => {
                let origin = self.expr(&var.1);
                self.declare(&var.0.name, origin);
            }
            Stmt::Assignment(assignment) => self.assign(&assignment.1.lhs, &assignment.1.rhs),
            Stmt::FnCall(call, at) => self.call(call, *at, false),
            Stmt::Block(block) => self.block(block, &[]),
            Stmt::TryCatch(flow, _) => {
                self.block(&flow.body, &[]);
                match &flow.expr {
                    Expr::Variable(caught, ..) => self.block(&flow.branch, &[caught.1.as_str()]),
                    _ => self.block(&flow.branch, &[]),
                }
            }
            Stmt::Expr(expr) => drop(self.expr(expr)),
            Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => drop(self.expr(expr)),
            Stmt::Import(import, _) => self.import(&import.0, &import.1.name),
            Stmt::Export(export, _) => drop(self.use_of(&export.0.name, export.0.pos)),
            Stmt::Share(captured) => {
                captured.iter().for_each(|(name, _)| drop(self.use_of(&name.name, name.pos)));
            }
            _ => {}
        }
    }

    fn import(&mut self, path: &Expr, alias: &str) {
        self.expr(path);
        let path = match path {
            Expr::StringConstant(path, _) => Some(path.to_string()),
            _ => None,
        };
        self.facts.imports.insert(alias.into(), path);
    }

    /// What is assigned to is another value from here on.
    fn assign(&mut self, to: &Expr, value: &Expr) {
        self.expr(value);
        self.expr(to);
        if let Expr::Variable(variable, ..) = to
            && let Some(origin) = self.variable(&variable.1)
        {
            *origin = None;
        }
        if let Expr::Dot(..) = to {
            let last = links(to).1.pop();
            if let Some(Link::Name(name, _)) = last {
                self.facts.keys.insert(name.into());
            }
        }
    }

    /// The part of a parameter that an expression is, where that can be known.
    fn expr(&mut self, expr: &Expr) -> Option<Origin> {
        match expr {
            Expr::Variable(variable, _, at) => {
                return if variable.2.is_empty() { self.use_of(&variable.1, *at) } else { None };
            }
            Expr::Dot(..) | Expr::Index(..) => return self.chain(expr),
            Expr::FnCall(call, at) => self.call(call, *at, false),
            Expr::MethodCall(call, at) => self.call(call, *at, true),
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                parts.iter().for_each(|part| drop(self.expr(part)));
            }
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                parts.iter().for_each(|part| drop(self.expr(part)));
            }
            Expr::Map(map, _) => {
                for (name, value) in &map.0 {
                    self.facts.keys.insert(name.name.to_string());
                    self.expr(value);
                }
            }
            Expr::DynamicConstant(constant, at) => {
                keys_of(constant, &mut self.facts.keys);
                if let Some(name) = name_of(constant) {
                    let call =
                        Called { namespace: Vec::new(), name, is_method: false, args: Vec::new(), at: *at };
                    self.function.calls.push(call);
                }
            }
            Expr::Stmt(block) => self.block(block, &[]),
            _ => {}
        }
        None
    }

    fn chain(&mut self, expr: &Expr) -> Option<Origin> {
        let (root, links) = links(expr);
        let mut origin = self.expr(root);
        let mut last = None;
        for link in links {
            match link {
                Link::Name(name, at) => {
                    if let Some(origin) = &mut origin {
                        origin.keys.push(name.into());
                    }
                    last = Some(at);
                }
                Link::Index(index) => {
                    self.read(origin.take(), last);
                    self.expr(index);
                }
                Link::Method(call, at) => {
                    self.read(origin.take(), last);
                    self.call(call, at, true);
                }
            }
        }
        self.read(origin.clone(), last);
        origin
    }

    fn read(&mut self, origin: Option<Origin>, at: Option<Position>) {
        if let (Some(origin), Some(at)) = (origin, at) {
            self.function.reads.push(Read { origin, at });
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position, is_method: bool) {
        // A closure that captures is made by currying its captured variables.
        if call.name == "curry"
            && let Some(Expr::DynamicConstant(constant, _)) = call.args.first()
            && let Some(name) = name_of(constant)
        {
            let args = call.args[1..].iter().map(|arg| self.expr(arg)).collect();
            self.function.calls.push(Called { namespace: Vec::new(), name, is_method: false, args, at });
            return;
        }
        let args: Vec<Option<Origin>> = call.args.iter().map(|arg| self.expr(arg)).collect();
        if call.op_token.is_some() {
            return;
        }
        if !is_method && call.namespace.path.is_empty() && self.variable(&call.name).is_some() {
            self.function.called_variables.insert(call.name.to_string());
        }
        let namespace = call.namespace.path.iter().map(|name| name.name.to_string()).collect();
        self.function.calls.push(Called { namespace, name: call.name.to_string(), is_method, args, at });
    }
}

/// The root of a chain and what follows it.
fn links(expr: &Expr) -> (&Expr, Vec<Link<'_>>) {
    let mut links = Vec::new();
    let (root, mut rest, mut is_index, mut ends) = match expr {
        Expr::Dot(pair, flags, _) => (&pair.lhs, &pair.rhs, false, flags.intersects(ASTFlags::BREAK)),
        Expr::Index(pair, flags, _) => (&pair.lhs, &pair.rhs, true, flags.intersects(ASTFlags::BREAK)),
        other => return (other, links),
    };
    loop {
        let (here, next) = match rest {
            Expr::Dot(pair, flags, _) if !ends => {
                (&pair.lhs, Some((&pair.rhs, false, flags.intersects(ASTFlags::BREAK))))
            }
            Expr::Index(pair, flags, _) if !ends => {
                (&pair.lhs, Some((&pair.rhs, true, flags.intersects(ASTFlags::BREAK))))
            }
            last => (last, None),
        };
        links.push(match here {
            Expr::StringConstant(name, at) if is_index => Link::Name(name, *at),
            other if is_index => Link::Index(other),
            Expr::Property(property, at) => Link::Name(&property.2, *at),
            Expr::MethodCall(call, at) | Expr::FnCall(call, at) => Link::Method(call, *at),
            other => Link::Index(other),
        });
        match next {
            Some(next) => (rest, is_index, ends) = next,
            None => return (root, links),
        }
    }
}

/// The name of the closure that a constant points to.
fn name_of(constant: &Dynamic) -> Option<String> {
    let pointer = constant.clone().try_cast::<FnPtr>()?;
    pointer.is_anonymous().then(|| pointer.fn_name().to_string())
}

/// The names in a map that is a constant, maps in it included.
fn keys_of(constant: &Dynamic, keys: &mut BTreeSet<String>) {
    if let Ok(map) = constant.as_map_ref() {
        for (name, value) in map.iter() {
            keys.insert(name.to_string());
            keys_of(value, keys);
        }
    } else if let Ok(items) = constant.as_array_ref() {
        items.iter().for_each(|item| keys_of(item, keys));
    }
}
