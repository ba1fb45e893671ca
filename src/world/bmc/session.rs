//! Who we are to a BMC: a session (DSP0266, 13.3.4), or basic authentication where a service has no sessions.
//!
//! Opening a session is not an effect. One login at a time; a login that was refused is an error, not a fall-back,
//! because controllers lock accounts.

use super::address::BmcAddress;
use super::error::{BmcError, Fault, Sent};
use super::link;
use super::transport::{Ask, Transport};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

pub(super) const ROOT: &str = "/redfish/v1/";
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-auth-token");

/// What is known about how to authenticate.
#[derive(Default)]
pub(super) struct Session {
    /// Counts logins, so that of several callers who see a 401 only the first logs in again.
    pub generation: u64,
    pub pass: Option<Pass>,
}

/// What a request carries.
#[derive(Clone)]
pub(super) enum Pass {
    Token {
        token: HeaderValue,
        /// The session resource, for the logout.
        location: Option<String>,
    },
    Basic(HeaderValue),
}

impl Pass {
    pub fn add_to(&self, headers: &mut HeaderMap) {
        match self {
            Pass::Token { token, .. } => headers.insert(TOKEN_HEADER, token.clone()),
            Pass::Basic(value) => headers.insert(AUTHORIZATION, value.clone()),
        };
    }
}

/// The `Authorization` value of basic authentication (RFC 7617).
pub(super) fn basic(http: &reqwest::Client, address: &BmcAddress) -> Option<HeaderValue> {
    let request =
        http.get("http://localhost/").basic_auth(&address.user, Some(address.password.clear())).build();
    let mut value = request.ok()?.headers().get(AUTHORIZATION)?.clone();
    value.set_sensitive(true);
    Some(value)
}

/// Logs in. 404, 405 and 501 mean that the service has no sessions: basic authentication from then on.
pub(super) async fn login(transport: &Transport, address: &BmcAddress) -> Result<Pass, BmcError> {
    let sessions = sessions_path(transport).await?;
    let credentials = json!({ "UserName": address.user, "Password": address.password.clear() });
    let mut ask = Ask::get(&sessions);
    ask.method = Method::POST;
    ask.body = Some(&credentials);
    let answer = match transport.exchange(ask).await {
        Ok(answer) => answer,
        Err(error) if error.is_absence() => return fall_back(transport, address),
        Err(error) if matches!(error.status(), Some(401 | 403)) => {
            return Err(transport.error(error.resource, Fault::Credentials, Sent::Nothing));
        }
        Err(error) => return Err(error),
    };
    match answer.token {
        Some(token) => {
            // A copy: what was read is a piece of the connection's whole buffer, and would keep all of it.
            let unusable = |_| transport.error(&sessions, Fault::Credentials, Sent::Nothing);
            let mut token = HeaderValue::from_bytes(token.as_bytes()).map_err(unusable)?;
            token.set_sensitive(true);
            transport.keep_secret(token.to_str().unwrap_or_default());
            let location = answer.location.or_else(|| link::odata_id(&answer.body));
            Ok(Pass::Token { token, location })
        }
        None => fall_back(transport, address),
    }
}

fn fall_back(transport: &Transport, address: &BmcAddress) -> Result<Pass, BmcError> {
    let why = || Fault::Request("the user name or password cannot be a header".into());
    basic(&transport.http, address)
        .map(Pass::Basic)
        .ok_or_else(|| transport.error(ROOT, why(), Sent::Nothing))
}

/// `Links.Sessions` of the service root, which needs no authentication (DSP0266, 13.3.1).
async fn sessions_path(transport: &Transport) -> Result<String, BmcError> {
    let found = match transport.exchange(Ask::get(ROOT)).await {
        Ok(root) => root.body.get("Links").and_then(|links| link::linked(links, "Sessions")),
        Err(error) if matches!(error.status(), Some(401 | 403)) => None,
        Err(error) => return Err(error),
    };
    Ok(found.unwrap_or_else(|| SESSIONS.into()))
}
