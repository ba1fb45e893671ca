//! The invariants of the design, one test each, named after its number.
//!
//! Where another file holds the larger story, a smaller part of it is proved here, through the library where
//! that shows more than the binary does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{
    COMMAND_LIMIT, Lab, Output, RackProcess, Running, installs, mutating, rackwright, rackwright_with, until,
};
use rackwright::id::RunId;
use rackwright::model::hazard::{Aim, Scope};
use rackwright::model::observed::Observed;
use rackwright::model::record::{Outcome, Record};
use rackwright::model::run::{Counts, NodeState, RunState, StepState};
use rackwright::model::site::Site;
use rackwright::model::value::Value;
use rackwright::plan::{Limits, plan};
use rackwright::reconcile::design;
use rackwright::script::closure::Closure;
use rackwright::script::convert::ScriptNode;
use rackwright::script::evaluate::{Function, Program, Turn};
use rackwright::script::tape::Recorded;
use rackwright::store::{
    Fence, Finish, Intent, Lease, Message, NewRun, StepResult, Store, StoreError, TicketState, Url,
};
use rackwright::units::Time;
use rackwright::world::source::Options;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a story waits for something to begin.
const BEGINS: Duration = Duration::from_secs(180);

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file()], more].concat())
}

fn site(lab: &Lab) -> Arc<Site> {
    on_runtime(design::load(lab.design(), &Options::default())).unwrap().site.unwrap()
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The design wants another image now, one that says so when it runs.
fn another_image(lab: &Lab) {
    use sha2::{Digest, Sha256};
    let content = "rackwright virtual image: debian-13\nanother payload\n";
    lab.write("files/images/debian-13.img", content);
    let text = lab.read("images.kdl");
    let (before, after) =
        text.split_once("    url \"files/images/debian-12.img\"\n    checksum \"sha256:").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    let digest = rackwright::id::hex(&Sha256::digest(content));
    let url = "    url \"files/images/debian-13.img\"\n    checksum";
    lab.write("images.kdl", &format!("{before}{url} \"sha256:{digest}\"{after}"));
    lab.edit("images.kdl", "image \"debian-12\"", "image \"debian-13\"");
    lab.edit("nodes.kdl", "image \"debian-12\"", "image \"debian-13\"");
}

#[test]
fn invariant_01_same_inputs_same_plan_bytes() {
    let lab = Lab::new();
    let bytes = |plan| serde_json::to_vec(&plan).unwrap();
    let (record, observed) = (Record::default(), Observed::default());
    let first = bytes(plan(&site(&lab), &record, &observed, &Limits::default()));
    // The design is read anew each time, so that the order of its reading would show.
    for _ in 0..5 {
        assert_eq!(bytes(plan(&site(&lab), &record, &observed, &Limits::default())), first);
    }
    lab.edit("nodes.kdl", "tag \"compute\"", "tag \"other\"");
    let other = bytes(plan(&site(&lab), &record, &observed, &Limits::default()));
    assert_ne!(other, first, "a plan names the design that it was made from");

    // The same with a record and observations, by processes of their own.
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    lab.edit("nodes.kdl", "SysProfile \"PerfOptimized\"", "SysProfile \"PowerSaver\"");
    let planned = || {
        let args = ["plan", lab.design(), "--refresh", "--rack", rack.file(), "--json", "--exit-code"];
        rackwright(&args).exits(2).stdout
    };
    assert_eq!(planned(), planned());
}

#[test]
fn invariant_02_after_a_converged_apply_nothing_is_planned_and_nothing_is_written_to_machines() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    let before = rack.mutations();
    let planned = rackwright(&["plan", lab.design(), "--json", "--exit-code"]).exits(0).json();
    assert_eq!((&planned["nodes"], &planned["drift"]), (&json!([]), &json!([])), "{planned:#}");
    rackwright(&["plan", lab.design(), "--refresh", "--rack", rack.file(), "--exit-code"]).exits(0);
    apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall,data-loss"])
        .exits(0)
        .says("Nothing has to change");
    assert_eq!(rack.mutations(), before);
}

#[test]
fn invariant_03_plan_writes_nothing_anywhere() {
    let lab = Lab::small(2);
    let before = lab.fingerprint();
    rackwright(&["plan", lab.design()]).exits(0);
    rackwright(&["plan", lab.design(), "--virtual", "--refresh"]).exits(0);
    assert_eq!(lab.fingerprint(), before, "without a store");
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    lab.edit("nodes.kdl", "SysProfile \"PerfOptimized\"", "SysProfile \"PowerSaver\"");
    let before = (lab.fingerprint(), rack.log());
    rackwright(&["plan", lab.design(), "--exit-code"]).exits(2);
    rackwright(&["plan", lab.design(), "--refresh", "--rack", rack.file(), "--exit-code"]).exits(2);
    assert_eq!((lab.fingerprint(), rack.log()), before, "with a store");
}

/// The answers that a machine would give to the effects of the standard tasks.
fn answer(effect: &str) -> Value {
    match effect {
        "pxe.ticket" => Value::text("t1"),
        "pxe.report" => {
            let nobody = || Value::Unknown("no system has reported".into());
            Value::map([("image", Value::map([("name", nobody()), ("checksum", nobody())]))])
        }
        "wait.booted" => Value::map([
            (
                "image",
                Value::map([("name", Value::text("debian-12")), ("checksum", Value::text("sha256:0"))]),
            ),
            ("boot_id", Value::text("b1")),
        ]),
        "bmc.power" => Value::text("on"),
        "pxe.agent_ticket" => Value::text("t1"),
        "agent.inventory" => Value::map([
            ("cpus", Value::map([("threads", Value::Int(32))])),
            ("memory_mib", Value::Int(65_536)),
            (
                "disks",
                Value::list(vec![Value::map([
                    ("id", Value::text("d1")),
                    ("removable", false.into()),
                    ("transport", Value::text("ata")),
                ])]),
            ),
            ("nics", Value::list(Vec::new())),
        ]),
        "agent.stress" => Value::map(
            ["seconds", "threads", "memory_mib", "rounds", "faults", "corrected", "uncorrected"]
                .map(|name| (name, Value::Int(0))),
        ),
        "agent.wipe" => Value::list(vec![Value::map([
            ("disk", Value::text("d1")),
            ("bytes", Value::Int(512)),
            ("read_back", Value::Int(512)),
            ("was_empty", false.into()),
        ])]),
        "bmc.health" => Value::map([("rollup", Value::text("ok")), ("parts", Value::list(Vec::new()))]),
        "bmc.alarms" => Value::map([("alarms", Value::list(Vec::new())), ("complete", Value::Bool(true))]),
        _ => Value::Null,
    }
}

#[test]
fn invariant_04_a_script_goes_on_from_its_journal_and_repeats_nothing() {
    let lab = Lab::small(1);
    let site = site(&lab);
    let mut effects = 0;
    for (name, task) in &site.tasks {
        let program = Program::compile(Closure::of(task, &site.scripts).unwrap()).unwrap();
        if !program.has(Function::Apply) || &**name == "std/verify" {
            continue;
        }
        let whole = rackwright::plan::site_work::target(&site);
        let target = if task.aim == Aim::Site { &whole } else { &site.nodes[0] };
        let spec = rackwright::model::names::to_script(&target.spec.project(task.visible()));
        let node = ScriptNode { name: target.name.clone(), spec };
        let params = Value::map(task.params.iter().map(|param| (param.name.clone(), param.default.clone())));
        let turn = |tape: &[Recorded]| program.evaluate(Function::Apply, &node, &params, tape.to_vec());
        // Once through, then again from every place at which a controller may have been killed.
        let mut tape: Vec<Recorded> = Vec::new();
        while let Turn::Wants(call) = turn(&tape) {
            assert_eq!(call.sequence, tape.len());
            let effect = call.effect.full_name();
            let answer = Ok(answer(&effect));
            tape.push(Recorded {
                effect: effect.into(),
                args_digest: call.args_value().digest().into(),
                answer,
            });
            assert!(tape.len() < 100, "{name} does not end");
        }
        assert!(matches!(turn(&tape), Turn::Done(_)), "{name}: {:?}", turn(&tape));
        for killed in 0..tape.len() {
            let Turn::Wants(next) = turn(&tape[..killed]) else {
                panic!("{name} does not go on at {killed}")
            };
            let wanted = (next.sequence, next.effect.full_name(), next.args_value().digest());
            let recorded = &tape[killed];
            assert_eq!(
                wanted,
                (killed, recorded.effect.to_string(), recorded.args_digest.to_string()),
                "{name}"
            );
            // An answer that is not its own is no answer.
            let mut wrong = tape[..=killed].to_vec();
            wrong[killed].effect = "bmc.restart".into();
            assert!(
                matches!(turn(&wrong), Turn::Diverged(_)),
                "{name} takes another effect's answer at {killed}"
            );
        }
        effects += tape.len();
    }
    assert!(effects >= 10, "the standard library has more effects than {effects}");
}

#[test]
fn invariant_04_killed_in_the_middle_a_run_resumes_and_nothing_stays_running() {
    let lab = Lab::small(2);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("7:slow=0.3"));
    let run = Running::start(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    assert!(until(BEGINS, || (!installs(&rack.log(), None).is_empty()).then_some(())).is_some());
    run.signal("KILL");
    assert_eq!(run.wait(COMMAND_LIMIT).code, None);
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!((&status["held"], &status["run"]["state"]), (&json!(false), &json!("interrupted")));
    apply(&lab, &rack, &["--yes"]).exits(0);
    let log = rack.log();
    for name in ["lab-n01", "lab-n02"] {
        assert_eq!(installs(&log, Some(name)).len(), 1, "{log:#?}");
    }
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!(status["run"]["state"], "succeeded");
    assert!(!status.to_string().contains("\"running\""), "{status:#}");
    rackwright(&["plan", lab.design(), "--refresh", "--rack", rack.file(), "--exit-code"]).exits(0);
}

async fn take(store: &Store, url: &Url, now: i64) -> Lease {
    let lock = Lease::lock(url).unwrap();
    store.take_lease(lock, &"lab".into(), format!("holder at {now}"), Time(now)).await.unwrap()
}

/// Everything that a run writes, under one token.
async fn writes(store: &Store, fence: &Fence, text: &str) -> Vec<(&'static str, Result<(), StoreError>)> {
    let (now, node, step): (Time, Arc<str>, Arc<str>) = (Time(9), "n1".into(), "s1".into());
    let run = RunId("r1".into());
    let message = || Message {
        run: "r1".into(),
        node: None,
        step: None,
        at: now,
        level: "info",
        text: text.into(),
        effect: None,
    };
    let intent = || Intent {
        attempt: 1,
        sequence: 0,
        id: text.into(),
        name: "bmc.power_on".into(),
        kind: "ensure",
        args: Value::Null,
        at: now,
        deadline: None,
        mark: Value::Null,
    };
    let result = StepResult {
        node: node.clone(),
        step: step.clone(),
        task: "std/power".into(),
        scripts: "d".into(),
        outcome: Outcome::Done,
        inputs: Some(Value::text(text)),
        params: Value::Null,
        seeds: Value::Null,
        scope: Scope::Hardware,
        run: "r1".into(),
        identity: None,
        at: now,
        wipes_os: false,
    };
    let finish = Finish {
        attempt: 1,
        state: "failed",
        error: Some(text.into()),
        result: result.clone(),
        step: None,
        at: now,
    };
    let new = NewRun {
        id: RunId(text.into()),
        command: "apply".into(),
        design_digest: "d".into(),
        plan: "{}".into(),
        nodes: Vec::new(),
    };
    let fact = vec![(node.clone(), Arc::from("system"), Value::text(text))];
    const FROM: &[TicketState] = &[TicketState::Open];
    vec![
        ("begin_run", store.begin_run(fence, new, now).await),
        ("write_message", store.write_message(fence, message()).await),
        ("write_result", store.write_result(fence, result).await),
        ("record_facts", store.record_facts(fence, fact, now).await),
        ("write_intent", store.write_intent(fence, intent()).await),
        ("write_answer", store.write_answer(fence, intent(), Ok(Value::Null), true, now).await),
        (
            "start_attempt",
            store.start_attempt(fence, &run, (&node, &step), 1, (now, now), &Value::Null).await.map(drop),
        ),
        ("finish_attempt", store.finish_attempt(fence, finish).await),
        ("abandon_attempt", store.abandon_attempt(fence, 1, text.into(), now).await),
        ("note_fetched", store.note_fetched(fence, "t1", now).await.map(drop)),
        ("set_node_state", store.set_node_state(fence, &run, &node, NodeState::Failed, None).await),
        (
            "set_step_state",
            store.set_step_state(fence, &run, (&node, &step), StepState::Failed, None, now).await,
        ),
        ("end_run", store.end_run(fence, &run, RunState::Failed, Counts::default(), now).await),
        ("move_ticket", store.move_ticket(fence, "t1", FROM, TicketState::Booted, None, now).await.map(drop)),
        ("mark_deployed", store.mark_deployed(fence, &node, now).await),
        ("rename_node", store.rename_node(fence, &node, &"n2".into()).await),
        ("release_node", store.release_node(fence, &node, now).await),
        ("cancel_run", store.cancel_run(fence, &run, now).await),
        ("keep_lease", store.keep_lease(fence, now).await),
    ]
}

#[test]
fn invariant_05_a_former_leader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let url = Url(folder.path().join("store.db"));
    on_runtime(async {
        let store = Store::open(&url).await.unwrap();
        store.ensure_site(&"lab".into(), "secret".into()).await.unwrap();
        let first = take(&store, &url, 1).await;
        assert!(Lease::is_held(&url));
        assert!(matches!(Lease::lock(&url), Err(StoreError::Held(_))), "two hold the lock at once");
        // It works for the leader: else the test below would prove nothing.
        for (what, written) in writes(&store, &first.fence, "leader").await {
            written.unwrap_or_else(|error| panic!("the leader cannot {what}: {error}"));
        }
        let before = (store.record("lab").await.unwrap().serial, store.newest_facts().await.unwrap());
        let former = first.fence.clone();
        drop(first);
        let _second = take(&store, &url, 2).await;
        for (what, written) in writes(&store, &former, "former-leader").await {
            assert!(matches!(written, Err(StoreError::Fenced)), "a former leader may {what}: {written:?}");
        }
        let after = (store.record("lab").await.unwrap().serial, store.newest_facts().await.unwrap());
        assert_eq!(before, after);
        store.close().await;
    });
    for (file, bytes) in files(folder.path()) {
        assert!(!contains(&bytes, "former-leader"), "{file} holds what a former leader wrote");
    }
}

#[test]
fn invariant_06_an_unreachable_bmc_leads_to_no_change_release_or_wipe() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    let before = (rack.mutations(), rack.node("lab-n01")["disk"].clone());
    rack.patch("lab-n01", json!({"responding": false}));
    rack.patch("lab-n02", json!({"responding": false}));
    lab.edit("nodes.kdl", "SysProfile \"PerfOptimized\"", "SysProfile \"PowerSaver\"");
    another_image(&lab);
    let all = ["--yes", "--approve", "reboot,reinstall,data-loss"];
    let planned =
        rackwright(&["plan", lab.design(), "--refresh", "--rack", rack.file(), "--json"]).exits(0).json();
    assert_eq!(planned["nodes"], json!([]), "{planned:#}");
    assert_eq!(planned["unplanned"].as_array().unwrap().len(), 2, "{planned:#}");
    apply(&lab, &rack, &all).exits(4).says("lab-n01: unknown").says("lab-n02: unknown");
    let release = ["release", "lab-n01", "--design", lab.design(), "--rack", rack.file()];
    rackwright(&[&release[..], &all].concat()).exits(4).says("lab-n01");
    assert_eq!((rack.mutations(), rack.node("lab-n01")["disk"].clone()), before);
    // It is still in care: nothing was forgotten either.
    rack.patch("lab-n01", json!({"responding": true}));
    rack.patch("lab-n02", json!({"responding": true}));
    apply(&lab, &rack, &all).exits(0).says("2 succeeded");
}

/// Every file below a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Everywhere that a command may leave a secret: what it says, at the most talkative level, and every file.
struct Search<'a> {
    secrets: Vec<String>,
    lab: &'a Lab,
    env: Vec<(&'a str, &'a str)>,
}

impl Search<'_> {
    #[track_caller]
    fn absent(&self, what: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!contains(text.as_bytes(), secret), "{what} holds the secret `{secret}`:\n{text}");
        }
    }

    /// Runs a command at level trace; the secret is not in anything that it says.
    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        let output = rackwright_with(&self.env, &[&["--log", "trace"], args].concat());
        self.absent(&format!("standard output of {args:?}"), &output.stdout);
        self.absent(&format!("standard error of {args:?}"), &output.stderr);
        output
    }

    /// No store, log of a store or plan beside it holds it. The rack's own credentials are the rack's.
    #[track_caller]
    fn files(&self) {
        for (file, bytes) in files(self.lab.path()) {
            let is_racks = file.contains("/virtual/");
            for secret in self.secrets.iter().filter(|_| !is_racks) {
                assert!(!contains(&bytes, secret), "{file} holds the secret `{secret}`");
            }
        }
    }
}

#[test]
fn invariant_07_a_planted_secret_is_found_nowhere() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    // The rack's own password, reached as a real one is: by the environment, at the design's own address.
    let endpoints: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(rack.file()).unwrap()).unwrap();
    let bmc = &endpoints["bmcs"][0];
    let text = |field: &str| bmc[field].as_str().unwrap().to_string();
    let password = text("password");
    lab.edit("nodes.kdl", "https://10.17.1.{slot}", &text("endpoint"));
    lab.edit("nodes.kdl", "user=\"root\"", &format!("user=\"{}\"", text("user")));
    // A script that tries to give it away in every way it has.
    lab.write(
        "scripts/leak.rhai",
        "fn apply(node) {
            let secret = node.spec.bmc.password;
            log::info(`password ${secret} and ${node.spec}`);
            fact::record(node, \"leak\", secret);
            fact::record(node, \"leaks\", node.spec.bmc);
            let caught = try_it(node, secret);
            throw `no ${secret} ${caught}`;
        }
        fn try_it(node, secret) {
            try { log::warn(secret); } catch(error) { return `${error}`; }
            \"said\"
        }",
    );
    lab.append(
        "site.kdl",
        "task \"leak\" script=\"leak.rhai\" { uses \"bmc\"; allow \"log\" \"fact\"; timeout \"1m\" }
         blueprint \"leaky\" {
             step \"bios\" task=\"std/bios\" phase=\"prepare\"
             step \"leak\" task=\"leak\" phase=\"configure\" after=\"bios\"
         }",
    );
    lab.edit("nodes.kdl", "    power \"on\"\n", "    lifecycle \"leaky\"\n");
    let encoded = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", text("user")))
    };
    let search = Search {
        secrets: vec![password.clone(), encoded],
        lab: &lab,
        env: vec![("BMC_PASSWORD", &password)],
    };
    let design = lab.design();
    let file = lab.path().join("saved.json");
    search.run(&["validate", design, "--json"]).exits(0);
    search.run(&["show", design, "node", "lab-n01"]).exits(0).says("(secret)");
    search.run(&["show", design, "node", "lab-n01", "--json"]).exits(0);
    search.run(&["show", design, "node", "lab-n01", "--why", "bmc.password"]).exits(0);
    search.run(&["plan", design, "--refresh", "--out", file.to_str().unwrap()]).exits(0).says("lab-n01");
    search.run(&["plan", design, "--refresh", "--json"]).exits(0);
    let applied = search.run(&["apply", design, "--yes", "--approve", "reboot,data-loss"]).exits(4);
    assert!(applied.stderr.contains("TRACE"), "nothing is traced, so nothing is proved");
    assert!(applied.stderr.contains("lab-n01: configure leak failed"), "{}", applied.stderr);
    assert!(!mutating(&rack.log()).is_empty(), "the password was never used, so nothing is proved");
    search.run(&["apply", design, "--yes", "--json", "--approve", "reboot,data-loss"]).exits(4);
    for command in ["runs", "status"] {
        search.run(&[command, design]).exits(0);
        search.run(&[command, design, "--json"]).exits(0);
    }
    search.run(&["logs", "--design", design]).exits(0).says("password");
    search.run(&["logs", "--design", design, "--json"]).exits(0);
    search.run(&["show", design, "node", "lab-n01", "--facts"]).exits(0).says("leak");
    search.files();
    search.absent("the rack's log", &format!("{:?}", rack.log()));
    // A refused password is not repeated in the error.
    let wrong = "planted-wrong-password";
    let search = Search { secrets: vec![wrong.into()], lab: &lab, env: vec![("BMC_PASSWORD", wrong)] };
    search
        .run(&["apply", design, "--yes", "--approve", "reboot"])
        .exits(4)
        .says("refuses the user name or the password");
    search.files();
}

#[test]
fn invariant_07_a_secret_in_clear_text_is_refused_and_not_repeated() {
    let secret = "planted-in-clear-text";
    for (from, to) in [
        ("password=(secret)\"env:BMC_PASSWORD\"", format!("password=\"{secret}\"")),
        ("password=(secret)\"env:BMC_PASSWORD\"", format!("password=(secret)\"{secret}\"")),
        ("https://10.17.1.{slot}", format!("https://root:{secret}@10.17.1.{{slot}}")),
    ] {
        let lab = Lab::small(1);
        lab.edit("nodes.kdl", from, &to);
        let search = Search { secrets: vec![secret.into()], lab: &lab, env: Vec::new() };
        search.run(&["validate", lab.design()]).exits(3);
        search.run(&["validate", lab.design(), "--json"]).exits(3);
        search.run(&["plan", lab.design()]).exits(3);
        search.run(&["apply", lab.design(), "--virtual", "--yes"]).exits(3);
        assert!(!lab.own().exists());
    }
}

#[test]
fn invariant_08_a_script_reaches_nothing_outside_its_capabilities() {
    // Not allowed by its task: found before anything runs, a call in a helper or an import included.
    for script in [
        "fn apply(node) { bmc::power_on(node); }",
        "fn apply(node) { helper(node); } fn helper(node) { if node.name == \"x\" { bmc::power(node); } }",
        "import \"deep\" as deep; fn apply(node) { deep::reach(node); }",
    ] {
        let lab = Lab::small(1);
        lab.append(
            "site.kdl",
            "task \"own\" script=\"own.rhai\" { allow \"log\"; timeout \"1m\" }
             blueprint \"ours\" { step \"own\" task=\"own\" phase=\"prepare\" }",
        );
        lab.write("scripts/own.rhai", script);
        lab.write("scripts/deep.rhai", "fn reach(node) { bmc::power_on(node); }");
        rackwright(&["validate", lab.design()]).exits(3).says("RW0054").says("bmc");
        lab.edit("site.kdl", "allow \"log\"", "allow \"log\" \"bmc\"");
        rackwright(&["validate", lab.design()]).exits(0);
    }
    // Not in the engine at all: files, network, clock, randomness, other processes, evaluated text.
    let node = ScriptNode { name: "n1".into(), spec: Value::map([("power", Value::text("on"))]) };
    for body in [
        "open_file(\"/etc/passwd\")",
        "File::open(\"/etc/passwd\")",
        "read(\"/etc/passwd\")",
        "http::connect(\"127.0.0.1\")",
        "secret::resolve(\"env:BMC_PASSWORD\")",
        "timestamp()",
        "rand()",
        "sleep(1)",
        "exec(\"id\")",
        "env(\"BMC_PASSWORD\")",
        "import \"/etc/passwd\" as x; 1",
        "import \"../../etc/passwd\" as x; 1",
        "eval(\"1 + 1\")",
        "print(\"x\")",
        "debug(\"x\")",
        "node.spec.bmc",
        "node.spec = #{}; bmc::power_on(\"n2\")",
        "bmc::power_on(#{name: \"n2\"})",
    ] {
        let main: Arc<str> = "scripts/own.rhai".into();
        let text: Arc<str> = format!("fn apply(node) {{ {body} }}").into();
        let closure =
            Closure { files: BTreeMap::from([(main.clone(), text)]), main, templates: BTreeMap::new() };
        let Ok(program) = Program::compile(closure) else { continue };
        let turn = program.evaluate(Function::Apply, &node, &Value::empty_map(), Vec::new());
        assert!(matches!(turn, Turn::Failed(_)), "`{body}` comes to {turn:?}");
    }
    // A look may not write, whatever its task is allowed: found before anything runs, and refused where nobody could see it.
    let lab = Lab::small(1);
    lab.write("scripts/bios.rhai", "fn observe(node) { bmc::power_on(node); #{} }\nfn apply(node) { }\n");
    lab.append(
        "site.kdl",
        "task \"std/bios\" script=\"bios.rhai\" { realizes \"hardware.bios\"; hazard \"reboot\"; allow \"bmc\" }",
    );
    rackwright(&["validate", lab.design()]).exits(3).says("RW0094");
    lab.edit("scripts/bios.rhai", "bmc::power_on(node); #{}", "Fn(\"wake\").call(node); #{}");
    lab.append("scripts/bios.rhai", "fn wake(node) { bmc::power_on(node) }");
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes", "--approve", "data-loss"]).exits(4).says("bmc.power_on, which is no read");
    assert_eq!(rack.mutations(), 0);
}

#[test]
fn invariant_09_destructive_actions_need_an_approval_that_names_them() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    let refused = |approve: &[&str], named: &str| {
        let before = rack.mutations();
        apply(&lab, &rack, &[&["--yes"], approve].concat()).exits(6).says(&format!("--approve {named}"));
        assert_eq!(rack.mutations(), before);
    };
    // A machine that is on is nobody's to install, though the site allows first installs.
    rack.patch("lab-n01", json!({"power": "On"}));
    refused(&[], "data-loss");
    refused(&["--approve", "reboot,reinstall"], "data-loss");
    rack.patch("lab-n01", json!({"power": "Off"}));
    lab.edit("site.kdl", "    first-install \"allow\"\n", "");
    refused(&[], "data-loss");
    refused(&["--approve", "reboot,reinstall"], "data-loss");
    apply(&lab, &rack, &["--yes", "--approve", "data-loss"]).exits(0);
    // A reinstall of a deployed node, and a milder approval that does not cover it.
    another_image(&lab);
    refused(&[], "reinstall");
    refused(&["--approve", "reboot"], "reinstall");
    refused(&["--approve", "data-loss"], "reinstall");
    apply(&lab, &rack, &["--yes", "--approve", "reinstall"]).exits(0);
    assert_eq!(installs(&rack.log(), None).len(), 2);
}

#[test]
fn invariant_10_succeeded_failed_skipped_and_waiting_are_all_targets() {
    let states = [
        NodeState::Pending,
        NodeState::Running,
        NodeState::Succeeded,
        NodeState::Failed,
        NodeState::Skipped,
        NodeState::Waiting,
    ];
    // Every state, in every mixture of up to three of each.
    for number in 0..4usize.pow(6) {
        let mut mixture = Vec::new();
        for (index, state) in states.iter().enumerate() {
            mixture.extend(std::iter::repeat_n(*state, number / 4usize.pow(index as u32) % 4));
        }
        let counts = Counts::of(mixture.iter().copied());
        let total = counts.succeeded + counts.failed + counts.skipped + counts.waiting;
        assert_eq!(total, mixture.len(), "{mixture:?} → {counts:?}");
        let all_well = mixture.iter().all(|state| *state == NodeState::Succeeded);
        assert_eq!(counts.result() == RunState::Succeeded, all_well, "{mixture:?}");
    }
    // And a run in which nodes end in different ways.
    let lab = Lab::small(4);
    lab.write(
        "scripts/own.rhai",
        "fn apply(node) { if node.name == \"lab-n02\" { throw \"not this one\"; } }",
    );
    lab.append(
        "site.kdl",
        "task \"own\" script=\"own.rhai\" { timeout \"1m\" }
         blueprint \"ours\" {
             step \"own\" task=\"own\" phase=\"prepare\"
             step \"power\" task=\"std/power\" phase=\"configure\" after=\"own\"
         }",
    );
    lab.edit("nodes.kdl", "    power \"on\"\n", "    power \"on\"\n    lifecycle \"ours\"\n");
    let rack = RackProcess::start(&lab);
    rack.patch("lab-n03", json!({"responding": false}));
    let events = apply(&lab, &rack, &["--yes", "--json"]).exits(4).events();
    let started = events.iter().find(|event| event["event"] == "started").unwrap();
    let last = events.last().unwrap();
    assert_eq!(last["event"], "finished");
    assert_eq!(last["nodes"], json!({"succeeded": 2, "failed": 1, "skipped": 0, "waiting": 0}), "{last:#}");
    assert_eq!(last["result"], "partial");
    assert_eq!(started["nodes"], 3, "the unknown node is in the plan as not planned, not in the run");
    let ended: Vec<_> = events.iter().filter(|event| event["event"] == "node-ended").collect();
    assert_eq!(ended.len(), 3);
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!(status["run"]["targets"].as_array().unwrap().len(), 3);
}
