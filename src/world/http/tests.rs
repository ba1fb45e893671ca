//! One request against small services: a friendly one, and sockets that hang, flood, break off and lead astray.

use super::*;
use crate::model::value::Value;
use crate::world::bmc::{Class, Sent};
use axum::Router;
use axum::http::{HeaderMap, Method as Verb, Uri};
use axum::response::{IntoResponse, Response};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PLANTED: &str = "hunter2 planted";

/// Repeats everything that it was sent, in the body and in a header.
async fn echo(method: Verb, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let header =
        |name: &str| headers.get(name).map(|it| it.to_str().unwrap().to_string()).unwrap_or_default();
    match uri.path() {
        "/login" => ([("set-cookie", "session=abc; Path=/")], "in").into_response(),
        "/text" => "plain".into_response(),
        "/no" => {
            (axum::http::StatusCode::CONFLICT, format!("no: {body} {}", header("x-token"))).into_response()
        }
        "/broken" => axum::http::StatusCode::BAD_GATEWAY.into_response(),
        "/here" => (axum::http::StatusCode::FOUND, [("location", "/text")]).into_response(),
        "/there" => (axum::http::StatusCode::FOUND, [("location", "http://localhost:1/x")]).into_response(),
        "/away" => (axum::http::StatusCode::FOUND, [("location", "http://192.0.2.1/x")]).into_response(),
        "/circle" => (axum::http::StatusCode::FOUND, [("location", "/circle")]).into_response(),
        "/secretly" => axum::Json(serde_json::json!({"$secret": "env:HOME"})).into_response(),
        _ => {
            let seen = serde_json::json!({
                "method": method.as_str(), "body": body, "authorization": header("authorization"),
                "token": header("x-token"), "cookie": header("cookie"), "key": header("idempotency-key"),
            });
            ([("x-back", header("x-token"))], axum::Json(seen)).into_response()
        }
    }
}

async fn service() -> SocketAddr {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    address
}

/// A peer that does one thing with whoever connects.
async fn peer<F, Done>(act: F) -> SocketAddr
where
    F: Fn(tokio::net::TcpStream) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send + 'static,
{
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    address
}

fn ok(status: u16) -> bool {
    (200..300).contains(&status)
}

fn request(method: Method, url: &str) -> Request<'_> {
    Request {
        method,
        url,
        headers: Vec::new(),
        body: Body::Nothing,
        login: Login::Nobody,
        ca: "",
        expect: &ok,
        expected: "200 to 299".into(),
        timeout: Duration::from_secs(20),
        key: None,
        owner: "r1/n1",
        rehearsal: true,
    }
}

/// The reference of a file that holds the planted secret.
fn planted() -> (tempfile::NamedTempFile, Value) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{PLANTED}").unwrap();
    let reference = format!("file:{}", file.path().display());
    (file, Value::Secret(reference.into()))
}

#[tokio::test]
async fn a_request_carries_what_it_is_given_and_its_answer_holds_no_secret() {
    let (_file, secret) = planted();
    let url = format!("http://{}/echo?token=x", service().await);
    let web = Web::default();
    let mut asked = request(Method::POST, &url);
    asked.body = Body::Json(Value::map([("inner", Value::list(vec![secret.clone()]))]));
    asked.headers = vec![("X-Token".into(), secret.clone())];
    asked.login = Login::Basic { user: "me".into(), password: secret.clone() };
    asked.key = Some("r1-1-7");
    let answer = web.send(asked).await.unwrap();
    let json = answer.json.clone().unwrap();
    assert_eq!((json["method"].as_str(), json["key"].as_str()), (Some("POST"), Some("r1-1-7")));
    assert_eq!(json["token"].as_str(), Some("(secret)"));
    assert_eq!(json["body"].as_str(), Some(r#"{"inner":["(secret)"]}"#));
    assert_eq!(json["authorization"].as_str(), Some("Basic (secret)"));
    assert_eq!(answer.headers["x-back"], "(secret)");

    let mut form = request(Method::PUT, &url);
    form.body = Body::Form(vec![("a b".into(), "1&2".into()), ("p".into(), secret)]);
    let json = web.send(form).await.unwrap().json.unwrap();
    assert_eq!(json["body"].as_str(), Some("a+b=1%262&p=(secret)"));
}

#[tokio::test]
async fn cookies_are_kept_for_one_owner_and_never_shown() {
    let at = service().await;
    let (login, echo) = (format!("http://{at}/login"), format!("http://{at}/echo"));
    let web = Web::default();
    let answer = web.send(request(Method::GET, &login)).await.unwrap();
    assert_eq!((answer.text.as_deref(), answer.headers.get("set-cookie")), (Some("in"), None));
    let seen = web.send(request(Method::GET, &echo)).await.unwrap().json.unwrap();
    assert_eq!(seen["cookie"].as_str(), Some("session=abc"));
    let mut other = request(Method::GET, &echo);
    other.owner = "r1/n2";
    assert_eq!(web.send(other).await.unwrap().json.unwrap()["cookie"].as_str(), Some(""));
}

#[tokio::test]
async fn a_refusal_is_told_without_the_secret_and_the_query() {
    let (_file, secret) = planted();
    let at = service().await;
    let url = format!("http://{at}/no?key=abc");
    let web = Web::default();
    let mut asked = request(Method::POST, &url);
    asked.headers = vec![("x-token".into(), secret.clone())];
    asked.body = Body::Text(secret.clone());
    let error = web.send(asked).await.unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(
        said.contains(&format!("POST http://{at}/no: it answers 409, not 200 to 299: no: (secret) (secret)")),
        "{said}"
    );
    assert!(!said.contains("hunter2") && !said.contains("abc"), "{said}");
    assert_eq!((error.sent, error.class()), (Sent::Refused, Class::Transient));

    let broken = format!("http://{at}/broken");
    let error = web.send(request(Method::POST, &broken)).await.unwrap_err();
    assert_eq!((error.sent, error.class()), (Sent::Perhaps, Class::Transient));
    let error = web.send(request(Method::GET, &broken)).await.unwrap_err();
    assert_eq!(error.sent, Sent::Nothing);

    let mut unset = request(Method::GET, &url);
    unset.login = Login::Bearer(Value::Secret("env:RACKWRIGHT_NOT_SET".into()));
    let error = web.send(unset).await.unwrap_err();
    assert!(error.to_string().contains("RACKWRIGHT_NOT_SET is not set"), "{error}");
}

#[tokio::test]
async fn redirections_lead_a_secret_nowhere_else_and_a_rehearsal_nowhere_real() {
    let (_file, secret) = planted();
    let at = service().await;
    let web = Web::default();
    let url = |path: &str| format!("http://{at}{path}");
    let (here, there, away, circle) = (url("/here"), url("/there"), url("/away"), url("/circle"));
    assert_eq!(web.send(request(Method::GET, &here)).await.unwrap().text.as_deref(), Some("plain"));
    let mut secretly = request(Method::GET, &here);
    secretly.login = Login::Bearer(secret.clone());
    assert!(web.send(secretly).await.is_ok(), "to the same place it may go");
    let mut secretly = request(Method::GET, &there);
    secretly.login = Login::Bearer("a text is a secret here, too".into());
    let error = web.send(secretly).await.unwrap_err();
    assert_eq!(error.fault, Fault::Elsewhere("http://localhost:1".into()));
    let error = web.send(request(Method::GET, &there)).await.unwrap_err();
    assert_eq!((&error.fault, error.class()), (&Fault::Connect, Class::Transient));
    let error = web.send(request(Method::GET, &away)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Rehearsal("192.0.2.1".into()));
    let error = web.send(request(Method::GET, &circle)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Redirects(5));
    let error = web.send(request(Method::POST, &here)).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Status { status: 302, .. }), "{error}");
    let mut seen = request(Method::GET, &here);
    let found = |status| status == 302;
    seen.expect = &found;
    assert_eq!(web.send(seen).await.unwrap().status, 302);
    for host in ["http://192.0.2.1/", "http://10.0.0.1.localhost.example/", "http://[2001:db8::1]/"] {
        let error = web.send(request(Method::POST, host)).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Rehearsal(_)) && error.sent == Sent::Nothing, "{error}");
    }
}

#[tokio::test]
async fn hostile_peers_end_at_a_limit_or_a_deadline() {
    let web = Web::default();
    let hangs = peer(|stream| async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        drop(stream);
    })
    .await;
    let url = format!("http://{hangs}/");
    let mut asked = request(Method::POST, &url);
    asked.timeout = Duration::from_millis(200);
    let error = web.send(asked).await.unwrap_err();
    assert_eq!((&error.fault, error.sent), (&Fault::TimedOut(Duration::from_millis(200)), Sent::Perhaps));

    let floods = peer(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let block = vec![b'x'; 64 << 10];
        while stream.write_all(&block).await.is_ok() {}
    })
    .await;
    let url = format!("http://{floods}/");
    let error = web.send(request(Method::GET, &url)).await.unwrap_err();
    assert_eq!((&error.fault, error.class()), (&Fault::TooLarge(4 << 20), Class::Permanent));

    for garbage in ["", "SSH-2.0-nonsense\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"] {
        let babbles = peer(move |mut stream| async move {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(garbage.as_bytes()).await;
        })
        .await;
        let url = format!("http://{babbles}/");
        let error = web.send(request(Method::PATCH, &url)).await.unwrap_err();
        assert_eq!(
            (&error.fault, error.sent, error.class()),
            (&Fault::Broken, Sent::Perhaps, Class::Transient),
            "{garbage}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let web = Web::default();
    let at = service().await;
    for (url, why) in [
        ("nonsense", "not a URL"),
        ("ftp://127.0.0.1/x", "http://"),
        ("http://me:hunter2@127.0.0.1/x", "`user` and `password`"),
    ] {
        let error = web.send(request(Method::POST, url)).await.unwrap_err();
        assert!(error.to_string().contains(why) && !error.to_string().contains("hunter2"), "{error}");
        assert_eq!((error.sent, error.class()), (Sent::Nothing, Class::Permanent));
    }
    let url = format!("http://{at}/");
    for (name, value) in [("a b", "x"), ("x-token", "a\r\nb: c")] {
        let mut asked = request(Method::GET, &url);
        asked.headers = vec![(name.into(), value.into())];
        assert!(matches!(web.send(asked).await.unwrap_err().fault, Fault::Request(_)));
    }
    let mut asked = request(Method::GET, &url);
    asked.ca = "no certificate";
    assert!(web.send(asked).await.unwrap_err().to_string().contains("PEM"));
    let mut asked = request(Method::PUT, &url);
    asked.body = Body::Json(Value::list(vec![Value::Unknown("no BMC".into())]));
    assert!(web.send(asked).await.unwrap_err().to_string().contains("unknown (no BMC)"));
    let url = format!("http://{at}/secretly");
    let json = web.send(request(Method::GET, &url)).await.unwrap().json.unwrap();
    assert_eq!(Value::from_json(&json), Value::map([("$secret", Value::text("env:HOME"))]));
}
