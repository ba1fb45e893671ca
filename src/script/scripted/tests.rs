//! What tests of tasks say, in small scripts.

use super::*;
use crate::model::names;
use crate::model::tested::TestFailure;
use crate::script::closure::Closure;
use crate::script::convert::ScriptNode;
use crate::script::evaluate::{Function, Program, Turn};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A spec that is what the test writes.
struct Anything;

impl Declared for Anything {
    fn spec(&self, written: &Value) -> Result<Value, String> {
        match written.get("wrong") {
            Some(_) => Err("the task does not declare `wrong`".into()),
            None => Ok(names::to_script(written)),
        }
    }

    fn params(&self, written: &Value) -> Result<Value, String> {
        Ok(written.clone())
    }
}

const SCRIPT: &str = r#"fn observe(node) { #{ power: bmc::power(node) } }
fn check(node) { if node.spec.power == "sly" { bmc::power_on(node); } }
fn apply(node) {
    if bmc::power(node) == "off" { bmc::power_on(node); }
    try { wait::powered_on(node, "5m"); } catch (error) { if !error.transient { throw error; } log::warn(error.message); }
}
fn remove(node) { bmc::power_cycle(node); }
fn refuse(what) { throw `not ${what}`; }
"#;

fn trials(test: &str) -> Trials {
    let main: Arc<str> = "scripts/t.rhai".into();
    let text = format!("{SCRIPT}fn test_it(world) {{\n{test}\n}}");
    let closure =
        Closure { files: BTreeMap::from([(main.clone(), text.into())]), main, templates: BTreeMap::new() };
    Trials::compile(closure, Arc::new(Anything)).unwrap()
}

#[track_caller]
fn passes(test: &str) {
    assert_eq!(trials(test).run("test_it"), None);
}

#[track_caller]
fn fails(test: &str, with: &str) -> TestFailure {
    let failure = trials(test).run("test_it").expect("it passes");
    assert!(failure.message.contains(with), "{failure:#?}");
    failure
}

fn line(place: &crate::finding::Place) -> u32 {
    // The first line of a test is that of its `fn`.
    place.line.saturating_sub(SCRIPT.lines().count() as u32 + 1)
}

#[test]
fn a_script_is_run_against_what_the_test_expects() {
    passes(
        r#"world.spec(#{ power: "on" });
        world.expects("bmc::power").gives("off");
        world.equals(world.observe(), #{ power: "off" });
        world.expects("bmc::power", []).gives("off");
        world.expects("bmc::power_on");
        world.expects("wait::powered_on", ["5m"]);
        world.apply();
        world.check();"#,
    );
    passes(
        r#"world.expects("bmc::power").gives("on");
        world.expects("wait::powered_on").fails("still off");
        world.expects("log::warn", ["still off"]);
        world.apply();"#,
    );
    passes(r#"world.equals(world.node.name, "n1"); world.params(#{ a: world.secret("env:X") });"#);
}

#[test]
fn what_fails_for_good_reaches_the_script_so() {
    passes(
        r#"world.expects("bmc::power").gives("on");
        world.expects("wait::powered_on").fails_for_good("no such machine");
        let failure = world.apply_fails("such");
        world.equals(failure, #{ message: "no such machine", transient: false });"#,
    );
    let failure = fails(
        r#"world.expects("bmc::power").fails("gone"); world.observe_fails("lost");"#,
        "`observe` fails in another way",
    );
    assert_eq!(failure.came.as_deref(), Some("\"gone\""));
    assert_eq!(failure.script[0].line, 1);
    fails(r#"world.spec(#{ power: "on" }); world.check_fails("");"#, "`check` does not fail");
    // What ends a test cannot be taken for a failure of the script.
    fails(r#"world.apply_fails("");"#, "does not expect");
    fails(r#"try { world.apply(); } catch { }"#, "does not expect");
    passes(
        r#"let why = ""; try { refuse("this"); } catch (error) { why = error; } world.equals(why, "not this");"#,
    );
}

#[test]
fn the_parts_of_an_effect_are_expected_by_its_name_or_by_theirs() {
    passes(r#"world.expects("bmc::power_cycle"); world.remove();"#);
    passes(r#"world.expects("bmc::power_off"); world.expects("bmc::power_on"); world.remove();"#);
    passes(r#"world.expects("bmc::power_cycle").fails("no"); world.remove_fails("no");"#);
    passes(
        r#"world.expects("bmc::power_off"); world.expects("bmc::power_on").fails("no");
        world.remove_fails("no");"#,
    );
}

#[test]
fn another_effect_is_told_with_both_places() {
    let failure = fails("world.expects(\"bmc::power_off\");\nworld.apply();", "another effect");
    assert_eq!(failure.expected.as_deref(), Some("bmc::power_off(node)"));
    assert_eq!(failure.came.as_deref(), Some("bmc::power(node)"));
    assert_eq!(line(failure.at.as_ref().unwrap()), 1);
    assert_eq!((failure.script[0].line, failure.script[0].column), (4, 13));
    let none = fails("\nworld.observe();", "does not expect");
    assert_eq!(line(none.at.as_ref().unwrap()), 2);
    let other = fails(
        "world.expects(\"bmc::power\").gives(\"on\"); world.expects(\"wait::powered_on\", [\"1m\"]);\nworld.apply();",
        "other arguments",
    );
    assert_eq!(other.expected.as_deref(), Some("wait::powered_on(node, \"1m\")"));
    assert_eq!(other.came.as_deref(), Some("wait::powered_on(node, \"5m\")"));
    let left = fails("\nworld.expects(\"bmc::power_on\");", "nobody asked for");
    assert_eq!(line(left.at.as_ref().unwrap()), 2);
    fails(r#"world.spec(#{ power: "sly" }); world.expects("bmc::power_on"); world.check();"#, "no read");
}

#[test]
fn what_a_test_cannot_mean_is_said_where_it_stands() {
    fails(r#"world.spec(#{ wrong: 1 });"#, "does not declare");
    fails(r#"world.expects("bmc::powr");"#, "did you mean `bmc::power`?");
    fails(r#"world.expects("bmc::power", [1]);"#, "takes 0 besides the node");
    fails(r#"world.expects("bmc::set_boot_override", ["pxy", "once"]);"#, "can never be called so");
    fails(r#"world.expects("bmc::power").gives("up");"#, "never answers that");
    fails(r#"world.expects("bmc::power"); world.observe();"#, "write `.gives(…)`");
    fails(r#"let x = 1;"#, "runs nothing");
    fails(r#"bmc::power(world.node);"#, "cannot be called here");
    let failure = fails(r#"world.equals(#{ a: #{ b: 1 }, c: [1] }, #{ a: #{ b: 2 }, d: () });"#, "not what");
    assert_eq!(
        failure.differences,
        ["a.b: expected 2, came 1", "c: expected nothing, came [1]", "d: expected (), came nothing"]
    );
}

#[test]
fn an_error_is_told_with_its_places_in_the_script_and_in_the_test() {
    let failure = fails(
        "world.expects(\"bmc::power\").gives(\"on\");\nworld.expects(\"wait::powered_on\").fails_for_good(\"no\");\nworld.apply();",
        "no",
    );
    assert_eq!(line(failure.at.as_ref().unwrap()), 3);
    assert_eq!(failure.script[0].line, 5);
    let own = fails("let x = 1;\nx.nothing();", "nothing");
    assert_eq!((line(own.at.as_ref().unwrap()), own.script.len()), (2, 0));
}

#[test]
fn no_test_hangs_or_grows() {
    for endless in [
        "loop { }",
        "loop { try { refuse(1); } catch { } }",
        "loop { try { world.remove(); } catch { } }",
        "let f = |f, n| f.call(f, n + 1); f.call(f, 0);",
        "let s = \"x\"; loop { s += s; }",
        "loop { world.expects(\"bmc::power_on\"); }",
        "loop { world.check(); }",
    ] {
        assert!(trials(endless).run("test_it").is_some(), "{endless}");
    }
    let budget = Budget::default();
    budget.stop();
    assert!(budget.is_spent());
    budget.renew();
    assert!(!budget.is_spent());
}

#[test]
fn tests_are_no_part_of_what_is_run() {
    let main: Arc<str> = "scripts/t.rhai".into();
    let own = "fn own(x) { [1].map(|y| x + y) }";
    let text = format!("{SCRIPT}{own} fn test_it(world) {{ let f = || switch 1 {{ 1 => 2 }}; f.call(); }}");
    let closure = Closure {
        files: BTreeMap::from([(main.clone(), text.as_str().into())]),
        main,
        templates: BTreeMap::new(),
    };
    let program = Program::compile(closure).unwrap();
    assert!(program.tests().is_empty() && !program.is_uncertain());
    let node = ScriptNode { name: "n1".into(), spec: Value::empty_map() };
    let turn = program.evaluate(Function::Apply, &node, &Value::empty_map(), vec![]);
    assert!(matches!(turn, Turn::Wants(_)));
    // A closure of the script's own stays.
    assert_eq!(program.call("own", 1_i64.into()).unwrap().into_array().unwrap()[0].as_int(), Ok(2));
    assert_eq!(trials("").names(), ["test_it"]);
}
