//! One request and its answer.

use super::error::{Fault, HttpError};
use super::jar::Web;
use crate::model::value::Value;
use crate::world::bmc::{Sent, sent_by_status};
use crate::world::secret::{Opened, SecretError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::cookie::CookieStore;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// The largest answer that is read.
pub const ANSWER_BYTES: usize = 4 << 20;
const REDIRECTS: usize = 5;
/// Of an answer's headers, how many are handed on, and how much of each.
const HEADERS: usize = 100;
const HEADER_CHARACTERS: usize = 4_096;
/// How much of the text of a refusal people are shown.
const SAID_CHARACTERS: usize = 300;
/// Never handed on: what it sets is a secret of the session (RFC 6265, 8).
const COOKIES: &str = "set-cookie";
/// What stands in these is a secret, also where a script holds it as text.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token"];
/// draft-ietf-httpapi-idempotency-key-header: the same key is the same request.
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is asked. Values are texts or secrets.
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: Vec<(String, Value)>,
    pub body: Body,
    pub login: Login,
    /// Certificates in PEM form: the only authorities that are trusted. Empty: those of the system.
    pub ca: &'a str,
    /// The statuses that are a success.
    pub expect: &'a (dyn Fn(u16) -> bool + Sync),
    /// The same in words.
    pub expected: String,
    pub timeout: Duration,
    /// Travels as `Idempotency-Key`.
    pub key: Option<&'a str>,
    /// Whose cookies are sent and kept.
    pub owner: &'a str,
    /// A rehearsal speaks to loopback addresses only.
    pub rehearsal: bool,
}

pub enum Body {
    Nothing,
    Json(Value),
    Text(Value),
    Form(Vec<(String, Value)>),
}

pub enum Login {
    Nobody,
    Basic { user: String, password: Value },
    Bearer(Value),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// When the answer says that it is JSON, and is.
    pub json: Option<serde_json::Value>,
    /// Otherwise.
    pub text: Option<String>,
}

impl Web {
    /// Sends the request and reads its answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, HttpError> {
        let mut opened = Opened::default();
        let timeout = request.timeout;
        let mut at = named(&request.method, request.url);
        let writes = !request.method.is_safe();
        let sent = if writes { Sent::Perhaps } else { Sent::Nothing };
        let all = self.follow(&request, &mut opened, &mut at);
        let result = match tokio::time::timeout(timeout, all).await {
            Ok(result) => result,
            Err(_) => Err(fault(Fault::TimedOut(timeout), sent)),
        };
        result.map_err(|error| {
            let what = opened.covered(&at);
            let cause = error.cause.map(|cause| opened.covered(&cause));
            HttpError { what, fault: covered(error.fault, &opened), sent: error.sent, cause }
        })
    }

    async fn follow(
        &self,
        request: &Request<'_>,
        opened: &mut Opened,
        at: &mut String,
    ) -> Result<Answer, HttpError> {
        let client = self.client(request.ca).map_err(|why| nothing(Fault::Request(why)))?;
        let jar = self.jar(request.owner);
        let mut url = parsed(request.url)?;
        let prepared = Prepared::of(request, opened)?;
        for _ in 0..=REDIRECTS {
            *at = named(&request.method, url.as_str());
            if request.rehearsal && !is_loopback(&url) {
                return Err(nothing(Fault::Rehearsal(url.host_str().unwrap_or_default().into())));
            }
            let mut sending =
                client.request(request.method.clone(), url.clone()).headers(prepared.headers.clone());
            if let Some(cookies) = jar.cookies(&url) {
                sending = sending.header(reqwest::header::COOKIE, cookies);
            }
            if let Some(body) = &prepared.body {
                sending = sending.body(body.clone());
            }
            let writes = !request.method.is_safe();
            let response = sending.send().await.map_err(|cause| broken(cause, writes))?;
            let mut cookies = response.headers().get_all(COOKIES).iter().peekable();
            if cookies.peek().is_some() {
                jar.set_cookies(&mut cookies, &url);
            }
            let status = response.status().as_u16();
            match redirect(&response, &url).filter(|_| !writes && !(request.expect)(status)) {
                None => return read(response, request, opened).await,
                Some(to) if !same_origin(&url, &to) && !opened.is_empty() => {
                    return Err(nothing(Fault::Elsewhere(origin(&to))));
                }
                Some(to) => url = to,
            }
        }
        Err(nothing(Fault::Redirects(REDIRECTS)))
    }
}

/// Headers and body with the secrets in their places.
struct Prepared {
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Prepared {
    fn of(request: &Request<'_>, opened: &mut Opened) -> Result<Prepared, HttpError> {
        let secret = |error: SecretError| nothing(Fault::Secret(error));
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json, */*;q=0.5"));
        let (body, kind) = match &request.body {
            Body::Nothing => (None, ""),
            Body::Json(value) => {
                (Some(opened.json(value).map_err(secret)?.to_string().into_bytes()), "application/json")
            }
            Body::Text(value) => {
                (Some(opened.text(value).map_err(secret)?.into_bytes()), "text/plain; charset=utf-8")
            }
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &opened.text(value).map_err(secret)?);
                }
                (Some(form.finish().into_bytes()), "application/x-www-form-urlencoded")
            }
        };
        if !kind.is_empty() {
            headers.insert("content-type", HeaderValue::from_static(kind));
        }
        match &request.login {
            Login::Nobody => {}
            Login::Basic { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{}", opened.text(password).map_err(secret)?));
                opened.keep(&pair);
                insert(&mut headers, "authorization", &format!("Basic {pair}"))?;
            }
            Login::Bearer(token) => {
                let token = opened.text(token).map_err(secret)?;
                opened.keep(&token);
                insert(&mut headers, "authorization", &format!("Bearer {token}"))?;
            }
        }
        for (name, value) in &request.headers {
            let text = opened.text(value).map_err(secret)?;
            // Whatever the script takes it for.
            if CREDENTIALS.iter().any(|header| name.eq_ignore_ascii_case(header)) {
                opened.keep(&text);
            }
            insert(&mut headers, name, &text)?;
        }
        if let Some(key) = request.key {
            insert(&mut headers, IDEMPOTENCY.as_str(), key)?;
        }
        Ok(Prepared { headers, body })
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), HttpError> {
    let wrong = |why: String| nothing(Fault::Request(why));
    let name = HeaderName::try_from(name).map_err(|_| wrong(format!("`{name}` is no name of a header")))?;
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        wrong(format!("the value of the header `{name}` holds a line break or another control character"))
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn parsed(url: &str) -> Result<Url, HttpError> {
    let wrong = |why: &str| nothing(Fault::Request(why.to_string()));
    let parsed = Url::parse(url).map_err(|error| wrong(&format!("the address is not a URL ({error})")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(wrong("the address must begin with http:// or https://"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong(
            "the address holds a user or a password; write them as the options `user` and `password`",
        ));
    }
    Ok(parsed)
}

/// Method, scheme, host and path: what may be said of a request.
fn named(method: &Method, url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{method} {}{}", origin(&url), url.path()),
        Err(_) => method.to_string(),
    }
}

fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn same_origin(a: &Url, b: &Url) -> bool {
    origin(a) == origin(b)
}

/// Literally: asking who a name is would already reach out.
pub(in crate::world) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

/// Where a redirection leads (RFC 9110, 15.4).
fn redirect(response: &reqwest::Response, from: &Url) -> Option<Url> {
    let followed = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let to = response.headers().get("location").filter(|_| followed)?.to_str().ok()?;
    let mut to = from.join(to).ok().filter(|to| matches!(to.scheme(), "http" | "https"))?;
    // Nobody is to be logged in as somebody else.
    let _ = (to.set_username(""), to.set_password(None));
    Some(to)
}

async fn read(
    mut response: reqwest::Response,
    request: &Request<'_>,
    opened: &Opened,
) -> Result<Answer, HttpError> {
    let writes = !request.method.is_safe();
    let status = response.status().as_u16();
    let good = (request.expect)(status);
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_BYTES => bytes.extend_from_slice(&chunk),
            // Of a refusal the beginning is enough.
            Ok(Some(_)) if !good => break,
            Ok(Some(_)) => return Err(fault(Fault::TooLarge(ANSWER_BYTES), sent(writes))),
            Ok(None) => break,
            Err(_) if !good => break,
            Err(cause) => return Err(broken(cause, writes)),
        }
    }
    let text = opened.covered(&String::from_utf8_lossy(&bytes));
    if !good {
        let sent = if writes { sent_by_status(status) } else { Sent::Nothing };
        let text = if text.trim_start().starts_with('<') { String::new() } else { one_line(&text) };
        return Err(fault(Fault::Status { status, expected: request.expected.clone(), text }, sent));
    }
    let headers = headers(response.headers(), opened);
    let is_json = headers.get("content-type").is_some_and(|kind| kind.contains("json"));
    // What was opened may be escaped in JSON in more ways than one.
    let json =
        is_json.then(|| serde_json::from_slice(&bytes).ok()).flatten().map(|json| opened.covered_json(json));
    Ok(Answer { status, headers, text: json.is_none().then_some(text), json })
}

fn headers(headers: &HeaderMap, opened: &Opened) -> BTreeMap<String, String> {
    let mut read: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIES).take(HEADERS) {
        let value = opened.covered(&String::from_utf8_lossy(value.as_bytes()));
        let value: String = value.chars().take(HEADER_CHARACTERS).collect();
        read.entry(name.to_string()).and_modify(|all| *all += &format!(", {value}")).or_insert(value);
    }
    read
}

fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(SAID_CHARACTERS).collect::<String>().trim().to_string()
}

/// An error whose request is named by [`Web::send`].
fn fault(fault: Fault, sent: Sent) -> HttpError {
    HttpError { what: String::new(), fault, sent, cause: None }
}

fn nothing(what: Fault) -> HttpError {
    fault(what, Sent::Nothing)
}

fn sent(writes: bool) -> Sent {
    if writes { Sent::Perhaps } else { Sent::Nothing }
}

/// Why a request or its answer broke off.
fn broken(cause: reqwest::Error, writes: bool) -> HttpError {
    let (what, sent) = match () {
        () if cause.is_connect() => (Fault::Connect, Sent::Nothing),
        () if cause.is_builder() => (Fault::Request("the request cannot be written".into()), Sent::Nothing),
        () => (Fault::Broken, sent(writes)),
    };
    let cause = cause.without_url();
    let mut words = Vec::new();
    let mut next = std::error::Error::source(&cause);
    while let Some(error) = next.filter(|_| words.len() < 8) {
        words.push(error.to_string());
        next = error.source();
    }
    HttpError { what: String::new(), fault: what, sent, cause: words.pop() }
}

fn covered(fault: Fault, opened: &Opened) -> Fault {
    match fault {
        Fault::Status { status, expected, text } => {
            Fault::Status { status, expected, text: opened.covered(&text) }
        }
        Fault::Request(why) => Fault::Request(opened.covered(&why)),
        Fault::Elsewhere(to) => Fault::Elsewhere(opened.covered(&to)),
        other => other,
    }
}
