//! The memory of hostile scripts: the worst that we could make, each in a process of its own, against the stated bound.
//!
//! The system says how much a process had at most (`VmHWM`); what it had before the evaluation is taken off. Time decides
//! nothing.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made has failed")]

use rackwright::model::value::Value;
use rackwright::script::closure::Closure;
use rackwright::script::convert::ScriptNode;
use rackwright::script::evaluate::{Function, Program, Turn};
use rackwright::script::limits::{MEMORY_BYTES, PEAK_BYTES};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

/// What each tries to fill memory with.
const WORST: &[(&str, &str)] = &[
    (
        "variables of many calls",
        "fn f(n, x) { let a = x + `${n}a`; let b = x + `${n}b`; let c = x + `${n}c`; let d = x + `${n}d`; f(n + 1, a) }
         fn apply(node) { let x = \"\"; x.pad(240000, \"x\"); f(0, x) }",
    ),
    ("names in a map", "fn apply(node) { full(200000, 1000) }"),
    ("names that are copied", "fn apply(node) { let m = full(200, 1200); let n = m; let o = [m, n, m, n]; f(m) } fn f(m) { let a = m; let b = a; let c = b; f(c) }"),
    ("names that become a text", "fn apply(node) { let m = full(200, 1200); m.to_json() }"),
    ("names that are shown", "fn apply(node) { let m = full(200, 1200); to_debug(m) }"),
    ("names in a text", "fn apply(node) { let m = full(200, 1200); `${m}` }"),
    ("names that are thrown", "fn apply(node) { throw full(200, 1200) }"),
    ("names that are written out right away", "fn apply(node) { one(200000).to_json() }"),
    ("arguments", "fn g(a, b, c, d) { 1 } fn apply(node) { let m = full(200, 1200); loop { g(m, m, m, m); } }"),
    (
        "lists of lists",
        "fn f(a, n) { let b = a; let c = a; let d = a; let e = a; let g = a; f(a, n + 1) }
         fn apply(node) { let a = []; for i in 0..9000 { a.push([i]); } f(a, 0) }",
    ),
    ("a list in its own place", "fn apply(node) { let m = one(2000); let a = []; a.pad(20000, m); }"),
    (
        "modules",
        "import \"m\" as m; fn apply(node) { f(0) }
         fn f(n) { import \"m\" as a; import \"m\" as b; import \"m\" as c; f(n + 1) }",
    ),
    ("texts at their limit", "fn apply(node) { let s = \"\"; s.pad(240000, \"ab\"); s.to_upper() + s.to_lower() }"),
];

/// Makes maps with long names, of characters that take six bytes to write.
const FULL: &str = "
fn one(length) {
    let key = \"\";
    key.pad(length, '\\u0001');
    let map = #{};
    map[key] = 1;
    map
}
fn full(length, count) {
    let key = \"\";
    key.pad(length, '\\u0001');
    let map = #{};
    for i in 0..count { map[key + i] = i; }
    map
}";

/// A file with as much in it as a file may have.
fn module() -> Arc<str> {
    (0..250).map(|n| format!("fn f{n}(x) {{ {} }}\n", "x + 1; ".repeat(70))).collect::<String>().into()
}

/// The most that this process ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn evaluate(script: &str) -> (usize, Turn) {
    let main: Arc<str> = "scripts/t.rhai".into();
    let files = BTreeMap::from([
        (main.clone(), format!("{script}{FULL}").into()),
        ("scripts/m.rhai".into(), module()),
    ]);
    let program = Program::compile(Closure { main, files, templates: BTreeMap::new() }).unwrap();
    let node = ScriptNode { name: "n1".into(), spec: Value::empty_map() };
    let before = peak();
    let turn = program.evaluate(Function::Apply, &node, &Value::empty_map(), Vec::new());
    (peak() - before, turn)
}

/// Which script this process is to measure; none when it is the test itself.
const MEASURED: &str = "RACKWRIGHT_MEASURED_SCRIPT";

#[test]
fn hostile_scripts_stay_under_the_bound() {
    if let Ok(name) = std::env::var(MEASURED) {
        let (_, script) = WORST.iter().find(|(one, _)| *one == name).unwrap();
        let (took, turn) = evaluate(script);
        return println!("took {took} {turn:.300?}");
    }
    let mut complaints = Vec::new();
    let mut most = 0;
    for (name, _) in WORST {
        let measuring = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hostile_scripts_stay_under_the_bound", "--nocapture"])
            .env(MEASURED, name)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&measuring.stdout);
        let said = text.lines().find_map(|line| line.split_once("took ")).map(|(_, rest)| rest.to_string());
        let Some((took, turn)) = said.as_deref().and_then(|said| said.split_once(' ')) else {
            complaints.push(format!("{name}: {text}{}", String::from_utf8_lossy(&measuring.stderr)));
            continue;
        };
        let took: usize = took.parse().unwrap();
        println!("{:>6} KiB  {name}: {turn:.120}", took >> 10);
        most = most.max(took);
        if took > PEAK_BYTES {
            complaints.push(format!("{name} took {took} bytes: {turn}"));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert!(most > MEMORY_BYTES / 2, "no script came near the bound, so nothing was tried: {most} bytes");
}

/// What a script held is given back: evaluations do not add up.
#[test]
fn nothing_is_kept_from_one_evaluation_to_the_next() {
    let mut first = None;
    for _ in 0..5 {
        for (_, script) in WORST.iter().filter(|(name, _)| name.starts_with("names")) {
            evaluate(script);
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let held = line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024;
        let first = *first.get_or_insert(held);
        assert!(held < first + PEAK_BYTES, "{held} bytes, after {first}");
    }
}
