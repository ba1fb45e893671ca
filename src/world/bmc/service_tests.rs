//! The client against small services: a friendly one with the habits of real controllers, and hostile sockets.

use super::*;
use crate::id::EffectId;
use crate::units::Mac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the fake service has, does and has seen.
#[derive(Default)]
pub struct Fake {
    pub resources: BTreeMap<String, Value>,
    /// Ready answers by `METHOD path`, each given once, before anything else is looked at.
    pub script: BTreeMap<String, Vec<(u16, &'static str, String)>>,
    /// Requests with a session or with basic authentication that are accepted before a 401.
    patience: Option<usize>,
    without_sessions: bool,
    logins: usize,
    etag: u32,
    /// It accepts what makes and removes members of collections, and does nothing.
    pub forgets: bool,
    pub log: Vec<String>,
}

impl Fake {
    pub fn make_member(&mut self, collection: &str, body: &[u8]) {
        let path = format!("{collection}/new-{}", self.resources.len());
        if let Some(Value::Array(members)) =
            self.resources.get_mut(collection).and_then(|it| it.get_mut("Members"))
        {
            members.push(json!({ "@odata.id": path }));
        }
        self.resources.insert(path, serde_json::from_slice(body).unwrap());
    }

    fn remove_member(&mut self, path: &str) {
        self.resources.remove(path);
        for resource in self.resources.values_mut() {
            if let Some(Value::Array(members)) = resource.get_mut("Members") {
                members.retain(|member| member["@odata.id"] != path);
            }
        }
    }
}

pub type Shared = Arc<Mutex<Fake>>;

async fn answer(
    State(fake): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut fake = fake.lock().unwrap();
    let path = uri.path().to_string();
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_string();
    if method != Method::GET {
        let (effect, matching) = (header("x-rackwright-effect"), header("if-match"));
        let body = String::from_utf8_lossy(&body).into_owned();
        fake.log.push(format!("{method} {path} {effect} {matching} {body}"));
    }
    let ready = fake.script.get_mut(&format!("{method} {path}")).filter(|ready| !ready.is_empty());
    if let Some((status, location, body)) = ready.map(|ready| ready.remove(0)) {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, [("Location", location)], body).into_response();
    }
    if path == "/redfish/v1/SessionService/Sessions" && method == Method::POST {
        if fake.without_sessions {
            return StatusCode::NOT_FOUND.into_response();
        }
        if !String::from_utf8_lossy(&body).contains("calvin-secret") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        fake.logins += 1;
        let token = format!("token-{}", fake.logins);
        let location = format!("https://elsewhere/redfish/v1/SessionService/Sessions/{}", fake.logins);
        return (StatusCode::CREATED, [("X-Auth-Token", token), ("Location", location)], "{}")
            .into_response();
    }
    if path != "/redfish/v1/" {
        let token = header("x-auth-token") == format!("token-{}", fake.logins);
        let basic = fake.without_sessions && header("authorization") == "Basic cm9vdDpjYWx2aW4tc2VjcmV0";
        if !token && !basic || fake.patience == Some(0) {
            fake.patience = None;
            fake.logins += usize::from(token);
            return StatusCode::UNAUTHORIZED.into_response();
        }
        fake.patience = fake.patience.map(|left| left - 1);
    }
    if path.ends_with("/Volumes") && method == Method::POST && !fake.forgets {
        fake.make_member(&path, &body);
    }
    if method == Method::DELETE && !fake.forgets {
        fake.remove_member(&path);
    }
    let etag = format!("\"{}\"", fake.etag);
    match (method, fake.resources.get(&path)) {
        (Method::GET, Some(resource)) => ([("ETag", etag)], resource.to_string()).into_response(),
        (Method::PATCH | Method::POST | Method::DELETE, _) => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

pub const SYSTEM: &str = "/redfish/v1/Systems/1";

fn system() -> Value {
    json!({
        "Id": "1", "UUID": "4C4C4544-0001", "SerialNumber": " ABC123 ", "Manufacturer": "Dell Inc.", "Model": null,
        "PowerState": "on", "BiosVersion": "1.14.2",
        "ProcessorSummary": { "Count": 2, "Model": "Xeon" }, "MemorySummary": { "TotalSystemMemoryGiB": 256 },
        "Boot": { "BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None",
                  "BootSourceOverrideMode": "UEFI" },
        "Bios": { "@odata.id": "/redfish/v1/Systems/1/Bios" },
        "EthernetInterfaces": { "@odata.id": "/nics" }, "Storage": { "@odata.id": "/storage" },
        "Actions": { "#ComputerSystem.Reset": { "target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "PowerCycle"] } },
    })
}

pub fn members(paths: &[&str]) -> Value {
    json!({ "Members": paths.iter().map(|path| json!({ "@odata.id": path })).collect::<Vec<_>>() })
}

pub fn friendly() -> Fake {
    let sessions = json!({ "Sessions": { "@odata.id": "/redfish/v1/SessionService/Sessions" } });
    let bios = json!({ "Attributes": { "Boot": "Uefi", "Cores": 8 },
        "@Redfish.Settings": { "SettingsObject": { "@odata.id": "/redfish/v1/Systems/1/Bios/Settings" } } });
    let mut first = members(&["/nics/1", "/nics/gone"]);
    first["Members@odata.nextLink"] = json!("/nics/more");
    let resources = [
        ("/redfish/v1/", json!({ "Links": sessions, "Systems": { "@odata.id": "/redfish/v1/Systems" } })),
        ("/redfish/v1/Systems", members(&[SYSTEM])),
        (SYSTEM, system()),
        ("/redfish/v1/Systems/1/Bios", bios),
        ("/redfish/v1/Systems/1/Bios/Settings", json!({ "Attributes": { "Cores": 4 } })),
        ("/nics", first),
        ("/nics/more", members(&["/nics/2"])),
        ("/nics/1", json!({ "Id": "NIC.1", "MACAddress": "52-54-00-AB-00-01", "SpeedMbps": 25000 })),
        ("/nics/2", json!({ "MACAddress": "52:54:00:00:00:ff", "PermanentMACAddress": "52:54:00:00:00:02" })),
        ("/storage", members(&["/storage/1"])),
        ("/storage/1", json!({ "Drives": [{ "@odata.id": "/drive" }, { "@odata.id": null }, 7] })),
        ("/drive", json!({ "Name": "disk0", "CapacityBytes": 480_000_000_000u64, "MediaType": "SSD" })),
    ];
    let resources = resources.into_iter().map(|(path, value)| (path.to_string(), value)).collect();
    Fake { resources, ..Fake::default() }
}

pub async fn serve(fake: Fake) -> (Redfish, Shared) {
    let shared = Arc::new(Mutex::new(fake));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(shared.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (client(&url, "calvin-secret", None), shared)
}

fn client(url: &str, password: &str, system: Option<&str>) -> Redfish {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let (user, password) = ("root".into(), Password::new(password));
    let address = BmcAddress { url: url.into(), user, password, system: system.map(str::to_string) };
    Redfish::new(address, http, Duration::from_millis(800))
}

pub fn effect() -> EffectId {
    EffectId("e-1".into())
}

#[tokio::test]
async fn a_machine_is_read() {
    let (bmc, fake) = serve(friendly()).await;
    let identity = bmc.identity().await.unwrap();
    assert_eq!(identity.uuid.as_deref(), Some("4c4c4544-0001"));
    assert_eq!((identity.serial.as_deref(), identity.model), (Some("ABC123"), None));
    assert_eq!(identity.macs, [Mac([0x52, 0x54, 0, 0, 0, 2]), Mac([0x52, 0x54, 0, 0xab, 0, 1])]);
    assert_eq!(bmc.power().await.unwrap(), Power::On);
    assert_eq!(bmc.bios().await.unwrap()["Cores"], 8);
    assert_eq!(bmc.pending_bios().await.unwrap(), BTreeMap::from([("Cores".to_string(), json!(4))]));
    let inventory = bmc.inventory().await.unwrap();
    assert_eq!((&inventory["cpus"], &inventory["memory_gib"]), (&json!(2), &json!(256)));
    assert_eq!(
        inventory["nics"][0],
        json!({ "name": "NIC.1", "mac": "52:54:00:ab:00:01", "speed_mbps": 25000 })
    );
    assert_eq!(
        inventory["drives"],
        json!([{ "name": "disk0", "capacity_bytes": 480_000_000_000u64, "media": "SSD" }])
    );
    assert!(inventory.get("model").is_none());
    assert_eq!(fake.lock().unwrap().logins, 1, "one session for everything");
    bmc.logout().await;
    let log = fake.lock().unwrap().log.clone();
    assert!(log.last().unwrap().starts_with("DELETE /redfish/v1/SessionService/Sessions/1 "), "{log:?}");
}

#[tokio::test]
async fn writes_carry_the_effect_and_the_etag() {
    let (bmc, fake) = serve(friendly()).await;
    let wanted =
        BootOverride { device: BootDevice::Pxe, enabled: OverrideEnabled::Once, mode: Some(BootMode::Uefi) };
    let conflict = format!("PATCH {SYSTEM}");
    fake.lock().unwrap().script.insert(conflict, vec![(412, "", String::new())]);
    bmc.set_boot_override(&wanted, Some(&effect())).await.unwrap();
    bmc.reset(ResetKind::On, Some(&effect())).await.unwrap();
    bmc.set_bios(&BTreeMap::from([("Cores".to_string(), json!(4))]), None).await.unwrap();
    let log = fake.lock().unwrap().log.clone();
    let boot = r#"{"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideMode":"UEFI","BootSourceOverrideTarget":"Pxe"}}"#;
    let patch = format!("PATCH {SYSTEM} e-1 \"0\" {boot}");
    let reset = format!("POST {SYSTEM}/Actions/ComputerSystem.Reset e-1 - {{\"ResetType\":\"On\"}}");
    let bios = format!("PATCH {SYSTEM}/Bios/Settings - \"0\" {{\"Attributes\":{{\"Cores\":4}}}}");
    assert_eq!(log[1..], [patch.clone(), patch, reset, bios]);

    let error = bmc.reset(ResetKind::ForceRestart, None).await.unwrap_err();
    assert!(error.to_string().contains("`ForceRestart`; it supports On, ForceOff, PowerCycle"), "{error}");
    assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Nothing));
    assert_eq!(fake.lock().unwrap().log.len(), 5, "nothing was sent in its place");
}

#[tokio::test]
async fn a_session_that_ended_is_opened_again_once() {
    let (bmc, fake) = serve(Fake { patience: Some(1), ..friendly() }).await;
    let other = bmc.clone();
    assert_eq!(tokio::spawn(async move { other.power().await.unwrap() }).await.unwrap(), Power::On);
    assert_eq!(fake.lock().unwrap().logins, 3, "the first, the one that the service forgot, the second");
    let many = (0..20).map(|_| bmc.power());
    assert!(futures::future::join_all(many).await.iter().all(Result::is_ok));
    assert_eq!(fake.lock().unwrap().logins, 3);
}

#[tokio::test]
async fn one_login_at_a_time_and_none_repeated_when_refused() {
    let (bmc, fake) = serve(friendly()).await;
    let many = (0..20).map(|_| bmc.power());
    assert!(futures::future::join_all(many).await.iter().all(Result::is_ok));
    assert_eq!(fake.lock().unwrap().logins, 1);
    let url = bmc_url(&bmc);
    let error = client(&url, "wrong-secret", None).power().await.unwrap_err();
    assert!(matches!(*error.fault, Fault::Credentials), "{error}");
    assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Nothing));
    assert!(!format!("{error:?} {error}").contains("wrong-secret"));
}

pub fn bmc_url(bmc: &Redfish) -> String {
    format!("{bmc:?}").trim_start_matches("Redfish(\"").trim_end_matches("\")").to_string()
}

#[tokio::test]
async fn services_without_sessions_get_basic_authentication() {
    let (bmc, fake) = serve(Fake { without_sessions: true, ..friendly() }).await;
    assert_eq!(bmc.power().await.unwrap(), Power::On);
    assert_eq!(bmc.power().await.unwrap(), Power::On);
    let posts = fake.lock().unwrap().log.len();
    assert_eq!(posts, 1, "the answer is remembered");
    bmc.logout().await;
    let refused = client(&bmc_url(&bmc), "wrong", None).power().await.unwrap_err();
    assert!(matches!(*refused.fault, Fault::Credentials));
}

#[tokio::test]
async fn of_several_systems_one_is_chosen_by_id_or_uuid() {
    let mut fake = friendly();
    fake.resources.insert("/redfish/v1/Systems".into(), members(&[SYSTEM, "/redfish/v1/Systems/blade2"]));
    let second = json!({ "Id": "blade2", "UUID": "AAAA-2", "PowerState": "Off" });
    fake.resources.insert("/redfish/v1/Systems/blade2".into(), second);
    let (bmc, _) = serve(fake).await;
    let error = bmc.power().await.unwrap_err();
    assert!(error.to_string().contains("1, blade2"), "{error}");
    assert_eq!(error.class(), Class::Permanent);
    let url = bmc_url(&bmc);
    for chosen in ["blade2", "aaaa-2"] {
        let power = client(&url, "calvin-secret", Some(chosen)).power().await.unwrap();
        assert_eq!(power, Power::Off, "{chosen}");
    }
    let error = client(&url, "calvin-secret", Some("blade3")).power().await.unwrap_err();
    assert!(error.to_string().contains("no system `blade3`; it has 1, blade2"), "{error}");
}

#[tokio::test]
async fn task_monitors_are_followed_to_their_end() {
    let path = format!("PATCH {SYSTEM}/Bios/Settings");
    let monitor = "/redfish/v1/TaskService/TaskMonitors/7";
    let accepted = || vec![(202, monitor, String::new())];
    let task = |state: &str| {
        json!({ "TaskState": state, "Messages": [{ "Message": "Cores: out of range" }] }).to_string()
    };
    let (bmc, fake) = serve(friendly()).await;
    let wanted = BTreeMap::from([("Cores".to_string(), json!(99))]);
    let play = |looks: Vec<(u16, &'static str, String)>| {
        let mut fake = fake.lock().unwrap();
        fake.script.insert(path.clone(), accepted());
        fake.script.insert(format!("GET {monitor}"), looks);
    };
    play(vec![(202, "", String::new()), (204, "", String::new())]);
    bmc.set_bios(&wanted, None).await.unwrap();
    play(vec![(202, "", String::new()), (200, "", task("Exception"))]);
    let error = bmc.set_bios(&wanted, None).await.unwrap_err();
    assert!(error.to_string().contains("ended as Exception: Cores: out of range"), "{error}");
    assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Perhaps));
    play((0..50).map(|_| (202, "", task("Running"))).collect());
    let error = bmc.set_bios(&wanted, None).await.unwrap_err();
    assert!(error.to_string().contains("last seen: Running"), "{error}");
    assert_eq!((error.class(), error.sent()), (Class::Transient, Sent::Perhaps));
    play(vec![]);
    let error = bmc.set_bios(&wanted, None).await.unwrap_err();
    assert_eq!((error.status(), error.sent()), (Some(404), Sent::Perhaps));
}

#[tokio::test]
async fn refusals_are_told_with_the_words_of_the_service_but_without_secrets() {
    let (bmc, fake) = serve(friendly()).await;
    let body = json!({ "error": { "message": "general", "@Message.ExtendedInfo": [
        { "Message": "Bad value for calvin-secret\nsecond line" }, { "MessageId": "Base.1.8.X" } ] } });
    let path = format!("POST {SYSTEM}/Actions/ComputerSystem.Reset");
    for (status, class, sent) in [
        (400, Class::Permanent, Sent::Refused),
        (409, Class::Transient, Sent::Refused),
        (503, Class::Transient, Sent::Refused),
        (501, Class::Permanent, Sent::Refused),
        (500, Class::Transient, Sent::Perhaps),
        (307, Class::Permanent, Sent::Refused),
    ] {
        fake.lock().unwrap().script.insert(path.clone(), vec![(status, "http://evil/", body.to_string())]);
        let error = bmc.reset(ResetKind::On, Some(&effect())).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&format!("answers {status}: Bad value for (secret) second line Base.1.8.X")),
            "{text}"
        );
        assert!(!text.contains("calvin-secret"));
        assert!(
            text.contains("http://127.0.0.1:") && text.contains("/Actions/ComputerSystem.Reset"),
            "{text}"
        );
        assert_eq!((error.class(), error.sent()), (class, sent), "{status}");
    }
}

/// A socket that answers every connection with `bytes`, `repeat` times, and then stays open or closes.
async fn hostile(bytes: &'static [u8], repeat: usize, closes: bool) -> Redfish {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0u8; 4096];
                let _ = stream.read(&mut buffer).await;
                for _ in 0..repeat {
                    if stream.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                if !closes {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            });
        }
    });
    client(&url, "calvin-secret", None)
}

#[tokio::test]
async fn hostile_services_cause_clear_errors_in_time() {
    let html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Systems\":";
    let truncated = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"Systems\":";
    let empty = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let endless = b"HTTP/1.1 200 OK\r\n\r\n";
    let cases = [
        (hostile(html, 1, false).await, "not JSON (text/html, 13 bytes"),
        (hostile(cut, 1, true).await, "the connection broke"),
        (hostile(cut, 1, false).await, "no complete answer within 800ms"),
        (hostile(truncated, 1, true).await, "not JSON (no content type, 11 bytes"),
        (hostile(empty, 1, true).await, "not JSON (it is empty)"),
        (hostile(b"", 0, false).await, "no complete answer within 800ms"),
        (hostile(b"", 0, true).await, "the connection broke"),
        (hostile(b"\x16\x03\x01garbage", 1, true).await, "the connection broke"),
        (hostile(endless, 2_000_000, false).await, "longer than 4194304 bytes"),
    ];
    for (bmc, wanted) in cases {
        let error = bmc.power().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(wanted), "{text} / {wanted}");
        assert!(text.contains("BMC http://127.0.0.1:") && text.contains("GET /redfish/v1/"), "{text}");
        assert_eq!(error.sent(), Sent::Nothing, "nothing was written: {text}");
    }
    let nobody = client("http://127.0.0.1:1", "x", None).power().await.unwrap_err();
    assert!(nobody.to_string().contains("cannot connect"), "{nobody}");
    assert_eq!((nobody.class(), nobody.sent()), (Class::Transient, Sent::Nothing));
    assert!(std::error::Error::source(&nobody).is_some());
    let nowhere = client("10.17.1.1", "x", None).power().await.unwrap_err();
    assert_eq!(nowhere.class(), Class::Permanent);
}

#[tokio::test]
async fn a_write_that_is_never_answered_has_perhaps_happened() {
    let (bmc, fake) = serve(friendly()).await;
    let path = format!("POST {SYSTEM}/Actions/ComputerSystem.Reset");
    fake.lock().unwrap().script.insert(path, vec![(200, "", "<html>".into())]);
    let error = bmc.reset(ResetKind::On, None).await.unwrap_err();
    assert_eq!((error.class(), error.sent()), (Class::Transient, Sent::Perhaps));
    let bad = EffectId("two\nlines".into());
    let error = bmc.reset(ResetKind::On, Some(&bad)).await.unwrap_err();
    assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Nothing));
    for path in ["http://evil/redfish", "//evil/x", "redfish/v1", "/a b"] {
        let error = bmc.get(path).await.unwrap_err();
        assert_eq!((error.class(), error.sent()), (Class::Permanent, Sent::Nothing), "{path}");
    }
}

#[tokio::test]
async fn errors_that_are_not_json_are_told_when_they_are_text() {
    let (bmc, fake) = serve(friendly()).await;
    for (body, told) in [
        ("Missing the element of token-1", "answers 400: Missing the element of (secret)"),
        ("<html>", "answers 400"),
    ] {
        fake.lock().unwrap().script.insert(format!("PATCH {SYSTEM}"), vec![(400, "", body.into())]);
        let error = bmc.patch(SYSTEM, &json!({}), None).await.unwrap_err().to_string();
        assert!(error.ends_with(told), "{error}");
    }
}

#[tokio::test]
async fn missing_parts_are_left_out_and_broken_ones_are_named() {
    let mut fake = friendly();
    fake.resources
        .insert(SYSTEM.into(), json!({ "Id": "1", "PowerState": null, "Storage": { "@odata.id": "/none" } }));
    let (bmc, _) = serve(fake).await;
    assert_eq!(bmc.inventory().await.unwrap(), json!({}));
    assert_eq!(bmc.identity().await.unwrap(), Identity::default());
    assert_eq!(bmc.boot_override().await.unwrap().device, BootDevice::None);
    let error = bmc.power().await.unwrap_err();
    assert!(error.to_string().contains("no usable `PowerState` (null)"), "{error}");
    let error = bmc.bios().await.unwrap_err();
    assert!(error.to_string().contains("no usable `Bios` (missing)"), "{error}");
}
