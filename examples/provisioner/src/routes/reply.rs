//! Responses: JSON, and one form for everything that went wrong, `{"code", "message"}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use handfast::{
    code::Code,
    sns::SnsError,
    vocabulary::{Answer, Class, Error, Refusal, Refused},
};
use serde::Serialize;
use serde_json::json;

use super::status;
use crate::{host::HostError, sns::Rejected};

/// What a handler gives.
pub(super) type Reply = Result<Response, Problem>;

/// A JSON response with status 200.
pub(super) fn json(value: &impl Serialize) -> Response {
    Json(value).into_response()
}

/// What went wrong, as the sender may know it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: String,
    message: String,
    /// What the operator's own rule said.
    reason: Option<String>,
    header: Option<(&'static str, &'static str)>,
}

/// Who reads a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// An operator is told the code.
    Operator,
    /// A node is told the class: it may be anybody.
    Node,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: impl ToString, message: impl ToString) -> Self {
        Self { status, code: code.to_string(), message: message.to_string(), reason: None, header: None }
    }

    /// The one answer to whoever has no business here, whatever the reason: byte for byte the same.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "nothing is here for you")
    }

    /// To a node, whatever was wrong with what it showed.
    pub(super) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, status::class(Class::Denied), told(Class::Denied))
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has another method")
    }

    /// Somebody only looks at what is given once.
    pub(super) fn head_not_allowed() -> Self {
        Self { header: Some(("allow", "GET")), ..Self::method_not_allowed() }
    }

    pub(super) fn unauthorized() -> Self {
        let message = "expected Authorization: Bearer with an operator's token";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
        Self { header: Some(("www-authenticate", "Bearer")), ..problem }
    }

    pub(super) fn forbidden(permission: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", format!("needs the permission {permission}"))
    }

    /// What the rules do not allow.
    pub(super) fn refused(refused: &Refused, audience: Audience) -> Self {
        let (status, class) = (status::of(refused.refusal, audience), status::class(refused.class()));
        let problem = match audience {
            Audience::Operator => Self {
                reason: refused.reason.as_ref().map(|reason| reason.as_str().to_owned()),
                ..Self::new(status, refused.code(), refused.refusal)
            },
            Audience::Node => Self::new(status, class, told(refused.class())),
        };
        let about_credential =
            matches!(refused.refusal, Refusal::Credential(_) | Refusal::CredentialMismatch);
        match status {
            StatusCode::UNAUTHORIZED if about_credential => problem.challenge("DPoP error=\"invalid_token\""),
            StatusCode::UNAUTHORIZED => problem.challenge("DPoP error=\"invalid_dpop_proof\""),
            StatusCode::SERVICE_UNAVAILABLE => Self { header: Some(("retry-after", "2")), ..problem },
            _ => problem,
        }
    }

    /// Says how to authenticate (RFC 9449 section 7.1).
    pub(super) fn challenge(self, how: &'static str) -> Self {
        Self { header: Some(("www-authenticate", how)), ..self }
    }

    pub(super) fn bad_request(message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidInput, message)
    }

    /// Not now; the same request may succeed later.
    pub(super) fn later(code: impl ToString, message: impl ToString) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        Self { header: Some(("retry-after", "2")), ..problem }
    }

    pub(super) fn timeout() -> Self {
        Self::later("timeout", "the request took too long")
    }

    pub(super) fn too_large(code: impl ToString) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, "the body is too large")
    }

    /// The registrar answered one command with what belongs to another: never so, and if it is, nothing of it gets out.
    pub(super) fn unexpected(answer: &Answer) -> Self {
        tracing::error!("an answer of another kind: {answer:?}");
        Self::internal()
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the host has logged why")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (Some(members), Some(reason)) = (body.as_object_mut(), self.reason) {
            members.insert("reason".into(), reason.into());
        }
        let body = Json(body);
        let mut response = (self.status, body).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        problem.into_response()
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        match &error {
            HostError::Core(Error::Busy) => Self::later(Code::Busy, "try again"),
            HostError::Core(Error::Input { .. }) => Self::bad_request(error),
            HostError::Store(_) => {
                tracing::error!("the database failed: {error}");
                Self::later("store", "the database did not answer")
            }
            HostError::Core(
                Error::CorruptRecord(_)
                | Error::NewerSchema(_)
                | Error::MissingKey(_)
                | Error::MissingSecret(_)
                | Error::Crypto(_)
                | Error::Rule(_)
                | Error::Misuse(_),
            ) => {
                tracing::error!("{error}");
                Self::internal()
            }
        }
    }
}

/// What a node reads about a class.
fn told(class: Class) -> &'static str {
    match class {
        Class::NotFound => "nothing is here for you",
        Class::Denied => "what was presented does not entitle to this",
        Class::Conflict => "it collides with what already is",
        Class::Later => "not yet: try again later",
        Class::Malformed => "not well-formed",
    }
}

/// SNS delivers again after 5xx and takes 4xx for final (SNS developer guide, "Message delivery retries").
impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let code = rejected.code();
        let status = match &rejected {
            Rejected::Host(_) => None,
            Rejected::NotConfirmed(_) | Rejected::Slow => Some(StatusCode::SERVICE_UNAVAILABLE),
            Rejected::Sns(error) if error.is_temporary() => Some(StatusCode::SERVICE_UNAVAILABLE),
            Rejected::Sns(SnsError::TooLarge { .. }) => Some(StatusCode::PAYLOAD_TOO_LARGE),
            Rejected::Sns(error) if is_malformed(error) => Some(StatusCode::BAD_REQUEST),
            Rejected::Aws(handfast::aws::AwsError::Malformed { .. }) => Some(StatusCode::BAD_REQUEST),
            Rejected::Sns(_) | Rejected::Aws(_) => Some(StatusCode::FORBIDDEN),
        };
        match (status, rejected) {
            (None, Rejected::Host(error)) => error.into(),
            (Some(StatusCode::SERVICE_UNAVAILABLE), rejected) => Self::later(code, rejected),
            (status, rejected) => {
                tracing::warn!(code, "rejected a message: {rejected}");
                Self::new(status.unwrap_or(StatusCode::FORBIDDEN), code, rejected)
            }
        }
    }
}

/// Whether the body is no message of SNS at all, rather than one that is not believed.
fn is_malformed(error: &SnsError) -> bool {
    matches!(
        error,
        SnsError::NotUtf8 { .. }
            | SnsError::MalformedJson { .. }
            | SnsError::DuplicateField { .. }
            | SnsError::FieldType { .. }
            | SnsError::MissingField { .. }
            | SnsError::InvalidField { .. }
            | SnsError::UnknownType { .. }
            | SnsError::HeaderMismatch { .. }
            | SnsError::UnsupportedVersion { .. }
            | SnsError::SignatureEncoding { .. }
    )
}
