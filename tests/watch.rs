//! `watch` from the first look to the signal that ends it: what is saved is planned and done, what is broken
//! changes nothing, what is a hazard waits.
//!
//! Each test waits for something that was told, or for something that the rack or the store shows; the limit is
//! long and decides nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{COMMAND_LIMIT, Lab, RackProcess, command, http, installs, lines, mutating, rackwright, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// How long a story waits for the next thing to happen.
const LIMIT: Duration = Duration::from_secs(180);
/// A watch that looks only when something changes, as far as a test can see.
const SELDOM: &[&str] = &["--every", "1h"];
const OFTEN: &[&str] = &["--every", "1s"];

/// A node besides those of the lab, with a BIOS of its own, and a step that harms nobody.
const SPECIAL: &str = r#"
hardware "virtual-2u" { vendor "Rackwright"; boot-mode "uefi"; bios { SysProfile "Dense" } }
task "note" script="note.rhai" { doc "Log the labels."; realizes "labels"; allow "log" }
blueprint "special" {
    step "verify"  task="std/verify"  phase="verify"
    step "bios"    task="std/bios"    phase="prepare"   after="verify"
    step "install" task="std/install" phase="deploy"    after="bios"
    step "note"    task="note"        phase="configure" after="verify"
    step "later"   task="note"        phase="configure" after="bios"
}
node "special" profile="base" {
    lifecycle "special"; hardware "virtual-2u"; label "shift" "day"
    bmc "redfish" address="https://10.17.1.99" user="root" password=(secret)"env:BMC_PASSWORD"
    boot-mac "52:54:00:12:34:99"; address "pxe" "10.20.0.199"
}
"#;

/// A watch in a process of its own; it ends with this value.
struct Watching {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Watching {
    /// With `--json`, on the rack that it starts itself.
    fn rehearsal(lab: &Lab, more: &[&str]) -> Watching {
        Watching::start(lab, &[&["--json", "--virtual"], more].concat())
    }

    /// With `--json`, on another process's rack.
    fn on(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Watching {
        Watching::start(lab, &[&["--json", "--rack", rack.file()], more].concat())
    }

    fn start(lab: &Lab, more: &[&str]) -> Watching {
        Watching::of(lab, lab.design(), more)
    }

    /// Any design, with the lab for what is written beside it.
    fn of(lab: &Lab, design: &str, more: &[&str]) -> Watching {
        let (out, err) = (lab.beside("watch.out"), lab.beside("watch.err"));
        let stream = |path: &Path| std::fs::File::create(path).unwrap();
        let child = command(
            &[("XDG_CACHE_HOME", lab.beside("cache").to_str().unwrap())],
            &[&["watch", design], more].concat(),
        )
        .stdout(stream(&out))
        .stderr(stream(&err))
        .spawn()
        .unwrap();
        Watching { child, out, err }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap()
    }

    /// What was told so far; a line that is not written to its end is not told yet.
    fn events(&self) -> Vec<Value> {
        let text = self.text();
        lines(text.rfind('\n').map_or("", |end| &text[..end]))
    }

    fn told(&self, event: &str) -> Vec<Value> {
        self.events().into_iter().filter(|told| told["event"] == event).collect()
    }

    /// Waits until there is something to see; fails with everything that was said.
    #[track_caller]
    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Watching) -> Option<T>) -> T {
        let seen = until(LIMIT, || match look(self) {
            Some(seen) => Some(Some(seen)),
            None => self.child.try_wait().unwrap().is_some().then_some(None),
        });
        match seen.flatten() {
            Some(seen) => seen,
            None => panic!("no {what}\n--- stdout\n{}\n--- stderr\n{}", self.text(), self.notes()),
        }
    }

    /// Waits until the event was told so often.
    #[track_caller]
    fn until_told(&mut self, event: &str, times: usize) -> Value {
        self.until(&format!("{event} for the {times}. time"), |watching| {
            watching.told(event).into_iter().nth(times - 1)
        })
    }

    /// Asks it to stop and waits for its end.
    #[track_caller]
    fn stop(mut self) {
        self.signal("TERM");
        let status = until(COMMAND_LIMIT, || self.child.try_wait().unwrap());
        let code = status.unwrap_or_else(|| panic!("it does not stop: {}", self.notes())).code();
        assert_eq!(code, Some(130), "{}\n{}", self.text(), self.notes());
    }

    fn signal(&self, name: &str) {
        let sent =
            Command::new("/bin/kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "{name} cannot be sent");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lab with one node of its own and the special one.
fn special() -> Lab {
    let lab = Lab::small(1);
    lab.write("special.kdl", SPECIAL);
    lab.write("scripts/note.rhai", "fn apply(node) { log::info(`labels: ${node.spec.labels}`); }");
    lab
}

fn profiles(log: &[Value]) -> Vec<(String, String)> {
    let attribute = |line: &&Value| Some(line["body"]["Attributes"]["SysProfile"].as_str()?.to_string());
    mutating(log)
        .iter()
        .filter_map(|line| Some((line["node"].as_str()?.to_string(), attribute(line)?)))
        .collect()
}

fn wrote(node: &str, profile: &str) -> (String, String) {
    (node.to_string(), profile.to_string())
}

#[test]
fn a_saved_edit_is_applied_a_broken_one_changes_nothing_and_the_mended_one_goes_on() {
    let lab = special();
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    let first = watch.until_told("applied", 1);
    assert_eq!((&first["result"], &first["nodes"]["succeeded"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(installs(&lab.virtual_log(), None).len(), 2);
    let before = lab.virtual_log().len();

    lab.edit("special.kdl", "SysProfile \"Dense\"", "SysProfile \"Roomy\"");
    watch.until_told("applied", 2);
    assert_eq!(profiles(&lab.virtual_log()[before..]), [wrote("special", "Roomy")]);
    let nodes = &watch.until_told("planned", 2)["nodes"];
    assert_eq!(nodes, &json!([{"node": "special", "action": "change", "hazard": "reboot"}]));

    let (before, good) = (lab.virtual_log(), lab.read("special.kdl"));
    lab.write(
        "special.kdl",
        &good.replace("hardware \"virtual-2u\"; label", "hardware \"virtual-9u\"; label"),
    );
    let invalid = watch.until_told("invalid", 1);
    let line = 1 + good.lines().position(|line| line.contains("label \"shift\"")).unwrap();
    let finding = &invalid["findings"][0];
    assert_eq!((&finding["file"], &finding["line"]), (&json!("special.kdl"), &json!(line)), "{invalid:#}");
    assert_eq!(invalid["digest"], watch.told("applied")[1]["digest"], "another revision is in force");
    watch.until_told("idle", 3);
    assert_eq!(lab.virtual_log().len(), before.len());

    lab.write("special.kdl", &good.replace("Roomy", "Airy"));
    watch.until_told("applied", 3);
    assert_eq!(profiles(&lab.virtual_log()[before.len()..]), [wrote("special", "Airy")]);
    assert_eq!(watch.told("invalid").len(), 1, "it was said twice");
    watch.stop();
}

#[test]
fn what_is_saved_during_a_run_is_done_after_it() {
    let lab = special();
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    watch.until_told("started", 1);
    lab.edit("special.kdl", "Dense", "Roomy");
    watch.until_told("applied", 2);
    assert_eq!(profiles(&lab.virtual_log()).last(), Some(&wrote("special", "Roomy")));
    let events = watch.events();
    let at = |event: &str, time: usize| {
        events.iter().enumerate().filter(|(_, told)| told["event"] == event).nth(time - 1).unwrap().0
    };
    assert!(at("applied", 1) < at("look", 2), "a look began during the run");
    watch.stop();
}

#[test]
fn people_read_where_a_broken_edit_is_and_what_stays_in_force() {
    let lab = Lab::small(1);
    let mut watch = Watching::start(&lab, &[&["--virtual"], SELDOM].concat());
    watch.until("first run", |watch| watch.notes().contains("The next look is in 1h.").then_some(()));
    assert!(watch.text().contains("1 to create"), "{}", watch.text());
    lab.append("nodes.kdl", "nodez \"x\"");
    let line = lab.read("nodes.kdl").lines().count();
    watch.until("finding", |watch| watch.notes().contains("stays in force").then_some(()));
    let notes = watch.notes();
    assert!(notes.contains(&format!("nodes.kdl:{line}:1")), "{notes}");
    assert!(notes.contains("nodez"), "{notes}");
    watch.stop();
}

#[test]
fn files_saved_by_renaming_and_new_folders_are_seen_and_a_new_node_is_brought_up() {
    let lab = special();
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    watch.until_told("applied", 1);
    // As editors do it: the old file is moved aside, the new one into its place.
    let at = |name: &str| lab.path().join(name);
    lab.write(".special.kdl.new", &lab.read("special.kdl").replace("Dense", "Roomy"));
    std::fs::rename(at("special.kdl"), at("special.kdl~")).unwrap();
    std::fs::rename(at(".special.kdl.new"), at("special.kdl")).unwrap();
    std::fs::remove_file(at("special.kdl~")).unwrap();
    watch.until("the renamed file", |_| {
        profiles(&lab.virtual_log()).contains(&wrote("special", "Roomy")).then_some(())
    });
    let applied = watch.told("applied").len();
    lab.write(
        "racks/r2/more.kdl",
        "node \"more\" profile=\"compute\" {
             bmc \"redfish\" address=\"https://10.17.2.1\" user=\"root\" password=(secret)\"env:BMC_PASSWORD\"
             boot-mac \"52:54:00:12:35:01\"
         }",
    );
    watch.until("installed node", |_| (installs(&lab.virtual_log(), Some("more")).len() == 1).then_some(()));
    watch.until_told("applied", applied + 1);
    // And a file in a folder that was not there when the watch began.
    lab.edit("racks/r2/more.kdl", "12:35:01\"", "12:35:01\"; tag \"late\"");
    let digest = watch.until_told("applied", applied + 1)["digest"].clone();
    watch.until("the new tag", |watch| {
        let last = watch.told("look").pop()?;
        (last["digest"] != digest).then_some(())
    });
    assert_eq!(installs(&lab.virtual_log(), None).len(), 3);
    watch.stop();
}

#[test]
fn a_folder_that_goes_away_is_missed_and_work_goes_on_when_it_is_back() {
    let lab = special();
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    watch.until_told("applied", 1);
    let aside = lab.beside("aside");
    std::fs::rename(lab.path(), &aside).unwrap();
    let gone = watch.until_told("invalid", 1);
    assert!(gone["why"].as_str().unwrap().contains("there is no design folder"), "{gone}");
    assert!(!lab.path().exists(), "the watch made a folder");
    let text = std::fs::read_to_string(aside.join("special.kdl")).unwrap();
    std::fs::write(aside.join("special.kdl"), text.replace("Dense", "Roomy")).unwrap();
    std::fs::rename(&aside, lab.path()).unwrap();
    watch.until_told("applied", 2);
    assert_eq!(profiles(&lab.virtual_log()).last(), Some(&wrote("special", "Roomy")));
    // It is watched again, in its new place.
    lab.edit("special.kdl", "Roomy", "Airy");
    watch.until_told("applied", 3);
    watch.stop();
}

#[test]
fn a_store_that_is_lost_is_not_begun_anew() {
    let lab = special();
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    watch.until_told("applied", 1);
    let aside = lab.beside("virtual.db");
    std::fs::rename(lab.virtual_store(), &aside).unwrap();
    lab.edit("special.kdl", "Dense", "Roomy");
    let failed = watch.until_told("failed", 1);
    assert!(failed["why"][0].as_str().unwrap().contains("is gone"), "{failed}");
    assert!(!lab.virtual_store().exists());
    std::fs::rename(&aside, lab.virtual_store()).unwrap();
    watch.until_told("applied", 2);
    assert_eq!(installs(&lab.virtual_log(), None).len(), 2);
    watch.stop();
}

#[test]
fn a_hazard_waits_what_harms_nobody_does_not_and_somebody_else_may_approve() {
    let lab = special();
    let rack = RackProcess::start(&lab);
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);
    let mut watch = Watching::on(&lab, &rack, SELDOM);
    watch.until_told("idle", 1);
    let before = rack.log();
    lab.edit("special.kdl", "Dense", "Roomy");
    lab.edit("special.kdl", "\"day\"", "\"night\"");
    // The two saves may be two looks; what was planned last holds both.
    let waiting = watch.until("the free step", |watch| {
        watch.told("applied").pop()?;
        watch.told("waiting").pop()
    });
    assert_eq!(waiting["nodes"], json!([{"node": "special", "hazards": ["reboot"]}]), "{waiting}");
    let done: Vec<Value> = watch.told("step-ended");
    assert!(done.iter().all(|told| told["step"] == "note"), "{done:#?}");
    assert_eq!(rack.log().len(), before.len(), "a machine was touched");

    // Touching a file is no reason to say it again.
    let waits = watch.told("waiting").len();
    lab.write("special.kdl", &lab.read("special.kdl"));
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.node("special")["bios"]["SysProfile"], "Roomy");
    assert_eq!(watch.told("waiting").len(), waits);
    watch.stop();

    let mut watch = Watching::on(&lab, &rack, &["--approve", "reboot", "--every", "1h"]);
    watch.until_told("idle", 1);
    lab.edit("special.kdl", "Roomy", "Airy");
    watch.until_told("applied", 1);
    assert_eq!(rack.node("special")["bios"]["SysProfile"], "Airy");
    assert_eq!(watch.told("waiting").len(), 0);
    watch.stop();
}

#[test]
fn the_notice_of_what_waits_names_the_command_that_does_it() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);
    lab.edit("nodes.kdl", "PerfOptimized", "PowerSaver");
    let mut watch = Watching::start(&lab, &[&["--rack", rack.file()], OFTEN].concat());
    let notice = format!(
        "lab-n01 waits for approval of reboot; `rackwright apply {} --rack {} --approve reboot` does it",
        lab.design(),
        rack.file()
    );
    watch.until("notice", |watch| watch.notes().contains(&notice).then_some(()));
    lab.edit("nodes.kdl", "PowerSaver", "Dense");
    watch.until("the second notice", |watch| (watch.notes().matches(&notice).count() == 2).then_some(()));
    watch.stop();
    // Once for a plan, however often it is looked at.
    let mut watch = Watching::on(&lab, &rack, OFTEN);
    watch.until_told("look", 4);
    assert_eq!((watch.told("waiting").len(), watch.told("planned").len()), (1, 1));
    assert_eq!(rack.node("lab-n01")["bios"]["SysProfile"], "PerfOptimized");
    watch.stop();
}

#[test]
fn drift_is_found_without_any_edit_and_what_harms_nobody_is_repaired() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);
    let mut watch = Watching::on(&lab, &rack, OFTEN);
    watch.until_told("idle", 1);
    lab.append("nodes.kdl", "nodez \"x\"");
    watch.until_told("invalid", 1);
    // The last good revision stays in force, also for drift.
    let before = rack.log().len();
    let machine = format!("{}/rack/nodes/lab-n01", rack.control());
    assert_eq!(http("PATCH", &machine, Some(&json!({"power": "Off"}))).status, 200);
    watch.until_told("applied", 1);
    assert_eq!(rack.node("lab-n01")["power"], "On");
    let asked: Vec<Value> = mutating(&rack.log()[before..]).iter().map(|line| line["body"].clone()).collect();
    assert_eq!(asked, [json!({"ResetType": "On"})]);
    assert_eq!(watch.told("invalid").len(), 1);
    watch.stop();
}

#[test]
fn a_node_that_fails_rests_longer_each_time_and_a_new_revision_ends_the_rest() {
    let lab = special();
    lab.write("scripts/note.rhai", "fn apply(node) { throw \"the label printer is jammed\"; }");
    let mut watch = Watching::rehearsal(&lab, OFTEN);
    watch.until_told("applied", 3);
    let events = watch.events();
    let micros = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_microsecond();
    let rests: Vec<(i64, i64)> = watch
        .told("applied")
        .iter()
        .map(|told| (micros(&told["at"]), micros(&told["resting"][0]["until"])))
        .collect();
    for ((at, until), least_seconds) in rests.iter().zip([1, 2, 4]) {
        // To the millisecond, as it is written.
        assert!(until - at > least_seconds * 1_000_000 - 100_000, "{rests:?}");
    }
    let started: Vec<i64> =
        events.iter().filter(|told| told["event"] == "started").map(|told| micros(&told["at"])).collect();
    for (start, (_, until)) in started[1..].iter().zip(&rests) {
        assert!(start >= until, "{started:?} {rests:?}");
    }
    // The other node was not held up.
    assert_eq!(installs(&lab.virtual_log(), Some("lab-n01")).len(), 1);

    lab.write("scripts/note.rhai", "fn apply(node) { log::info(\"mended\"); }");
    watch.until("success", |watch| {
        let last = watch.told("applied").pop()?;
        (last["result"] == "succeeded" && last["resting"] == json!([])).then_some(())
    });
    assert_eq!(installs(&lab.virtual_log(), Some("special")).len(), 1);
    watch.stop();
}

#[test]
fn another_process_that_holds_the_site_is_waited_for() {
    let lab = Lab::small(1);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let lock = std::fs::OpenOptions::new().write(true).open(lab.own().join("virtual.db.lock")).unwrap();
    lock.lock().unwrap();
    rackwright(&["watch", lab.design(), "--virtual"]).exits(7);
    lock.unlock().unwrap();

    let mut watch = Watching::rehearsal(&lab, SELDOM);
    watch.until_told("idle", 1);
    lock.lock().unwrap();
    lab.edit("nodes.kdl", "PerfOptimized", "PowerSaver");
    let waiting = watch.until_told("waiting", 1);
    assert_eq!(waiting["for"], "lease", "{waiting}");
    assert_eq!(watch.told("applied").len(), 0);
    lock.unlock().unwrap();
    watch.until_told("applied", 1);
    assert_eq!(watch.told("waiting").len(), 1, "it was said twice");
    watch.stop();
}

#[test]
fn a_signal_leaves_a_true_record_and_the_next_watch_goes_on() {
    let lab = Lab::small(4);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("7:slow=0.3"));
    let mut watch = Watching::on(&lab, &rack, SELDOM);
    watch.until("install", |_| (!installs(&rack.log(), None).is_empty()).then_some(()));
    watch.stop();
    rackwright(&["status", lab.design()]).exits(0).says("was interrupted").says("No process holds the site");
    let mut watch = Watching::on(&lab, &rack, SELDOM);
    // What was under way, then the rest, which is planned anew.
    watch.until("nothing left", |watch| {
        let at_rest = watch.told("idle").len() == 1;
        at_rest.then(|| rackwright(&["plan", lab.design(), "--exit-code"]).exits(0))
    });
    assert!(watch.told("started").iter().any(|told| told["resumed"] == true), "{}", watch.text());
    watch.stop();
    let log = rack.log();
    let done = |line: &&Value| line["kind"] == "install" && line["phase"] == "end";
    assert_eq!(log.iter().filter(done).count(), 4, "an installation was done again");
}

/// Commits everything in the work tree.
fn commit(repository: &git2::Repository) -> String {
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let author = git2::Signature::now("tests", "tests@localhost").unwrap();
    let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<&git2::Commit> = parent.iter().collect();
    repository.commit(Some("HEAD"), &author, &author, "a change", &tree, &parents).unwrap().to_string()
}

/// Pushes the work tree's branch to its remote.
fn push(repository: &git2::Repository) {
    let branch = repository.head().unwrap().name().unwrap().to_string();
    repository.find_remote("origin").unwrap().push(&[&branch], None).unwrap();
}

#[test]
fn a_push_to_the_repository_that_is_watched_is_picked_up() {
    let lab = special();
    let bare = lab.beside("designs.git");
    git2::Repository::init_bare(&bare).unwrap();
    let work = git2::Repository::init(lab.path()).unwrap();
    work.remote("origin", bare.to_str().unwrap()).unwrap();
    let first = commit(&work);
    push(&work);
    let uri = format!("git+file://{}", bare.display());
    let mut watch = Watching::of(&lab, &uri, &[&["--json", "--virtual"], OFTEN].concat());
    assert_eq!(watch.until_told("applied", 1)["revision"], json!(first));

    lab.edit("special.kdl", "Dense", "Roomy");
    let second = commit(&work);
    push(&work);
    let applied = watch.until_told("applied", 2);
    assert_eq!((&applied["revision"], &applied["result"]), (&json!(second), &json!("succeeded")));
    let planned = watch.told("planned");
    let changed = json!([{"node": "special", "action": "change", "hazard": "reboot"}]);
    assert!(planned.iter().any(|told| told["nodes"] == changed), "{planned:#?}");

    lab.append("nodes.kdl", "nodez \"x\"");
    let third = commit(&work);
    push(&work);
    let invalid = watch.until_told("invalid", 1);
    assert_eq!((&invalid["revision"], &invalid["refused"]["revision"]), (&json!(second), &json!(third)));
    assert_eq!(invalid["findings"][0]["file"], "nodes.kdl");
    watch.stop();
}

#[test]
fn a_machine_without_a_record_is_not_touched_until_somebody_says_so() {
    let lab = Lab::small(1);
    lab.edit("site.kdl", "first-install \"allow\"", "first-install \"ask\"");
    let rack = RackProcess::start(&lab);
    let mut watch = Watching::on(&lab, &rack, OFTEN);
    let waiting = watch.until_told("waiting", 1);
    assert_eq!(waiting["nodes"], json!([{"node": "lab-n01", "hazards": ["data-loss"]}]));
    watch.until_told("look", 3);
    assert_eq!((rack.log().len(), watch.told("started").len()), (0, 0));
    watch.stop();
    let mut watch = Watching::on(&lab, &rack, &["--approve", "data-loss"]);
    watch.until_told("applied", 1);
    assert_eq!(installs(&rack.log(), Some("lab-n01")).len(), 1);
    watch.stop();
}

#[test]
fn an_interrupted_run_with_a_hazard_to_come_waits_for_approval_too() {
    let lab = special();
    lab.edit(
        "special.kdl",
        "step \"later\"",
        "step \"again\" task=\"std/bios\" phase=\"deploy\" after=\"bios\"\nstep \"later\"",
    );
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("7:slow=0.1"));
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);
    let before = rack.log().len();
    lab.edit("special.kdl", "Dense", "Roomy");
    let mut watch = Watching::on(&lab, &rack, &["--approve", "reboot"]);
    watch.until("a write", |_| (!profiles(&rack.log()[before..]).is_empty()).then_some(()));
    watch.stop();
    rackwright(&["status", lab.design()]).exits(0).says("was interrupted");

    let mut watch = Watching::on(&lab, &rack, OFTEN);
    let waiting = watch.until_told("waiting", 1);
    assert_eq!((&waiting["for"], &waiting["hazards"]), (&json!("approval"), &json!(["reboot"])), "{waiting}");
    watch.until_told("look", 3);
    assert_eq!((watch.told("waiting").len(), watch.told("started").len()), (1, 0));
    watch.stop();

    let mut watch = Watching::on(&lab, &rack, &["--approve", "reboot"]);
    watch.until_told("idle", 1);
    assert_eq!(watch.told("started")[0]["resumed"], true);
    assert_eq!(rack.node("special")["bios"]["SysProfile"], "Roomy");
    rackwright(&["plan", lab.design(), "--exit-code"]).exits(0);
    watch.stop();
}

#[test]
fn what_cannot_begin_says_why() {
    let lab = Lab::small(1);
    rackwright(&["watch", lab.design(), "--virtual", "--every", "10ms"]).exits(64).says("the least is 1s");
    rackwright(&["watch", lab.design(), "--virtual", "--on", "nobody"]).exits(64).says("nobody");
    rackwright(&["watch", lab.beside("nowhere").to_str().unwrap(), "--virtual"]).exits(3);
    assert!(!lab.own().exists());
    // A design that is broken from the first is waited for: whoever is editing it need not come back here.
    lab.append("nodes.kdl", "nodez \"x\"");
    let mut watch = Watching::rehearsal(&lab, SELDOM);
    assert_eq!(watch.until_told("invalid", 1)["revision"], Value::Null);
    lab.edit("nodes.kdl", "nodez \"x\"", "");
    watch.until_told("applied", 1);
    watch.stop();
}
