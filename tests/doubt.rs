//! A write that must not be repeated and that nobody knows the end of: it is never repeated blindly, a person is asked,
//! and the two commands of the question go on from there.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{COMMAND_LIMIT, Lab, RackProcess, Running, mutating, rackwright, until};
use sqlx::{ConnectOptions, Connection};

/// A bring-up with a step that restarts the machine, which nothing shows afterwards, and then waits.
const DESIGN: &str = r#"
task "restart-once" script="restart.rhai" { doc "Restart it, once."; hazard "reboot"; allow "bmc" "wait" }
blueprint "restarting" {
    step "restart" task="restart-once" phase="prepare"
    step "power" task="std/power" phase="configure" after="restart"
}
"#;
const SCRIPT: &str = "fn apply(node) { bmc::power_on(node); bmc::restart(node); wait::time(\"1h\"); }";

#[test]
fn an_unanswered_once_effect_is_in_doubt_and_skip_goes_on() {
    let (lab, rack, question) = in_doubt();
    let run =
        question.split("rackwright skip ").nth(1).unwrap().split_whitespace().next().unwrap().to_string();
    // In doubt is blocked, however often it is applied.
    apply(&lab, &rack).exits(4).says("in doubt");
    assert_eq!(restarts(&rack), 1);

    let place = ["--node", "lab-n01", "--step", "restart", "--design", lab.design(), "--rack", rack.file()];
    rackwright(&[&["skip", "r0"], &place[..]].concat()).exits(64).says("is not in doubt");
    rackwright(&[&["skip", run.as_str()], &place[..]].concat()).exits(0).says("counts as done");
    apply(&lab, &rack).exits(0);
    assert_eq!(restarts(&rack), 1, "it was done again");
    apply(&lab, &rack).exits(0).says("Nothing has to change");
}

#[test]
fn retry_does_it_again_and_only_then() {
    let (lab, rack, question) = in_doubt();
    let run =
        question.split("rackwright retry ").nth(1).unwrap().split_whitespace().next().unwrap().to_string();
    let place = ["--node", "lab-n01", "--step", "restart", "--design", lab.design(), "--rack", rack.file()];
    rackwright(&[&["retry", run.as_str()], &place[..]].concat()).exits(0).says("does it again");
    assert_eq!(restarts(&rack), 1);
    // The script is mended meanwhile: the new attempt takes the new one.
    lab.write("scripts/restart.rhai", "fn apply(node) { bmc::power_on(node); bmc::restart(node); }");
    apply(&lab, &rack).exits(0);
    assert_eq!(restarts(&rack), 2);
}

/// A journal that does not match what its script asks for now, or that this build cannot read: nothing goes live.
#[test]
fn a_journal_that_does_not_match_is_in_doubt_and_nothing_is_done() {
    for (change, question) in [
        (
            "UPDATE pinned SET content = replace(content, 'wait::time(\\\"1h\\\")', 'wait::time(\\\"2h\\\")')",
            "the journal began wait.time as effect 2, the script now asks for wait.time",
        ),
        (
            "UPDATE pinned SET content = replace(content, 'bmc::power_on(node);', 'bmc::power_off(node);')",
            "the script does not match its journal",
        ),
        (
            "UPDATE effect SET name = 'bmc.levitate' WHERE name = 'bmc.power_on'",
            "the journal holds the effect bmc.levitate, which this build does not have",
        ),
    ] {
        let (lab, rack) = waiting_lab();
        assert!(on_store(&lab, change) > 0, "{change}");
        let before = rack.mutations();
        apply(&lab, &rack).exits(4).says(question).says("rackwright skip ").says("rackwright retry ");
        apply(&lab, &rack).exits(4).says("in doubt");
        assert_eq!(rack.mutations(), before, "{question}: something went live");
    }
}

/// A lab of one node whose restart was sent, and whose controller died before it had written the answer down.
fn in_doubt() -> (Lab, RackProcess, String) {
    let (lab, rack) = waiting_lab();
    forget_the_answer(&lab);

    let said = apply(&lab, &rack).exits(4);
    assert_eq!(restarts(&rack), 1, "it was repeated blindly");
    let said = format!("{}{}", said.stdout, said.stderr);
    assert!(said.contains("nobody knows whether it was done"), "{said}");
    (lab, rack, said)
}

/// A lab of one node whose controller was killed in the wait behind the restart.
fn waiting_lab() -> (Lab, RackProcess) {
    let lab = Lab::small(1);
    lab.append("nodes.kdl", DESIGN);
    lab.write("scripts/restart.rhai", SCRIPT);
    lab.edit(
        "nodes.kdl",
        "hardware \"virtual-1u\"\n",
        "hardware \"virtual-1u\"\n    lifecycle \"restarting\"\n",
    );
    // One that says when it was last reset would answer the question itself.
    let rack =
        RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("1:silent-resets=1"));
    let args =
        ["apply", lab.design(), "--rack", rack.file(), "--yes", "--approve", "reboot"].map(str::to_string);
    let first = Running::start(&[], &args.each_ref().map(String::as_str));
    assert!(until(COMMAND_LIMIT, || (waiting(&lab)).then_some(())).is_some(), "it never came to its wait");
    first.signal("KILL");
    drop(first);
    (lab, rack)
}

fn apply(lab: &Lab, rack: &RackProcess) -> common::Output {
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes", "--approve", "reboot"])
}

/// True once the restart is answered and the wait after it has begun.
fn waiting(lab: &Lab) -> bool {
    lab.store().exists() && on_store(lab, "SELECT 1 FROM effect WHERE name = 'wait.time'") > 0
}

/// The journal as it is when the process ends between the device's answer and its record.
fn forget_the_answer(lab: &Lab) {
    on_store(lab, "DELETE FROM effect WHERE name = 'wait.time'");
    let forgotten = on_store(
        lab,
        "UPDATE effect SET answer = NULL, wrote = NULL, answered_at = NULL WHERE name = 'bmc.restart'",
    );
    assert_eq!(forgotten, 1);
}

/// Runs a statement on the store; how many rows it found or changed.
fn on_store(lab: &Lab, sql: &'static str) -> u64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(lab.store());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let Ok(mut connection) = options.connect().await else { return 0 };
        let found = match sql.starts_with("SELECT") {
            true => sqlx::query(sql).fetch_all(&mut connection).await.map_or(0, |rows| rows.len() as u64),
            false => sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected(),
        };
        connection.close().await.unwrap();
        found
    })
}

fn restarts(rack: &RackProcess) -> usize {
    let log = rack.log();
    mutating(&log).iter().filter(|line| line["body"]["ResetType"] == "ForceRestart").count()
}
