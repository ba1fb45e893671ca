//! Container tasks on a real engine: a Podman service of the test's own, with its own storage, stopped by process id.
//!
//! The image is made here, of one static program; nothing is fetched. `tests/run` installs Podman and busybox.

mod common;

use common::podman::{BUSYBOX, Podman, archive};
use common::tasks::{self, answers, lab, log};
use common::{COMMAND_LIMIT, Lab, Output, Running, rackwright_with, until, witness};
use serde_json::Value;

fn apply(lab: &Lab, podman: &Podman) -> Output {
    rackwright_with(&podman.env(), &["apply", lab.design(), "--virtual", "--yes"])
}

#[test]
fn a_container_gets_the_node_and_gives_a_result_and_is_confined() {
    let podman = Podman::start();
    let lab = lab(
        r#"
task "test" container="files/burn-in.tar" {
    doc "Test."
    uses "labels" "bmc"
    param "level" default="high"
    args "sh" "-c" "cat; echo; cat {payload}; echo; cat {params}; echo; echo $LEVEL {node}; touch /x; touch /tmp/x && echo scratch; ip -o link | wc -l; grep -c . /proc/net/route; echo '{\"ok\": [true, null]}'"
    environment "LEVEL" "9"
    limits memory="64MiB" pids=32 time="2m"
    rehearse "run"
}
task "file" container="files/burn-in.tar" {
    doc "By a file."
    args "sh" "-c" "echo '{\"$secret\": \"env:HOME\"}' > $RACKWRIGHT_RESULT; echo 5"
    rehearse "run"
}
task "left-out" container="files/burn-in.tar" { doc "Not in a rehearsal."; args "sh" "-c" "exit 1" }
task "fails" container="files/burn-in.tar" {
    doc "Fails."
    args "sh" "-c" "echo fine; echo the disk is loud >&2; exit 3"
    rehearse "run"
}"#,
        &["test", "file", "left-out", "fails"],
    );
    archive(&lab.path().join("files/burn-in.tar"));
    let env = [&podman.env()[..], &[("BMC_PASSWORD", "hunter2-hunter2")]].concat();
    let output = rackwright_with(&env, &["apply", lab.design(), "--virtual", "--yes"]).exits(4);
    let output = output.says("it ended with exit code 3: the disk is loud");
    assert!(!output.stdout.contains("hunter2") && !output.stderr.contains("hunter2"));

    let given = r#"{"node":"lab-n01","params":{"level":"high"},"spec":{"bmc":{"address":"https://10.17.1.1","kind":"redfish","network":null,"system":null,"user":"root"},"labels":{"role":"worker"}},"task":"test"}"#;
    let mut said = log(&lab, "test");
    // What goes to the two outputs comes in an order of its own.
    let refused = said.iter().position(|line| line == "touch: /x: Read-only file system").unwrap();
    said.remove(refused);
    assert_eq!(
        said,
        [given, given, r#"{"level":"high"}"#, "9 lab-n01", "scratch", "1", "1", r#"{"ok": [true, null]}"#]
    );
    let answers = answers(&lab);
    assert_eq!(answers[0]["result"].to_string(), r#"{"ok":[true,null]}"#);
    assert_eq!((&answers[0]["exit"], &answers[0]["skipped"]), (&Value::from(0), &Value::from(false)));
    // What a program says is data, whatever it looks like; it is stored with one mark more.
    assert_eq!(answers[1]["result"].to_string(), r#"{"$$secret":"env:HOME"}"#);
    assert_eq!(answers[2]["skipped"], true);
    let warned = log(&lab, "left-out");
    assert!(warned[0].contains("this is a rehearsal"), "{warned:?}");
    assert_eq!(log(&lab, "fails"), ["fine", "the disk is loud"]);
    // Nothing is left behind on the engine but the image, and it is made once.
    assert_eq!(podman.run(&["ps", "--all", "--quiet"]), "");
    assert_eq!(podman.run(&["volume", "ls", "--quiet"]), "");
}

#[test]
fn secrets_are_given_on_demand_and_come_back_starred_out() {
    let podman = Podman::start();
    let task = |name: &str, more: &str| {
        format!(
            "task \"{name}\" container=\"files/burn-in.tar\" {{ doc \"x\"; uses \"bmc\"; args \"sh\" \"-c\" \"cat; echo; echo [1]\"; rehearse \"run\"; {more} }}\n"
        )
    };
    let lab =
        lab(&[task("without", ""), task("with", "reveal-secrets #true")].concat(), &["without", "with"]);
    archive(&lab.path().join("files/burn-in.tar"));
    let env = [&podman.env()[..], &[("BMC_PASSWORD", "hunter2-hunter2")]].concat();
    rackwright_with(&env, &["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    assert!(!log(&lab, "without")[0].contains("password"));
    assert!(log(&lab, "with")[0].contains(r#""password":"(secret)""#), "{:?}", log(&lab, "with"));
    for (path, _) in lab.fingerprint() {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let clear = bytes.windows(7).any(|window| window == b"hunter2");
        assert!(!clear, "{} holds the secret in clear", path.display());
    }
}

#[test]
fn a_container_that_takes_too_much_is_killed() {
    let podman = Podman::start();
    for (limits, script, why) in [
        ("time=\"2s\"", "echo on my way; sleep 600", "it did not end within 2s and was killed: on my way"),
        // It is never silent, and late all the same.
        ("time=\"2s\"", "while true; do echo again; done", "it did not end within 2s and was killed: again"),
        ("memory=\"16MiB\"", "tail /dev/zero", "more memory than it may have"),
    ] {
        let tasks = format!(
            "task \"greedy\" container=\"files/burn-in.tar\" {{ doc \"x\"; args \"sh\" \"-c\" \"{script}\"; limits {limits}; rehearse \"run\" }}"
        );
        let lab = lab(&tasks, &["greedy"]);
        archive(&lab.path().join("files/burn-in.tar"));
        apply(&lab, &podman).exits(4).says(why);
        assert_eq!(podman.run(&["ps", "--all", "--quiet"]), "");
    }
}

#[test]
fn a_container_goes_on_when_its_controller_is_killed_and_is_found_again() {
    let podman = Podman::start();
    let lab = lab(
        r#"
task "long" container="files/burn-in.tar" {
    doc "Long."
    args "sh" "-c" "id=$(cat /proc/sys/kernel/random/uuid); echo began $id; sleep 4; echo \\\"$id\\\""
    rehearse "run"
}"#,
        &["long"],
    );
    archive(&lab.path().join("files/burn-in.tar"));
    let first = Running::start(&podman.env(), &["apply", lab.design(), "--virtual", "--yes"]);
    let began = until(COMMAND_LIMIT, || log(&lab, "long").into_iter().next()).unwrap();
    first.signal("KILL");
    first.wait(COMMAND_LIMIT);
    apply(&lab, &podman).exits(0);
    let answers = answers(&lab);
    assert_eq!(answers.len(), 1);
    // It is the one that had begun: a second one would have drawn another id.
    assert_eq!(format!("began {}", answers[0]["result"].as_str().unwrap()), began);
    assert_eq!(log(&lab, "long").len(), 2);
    assert_eq!(podman.run(&["ps", "--all", "--quiet"]), "");
}

#[test]
fn a_cancelled_run_ends_its_container() {
    let podman = Podman::start();
    let lab = lab(
        "task \"long\" container=\"files/burn-in.tar\" { doc \"x\"; args \"sh\" \"-c\" \"echo began; sleep 600\"; rehearse \"run\" }",
        &["long"],
    );
    archive(&lab.path().join("files/burn-in.tar"));
    let first = Running::start(&podman.env(), &["apply", lab.design(), "--virtual", "--yes"]);
    until(COMMAND_LIMIT, || log(&lab, "long").into_iter().next()).unwrap();
    // Whoever is told to stop does not wait for it.
    first.signal("INT");
    first.wait(COMMAND_LIMIT).exits(130);
    assert_ne!(podman.run(&["ps", "--quiet"]), "");
    let run = witness::rows(&lab.virtual_store(), "SELECT id FROM run")[0].clone();
    rackwright_with(&podman.env(), &["cancel", &run, "--design", lab.design(), "--virtual"]).exits(0);
    assert_eq!(podman.run(&["ps", "--all", "--quiet"]), "");
}

#[test]
fn an_image_is_built_before_the_first_node_is_touched_and_only_when_it_has_changed() {
    let podman = Podman::start();
    let lab = lab(
        "task \"built\" container=\"containers/built\" { doc \"x\"; args \"cat /version\"; rehearse \"run\" }",
        &["built"],
    );
    let dockerfile = "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/cat\nCOPY version /version\n";
    let dockerfile = format!("{dockerfile}ENTRYPOINT [\"/bin/sh\", \"-c\"]\n");
    std::fs::create_dir_all(lab.path().join("containers/built")).unwrap();
    std::fs::copy(BUSYBOX, lab.path().join("containers/built/busybox")).unwrap();
    lab.write("containers/built/Dockerfile", &dockerfile);
    let image =
        || rackwright_with(&podman.env(), &["image", lab.design(), "--json"]).json()["images"][0].clone();
    let state = || image()["state"].as_str().unwrap().to_string();

    // The file that it copies is not there: nothing is begun, and everybody can see why.
    assert_eq!(state(), "missing");
    let output = apply(&lab, &podman).exits(1).says("task `built` cannot run");
    assert!(output.stderr.contains("version"), "{}", output.stderr);
    assert_eq!(witness::rows(&lab.virtual_store(), "SELECT id FROM run"), Vec::<String>::new());
    assert_eq!(state(), "failed");
    assert!(image()["log"].as_str().unwrap().contains("version"));
    rackwright_with(&podman.env(), &["show", lab.design(), "task", "built"]).exits(0).says("failed");

    lab.write("containers/built/version", "\"one\"\n");
    apply(&lab, &podman).exits(0);
    assert_eq!(state(), "ready");
    assert_eq!(answers(&lab)[0]["result"], "one");
    let images = || podman.run(&["images", "--quiet", "localhost/rackwright-image"]);
    let built = images();
    rackwright_with(&podman.env(), &["image", lab.design(), "--make"]).exits(0).says("ready");
    assert_eq!(images(), built);

    // Another content is another image; the run of before kept the one that it was pinned to.
    lab.write("containers/built/version", "\"two\"\n");
    assert_eq!(state(), "missing");
    rackwright_with(&podman.env(), &["image", lab.design(), "--make"]).exits(0).says("ready");
    assert_ne!(images(), built);
}

#[test]
fn without_an_engine_a_rehearsal_goes_on_and_doctor_says_what_is_missing() {
    let lab =
        lab("task \"left-out\" container=\"files/burn-in.tar\" { doc \"x\"; args \"sh\" }", &["left-out"]);
    archive(&lab.path().join("files/burn-in.tar"));
    let env = [("DOCKER_HOST", "unix:///nonexistent/podman.sock")];
    rackwright_with(&env, &["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    rackwright_with(&env, &["doctor"])
        .exits(0)
        .says("missing  container tasks")
        .says("apt-get install podman");
    rackwright_with(&env, &["image", lab.design()]).exits(0).says("there is no container engine");
    let real = tasks::lab(
        "task \"wanted\" container=\"files/burn-in.tar\" { doc \"x\"; args \"sh\"; rehearse \"run\" }",
        &["wanted"],
    );
    archive(&real.path().join("files/burn-in.tar"));
    let output = rackwright_with(&env, &["apply", real.design(), "--virtual", "--yes"]).exits(1);
    output.says("task `wanted` cannot run").says("there is no container engine");
}
