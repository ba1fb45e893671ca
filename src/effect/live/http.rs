//! `http` effects: what a script asks for, as one request of the room `world/http`.

use super::{Live, text};
use crate::effect::{Job, Performed, failure};
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::tape::EffectFailure;
use crate::units;
use crate::world::bmc::{Class, Sent};
use crate::world::http::{Answer, Body, HttpError, Login, Method, Request};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    match ask(live, job).await {
        Ok(Ok(answer)) => {
            let wrote = job.call.effect.kind.writes();
            Performed { answer: Ok(value(answer)), wrote, perhaps: false }
        }
        Ok(Err(error)) => {
            let perhaps = error.sent == Sent::Perhaps;
            let why = failure(error.to_string(), error.class() == Class::Transient);
            Performed {
                answer: Err(why),
                wrote: perhaps,
                perhaps: perhaps && job.call.effect.kind == Kind::Once,
            }
        }
        Err(why) => Performed::read(Err(why)),
    }
}

/// Asks once. The outer error is of the script's, for which asking again is no help; the inner one may pass.
pub async fn answer(live: &Live, job: &Job<'_>) -> Result<Result<Value, String>, EffectFailure> {
    Ok(ask(live, job).await?.map(value).map_err(|error| error.to_string()))
}

/// Whether something is at the URL (HEAD: RFC 9110, 9.3.2).
pub async fn is_there(live: &Live, job: &Job<'_>, url: &str) -> Result<(), EffectFailure> {
    let request = Request {
        method: Method::HEAD,
        url,
        headers: Vec::new(),
        body: Body::Nothing,
        login: Login::Nobody,
        ca: "",
        expect: &|status| (200..300).contains(&status),
        expected: "200 to 299".into(),
        timeout: TIMEOUT,
        key: None,
        owner: &format!("{}/{}", job.run, job.target.node),
        rehearsal: live.hardware.is_rehearsal(),
    };
    let answered = live.web.send(request).await;
    answered.map(drop).map_err(|error| failure(error.to_string(), error.class() == Class::Transient))
}

/// The outer error is of the script's: nothing was sent.
async fn ask(live: &Live, job: &Job<'_>) -> Result<Result<Answer, HttpError>, EffectFailure> {
    let name = job.call.effect.name;
    let method = match name {
        // The last is that of `wait`.
        "get" | "http" => Method::GET,
        "head" => Method::HEAD,
        "put" => Method::PUT,
        "delete" => Method::DELETE,
        "post" => Method::POST,
        "patch" => Method::PATCH,
        other => return Err(failure(format!("this build has no effect `http.{other}`"), false)),
    };
    let options = Options(job.call.args.get(1).unwrap_or(&Value::Null));
    let listed = options.statuses();
    let gone = name == "delete";
    let good = |status: u16| match &listed {
        Some(listed) => listed.contains(&i64::from(status)),
        None => (200..300).contains(&status) || (gone && matches!(status, 404 | 410)),
    };
    let expected = match &listed {
        Some(listed) => listed.iter().map(i64::to_string).collect::<Vec<_>>().join(" or "),
        None => "200 to 299".to_string(),
    };
    let owner = format!("{}/{}", job.run, job.target.node);
    let key = (job.call.effect.kind == Kind::Once).then_some(job.id.0.as_str());
    let request = Request {
        method,
        url: text(job, 0),
        headers: options.entries("headers"),
        body: options.body()?,
        login: options.login()?,
        ca: options.0.str_at("ca").unwrap_or_default(),
        expect: &good,
        expected,
        timeout: options.timeout()?,
        key,
        owner: &owner,
        rehearsal: live.hardware.is_rehearsal(),
    };
    Ok(live.web.send(request).await)
}

/// The options of a call, whose shapes have been looked at.
struct Options<'a>(&'a Value);

impl Options<'_> {
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn entries(&self, name: &str) -> Vec<(String, Value)> {
        let map = self.given(name).and_then(Value::as_map);
        map.into_iter().flatten().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    fn statuses(&self) -> Option<Vec<i64>> {
        Some(self.given("expect")?.as_list()?.iter().filter_map(Value::as_int).collect())
    }

    fn body(&self) -> Result<Body, EffectFailure> {
        let bodies = [self.given("body"), self.given("text"), self.given("form")];
        match bodies {
            [None, None, None] => Ok(Body::Nothing),
            [Some(body), None, None] => Ok(Body::Json(body.clone())),
            [None, Some(text), None] => Ok(Body::Text(text.clone())),
            [None, None, Some(_)] => Ok(Body::Form(self.entries("form"))),
            _ => Err(failure("a request has one of `body`, `text` and `form`", false)),
        }
    }

    fn login(&self) -> Result<Login, EffectFailure> {
        match (self.0.str_at("user"), self.given("password"), self.given("bearer")) {
            (None, None, None) => Ok(Login::Nobody),
            (None, None, Some(token)) => Ok(Login::Bearer(token.clone())),
            (Some(user), Some(password), None) => {
                Ok(Login::Basic { user: user.to_string(), password: password.clone() })
            }
            _ => Err(failure("a request is logged in with `user` and `password`, or with `bearer`", false)),
        }
    }

    fn timeout(&self) -> Result<Duration, EffectFailure> {
        let Some(text) = self.0.str_at("timeout") else { return Ok(TIMEOUT) };
        match units::duration(text) {
            Ok(timeout) if timeout <= LONGEST_TIMEOUT => Ok(timeout),
            Ok(_) => {
                let longest = units::short(LONGEST_TIMEOUT);
                Err(failure(format!("the timeout `{text}` is longer than {longest}"), false))
            }
            Err(error) => Err(failure(error.to_string(), false)),
        }
    }
}

fn value(answer: Answer) -> Value {
    let headers = answer.headers.into_iter().map(|(name, value)| (name, Value::from(value)));
    Value::map([
        ("status", Value::Int(i64::from(answer.status))),
        ("headers", Value::map(headers)),
        ("body", answer.json.as_ref().map_or(Value::Null, Value::from_json)),
        ("text", answer.text.map_or(Value::Null, Value::from)),
    ])
}
