//! An agent that takes orders, told by a control side that answers by rote.

use super::*;
use crate::virtual_rack::boot::agent::{self, Errand};
use crate::virtual_rack::machine::activity::{Activity, After};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::TcpListener;

/// Gives its orders one after the other, then sends the agent away.
#[derive(Default)]
struct Control {
    orders: Mutex<Vec<Value>>,
    said: Mutex<Vec<Value>>,
}

async fn hear(
    State(control): State<Arc<Control>>,
    Path(what): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if what == "next" {
        return control.orders.lock().unwrap().pop().map(Json).ok_or(StatusCode::GONE);
    }
    control.said.lock().unwrap().push(body);
    Err(StatusCode::NO_CONTENT)
}

/// What the machine's agent says to these orders.
async fn answers(rack: &Rack, orders: &[Value]) -> Vec<Value> {
    let control = Arc::new(Control::default());
    *control.orders.lock().unwrap() = orders.iter().rev().cloned().collect();
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let url = format!("http://{}/key", listener.local_addr().unwrap());
    let router = Router::new().route("/key/{what}", post(hear)).with_state(control.clone());
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let activity = Activity::new(rack.parts.machines[0].clone(), 0);
    let after = agent::run(&activity, &Errand::TakeOrders(url)).await;
    assert_eq!(after, Ok(After::Reset));
    served.abort();
    let said = control.said.lock().unwrap().clone();
    assert_eq!(said[0]["identity"]["macs"][0], "52:54:00:00:00:01", "it says hello first: {said:?}");
    said[1..].iter().filter(|said| said["state"] != "under-way").cloned().collect()
}

fn wipe(id: &str, disk: &str, method: &str) -> Value {
    let bytes = spec(&["n01"], None).machines[0].boot_bytes();
    let disk = json!({"id": disk, "bytes": bytes, "model": "virtual disk", "serial": "S1-D1"});
    json!({"id": id, "do": "wipe", "disks": [disk], "method": method})
}

#[tokio::test]
async fn orders_are_answered_and_none_is_carried_out_twice() {
    let rack = Rack::start(spec(&["n01"], None), Faults::default()).await.unwrap();
    assert_eq!(change(&rack, "n01", json!({"disk": {"image": IMAGE}})).await, 200);
    let inventory = json!({"id": "e0", "do": "inventory"});
    let own = "virtual-s1";
    let mut other_size = wipe("e6", own, "zero");
    other_size["disks"][0]["bytes"] = json!(512);
    let orders = [
        inventory,
        wipe("e1", "another", "zero"),
        wipe("e2", own, "magic"),
        json!({"id": "e3", "do": "dance"}),
        other_size,
        wipe("e4", own, "zero"),
        wipe("e4", own, "zero"),
        wipe("e5", own, "discard"),
    ];
    let said = answers(&rack, &orders).await;
    let ids: Vec<&str> = said.iter().map(|said| said["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e0", "e1", "e2", "e3", "e6", "e4", "e4", "e5"]);
    assert_eq!(said[0]["answer"]["disks"][0]["id"], own);
    for refused in &said[1..5] {
        assert_eq!(refused["state"], "failed", "{refused}");
    }
    let empty: Vec<&Value> = said[5..].iter().map(|said| &said["answer"][0]["was_empty"]).collect();
    assert_eq!(empty, [&json!(false), &json!(false), &json!(true)]);
    let log = log(&rack).await;
    let wipes: Vec<_> = log.iter().filter(|line| line["kind"] == "wipe").collect();
    assert_eq!(wipes.len(), 2, "{log:#?}");
    let [start, end] = wipes[..] else { panic!("{log:#?}") };
    assert_eq!(
        (&start["phase"], &start["effect"], &start["disk"]),
        (&json!("start"), &json!("e4"), &json!(own))
    );
    assert_eq!((&end["outcome"], &end["how"]), (&json!("wiped"), &json!("zero")));
    assert_eq!(node(&rack, "n01").await["disk"], Value::Null);
    rack.stop().await;
}

#[tokio::test]
async fn a_disk_that_fails_is_neither_what_it_was_nor_empty() {
    let faults = Faults::parse("1:wipe-fail=1").unwrap();
    let rack = Rack::start(spec(&["n01"], None), faults).await.unwrap();
    assert_eq!(change(&rack, "n01", json!({"disk": {"image": IMAGE}})).await, 200);
    let said = answers(&rack, &[wipe("e1", "virtual-s1", "zero")]).await;
    assert!(said[0]["why"].as_str().unwrap().contains("a block is bad"), "{said:?}");
    let disk = node(&rack, "n01").await["disk"].clone();
    assert_eq!(disk["image"], Value::Null, "it does not boot any more");
    assert!(disk["bytes"].as_u64().unwrap() > 0, "{disk}");
    rack.stop().await;
}
