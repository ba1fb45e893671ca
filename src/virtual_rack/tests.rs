//! Stories of a whole rack, told over its real ports.
//!
//! The boot server in `server.rs` is just large enough to install a machine. It is no model of ours: it answers by rote.

mod agents;
mod server;

use super::*;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use server::{Server, digest};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

const IMAGE: &str = "rackwright virtual image: debian-12\nand its content\n";
const KERNEL: &str = "rackwright virtual kernel: agent\n";
const RAMDISK: &str = "rackwright virtual ramdisk: agent\n";

pub fn spec(names: &[&str], state_dir: Option<PathBuf>) -> RackSpec {
    let machines = names.iter().zip(1u8..).map(|(name, number)| MachineSpec {
        node: name.to_string(),
        bmc_address: format!("https://10.17.1.{number}"),
        uuid: format!("00000000-0000-4000-8000-0000000000{number:02}"),
        serial: format!("S{number}"),
        vendor: "Rackwright".into(),
        model: "R1".into(),
        macs: vec![Mac([0x52, 0x54, 0, 0, 0, number]), Mac([0x52, 0x54, 0, 0, 1, number])],
        plugs: Vec::new(),
        boot_mode: BootMode::Uefi,
        bios: [("Virt".to_string(), json!("Disabled")), ("Threads".to_string(), json!(2))].into(),
        memory_gib: 8,
        cores: 4,
        firmware: [("bios".to_string(), "1.2".to_string()), ("bmc".to_string(), "3.4".to_string())].into(),
        pci: hardware_tests::pci(),
        controller: "RAID".into(),
        drives: hardware_tests::drives(),
    });
    RackSpec {
        machines: machines.collect(),
        switches: Vec::new(),
        boot_vlans: BTreeSet::new(),
        link: Ipv4Addr::new(10, 20, 0, 0),
        state_dir,
        frozen: false,
        seed: 1,
    }
}

/// A client of one BMC.
pub struct Bmc {
    http: Client,
    at: BmcEndpoint,
}

impl Bmc {
    pub fn of(rack: &Rack, number: usize) -> Bmc {
        Bmc { http: boot::http::client().unwrap(), at: rack.endpoints().bmcs[number].clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}/redfish/v1{path}", self.at.endpoint));
        request.basic_auth(&self.at.user, Some(&self.at.password)).timeout(Duration::from_secs(3))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }

    async fn patch(&self, path: &str, body: Value) -> Response {
        self.request(Method::PATCH, path).json(&body).send().await.unwrap()
    }

    async fn reset(&self, kind: &str) -> u16 {
        let request = self.request(Method::POST, "/Systems/1/Actions/ComputerSystem.Reset");
        let request = request.header("X-Rackwright-Effect", "e1").json(&json!({"ResetType": kind}));
        request.send().await.unwrap().status().as_u16()
    }

    async fn boot_once(&self, target: &str) {
        let boot = json!({"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": target});
        assert_eq!(self.patch("/Systems/1", json!({"Boot": boot})).await.status(), 200);
    }
}

async fn control(rack: &Rack, path: &str) -> String {
    let url = format!("{}{path}", rack.endpoints().control);
    boot::http::client().unwrap().get(url).send().await.unwrap().text().await.unwrap()
}

pub async fn node(rack: &Rack, name: &str) -> Value {
    serde_json::from_str(&control(rack, &format!("/rack/nodes/{name}")).await).unwrap()
}

pub async fn change(rack: &Rack, name: &str, body: Value) -> u16 {
    let url = format!("{}/rack/nodes/{name}", rack.endpoints().control);
    boot::http::client().unwrap().patch(url).json(&body).send().await.unwrap().status().as_u16()
}

async fn log(rack: &Rack) -> Vec<Value> {
    control(rack, "/rack/log").await.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until `field` of the node is `wanted`, for at most ten seconds.
async fn wait(rack: &Rack, name: &str, field: &str, wanted: Value) {
    for _ in 0..500 {
        if node(rack, name).await[field] == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{field} is not {wanted}: {:#}", node(rack, name).await);
}

#[tokio::test]
async fn a_bmc_asks_who_is_there() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let bare = |method: Method, path: &str| bmc.http.request(method, format!("{}{path}", bmc.at.endpoint));
    let root = bare(Method::GET, "/redfish/v1/").send().await.unwrap();
    assert_eq!((root.status().as_u16(), root.headers()["odata-version"].as_bytes()), (200, &b"4.0"[..]));
    let refused = bare(Method::GET, "/redfish/v1/Systems/1").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));
    let log_in = |password: &str| {
        let body = json!({"UserName": bmc.at.user, "Password": password});
        bare(Method::POST, "/redfish/v1/SessionService/Sessions").json(&body).send()
    };
    assert_eq!(log_in("wrong").await.unwrap().status(), 401);
    let session = log_in(&bmc.at.password).await.unwrap();
    assert_eq!(session.status(), 201);
    let token = session.headers()["x-auth-token"].clone();
    let place = session.headers()["location"].to_str().unwrap().to_string();
    let systems = || bare(Method::GET, "/redfish/v1/Systems").header("X-Auth-Token", token.clone()).send();
    assert_eq!(systems().await.unwrap().status(), 200);
    let closed = bare(Method::DELETE, &place).header("X-Auth-Token", token.clone()).send().await.unwrap();
    assert_eq!(closed.status(), 204);
    assert_eq!(systems().await.unwrap().status(), 401);
    assert!(log(&rack).await.is_empty(), "sessions change nothing");
    rack.stop().await;
}

#[tokio::test]
async fn a_bmc_refuses_what_is_wrong() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let missing = bmc.request(Method::GET, "/Systems/7").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let method = bmc.request(Method::DELETE, "/Systems/1").send().await.unwrap();
    assert_eq!(
        (method.status().as_u16(), method.headers()["allow"].as_bytes()),
        (405, &b"GET, HEAD, PATCH"[..])
    );
    let garbled = bmc.request(Method::PATCH, "/Systems/1").body("{").send().await.unwrap();
    assert_eq!(garbled.status(), 400);
    for (path, body, named) in [
        ("/Systems/1/Bios/Settings", json!({"Attributes": {"Nonsense": 1}}), "Nonsense"),
        ("/Systems/1/Bios/Settings", json!({"Attributes": {"Threads": "two"}}), "Threads"),
        ("/Systems/1", json!({"Boot": {"BootSourceOverrideTarget": "Moon"}}), "Moon"),
        ("/Systems/1", json!({"Colour": 1}), "Colour"),
    ] {
        let answer = bmc.patch(path, body).await;
        assert_eq!(answer.status(), 400, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"]["@Message.ExtendedInfo"][0]["Message"].as_str().unwrap().contains(named));
    }
    assert_eq!(bmc.reset("Sideways").await, 400);
    assert_eq!(bmc.reset("ForceRestart").await, 409);
    rack.stop().await;
}

#[tokio::test]
async fn an_entity_tag_guards_the_boot_override() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let shown = bmc.request(Method::GET, "/Systems/1").send().await.unwrap();
    let tag = shown.headers()["etag"].clone();
    let wanted =
        json!({"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "BiosSetup"}});
    let patch =
        || bmc.request(Method::PATCH, "/Systems/1").header("If-Match", tag.clone()).json(&wanted).send();
    assert_eq!(patch().await.unwrap().status(), 200);
    assert_eq!(patch().await.unwrap().status(), 412);
    assert_eq!(bmc.get("/Systems/1").await["Boot"]["BootSourceOverrideTarget"], "BiosSetup");
    rack.stop().await;
}

#[tokio::test]
async fn pending_settings_wait_for_a_reset() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let answer = bmc.patch("/Systems/1/Bios/Settings", json!({"Attributes": {"Virt": "Enabled"}})).await;
    assert_eq!(answer.status(), 202);
    let monitor = answer.headers()["location"].to_str().unwrap().replace("/redfish/v1", "");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bmc.request(Method::GET, &monitor).send().await.unwrap().status(), 200);
    assert_eq!(bmc.get("/Systems/1/Bios").await["Attributes"]["Virt"], "Disabled");
    assert_eq!(bmc.get("/Systems/1/Bios/Settings").await["Attributes"], json!({"Virt": "Enabled"}));
    assert_eq!((bmc.reset("On").await, bmc.reset("On").await), (204, 204));
    wait(&rack, "n01", "power", json!("On")).await;
    wait(&rack, "n01", "pending", json!({})).await;
    assert_eq!(bmc.get("/Systems/1/Bios").await["Attributes"]["Virt"], "Enabled");
    assert_eq!(bmc.reset("ForceOff").await, 204);
    wait(&rack, "n01", "power", json!("Off")).await;
    let requests: Vec<Value> =
        log(&rack).await.into_iter().filter(|line| line["kind"] == "request").collect();
    assert_eq!(requests.len(), 4);
    assert_eq!((&requests[0]["status"], &requests[1]["effect"]), (&json!(202), &json!("e1")));
    rack.stop().await;
}

#[tokio::test]
async fn a_machine_installs_itself_and_outlives_the_rack() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || spec(&["n01"], Some(folder.path().to_path_buf()));
    let server = Server::start().await;
    let rack = Rack::start(kept(), Faults::default()).await.unwrap();
    rack.connect(server.fabric);
    let bmc = Bmc::of(&rack, 0);
    bmc.boot_once("Pxe").await;
    assert_eq!(bmc.reset("On").await, 204);
    wait(&rack, "n01", "running", json!("debian-12")).await;
    for _ in 0..100 {
        if server.events().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.events(), ["installed", "booted"]);
    let booted = server.reports.lock().unwrap()[1].clone();
    assert_eq!(booted["image"], json!({"name": "debian-12", "checksum": digest(IMAGE)}));
    assert_eq!(booted["kernel-params"], json!(["console=ttyS0"]));
    assert_eq!(booted["identity"]["macs"][0], "52:54:00:00:00:01");
    assert_eq!(bmc.get("/Systems/1").await["Boot"]["BootSourceOverrideEnabled"], "Disabled");
    let before = (rack.endpoints(), node(&rack, "n01").await);
    let told = log(&rack).await;
    let lines: Vec<String> = told
        .iter()
        .filter(|line| line["kind"] != "request")
        .map(|line| format!("{} {}", line["kind"].as_str().unwrap(), line["phase"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, ["boot start", "boot end", "install start", "install end", "boot start", "boot end",]);
    rack.stop().await;

    let again = Rack::start(kept(), Faults::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(again.endpoints(), before.0);
    assert_eq!(node(&again, "n01").await, before.1, "it runs on, without a new boot");
    assert_eq!(log(&again).await, told);
    assert_eq!(server.events().len(), 2);
    again.stop().await;
}

#[tokio::test]
async fn wrong_digests_do_not_boot_and_do_not_install() {
    let server = Server::start().await;
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    rack.connect(server.fabric);
    *server.kernel_digest.lock().unwrap() = "sha256:00".into();
    let bmc = Bmc::of(&rack, 0);
    bmc.boot_once("Pxe").await;
    bmc.reset("On").await;
    for _ in 0..200 {
        if node(&rack, "n01").await["last-boot"]["why"]
            .as_str()
            .is_some_and(|why| why.contains("the kernel has"))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    *server.kernel_digest.lock().unwrap() = digest(KERNEL);
    *server.image_digest.lock().unwrap() = "sha256:00".into();
    bmc.boot_once("Pxe").await;
    bmc.reset("ForceRestart").await;
    for _ in 0..200 {
        if !server.events().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.events(), ["failed"]);
    assert_eq!(node(&rack, "n01").await["disk"], Value::Null);
    assert!(
        log(&rack).await.iter().any(|line| line["why"].as_str().is_some_and(|why| why.contains("digest")))
    );
    rack.stop().await;
}

#[tokio::test]
async fn a_disk_boots_when_nobody_serves_and_hands_can_change_everything() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let disk =
        json!({"disk": {"image": "rackwright virtual image: old\n"}, "power": "On", "bios": {"Threads": 4}});
    assert_eq!(change(&rack, "n01", disk).await, 200);
    wait(&rack, "n01", "running", json!("old")).await;
    assert_eq!(node(&rack, "n01").await["bios"]["Threads"], 4);
    assert_eq!(change(&rack, "n01", json!({"colour": 1})).await, 400);
    assert_eq!(change(&rack, "n01", json!({"bios": {"Nonsense": 1}})).await, 400);
    assert_eq!(change(&rack, "n09", json!({})).await, 404);
    assert_eq!(change(&rack, "n01", json!({"disk": null, "power": "Off", "responding": false})).await, 200);
    wait(&rack, "n01", "power", json!("Off")).await;
    let bmc = Bmc::of(&rack, 0);
    let hung = bmc.request(Method::GET, "/").timeout(Duration::from_millis(200)).send().await;
    assert!(hung.unwrap_err().is_timeout());
    assert_eq!(change(&rack, "n01", json!({"responding": true})).await, 200);
    assert_eq!(bmc.get("/Systems/1").await["PowerState"], "Off");
    rack.stop().await;
}

#[tokio::test]
async fn faults_show_on_the_wire() {
    let faults = Faults::parse("7:503=1,wrong-machine=n01/n02").unwrap();
    let rack = Rack::start(spec(&["n01", "n02"], None), faults).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let busy = bmc.request(Method::GET, "/Systems/1").send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].as_bytes()), (503, &b"1"[..]));
    rack.stop().await;

    let dropping = Rack::start(spec(&["n01"], None), Faults::parse("7:drop=1").unwrap()).await.unwrap();
    let bmc = Bmc::of(&dropping, 0);
    assert!(bmc.request(Method::GET, "/Systems/1").send().await.is_err());
    dropping.stop().await;

    let swapped = Faults::parse("7:wrong-machine=n01/n02").unwrap();
    let rack = Rack::start(spec(&["n01", "n02"], None), swapped).await.unwrap();
    assert_eq!(Bmc::of(&rack, 0).get("/Systems/1").await["SerialNumber"], "S2");
    rack.stop().await;

    let unknown = Rack::start(spec(&["n01"], None), Faults::parse("7:wrong-machine=n01/n09").unwrap()).await;
    assert!(matches!(unknown, Err(RackError::UnknownNode(name)) if name == "n09"));
}

#[tokio::test]
async fn power_may_flap() {
    let rack = Rack::start(spec(&["n01"], None), Faults::parse("7:power-flap=1").unwrap()).await.unwrap();
    change(&rack, "n01", json!({"power": "On"})).await;
    wait(&rack, "n01", "power", json!("On")).await;
    wait(&rack, "n01", "power", json!("Off")).await;
    rack.stop().await;
}

#[tokio::test]
async fn a_design_that_swaps_two_addresses_meets_the_wrong_machines() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = spec(&["n01", "n02"], Some(folder.path().to_path_buf()));
    Rack::start(first.clone(), Faults::default()).await.unwrap().stop().await;
    first.machines[0].bmc_address = "https://10.17.1.2".into();
    first.machines[1].bmc_address = "https://10.17.1.1".into();
    let rack = Rack::start(first, Faults::default()).await.unwrap();
    let met = node(&rack, "n01").await;
    assert_eq!((&met["serial"], &met["macs"][0]), (&json!("S2"), &json!("52:54:00:00:00:02")));
    rack.stop().await;
}

#[tokio::test]
async fn the_last_press_wins() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    for kind in ["On", "PowerCycle", "ForceOff"] {
        assert_eq!(bmc.reset(kind).await, 204);
    }
    wait(&rack, "n01", "power", json!("Off")).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(node(&rack, "n01").await["power"], "Off");
    rack.stop().await;
}
