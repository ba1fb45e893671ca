//! The agent: a machine is commissioned, installed, wiped and taken out of care; killed controllers, lost machines, strangers,
//! and the real agent beside a rehearsal.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::witness::{self, query};
use common::{COMMAND_LIMIT, Lab, Output, RackProcess, Running, http, installs, rackwright, until};
use serde_json::{Value, json};
use sqlx::Row;
use std::path::PathBuf;
use std::time::Duration;

/// How long a story waits for something to begin.
const BEGINS: Duration = Duration::from_secs(120);

const BLUEPRINTS: &str = r#"
blueprint "furnish" {
    doc "Look inside, then install."
    step "verify"     task="std/verify"     phase="verify"
    step "commission" task="std/commission" phase="prepare" after="verify"
    step "install"    task="std/install"    phase="deploy"  after="commission"
}
blueprint "std/release" {
    doc "Leave nothing behind."
    step "wipe"   task="std/wipe"   phase="release"
    step "retire" task="std/retire" phase="release" after="wipe"
}
"#;

/// A lab of one node that is commissioned before it is installed, and wiped on its way out.
fn lab() -> Lab {
    let lab = Lab::small(1);
    lab.append("nodes.kdl", BLUEPRINTS);
    lab.edit("nodes.kdl", "    power \"on\"\n", "    lifecycle \"furnish\"\n");
    lab
}

fn rack(lab: &Lab, faults: Option<&str>) -> RackProcess {
    RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), faults)
}

fn apply(lab: &Lab, rack: &RackProcess) -> Output {
    rackwright(&[
        "apply",
        lab.design(),
        "--rack",
        rack.file(),
        "--yes",
        "--approve",
        "reboot,reinstall,data-loss",
    ])
}

/// The arguments of a wipe as a work order.
fn wipe<'a>(lab: &'a Lab, rack: &'a RackProcess) -> Vec<&'a str> {
    let run = ["run", "task", "std/wipe", "--on", "lab-n01", "--design", lab.design(), "--rack", rack.file()];
    [&run[..], &["--yes", "--approve", "data-loss"]].concat()
}

fn wipes(log: &[Value], phase: &str) -> Vec<Value> {
    log.iter().filter(|line| line["kind"] == "wipe" && line["phase"] == phase).cloned().collect()
}

fn fact(lab: &Lab, source: &str) -> Value {
    let rows = query(lab, "SELECT source, value FROM fact ORDER BY at DESC");
    let found = rows.iter().find(|row| row.get::<String, _>(0) == source);
    found.map_or(Value::Null, |row| serde_json::from_str(&row.get::<String, _>(1)).unwrap())
}

/// Steps and their reasons in the plan of now.
fn planned(lab: &Lab, rack: &RackProcess) -> Vec<(String, String)> {
    let plan =
        rackwright(&["plan", lab.design(), "--rack", rack.file(), "--refresh", "--json"]).exits(0).json();
    let steps =
        plan["nodes"].as_array().unwrap().iter().flat_map(|node| node["steps"].as_array().unwrap().clone());
    let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
    steps.map(|step| (word(&step["step"]), word(&step["reason"]["kind"]))).collect()
}

#[test]
fn a_machine_is_commissioned_installed_wiped_released_and_new_again() {
    let lab = lab();
    let rack = rack(&lab, None);
    apply(&lab, &rack).exits(0);
    let seen = fact(&lab, "agent");
    assert_eq!((&seen["memory_mib"], &seen["cpus"]["threads"]), (&json!(65536), &json!(16)), "{seen:#}");
    assert_eq!(seen["nics"][0]["mac"], "52:54:00:12:34:01");
    let disk = seen["disks"][0]["id"].as_str().unwrap().to_string();
    let log = rack.log();
    let agents = log.iter().filter(|line| line["booted"] == "agent" && line["outcome"] == "agent-running");
    assert_eq!((agents.count(), installs(&log, None).len()), (2, 1), "once to look, once to install");
    apply(&lab, &rack).exits(0).says("Nothing has to change");

    let release = ["release", "lab-n01", "--design", lab.design(), "--rack", rack.file(), "--yes"];
    rackwright(&release).exits(6).says("data-loss");
    assert!(wipes(&rack.log(), "start").is_empty());
    rackwright(&[&release[..], &["--approve", "reboot,data-loss"]].concat()).exits(0);
    let node = rack.node("lab-n01");
    assert_eq!((&node["disk"], &node["power"]), (&Value::Null, &json!("Off")), "{node:#}");
    let proof = fact(&lab, "wipe");
    let bytes = 480u64 << 30;
    assert_eq!(
        proof,
        json!([{"disk": disk, "method": "zero", "bytes": bytes, "read_back": bytes, "was_empty": false}])
    );
    let [wiped] = &wipes(&rack.log(), "end")[..] else { panic!("{:#?}", rack.log()) };
    assert_eq!(
        (&wiped["outcome"], &wiped["how"], &wiped["disk"]),
        (&json!("wiped"), &json!("zero"), &json!(disk))
    );

    // Nothing is true already: the next plan is that of a new machine.
    let steps = planned(&lab, &rack);
    let all = ["verify", "commission", "install"].map(|step| (step.to_string(), "never-done".to_string()));
    assert_eq!(steps, all);
    apply(&lab, &rack).exits(0);
    assert_eq!(installs(&rack.log(), None).len(), 2);
}

#[test]
fn a_wiped_machine_is_installed_again_and_an_empty_one_is_not_wiped() {
    let lab = lab();
    let rack = rack(&lab, None);
    apply(&lab, &rack).exits(0);
    rackwright(&wipe(&lab, &rack)).exits(0);
    assert_eq!(planned(&lab, &rack), [("install".to_string(), "wiped".to_string())]);
    rackwright(&wipe(&lab, &rack)).exits(0);
    assert_eq!((wipes(&rack.log(), "start").len(), &fact(&lab, "wipe")[0]["was_empty"]), (1, &json!(true)));
    apply(&lab, &rack).exits(0);
    assert_eq!(installs(&rack.log(), None).len(), 2);
    apply(&lab, &rack).exits(0).says("Nothing has to change");
}

#[test]
fn killed_in_the_middle_of_a_wipe_the_controller_goes_on_and_the_order_is_carried_out_once() {
    let lab = lab();
    let rack = rack(&lab, None);
    apply(&lab, &rack).exits(0);
    let mut run = Running::start(&[], &wipe(&lab, &rack));
    let begun =
        until(BEGINS, || (!wipes(&rack.log(), "start").is_empty() || !run.is_running()).then_some(()));
    assert!(begun.is_some() && run.is_running(), "no wipe begins");
    run.signal("KILL");
    assert_eq!(run.wait(COMMAND_LIMIT).code, None);
    // The machine goes on without a controller, and waits for one to hear of it.
    let ended = until(BEGINS, || wipes(&rack.log(), "end").pop());
    assert_eq!(ended.unwrap()["outcome"], "wiped");
    // The first goes on with the run, and plans the install anew.
    apply(&lab, &rack).exits(0);
    let log = rack.log();
    let [wiped] = &wipes(&log, "start")[..] else { panic!("{:#?}", wipes(&log, "start")) };
    let answered = query(&lab, "SELECT id, answer, wrote FROM effect WHERE name = 'agent.wipe'");
    let [row] = &answered[..] else { panic!("{} effects wipe", answered.len()) };
    assert_eq!((wiped["effect"].as_str().unwrap(), 1), (row.get(0), row.get::<i64, _>(2)));
    assert_eq!(fact(&lab, "wipe")[0]["was_empty"], false, "it is the answer of the first time");
    let last = apply(&lab, &rack).exits(0);
    assert!(last.stdout.contains("Nothing has to change"), "{}", last.stdout);
    assert_eq!(installs(&log, None).len(), 2, "once before the wipe, once after it");
    witness::nothing_twice(&lab, &rack);
    witness::nothing_is_running(&lab);
}

#[test]
fn a_machine_that_is_restarted_in_the_middle_is_given_its_order_again() {
    let lab = lab();
    let rack = rack(&lab, None);
    apply(&lab, &rack).exits(0);
    let run = Running::start(&[], &wipe(&lab, &rack));
    assert!(until(BEGINS, || wipes(&rack.log(), "start").pop()).is_some(), "no wipe begins");
    rack.patch("lab-n01", json!({"power": "Off"}));
    // The ticket is still good, and what the wipe has left does not boot: the network is next.
    rack.patch("lab-n01", json!({"power": "On"}));
    run.wait(COMMAND_LIMIT).exits(0);
    let log = rack.log();
    let outcomes: Vec<Value> = wipes(&log, "end").iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["interrupted", "wiped"]);
    let orders: Vec<Value> = wipes(&log, "start").iter().map(|line| line["effect"].clone()).collect();
    assert_eq!(orders[0], orders[1], "it is the same order");
    assert_eq!(rack.node("lab-n01")["disk"], Value::Null);
}

#[test]
fn a_ticket_that_is_not_the_attempts_own_or_not_an_agents_orders_nothing() {
    let lab = lab();
    lab.write(
        "scripts/stray.rhai",
        r#"fn apply(node) {
    try { agent::inventory(node, "t9"); } catch (error) { log::info(error.message); }
    let install = pxe::ticket(node);
    try { agent::wipe(node, install, ["virtual-d1"], "zero"); } catch (error) { log::info(error.message); }
    try { wait::agent(node, install, "1s"); } catch (error) { log::info(error.message); }
    let own = pxe::agent_ticket(node);
    try { wait::agent(node, own, "1s"); } catch (error) { log::info(error.message); }
    try { wait::installed(node, own, "1s"); } catch (error) { log::info(error.message); }
    try { agent::wipe(node, own, [], "zero"); } catch (error) { log::info(error.message); }
    try { agent::stress(node, own, "4d", 80); } catch (error) { log::info(error.message); }
    try { agent::stress(node, own, "1m", 96); } catch (error) { log::info(error.message); }
    pxe::withdraw(node, own);
    try { agent::inventory(node, own); } catch (error) { log::info(error.message); }
}
"#,
    );
    let task = r#"task "stray" script="stray.rhai" { doc "Try."; hazard "data-loss"; allow "agent" "log" "pxe" "wait" }"#;
    lab.append("nodes.kdl", task);
    let rack = rack(&lab, None);
    let run = [
        "run",
        "task",
        "stray",
        "--on",
        "lab-n01",
        "--design",
        lab.design(),
        "--rack",
        rack.file(),
        "--yes",
        "--approve",
        "data-loss",
    ];
    rackwright(&run).exits(0);
    let logs = rackwright(&["logs", "--design", lab.design(), "--step", "stray", "--json"]).exits(0);
    let said: Vec<String> =
        logs.events().iter().filter_map(|line| Some(line["text"].as_str()?.to_string())).collect();
    for (index, part) in [
        "`t9` is no boot ticket of this attempt",
        "the boot ticket installs",
        "the boot ticket installs",
        "no agent said hello within 1s",
        "the boot ticket is an agent's",
        "are not all named",
        "at most three days",
        "0 to 95 percent",
        "was withdrawn",
    ]
    .iter()
    .enumerate()
    {
        let said: Vec<&String> = said.iter().filter(|text| !text.starts_with("attempt ")).collect();
        assert!(said.get(index).is_some_and(|text| text.contains(part)), "{part}: {said:#?}");
    }
}

#[test]
fn a_disk_that_fails_and_a_machine_that_loses_its_power_are_failures_that_name_it() {
    let lab = lab();
    let failing = rack(&lab, Some("1:wipe-fail=1"));
    apply(&lab, &failing).exits(0);
    rackwright(&wipe(&lab, &failing))
        .exits(4)
        .says("the agent failed: disk `virtual-")
        .says("a block is bad");
    let end = wipes(&failing.log(), "end");
    assert_eq!((end.len(), &end[0]["outcome"]), (1, &json!("failed")));
    // It is not what it was, and not wiped either: it is installed again.
    assert_eq!(planned(&lab, &failing), [("install".to_string(), "wiped".to_string())]);
    drop(failing);

    let dying = rack(&lab, Some("1:wipe-cut=1"));
    rackwright(&wipe(&lab, &dying)).exits(4).says("the agent was not heard of for 1m");
    assert_eq!(dying.node("lab-n01")["power"], "Off");
    assert_eq!(wipes(&dying.log(), "end").pop().unwrap()["outcome"], "interrupted");
    drop(dying);

    // What the cut left is no empty disk.
    let whole = rack(&lab, None);
    rackwright(&wipe(&lab, &whole)).exits(0);
    assert_eq!(fact(&lab, "wipe")[0]["was_empty"], false);
    assert_eq!(whole.node("lab-n01")["disk"], Value::Null);
}

#[test]
fn a_burn_in_is_recorded_and_a_machine_that_computes_wrongly_fails_it() {
    let lab = lab();
    let sound = rack(&lab, None);
    let burn_in = |rack: &RackProcess| {
        let run =
            ["run", "task", "std/burn-in", "--on", "lab-n01", "-p", "time=2h", "--design", lab.design()];
        rackwright(&[&run[..], &["--rack", rack.file(), "--yes", "--approve", "reboot"]].concat())
    };
    burn_in(&sound).exits(0);
    let found = fact(&lab, "burn-in");
    assert_eq!((&found["seconds"], &found["faults"]), (&json!(7200), &json!(0)), "{found}");
    assert_eq!(sound.node("lab-n01")["power"], "Off");
    drop(sound);
    let faulty = rack(&lab, Some("1:stress-fail=1"));
    burn_in(&faulty).exits(4).says("computes or remembers wrongly: 1 faults");
    assert_eq!(fact(&lab, "burn-in")["faults"], 1, "what was found is on record all the same");
}

/// A machine in a folder with the node's boot MAC, or another one; its one disk is a file of 5 MiB.
fn desk_machine(lab: &Lab, name: &str, mac: &str) -> (PathBuf, PathBuf) {
    let root = lab.beside(name);
    let nic = root.join("sys/class/net/eth0");
    std::fs::create_dir_all(nic.join("device")).unwrap();
    std::fs::write(nic.join("address"), format!("{mac}\n")).unwrap();
    let disk = lab.beside(&format!("{name}.img"));
    std::fs::write(&disk, vec![7u8; 5 << 20]).unwrap();
    (root, disk)
}

fn agent(url: &str, machine: &(PathBuf, PathBuf)) -> Running {
    let (root, disk) = (machine.0.to_str().unwrap(), machine.1.to_str().unwrap());
    Running::start(&[], &["agent", "--url", url, "--root", root, "--disk", disk])
}

/// Where the boot services are, and where the agent of the order's ticket says hello.
fn agents_url(lab: &Lab, rack: &RackProcess, order: &mut Running) -> (String, String) {
    let service = lab.read("site.kdl");
    let (_, rest) = service.split_once("advertise=\"").unwrap();
    let base = rest.split('"').next().unwrap();
    let running = |line: &Value| line["outcome"] == "agent-running";
    let up = until(BEGINS, || (rack.log().iter().any(running) || !order.is_running()).then_some(()));
    assert!(up.is_some() && order.is_running(), "the machine boots no agent: {:#?}", rack.log());
    let script = http("GET", &format!("{base}/boot/ipxe/52:54:00:12:34:01"), None);
    let (_, rest) = script.body.split_once("rackwright.agent=").unwrap_or_else(|| panic!("{}", script.body));
    (base.to_string(), rest.split_whitespace().next().unwrap().to_string())
}

/// Says something as an agent would, and is answered so.
fn say(url: &str, what: &str, message: Value, status: u16) -> Value {
    let answer = http("POST", &format!("{url}/{what}"), Some(&message));
    assert_eq!(answer.status, status, "{what} {message}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_default()
}

/// An agent by hand: others are refused, it takes the order to wipe, and never ends it.
fn takes_the_wipe(lab: &Lab, url: &str) {
    let rows = query(lab, "SELECT identity FROM node WHERE name = 'lab-n01'");
    let known: Value = serde_json::from_str(&rows[0].get::<String, _>(0)).unwrap();
    let uuid = known["uuid"].as_str().unwrap().to_string();
    let hello = |boot: &str, uuid: &str, macs: Value, status: u16| {
        let identity = json!({"uuid": uuid, "serial": known["serial"], "macs": macs});
        say(url, "hello", json!({"boot": boot, "version": "0", "identity": identity}), status);
    };
    let own = json!(["52:54:00:12:34:01"]);
    hello("other", "4c4c4544-0042-4c10-8051-b9c04f4d3132", own.clone(), 410);
    hello("nobody", &uuid, json!([]), 410);
    hello("hand", &uuid, own.clone(), 204);
    // A second one with the boot MAC that says nothing of its UUID.
    let without = json!({"uuid": null, "serial": null, "macs": own});
    say(url, "hello", json!({"boot": "second", "version": "0", "identity": without}), 410);
    let order = say(url, "next", json!({"boot": "hand"}), 200);
    assert_eq!((&order["do"], &order["version"]), (&json!("inventory"), &json!(env!("CARGO_PKG_VERSION"))));
    let disk = json!({"id": "S1", "name": "sda", "model": "PM9A3", "serial": "S1", "bytes": 512, "rotational": false,
                      "removable": false, "transport": "sas", "in_use": null, "of-another-version": 1});
    let answer = json!({"vendor": null, "model": null, "serial": null, "uuid": uuid, "bios": null, "memory_mib": 1,
                        "cpus": {"model": null, "sockets": 1, "threads": 1}, "disks": [disk], "nics": []});
    let id = order["id"].clone();
    say(url, "said", json!({"boot": "hand", "id": id, "state": "done", "answer": answer}), 204);
    let order = until(BEGINS, || {
        let answer = http("POST", &format!("{url}/next"), Some(&json!({"boot": "hand"})));
        (answer.status == 200).then(|| serde_json::from_str::<Value>(&answer.body).unwrap())
    });
    let wanted = json!([{"id": "S1", "bytes": 512, "model": "PM9A3", "serial": "S1"}]);
    assert_eq!(order.unwrap()["disks"], wanted);
}

#[test]
fn a_wipe_that_nobody_waits_for_any_more_is_told_and_ended_by_switching_its_machine_off() {
    let lab = lab();
    let rack = rack(&lab, Some("1:agent-silent=1"));
    let mut order = Running::start(&[], &wipe(&lab, &rack));
    let (_, url) = agents_url(&lab, &rack, &mut order);
    takes_the_wipe(&lab, &url);
    order.signal("INT");
    let ended = order.wait(COMMAND_LIMIT).says("The agent of lab-n01 goes on");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let (_, rest) = said.split_once("`rackwright cancel ").unwrap();
    let run = rest.split('`').next().unwrap();
    assert_eq!(rack.node("lab-n01")["power"], "On");
    rackwright(&["cancel", run, "--design", lab.design(), "--rack", rack.file()]).exits(0);
    assert_eq!(rack.node("lab-n01")["power"], "Off");
}

#[test]
fn a_wipe_whose_step_runs_out_of_time_ends_with_its_machine_off() {
    let lab = lab();
    lab.append("nodes.kdl", "blueprint \"short\" {\n    doc \"Too short.\"\n    step \"wipe\" task=\"std/wipe\" phase=\"release\" { timeout \"25s\" }\n}\n");
    let rack = rack(&lab, Some("1:agent-silent=1"));
    let run =
        ["run", "blueprint", "short", "--on", "lab-n01", "--design", lab.design(), "--rack", rack.file()];
    let mut order = Running::start(&[], &[&run[..], &["--yes", "--approve", "data-loss"]].concat());
    let (_, url) = agents_url(&lab, &rack, &mut order);
    takes_the_wipe(&lab, &url);
    order.wait(COMMAND_LIMIT).exits(4).says("timeout ended during agent.wipe");
    assert_eq!(rack.node("lab-n01")["power"], "Off");
}

#[test]
fn the_real_agent_takes_the_orders_and_another_machine_or_key_gets_none() {
    let lab = lab();
    // The rehearsal machine's own agent never asks: what takes its orders is a process of ours.
    let rack = rack(&lab, Some("1:agent-silent=1"));
    let mut order = Running::start(&[], &wipe(&lab, &rack));
    let (base, url) = agents_url(&lab, &rack, &mut order);

    let stranger = desk_machine(&lab, "stranger", "52:54:00:12:34:02");
    agent(&url, &stranger).wait(COMMAND_LIMIT).exits(1).says("made for another machine");
    let own = desk_machine(&lab, "own", "52:54:00:12:34:01");
    agent(&format!("{base}/boot/agent/0123456789"), &own)
        .wait(COMMAND_LIMIT)
        .exits(1)
        .says("does not know this key");
    let key = url.rsplit('/').next().unwrap();
    assert_eq!(
        http("GET", &format!("{base}/boot/order/{key}"), None).status,
        404,
        "an agent's key installs nothing"
    );

    let working = agent(&url, &own);
    order.wait(COMMAND_LIMIT).exits(0);
    working.wait(COMMAND_LIMIT).exits(0).says("wipe is done").says("there are no more orders");
    assert_eq!(std::fs::read(&own.1).unwrap(), vec![0u8; 5 << 20]);
    assert_eq!(std::fs::read(&stranger.1).unwrap(), vec![7u8; 5 << 20]);
    let proof = fact(&lab, "wipe");
    let bytes = 5 << 20;
    assert_eq!(
        proof,
        json!([{"disk": own.1.to_str().unwrap(), "method": "zero", "bytes": bytes, "read_back": bytes,
                "was_empty": false}])
    );
}
