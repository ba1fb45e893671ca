//! One evaluation of a task's function against the answers recorded so far.

use super::closure::{self, Closure, ClosureError};
use super::convert::{ScriptNode, from_dynamic};
use super::fault::ScriptFault;
use super::meter::Metered;
use super::pending;
use super::sandbox;
use super::scripted;
use super::tape::{Call, CallPlace, EFFECTS_AT_MOST, Recorded, Stop, Tape};
use crate::model::task::Script;
use crate::model::value::Value;
use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The optional and required functions of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    Observe,
    Check,
    Apply,
    Remove,
}

impl Function {
    pub const ALL: [Function; 4] = [Function::Observe, Function::Check, Function::Apply, Function::Remove];

    pub fn name(self) -> &'static str {
        match self {
            Function::Observe => "observe",
            Function::Check => "check",
            Function::Apply => "apply",
            Function::Remove => "remove",
        }
    }
}

/// What an evaluation comes to.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The function returned; names in what it returned are as the script wrote them.
    Done(Value),
    /// The script wants one more effect.
    Wants(Call),
    Failed(ScriptFault),
    /// The script asked for something else than the journal holds.
    Diverged(String),
    /// The script is about to decide by an answer that nobody knows yet: of which effect, and where. Only in traces.
    Depends {
        on: Arc<str>,
        at: Option<CallPlace>,
    },
}

/// A closure, compiled: cheap to share, evaluated any number of times.
pub struct Program {
    engine: Engine,
    ast: AST,
    closure: Arc<Closure>,
    reading: pending::Reading,
}

impl Program {
    pub fn compile(closure: Closure) -> Result<Program, ClosureError> {
        Program::compile_with(closure, closure::parse_to_run, |_| {})
    }

    /// The same with its tests, in an engine that `add` has given more to.
    pub fn compile_for_tests(
        closure: Closure,
        add: impl FnOnce(&mut Engine),
    ) -> Result<Program, ClosureError> {
        Program::compile_with(closure, closure::parse, add)
    }

    fn compile_with(
        closure: Closure,
        parse: fn(&Engine, &Script) -> Result<AST, ClosureError>,
        add: impl FnOnce(&mut Engine),
    ) -> Result<Program, ClosureError> {
        let closure = Arc::new(closure);
        let mut engine = sandbox::engine(&closure);
        add(&mut engine);
        let file = closure.main.clone();
        let text = closure.files.get(&file).cloned().unwrap_or_else(|| "".into());
        let ast = parse(&engine, &Script { file: file.clone(), text })?;
        let imported = closure.files.iter().filter(|(name, _)| **name != file);
        let imported = imported
            .map(|(name, text)| {
                closure::parse_to_run(&engine, &Script { file: name.clone(), text: text.clone() })
            })
            .collect::<Result<Vec<AST>, _>>()?;
        let names = std::iter::once(&file).chain(closure.files.keys().filter(|name| **name != file));
        let all = || std::iter::once(&ast).chain(&imported);
        let mut errors = names.clone().zip(all()).flat_map(|(name, ast)| closure::refused(name, ast));
        if let Some(error) = errors.next().or_else(|| closure::circle(names.zip(all()))) {
            return Err(error);
        }
        let reading = pending::Reading::of(all().map(|ast| (ast.source().unwrap_or_default(), ast)));
        Ok(Program { engine, ast, closure, reading })
    }

    /// The files that it is made of.
    pub fn closure(&self) -> &Closure {
        &self.closure
    }

    /// The names of its tests, in the order in which they stand in the file.
    pub fn tests(&self) -> Vec<String> {
        let mut tests: Vec<_> = self.ast.iter_fn_def().filter(|def| scripted::is_test(&def.name)).collect();
        tests.sort_by_key(|def| def.body.start_position());
        tests.into_iter().map(|def| def.name.to_string()).collect()
    }

    /// Calls a function of the script by its name, outside of any attempt: an effect in it is an error.
    pub fn call(&self, name: &str, argument: Dynamic) -> Result<Dynamic, Box<EvalAltResult>> {
        let options = CallFnOptions::new().eval_ast(true).rewind_scope(true);
        self.engine.call_fn_with_options(options, &mut Scope::new(), &self.ast, name, (argument,))
    }

    /// It decides by what a value is without comparing it, so that no answer may be left open in a trace of it.
    pub fn is_uncertain(&self) -> bool {
        self.reading.is_uncertain
    }

    pub fn has(&self, function: Function) -> bool {
        self.ast
            .iter_functions()
            .any(|signature| signature.name == function.name() && signature.params.len() <= 2)
    }

    /// Evaluates `function` for `node`. A function with two parameters gets the step's parameters too.
    pub fn evaluate(
        &self,
        function: Function,
        node: &ScriptNode,
        params: &Value,
        recorded: Vec<Recorded>,
    ) -> Turn {
        let is_pending = |one: &Recorded| one.answer.as_ref().ok()?.first_pending().map(Arc::from);
        let pending: Option<Arc<str>> = recorded.iter().rev().find_map(is_pending);
        let tape = Tape::new(recorded, self.reading.carried.clone());
        let options = CallFnOptions::new().with_tag(tape.clone()).eval_ast(true).rewind_scope(true);
        let mut scope = Scope::new();
        let node = Dynamic::from(node.clone());
        let wants_params = self
            .ast
            .iter_functions()
            .any(|signature| signature.name == function.name() && signature.params.len() == 2);
        let _metered = Metered::begin();
        let called = catch_unwind(AssertUnwindSafe(|| -> Result<Dynamic, Box<EvalAltResult>> {
            let (engine, ast, name) = (&self.engine, &self.ast, function.name());
            if wants_params {
                let params = super::convert::to_dynamic(params);
                engine.call_fn_with_options(options, &mut scope, ast, name, (node, params))
            } else {
                engine.call_fn_with_options(options, &mut scope, ast, name, (node,))
            }
        }));
        let result = match called {
            Ok(result) => result,
            Err(_) => return self.broke_off(function),
        };
        match tape.take_stop() {
            Some(Stop::Wants(call)) => Turn::Wants(call),
            Some(Stop::Diverged { sequence, recorded, asked }) => Turn::Diverged(format!(
                "effect {sequence} of the journal is `{recorded}`, the script asks for `{asked}`"
            )),
            Some(Stop::Depends { on, at }) => Turn::Depends { on, at },
            Some(Stop::TooMany) => Turn::Failed(ScriptFault::plain(format!(
                "{}: one attempt made {EFFECTS_AT_MOST} effects; split the task",
                self.closure.main
            ))),
            None => self.ended(function, result, tape.unread(), pending),
        }
    }

    /// The interpreter itself failed, which no script should be able to bring about.
    fn broke_off(&self, function: Function) -> Turn {
        Turn::Failed(ScriptFault::plain(format!(
            "the interpreter broke off in `{}` of {}: a fault of Rackwright; please report it with the script",
            function.name(),
            self.closure.main
        )))
    }

    /// `pending` is the last answer on the tape that nobody knows yet.
    fn ended(
        &self,
        function: Function,
        result: Result<Dynamic, Box<EvalAltResult>>,
        unread: usize,
        pending: Option<Arc<str>>,
    ) -> Turn {
        if unread > 0 {
            return Turn::Diverged(format!("the script ended {unread} effects before its journal"));
        }
        match result {
            Ok(value) => match from_dynamic(&value) {
                Ok(value) => Turn::Done(value),
                Err(message) => Turn::Failed(ScriptFault::plain(format!(
                    "{}: `{}` returned something that is no value: {message}",
                    self.closure.main,
                    function.name()
                ))),
            },
            Err(error) => {
                let fault = ScriptFault::from_rhai(&error, &self.closure.main, function.name());
                // A condition, a loop, an argument: something that wants another type.
                match pending.filter(|_| pending::is_about(&fault.message)) {
                    Some(on) => Turn::Depends { on, at: fault.frames.first().map(CallPlace::of) },
                    None => Turn::Failed(fault),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn program(text: &str) -> Program {
        let main: Arc<str> = "scripts/t.rhai".into();
        let closure = Closure {
            files: BTreeMap::from([(main.clone(), text.into())]),
            main,
            templates: BTreeMap::new(),
        };
        Program::compile(closure).unwrap()
    }

    fn node() -> ScriptNode {
        ScriptNode { name: "n1".into(), spec: Value::map([("power", Value::text("on"))]) }
    }

    fn run(text: &str, recorded: Vec<Recorded>) -> Turn {
        program(text).evaluate(Function::Apply, &node(), &Value::empty_map(), recorded)
    }

    fn recorded(call: &Call, answer: Value) -> Recorded {
        Recorded {
            effect: call.effect.full_name().into(),
            args_digest: call.args_value().digest().into(),
            answer: Ok(answer),
        }
    }

    #[test]
    fn a_script_stops_at_each_effect_and_goes_on_from_its_answers() {
        let text = "fn apply(node) { let p = bmc::power(node); if p == \"off\" { bmc::power_on(node); } p }";
        let Turn::Wants(first) = run(text, vec![]) else { panic!() };
        assert_eq!(first.effect.full_name(), "bmc.power");
        let tape = vec![recorded(&first, Value::text("off"))];
        let Turn::Wants(second) = run(text, tape.clone()) else { panic!() };
        assert_eq!((second.sequence, second.effect.name), (1, "power_on"));
        let tape = [tape, vec![recorded(&second, Value::Null)]].concat();
        let Turn::Done(value) = run(text, tape) else { panic!() };
        assert_eq!(value, Value::text("off"));
    }

    #[test]
    fn a_stop_cannot_be_caught_and_a_failure_can() {
        let text = "fn apply(node) { try { bmc::power_on(node); } catch(e) { return e.message; } 1 }";
        let Turn::Wants(call) = run(text, vec![]) else { panic!() };
        let failure = super::super::tape::EffectFailure { message: "no answer".into(), transient: true };
        let mut answered = recorded(&call, Value::Null);
        answered.answer = Err(failure);
        let Turn::Done(value) = run(text, vec![answered]) else { panic!() };
        assert_eq!(value, Value::text("no answer"));
    }

    #[test]
    fn another_effect_than_the_recorded_one_is_a_divergence() {
        let Turn::Wants(call) = run("fn apply(node) { bmc::power_on(node) }", vec![]) else { panic!() };
        let tape = vec![recorded(&call, Value::Null)];
        assert!(matches!(run("fn apply(node) { bmc::power_off(node) }", tape.clone()), Turn::Diverged(_)));
        assert!(matches!(run("fn apply(node) { }", tape), Turn::Diverged(_)));
    }

    #[test]
    fn a_cycle_is_made_of_two_effects() {
        let text = "fn apply(node) { bmc::power_cycle(node) }";
        let Turn::Wants(off) = run(text, vec![]) else { panic!() };
        let Turn::Wants(on) = run(text, vec![recorded(&off, Value::Null)]) else { panic!() };
        assert_eq!((off.effect.name, on.effect.name), ("power_off", "power_on"));
    }

    #[test]
    fn faults_carry_their_place_and_the_calls_that_led_there() {
        let Turn::Failed(fault) =
            run("fn deep(x) {\n  throw `bad ${x}`\n}\nfn apply(node) {\n  deep(7)\n}", vec![])
        else {
            panic!()
        };
        assert_eq!(fault.to_string(), "bad 7 at scripts/t.rhai:2:3, called from scripts/t.rhai:5:3");
    }

    #[test]
    fn a_mistyped_property_is_an_error_and_a_spec_is_readable() {
        let Turn::Failed(fault) = run("fn apply(node) { node.spec.pwer }", vec![]) else { panic!() };
        assert!(fault.message.contains("pwer"), "{fault}");
        let Turn::Done(value) = run("fn apply(node) { node.spec.power + node.name }", vec![]) else {
            panic!()
        };
        assert_eq!(value, Value::text("onn1"));
    }

    /// What comes of a script whose ticket is not known yet.
    fn traced(body: &str) -> Turn {
        let text = format!("fn apply(node) {{ let ticket = pxe::ticket(node);\n{body} }}");
        let Turn::Wants(call) = run(&text, vec![]) else { panic!() };
        run(&text, vec![recorded(&call, Value::pending("pxe.ticket"))])
    }

    #[test]
    fn an_answer_that_is_not_known_yet_is_handed_on() {
        let Turn::Wants(call) = traced("wait::installed(node, ticket, \"1m\")") else { panic!() };
        assert_eq!(call.args[1].pending_of(), Some("pxe.ticket"));
        let Turn::Wants(call) = traced("log::info(`it is ${ticket.a.b}`)") else { panic!() };
        assert_eq!(call.args[0].first_pending(), Some("pxe.ticket.a.b"));
        let Turn::Done(value) = traced("#{ x: ticket.y }") else { panic!() };
        assert_eq!(value.first_pending(), Some("pxe.ticket.y"));
    }

    #[test]
    fn whatever_decides_by_an_answer_that_is_not_known_yet_ends_there() {
        for body in [
            "if ticket == \"x\" { bmc::power_on(node) } else { bmc::power_off(node) }",
            "if \"x\" != ticket.id { bmc::power_on(node) }",
            "if ticket { bmc::power_on(node) }",
            "while ticket.more { bmc::power_on(node) }",
            "for x in ticket { bmc::power_on(node) }",
            "let text = `${ticket}`; if text == \"x\" { bmc::power_on(node) } else { bmc::power_off(node) }",
            "log::info(\"a\" + ticket)",
            "if ticket.len() > 3 { bmc::power_on(node) }",
            "if [1, 2].contains(ticket) { bmc::power_on(node) }",
            "if #{ a: ticket } == #{ a: 1 } { bmc::power_on(node) }",
            "if ticket > 3 { bmc::power_on(node) }",
            "try { if ticket == 1 { } } catch (e) { bmc::power_on(node) }",
            "if !ticket { bmc::power_on(node) }",
            "bmc::power_on(node); let n = ticket * 2; log::info(`${n}`)",
        ] {
            let mut turn = traced(body);
            if let Turn::Wants(call) = &turn
                && body.starts_with("bmc::power_on(node);")
            {
                let text = format!("fn apply(node) {{ let ticket = pxe::ticket(node);\n{body} }}");
                let Turn::Wants(first) = run(&text, vec![]) else { panic!() };
                let ticket = recorded(&first, Value::pending("pxe.ticket"));
                turn = run(&text, vec![ticket, recorded(call, Value::Null)]);
            }
            assert!(matches!(turn, Turn::Depends { .. }), "{body}: {turn:?}");
        }
    }

    #[test]
    fn a_switch_makes_a_script_uncertain() {
        assert!(program("fn apply(node) { switch node.name { \"a\" => 1, _ => 2 } }").is_uncertain());
        assert!(program("fn apply(node) { if type_of(node) == \"x\" { 1 } }").is_uncertain());
        assert!(!program("fn apply(node) { if node.name == \"x\" { 1 } }").is_uncertain());
    }
}
