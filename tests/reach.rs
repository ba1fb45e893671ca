//! Effects that reach beyond BMCs and boot services, from a design to what came of them: texts, secrets, HTTP, names, SSH.
//!
//! Owns the way through the whole program. What the parts do with hostile peers stands beside them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, free_ports, rackwright, rackwright_with, until};
use rackwright::effect::hardware::Hardware;
use rackwright::effect::live::Live;
use rackwright::effect::live::ssh::find_again;
use rackwright::effect::{Found, Job, Target};
use rackwright::id::EffectId;
use rackwright::model::value::Value;
use rackwright::script::tape::Call;
use rackwright::store::{Store, Url};
use rackwright::world::http::Web;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than a server takes to start on a slow computer.
const START: Duration = Duration::from_secs(30);
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

/// Removes what commands left on this computer, which plays the machine: the folders of these effects.
fn forget(effects: &str) {
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    let own = format!("/var/tmp/rackwright-{}", String::from_utf8(user).unwrap().trim());
    for folder in ["/var/lib/rackwright/effects", own.as_str()] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(effects) {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
}

/// The same for all runs of a lab.
fn forget_runs(lab: &Lab) {
    let runs = rackwright(&["runs", "--virtual", lab.design(), "--json"]).exits(0).json();
    for run in runs["runs"].as_array().unwrap() {
        forget(run["run"].as_str().unwrap());
    }
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
            let request = format!("{head}{}", String::from_utf8(body).unwrap());
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

/// OpenSSH's server on a loopback port, with keys and a configuration of its own; it ends with this value.
struct Sshd {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

const INSTALL: &str = "`tests/run` installs it, or: apt-get install openssh-server";

impl Sshd {
    fn start() -> Sshd {
        let folder = tempfile::tempdir().unwrap();
        let [port, ..] = free_ports();
        for name in ["first", "second", "key"] {
            let path = folder.path().join(name);
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
            assert!(made.unwrap_or_else(|error| panic!("ssh-keygen: {error}; {INSTALL}")).success());
        }
        let child = Sshd::serve(folder.path(), port, "first");
        Sshd { child, folder, port }
    }

    fn serve(folder: &Path, port: u16, host_key: &str) -> Child {
        let at = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\nLogLevel QUIET\n",
            at(host_key),
            at("key.pub"),
        );
        std::fs::write(at("config"), config).unwrap();
        // Where a server that root starts keeps its unprivileged part.
        let _ = std::fs::create_dir_all("/run/sshd");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", &at("config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("sshd cannot be started ({error}); {INSTALL}"));
        let up = until(START, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        assert!(up.is_some(), "sshd is not up");
        child
    }

    /// The machine shows another host key, as after an install, or as an impostor does.
    fn change_host_key(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = Sshd::serve(self.folder.path(), self.port, "second");
    }

    fn fingerprint(&self, name: &str) -> String {
        let path = self.folder.path().join(format!("{name}.pub"));
        let said = Command::new("ssh-keygen").arg("-lf").arg(path).output().unwrap().stdout;
        String::from_utf8(said).unwrap().split_whitespace().nth(1).unwrap().to_string()
    }

    /// How the design says to reach it.
    fn reached(&self) -> String {
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        format!(
            "    ssh address=\"127.0.0.1\" port={} user=\"{}\" key=(secret)\"file:{}\"\n",
            self.port,
            user.trim(),
            self.folder.path().join("key").display()
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn commands_and_files_reach_the_machine_and_a_secret_only_its_file() {
    let sshd = Sshd::start();
    let folder = sshd.folder.path().to_str().unwrap();
    let lab = lab(
        "    allow \"ssh\" \"log\" \"secret\" \"template\" \"wait\"\n    secret \"planted\" (secret)\"env:PLANTED\"",
        &r#"fn apply(node) {
            wait::ssh(node, "1m");
            let text = template::render("token={{ token }}\n", #{ token: secret::get("planted") });
            ssh::put(node, "DIR/conf", text, #{ mode: "0600" });
            ssh::put(node, "DIR/conf", text, #{ mode: "0600" });
            let done = ssh::run(node, "echo mark >>DIR/marks; cat DIR/conf; cat", #{ input: secret::get("planted") });
            log::info(`run: ${done.status} ${done.stdout}`);
            log::info("read: " + ssh::read(node, "stat -c %a DIR/conf; exit 3", #{ expect: [0, 3] }).stdout);
            try { ssh::read(node, "echo no such thing >&2; exit 4") } catch (error) { log::info(error.message) }
            log::info("text: " + ssh::read(node, "cat DIR/marks").stdout);
        }"#
        .replace("DIR", folder),
    );
    lab.edit("nodes.kdl", "    rack \"r1\"", &format!("{}    rack \"r1\"", sshd.reached()));
    let output = apply(&lab).exits(0);
    let said = logged(&lab);
    assert!(said.contains(&format!("its host key is {} from now on", sshd.fingerprint("first"))), "{said}");
    assert!(said.contains("read: 600") && said.contains("text: mark\n"), "{said}");
    assert!(said.contains("ended with status 4: no such thing"), "{said}");
    assert!(said.contains("run: 0 token=(secret)\n(secret)"), "{said}");
    let file = std::fs::read_to_string(sshd.folder.path().join("conf")).unwrap();
    assert_eq!(file, format!("token={PLANTED}\n"));
    assert!(![output.stdout, output.stderr, said].concat().contains(PLANTED));
    kept_nowhere(&lab);
    forget_runs(&lab);
}

#[test]
fn another_host_key_is_an_error_until_the_machine_was_installed_again() {
    let mut sshd = Sshd::start();
    let lab = Lab::small(1);
    let kdl = "task \"reach\" script=\"reach.rhai\" { doc \"Reach out.\"; allow \"ssh\" \"log\"; scope \"os\"; param \"turn\" type=\"int\" }\n\
        blueprint \"reaching\" {\n    step \"install\" task=\"std/install\" phase=\"deploy\"\n    \
        step \"reach\" task=\"reach\" phase=\"configure\" after=\"install\" { param \"turn\" 1 }\n}\n";
    lab.append("nodes.kdl", kdl);
    lab.write(
        "scripts/reach.rhai",
        "fn apply(node, params) { log::info(ssh::run(node, \"echo it works\").stdout) }",
    );
    lab.edit(
        "nodes.kdl",
        "hardware \"virtual-1u\"\n",
        "hardware \"virtual-1u\"\n    lifecycle \"reaching\"\n",
    );
    lab.edit("nodes.kdl", "    rack \"r1\"", &format!("{}    rack \"r1\"", sshd.reached()));
    apply(&lab).exits(0);
    assert!(logged(&lab).contains("it works"));

    sshd.change_host_key();
    lab.edit("nodes.kdl", "param \"turn\" 1", "param \"turn\" 2");
    let (first, second) = (sshd.fingerprint("first"), sshd.fingerprint("second"));
    apply(&lab).exits(4).says(&format!("its host key is {second}, and {first} is expected"));

    // The design wants another image: the machine is installed again, and its new key is no surprise.
    let content = "rackwright virtual image: debian-13\nanother payload\n";
    lab.write("files/images/debian-13.img", content);
    let text = lab.read("images.kdl");
    let (before, after) =
        text.split_once("    url \"files/images/debian-12.img\"\n    checksum \"sha256:").unwrap();
    let digest = rackwright::id::hex(&Sha256::digest(content));
    let url = format!("    url \"files/images/debian-13.img\"\n    checksum \"sha256:{digest}\"");
    lab.write("images.kdl", &format!("{before}{url}{}", after.split_once('"').unwrap().1));
    lab.edit("images.kdl", "image \"debian-12\"", "image \"debian-13\"");
    lab.edit("nodes.kdl", "image \"debian-12\"", "image \"debian-13\"");
    apply(&lab).exits(0);
    assert!(
        logged(&lab).contains(&format!("its host key is {second} since it was installed")),
        "{}",
        logged(&lab)
    );
    forget_runs(&lab);
}

#[test]
fn a_rehearsal_logs_in_to_nothing_real() {
    let lab = lab("    allow \"ssh\"", "fn apply(node) { ssh::run(node, \"true\") }");
    let reached = "    ssh address=\"192.0.2.1\" user=\"root\" key=(secret)\"env:PLANTED\"\n    rack \"r1\"";
    lab.edit("nodes.kdl", "    rack \"r1\"", reached);
    apply(&lab).exits(4).says("a rehearsal touches nothing real, and `192.0.2.1` is not a loopback address");
}

#[test]
fn a_command_without_an_answer_is_found_again_by_its_id() {
    let sshd = Sshd::start();
    let lab = lab("    allow \"ssh\"", "fn apply(node) { ssh::run(node, \"true\") }");
    let reached =
        sshd.reached().replace(" port=", &format!(" host-key=\"{}\" port=", sshd.fingerprint("first")));
    lab.edit("nodes.kdl", "    rack \"r1\"", &format!("{reached}    rack \"r1\""));
    let marks = sshd.folder.path().join("marks");
    let command = format!("echo mark >>'{}'; echo done", marks.display());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let site = rackwright::reconcile::design::load(lab.design(), &Default::default())
            .await
            .unwrap()
            .site
            .unwrap();
        let store = Store::open(&Url(lab.beside("found.db"))).await.unwrap();
        let live = Live {
            hardware: Hardware::new(reqwest::Client::builder().build().unwrap(), Some(BTreeMap::new())),
            ports: rackwright::effect::ports::Ports::new(None),
            web: Web::default(),
            agents: Default::default(),
            outside: rackwright::effect::outside::Outside::none(),
            store,
            fence: None,
            boot_secret: String::new(),
            now: rackwright::world::clock::now,
        };
        let target = Target { node: "lab-n01".into(), spec: site.node("lab-n01").unwrap().spec.clone() };
        let effect = rackwright::script::catalogue::find("ssh.run").unwrap();
        let args = vec![Value::text("lab-n01"), Value::from(command), Value::Null];
        let call = Call { sequence: 0, effect, args, at: None };
        let id = EffectId(format!("test-{}-found", std::process::id()));
        let step: Arc<str> = "reach".into();
        let task = &site.tasks["reach"];
        let job = Job {
            target: &target,
            task,
            call: &call,
            id: &id,
            run: "r1",
            attempt: 1,
            step: &step,
            record: "reach",
            until: None,
        };
        assert!(matches!(find_again(&live, &job).await, Found::NotDone));
        let done = live.perform(&job).await;
        assert!(done.wrote && !done.perhaps, "{done:?}");
        let Found::Done(found) = find_again(&live, &job).await else { panic!("it is not found") };
        assert_eq!((found.answer.clone(), found.perhaps), (done.answer, false));
        assert_eq!(found.answer.unwrap().str_at("stdout"), Some("done\n"));
        assert_eq!(std::fs::read_to_string(&marks).unwrap(), "mark\n");
        forget(&id.0);
        // Who cannot be asked has not said that nothing was done.
        drop(sshd);
        let mut elsewhere = target.clone();
        elsewhere.spec.put(&["ssh".into(), "host-key".into()], Value::text("SHA256:another"));
        let job = Job { target: &elsewhere, ..job };
        let gone = tokio::time::timeout(Duration::from_secs(3), find_again(&live, &job)).await;
        assert!(gone.is_err() || matches!(gone, Ok(Found::Unknown)));
    });
}
