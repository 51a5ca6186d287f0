//! Who an operator is.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use handfast::secret::Secret;

use super::{App, reply::Problem};
use crate::{
    host::HostError,
    operator::{Operator, Permission},
};

/// An operator whose token has been checked. A handler that does not take one asks nobody.
#[derive(Debug)]
pub(super) struct SignedIn(Operator);

impl SignedIn {
    /// The operator, if the token allows this.
    pub(super) fn with(self, permission: Permission) -> Result<Operator, Problem> {
        if self.0.may(permission) { Ok(self.0) } else { Err(Problem::forbidden(permission.as_str())) }
    }
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(Problem::unauthorized)?;
        let operator = Operator::authenticate(&app.host.store, &token).await.map_err(HostError::from)?;
        operator.map(Self).ok_or_else(Problem::unauthorized)
    }
}

/// RFC 6750 section 2.1. Given twice, it is not given.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim().to_owned()))
}
