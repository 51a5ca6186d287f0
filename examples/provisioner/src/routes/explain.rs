//! `POST /api/explain`: what would come of a command, without doing it. How far a revocation reaches, for one.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap};
use handfast::vocabulary::Authority;
use serde_json::Value;

use super::{
    App, Source,
    auth::SignedIn,
    exchange,
    reply::{Problem, Reply, json},
};
use crate::operator::Permission;

/// The commands of operators that can be asked about; none of them holds a secret.
const COMMANDS: [&str; 8] =
    ["issue", "reissue", "revoke", "evict", "ban", "unban", "reset_recoveries", "configure_scope"];

/// Says what would come of the operator's own command; nothing is counted and nothing is changed.
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::PackagesRead)?;
    let mut members = exchange::read(&headers, body).await?;
    let kind = members.remove("type");
    let kind = kind.as_ref().and_then(Value::as_str).filter(|kind| COMMANDS.contains(kind));
    let kind =
        kind.ok_or_else(|| Problem::bad_request(format!("type: expected one of {}", COMMANDS.join(", "))))?;
    let command = exchange::command(kind, members, [], &Authority::Operator(operator.name), source)?;
    Ok(json(&app.host.explain(&command).await?))
}
