//! One HTTP exchange with a BMC: bounded in time and size, its answer read as JSON or refused with a reason.
//!
//! Knows no sessions and follows nothing. The HTTP client should not follow redirections (a login would be repeated
//! elsewhere); a redirection that arrives here is an error.

use super::error::{BmcError, Fault, Sent, sent_by_status};
use crate::id::EffectId;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The largest answer that is read. A full BIOS attribute registry is about 1 MiB.
pub const ANSWER_LIMIT_BYTES: usize = 4 << 20;

/// How many messages of an error, and how many characters of each, are repeated to people.
const MESSAGES_LIMIT: usize = 8;
const MESSAGE_LIMIT_CHARACTERS: usize = 400;

/// The password, its basic form, and the tokens of the latest sessions.
const SECRETS_LIMIT: usize = 6;

/// Travels with every mutating request, so that a service or a log can tell effects apart.
const EFFECT_HEADER: HeaderName = HeaderName::from_static("x-rackwright-effect");

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// `Null` when there is no body.
    pub body: Value,
    pub etag: Option<String>,
    /// The path of `Location`: a created resource, or the task monitor of a 202 (DSP0266, 12.2).
    pub location: Option<String>,
    /// The `X-Auth-Token` of a login; never printed.
    pub(super) token: Option<HeaderValue>,
}

impl Answer {
    /// The answer of a service that has done at once what it was asked for, and says no more.
    pub(super) fn accepted() -> Answer {
        Answer { status: 204, body: Value::Null, etag: None, location: None, token: None }
    }
}

/// What is asked of the service.
pub(super) struct Ask<'a> {
    pub method: Method,
    /// An absolute path, with a query if need be.
    pub path: &'a str,
    pub headers: HeaderMap,
    pub body: Option<&'a Value>,
    /// True for requests that change the machine; a login does not.
    pub mutates: bool,
}

impl Ask<'_> {
    pub fn get(path: &str) -> Ask<'_> {
        Ask { method: Method::GET, path, headers: HeaderMap::new(), body: None, mutates: false }
    }
}

/// The header of an effect; an id that cannot be a header value is an error before anything is sent.
pub(super) fn effect_header(effect: Option<&EffectId>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    if let Some(effect) = effect {
        let value = HeaderValue::from_str(&effect.0)
            .map_err(|_| Fault::Request(format!("the effect id {:?} cannot be a header", effect.0)))?;
        headers.insert(EFFECT_HEADER, value);
    }
    Ok(headers)
}

/// Sends requests to one service.
pub(super) struct Transport {
    pub http: reqwest::Client,
    pub origin: Result<Url, String>,
    pub timeout: Duration,
    /// Texts that must not appear in an error, whatever the service repeats to us.
    pub secrets: RwLock<Vec<String>>,
}

impl Transport {
    /// The BMC's name in errors.
    pub fn name(&self) -> String {
        match &self.origin {
            Ok(origin) => origin.as_str().trim_end_matches('/').to_string(),
            Err(_) => "(no address)".into(),
        }
    }

    pub fn error(&self, resource: impl Into<String>, fault: Fault, sent: Sent) -> BmcError {
        let resource = self.scrub(&resource.into());
        BmcError { bmc: self.name(), resource, fault: Box::new(self.scrubbed(fault)), sent, cause: None }
    }

    /// One exchange. Any status outside 2xx is an error.
    pub async fn exchange(&self, ask: Ask<'_>) -> Result<Answer, BmcError> {
        let resource = format!("{} {}", ask.method, ask.path);
        let unknown = if ask.mutates { Sent::Perhaps } else { Sent::Nothing };
        let fail = |fault, sent| self.error(resource.clone(), fault, sent);
        let url = self.url(ask.path).map_err(|why| fail(Fault::Address(why), Sent::Nothing))?;
        let mut request = self.http.request(ask.method, url).timeout(self.timeout).headers(ask.headers);
        request = request.header("Accept", "application/json").header("OData-Version", "4.0");
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(cause) => return Err(self.broken(fail(Fault::Broken, unknown), cause)),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = match bounded(response).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(fail(Fault::TooLarge(ANSWER_LIMIT_BYTES), unknown)),
            Err(cause) if (200..300).contains(&status) => {
                return Err(self.broken(fail(Fault::Broken, unknown), cause));
            }
            Err(_) => Vec::new(),
        };
        if !(200..300).contains(&status) {
            let sent = if ask.mutates { sent_by_status(status) } else { Sent::Nothing };
            return Err(fail(Fault::Status { status, messages: messages_in(&bytes) }, sent));
        }
        let body = read_json(&bytes, &headers).map_err(|why| fail(Fault::NotJson(why), unknown))?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Answer {
            status,
            etag: text("etag").or_else(|| body.get("@odata.etag")?.as_str()).map(str::to_string),
            location: text("location").and_then(super::link::path_of),
            token: headers.get("x-auth-token").cloned(),
            body,
        })
    }

    /// Why a request or its answer broke off, with the transport's own reason as the cause.
    fn broken(&self, mut error: BmcError, cause: reqwest::Error) -> BmcError {
        if cause.is_connect() {
            error.sent = Sent::Nothing;
            error.fault = Box::new(Fault::Connect);
        } else if cause.is_timeout() {
            error.fault = Box::new(Fault::TimedOut(self.timeout));
        } else if cause.is_builder() {
            error.sent = Sent::Nothing;
            error.fault = Box::new(Fault::Request("the request cannot be written".into()));
        }
        error.cause = Some(cause.without_url());
        error
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        let origin = self.origin.as_ref().map_err(Clone::clone)?;
        let path = super::link::path_of(path)
            .filter(|same| same == path)
            .ok_or_else(|| format!("`{path}` is not a path that begins with `/`"))?;
        origin.join(&path).map_err(|error| error.to_string())
    }

    /// From now on `secret` is kept out of errors; the latest few are remembered.
    pub fn keep_secret(&self, secret: &str) {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if !secret.is_empty() && !secrets.iter().any(|known| known == secret) {
            if secrets.len() >= SECRETS_LIMIT {
                secrets.remove(2);
            }
            secrets.push(secret.to_string());
        }
    }

    fn scrub(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_string(), |text, secret| text.replace(secret.as_str(), "(secret)"))
    }

    /// A service may repeat in its messages what we sent.
    fn scrubbed(&self, fault: Fault) -> Fault {
        let each = |messages: Vec<String>| messages.iter().map(|message| self.scrub(message)).collect();
        match fault {
            Fault::Status { status, messages } => Fault::Status { status, messages: each(messages) },
            Fault::TaskFailed { state, messages } => {
                Fault::TaskFailed { state: self.scrub(&state), messages: each(messages) }
            }
            Fault::NotJson(why) => Fault::NotJson(self.scrub(&why)),
            Fault::Unusable { field, seen } => Fault::Unusable { field, seen: self.scrub(&seen) },
            Fault::Unsupported { wanted, supported } => {
                Fault::Unsupported { wanted, supported: each(supported) }
            }
            Fault::SeveralSystems(names) => Fault::SeveralSystems(each(names)),
            Fault::NoSuchSystem { wanted, present } => Fault::NoSuchSystem { wanted, present: each(present) },
            other => other,
        }
    }
}

/// The body, or `None` when it is longer than the limit.
async fn bounded(mut response: reqwest::Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_LIMIT_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// The body as JSON, `Null` when there is none; else what it was instead.
fn read_json(bytes: &[u8], headers: &HeaderMap) -> Result<Value, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let kind =
            headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("no content type");
        let kind: String = kind.chars().take(80).collect();
        format!("{kind}, {} bytes, {error}", bytes.len())
    })
}

/// The messages of an error body (DSP0266, 8.6): `error.@Message.ExtendedInfo[].Message`, else `error.message`.
fn messages_in(bytes: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return plain_text(bytes) };
    let error = body.get("error").unwrap_or(&body);
    let extended = messages_of(error.get("@Message.ExtendedInfo").unwrap_or(&Value::Null));
    if !extended.is_empty() {
        return extended;
    }
    error.get("message").and_then(Value::as_str).map(cut).into_iter().collect()
}

/// Some services answer a bare sentence; a page of HTML tells nobody anything.
fn plain_text(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).map(cut).unwrap_or_default();
    if text.is_empty() || text.starts_with(['<', '{', '[']) { Vec::new() } else { vec![text] }
}

/// The texts of a list of Redfish messages; a message without a text is named by its id.
pub(super) fn messages_of(list: &Value) -> Vec<String> {
    let one = std::slice::from_ref(list);
    let items = list.as_array().map_or(one, Vec::as_slice);
    let text = |item: &Value| {
        let text = ["Message", "MessageId"].iter().find_map(|key| item.get(key)?.as_str().map(cut));
        text.filter(|text| !text.is_empty() && !text.ends_with("GeneralError"))
    };
    items.iter().filter_map(text).take(MESSAGES_LIMIT).collect()
}

/// A message on one line, no longer than the limit.
fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MESSAGE_LIMIT_CHARACTERS).collect::<String>().trim().to_string()
}
