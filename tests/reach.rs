//! Effects that reach beyond BMCs and boot services, from a design to what came of them: texts, secrets, HTTP, names, SSH.
//!
//! Owns the way through the whole program. What the parts do with hostile peers stands beside them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, rackwright, rackwright_with};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

const PLANTED: &str = "hunter2-planted";

/// A lab of one node that is powered on and then goes through the task `reach`, whose lines and script are given.
fn lab(task: &str, script: &str) -> Lab {
    let lab = Lab::small(1);
    let kdl = format!(
        "task \"reach\" script=\"reach.rhai\" {{\n    doc \"Reach out.\"\n{task}\n}}\n\
         blueprint \"reaching\" {{\n    step \"power\" task=\"std/power\" phase=\"prepare\"\n    \
         step \"reach\" task=\"reach\" phase=\"configure\" after=\"power\"\n}}\n"
    );
    lab.append("nodes.kdl", &kdl);
    lab.write("scripts/reach.rhai", script);
    lab.edit(
        "nodes.kdl",
        "hardware \"virtual-1u\"\n",
        "hardware \"virtual-1u\"\n    lifecycle \"reaching\"\n",
    );
    lab
}

fn apply(lab: &Lab) -> Output {
    rackwright_with(&[("PLANTED", PLANTED)], &["apply", lab.design(), "--virtual", "--yes"])
}

/// What the newest run logged.
fn logged(lab: &Lab) -> String {
    rackwright(&["logs", "--virtual", "--design", lab.design()]).exits(0).stdout
}

/// Nothing that is kept beside the design holds the planted secret.
fn kept_nowhere(lab: &Lab) {
    let mut folders = vec![lab.own()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
            assert!(!bytes.windows(PLANTED.len()).any(|part| part == PLANTED.as_bytes()), "{path:?}");
        }
    }
    assert!(files > 0);
}

#[test]
fn a_task_fills_in_its_templates_and_a_trace_knows_the_text() {
    let lab = lab(
        "    allow \"log\" \"template\"\n    uses \"labels\"\n    template \"greeting\" \"parts/end\"",
        "fn apply(node) { log::info(template::file(\"greeting\", #{ node: node.name, count: 2 })) }",
    );
    lab.write(
        "templates/greeting",
        "hello {{ node }}{% for n in range(count) %} {{ n }}{% endfor %}{% include 'parts/end' %}",
    );
    lab.write("templates/parts/end", "!");
    let trace = rackwright(&["plan", lab.design(), "--virtual", "--trace", "--json"]).exits(0).json();
    assert!(trace.to_string().contains("hello lab-n01 0 1!"), "{trace:#}");
    apply(&lab).exits(0);
    let said = logged(&lab);
    assert!(said.contains("hello lab-n01 0 1!"), "{said}");
}

#[test]
fn a_mistake_in_a_template_is_named_with_its_line_and_fails_the_step() {
    let lab = lab(
        "    allow \"log\" \"template\"\n    template \"greeting\"",
        "fn apply(node) { log::info(template::file(\"greeting\", #{})) }",
    );
    lab.write("templates/greeting", "hello\n{{ nobody }}");
    apply(&lab).exits(4).says("template `greeting`, line 2").says("nobody");
    assert!(logged(&lab).contains("scripts/reach.rhai:1:"), "{}", logged(&lab));
}

#[test]
fn a_text_with_a_secret_is_kept_as_a_reference() {
    let lab = lab(
        "    allow \"fact\" \"log\" \"secret\" \"template\"\n    uses \"params\"\n    secret \"planted\" (secret)\"env:PLANTED\"",
        r#"fn apply(node) {
            fact::record(node, "token", secret::get("planted"));
            let name = "plan"; name += "ned";
            try { secret::get(name) } catch (error) { log::info(error.message) }
            let line = template::render("password={{ password|upper }}", #{ password: node.spec.params.planted });
            fact::record(node, "line", line);
            try { log::info(line) } catch (error) { log::info(`refused: ${error}`) }
        }"#,
    );
    lab.edit(
        "nodes.kdl",
        "    rack \"r1\"",
        "    param \"planted\" (secret)\"env:PLANTED\"\n    rack \"r1\"",
    );
    let output = apply(&lab).exits(0);
    assert!(logged(&lab).contains("task `reach` declares no secret `planned`"), "{}", logged(&lab));
    assert!(logged(&lab).contains("must be text, not a secret"), "{}", logged(&lab));
    assert!(![output.stdout, output.stderr].concat().to_lowercase().contains(PLANTED));
    kept_nowhere(&lab);
}

/// Answers every request with what it was sent, as JSON, and keeps it. Ends with the test's process.
fn echo() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(100) {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while let Ok(read) = stream.read_line(&mut head) {
                let line = head[head.len() - read..].to_ascii_lowercase();
                if let Some(bytes) = line.strip_prefix("content-length:") {
                    length = bytes.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let request = head + &String::from_utf8(body).unwrap();
            let answer = serde_json::json!({ "seen": request }).to_string();
            kept.lock().unwrap().push(request);
            let length = answer.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            );
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    (port, seen)
}

#[test]
fn a_request_carries_the_secret_and_nothing_else_does() {
    let (port, seen) = echo();
    let lab = lab(
        "    allow \"http\" \"log\" \"secret\" \"template\"\n    secret \"planted\" (secret)\"env:PLANTED\"",
        &r#"fn apply(node) {
            let token = secret::get("planted");
            let line = template::render("<{{ token }}>", #{ token: token });
            let answer = http::post("http://127.0.0.1:PORT/tickets", #{ body: #{ line: line, node: node.name }, bearer: token });
            log::info(answer.body.seen);
            try { http::get("http://192.0.2.1/") } catch (error) { log::info(error.message) }
        }"#
        .replace("PORT", &port.to_string()),
    );
    let output = apply(&lab).exits(0);
    let said = logged(&lab);
    assert!(said.contains(r#""line":"(secret)""#) && said.contains("Bearer (secret)"), "{said}");
    assert!(said.contains("GET http://192.0.2.1/: a rehearsal touches nothing real"), "{said}");
    let requests = seen.lock().unwrap().clone();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    let request = requests[0].to_ascii_lowercase();
    assert!(request.contains(&format!("authorization: bearer {PLANTED}")), "{request}");
    assert!(request.contains(&format!("\"line\":\"<{PLANTED}>\"")), "{request}");
    assert!(request.contains("idempotency-key: r"), "{request}");
    assert!(![output.stdout, output.stderr, said].concat().contains(PLANTED));
    kept_nowhere(&lab);
}
