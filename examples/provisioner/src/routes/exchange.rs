//! From a request to a command and from an answer to a response. Bodies are the core's own JSON: nothing is named, checked
//! or defaulted here that the core names, checks and defaults.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use handfast::{
    code::Code,
    json::parse,
    limits,
    secret::Secret,
    vocabulary::{Answer, Authority, Command},
};
use serde_json::{Map, Value};

use super::{
    App, Problem, Reply,
    reply::{Audience, json},
};

/// The members of a request's body.
pub(super) type Members = Map<String, Value>;

/// Reads a body that is one strict JSON object; no body at all is an empty one.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Members, Problem> {
    let bytes =
        to_bytes(body, limits::COMMAND_BYTES).await.map_err(|_| Problem::too_large(Code::TooLarge))?;
    if bytes.is_empty() {
        return Ok(Members::new());
    }
    let media_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence = media_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|essence| !essence.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "expected application/json",
        ));
    }
    match parse(&bytes, limits::COMMAND_BYTES) {
        Ok(Value::Object(members)) => {
            check_tags(members.values())?;
            Ok(members)
        }
        Ok(_) => Err(Problem::bad_request("expected an object")),
        Err(error) => Err(Problem::bad_request(error)),
    }
}

/// The same, where leaving everything out must be said: an empty object is not no body.
pub(super) async fn read_some(headers: &HeaderMap, body: Body) -> Result<Members, Problem> {
    let bytes =
        to_bytes(body, limits::COMMAND_BYTES).await.map_err(|_| Problem::too_large(Code::TooLarge))?;
    if bytes.is_empty() {
        return Err(Problem::bad_request("a body is required"));
    }
    read(headers, Body::from(bytes)).await
}

/// The `type` of a tagged object is a text. serde would also take the number of its place in the list of types.
fn check_tags<'a>(mut values: impl Iterator<Item = &'a Value>) -> Result<(), Problem> {
    values.try_for_each(|value| match value {
        Value::Object(members) => {
            if members.get("type").is_some_and(|tag| !tag.is_string()) {
                return Err(Problem::bad_request("type: expected a string"));
            }
            check_tags(members.values())
        }
        Value::Array(items) => check_tags(items.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    })
}

/// A command: the members of the body, and those that the host itself gives. What the host says cannot be said in a body,
/// so nobody can claim to be somebody else.
pub(super) fn command(
    kind: &str,
    mut members: Members,
    given: impl IntoIterator<Item = (&'static str, Value)>,
    authority: &Authority,
    source: Option<std::net::IpAddr>,
) -> Result<Command, Problem> {
    let own = [("type", Value::from(kind)), ("authority", authority.to_string().into())];
    let own = own.into_iter().chain(given);
    for (name, value) in own.chain(source.map(|source| ("source", source.to_string().into()))) {
        if members.insert(name.to_owned(), value).is_some() {
            return Err(Problem::bad_request(format!("{name}: not in the body")));
        }
    }
    if members.contains_key("source") && source.is_none() {
        return Err(Problem::bad_request("source: not in the body"));
    }
    Command::from_value(members.into()).map_err(|error| crate::host::HostError::from(error).into())
}

impl App {
    /// Runs a command and writes what came of it.
    pub(super) async fn answer(&self, command: Command, audience: Audience) -> Reply {
        respond(self.host.run(command).await?, audience)
    }
}

/// An answer as a response, secrets and all: nobody but the caller is given it, and no cache keeps it.
pub(super) fn respond(answer: Answer, audience: Audience) -> Reply {
    if let Answer::Refused(refused) = &answer {
        return Err(Problem::refused(refused, audience));
    }
    if let Answer::UseNonce(use_nonce) = answer {
        return Ok(use_another(&use_nonce.nonce));
    }
    let (value, secrets) = answer.into_parts();
    Ok(json(&filled(value, &secrets)))
}

/// RFC 9449 section 8: the proof is to be made again, with this nonce.
fn use_another(nonce: &str) -> Response {
    let problem =
        Problem::new(StatusCode::UNAUTHORIZED, Code::UseNonce, "make the proof again, with this nonce")
            .challenge("DPoP error=\"use_dpop_nonce\"");
    with_nonce(problem.into_response(), nonce)
}

/// Gives a nonce for the next proof.
pub(super) fn with_nonce(mut response: Response, nonce: &str) -> Response {
    if let Ok(nonce) = HeaderValue::from_str(nonce) {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    response
}

/// Puts the secrets in the place of their numbers.
pub(super) fn filled(value: Value, secrets: &[Secret]) -> Value {
    match value {
        Value::Object(members) => {
            let number = members
                .get("$secret")
                .and_then(Value::as_u64)
                .and_then(|number| usize::try_from(number).ok());
            if let Some(secret) = number.and_then(|number| secrets.get(number)) {
                return Value::from(secret.expose());
            }
            Value::Object(members.into_iter().map(|(name, value)| (name, filled(value, secrets))).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| filled(item, secrets)).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}
