//! `/api/packages`: what operators see and do. There is no secret in any record or event, and so none in here.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Query, State, rejection::QueryRejection},
};
use handfast::{
    id::{Kind, PackageId, ScopeId},
    record::PackageStatus,
    vocabulary::{Action, Answer, Authority, Command, Reason, Refusal, Revoke},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    App,
    auth::SignedIn,
    reply::{Problem, Reply, json},
};
use crate::{
    host::HostError,
    operator::Permission,
    store::{Cursor, Filter},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    scope: Option<ScopeId>,
    kind: Option<Kind>,
    status: Option<PackageStatus>,
    limit: Option<u16>,
    cursor: Option<Cursor>,
}

/// The latest packages first; `next` is the cursor of the next page.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let filter = Filter { scope: query.scope, kind: query.kind, status: query.status };
    let limit = page(query.limit)?;
    let found =
        app.host.store.packages(&filter, query.cursor.as_ref(), limit).await.map_err(HostError::from)?;
    let packages = views(&app, found.bodies.iter())?;
    Ok(json(&with_next(json!({ "packages": packages }), found.next.map(|next| next.to_string().into()))))
}

/// One package.
pub(super) async fn show(State(app): State<Arc<App>>, operator: SignedIn, Path(id): Path<String>) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let body = stored(&app, &id).await?;
    Ok(json(&app.host.registrar.view(&body).map_err(HostError::from)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    limit: Option<u16>,
    #[serde(default)]
    after: i64,
}

/// The history of a package and of its instance; `next` is the `after` of the next page.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let body = stored(&app, &id).await?;
    let found =
        app.host.store.events(&body, query.after, page(query.limit)?).await.map_err(HostError::from)?;
    let events = views(&app, found.events.iter().map(|(_, body)| body))?;
    Ok(json(&with_next(json!({ "events": events }), found.next.map(Value::from))))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeBody {
    #[serde(default)]
    reason: Option<Reason>,
}

/// Ends a package for good. Repeating it is as good as doing it once.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let body = to_bytes(body, BODY_BYTES).await.map_err(|_| Problem::too_large("too_large"))?;
    let RevokeBody { reason } = if body.is_empty() {
        RevokeBody::default()
    } else {
        let object: Map<String, Value> = serde_json::from_slice(&body).map_err(Problem::bad_request)?;
        serde_json::from_value(object.into()).map_err(Problem::bad_request)?
    };
    let command = Command {
        authority: Authority::Operator(operator.name),
        source: None,
        action: Action::Revoke(Revoke { package: package_id(&id)?, reason }),
    };
    let answer = app.host.run(command).await?;
    if matches!(&answer, Answer::Refused(refused) if refused.refusal == Refusal::Unknown) {
        return Err(Problem::not_found());
    }
    Ok(json(&answer.into_parts().0))
}

async fn stored(app: &App, id: &str) -> Result<String, Problem> {
    let body = app.host.store.package(package_id(id)?).await.map_err(HostError::from)?;
    body.ok_or_else(Problem::not_found)
}

/// What is no id names nothing.
fn package_id(text: &str) -> Result<PackageId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

fn page(limit: Option<u16>) -> Result<u16, Problem> {
    match limit.unwrap_or(PAGE) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Problem::bad_request(format!("limit: expected 1 to {PAGE_MAX}"))),
    }
}

fn views<'a>(app: &App, bodies: impl Iterator<Item = &'a String>) -> Result<Vec<Value>, HostError> {
    bodies.map(|body| Ok(app.host.registrar.view(body)?)).collect()
}

fn with_next(mut page: Value, next: Option<Value>) -> Value {
    if let (Some(members), Some(next)) = (page.as_object_mut(), next) {
        members.insert("next".into(), next);
    }
    page
}

/// Entries of a page, when nobody says how many.
const PAGE: u16 = 50;
/// Most entries of a page.
const PAGE_MAX: u16 = 500;
/// Bytes of an operator's request.
const BODY_BYTES: usize = 16 * 1024;
