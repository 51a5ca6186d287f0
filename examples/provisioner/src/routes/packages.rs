//! `/api/packages`: what operators see and do. There is no secret in any record or event, and so none in here.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use handfast::{
    id::{Kind, PackageId, PackageName, ScopeId},
    record::{PackageStatus, Record},
    secret::Secret,
    vocabulary::{Action, Answer, Authority, Command, Deliver, Recipient},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, NoHead, Source,
    auth::SignedIn,
    exchange::{self, Members},
    reply::{Audience, Problem, Reply, json as respond},
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
    /// The beginning of a name.
    name: Option<PackageName>,
    /// One label, as `key=value`.
    label: Option<String>,
    /// The package that it sits under.
    parent: Option<PackageId>,
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
    let label = match query.label.as_deref().map(|label| label.split_once('=')) {
        // A label holds no control character, and PostgreSQL takes no text that holds a zero.
        Some(Some((key, value))) if !key.chars().chain(value.chars()).any(char::is_control) => {
            Some((key.to_owned(), value.to_owned()))
        }
        Some(_) => return Err(Problem::bad_request("label: expected key=value")),
        None => None,
    };
    let filter = Filter {
        scope: query.scope,
        kind: query.kind,
        status: query.status,
        name: query.name,
        label,
        parent: query.parent,
    };
    let limit = page(query.limit)?;
    let found =
        app.host.store.packages(&filter, query.cursor.as_ref(), limit).await.map_err(HostError::from)?;
    let packages = views(&app, found.bodies.iter())?;
    Ok(respond(&with_next(json!({ "packages": packages }), found.next.map(|next| next.to_string().into()))))
}

/// One package.
pub(super) async fn show(State(app): State<Arc<App>>, operator: SignedIn, Path(id): Path<String>) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let body = stored(&app, &id).await?;
    Ok(respond(&app.host.registrar.view(&body).map_err(HostError::from)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    limit: Option<u16>,
    #[serde(default)]
    after: u64,
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
    let after = i64::try_from(query.after).map_err(|_| Problem::bad_request("after: too large"))?;
    let body = stored(&app, &id).await?;
    let found = app.host.store.events(&body, after, page(query.limit)?).await.map_err(HostError::from)?;
    let events = views(&app, found.events.iter().map(|(_, body)| body))?;
    Ok(respond(&with_next(json!({ "events": events }), found.next.map(Value::from))))
}

/// `POST /api/packages`: 201 for a new one, 200 for the one that the same request made before.
pub(super) async fn issue(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let members = exchange::read(&headers, body).await?;
    let command = exchange::command("issue", members, [], &Authority::Operator(operator.name), source)?;
    if let Action::Issue(issue) = &command.action
        && let Some((place, why)) = app.executors.cannot_make(&issue.contents)
    {
        return Err(Problem::bad_request(format!("contents[{place}]: {why}")));
    }
    let answer = app.host.run(command).await?;
    let made =
        if let Answer::Issued(issued) = &answer { (!issued.again).then_some(issued.package) } else { None };
    let mut response = exchange::respond(answer, Audience::Operator)?;
    if let Some(package) = made {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::from_str(&format!("/api/packages/{package}")) {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    Ok(response)
}

/// What an operator does about one package, by the name of its action.
async fn act(
    app: &App,
    operator: SignedIn,
    kind: &str,
    id: &str,
    source: Option<IpAddr>,
    members: Members,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let given = [("package", json!(package_id(id)?))];
    let command = exchange::command(kind, members, given, &Authority::Operator(operator.name), source)?;
    app.answer(command, Audience::Operator).await
}

/// `POST /api/packages/{id}/deliver`: hands it to the operator who asks, once.
pub(super) async fn deliver(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    if let Some(unknown) = exchange::read(&headers, body).await?.keys().next() {
        return Err(Problem::bad_request(format!("{unknown}: unknown field")));
    }
    let deliver = Deliver { to: Recipient::Operator { package: package_id(&id)? } };
    let authority = Authority::Operator(operator.name);
    app.answer(Command { authority, source, action: Action::Deliver(deliver) }, Audience::Operator).await
}

/// `POST /api/packages/{id}/reissue`: gives it a new token.
pub(super) async fn reissue(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    act(&app, operator, "reissue", &id, source, exchange::read(&headers, body).await?).await
}

/// `POST /api/packages/{id}/revoke`: ends it for good. Repeating it is as good as doing it once.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    act(&app, operator, "revoke", &id, source, exchange::read(&headers, body).await?).await
}

/// `POST /api/packages/{id}/link`: has a download link made. Whoever opens it first has the package.
pub(super) async fn make_link(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    act(&app, operator, "make_link", &id, source, exchange::read(&headers, body).await?).await
}

/// `GET /api/link/{link}`: the one path that holds a secret. It is in no log, and opening it from the same address once
/// more gives the same.
pub(super) async fn open_link(
    _: NoHead,
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    Source(source): Source,
) -> Reply {
    let deliver = Deliver { to: Recipient::Link { link: Secret::new(link) } };
    let command = Command { authority: Authority::Node, source, action: Action::Deliver(deliver) };
    app.answer(command, Audience::Node).await
}

async fn stored(app: &App, id: &str) -> Result<String, Problem> {
    let body = app.host.store.package(package_id(id)?).await.map_err(HostError::from)?;
    let body = body.ok_or_else(Problem::not_found)?;
    let record = Record::from_body(&body).map_err(HostError::from)?;
    if matches!(record, Record::Forgotten(_)) { Err(Problem::not_found()) } else { Ok(body) }
}

/// What is no id names nothing.
fn package_id(text: &str) -> Result<PackageId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

pub(super) fn page(limit: Option<u16>) -> Result<u16, Problem> {
    match limit.unwrap_or(PAGE) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Problem::bad_request(format!("limit: expected 1 to {PAGE_MAX}"))),
    }
}

pub(super) fn views<'a>(
    app: &App,
    bodies: impl Iterator<Item = &'a String>,
) -> Result<Vec<Value>, HostError> {
    bodies.map(|body| Ok(app.host.registrar.view(body)?)).collect()
}

pub(super) fn with_next(mut page: Value, next: Option<Value>) -> Value {
    if let (Some(members), Some(next)) = (page.as_object_mut(), next) {
        members.insert("next".into(), next);
    }
    page
}

/// Entries of a page, when nobody says how many.
const PAGE: u16 = 50;
/// Most entries of a page.
pub(super) const PAGE_MAX: u16 = 500;
