//! The real interface of hardware that is not ours: an independent Redfish emulator (sushy-tools), driven to
//! the design and then only read.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Answer, free_ports, http, rackwright_with, until};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than a Python service takes to start on a slow computer.
const START: Duration = Duration::from_secs(60);
const SECRET: &[(&str, &str)] = &[("SUSHY_PASSWORD", "not-checked-by-the-emulator")];

#[test]
fn an_independent_redfish_service_is_brought_to_the_design_and_then_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(folder.path());
    let systems = emulator.systems();
    assert!(!systems.is_empty(), "the emulator has no systems");
    systems.iter().for_each(|system| emulator.set_back(system));
    let design = folder.path().join("design");
    write_design(&design, &emulator, &systems);
    let path = design.to_str().unwrap();

    let ours = emulator.access_log().len();
    rackwright_with(SECRET, &["validate", path, "--strict"]).exits(0);
    rackwright_with(SECRET, &["apply", path, "--yes"]).exits(0);
    for system in &systems {
        let seen = emulator.get(&format!("/redfish/v1/Systems/{system}"));
        assert_eq!(seen["PowerState"], "On", "{seen:#}");
        assert_eq!(seen["Boot"]["BootSourceOverrideTarget"], "Pxe", "{seen:#}");
        assert_eq!(seen["Boot"]["BootSourceOverrideEnabled"], "Continuous", "{seen:#}");
    }
    let before = emulator.access_log();
    assert!(
        before[ours..].iter().any(|line| line.contains("PATCH /")),
        "the access log shows no write: {before:#?}"
    );

    rackwright_with(SECRET, &["apply", path, "--yes"]).exits(0).says("Nothing has to change");
    let after = emulator.access_log();
    let new = &after[before.len()..];
    assert!(new.iter().any(|line| line.contains("GET /")), "the second apply did not look: {new:#?}");
    let writes: Vec<&String> = new
        .iter()
        .filter(|line| ["POST /", "PATCH /", "PUT /", "DELETE /"].iter().any(|word| line.contains(word)))
        .filter(|line| !line.contains("/SessionService"))
        .collect();
    assert!(writes.is_empty(), "the second apply wrote: {writes:#?}");
}

/// The emulator's own system, with a controller and two drives as its configuration file writes them. It makes no volumes
/// without a hypervisor; the collection is there and empty.
const STORAGE: &str = r#"
SYSTEM = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
CONTROLLER = {"MemberId": "0", "Name": "Contoso RAID", "SpeedGbps": 12}
DRIVES = ["32ADF365C6C1B7BD", "58CAD5B5D8A2F6A1"]
SUSHY_EMULATOR_STORAGE = {SYSTEM: [{"Id": "1", "Name": "Local Storage", "StorageControllers": [CONTROLLER], "Drives": DRIVES}]}
SUSHY_EMULATOR_DRIVES = {
    (SYSTEM, "1"): [
        {"Id": DRIVES[0], "Name": "Drive A", "CapacityBytes": 899527000000, "Protocol": "SAS"},
        {"Id": DRIVES[1], "Name": "Drive B", "CapacityBytes": 899527000000, "Protocol": "SAS"},
    ]
}
SUSHY_EMULATOR_VOLUMES = {(SYSTEM, "1"): []}
"#;

#[test]
fn the_parts_of_an_independent_service_are_read_and_its_gaps_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("emulator.conf");
    std::fs::write(&config, STORAGE).unwrap();
    let emulator = Emulator::start_with(folder.path(), &["--config", config.to_str().unwrap()]);
    let design = folder.path().join("design");
    write_design(&design, &emulator, &emulator.systems());
    let kdl = std::fs::read_to_string(design.join("site.kdl")).unwrap();
    let write = |drives: &str| {
        let hardware = format!("hardware \"contoso\" {{ {drives} }}");
        let steps = ["manifest", "verify-drives", "verify-pci", "verify-health", "raid"]
            .map(|task| format!("step \"{task}\" task=\"std/{task}\"\n"));
        let parts = format!("{hardware}\nblueprint \"parts\" {{ doc \"Parts.\"\n{} }}", steps.concat());
        let kdl = kdl.replace("lifecycle \"std/power-on\"", "lifecycle \"parts\"; hardware \"contoso\"");
        std::fs::write(design.join("site.kdl"), format!("{kdl}\n{parts}")).unwrap();
    };
    let path = design.to_str().unwrap();
    let apply = || rackwright_with(SECRET, &["apply", path, "--yes", "--approve", "reinstall,data-loss"]);
    write("drives \"all\" media=\"hdd\" protocol=\"sas\" least-size=\"800GB\" count=2");
    apply().exits(0);
    write("drives \"all\" media=\"hdd\" count=3");
    apply()
        .exits(4)
        .says("drives all (hdd): 2 seen, the design says 3")
        .says("32ADF365C6C1B7BD (hdd, 899 GB)");
    write("pci \"nic\" vendor=\"15b3\" count=1");
    apply().exits(4).says("the BMC shows no PCI devices, and the design expects some");
    // What it cannot do is its own refusal, and neither silence nor success.
    write("volume \"os\" level=\"1\" size=\"100GiB\" { drive \"Drive A\" \"Drive B\" }");
    apply().exits(4).says("/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094/Storage/1/Volumes");
    assert!(emulator.access_log().iter().any(|line| line.contains("POST /") && line.contains("/Volumes")));
}

/// `sushy-emulator --fake` on loopback; it ends with this value.
struct Emulator {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Emulator {
    fn start(folder: &Path) -> Emulator {
        Emulator::start_with(folder, &[])
    }

    fn start_with(folder: &Path, more: &[&str]) -> Emulator {
        let program = std::env::var("SUSHY_EMULATOR").unwrap_or_else(|_| {
            panic!("SUSHY_EMULATOR is not set; `tests/run` installs the emulator and sets it, or: pip install sushy-tools")
        });
        let [.., port] = free_ports();
        let log = folder.join("emulator.log");
        let output = File::create(&log).unwrap();
        let child = Command::new(program)
            .args(["--fake", "-i", "127.0.0.1", "--port", &port.to_string()])
            .args(more)
            .current_dir(folder)
            // It keeps its systems in the folder for temporary files: none of an earlier test.
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let emulator = Emulator { child, url: format!("http://127.0.0.1:{port}"), log };
        let up = until(START, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        assert!(up.is_some(), "the emulator is not up:\n{}", emulator.access_log().join("\n"));
        emulator
    }

    fn get(&self, path: &str) -> Value {
        let Answer { status, body } = http("GET", &format!("{}{path}", self.url), None);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Makes a system be what the design does not want, behind our back.
    fn set_back(&self, system: &str) {
        let url = format!("{}/redfish/v1/Systems/{system}", self.url);
        let boot =
            json!({"Boot": {"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Continuous"}});
        assert!(http("PATCH", &url, Some(&boot)).status < 300);
        let off = json!({"ResetType": "ForceOff"});
        assert!(http("POST", &format!("{url}/Actions/ComputerSystem.Reset"), Some(&off)).status < 300);
        let is_off = || {
            let seen = self.get(&format!("/redfish/v1/Systems/{system}"));
            (seen["PowerState"] == "Off" && seen["Boot"]["BootSourceOverrideTarget"] == "Hdd").then_some(())
        };
        assert!(until(START, is_off).is_some(), "{system} cannot be set back");
    }

    /// The ids of its systems.
    fn systems(&self) -> Vec<String> {
        let systems = self.get("/redfish/v1/Systems");
        let id =
            |member: &Value| member["@odata.id"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
        systems["Members"].as_array().unwrap().iter().map(id).collect()
    }

    /// The emulator's own lines, one a request.
    fn access_log(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap().lines().map(str::to_string).collect()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_design(folder: &Path, emulator: &Emulator, systems: &[String]) {
    std::fs::create_dir_all(folder).unwrap();
    let nodes: String = systems
        .iter()
        .enumerate()
        .map(|(index, system)| {
            format!(
                "node \"n{index}\" {{ bmc \"redfish\" address=\"{}\" user=\"admin\" password=(secret)\"env:SUSHY_PASSWORD\" system=\"{system}\" }}\n",
                emulator.url
            )
        })
        .collect();
    let kdl = format!(
        "site \"emulated\" {{ defaults profile=\"on\" }}\nprofile \"on\" {{ lifecycle \"std/power-on\"; power \"on\"; boot-override \"pxe\" persistence=\"continuous\" }}\n{nodes}"
    );
    std::fs::write(folder.join("site.kdl"), kdl).unwrap();
}
