//! Sessions and tasks of a BMC: what it remembers of those who talk to it.
//!
//! Owns SessionService/Sessions (DSP0266 section 13.3.4), TaskService/Tasks and task monitors (section
//! 12.2). Both are forgotten when the rack restarts, as a BMC forgets them when it does.

use super::super::clock;
use super::super::machine::Machine;
use super::reply::Reply;
use crate::id::random_hex;
use crate::units::Time;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

/// Sessions at a time; a new one ends the oldest.
const SESSIONS: usize = 64;
/// Tasks remembered.
const TASKS: usize = 64;
/// How long storing settings takes.
const TASK_TIME: Duration = Duration::from_millis(60);
const SESSIONS_PATH: &str = "/redfish/v1/SessionService/Sessions";
const TASKS_PATH: &str = "/redfish/v1/TaskService/Tasks";
const MONITORS_PATH: &str = "/redfish/v1/TaskService/TaskMonitors";

/// Sessions and tasks.
#[derive(Default)]
pub struct Desk {
    sessions: VecDeque<Session>,
    tasks: VecDeque<Task>,
    last: u64,
}

struct Session {
    id: String,
    token: String,
    user: String,
}

#[derive(Clone)]
struct Task {
    id: u64,
    name: &'static str,
    start: Time,
}

impl Desk {
    pub fn knows(&self, token: &str) -> bool {
        self.sessions.iter().any(|session| session.token == token)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

pub fn lock(machine: &Machine) -> MutexGuard<'_, Desk> {
    machine.desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a session: 201 with `X-Auth-Token` and `Location`.
pub fn log_in(machine: &Machine, body: &Map<String, Value>) -> Reply {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (Some(user), Some(password)) = (text("UserName"), text("Password")) else {
        let missing = if text("UserName").is_none() { "UserName" } else { "Password" };
        return Reply::property_missing(missing);
    };
    let known = &machine.around.credentials;
    if user != known.user || password != known.password {
        return Reply::unauthorized();
    }
    let Ok(token) = random_hex(16) else { return Reply::failed_inside("no randomness for a session token") };
    let mut desk = lock(machine);
    if desk.sessions.len() == SESSIONS {
        desk.sessions.pop_front();
    }
    let id = desk.next().to_string();
    let session = Session { id, token: token.clone(), user: user.to_string() };
    let path = format!("{SESSIONS_PATH}/{}", session.id);
    let reply = Reply::resource(session_body(&session)).status(201);
    desk.sessions.push_back(session);
    reply.with("x-auth-token", token).with("location", path)
}

fn session_body(session: &Session) -> Value {
    json!({
        "@odata.id": format!("{SESSIONS_PATH}/{}", session.id),
        "@odata.type": "#Session.v1_7_0.Session",
        "Id": session.id,
        "Name": "User Session",
        "UserName": session.user,
        "Password": null,
    })
}

pub fn sessions(machine: &Machine) -> Reply {
    let desk = lock(machine);
    let members = desk.sessions.iter().map(|session| format!("{SESSIONS_PATH}/{}", session.id)).collect();
    Reply::resource(collection(SESSIONS_PATH, "SessionCollection", "Session Collection", members))
}

pub fn session(machine: &Machine, id: &str, path: &str) -> Reply {
    match lock(machine).sessions.iter().find(|session| session.id == id) {
        Some(session) => Reply::resource(session_body(session)),
        None => Reply::not_found(path),
    }
}

pub fn close(machine: &Machine, id: &str, path: &str) -> Reply {
    let mut desk = lock(machine);
    match desk.sessions.iter().position(|session| session.id == id) {
        Some(index) => {
            desk.sessions.remove(index);
            Reply::nothing()
        }
        None => Reply::not_found(path),
    }
}

/// 202 with a task that soon ends and the monitor to ask.
pub fn accept(machine: &Machine, name: &'static str) -> Reply {
    let mut desk = lock(machine);
    if desk.tasks.len() == TASKS {
        desk.tasks.pop_front();
    }
    let task = Task { id: desk.next(), name, start: clock::now() };
    desk.tasks.push_back(task.clone());
    let reply = Reply { status: 202, headers: Vec::new(), body: Some(task.body()) };
    reply.with("location", format!("{MONITORS_PATH}/{}", task.id))
}

impl Task {
    fn is_over(&self) -> bool {
        clock::now() >= self.start.plus(TASK_TIME)
    }

    fn body(&self) -> Value {
        let over = self.is_over();
        let mut body = json!({
            "@odata.id": format!("{TASKS_PATH}/{}", self.id),
            "@odata.type": "#Task.v1_7_4.Task",
            "Id": self.id.to_string(),
            "Name": self.name,
            "TaskState": if over { "Completed" } else { "Running" },
            "TaskStatus": "OK",
            "PercentComplete": if over { 100 } else { 0 },
            "StartTime": self.start.to_string(),
            "TaskMonitor": format!("{MONITORS_PATH}/{}", self.id),
            "Messages": [],
        });
        if over {
            body["EndTime"] = json!(self.start.plus(TASK_TIME).to_string());
        }
        body
    }
}

fn find(machine: &Machine, id: u64) -> Option<Task> {
    lock(machine).tasks.iter().find(|task| task.id == id).cloned()
}

pub fn tasks(machine: &Machine) -> Reply {
    let members = lock(machine).tasks.iter().map(|task| format!("{TASKS_PATH}/{}", task.id)).collect();
    Reply::resource(collection(TASKS_PATH, "TaskCollection", "Task Collection", members))
}

pub fn task(machine: &Machine, id: u64, path: &str) -> Reply {
    find(machine, id).map_or_else(|| Reply::not_found(path), |task| Reply::resource(task.body()))
}

/// 202 while the task runs, then 200 with the ended task.
pub fn monitor(machine: &Machine, id: u64, path: &str) -> Reply {
    let Some(task) = find(machine, id) else { return Reply::not_found(path) };
    let status = if task.is_over() { 200 } else { 202 };
    let reply = Reply { status, headers: Vec::new(), body: Some(task.body()) };
    reply.with("location", format!("{MONITORS_PATH}/{id}"))
}

/// A collection of resources (DSP0266 section 8.4).
pub fn collection(path: &str, kind: &str, name: &str, members: Vec<String>) -> Value {
    let members: Vec<Value> = members.into_iter().map(|member| json!({"@odata.id": member})).collect();
    json!({
        "@odata.id": path,
        "@odata.type": format!("#{kind}.{kind}"),
        "Name": name,
        "Members@odata.count": members.len(),
        "Members": members,
    })
}
