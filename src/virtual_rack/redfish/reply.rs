//! Answers: status, headers and JSON of the Redfish service, and its extended errors (DSP0266 section 8.6).
//!
//! Owns the headers that every answer carries, entity tags and the message registry entries in use. Knows
//! no resource.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Value>,
}

/// An entry of the Base message registry (DSP0268): what follows `Base.1.18.`, its text, what to do.
struct Message {
    id: &'static str,
    text: String,
    arguments: Vec<String>,
    resolution: &'static str,
}

impl Reply {
    /// 200 with a resource; its entity tag is made from all of it.
    pub fn resource(body: Value) -> Reply {
        let tag = tag(&body);
        Reply::tagged(body, tag)
    }

    /// 200 with a resource that has a tag of its own.
    pub fn tagged(body: Value, tag: String) -> Reply {
        Reply { status: 200, headers: vec![("etag", tag)], body: Some(body) }
    }

    pub fn nothing() -> Reply {
        Reply { status: 204, headers: Vec::new(), body: None }
    }

    pub fn with(mut self, name: &'static str, value: String) -> Reply {
        self.headers.push((name, value));
        self
    }

    pub fn status(mut self, status: u16) -> Reply {
        self.status = status;
        self
    }

    /// 304 when the asker has this version already (DSP0266 section 7.2).
    pub fn unless_known(self, headers: &HeaderMap) -> Reply {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let own = self.headers.iter().find(|(name, _)| *name == "etag").map(|(_, tag)| tag.as_str());
        match (known, own) {
            (Some(known), Some(own)) if self.status == 200 && matches(known, own) => {
                Reply { status: 304, headers: self.headers, body: None }
            }
            _ => self,
        }
    }

    pub fn unauthorized() -> Reply {
        Reply::error(
            401,
            "NoValidSession",
            "There is no valid session established with the implementation.",
            &[],
        )
        .with("www-authenticate", "Basic realm=\"Redfish\", charset=\"UTF-8\"".into())
    }

    pub fn not_found(path: &str) -> Reply {
        let text = format!("The resource at the URI '{path}' was not found.");
        Reply::error(404, "ResourceMissingAtURI", &text, &[path])
    }

    pub fn not_allowed(method: &str, allowed: &'static str) -> Reply {
        let text = format!("The method {method} is not allowed on this resource.");
        Reply::error(405, "OperationNotAllowed", &text, &[]).with("allow", allowed.into())
    }

    pub fn malformed() -> Reply {
        let text =
            "The request body submitted was malformed JSON and could not be parsed by the receiving service.";
        Reply::error(400, "MalformedJSON", text, &[])
    }

    pub fn changed_since() -> Reply {
        let text = "The ETag supplied did not match the ETag required to change this resource.";
        Reply::error(412, "PreconditionFailed", text, &[])
    }

    pub fn busy() -> Reply {
        let text = "The service is temporarily unavailable.  Retry in 1 seconds.";
        Reply::error(503, "ServiceTemporarilyUnavailable", text, &["1"]).with("retry-after", "1".into())
    }

    pub fn too_large() -> Reply {
        Reply::error(413, "GeneralError", "The request body is larger than 64 KiB.", &[])
    }

    pub fn property_unknown(name: &str) -> Reply {
        let text = format!("The property {name} is not in the list of valid properties for the resource.");
        Reply::error(400, "PropertyUnknown", &text, &[name])
    }

    pub fn property_missing(name: &str) -> Reply {
        let text = format!("The property {name} is a required property and must be included in the request.");
        Reply::error(400, "PropertyMissing", &text, &[name])
    }

    pub fn property_type(name: &str, value: &Value) -> Reply {
        let value = value.to_string();
        let text = format!(
            "The value '{value}' for the property {name} is not a type that the property can accept."
        );
        Reply::error(400, "PropertyValueTypeError", &text, &[&value, name])
    }

    pub fn not_in_list(name: &str, value: &str) -> Reply {
        let text =
            format!("The value '{value}' for the property {name} is not in the list of acceptable values.");
        Reply::error(400, "PropertyValueNotInList", &text, &[value, name])
    }

    pub fn failed_inside(why: &str) -> Reply {
        Reply::error(500, "InternalError", why, &[])
    }

    /// An error with one message; its arguments are named again, as DSP0266 section 8.6.2 wants.
    pub fn error(status: u16, id: &'static str, text: &str, arguments: &[&str]) -> Reply {
        let arguments = arguments.iter().map(|argument| (*argument).to_string()).collect();
        let resolution = "Correct the request and send it again, or wait until the service allows it.";
        let message = Message { id, text: text.to_string(), arguments, resolution };
        Reply { status, headers: Vec::new(), body: Some(error_body(&message)) }
    }

    /// Makes the answer HTTP.
    pub fn into_response(self) -> Response<Body> {
        let bytes = match &self.body {
            Some(body) => serde_json::to_vec(body).unwrap_or_default(),
            None => Vec::new(),
        };
        let empty = self.body.is_none();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert("odata-version", HeaderValue::from_static("4.0"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !empty {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

fn error_body(message: &Message) -> Value {
    let id = format!("Base.1.18.{}", message.id);
    json!({"error": {
        "code": id,
        "message": message.text,
        "@Message.ExtendedInfo": [{
            "@odata.type": "#Message.v1_1_1.Message",
            "MessageId": id,
            "Message": message.text,
            "MessageArgs": message.arguments,
            "MessageSeverity": "Warning",
            "Resolution": message.resolution,
        }],
    }})
}

/// The entity tag of a JSON value.
pub fn tag(value: &Value) -> String {
    let digest = blake3::hash(value.to_string().as_bytes());
    format!("\"{}\"", crate::id::hex(&digest.as_bytes()[..8]))
}

/// Whether a list of tags, or `*`, names `own`. Weak and strong forms are the same here.
fn matches(given: &str, own: &str) -> bool {
    given.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == own)
}

/// Whether the precondition of the request, if it has one, holds for a resource with tag `own`.
pub fn precondition_holds(headers: &HeaderMap, own: &str) -> bool {
    match headers.get(header::IF_MATCH).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(given)) => matches(given, own),
        Some(Err(_)) => false,
    }
}
