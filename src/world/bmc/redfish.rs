//! The client of one BMC: authenticated reads and writes, with a fresh login when a session has ended.
//!
//! Owns the session and what was learnt about the service. What the resources mean is in the files beside this one.

use super::address::{BmcAddress, origin};
use super::error::{BmcError, Fault, Sent};
use super::paper::{Paper, Written};
use super::session::{self, Pass, Session};
use super::transport::{Answer, Ask, Transport, effect_header};
use crate::id::EffectId;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue, IF_MATCH};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a logout may take at most: nobody waits for it.
const LOGOUT_LIMIT: Duration = Duration::from_secs(5);

/// A Redfish service and the one machine behind it. Cheap to clone; clones share the session.
#[derive(Clone)]
pub struct Redfish {
    inner: Arc<Inner>,
}

struct Inner {
    address: BmcAddress,
    transport: Transport,
    session: Mutex<Session>,
    /// Path of the ComputerSystem, once found.
    system: OnceLock<String>,
    /// Instead of writing; `None` for a client that writes.
    paper: Option<Paper>,
}

impl fmt::Debug for Redfish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redfish").field(&self.inner.transport.name()).finish()
    }
}

impl Redfish {
    /// Connects to nothing yet. `timeout` bounds each request, and the following of each task monitor. `http` must not
    /// follow redirections.
    pub fn new(address: BmcAddress, http: reqwest::Client, timeout: Duration) -> Redfish {
        Redfish::made(address, http, timeout, None)
    }

    /// A client that sends no write: it notes them, and reads as if they had been carried out.
    pub fn on_paper(address: BmcAddress, http: reqwest::Client, timeout: Duration) -> Redfish {
        Redfish::made(address, http, timeout, Some(Paper::default()))
    }

    fn made(address: BmcAddress, http: reqwest::Client, timeout: Duration, paper: Option<Paper>) -> Redfish {
        let header = session::basic(&http, &address);
        let basic = header.as_ref().and_then(|value| value.to_str().ok());
        let encoded = basic.and_then(|text| text.strip_prefix("Basic ")).unwrap_or_default();
        let transport = Transport { http, origin: origin(&address.url), timeout, secrets: RwLock::default() };
        transport.keep_secret(address.password.clear());
        transport.keep_secret(encoded);
        let inner = Inner { address, transport, session: Mutex::default(), system: OnceLock::new(), paper };
        Redfish { inner: Arc::new(inner) }
    }

    /// What a client on paper would have sent since this was last asked; empty for one that writes.
    pub fn written(&self) -> Vec<Written> {
        self.inner.paper.as_ref().map(Paper::take).unwrap_or_default()
    }

    /// True when the machine was started on paper, so that what is pending there is in force.
    pub(super) fn started_on_paper(&self) -> bool {
        self.inner.paper.as_ref().is_some_and(Paper::started)
    }

    /// A resource, for vendor scripts.
    pub async fn get(&self, path: &str) -> Result<Value, BmcError> {
        Ok(self.read(path).await?.body)
    }

    /// Changes a resource: `If-Match` when it has an ETag (DSP0266, 7.8); a 412 is read and written once more. A 202 is
    /// returned as it is; [`Redfish::finish`] follows it.
    pub async fn patch(
        &self,
        path: &str,
        body: &Value,
        effect: Option<&EffectId>,
    ) -> Result<Answer, BmcError> {
        match self.patch_once(path, body, effect).await {
            Err(error) if error.status() == Some(412) => self.patch_once(path, body, effect).await,
            other => other,
        }
    }

    /// Posts to an action or a collection. A 202 is returned as it is; [`Redfish::finish`] follows it.
    pub async fn post(
        &self,
        path: &str,
        body: &Value,
        effect: Option<&EffectId>,
    ) -> Result<Answer, BmcError> {
        self.write(Method::POST, path, Some(body), effect, None).await
    }

    /// Deletes a resource (DSP0266, 7.11). A 202 is returned as it is; [`Redfish::finish`] follows it.
    pub async fn delete(&self, path: &str, effect: Option<&EffectId>) -> Result<Answer, BmcError> {
        self.write(Method::DELETE, path, None, effect, None).await
    }

    /// Ends the session, if one is open. Best effort, and never longer than five seconds.
    pub async fn logout(&self) {
        let ended = async {
            let mut session = self.inner.session.lock().await;
            session.generation += 1;
            let Some(pass @ Pass::Token { .. }) = session.pass.take() else { return };
            let Pass::Token { location: Some(location), .. } = &pass else { return };
            let mut ask = Ask::get(location);
            ask.method = Method::DELETE;
            pass.add_to(&mut ask.headers);
            if let Err(error) = self.inner.transport.exchange(ask).await {
                tracing::debug!(%error, "the session was not closed");
            }
        };
        // The lock may be held by a login that hangs, hence a limit around all of it.
        let _ = tokio::time::timeout(LOGOUT_LIMIT.min(self.inner.transport.timeout), ended).await;
    }

    /// A resource with its ETag.
    pub(super) async fn read(&self, path: &str) -> Result<Answer, BmcError> {
        let answer = self.read_allowing_empty(path).await?;
        if answer.body.is_null() {
            let fault = Fault::NotJson("it is empty".into());
            return Err(self.fault(format!("GET {path}"), fault, Sent::Nothing));
        }
        Ok(answer)
    }

    /// A task monitor has no body while its operation runs.
    pub(super) async fn read_allowing_empty(&self, path: &str) -> Result<Answer, BmcError> {
        if let Some(found) = self.inner.paper.as_ref().and_then(|paper| paper.holds(path)) {
            let missing = Fault::Status { status: 404, messages: Vec::new() };
            let body = found.ok_or_else(|| self.fault(format!("GET {path}"), missing, Sent::Nothing))?;
            return Ok(Answer { body, ..Answer::accepted() });
        }
        let mut answer = self.request(&Method::GET, path, &HeaderMap::new(), None).await?;
        if let Some(paper) = &self.inner.paper {
            answer.body = paper.read(path, answer.body);
        }
        Ok(answer)
    }

    /// A resource, or `None` when the service says that it has none.
    pub(super) async fn read_optional(&self, path: &str) -> Result<Option<Answer>, BmcError> {
        match self.read(path).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn fault(&self, resource: impl Into<String>, fault: Fault, sent: Sent) -> BmcError {
        self.inner.transport.error(resource, fault, sent)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.inner.transport.timeout
    }

    pub(super) fn chosen_system(&self) -> Option<&str> {
        self.inner.address.system.as_deref()
    }

    pub(super) fn system_cache(&self) -> &OnceLock<String> {
        &self.inner.system
    }

    async fn patch_once(
        &self,
        path: &str,
        body: &Value,
        effect: Option<&EffectId>,
    ) -> Result<Answer, BmcError> {
        let etag = self.read_optional(path).await?.and_then(|answer| answer.etag);
        self.write(Method::PATCH, path, Some(body), effect, etag).await
    }

    async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        effect: Option<&EffectId>,
        etag: Option<String>,
    ) -> Result<Answer, BmcError> {
        if let Some(paper) = &self.inner.paper {
            paper.write(method.as_str(), path, body.unwrap_or(&Value::Null));
            return Ok(Answer::accepted());
        }
        let wrong = |fault| self.fault(format!("{method} {path}"), fault, Sent::Nothing);
        let mut headers = effect_header(effect).map_err(wrong)?;
        if let Some(etag) = etag {
            let seen = || Fault::Unusable { field: ETAG_FIELD, seen: format!("{etag:?}") };
            headers.insert(IF_MATCH, HeaderValue::from_str(&etag).map_err(|_| wrong(seen()))?);
        }
        self.request(&method, path, &headers, body).await
    }

    /// One request with our pass; a 401 on a session is answered by one new login.
    async fn request(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Option<&Value>,
    ) -> Result<Answer, BmcError> {
        let mut refused = None;
        for _ in 0..2 {
            let (pass, generation) = self.pass(refused).await?;
            let mut headers = headers.clone();
            pass.add_to(&mut headers);
            let mutates = *method != Method::GET;
            let ask = Ask { method: method.clone(), path, headers, body, mutates };
            match self.inner.transport.exchange(ask).await {
                Err(error) if error.status() == Some(401) => {
                    if matches!(pass, Pass::Basic(_)) {
                        return Err(self.fault(error.resource, Fault::Credentials, error.sent));
                    }
                    refused = Some(generation);
                }
                other => return other,
            }
        }
        let sent = if *method == Method::GET { Sent::Nothing } else { Sent::Refused };
        Err(self.fault(format!("{method} {path}"), Fault::Credentials, sent))
    }

    /// The pass to use. `refused` is the generation of one that was answered with 401. The lock is held while logging
    /// in, which makes it one login at a time.
    async fn pass(&self, refused: Option<u64>) -> Result<(Pass, u64), BmcError> {
        let mut session = self.inner.session.lock().await;
        if refused == Some(session.generation) {
            session.pass = None;
        }
        if let Some(pass) = &session.pass {
            return Ok((pass.clone(), session.generation));
        }
        let pass = session::login(&self.inner.transport, &self.inner.address).await?;
        session.generation += 1;
        session.pass = Some(pass.clone());
        Ok((pass, session.generation))
    }
}

const ETAG_FIELD: &str = "ETag";
