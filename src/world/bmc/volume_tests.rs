//! Volumes on services that lose answers, take their time, and show half of what they have: none is made twice, and none is
//! removed for another.

use super::parts_tests::*;
use super::service_tests::{members, serve};
use super::*;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_volume() {
    let (bmc, fake) = serve(with_storage()).await;
    let post = format!("POST {STORAGE}/Volumes");
    // The service makes it and answers nonsense.
    {
        let mut fake = fake.lock().unwrap();
        fake.script.insert(post.clone(), vec![(500, "", String::new())]);
        let made = volume(json!("Virtual Disk 0"), "RAID1", &["/drives/0", "/drives/1"], 0);
        fake.make_member(&format!("{STORAGE}/Volumes"), made.to_string().as_bytes());
    }
    let mut sized = wanted(&["Disk.0", "Disk.1"]);
    (sized.bytes, sized.there) = (Some(100 << 30), Some(Vec::new()));
    assert!(
        !make(&bmc, &sized).await.unwrap(),
        "one that was not there before is the one that was asked for"
    );
    // One that was there before is not.
    let there = bmc.volumes().await.unwrap().unwrap().into_iter().map(|volume| volume.path).collect();
    sized.there = Some(there);
    let error = make(&bmc, &sized).await.unwrap_err();
    assert_eq!((error.status(), error.sent()), (Some(500), Sent::Perhaps), "nothing new was seen");
    assert_eq!(posts(&fake.lock().unwrap()), 1);
}

#[tokio::test]
async fn a_task_is_followed_past_the_time_of_one_request_and_through_broken_looks() {
    let (bmc, fake) = serve(with_storage()).await;
    let running = || (200, "", json!({ "TaskState": "Running" }).to_string());
    {
        let mut fake = fake.lock().unwrap();
        fake.script.insert(format!("POST {STORAGE}/Volumes"), vec![(202, "/monitor", String::new())]);
        let broken = (500, "", String::new());
        fake.script.insert("GET /monitor".into(), vec![running(), broken, running(), running()]);
        fake.resources.insert("/monitor".into(), json!({ "TaskState": "Completed" }));
    }
    let making = bmc.volume_to_make(&wanted(&["Disk.0", "Disk.1"])).await.unwrap().unwrap();
    let body = volume(json!("os"), "RAID1", &["/drives/0", "/drives/1"], 1).to_string();
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fake.lock().unwrap().make_member(&format!("{STORAGE}/Volumes"), body.as_bytes());
    };
    let until = Duration::from_secs(30);
    let (made, ()) = tokio::join!(bmc.make_volume(&making, None, until), later);
    made.unwrap();
    assert_eq!(posts(&fake.lock().unwrap()), 1);
    assert!(fake.lock().unwrap().script["GET /monitor"].is_empty(), "it was followed to its end");
}

#[tokio::test]
async fn a_task_that_waits_or_hangs_or_leaves_nothing_is_no_success() {
    let (bmc, fake) = serve(with_storage()).await;
    let post = format!("POST {STORAGE}/Volumes");
    for (state, why) in [
        ("Pending", "waits for something else (Pending)"),
        ("Running", "did not end within"),
        ("Completed", "it was accepted, and no volume `os` is there"),
    ] {
        {
            let mut fake = fake.lock().unwrap();
            fake.forgets = true;
            fake.script.insert(post.clone(), vec![(202, "/monitor", String::new())]);
            fake.resources.insert("/monitor".into(), json!({ "TaskState": state }));
        }
        let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.sent(), Sent::Perhaps);
    }
}

#[tokio::test]
async fn a_task_that_makes_it_already_is_followed_instead_of_asking() {
    let mut fake = with_storage();
    let mut root = fake.resources["/redfish/v1/"].clone();
    root["Tasks"] = link("/tasks");
    let payload = |name: &str| {
        json!({ "TargetUri": format!("{STORAGE}/Volumes"), "HttpOperation": "POST",
                "JsonBody": json!({ "Name": name }).to_string() })
    };
    fake.resources.extend([
        ("/redfish/v1/".to_string(), root),
        ("/tasks".into(), json!({ "Tasks": link("/tasks/all") })),
        ("/tasks/all".into(), members(&["/tasks/1", "/tasks/2"])),
        ("/tasks/1".into(), json!({ "TaskState": "Exception", "Messages": [{ "Message": "no room" }], "Payload": payload("os") })),
        ("/tasks/2".into(), json!({ "TaskState": "Running", "Payload": payload("data") })),
    ]);
    let (bmc, fake) = serve(fake).await;
    let running = json!({ "@odata.id": "/tasks/1", "TaskState": "Running", "Payload": payload("os") });
    fake.lock().unwrap().script.insert("GET /tasks/1".into(), vec![(200, "", running.to_string())]);
    let error = make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err();
    assert!(error.to_string().contains("ended as Exception: no room"), "{error}");
    assert_eq!(posts(&fake.lock().unwrap()), 0);
    // That one has ended, and the other makes another volume.
    assert!(make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap());
    assert_eq!(posts(&fake.lock().unwrap()), 1);
}

#[tokio::test]
async fn a_look_that_fails_is_no_absence_for_whoever_writes() {
    let (bmc, fake) = serve(with_storage()).await;
    let broken = || vec![(500, "", String::new()); 8];
    fake.lock().unwrap().script.insert("GET /storage".into(), broken());
    assert_eq!(bmc.volumes().await.unwrap(), None);
    assert_eq!(make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err().status(), Some(500));
    assert_eq!(remove(&bmc, "os").await.unwrap_err().status(), Some(500));
    fake.lock().unwrap().script.remove("GET /storage");
    fake.lock().unwrap().script.insert(format!("GET {STORAGE}/Volumes"), vec![(404, "", String::new())]);
    assert_eq!(make(&bmc, &wanted(&["Disk.0", "Disk.1"])).await.unwrap_err().status(), Some(404));
    fake.lock().unwrap().script.insert("GET /drives/1".into(), vec![(500, "", String::new())]);
    let error = make(&bmc, &wanted(&["Disk.0", "1"])).await.unwrap_err().to_string();
    assert!(error.contains("drive `1` cannot be read"), "{error}");
    assert_eq!(posts(&fake.lock().unwrap()), 0);
}

#[tokio::test]
async fn only_what_was_looked_at_is_removed_and_it_must_be_gone() {
    let mut fake = with_storage();
    place_volume(&mut fake, volume(json!("os"), "RAID1", &["/drives/0", "/drives/1"], 1));
    let (bmc, fake) = serve(fake).await;
    let path = format!("{STORAGE}/Volumes/7");
    let there = bmc.volumes().await.unwrap().unwrap();
    let seen = |name: &str, level: &str, drives: &[&str]| SeenVolume {
        name: Some(name.into()),
        level: Some(level.into()),
        drives: drives.iter().map(|drive| (*drive).to_string()).collect(),
    };
    for other in [
        seen("old", "1", &["/drives/0", "/drives/1"]),
        seen("os", "0", &["/drives/0", "/drives/1"]),
        seen("os", "1", &["/drives/0"]),
    ] {
        let error = bmc.volume_to_remove(&path, Some(&other)).await.unwrap_err().to_string();
        assert!(error.contains("it is another one than when it was looked at"), "{error}");
    }
    let same = seen("os", "1", &["/drives/1", "/drives/0"]);
    assert_eq!(bmc.volume_to_remove(&path, Some(&same)).await.unwrap().as_ref(), there.first());
    fake.lock().unwrap().forgets = true;
    let error = remove(&bmc, &path).await.unwrap_err().to_string();
    assert!(error.contains("it was accepted, and the volume is still there"), "{error}");
    fake.lock().unwrap().forgets = false;
    fake.lock().unwrap().script.insert(format!("DELETE {path}"), vec![(404, "", String::new())]);
    assert!(remove(&bmc, &path).await.is_ok(), "somebody else was quicker");
}

#[tokio::test]
async fn the_same_name_behind_another_controller_is_another_thing() {
    let mut fake = with_storage();
    let second = "/redfish/v1/Systems/1/Storage/RAID.2";
    let other = format!("{second}/Volumes/1");
    fake.resources.extend([
        ("/storage".to_string(), members(&[STORAGE, second])),
        (second.to_string(), json!({ "Id": "RAID.2", "Name": "PERC 2", "Drives": [link("/drives/20")], "Volumes": link(&format!("{second}/Volumes")) })),
        ("/drives/20".into(), drive("Disk.0", "Bay 0")),
        (format!("{second}/Volumes"), members(&[&other])),
        (other, volume(json!("os"), "RAID0", &["/drives/20"], 1)),
    ]);
    let (bmc, fake) = serve(fake).await;
    let mut new = wanted(&["Disk.0", "Disk.1"]);
    new.controller = Some("perc".into());
    assert!(make(&bmc, &new).await.unwrap());
    assert_eq!(posts(&fake.lock().unwrap()), 1);
    let volumes = bmc.volumes().await.unwrap().unwrap();
    assert_eq!(
        volumes.iter().filter_map(|it| it.controller_name.as_deref()).collect::<Vec<_>>(),
        ["PERC", "PERC 2"]
    );
}
