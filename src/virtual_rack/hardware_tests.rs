//! Stories of what machines are made of: volumes over the wire, and parts that change behind everybody's back.

use super::tests::{Bmc, change, node, spec};
use super::*;
use reqwest::Method;
use serde_json::{Value, json};

const VOLUMES: &str = "/Systems/1/Storage/1/Volumes";

pub fn pci() -> Vec<PciSpec> {
    let text = String::from;
    vec![PciSpec {
        name: text("NIC"),
        vendor: text("15b3"),
        device: text("1017"),
        class: text("NetworkController"),
    }]
}

/// Three drives of 20 GiB.
pub fn drives() -> Vec<DriveSpec> {
    let drive = |number: u8| DriveSpec {
        bay: format!("Bay {number}"),
        media: "SSD".into(),
        protocol: "SAS".into(),
        bytes: 20 << 30,
    };
    (1..=3).map(drive).collect()
}

fn volume(name: &str, level: &str, drives: &[u8]) -> Value {
    let link = |number: &u8| json!({"@odata.id": format!("/redfish/v1/Systems/1/Storage/1/Drives/{number}")});
    json!({"Name": name, "RAIDType": level, "Links": {"Drives": drives.iter().map(link).collect::<Vec<_>>()}})
}

async fn post(bmc: &Bmc, body: &Value) -> (u16, Value) {
    let answer = bmc.request(Method::POST, VOLUMES).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn volumes_are_made_and_removed_and_outlive_the_rack() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Rack::start(spec(&["n01"], Some(folder.path().to_path_buf())), Faults::default());
    let rack = start().await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    assert_eq!(change(&rack, "n01", json!({"disk": {"image": "an old system"}})).await, 200);
    assert_eq!(post(&bmc, &volume("data", "RAID0", &[3])).await.0, 202);
    assert!(node(&rack, "n01").await["disk"].is_object(), "another drive is another matter");
    assert_eq!(post(&bmc, &volume("os", "RAID1", &[1, 2])).await.0, 202);
    assert!(node(&rack, "n01").await["disk"].is_null(), "what was on its drives is lost");
    let shown = bmc.get(&format!("{VOLUMES}/2")).await;
    assert_eq!((&shown["Name"], &shown["RAIDType"]), (&json!("os"), &json!("RAID1")));
    assert_eq!(shown["CapacityBytes"], 20u64 << 30);
    rack.stop().await;

    let rack = start().await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    assert_eq!(bmc.get(VOLUMES).await["Members@odata.count"], 2);
    let gone = bmc.request(Method::DELETE, &format!("{VOLUMES}/2")).send().await.unwrap();
    assert_eq!(gone.status(), 202);
    let gone = bmc.request(Method::DELETE, &format!("{VOLUMES}/2")).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    assert_eq!(node(&rack, "n01").await["volumes"][0]["name"], "data");
    rack.stop().await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_is_refused_with_the_property_that_is_wrong() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    let mut sized = volume("big", "RAID1", &[1, 2]);
    sized["CapacityBytes"] = json!(21u64 << 30);
    let mut unknown = volume("x", "RAID1", &[1, 2]);
    unknown["Colour"] = json!("red");
    for (body, id, named) in [
        (volume("a", "RAID5", &[1, 2]), "PropertyValueConflict", "Links/Drives"),
        (volume("a", "RAID7", &[1, 2]), "PropertyValueNotInList", "RAIDType"),
        (volume("a", "RAID1", &[1, 9]), "PropertyValueNotInList", "Links/Drives"),
        (volume("", "RAID1", &[1, 2]), "PropertyMissing", "Name"),
        (json!({"Name": "a", "RAIDType": "RAID1"}), "PropertyValueConflict", "Links/Drives"),
        (sized, "PropertyValueConflict", "CapacityBytes"),
        (unknown, "PropertyUnknown", "Colour"),
    ] {
        let (status, answer) = post(&bmc, &body).await;
        let told = &answer["error"]["@Message.ExtendedInfo"][0];
        assert_eq!(status, 400, "{body} {answer}");
        assert!(told["MessageId"].as_str().unwrap().ends_with(id), "{body} {answer}");
        assert!(told["Message"].as_str().unwrap().contains(named), "{body} {answer}");
    }
    assert_eq!(bmc.get(VOLUMES).await["Members@odata.count"], 0);
    // One that has failed is in no new volume, nor one that is gone.
    change(&rack, "n01", json!({"parts": {"drive/1": {"health": "Critical"}, "drive/2": {"absent": true}}}))
        .await;
    assert_eq!(post(&bmc, &volume("a", "RAID0", &[1])).await.0, 400);
    assert_eq!(post(&bmc, &volume("a", "RAID0", &[2])).await.0, 400);
}

#[tokio::test]
async fn parts_change_behind_everybodys_back_and_the_bmc_shows_it() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    let bmc = Bmc::of(&rack, 0);
    assert_eq!(bmc.get("/Systems/1").await["Status"]["HealthRollup"], "OK");
    assert_eq!(bmc.get("/Systems/1").await["BiosVersion"], "1.2");
    let wanted = json!({
        "firmware": {"bios": "1.0"},
        "parts": {"drive/2": {"health": "Warning", "predicted": true}, "pci/1": {"absent": true}},
        "log": {"severity": "Critical", "message": "Power supply 1 lost its input."},
    });
    assert_eq!(change(&rack, "n01", wanted).await, 200);
    let system = bmc.get("/Systems/1").await;
    assert_eq!((&system["BiosVersion"], &system["PCIeDevices"]), (&json!("1.0"), &json!([])));
    assert_eq!(system["Status"]["HealthRollup"], "Warning");
    assert_eq!(bmc.get("/UpdateService/FirmwareInventory/1").await["Version"], "1.0");
    assert_eq!(bmc.get("/Systems/1/Storage/1/Drives/2").await["FailurePredicted"], true);
    assert_eq!(bmc.request(Method::GET, "/Chassis/1/PCIeDevices/1").send().await.unwrap().status(), 404);
    let entries = bmc.get("/Systems/1/LogServices/SEL/Entries").await;
    assert_eq!(entries["Members"][0]["Severity"], "Critical");
    assert_eq!(entries["Members"][0]["Resolved"], false);
    assert_eq!(change(&rack, "n01", json!({"log": null, "parts": {"drive/2": null}})).await, 200);
    assert_eq!(bmc.get("/Systems/1/LogServices/SEL/Entries/1").await["Resolved"], true);
    assert_eq!(bmc.get("/Systems/1").await["Status"]["HealthRollup"], "OK");
    for wrong in [
        json!({"parts": {"drive/9": null}}),
        json!({"parts": {"drive/1": {"helth": "OK"}}}),
        json!({"firmware": {"bios": 1}}),
        json!({"log": {"severity": "Loud", "message": "x"}}),
        json!({"volumes": {"none": null}}),
    ] {
        assert_eq!(change(&rack, "n01", wrong.clone()).await, 400, "{wrong}");
    }
}

#[tokio::test]
async fn seeded_faults_let_drives_fail_and_controllers_refuse() {
    let faults = Faults::parse("7:drive-fail=0.4,volume-refuse=1").unwrap();
    let rack = Rack::start(spec(&["n01", "n02", "n03"], None), faults).await.unwrap();
    let mut failing = 0;
    for number in 0..3 {
        let bmc = Bmc::of(&rack, number);
        for drive in 1..=3 {
            let shown = bmc.get(&format!("/Systems/1/Storage/1/Drives/{drive}")).await;
            assert_eq!(shown["FailurePredicted"], shown["Status"]["Health"] == "Critical");
            failing += usize::from(shown["FailurePredicted"] == true);
        }
    }
    assert!((1..9).contains(&failing), "{failing}");
    change(&rack, "n01", json!({"firmware": {"bios": "2"}})).await;
    let bmc = Bmc::of(&rack, 0);
    let mut refused = 0;
    for drive in 1..=3 {
        let (status, answer) = post(&bmc, &volume("a", "RAID0", &[drive])).await;
        assert_eq!(status, 400);
        refused += usize::from(answer.to_string().contains("being rebuilt"));
    }
    assert!(refused > 0, "a healthy drive meets the controller's own refusal");
}
