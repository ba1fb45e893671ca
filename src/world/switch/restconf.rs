//! The client of one switch: one GET to look, at most one PATCH or PUT to change.
//!
//! Owns paths, media types, preconditions and what a status means. Bounds of time and size, TLS and the covering of
//! secrets are `world/http`'s.

use super::error::{Fault, SwitchError};
use super::port::{INTERFACES, Reading};
use super::write::Write;
use crate::id::EffectId;
use crate::model::value::Value;
use crate::world::bmc::{Password, Sent, sent_by_status};
use crate::world::http::{Answer, Body, Login, Method, Request, Web};
use serde_json::Value as Json;
use std::time::Duration;

/// RFC 8040, 3.3: where the root is when nobody says.
const ROOT: &str = "/restconf";
const MEDIA_TYPE: &str = "application/yang-data+json";
/// How many messages of an error, and how many characters of each, are repeated to people.
const MESSAGES_LIMIT: usize = 8;
const MESSAGE_LIMIT_CHARACTERS: usize = 300;

/// Where a switch is, and who we are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// As the design names it.
    pub switch: String,
    /// `https://HOST`, with the path of its RESTCONF root if that is not `/restconf`.
    pub uri: String,
    pub user: String,
    /// A secret, or the text of a rehearsal's password.
    pub password: Value,
    /// Authorities in PEM form; empty: those of the system.
    pub ca: String,
    /// Speaks to loopback only.
    pub rehearsal: bool,
}

pub struct Switch<'a> {
    pub web: &'a Web,
    pub address: &'a Address,
    /// Bounds each request.
    pub timeout: Duration,
}

impl Address {
    /// The switch of a virtual rack, which stands in for the one of the design.
    pub fn of_rehearsal(switch: &str, endpoint: &str, user: &str, password: &Password) -> Address {
        Address {
            switch: switch.to_string(),
            uri: endpoint.to_string(),
            user: user.to_string(),
            password: Value::text(password.clear()),
            ca: String::new(),
            rehearsal: true,
        }
    }

    fn root(&self) -> String {
        let uri = self.uri.trim_end_matches('/');
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        if rest.contains('/') { uri.to_string() } else { format!("{uri}{ROOT}") }
    }

    /// The path of a port's resource (RFC 8040, 3.5.3), from the root of the server.
    pub fn path(&self, port: &str) -> String {
        let url = self.resource(port);
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        rest.find('/').map_or(String::new(), |at| rest[at..].to_string())
    }

    fn resource(&self, port: &str) -> String {
        format!("{}/data/{INTERFACES}:interfaces/interface={}", self.root(), encoded(port))
    }
}

/// Everything but what is unreserved (RFC 3986, 2.3), so that no port's name can lead elsewhere.
fn encoded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

impl Switch<'_> {
    pub async fn read(&self, port: &str) -> Result<Reading, SwitchError> {
        let answer = self.ask(Method::GET, port, Body::Nothing, Vec::new()).await?;
        let etag = answer.headers.get("etag").cloned();
        let body = match self.judged("GET", answer, Sent::Nothing) {
            Ok(answer) => answer.json.unwrap_or_default(),
            Err(fault) => return Err(self.error(port, fault)),
        };
        Reading::of(port, &body, etag).map_err(|fault| self.error(port, fault))
    }

    pub async fn write(&self, port: &str, write: &Write, effect: &EffectId) -> Result<(), SwitchError> {
        let method = if write.method == "PUT" { Method::PUT } else { Method::PATCH };
        let mut headers = vec![
            ("content-type".to_string(), Value::text(MEDIA_TYPE)),
            ("x-rackwright-effect".to_string(), Value::text(&effect.0)),
        ];
        headers.extend(write.etag.as_ref().map(|etag| ("if-match".to_string(), Value::text(etag))));
        let body = Body::Json(Value::from_json(&write.body));
        let answer = self.ask(method, port, body, headers).await?;
        let sent = sent_by_status(answer.status);
        self.judged(write.method, answer, sent).map(|_| ()).map_err(|fault| self.error(port, fault))
    }

    async fn ask(
        &self,
        method: Method,
        port: &str,
        body: Body,
        mut headers: Vec<(String, Value)>,
    ) -> Result<Answer, SwitchError> {
        headers.push(("accept".into(), Value::text(MEDIA_TYPE)));
        let url = self.address.resource(port);
        let owner = format!("switch/{}", self.address.switch);
        let request = Request {
            method,
            url: &url,
            headers,
            body,
            login: Login::Basic { user: self.address.user.clone(), password: self.address.password.clone() },
            ca: &self.address.ca,
            // What a status means is said here, in the words of RESTCONF.
            expect: &|status| !(300..400).contains(&status),
            expected: "2xx".into(),
            timeout: self.timeout,
            key: None,
            owner: &owner,
            rehearsal: self.address.rehearsal,
        };
        self.web.send(request).await.map_err(|error| self.error(port, Fault::Http(error)))
    }

    fn judged(&self, method: &'static str, answer: Answer, sent: Sent) -> Result<Answer, Fault> {
        match answer.status {
            200..=299 => Ok(answer),
            401 | 403 => Err(Fault::Credentials),
            404 if method == "GET" => Err(Fault::NoPort),
            status => Err(Fault::Status { method, status, messages: messages_in(&answer), sent }),
        }
    }

    fn error(&self, port: &str, fault: Fault) -> SwitchError {
        SwitchError { switch: self.address.switch.clone(), port: port.to_string(), fault }
    }
}

/// `ietf-restconf:errors` (RFC 8040, 7.1): the message of each error, or its tag.
fn messages_in(answer: &Answer) -> Vec<String> {
    let plain = |text: &str| -> String {
        let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        text.take(MESSAGE_LIMIT_CHARACTERS).collect::<String>().trim().to_string()
    };
    let Some(body) = &answer.json else {
        let text = answer.text.as_deref().map(plain).unwrap_or_default();
        return if text.is_empty() || text.starts_with('<') { Vec::new() } else { vec![text] };
    };
    let errors = body.get("ietf-restconf:errors").or_else(|| body.get("errors"));
    let listed = errors.and_then(|errors| errors.get("error")).and_then(Json::as_array);
    let text = |error: &Json| {
        let told = |key: &&str| error.get(*key)?.as_str().map(plain).filter(|text| !text.is_empty());
        ["error-message", "error-tag"].iter().find_map(told)
    };
    listed.into_iter().flatten().filter_map(text).take(MESSAGES_LIMIT).collect()
}
