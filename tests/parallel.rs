//! Steps of one node at the same time, where the graph of the blueprint allows it, and in their order where it does not.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, RackProcess, Running, rackwright, until};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const TASKS: &str = r#"
task "meet" script="meet.rhai" {
    doc "Ask for something that is answered when others have asked as well."
    allow "http" "log"
    param "place" required=#true
}
task "break" script="break.rhai" { doc "Fail for good."; allow "log" }
task "say" script="say.rhai" { doc "Say that it was here."; allow "log" }
task "cycle" script="cycle.rhai" { doc "Off and on."; hazard "reboot"; allow "bmc" }
"#;
const LIMIT: Duration = Duration::from_secs(120);

/// A service that answers nobody before so many have asked.
struct Meeting {
    port: u16,
    met: Arc<(Mutex<usize>, Condvar)>,
}

impl Meeting {
    fn of(all: usize) -> Meeting {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let met = Arc::new((Mutex::new(0), Condvar::new()));
        let here = met.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(64) {
                let here = here.clone();
                std::thread::spawn(move || answer(stream.unwrap(), &here, all));
            }
        });
        Meeting { port, met }
    }

    fn asked(&self) -> usize {
        *self.met.0.lock().unwrap()
    }
}

fn answer(stream: TcpStream, (asked, changed): &(Mutex<usize>, Condvar), all: usize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while lines.next().is_some_and(|line| !line.unwrap_or_default().is_empty()) {}
    let mut count = asked.lock().unwrap();
    *count += 1;
    changed.notify_all();
    let (count, _) = changed.wait_timeout_while(count, LIMIT, |count| *count < all).unwrap();
    let status = if *count < all { "409 Conflict" } else { "200 OK" };
    drop(count);
    let _ = write!(&stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

fn lab(blueprint: &str) -> (Lab, RackProcess) {
    let lab = Lab::small(1);
    lab.append("nodes.kdl", &format!("{TASKS}\n{blueprint}"));
    let meet =
        "fn apply(node, params) { log::info(\"asks\"); http::put(params.place, #{ timeout: \"4m\" }); }";
    lab.write("scripts/meet.rhai", meet);
    lab.write("scripts/break.rhai", "fn apply(node) { throw \"it is broken\"; }");
    lab.write("scripts/say.rhai", "fn apply(node) { log::info(\"was here\"); }");
    lab.write("scripts/cycle.rhai", "fn apply(node) { bmc::power_off(node); bmc::power_on(node); }");
    let rack = RackProcess::start(&lab);
    (lab, rack)
}

fn order<'a>(lab: &'a Lab, rack: &'a RackProcess) -> Vec<&'a str> {
    let place = ["--design", lab.design(), "--rack", rack.file(), "--yes", "--approve", "reboot"];
    [&["run", "blueprint", "graph", "--on", "lab-n01"][..], &place].concat()
}

/// The state of each step of the last run.
fn states(lab: &Lab) -> BTreeMap<String, String> {
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    let steps = status["run"]["targets"][0]["steps"].as_array().unwrap();
    let text = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap().to_string();
    steps.iter().map(|step| (text(step, "step"), text(step, "state"))).collect()
}

fn plan(lab: &Lab, rack: &RackProcess) -> Output {
    rackwright(&["plan", lab.design(), "--rack", rack.file(), "--json"])
}

#[test]
fn steps_that_do_not_wait_for_each_other_are_at_work_at_the_same_time() {
    let meeting = Meeting::of(3);
    let place = format!("param \"place\" \"http://127.0.0.1:{}/\"", meeting.port);
    let (lab, rack) = lab(&format!(
        "blueprint \"graph\" {{
            step \"last\" task=\"say\" after=\"left,middle,right\"
            step \"left\" task=\"meet\" {{ {place} }}
            step \"middle\" task=\"meet\" {{ {place} }}
            step \"right\" task=\"meet\" {{ {place} }}
        }}"
    ));
    rackwright(&order(&lab, &rack)).exits(0);
    assert_eq!(meeting.asked(), 3);
    let said = rackwright(&["logs", "--design", lab.design()]).exits(0).stdout;
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text} in {said}"));
    assert!(at("lab-n01 last: info: was here") > at("lab-n01 right: info: asks"), "{said}");
    rackwright(&["replay", "--design", lab.design()]).exits(0);
}

#[test]
fn a_killed_run_goes_on_with_every_step_that_was_under_way() {
    let meeting = Meeting::of(4);
    let place = format!("param \"place\" \"http://127.0.0.1:{}/\"", meeting.port);
    let (lab, rack) = lab(&format!(
        "blueprint \"graph\" {{
            step \"left\" task=\"meet\" {{ {place} }}
            step \"right\" task=\"meet\" {{ {place} }}
            step \"last\" task=\"say\" after=\"left,right\"
        }}"
    ));
    let running = Running::start(&[], &order(&lab, &rack));
    until(LIMIT, || (meeting.asked() == 2).then_some(())).expect("both steps ask");
    running.signal("KILL");
    running.wait(LIMIT);
    // Two more ask when it is resumed, and all four are answered.
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);
    assert_eq!(meeting.asked(), 4);
    let runs = rackwright(&["runs", lab.design(), "--json"]).exits(0).json();
    let resumed = runs["runs"].as_array().unwrap().last().unwrap();
    assert_eq!(resumed["state"], "succeeded", "{runs}");
}

#[test]
fn a_failed_step_takes_those_with_it_that_wait_for_it_and_no_others() {
    let (lab, rack) = lab("blueprint \"graph\" {
            step \"bad\" task=\"break\"
            step \"after-bad\" task=\"say\" after=\"bad\"
            step \"behind\" task=\"say\" after=\"after-bad,good\"
            step \"good\" task=\"say\"
            step \"after-good\" task=\"say\" after=\"good\"
        }");
    rackwright(&order(&lab, &rack)).exits(4).says("step `bad`: it is broken");
    let wanted = [
        ("after-bad", "skipped"),
        ("after-good", "succeeded"),
        ("bad", "failed"),
        ("behind", "skipped"),
        ("good", "succeeded"),
    ];
    let wanted = wanted.map(|(step, state)| (step.to_string(), state.to_string()));
    assert_eq!(states(&lab), BTreeMap::from(wanted));
}

#[test]
fn the_plan_says_what_waits_for_what_and_a_machine_is_disturbed_by_one_step_at_a_time() {
    let (lab, rack) = lab("blueprint \"graph\" {
            step \"configure\" task=\"say\" phase=\"configure\"
            step \"one\" task=\"cycle\" phase=\"deploy\"
            step \"two\" task=\"cycle\" phase=\"deploy\"
            step \"look\" task=\"say\" phase=\"verify\"
            step \"look-too\" task=\"say\" phase=\"verify\"
        }");
    lab.edit(
        "nodes.kdl",
        "profile \"compute\" extends=\"base\" {",
        "profile \"compute\" extends=\"base\" { lifecycle \"graph\"",
    );
    let plan = plan(&lab, &rack).exits(0).json();
    let steps = plan["nodes"][0]["steps"].as_array().unwrap();
    let after: Vec<String> = steps.iter().map(|step| format!("{} {}", step["step"], step["after"])).collect();
    let wanted = [
        r#""look" []"#,
        r#""look-too" []"#,
        r#""one" ["look","look-too"]"#,
        r#""two" ["one"]"#,
        r#""configure" ["two"]"#,
    ];
    assert_eq!(after, wanted);
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes", "--approve", "data-loss,reboot"])
        .exits(0);
}
