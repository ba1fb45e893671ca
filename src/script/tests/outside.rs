//! The world outside: clock, files, network, environment, the terminal, other code.

use super::Ends::{Done, Failed, Refused};
use super::all_end;

#[test]
fn words_that_reach_outside_do_not_parse() {
    all_end(&[
        ("eval(\"1\")", Refused("'eval' is disabled")),
        ("print(1)", Refused("'print' is disabled")),
        ("debug(1)", Refused("'debug' is disabled")),
        ("Fn(\"eval\").call(\"1\")", Failed("eval")),
        ("Fn(\"print\").call(\"x\")", Failed("print")),
        ("go(1)", Refused("'go' is a reserved keyword")),
        ("spawn(1)", Refused("reserved")),
        ("async(1)", Refused("reserved")),
        ("await(1)", Refused("reserved")),
        ("sync(1)", Refused("reserved")),
        ("thread(1)", Refused("reserved")),
        ("use std", Refused("reserved")),
        ("goto x", Refused("reserved")),
    ]);
}

#[test]
fn functions_that_reach_outside_are_not_there() {
    for call in [
        "timestamp()",
        "sleep(1)",
        "sleep(0.5)",
        "exit()",
        "exit(1)",
        "open_file(\"/etc/passwd\")",
        "read(\"/etc/passwd\")",
        "env(\"HOME\")",
        "rand()",
        "random(1, 2)",
        "parse_json(\"{}\")",
        "blob(9)",
        "take(node)",
        "get_fn_metadata_list()",
        "http_get(\"http://127.0.0.1\")",
    ] {
        all_end(&[(call, Failed(" at scripts/t.rhai:1:18"))]);
        let said = super::said(call);
        assert!(said.starts_with("failed: Function not found: "), "{said}");
    }
    all_end(&[
        ("let t = node; t.elapsed", Failed("elapsed")),
        ("is_def_fn(\"timestamp\", 0)", Done("false")),
        ("type_of(node)", Done("\"node\"")),
        ("to_debug(node)", Done("\"node\"")),
    ]);
}

#[test]
fn imports_stay_inside_the_closure() {
    for path in [
        "/etc/passwd",
        "../../etc/passwd",
        "std/../../../etc/passwd",
        "util/../../x",
        "file:///etc/passwd",
        "scripts/t",
        "stdlib/power",
        "std/power",
        "",
        "a\\u0000b",
    ] {
        all_end(&[(&format!("import \"{path}\" as x; fn apply(node) {{ 1 }}"), Failed("Module not found"))]);
    }
    all_end(&[
        // What is computed is found by `closure::reach`; here it meets the closure's own files only.
        ("let p = \"/etc/\" + \"passwd\"; import p as x;", Failed("Module not found: /etc/passwd")),
        (
            "loop { try { import \"a\" as x; } catch { } }\n==== scripts/a.rhai\n",
            Failed("more than 2000000 steps"),
        ),
        (
            "import \"a\" as x; 1\n==== scripts/a.rhai\nimport \"a\" as y;",
            Refused("in a circle: scripts/a.rhai → scripts/a.rhai"),
        ),
        (
            "import \"a\" as x; 1\n==== scripts/a.rhai\nimport \"b\" as y;\n==== scripts/b.rhai\nimport \"t\" as z;",
            Refused("scripts/t.rhai → scripts/a.rhai → scripts/b.rhai → scripts/t.rhai"),
        ),
        (
            "import \"a\" as x; x::f()\n==== scripts/a.rhai\nprivate fn f() { 1 }",
            Failed("Function not found"),
        ),
    ]);
}

#[test]
fn imports_of_one_file_are_bounded() {
    let importing = |count: usize| {
        let imports: String = (0..count).map(|n| format!("import \"a\" as x{n}; ")).collect();
        format!("{imports} fn apply(node) {{ 1 }}\n==== scripts/a.rhai\n")
    };
    all_end(&[(&importing(32), Done("1")), (&importing(33), Failed("imports more than 32 times"))]);
}

#[test]
fn imports_that_multiply_are_counted() {
    let doubling = |count: usize| {
        let file =
            |n| format!("==== scripts/m{n}.rhai\nimport \"m{}\" as a; import \"m{}\" as b;\n", n + 1, n + 1);
        let files: String = (0..count).map(file).collect();
        format!(
            "import \"m0\" as x; fn apply(node) {{ 1 }}\n{files}==== scripts/m{count}.rhai\nfn f() {{ 1 }}"
        )
    };
    all_end(&[(&doubling(3), Done("1")), (&doubling(40), Failed("more than 32 MiB"))]);
}
