//! The endpoints of agents, spoken to by the agent itself and by others.

use super::*;
use crate::world::agent::{Event, Left, Machine, State, Worker, WorkerError};
use tokio_util::sync::CancellationToken;

/// A machine with one NIC and no disks.
fn machine() -> (tempfile::TempDir, Machine) {
    let root = tempfile::tempdir().unwrap();
    let nic = root.path().join("sys/class/net/eth0");
    std::fs::create_dir_all(nic.join("device")).unwrap();
    std::fs::write(nic.join("address"), "52:54:00:12:34:01\n").unwrap();
    let machine = Machine::new(root.path().into(), Vec::new());
    (root, machine)
}

fn inventory() -> agent::Order {
    agent::Order { id: "e1".into(), version: "1".into(), work: agent::Work::Inventory }
}

fn worker(services: &BootServices, key: &str, machine: Machine, stop: &CancellationToken) -> Worker {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/boot/agent/{key}", services.addresses().advertise);
    let hears = stop.clone();
    // Its order answered, it asks for the next one, and nobody answers any more.
    let events = Box::new(move |event: Event| {
        if matches!(event, Event::Waiting { .. }) {
            hears.cancel();
        }
    });
    Worker::new(url, machine, crate::world::clock::uptime, stop.clone(), events).unwrap()
}

#[tokio::test]
async fn an_agent_says_hello_takes_its_order_and_outlasts_the_services() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    *desk.orders.lock().unwrap() = vec![inventory()];
    let (_root, machine) = machine();
    let stop = CancellationToken::new();
    let working = tokio::spawn(worker(&services, "KEY", machine, &stop).work());
    for _ in 0..500 {
        if !desk.said.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let hello = desk.agent.lock().unwrap().clone().unwrap();
    assert_eq!(hello.identity.macs, [MAC]);
    let said = desk.said.lock().unwrap().clone();
    let [agent::Said { boot, id, state: State::Done { answer } }] = &said[..] else { panic!("{said:?}") };
    assert_eq!((boot, id.as_str()), (&hello.boot, "e1"));
    assert_eq!(agent::Inventory::of(answer.clone()).unwrap().nics[0].name, "eth0");
    // The agent asks for its next order by now; the services end all the same.
    services.stop().await;
    assert_eq!(working.await.unwrap().unwrap(), Left::Stopped);
}

#[tokio::test]
async fn an_order_that_comes_again_is_answered_and_not_carried_out_again() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    let (root, _) = machine();
    let disk = root.path().join("disk.img");
    std::fs::write(&disk, vec![7u8; 4096]).unwrap();
    let name = disk.display().to_string();
    let meant = agent::Meant { id: name, bytes: 4096, model: None, serial: None };
    let work = agent::Work::Wipe { disks: vec![meant], method: agent::Method::Zero };
    *desk.orders.lock().unwrap() = ["e1", "e1", "e2"]
        .map(|id| agent::Order { id: id.into(), version: "1".into(), work: work.clone() })
        .into_iter()
        .rev()
        .collect();
    let stop = CancellationToken::new();
    let machine = Machine::new(root.path().into(), vec![disk]);
    let working = tokio::spawn(worker(&services, "KEY", machine, &stop).work());
    for _ in 0..500 {
        if desk.said.lock().unwrap().len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    assert_eq!(working.await.unwrap().unwrap(), Left::Stopped);
    services.stop().await;
    let said = desk.said.lock().unwrap().clone();
    let was_empty = |said: &agent::Said| match &said.state {
        State::Done { answer } => answer[0]["was_empty"].as_bool(),
        _ => None,
    };
    let answers: Vec<_> = said.iter().map(|said| (said.id.as_str(), was_empty(said))).collect();
    assert_eq!(answers, [("e1", Some(false)), ("e1", Some(false)), ("e2", Some(true))]);
}

#[tokio::test]
async fn two_agents_of_one_key_do_not_chase_each_other() {
    let files = design();
    let (services, _) = start(files.path()).await;
    let (_root, machine) = machine();
    let (stop, hellos) = (CancellationToken::new(), Arc::new(Mutex::new(0)));
    let (ends, counts) = (stop.clone(), hellos.clone());
    let events = Box::new(move |event: Event| {
        if matches!(event, Event::Known { .. }) {
            *counts.lock().unwrap() += 1;
            if *counts.lock().unwrap() == 4 {
                ends.cancel();
            }
        }
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/boot/agent/SHARED", services.addresses().advertise);
    let began = std::time::Instant::now();
    let worked = Worker::new(url, machine, crate::world::clock::uptime, stop, events).unwrap().work().await;
    assert_eq!(worked.unwrap(), Left::Stopped);
    // 0.2, 0.4 and 0.8 seconds between the four.
    assert!(began.elapsed() >= Duration::from_millis(1400));
    services.stop().await;
}

#[tokio::test]
async fn an_agent_with_a_key_of_nobody_or_of_another_time_ends_and_says_why() {
    let files = design();
    let (services, _) = start(files.path()).await;
    for (key, why) in [("NOBODYS", "does not know this key"), ("OLD", "refuses this machine")] {
        let (_root, machine) = machine();
        let worked = worker(&services, key, machine, &CancellationToken::new()).work().await;
        let error: WorkerError = worked.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    services.stop().await;
}

#[tokio::test]
async fn what_is_no_message_of_an_agent_is_refused() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    let http = services.addresses().http.unwrap();
    *desk.orders.lock().unwrap() = vec![inventory()];
    let hello = r#"{"boot":"b","version":"1","identity":{"macs":["52:54:00:12:34:01"]}}"#;
    let long = format!("{{\"boot\":\"{}\"}}", "x".repeat(100 << 10));
    for (path, body, status) in [
        ("/boot/agent/KEY/next", r#"{"boot":"b"}"#, 409),
        ("/boot/agent/KEY/hello", hello, 204),
        ("/boot/agent/KEY/next", r#"{"boot":"b"}"#, 200),
        ("/boot/agent/KEY/next", r#"{"boot":"c"}"#, 409),
        ("/boot/agent/OLD/hello", hello, 410),
        ("/boot/agent/NOBODYS/hello", hello, 404),
        ("/boot/agent/a%20b/hello", hello, 404),
        ("/boot/agent/KEY/hello", "{}", 400),
        ("/boot/agent/KEY/next", &long, 413),
        ("/boot/agent/KEY/said", r#"{"boot":"b","id":"e1","state":"lost"}"#, 400),
        ("/boot/agent/KEY/said", r#"{"boot":"b","id":"e1","state":"failed","why":"no disk"}"#, 204),
    ] {
        assert_eq!(post(http, path, body).await, status, "{path} {body:.80}");
    }
    assert_eq!(desk.said.lock().unwrap().len(), 1);
    services.stop().await;
}
