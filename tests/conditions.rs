//! Waits for a condition: over a row that somebody else writes, and over what a service answers.

mod common;

use common::{Lab, Output, RackProcess, rackwright};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const TASKS: &str = r#"
task "listen" script="listen.rhai" { doc "Wait until the door is open."; allow "log" "wait" }
task "speak" script="speak.rhai" { doc "Open the door."; allow "fact" "wait" }
task "never" script="never.rhai" { doc "Wait for what nobody says."; allow "wait" }
task "ask" script="ask.rhai" { doc "Wait for a service."; allow "log" "wait"; param "place" required=#true }
blueprint "talk" { step "listen" task="listen"; step "speak" task="speak" }
"#;

fn lab() -> (Lab, RackProcess) {
    let lab = Lab::small(1);
    lab.append("nodes.kdl", TASKS);
    lab.write(
        "scripts/listen.rhai",
        "fn apply(node) { let door = wait::fact(node, \"door\", #{ open: true }, \"2m\"); log::info(`opened by ${door.by}`); }",
    );
    lab.write(
        "scripts/speak.rhai",
        "fn apply(node) {
            fact::record(node, \"door\", #{ open: false, by: \"nobody\" });
            wait::time(\"300ms\");
            fact::record(node, \"door\", #{ open: true, by: \"speak\" });
        }",
    );
    lab.write(
        "scripts/never.rhai",
        "fn apply(node) { wait::fact(node, \"door\", #{ open: true, by: \"me\" }, \"300ms\"); }",
    );
    lab.write(
        "scripts/ask.rhai",
        "fn apply(node, params) { let it = wait::http(params.place, #{ expect: [200] }, \"2m\"); log::info(`${it.body.ready}`); }",
    );
    let rack = RackProcess::start(&lab);
    (lab, rack)
}

fn run(lab: &Lab, rack: &RackProcess, words: &[&str]) -> Output {
    let place = ["--on", "lab-n01", "--design", lab.design(), "--rack", rack.file(), "--yes"];
    rackwright(&[&["run"], words, &place].concat())
}

fn logs(lab: &Lab) -> String {
    rackwright(&["logs", "--design", lab.design()]).exits(0).stdout
}

#[test]
fn a_fact_that_another_step_records_ends_a_wait_also_when_it_came_first() {
    let (lab, rack) = lab();
    run(&lab, &rack, &["task", "never"]).exits(4).says("not so within 300ms: no fact `door` is recorded");
    run(&lab, &rack, &["blueprint", "talk"]).exits(0);
    assert!(logs(&lab).contains("lab-n01 listen: info: opened by speak"), "{}", logs(&lab));
    rackwright(&["replay", "--design", lab.design()]).exits(0).says("opened by speak");
    run(&lab, &rack, &["task", "listen"]).exits(0);
    assert!(logs(&lab).contains("opened by speak"));
    run(&lab, &rack, &["task", "never"]).exits(4).says("`by` is \"speak\", wanted \"me\"");
}

#[test]
fn a_service_is_asked_until_it_answers_as_expected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(64) {
            let stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines();
            while lines.next().is_some_and(|line| !line.unwrap_or_default().is_empty()) {}
            let (status, body) = match count.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => ("503 Service Unavailable", "{\"ready\":false}"),
                _ => ("200 OK", "{\"ready\":true}"),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close");
            let _ = write!(&stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    let (lab, rack) = lab();
    run(&lab, &rack, &["task", "ask", "-p", &format!("place=http://127.0.0.1:{port}/")]).exits(0);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(logs(&lab).contains("lab-n01 ask: info: true"), "{}", logs(&lab));
}
