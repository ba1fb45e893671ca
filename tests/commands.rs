//! Command tasks: programs of an allow-list, looked after by a keeper that outlives the controller; and Ansible.
//!
//! A command is held up by files that the test makes, so that no time decides. `tests/run` installs Ansible.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::tasks::{self, answers, lab, log};
use common::{COMMAND_LIMIT, Lab, Output, Running, rackwright, rackwright_with, until, witness};
use std::path::Path;

const APPLY: &[&str] = &["--virtual", "--yes"];

fn arguments(lab: &Lab) -> Vec<&str> {
    [&["apply", lab.design()], APPLY].concat()
}

fn apply(lab: &Lab) -> Output {
    rackwright(&arguments(lab))
}

/// Whatever is kept for finding commands again; nothing when all are on record.
fn kept(lab: &Lab) -> usize {
    std::fs::read_dir(lab.own().join("commands")).map_or(0, |entries| entries.count())
}

#[test]
fn a_command_gets_the_node_and_an_environment_of_its_own_and_gives_a_result() {
    let lab = lab(
        r#"
task "test" command="sh" {
    doc "Test."
    uses "labels" "bmc"
    param "level" default="high"
    args "-c" "cat; echo; cat {params}; echo; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo $LEVEL {node}; test -d {design}/files; echo '{\"ok\": 1}' > $RACKWRIGHT_RESULT"
    environment "LEVEL" "9"
    rehearse "run"
}
task "left-out" command="false" { doc "Not in a rehearsal." }
task "fails" command="sh" { doc "Fails."; args "-c" "echo loud >&2; exit 7"; rehearse "run" }"#,
        &["test", "left-out", "fails"],
    );
    let trace = rackwright(&["plan", lab.design(), "--virtual", "--trace"]).exits(0);
    trace.says("once   command.run(").says("program: \"sh\"").says("made/test.rhai:3");
    let env = [("BMC_PASSWORD", "hunter2-hunter2"), ("OTHER", "x")];
    rackwright_with(&env, &arguments(&lab)).exits(4).says("it ended with exit code 7: loud");
    let said = log(&lab, "test");
    assert!(
        said[0].starts_with(r#"{"node":"lab-n01","params":{"level":"high"},"spec":{"bmc":{"#),
        "{}",
        said[0]
    );
    assert!(!said[0].contains("password"), "{}", said[0]);
    let names = "HOME LANG LEVEL PATH PWD RACKWRIGHT_PARAMS RACKWRIGHT_PAYLOAD RACKWRIGHT_RESULT ";
    assert_eq!(said[1..], [r#"{"level":"high"}"#, names, "9 lab-n01"]);
    assert_eq!(answers(&lab)[0]["result"].to_string(), r#"{"ok":1}"#);
    assert_eq!(answers(&lab)[1]["skipped"], true);
    let left = "SELECT value FROM output WHERE step = 'test' AND name = 'result'";
    assert_eq!(witness::rows(&lab.virtual_store(), left), [r#"{"ok":1}"#]);
    assert_eq!(kept(&lab), 0);
}

#[test]
fn what_a_killed_process_left_behind_goes_with_the_next_run() {
    let lab = lab(
        "task \"short\" command=\"true\" { doc \"x\"; param \"a\" default=\"1\"; rehearse \"run\" }",
        &["short"],
    );
    apply(&lab).exits(0);
    // As if it had been killed between its last answer and the removal; the other one is of another store.
    let id = witness::rows(&lab.virtual_store(), "SELECT id FROM effect WHERE kind = 'once'")[0].clone();
    for name in [id.as_str(), "r000000000000-1-0"] {
        std::fs::create_dir_all(lab.own().join("commands").join(name)).unwrap();
    }
    lab.edit("tasks.kdl", "default=\"1\"", "default=\"2\"");
    apply(&lab).exits(0);
    assert!(!lab.own().join("commands").join(id).exists());
    assert!(lab.own().join("commands/r000000000000-1-0").exists());
}

#[test]
fn a_program_that_the_task_does_not_name_is_refused_before_anything_is_started() {
    let lab =
        lab(r#"task "sly" script="sly.rhai" { doc "Sly."; allow "command"; programs "true" }"#, &["sly"]);
    let script = "fn apply(node) { command::run(node, \"true\", [], #{ rehearse: \"run\" });\n";
    let mark = lab.beside("mark");
    let touch =
        format!("command::run(node, \"touch\", [\"{}\"], #{{ rehearse: \"run\" }}); }}", mark.display());
    lab.write("scripts/sly.rhai", &format!("{script}{touch}"));
    apply(&lab).exits(4).says("task `sly` does not name `touch` in its `programs`");
    assert!(!mark.exists());
    assert_eq!(answers(&lab).len(), 1);
    // No shell looks at what it is given.
    lab.write("scripts/sly.rhai", "fn apply(node) { command::run(node, \"true; touch x\", []); }");
    apply(&lab).exits(4).says("does not name `true; touch x`");
}

/// A task that says who it is, and goes on when the test lets it.
fn waiting(lab: &Lab) -> std::path::PathBuf {
    let gate = lab.beside("gate");
    let text = lab.read("tasks.kdl").replace("GATE", gate.to_str().unwrap());
    lab.write("tasks.kdl", &text);
    gate
}

const WAITS: &str = r#"
task "long" command="sh" {
    doc "Long."
    args "-c" "echo began $$; until [ -e GATE ]; do sleep 0.05; done; echo $$"
    rehearse "run"
}"#;

#[test]
fn a_command_goes_on_when_its_controller_is_killed_and_is_found_again() {
    for still_running in [true, false] {
        let lab = lab(WAITS, &["long"]);
        let gate = waiting(&lab);
        let first = Running::start(&[], &arguments(&lab));
        let began = until(COMMAND_LIMIT, || log(&lab, "long").into_iter().next()).unwrap();
        let process = began.strip_prefix("began ").unwrap().to_string();
        first.signal("KILL");
        first.wait(COMMAND_LIMIT);
        let is_there = || Path::new("/proc").join(&process).exists();
        assert!(is_there(), "the command ended with its controller");
        if still_running {
            let second = Running::start(&[], &arguments(&lab));
            std::fs::write(&gate, "").unwrap();
            second.wait(COMMAND_LIMIT).exits(0);
        } else {
            std::fs::write(&gate, "").unwrap();
            until(COMMAND_LIMIT, || (!is_there()).then_some(())).unwrap();
            apply(&lab).exits(0);
        }
        // The process that had begun is the one that answered.
        let answers = answers(&lab);
        assert_eq!((answers.len(), answers[0]["result"].to_string()), (1, process.clone()));
        assert_eq!(log(&lab, "long"), [began, process]);
        assert_eq!(kept(&lab), 0);
    }
}

#[test]
fn a_command_whose_time_is_over_is_killed_and_so_is_one_of_a_cancelled_run() {
    let lab = lab(&WAITS.replace("rehearse", "limits time=\"1s\"; rehearse"), &["long"]);
    waiting(&lab);
    apply(&lab).exits(4).says("it did not end within 1s and was killed: began");
    assert_eq!(kept(&lab), 0);

    let lab = tasks::lab(WAITS, &["long"]);
    waiting(&lab);
    let first = Running::start(&[], &arguments(&lab));
    let began = until(COMMAND_LIMIT, || log(&lab, "long").into_iter().next()).unwrap();
    first.signal("INT");
    // Whoever is told to stop does not wait for it.
    first.wait(COMMAND_LIMIT).exits(130);
    let process = Path::new("/proc").join(began.strip_prefix("began ").unwrap());
    assert!(process.exists());
    let run = witness::rows(&lab.virtual_store(), "SELECT id FROM run")[0].clone();
    rackwright(&["cancel", &run, "--design", lab.design(), "--virtual"]).exits(0);
    assert!(until(COMMAND_LIMIT, || (!process.exists()).then_some(())).is_some());
    assert_eq!(kept(&lab), 0);
}

#[test]
fn a_command_whose_keeper_was_killed_is_in_doubt() {
    let lab = lab(WAITS, &["long"]);
    let gate = waiting(&lab);
    let first = Running::start(&[], &arguments(&lab));
    let began = until(COMMAND_LIMIT, || log(&lab, "long").into_iter().next()).unwrap();
    let process = began.strip_prefix("began ").unwrap();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let keeper = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().to_string();
    first.signal("KILL");
    first.wait(COMMAND_LIMIT);
    common::program("kill", &["-KILL", &keeper]).exits(0);
    apply(&lab).exits(4).says("is in doubt");
    // Nobody begins it again by himself.
    assert_eq!(answers(&lab).len(), 0);
    std::fs::write(&gate, "").unwrap();
    until(COMMAND_LIMIT, || (!Path::new("/proc").join(process).exists()).then_some(())).unwrap();
}

#[test]
fn a_playbook_gets_an_inventory_of_its_node_and_the_parameters() {
    let playbook = std::env::var("ANSIBLE_PLAYBOOK").unwrap_or_else(|_| "/usr/bin/ansible-playbook".into());
    assert!(Path::new(&playbook).exists(), "tests/run installs Ansible and sets ANSIBLE_PLAYBOOK");
    let lab = lab(
        &format!(
            r#"
task "play" command="{playbook}" playbook="files/site.yml" {{
    doc "Play."
    uses "labels" "rack"
    param "greeting" default="hello {{{{ 1 }}}}"
    rehearse "run"
}}"#
        ),
        &["play"],
    );
    let to = lab.beside("written");
    let text = r#"
- hosts: label_role_worker:&rack_r1:&profile_compute
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        dest: TO
        content: "{{ inventory_hostname }} {{ ansible_host }} {{ rackwright.labels.role }} {{ greeting }}"
    - ansible.builtin.fail:
        msg: "the rack is {{ rackwright.rack }}"
      when: greeting == "fail"
"#;
    lab.write("files/site.yml", &text.replace("TO", to.to_str().unwrap()));
    apply(&lab).exits(0);
    // A text of the design is a text, and no template.
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "lab-n01 10.20.0.101 worker hello {{ 1 }}");
    assert!(log(&lab, "play").iter().any(|line| line.contains("changed=1")), "{:?}", log(&lab, "play"));
    lab.edit("tasks.kdl", "hello {{ 1 }}", "fail");
    apply(&lab).exits(4).says("the rack is r1");
}
