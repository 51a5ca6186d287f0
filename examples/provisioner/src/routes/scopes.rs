//! `/api/scopes/{id}`: how much a scope may have, and how much it has.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
};
use handfast::{
    id::{PoolName, ScopeId},
    record::{Key, Pool, Record, Scope},
    vocabulary::{Action, Authority},
};
use serde_json::{Value, json};

use super::{
    App, Source,
    auth::SignedIn,
    exchange,
    reply::{Audience, Problem, Reply, json as respond},
    wireguard,
};
use crate::{host::HostError, operator::Permission};

/// `GET /api/scopes/{id}`
pub(super) async fn show(State(app): State<Arc<App>>, operator: SignedIn, Path(id): Path<String>) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let id = scope_id(&id)?;
    let scope = app.scope(&id).await?;
    let pools = app.host.store.pools(&id).await.map_err(HostError::from)?;
    let packages = app.host.store.packages_by_status(Some(&id)).await.map_err(HostError::from)?;
    if scope.is_none() && pools.is_empty() && packages.is_empty() {
        return Err(Problem::not_found());
    }
    let count =
        |wanted: &str| packages.iter().find(|(status, _)| status == wanted).map_or(0, |(_, count)| *count);
    let pools =
        pools.iter().map(|body| pool_of(body).map(|pool| summary(&pool))).collect::<Result<Vec<_>, _>>()?;
    Ok(respond(&json!({
        "id": id,
        "max_outstanding": scope.as_ref().and_then(|scope| scope.max_outstanding),
        "max_active": scope.as_ref().and_then(|scope| scope.max_active),
        "outstanding": count("created") + count("delivered") + count("activated"),
        "active": count("activated"),
        "reserved": scope.as_ref().map_or(0, |scope| scope.reserved),
        "free": scope.as_ref().and_then(|scope| scope.free()),
        "pools": pools,
    })))
}

/// `PUT /api/scopes/{id}`: sets the quota.
pub(super) async fn configure(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let members = exchange::read_some(&headers, body).await?;
    let given = [("scope", json!(scope_id(&id)?))];
    let authority = Authority::Operator(operator.name);
    app.answer(exchange::command("configure_scope", members, given, &authority, source)?, Audience::Operator)
        .await
}

/// `GET /api/scopes/{id}/pools/{name}`: the items, each with the package that has it. What they hold stays sealed.
pub(super) async fn show_pool(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path((scope, name)): Path<(String, String)>,
) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let key = Key::Pool(scope_id(&scope)?, pool_name(&name)?);
    let row = app.host.read(&[key]).await?.pop().ok_or_else(Problem::not_found)?;
    let pool = pool_of(&row.body)?;
    let mut shown = summary(&pool);
    let items = pool.items.iter().map(|(name, item)| match item.package {
        Some(package) => json!({ "name": name, "package": package }),
        None => json!({ "name": name }),
    });
    if let Some(members) = shown.as_object_mut() {
        members.insert("items".into(), items.collect());
    }
    Ok(respond(&shown))
}

/// `PATCH /api/scopes/{id}/pools/{name}`: adds items and takes some out. Repeating it changes nothing more.
pub(super) async fn change_pool(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path((scope, name)): Path<(String, String)>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let members = exchange::read_some(&headers, body).await?;
    let given = [("scope", json!(scope_id(&scope)?)), ("pool", json!(pool_name(&name)?))];
    let authority = Authority::Operator(operator.name);
    let command = exchange::command("change_pool", members, given, &authority, source)?;
    if let Action::ChangePool(change) = &command.action {
        wireguard::check(change)?;
    }
    app.answer(command, Audience::Operator).await
}

impl App {
    async fn scope(&self, id: &ScopeId) -> Result<Option<Arc<Scope>>, Problem> {
        let Some(row) = self.host.read(&[Key::Scope(id.clone())]).await?.pop() else { return Ok(None) };
        let record = Record::from_body(&row.body).map_err(HostError::from)?;
        Ok(if let Record::Scope(scope) = record { Some(scope) } else { None })
    }
}

fn pool_of(body: &str) -> Result<Arc<Pool>, Problem> {
    let record = Record::from_body(body).map_err(HostError::from)?;
    if let Record::Pool(pool) = record { Ok(pool) } else { Err(Problem::not_found()) }
}

fn summary(pool: &Pool) -> Value {
    json!({ "name": pool.name, "size": pool.items.len(), "free": pool.free() })
}

/// What is no id names nothing.
fn scope_id(text: &str) -> Result<ScopeId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

fn pool_name(text: &str) -> Result<PoolName, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
