//! A switch over its real port: what it answers, refuses and keeps, and what it means for the machine that is plugged in.

use super::super::{BootMode, Fabric, Faults, MachineSpec, Plug, Rack, RackSpec, SwitchSpec, boot};
use crate::units::Mac;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UdpSocket;

const PORT: &str = "/restconf/data/openconfig-interfaces:interfaces/interface=Ethernet1%2F1";
const KIND: &str = "application/yang-data+json";

async fn rack(state_dir: Option<PathBuf>, faults: &str) -> Rack {
    let plug = Plug {
        interface: "nic1".into(),
        switch: "sw1".into(),
        port: "Ethernet1/1".into(),
        boots: true,
        aggregate: false,
    };
    let machine = MachineSpec {
        node: "n01".into(),
        bmc_address: "https://10.17.1.1".into(),
        uuid: "00000000-0000-4000-8000-000000000001".into(),
        serial: "S1".into(),
        vendor: "Rackwright".into(),
        model: "R1".into(),
        macs: vec![Mac([0x52, 0x54, 0, 0, 0, 1])],
        plugs: vec![plug],
        boot_mode: BootMode::Uefi,
        bios: Default::default(),
        memory_gib: 8,
        cores: 4,
        firmware: Default::default(),
        pci: Vec::new(),
        controller: "RAID".into(),
        drives: Vec::new(),
    };
    let switch = SwitchSpec {
        name: "sw1".into(),
        ports: ["Ethernet1/1", "Ethernet1/2", "Port-Channel1"].map(String::from).into(),
        aggregates: ["Port-Channel1".to_string()].into(),
    };
    let spec = RackSpec {
        machines: vec![machine],
        switches: vec![switch],
        boot_vlans: [20].into(),
        link: Ipv4Addr::new(10, 20, 0, 0),
        state_dir,
        frozen: false,
        seed: 1,
    };
    Rack::start(spec, Faults::parse(faults).unwrap()).await.unwrap()
}

async fn ask(rack: &Rack, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Response {
    let at = rack.endpoints().switches[0].clone();
    let client: Client = boot::http::client().unwrap();
    let mut request = client.request(method, format!("{}{path}", at.endpoint));
    request = request.basic_auth(&at.user, Some(&at.password)).header("content-type", KIND);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    request.body(body).timeout(Duration::from_secs(3)).send().await.unwrap()
}

fn entry(config: Value, vlans: Value) -> Value {
    json!({ "openconfig-interfaces:interface": [{
        "name": "Ethernet1/1",
        "config": config,
        "openconfig-if-ethernet:ethernet": { "openconfig-vlan:switched-vlan": { "config": vlans } },
    }] })
}

async fn patch(rack: &Rack, config: Value, vlans: Value) -> u16 {
    ask(rack, Method::PATCH, PORT, &[], entry(config, vlans)).await.status().as_u16()
}

async fn shown(rack: &Rack) -> Value {
    let answer = ask(rack, Method::GET, PORT, &[], Value::Null).await;
    assert_eq!(answer.headers()["content-type"], KIND);
    answer.json::<Value>().await.unwrap()["openconfig-interfaces:interface"][0].clone()
}

const VLANS: &str = "/openconfig-if-ethernet:ethernet/openconfig-vlan:switched-vlan/config";

async fn tagged(rack: &Rack) -> Value {
    shown(rack).await.pointer(VLANS).unwrap()["trunk-vlans"].clone()
}

#[tokio::test]
async fn a_patch_adds_and_a_put_replaces_and_a_tag_guards_both() {
    let rack = rack(None, "1:").await;
    let fresh = shown(&rack).await;
    assert_eq!(fresh.pointer(VLANS), Some(&json!({ "interface-mode": "ACCESS", "access-vlan": 1 })));
    assert_eq!((&fresh["config"]["enabled"], &fresh["state"]["oper-status"]), (&json!(true), &json!("DOWN")));
    let trunk = |vlans: Value| json!({ "interface-mode": "TRUNK", "trunk-vlans": vlans });
    assert_eq!(patch(&rack, json!({ "description": "mine" }), trunk(json!([10, "11..13"]))).await, 204);
    assert_eq!(patch(&rack, json!({}), trunk(json!([30]))).await, 204);
    assert_eq!(tagged(&rack).await, json!(["10..13", 30]));

    let tag = ask(&rack, Method::GET, PORT, &[], Value::Null).await.headers()["etag"].clone();
    let guard = [("if-match", tag.to_str().unwrap())];
    let smaller = entry(json!({}), trunk(json!([30])));
    let put = || ask(&rack, Method::PUT, PORT, &guard, smaller.clone());
    assert_eq!(put().await.status(), 204);
    assert_eq!(put().await.status(), 412);
    assert_eq!(tagged(&rack).await, json!([30]));
    assert_eq!(shown(&rack).await["config"].get("description"), None, "what a PUT leaves out is gone");
    rack.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_as_the_standard_says_and_changes_nothing() {
    let rack = rack(None, "1:").await;
    let before = shown(&rack).await;
    let at = rack.endpoints().switches[0].clone();
    let nobody = boot::http::client().unwrap().get(format!("{}{PORT}", at.endpoint)).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert!(nobody.headers().contains_key("www-authenticate"));
    for (method, path, kind, body, status, tag) in [
        (Method::GET, "/restconf/data/x", KIND, json!(1), 404, "invalid-value"),
        (Method::GET, &PORT.replace("1%2F1", "1%2F99"), KIND, json!(1), 404, "invalid-value"),
        (Method::DELETE, PORT, KIND, json!(1), 405, "operation-not-supported"),
        (Method::PATCH, PORT, "application/json", entry(json!({}), json!({})), 415, "invalid-value"),
        (Method::PATCH, PORT, KIND, json!({ "x": 1 }), 400, "malformed-message"),
        (Method::PATCH, PORT, KIND, entry(json!({ "colour": 1 }), json!({})), 400, "unknown-element"),
        (Method::PATCH, PORT, KIND, entry(json!({}), json!({ "access-vlan": 4095 })), 400, "invalid-value"),
        (
            Method::PATCH,
            PORT,
            KIND,
            entry(json!({}), json!({ "trunk-vlans": ["9..2"] })),
            400,
            "invalid-value",
        ),
        (Method::PATCH, PORT, KIND, entry(json!({ "enabled": 1 }), json!({})), 400, "invalid-value"),
    ] {
        let client = boot::http::client().unwrap().request(method, format!("{}{path}", at.endpoint));
        let request = client.basic_auth(&at.user, Some(&at.password)).header("content-type", kind);
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["ietf-restconf:errors"]["error"][0]["error-tag"], tag, "{body}: {said}");
    }
    assert_eq!(shown(&rack).await, before);
    rack.stop().await;
}

#[tokio::test]
async fn settings_are_kept_and_writes_are_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let first = rack(Some(folder.path().into()), "1:").await;
    let effect = [("x-rackwright-effect", "r1-1-7")];
    let body = entry(json!({ "enabled": false }), json!({ "access-vlan": 20 }));
    assert_eq!(ask(&first, Method::PATCH, PORT, &effect, body.clone()).await.status(), 204);
    let (kept, port) = (shown(&first).await, first.endpoints().switches[0].endpoint.clone());
    first.stop().await;
    let second = rack(Some(folder.path().into()), "1:").await;
    assert_eq!((shown(&second).await, &second.endpoints().switches[0].endpoint), (kept, &port));
    let log = String::from_utf8(second.parts.around.log.text().await.unwrap()).unwrap();
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(log.lines().count(), 1, "looking is not in the log");
    assert_eq!((&line["switch"], &line["node"]), (&json!("sw1"), &json!("n01")));
    assert_eq!(
        (&line["method"], &line["path"], &line["status"]),
        (&json!("PATCH"), &json!(PORT), &json!(204))
    );
    assert_eq!((&line["effect"], &line["body"]), (&json!("r1-1-7"), &body));
    second.stop().await;
}

#[tokio::test]
async fn a_machine_is_heard_only_where_its_port_carries_a_boot_network() {
    let rack = rack(None, "1:").await;
    let dhcp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    rack.connect(Fabric { dhcp: dhcp.local_addr().ok(), tftp: None });
    let machine = rack.parts.machines[0].clone();
    super::super::machine::power::press(&machine, super::super::machine::power::Press::On).unwrap();
    let mut buffer = [0u8; 2048];
    let nothing = tokio::time::timeout(Duration::from_millis(400), dhcp.recv_from(&mut buffer)).await;
    assert!(nothing.is_err(), "it was heard in VLAN 1");
    assert!(machine.has_network() && !machine.is_heard_when_booting());
    assert_eq!(patch(&rack, json!({}), json!({ "access-vlan": 20 })).await, 204);
    let heard = tokio::time::timeout(Duration::from_secs(20), dhcp.recv_from(&mut buffer)).await;
    assert!(heard.is_ok(), "it is not heard in the boot VLAN");
    assert_eq!(shown(&rack).await["state"]["oper-status"], "UP");
    // As the untagged network of a trunk it is the same.
    assert_eq!(patch(&rack, json!({}), json!({ "interface-mode": "TRUNK", "native-vlan": 20 })).await, 204);
    assert!(machine.is_heard_when_booting());
    // As a member of an aggregate it is not: firmware speaks no LACP. Nothing joins what is no aggregate.
    let joins = |name: &str| {
        let config = json!({ "openconfig-if-aggregate:aggregate-id": name });
        json!({ "openconfig-interfaces:interface": [{
            "name": "Ethernet1/1", "openconfig-if-ethernet:ethernet": { "config": config },
        }] })
    };
    assert_eq!(ask(&rack, Method::PATCH, PORT, &[], joins("Ethernet1/2")).await.status(), 400);
    assert!(machine.is_heard_when_booting());
    assert_eq!(ask(&rack, Method::PATCH, PORT, &[], joins("Port-Channel1")).await.status(), 204);
    assert!(!machine.is_heard_when_booting() && machine.has_network());
    assert_eq!(patch(&rack, json!({ "enabled": false }), json!({})).await, 204);
    assert!(!machine.has_network() && !machine.is_heard_when_booting());
    assert_eq!(shown(&rack).await["state"]["oper-status"], "DOWN");
    rack.stop().await;
}

#[tokio::test]
async fn a_switch_that_refuses_writes_says_so_and_tells_the_log() {
    let rack = rack(None, "1:switch-refuse=1").await;
    assert_eq!(patch(&rack, json!({ "enabled": false }), json!({})).await, 409);
    assert_eq!(shown(&rack).await["config"]["enabled"], true);
    let log = String::from_utf8(rack.parts.around.log.text().await.unwrap()).unwrap();
    assert!(log.contains("\"status\":409"), "{log}");
    rack.stop().await;
}
