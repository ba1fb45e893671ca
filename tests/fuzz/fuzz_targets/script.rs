//! A script made of the pieces that hurt, or the bytes as they are: it is refused, fails, or goes on from effect to effect,
//! each answered by a value of its shape. No panic, no overflow of the stack; the same answers bring the same end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright::model::value::Value;
use rackwright::script::catalogue::Shape;
use rackwright::script::closure::Closure;
use rackwright::script::convert::ScriptNode;
use rackwright::script::evaluate::{Function, Program, Turn};
use rackwright::script::tape::Recorded;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Expressions; `@` is an expression, `$` a name.
const EXPRESSIONS: &[&str] = &[
    "1",
    "-1",
    "0.5",
    "9223372036854775807",
    "\"x\"",
    "'x'",
    "()",
    "true",
    "[]",
    "#{}",
    "node",
    "node.spec",
    "node.name",
    "$",
    "$",
    "$",
    "$",
    "[@, @]",
    "[@]",
    "#{a: @}",
    "#{a: @, b: @}",
    "`${@}`",
    "@ + @",
    "@ - @",
    "@ * @",
    "@ / @",
    "@ % @",
    "@ ** @",
    "@ << @",
    "@ == @",
    "@ < @",
    "@ in @",
    "@ ?? @",
    "!@",
    "-@",
    "@[@]",
    "@[@..@]",
    "@.a",
    "@.len()",
    "@..@",
    "@..=@",
    "{ % @ }",
    "if @ { @ } else { @ }",
    "switch @ { 1 => @, _ => @ }",
    "@.map(|x| @)",
    "@.filter(|x| @)",
    "@.reduce(|x, y| @, @)",
    "@.sort(|x, y| @)",
    "@.order(|x, y| @)",
    "@.for_each(|x| @)",
    "@.retain(|x| @)",
    "@.drain(|x| @)",
    "@.dedup(|x, y| @)",
    "@.find(|x| @)",
    "@.some(|x| @)",
    "@.zip(@, |x, y| @)",
    "@.drain(@..@)",
    "@.retain(@, @)",
    "@.splice(@, @, @)",
    "@.extract(@, @)",
    "@.contains(@)",
    "@.index_of(@)",
    "@.index_of(@, @)",
    "@.split(@)",
    "@.split(@, @)",
    "@.split_rev(@)",
    "@.to_chars()",
    "@.replace(@, @)",
    "@.pad(@, @)",
    "@.sub_string(@, @)",
    "@.crop(@, @)",
    "@.keys()",
    "@.values()",
    "@.get(@)",
    "@.set(@, @)",
    "@.remove(@)",
    "@.to_json()",
    "@.to_string()",
    "to_debug(@)",
    "@.to_blob()",
    "@.to_upper()",
    "@.push(@)",
    "@.append(@)",
    "@.insert(@, @)",
    "@.truncate(@)",
    "@.chop(@)",
    "@.pop()",
    "@.shift()",
    "@.reverse()",
    "@.clear()",
    "@.mixin(@)",
    "@.fill_with(@)",
    "f($, @)",
    "g(@)",
    "m::h(@)",
    "Fn(\"f\")",
    "Fn(@)",
    "|x| @",
    "|x, y| x",
    "$.call(@)",
    "f!(@, @)",
    "parse_int(@, @)",
    "@.to_int()",
    "@.to_float()",
    "range(@, @, @)",
    "@.bits()",
    "type_of(@)",
    "unknown(@)",
    "is_unknown(@)",
    "@.name",
    "is_shared(@)",
    "@.tag",
    "bmc::power(node)",
    "bmc::inventory(node)",
    "pxe::ticket(node)",
    "log::info(@)",
    "fact::record(node, @, @)",
    "bmc::bios(@, @)",
    "wait::time(@)",
    "global::C",
    "m::D",
    "this",
    "eval(@)",
    "@?.a",
    "@?[@]",
    "import",
    "throw @",
    "return @",
];

/// Statements; `%` is a statement.
const STATEMENTS: &[&str] = &[
    "let $ = @;",
    "$ = @;",
    "$ += @;",
    "$[@] = @;",
    "$.a = @;",
    "$.push(@);",
    "@;",
    "for $ in @ { % }",
    "for ($, b) in @ { % break; }",
    "while @ { % }",
    "loop { % if @ { break; } }",
    "do { % } while @;",
    "if @ { % } else { % }",
    "try { % } catch (e) { % }",
    "throw @;",
    "return @;",
    "const $ = @;",
    "$.pad(99, @);",
    "$ = [$, $];",
    "$ = #{a: $};",
    "$ += $;",
    "break;",
    "continue;",
    "import \"m\" as m;",
    "%%",
    "%%%",
    "switch @ { _ => { % } }",
    "$.splice(0, 1, $);",
    "$ = $.map(|x| [x, $]);",
    "$.a.b = $;",
    "$[0][0] = $;",
    "export $;",
];

const NAMES: &[&str] = &["a", "b", "c", "x"];

/// How deep pieces are put into one another, and how much text may come of it.
const LEVELS: usize = 7;
const LONGEST: usize = 4_000;

/// Takes pieces as the bytes say.
struct Pieces<'a>(std::slice::Iter<'a, u8>);

impl Pieces<'_> {
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[usize::from(*self.0.next().unwrap_or(&0)) % from.len()]
    }

    fn fill(&mut self, piece: &str, level: usize, text: &mut String) {
        for character in piece.chars() {
            match character {
                '@' if level == 0 || text.len() > LONGEST => text.push('a'),
                '@' => {
                    let piece = self.pick(EXPRESSIONS);
                    self.fill(piece, level - 1, text);
                }
                '%' if level == 0 || text.len() > LONGEST => text.push(';'),
                '%' => {
                    let piece = self.pick(STATEMENTS);
                    self.fill(piece, level - 1, text);
                }
                '$' => text.push_str(self.pick(NAMES)),
                other => text.push(other),
            }
        }
    }
}

const AROUND: &str = "import \"m\" as m; const C = [1, #{a: 2}];
fn f(a, b) { let c = 1; let x = 2; % % } fn g(x) { let a = 1; let b = [x]; let c = #{a: x}; % }
fn apply(node) { let a = [1]; let b = \"text\"; let c = #{a: 1}; let x = 1; % % % % % % @ }";
const MODULE: &str = "const D = \"d\"; fn h(x) { [x, x] }";

fn script(bytes: &[u8]) -> String {
    match bytes.split_first() {
        Some((0, rest)) => String::from_utf8_lossy(rest).into_owned(),
        Some((1, rest)) => format!("fn apply(node) {{ {} }}", String::from_utf8_lossy(rest)),
        _ => {
            let mut text = String::new();
            Pieces(bytes.iter()).fill(AROUND, LEVELS, &mut text);
            text
        }
    }
}

/// Some value of a shape.
fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Nothing => Value::Null,
        Shape::Bool => Value::Bool(true),
        Shape::Int => Value::Int(3),
        Shape::Word(words) => Value::text(words[0]),
        Shape::Duration => Value::text("1m"),
        Shape::Node | Shape::Text => Value::text("text"),
        Shape::Secret => Value::Secret("env:X".into()),
        Shape::Any => Value::map([("a", Value::list(vec![Value::Int(1), Value::Unknown("why".into())]))]),
        Shape::Maybe(shape) => of(shape),
        Shape::List(shape) => Value::list(vec![of(shape); 3]),
        Shape::Map(shape) => Value::map([("a", of(shape)), ("b", of(shape))]),
        Shape::Record(fields) => Value::map(fields.iter().map(|field| (field.name, of(&field.shape)))),
    }
}

/// Effects that are answered before the rest is taken on trust.
const EFFECTS: usize = 12;

fn ends(program: &Program) -> String {
    let spec = Value::map([("power", Value::text("on")), ("disks", Value::list(vec![Value::Int(1); 5]))]);
    let node = ScriptNode { name: "n1".into(), spec };
    let mut tape = Vec::new();
    loop {
        match program.evaluate(Function::Apply, &node, &Value::empty_map(), tape.clone()) {
            Turn::Wants(call) if tape.len() < EFFECTS => {
                let stored: Value = serde_json::from_str(&call.args_value().to_string()).unwrap();
                assert_eq!(stored, call.args_value(), "what is journalled comes back");
                tape.push(Recorded {
                    effect: call.effect.full_name().into(),
                    args_digest: call.args_value().digest().into(),
                    answer: Ok(of(&call.effect.returns)),
                });
            }
            Turn::Wants(call) => return format!("wants {call:?}"),
            Turn::Done(value) => {
                let stored: Value = serde_json::from_str(&value.to_string()).unwrap();
                assert_eq!(stored, value, "what is returned comes back");
                return format!("done {value}");
            }
            Turn::Failed(fault) => {
                assert!(!fault.message.contains("broke off"), "{fault}");
                return format!("failed {fault}");
            }
            Turn::Diverged(why) => panic!("the same answers lead another way: {why}"),
            Turn::Depends { on, .. } => panic!("nothing was left open, but {on} decides"),
        }
    }
}

/// As much as the threads have on which the product evaluates scripts.
const STACK_BYTES: usize = 2 << 20;

fuzz_target!(|bytes: &[u8]| {
    let main: Arc<str> = "scripts/t.rhai".into();
    let files =
        BTreeMap::from([(main.clone(), script(bytes).into()), ("scripts/m.rhai".into(), MODULE.into())]);
    let work = move || {
        if let Ok(program) = Program::compile(Closure { main, files, templates: BTreeMap::new() }) {
            assert_eq!(ends(&program), ends(&program));
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
});
