//! What a machine is made of, read from services with the habits of real ones, and volumes written to them.

use super::service_tests::{Fake, SYSTEM, bmc_url, effect, friendly, members, serve};
use super::*;
use serde_json::{Value, json};
use std::time::Duration;

pub const STORAGE: &str = "/redfish/v1/Systems/1/Storage/RAID.1";

pub fn link(path: &str) -> Value {
    json!({ "@odata.id": path })
}

/// A service with two drives behind a controller, of which a volume can be made.
pub fn with_storage() -> Fake {
    let mut fake = friendly();
    let (volumes, drives) = (format!("{STORAGE}/Volumes"), ["/drives/0", "/drives/1"]);
    let resources = [
        ("/storage".to_string(), members(&[STORAGE])),
        (
            STORAGE.to_string(),
            json!({ "Id": "RAID.1", "Name": "PERC", "Drives": drives.map(link),
            "Volumes": link(&volumes),
            "StorageControllers": [{ "Name": "PERC H755", "Status": { "Health": "OK" } }] }),
        ),
        ("/drives/0".to_string(), drive("Disk.0", "Bay 0")),
        ("/drives/1".to_string(), drive("Disk.1", "Bay 1")),
        (volumes, members(&[])),
    ];
    fake.resources.extend(resources);
    fake
}

fn busy() -> (u16, &'static str, String) {
    (503, "", String::new())
}

pub fn drive(id: &str, bay: &str) -> Value {
    json!({ "Id": id, "Name": format!("Drive {id}"), "CapacityBytes": 480_000_000_000u64, "MediaType": "SSD",
            "Protocol": "NVMe", "SerialNumber": format!("SN-{id}"), "FailurePredicted": false,
            "Status": { "State": "Enabled", "Health": "OK" },
            "PhysicalLocation": { "PartLocation": { "ServiceLabel": bay } } })
}

pub fn wanted(drives: &[&str]) -> NewVolume {
    NewVolume {
        name: "os".into(),
        level: "1".into(),
        drives: drives.iter().map(|drive| (*drive).to_string()).collect(),
        bytes: None,
        controller: None,
        there: None,
    }
}

/// Looks, asks when it has to, and says whether it did.
pub async fn make(bmc: &Redfish, wanted: &NewVolume) -> Result<bool, BmcError> {
    let Some(making) = bmc.volume_to_make(wanted).await? else { return Ok(false) };
    bmc.make_volume(&making, Some(&effect()), soon()).await.map(|()| true)
}

pub async fn remove(bmc: &Redfish, wanted: &str) -> Result<bool, BmcError> {
    let Some(volume) = bmc.volume_to_remove(wanted, None).await? else { return Ok(false) };
    bmc.remove_volume(&volume, Some(&effect()), soon()).await.map(|()| true)
}

fn soon() -> Duration {
    Duration::from_millis(1_500)
}

pub fn posts(fake: &Fake) -> usize {
    fake.log.iter().filter(|line| line.starts_with(&format!("POST {STORAGE}/Volumes"))).count()
}

pub fn volume(name: Value, kind: &str, drives: &[&str], bytes: u64) -> Value {
    let drives: Vec<Value> = drives.iter().map(|path| link(path)).collect();
    json!({ "Name": name, "RAIDType": kind, "CapacityBytes": bytes, "Links": { "Drives": drives } })
}

pub fn place_volume(fake: &mut Fake, volume: Value) {
    let path = format!("{STORAGE}/Volumes/7");
    fake.resources.insert(format!("{STORAGE}/Volumes"), members(&[&path]));
    fake.resources.insert(path, volume);
}

#[tokio::test]
async fn a_volume_is_asked_for_once_by_whatever_its_drives_are_called() {
    let (bmc, fake) = serve(with_storage()).await;
    let mut sized = wanted(&["bay 0", "SN-Disk.1"]);
    sized.bytes = Some(1 << 30);
    sized.controller = Some("PERC".into());
    assert!(make(&bmc, &sized).await.unwrap());
    let log = fake.lock().unwrap().log.clone();
    let body = r#"{"CapacityBytes":1073741824,"Links":{"Drives":[{"@odata.id":"/drives/0"},{"@odata.id":"/drives/1"}]},"Name":"os","RAIDType":"RAID1"}"#;
    assert_eq!(log[1..], [format!("POST {STORAGE}/Volumes e-1 - {body}")]);
    assert!(!make(&bmc, &sized).await.unwrap(), "it is there");
    assert_eq!(fake.lock().unwrap().log.len(), 2);
}

#[tokio::test]
async fn a_controller_that_keeps_no_names_is_not_asked_twice() {
    let mut fake = with_storage();
    place_volume(
        &mut fake,
        volume(json!("Virtual Disk 0"), "RAID1", &["/drives/0", "/drives/1"], 479_000_000_000),
    );
    let (bmc, fake) = serve(fake).await;
    assert!(!make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap());
    // One that leaves room is another one.
    place_volume(
        &mut fake.lock().unwrap(),
        volume(json!("x"), "RAID1", &["/drives/0", "/drives/1"], 100_000_000_000),
    );
    assert!(make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap());
}

#[tokio::test]
async fn another_volume_of_that_name_is_never_removed_to_make_it() {
    let mut fake = with_storage();
    place_volume(&mut fake, volume(json!("os"), "RAID0", &["/drives/0", "/drives/1"], 1));
    let (bmc, fake) = serve(fake).await;
    let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
    assert!(error.to_string().contains("has level 0, not 1; it must be removed first"), "{error}");
    assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Nothing));
    for (kind, drives, why) in [
        (
            "RAID1",
            vec!["/drives/0", "/drives/1", "/drives/2"],
            "lies on other drives: 0, 1, 2; it must be removed first",
        ),
        ("RAID1", vec!["/drives/0"], "has 1 of its 2 drives: it is degraded"),
        ("", vec!["/drives/0", "/drives/1"], "does not say its level"),
        ("RAID0", vec!["/drives/0", "/drives/7"], "lies on /drives/7, which is none of the drives"),
    ] {
        {
            let mut fake = fake.lock().unwrap();
            fake.resources.insert("/drives/2".into(), drive("Disk.2", "Bay 2"));
            fake.resources.get_mut(STORAGE).unwrap()["Drives"] =
                json!([link("/drives/0"), link("/drives/1"), link("/drives/2")]);
            place_volume(&mut fake, volume(json!("os"), kind, &drives, 1));
        }
        let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(fake.lock().unwrap().log.len(), 1, "only a login");
}

#[tokio::test]
async fn drives_that_are_not_there_or_not_one_are_named() {
    let (bmc, fake) = serve(with_storage()).await;
    for (drives, controller, why) in [
        (vec!["Disk.0", "Disk.9"], None, "there is no drive `Disk.9`; there is Disk.0, Disk.1"),
        (vec!["Disk.0", "bay 0"], None, "`bay 0` is named twice"),
        (vec!["Disk.0", "Disk.1"], Some("RAID.2"), "there is no controller `RAID.2`; there is RAID.1"),
    ] {
        let new = NewVolume { controller: controller.map(str::to_string), ..wanted(&drives) };
        let error = make(&bmc, &new).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    fake.lock().unwrap().resources.insert("/drives/1".into(), drive("Disk.0", "Bay 1"));
    let error = make(&bmc, &wanted(&["Disk.0", "Bay 1"])).await.unwrap_err().to_string();
    assert!(error.contains("several drives are called `Disk.0`: /drives/0, /drives/1"), "{error}");
}

#[tokio::test]
async fn a_refusal_and_a_failed_task_say_what_the_controller_says() {
    let (bmc, fake) = serve(with_storage()).await;
    let post = format!("POST {STORAGE}/Volumes");
    let refusal =
        json!({ "error": { "@Message.ExtendedInfo": [{ "Message": "A drive is being rebuilt." }] } });
    fake.lock().unwrap().script.insert(post.clone(), vec![(400, "", refusal.to_string())]);
    let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
    assert!(error.to_string().ends_with("it answers 400: A drive is being rebuilt."), "{error}");
    assert_eq!(error.sent(), Sent::Refused);
    let failed = json!({ "TaskState": "Exception", "Messages": [{ "Message": "No space left." }] });
    fake.lock().unwrap().script.insert(post, vec![(202, "/monitor", String::new())]);
    fake.lock().unwrap().resources.insert("/monitor".into(), failed);
    let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
    assert!(error.to_string().contains("ended as Exception: No space left."), "{error}");
}

#[tokio::test]
async fn a_volume_is_removed_once_and_never_by_a_name_of_several() {
    let mut fake = with_storage();
    place_volume(&mut fake, volume(json!("os"), "RAID1", &["/drives/0", "/drives/1"], 1));
    let (bmc, fake) = serve(fake).await;
    assert!(!remove(&bmc, "other").await.unwrap());
    assert!(remove(&bmc, "os").await.unwrap());
    let path = format!("{STORAGE}/Volumes/7");
    assert_eq!(fake.lock().unwrap().log[1..], [format!("DELETE {path} e-1 - ")]);
    place_volume(&mut fake.lock().unwrap(), volume(json!("os"), "RAID1", &["/drives/0", "/drives/1"], 1));
    let (volumes, second) = (format!("{STORAGE}/Volumes"), format!("{STORAGE}/Volumes/8"));
    fake.lock().unwrap().resources.insert(volumes, members(&[&path, &second]));
    fake.lock().unwrap().resources.insert(second.clone(), volume(json!("os"), "RAID0", &["/drives/0"], 1));
    let error = remove(&bmc, "os").await.unwrap_err().to_string();
    assert!(error.contains("several volumes are called so") && error.contains(&second), "{error}");
    assert!(remove(&bmc, &second).await.unwrap());
}

#[tokio::test]
async fn a_volume_that_is_listed_and_cannot_be_read_is_never_absent() {
    let mut fake = with_storage();
    fake.resources.insert(format!("{STORAGE}/Volumes"), members(&[&format!("{STORAGE}/Volumes/7")]));
    let (bmc, fake) = serve(fake).await;
    assert!(bmc.volumes().await.unwrap().unwrap().is_empty(), "404: it went away");
    let get = format!("GET {STORAGE}/Volumes/7");
    fake.lock().unwrap().script.insert(get, vec![(500, "", "broken".into())]);
    assert!(make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.is_err());
}

#[tokio::test]
async fn on_paper_a_volume_is_there_after_it_was_asked_for() {
    let mut fake = with_storage();
    place_volume(&mut fake, volume(json!("os"), "RAID0", &["/drives/0"], 1));
    let (real, fake) = serve(fake).await;
    let http = reqwest::Client::builder().build().unwrap();
    let (user, password) = ("root".into(), Password::new("calvin-secret"));
    let address = BmcAddress { url: bmc_url(&real), user, password, system: None };
    let paper = Redfish::on_paper(address, http, Duration::from_secs(2));
    assert!(remove(&paper, "os").await.unwrap());
    assert!(paper.volumes().await.unwrap().unwrap().is_empty());
    assert!(make(&paper, &wanted(&["Disk.0", "Disk.1"])).await.unwrap());
    assert!(!make(&paper, &wanted(&["Disk.0", "Disk.1"])).await.unwrap());
    let written: Vec<String> = paper.written().into_iter().map(|one| one.method).collect();
    assert_eq!(written, ["DELETE", "POST"]);
    // What was taken note of before makes no two of them one.
    let mut data = wanted(&["Disk.0", "Disk.1"]);
    (data.name, data.bytes, data.there) = ("data".into(), Some(1 << 30), None);
    assert!(make(&paper, &data).await.unwrap());
    assert_eq!(paper.volumes().await.unwrap().unwrap().len(), 2);
    assert_eq!(fake.lock().unwrap().log.len(), 1, "only a login: {:?}", fake.lock().unwrap().log);
}

#[tokio::test]
async fn what_is_not_well_is_told_with_its_place() {
    let mut fake = with_storage();
    let mut system = fake.resources[SYSTEM].clone();
    system["Status"] = json!({ "Health": "OK", "HealthRollup": "Critical" });
    system["MemorySummary"]["Status"] = json!({ "HealthRollup": "Warning" });
    system["ProcessorSummary"]["Status"] = json!({ "HealthRollup": "OK" });
    system["Memory"] = link("/memory");
    system["Processors"] = link("/never-asked");
    system["Links"] = json!({ "Chassis": [link("/chassis")] });
    system["PCIeDevices"] = json!([link("/pci/1"), link("/pci/2")]);
    let mut failing = drive("Disk.1", "Bay 1");
    failing["FailurePredicted"] = json!(true);
    let condition = json!([{ "Message": "Correctable errors." }]);
    fake.resources.extend([
        (SYSTEM.to_string(), system),
        ("/memory".into(), members(&["/memory/1", "/memory/2"])),
        ("/memory/1".into(), json!({ "Name": "DIMM A1", "Status": { "Health": "Warning", "Conditions": condition } })),
        ("/memory/2".into(), json!({ "Name": "DIMM A2", "Status": { "State": "Absent", "Health": "Critical" } })),
        ("/drives/1".into(), failing),
        ("/chassis".into(), json!({ "Status": { "Health": "OK" }, "Power": link("/power"), "ThermalSubsystem": link("/cooling") })),
        ("/power".into(), json!({ "PowerSupplies": [{ "Name": "PSU 1", "Status": { "Health": "OK" } },
            { "@odata.id": "/power#/PowerSupplies/1", "Name": "PSU 2", "Status": { "Health": "Critical" } }] })),
        ("/cooling".into(), json!({ "Fans": link("/fans") })),
        ("/fans".into(), members(&["/fans/1"])),
        ("/fans/1".into(), json!({ "Name": "Fan 1", "Status": { "Health": "Warning" } })),
        ("/pci/1".into(), json!({ "Name": "NIC", "Status": { "Health": "OK" } })),
    ]);
    fake.script.insert("GET /pci/2".into(), vec![(500, "", String::new())]);
    let (bmc, _) = serve(fake).await;
    let health = bmc.health().await.unwrap();
    assert_eq!(health.rollup.as_deref(), Some("critical"));
    let told: Vec<String> = health
        .ailing
        .iter()
        .map(|part| format!("{} {} {} {}", part.part, part.health, part.why, part.path))
        .collect();
    assert_eq!(
        told,
        [
            "memory DIMM A1 warning Correctable errors. /memory/1",
            "drive Drive Disk.1 warning its failure is predicted /drives/1",
            "fan Fan 1 warning the BMC says warning /fans/1",
            "power supply PSU 2 critical the BMC says critical /power#/PowerSupplies/1",
            "PCI device 2 unknown it answers 500 /pci/2",
        ]
    );
}

#[tokio::test]
async fn more_drives_than_are_looked_at_are_an_error_and_names_are_short() {
    let (bmc, fake) = serve(with_storage()).await;
    let long = drive("Disk.0", &"x\n".repeat(10_000));
    fake.lock().unwrap().resources.insert("/drives/0".into(), long);
    let bay = bmc.drives().await.unwrap().unwrap()[0].bay.clone().unwrap();
    assert!(bay.chars().count() == 256 && !bay.contains('\n'), "{bay}");
    let many: Vec<Value> = (0..257).map(|number| link(&format!("/drives/{number}"))).collect();
    fake.lock().unwrap().resources.insert(STORAGE.into(), json!({ "Id": "RAID.1", "Drives": many }));
    let error = bmc.drives().await.unwrap_err();
    assert!(error.to_string().contains("more than 256"), "{error}");
    assert_eq!(error.class(), Class::Permanent);
}

#[tokio::test]
async fn volumes_that_cannot_be_shown_hide_no_drive_that_fails() {
    let mut fake = with_storage();
    let mut failing = drive("Disk.1", "Bay 1");
    failing["Status"]["Health"] = json!("Critical");
    fake.resources.insert("/drives/1".into(), failing);
    fake.script.insert(format!("GET {STORAGE}/Volumes"), vec![(500, "", String::new())]);
    let (bmc, _) = serve(fake).await;
    let parts: Vec<(String, String)> =
        bmc.health().await.unwrap().ailing.into_iter().map(|part| (part.part, part.health)).collect();
    let told = |part: &str, health: &str| (part.to_string(), health.to_string());
    assert_eq!(parts, [told("drive Drive Disk.1", "critical"), told("volumes", "unknown")]);
}

#[tokio::test]
async fn firmware_and_devices_are_read_and_gaps_are_no_absences() {
    let mut fake = with_storage();
    let mut system = fake.resources[SYSTEM].clone();
    system["Links"] = json!({ "Chassis": [link("/chassis")], "ManagedBy": [link("/bmc")] });
    let mut root = fake.resources["/redfish/v1/"].clone();
    root["UpdateService"] = link("/updates");
    fake.resources.extend([
        (SYSTEM.to_string(), system),
        ("/redfish/v1/".into(), root),
        ("/bmc".into(), json!({ "FirmwareVersion": "7.10" })),
        ("/updates".into(), json!({ "FirmwareInventory": link("/versions") })),
        ("/versions".into(), members(&["/versions/1", "/versions/gone", "/versions/2"])),
        ("/versions/1".into(), json!({ "Id": "1", "Name": "NIC", "Version": "22.1" })),
        ("/chassis".into(), json!({ "PCIeDevices": link("/pci") })),
        ("/pci".into(), members(&["/pci/1", "/pci/2"])),
        (
            "/pci/1".into(),
            json!({ "Id": "1", "Name": "ConnectX", "Links": { "PCIeFunctions": [link("/pci/1/0")] } }),
        ),
        (
            "/pci/1/0".into(),
            json!({ "VendorId": "0x15B3", "DeviceId": "0x1017", "DeviceClass": "NetworkController" }),
        ),
    ]);
    fake.script.insert("GET /versions/2".into(), vec![(500, "", String::new())]);
    fake.script.insert("GET /pci/2".into(), vec![(501, "", String::new())]);
    let (bmc, fake) = serve(fake).await;
    let firmware = bmc.firmware().await.unwrap();
    assert_eq!((firmware.bios.as_deref(), firmware.bmc.as_deref()), (Some("1.14.2"), Some("7.10")));
    let components: Vec<(&str, Option<&str>)> =
        firmware.components.iter().map(|it| (&*it.id, it.version.as_deref())).collect();
    assert_eq!(components, [("1", Some("22.1")), ("2", None)]);
    let devices = bmc.pci_devices().await.unwrap().unwrap();
    assert_eq!((devices[0].vendor.as_deref(), devices[0].device.as_deref()), (Some("15b3"), Some("1017")));
    assert!(devices[0].unreadable.is_none() && devices[1].unreadable.is_some());
    // A service that cannot be reached is no service without devices.
    fake.lock().unwrap().script.insert("GET /pci/1".into(), vec![busy(); 2]);
    assert_eq!(
        bmc.pci_devices().await.unwrap().unwrap().len(),
        1,
        "one that is busy for a moment is asked again"
    );
    fake.lock().unwrap().script.insert("GET /pci/1".into(), vec![busy(); 3]);
    assert_eq!(bmc.pci_devices().await.unwrap_err().class(), Class::Transient);
    // One that has none is asked for nothing more.
    let (plain, _) = serve(friendly()).await;
    assert_eq!(plain.pci_devices().await.unwrap(), None);
    assert_eq!(plain.firmware().await.unwrap().components, []);
    assert_eq!(plain.alarms().await.unwrap(), None);
}

#[tokio::test]
async fn alarms_are_read_over_pages_and_by_links() {
    let mut fake = friendly();
    let mut system = fake.resources[SYSTEM].clone();
    system["LogServices"] = link("/logs");
    let mut first = json!({ "Members": [{ "Id": "1", "Severity": "Critical", "Message": "psu", "Created": "2026-01-01" }] });
    first["Members@odata.nextLink"] = json!("/sel/more");
    fake.resources.extend([
        (SYSTEM.to_string(), system),
        ("/logs".into(), members(&["/logs/sel"])),
        ("/logs/sel".into(), json!({ "Id": "SEL", "Entries": link("/sel") })),
        ("/sel".into(), first),
        ("/sel/more".into(), members(&["/sel/2"])),
        (
            "/sel/2".into(),
            json!({ "Id": "2", "Severity": "Warning", "Message": "fan\nslow", "Created": "2026-01-02" }),
        ),
    ]);
    let (bmc, fake) = serve(fake).await;
    let alarms = bmc.alarms().await.unwrap().unwrap();
    assert!(alarms.complete);
    let told: Vec<String> = alarms
        .alarms
        .iter()
        .map(|alarm| format!("{} {} {}", alarm.path, alarm.severity, alarm.message))
        .collect();
    assert_eq!(told, ["/sel/2 warning fan slow", "/sel critical psu"]);
    fake.lock().unwrap().script.insert("GET /sel/more".into(), vec![(500, "", String::new())]);
    let alarms = bmc.alarms().await.unwrap().unwrap();
    assert_eq!((alarms.alarms.len(), alarms.complete), (1, false));
    // A log without end is not read without end.
    let endless = json!({ "Members": [], "Members@odata.nextLink": "/sel" });
    fake.lock().unwrap().resources.insert("/sel".into(), endless);
    assert!(!bmc.alarms().await.unwrap().unwrap().complete);
}

#[tokio::test]
async fn nothing_is_left_out_of_a_list_in_silence() {
    let (bmc, fake) = serve(with_storage()).await;
    let put = |path: &str, value: Value| {
        fake.lock().unwrap().resources.insert(path.to_string(), value);
    };
    // A reference that is none hides a drive.
    let storage = fake.lock().unwrap().resources[STORAGE].clone();
    let mut broken = storage.clone();
    broken["Drives"] = json!([link("/drives/0"), { "@odata.id": null }]);
    put(STORAGE, broken);
    let drives = bmc.drives().await.unwrap().unwrap();
    assert!(drives.len() == 2 && drives[1].unreadable.is_some(), "{drives:?}");
    put(STORAGE, storage);
    let volumes = format!("{STORAGE}/Volumes");
    put(&volumes, json!({ "Name": "no members" }));
    assert!(bmc.volumes().await.unwrap_err().to_string().contains("no usable `Members` (missing)"));
    put(&volumes, json!({ "Members@odata.count": 0 }));
    assert_eq!(bmc.volumes().await.unwrap(), Some(Vec::new()));
    put(&volumes, json!({ "Members": vec![link("/x"); 1025] }));
    assert!(bmc.volumes().await.unwrap_err().to_string().contains("more than 1024"));
    put(&volumes, json!({ "Members": [], "Members@odata.nextLink": volumes }));
    assert!(bmc.volumes().await.unwrap_err().to_string().contains("more than 64 pages"));
}

#[tokio::test]
async fn devices_and_logs_that_are_half_hidden_are_told_as_that() {
    let mut fake = friendly();
    let mut system = fake.resources[SYSTEM].clone();
    system["PCIeDevices"] = json!([link("/pci/1"), link("/pci/2")]);
    system["LogServices"] = link("/logs");
    fake.resources.extend([
        (SYSTEM.to_string(), system.clone()),
        ("/pci/1".into(), json!({ "Id": "1", "Links": { "PCIeFunctions": [link("/pci/1/0")] } })),
        ("/pci/2".into(), json!({ "Id": "2", "PCIeFunctions": link("/pci/2/all") })),
        ("/logs".into(), members(&["/logs/sel"])),
        ("/logs/sel".into(), json!({ "Id": "SEL", "Entries": link("/sel") })),
        ("/sel".into(), members(&["/sel/1"])),
    ]);
    for path in ["/pci/1/0", "/pci/2/all", "/sel/1"] {
        fake.script.insert(format!("GET {path}"), vec![(500, "", String::new())]);
    }
    let (bmc, fake) = serve(fake).await;
    let devices = bmc.pci_devices().await.unwrap().unwrap();
    assert!(devices.iter().all(|device| device.unreadable.is_some()), "{devices:?}");
    let complete = async || bmc.alarms().await.unwrap().unwrap().complete;
    assert!(!complete().await, "an entry cannot be read");
    fake.lock().unwrap().resources.insert("/sel".into(), json!({ "Members": [7] }));
    assert!(!complete().await, "an entry is nowhere");
    fake.lock().unwrap().resources.insert("/sel".into(), members(&[]));
    assert!(complete().await);
    fake.lock().unwrap().script.insert("GET /logs".into(), vec![(500, "", String::new())]);
    assert!(!complete().await, "the logs are there and are not shown");
    system["PCIeDevices"] = json!(vec![link("/pci/1"); 129]);
    fake.lock().unwrap().resources.insert(SYSTEM.into(), system);
    assert!(bmc.pci_devices().await.unwrap_err().to_string().contains("more than 128"));
}
