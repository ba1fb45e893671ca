//! What is done for the site as a whole: before any node, each time that nodes are worked on, and alone when asked for.

mod common;

use common::{Lab, RackProcess, installs, mutating, rackwright, rackwright_with};

/// Needed by no rehearsal, and by whoever works on real machines.
const SECRET: &str = "RACKWRIGHT_TEST_SITE_SECRET";

fn lab() -> Lab {
    let lab = Lab::small(2);
    lab.edit("site.kdl", "first-install \"allow\"", "first-install \"allow\"\n    lifecycle \"std/site\"");
    lab
}

#[test]
fn the_site_comes_before_its_nodes_and_a_second_apply_has_nothing_to_do() {
    let lab = lab();
    let planned = rackwright(&["plan", lab.design(), "--virtual", "--json"]).exits(0).json();
    let steps = planned["site_work"]["steps"].as_array().unwrap();
    let steps: Vec<String> =
        steps.iter().map(|step| format!("{} {} {}", step["phase"], step["step"], step["after"])).collect();
    let wanted = [
        r#""verify-site" "services" []"#,
        r#""verify-site" "images" []"#,
        r#""verify-site" "credentials" []"#,
        r#""prepare-site" "revision" ["services","images","credentials"]"#,
    ];
    assert_eq!(steps, wanted);
    rackwright(&["plan", lab.design(), "--virtual"])
        .exits(0)
        .says("run site:lab")
        .says("each time, before any node");

    let events = rackwright(&["apply", lab.design(), "--virtual", "--yes", "--json"]).exits(0).events();
    let of = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap_or_default().to_string();
    let first_node = events
        .iter()
        .position(|event| of(event, "event") == "step-started" && of(event, "node") != "site:lab");
    let site_ended =
        events.iter().position(|event| of(event, "event") == "node-ended" && of(event, "node") == "site:lab");
    assert!(site_ended.unwrap() < first_node.unwrap(), "{events:?}");
    let finished = events.last().unwrap();
    assert_eq!(finished["nodes"]["succeeded"], 2, "{finished}");
    assert_eq!(events[0]["nodes"], 2, "{}", events[0]);

    let mutations = mutating(&lab.virtual_log()).len();
    rackwright(&["apply", lab.design(), "--virtual", "--yes"])
        .exits(0)
        .says("Nothing has to change: 2 nodes as designed");
    assert_eq!(mutating(&lab.virtual_log()).len(), mutations);
    let logs = rackwright(&["logs", "--design", lab.design(), "--virtual", "--node", "site:lab"]).exits(0);
    logs.says("site:lab revision: info: the site is worked on with revision");
}

#[test]
fn its_phases_can_be_asked_for_alone() {
    let lab = lab();
    let until = |phase: &str| rackwright(&["apply", lab.design(), "--virtual", "--yes", "--until", phase]);
    until("verify-site").exits(0).says("The run succeeded");
    until("prepare-site").exits(0).says("The run succeeded");
    assert!(mutating(&lab.virtual_log()).is_empty());
    let status = rackwright(&["status", lab.design(), "--virtual", "--json"]).exits(0).json();
    assert_eq!(status["run"]["targets"].as_array().unwrap().len(), 1, "{status}");
    rackwright(&[
        "run",
        "task",
        "std/verify-images",
        "--on",
        "lab-n01",
        "--design",
        lab.design(),
        "--virtual",
        "--yes",
    ])
    .exits(64)
    .says("is about the site, and not about nodes");
}

#[test]
fn a_payload_that_is_not_what_the_design_says_keeps_every_node_from_being_touched() {
    let lab = lab();
    let rack = RackProcess::start(&lab);
    let apply = || rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    let kernel = lab.read("files/boot/agent.kernel");
    lab.write("files/boot/agent.kernel", &format!("{kernel}x"));
    apply()
        .exits(4)
        .says("kernel of image `debian-12`: `files/boot/agent.kernel` has the digest sha256:")
        .says("lab-n01: skipped: nothing was done: the work of the site before it did not end well (step `images`: kernel of")
        .says("The run failed: 2 skipped");
    assert!(mutating(&rack.log()).is_empty());

    // Mended, everything is done; what failed for the site is no question for its nodes.
    lab.write("files/boot/agent.kernel", &kernel);
    apply().exits(0);
    assert_eq!(installs(&rack.log(), None).len(), 2);
    apply().exits(0).says("Nothing has to change");
}

#[test]
fn a_secret_that_cannot_be_fetched_is_named_before_a_machine_is_asked_to_do_anything() {
    let lab = lab();
    lab.edit("nodes.kdl", "\"env:BMC_PASSWORD\"", &format!("\"env:{SECRET}\""));
    let until = ["apply", lab.design(), "--yes", "--until", "verify-site"];
    rackwright(&until)
        .exits(4)
        .says(&format!("bmc.password of lab-n01 and 1 more: the environment variable {SECRET} is not set"));
    rackwright_with(&[(SECRET, "x")], &until).exits(0);
}

#[test]
fn a_trace_has_the_work_of_the_site_in_front() {
    let lab = lab();
    let traced = rackwright(&["plan", lab.design(), "--virtual", "--trace", "--json"]).exits(0).json();
    let steps = traced["site_work"]["steps"].as_array().unwrap();
    let revision = &steps[3]["trace"];
    assert_eq!(revision["calls"][0]["effect"], "fact.record", "{revision}");
    assert_eq!(revision["end"]["is"], "complete", "{revision}");
    for step in &steps[..3] {
        assert_eq!(step["trace"]["end"]["is"], "complete", "{step}");
    }
    rackwright(&["plan", lab.design(), "--virtual", "--trace"]).exits(0).says("site:lab");
}
