//! Ports as switches write them, the one request that a wish becomes, and switches that do not do as they should.

use super::port::Reading;
use super::*;
use crate::id::EffectId;
use crate::model::value::Value;
use crate::world::bmc::{Class, Sent};
use crate::world::http::Web;
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PORT: &str = "Ethernet1/5";

/// The answer to a GET of a port with these VLANs.
fn body(vlan: Json) -> Json {
    json!({ "openconfig-interfaces:interface": [{
        "name": PORT,
        "config": { "name": PORT, "enabled": true, "description": "somebody's" },
        "state": { "name": PORT, "oper-status": "UP", "counters": { "in-octets": "17" } },
        "openconfig-if-ethernet:ethernet": {
            "config": { "auto-negotiate": true },
            "state": { "port-speed": "x" },
            "openconfig-vlan:switched-vlan": { "config": vlan.clone(), "state": vlan },
        },
    }] })
}

fn reading(vlan: Json) -> Reading {
    Reading::of(PORT, &body(vlan), Some("\"e1\"".into())).unwrap()
}

fn trunk(vlans: Json) -> Reading {
    reading(json!({ "interface-mode": "TRUNK", "native-vlan": 20, "trunk-vlans": vlans }))
}

fn access(vlan: u16) -> Reading {
    reading(json!({ "interface-mode": "ACCESS", "access-vlan": vlan }))
}

fn vlans<const N: usize>(vlans: [u16; N]) -> Option<BTreeSet<u16>> {
    Some(vlans.into())
}

#[test]
fn a_port_is_read_in_every_form_that_the_models_allow() {
    let port = trunk(json!([7, "10..12", "30"])).port;
    assert_eq!((port.enabled, port.oper_status.as_str(), port.mode), (true, "up", Some(Mode::Trunk)));
    assert_eq!((port.native_vlan, port.vlans), (Some(20), [7, 10, 11, 12, 30].into()));
    // What an access port would carry as a trunk is not carried.
    let vlan = json!({ "interface-mode": "ACCESS", "access-vlan": 20, "trunk-vlans": [7] });
    let port = reading(vlan).port;
    assert_eq!((port.native_vlan, port.vlans), (Some(20), BTreeSet::new()));
    // Every member with its module, and the instance without its list.
    let plain = json!({ "openconfig-interfaces:interface": {
        "openconfig-interfaces:name": PORT,
        "openconfig-interfaces:config": { "openconfig-interfaces:enabled": false },
    } });
    let port = Reading::of(PORT, &plain, None).unwrap().port;
    assert_eq!((port.enabled, port.oper_status.as_str(), port.mode), (false, "unknown", None));
}

#[test]
fn what_is_no_port_is_refused_with_what_was_seen() {
    let other = json!({ "openconfig-interfaces:interface": [{ "name": "Ethernet1/50" }] });
    for (bad, field) in [
        (Json::Null, "interface"),
        (json!([1]), "interface"),
        (json!({ "openconfig-interfaces:interface": "x" }), "interface"),
        (other, "interface"),
        (body(json!({ "interface-mode": "HYBRID" })), "interface-mode"),
        (body(json!({ "interface-mode": "ACCESS", "access-vlan": 4095 })), "access-vlan"),
        (body(json!({ "interface-mode": "TRUNK", "trunk-vlans": "all" })), "trunk-vlans"),
        (body(json!({ "interface-mode": "TRUNK", "trunk-vlans": ["1..99999"] })), "trunk-vlans"),
        (body(json!({ "interface-mode": "TRUNK", "trunk-vlans": [{}] })), "trunk-vlans"),
    ] {
        let error = Reading::of(PORT, &bad, None).unwrap_err().to_string();
        assert!(error.contains(&format!("`{field}`")), "{bad}: {error}");
    }
}

/// The request that a wish becomes, and its body's entry.
fn asked(reading: &Reading, wish: &Wish) -> Option<(&'static str, Json)> {
    let write = reading.change(PORT, wish).unwrap()?;
    assert_eq!(write.etag.as_deref(), Some("\"e1\""));
    let after = reading.after(PORT, &write).unwrap();
    assert_eq!(after.change(PORT, wish).unwrap(), None, "it would be written again");
    Some((write.method, write.body["openconfig-interfaces:interface"][0].clone()))
}

const SWITCHED: &str = "/openconfig-if-ethernet:ethernet/openconfig-vlan:switched-vlan/config";

#[test]
fn a_wish_becomes_one_request_or_none() {
    let to_access = Wish {
        enabled: Some(true),
        mode: Some(Mode::Access),
        native_vlan: Some(Some(20)),
        vlans: vlans([]),
        aggregate: None,
    };
    assert_eq!(asked(&access(20), &to_access), None);
    let (method, entry) = asked(&access(1), &to_access).unwrap();
    let wanted = json!({ "interface-mode": "ACCESS", "access-vlan": 20 });
    assert_eq!((method, entry.pointer(SWITCHED)), ("PATCH", Some(&wanted)));
    assert_eq!(entry["config"], json!({ "name": PORT }), "it is enabled already");

    let shut = Wish { enabled: Some(false), ..Wish::default() };
    let (method, entry) = asked(&access(1), &shut).unwrap();
    assert_eq!(
        (method, entry),
        ("PATCH", json!({ "name": PORT, "config": { "name": PORT, "enabled": false } }))
    );
}

#[test]
fn a_trunk_that_loses_a_vlan_is_replaced_and_keeps_what_is_others() {
    let wish = Wish { mode: Some(Mode::Trunk), vlans: vlans([7, 11]), ..Wish::default() };
    let (method, entry) = asked(&trunk(json!([7])), &wish).unwrap();
    let wanted = json!({ "interface-mode": "TRUNK", "native-vlan": 20, "trunk-vlans": [7, 11] });
    assert_eq!((method, entry.pointer(SWITCHED)), ("PATCH", Some(&wanted)));

    let (method, entry) = asked(&trunk(json!(["7..11"])), &wish).unwrap();
    assert_eq!((method, entry.pointer(SWITCHED)), ("PUT", Some(&wanted)));
    assert_eq!(entry["config"]["description"], "somebody's");
    assert_eq!(entry.pointer("/openconfig-if-ethernet:ethernet/config/auto-negotiate"), Some(&json!(true)));
    assert!(!entry.to_string().contains("state"), "{entry}");

    // What an access port was as a trunk once must not come back.
    let once = json!({ "interface-mode": "ACCESS", "access-vlan": 20, "trunk-vlans": [99] });
    let (method, entry) = asked(&reading(once), &wish).unwrap();
    assert_eq!((method, &entry.pointer(SWITCHED).unwrap()["trunk-vlans"]), ("PUT", &json!([7, 11])));
}

#[test]
fn a_trunk_loses_its_untagged_vlan_by_being_replaced() {
    let none =
        Wish { mode: Some(Mode::Trunk), native_vlan: Some(None), vlans: vlans([7]), ..Wish::default() };
    let (method, entry) = asked(&trunk(json!([7])), &none).unwrap();
    let wanted = json!({ "interface-mode": "TRUNK", "trunk-vlans": [7] });
    assert_eq!((method, entry.pointer(SWITCHED)), ("PUT", Some(&wanted)));
    let bare = reading(json!({ "interface-mode": "TRUNK", "trunk-vlans": [7] }));
    assert_eq!(asked(&bare, &none), None);
    let (method, _) = asked(&access(20), &none).unwrap();
    assert_eq!(method, "PATCH");
    let access_to_none = Wish { native_vlan: Some(None), ..Wish::default() };
    assert!(access(20).change(PORT, &access_to_none).unwrap_err().to_string().contains("say which"));
}

#[test]
fn a_port_joins_an_aggregate_and_leaves_it_and_the_aggregate_carries_the_vlans() {
    let joins = Wish { aggregate: Some(Some("Port-Channel5".into())), ..Wish::default() };
    let (method, entry) = asked(&access(20), &joins).unwrap();
    let wanted = json!({ "openconfig-if-aggregate:aggregate-id": "Port-Channel5" });
    assert_eq!((method, &entry["openconfig-if-ethernet:ethernet"]["config"]), ("PATCH", &wanted));

    let mut member = body(json!({ "interface-mode": "ACCESS", "access-vlan": 1 }));
    let config =
        member.pointer_mut("/openconfig-interfaces:interface/0/openconfig-if-ethernet:ethernet/config");
    config.unwrap()["openconfig-if-aggregate:aggregate-id"] = json!("Port-Channel5");
    let member = Reading::of(PORT, &member, Some("\"e1\"".into())).unwrap();
    assert_eq!(member.port.aggregate.as_deref(), Some("Port-Channel5"));
    assert_eq!(asked(&member, &joins), None);
    let boots = Wish { native_vlan: Some(Some(20)), aggregate: Some(None), ..Wish::default() };
    let (method, entry) = asked(&member, &boots).unwrap();
    assert_eq!((method, &entry.pointer(SWITCHED).unwrap()["access-vlan"]), ("PUT", &json!(20)));
    let left = &entry["openconfig-if-ethernet:ethernet"]["config"];
    assert_eq!(left, &json!({ "auto-negotiate": true }));

    let aggregate = json!({ "openconfig-interfaces:interface": [{
        "name": PORT,
        "openconfig-if-aggregate:aggregation": { "config": { "lag-type": "LACP" },
            "openconfig-vlan:switched-vlan": { "config": { "interface-mode": "TRUNK", "trunk-vlans": [7, 9] } } },
    }] });
    let aggregate = Reading::of(PORT, &aggregate, Some("\"e1\"".into())).unwrap();
    assert_eq!(aggregate.port.vlans, [7, 9].into());
    let fewer = Wish { vlans: vlans([7]), ..Wish::default() };
    let (method, entry) = asked(&aggregate, &fewer).unwrap();
    let carried = &entry["openconfig-if-aggregate:aggregation"];
    assert_eq!((method, &carried["config"]["lag-type"]), ("PUT", &json!("LACP")));
    assert_eq!(carried["openconfig-vlan:switched-vlan"]["config"]["trunk-vlans"], json!([7]));
}

#[test]
fn a_wish_that_makes_no_sense_is_refused() {
    let tagged = Wish { mode: Some(Mode::Access), vlans: vlans([7]), ..Wish::default() };
    assert!(access(1).change(PORT, &tagged).unwrap_err().to_string().contains("no tagged VLANs"));
    let routed = Reading::of(PORT, &json!({ "openconfig-interfaces:interface": [{ "name": PORT }] }), None);
    let native = Wish { native_vlan: Some(Some(20)), ..Wish::default() };
    assert!(routed.unwrap().change(PORT, &native).unwrap_err().to_string().contains("say its mode"));
}

/// A request as a switch saw it: method, path, the headers that matter, body.
type Seen = (String, String, [String; 4], Json);

#[derive(Clone, Default)]
struct Peer {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Status, media type and body of every answer to a write; none: silence.
    writes: Option<(u16, &'static str, String)>,
}

async fn answered(State(peer): State<Peer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_string();
    let headers = ["accept", "content-type", "if-match", "x-rackwright-effect"].map(header);
    let bytes: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    let sent = serde_json::from_slice(&bytes).unwrap_or_default();
    let path = parts.uri.path().to_string();
    peer.seen.lock().unwrap().push((parts.method.to_string(), path, headers, sent));
    let (status, kind, text) = match parts.method.as_str() {
        "GET" => (200, "application/yang-data+json", super::tests::body(json!({})).to_string()),
        _ => match peer.writes {
            Some(answer) => answer,
            None => std::future::pending().await,
        },
    };
    let answer = Response::builder().status(status).header("content-type", kind).header("etag", "\"e7\"");
    answer.body(text.into()).unwrap()
}

/// Reads and shuts a port of such a peer.
async fn shut(peer: &Peer, uri: &str) -> Result<(), SwitchError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let router = Router::new().fallback(answered).with_state(peer.clone());
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "hunter2").unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = Address {
        switch: "sw1".into(),
        uri: uri.replace("HOST", &at.to_string()),
        user: "ops".into(),
        password: Value::Secret(format!("file:{}", secret.path().display()).into()),
        ca: String::new(),
        rehearsal: true,
    };
    let web = Web::default();
    let switch = Switch { web: &web, address: &address, timeout: Duration::from_millis(400) };
    let reading = switch.read(PORT).await;
    let done = match reading {
        Err(error) => Err(error),
        Ok(reading) => {
            let wish = Wish { enabled: Some(false), ..Wish::default() };
            let write = reading.change(PORT, &wish).unwrap().unwrap();
            switch.write(PORT, &write, &EffectId("r1-1-7".into())).await
        }
    };
    served.abort();
    done
}

fn answers(status: u16, kind: &'static str, text: &str) -> Peer {
    Peer { writes: Some((status, kind, text.into())), ..Peer::default() }
}

#[tokio::test]
async fn requests_carry_what_restconf_wants() {
    let peer = answers(204, "", "");
    shut(&peer, "http://HOST").await.unwrap();
    let seen = peer.seen.lock().unwrap().clone();
    let path = "/restconf/data/openconfig-interfaces:interfaces/interface=Ethernet1%2F5";
    assert_eq!(
        seen.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect::<Vec<_>>(),
        [("GET", path), ("PATCH", path)]
    );
    let kind = "application/yang-data+json";
    assert_eq!(seen[0].2, [kind, "", "", ""]);
    assert_eq!(seen[1].2, [kind, kind, "\"e7\"", "r1-1-7"]);
    let peer = answers(204, "", "");
    shut(&peer, "http://HOST/api/rest/").await.unwrap();
    assert!(peer.seen.lock().unwrap()[0].1.starts_with("/api/rest/data/openconfig-interfaces:"));
}

#[tokio::test]
async fn refusals_are_told_by_the_switch_s_own_words_and_without_secrets() {
    let errors = |tag: &str, message: &str| {
        let error = json!({ "error-type": "protocol", "error-tag": tag, "error-message": message });
        json!({ "ietf-restconf:errors": { "error": [error] } }).to_string()
    };
    let kind = "application/yang-data+json";
    let locked = errors("lock-denied", "locked by hunter2\nor another");
    let broken = errors("operation-failed", "");
    for (peer, said, class, sent) in [
        (
            answers(409, kind, &locked),
            "it answers 409 to PATCH: locked by (secret) or another",
            Class::Transient,
            Sent::Refused,
        ),
        (
            answers(412, kind, &broken),
            "it answers 412 to PATCH: operation-failed",
            Class::Transient,
            Sent::Refused,
        ),
        (
            answers(500, "text/html", "<html>hunter2"),
            "it answers 500 to PATCH",
            Class::Transient,
            Sent::Perhaps,
        ),
        (
            answers(400, "text/plain", "no hunter2"),
            "it answers 400 to PATCH: no (secret)",
            Class::Permanent,
            Sent::Refused,
        ),
        (answers(401, kind, ""), "it refuses the user name or the password", Class::Permanent, Sent::Nothing),
    ] {
        let error = shut(&peer, "http://HOST").await.unwrap_err();
        assert_eq!(error.to_string(), format!("switch `sw1`, port `Ethernet1/5`: {said}"));
        assert_eq!((error.class(), error.sent()), (class, sent), "{said}");
    }
}

#[tokio::test]
async fn silence_and_other_places_end_with_the_switch_s_name() {
    let error = shut(&Peer::default(), "http://HOST").await.unwrap_err();
    assert!(error.is_silence() && error.class() == Class::Transient && error.sent() == Sent::Perhaps);
    assert!(
        error.to_string().starts_with("switch `sw1`, port `Ethernet1/5`: PATCH http://127.0.0.1:"),
        "{error}"
    );
    let error = shut(&answers(204, "", ""), "http://192.0.2.1").await.unwrap_err();
    assert!(error.to_string().contains("a rehearsal touches nothing real"), "{error}");
    let elsewhere = answers(302, "", "");
    assert!(shut(&elsewhere, "http://HOST").await.unwrap_err().to_string().contains("302"));
}
