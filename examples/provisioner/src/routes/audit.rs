//! `GET /api/events`: who did what, who was refused, and why.

use std::sync::Arc;

use axum::extract::{Query, State, rejection::QueryRejection};
use handfast::{time::Timestamp, vocabulary::Authority};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App,
    auth::SignedIn,
    packages::page,
    reply::{Problem, Reply, json as respond},
};
use crate::{
    host::HostError,
    operator::Permission,
    store::{AuditCursor, AuditFilter, Entry, EntryKind},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// On whose behalf: `operator:ann`, `node`, ..
    actor: Option<Authority>,
    /// The name of a fact, or the code of a refusal.
    code: Option<String>,
    since: Option<Timestamp>,
    /// Facts only, or refusals only: both may go by one name.
    kind: Option<EntryKind>,
    limit: Option<u16>,
    cursor: Option<AuditCursor>,
}

/// The earliest first. There is always a `next`: whoever asks again with it later is given what has happened since then.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    if query
        .code
        .as_ref()
        .is_some_and(|code| !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    {
        return Err(Problem::bad_request("code: letters, digits and _"));
    }
    let filter = AuditFilter {
        actor: query.actor.map(|actor| actor.to_string()),
        code: query.code,
        since: query.since,
        kind: query.kind,
    };
    let (after, now) = (query.cursor.unwrap_or_default(), app.host.clock.now().at);
    let audited = app.host.store.audit(&filter, &after, now, page(query.limit)?).await;
    let (entries, next) = audited.map_err(HostError::from)?;
    let events = entries.into_iter().map(|entry| shown(&app, entry)).collect::<Result<Vec<_>, _>>()?;
    Ok(respond(&json!({ "events": events, "next": next.to_string() })))
}

fn shown(app: &App, entry: Entry) -> Result<Value, HostError> {
    let view = |body: &str| app.host.registrar.view(body);
    match entry {
        Entry::Fact { sequence, body, .. } => {
            Ok(json!({ "type": "fact", "sequence": sequence, "event": view(&body)? }))
        }
        Entry::Refusals { count, first_at, last_at, body, .. } => Ok(json!({
            "type": "refusals", "count": count, "first_at": first_at, "last_at": last_at, "first": view(&body)?,
        })),
    }
}
