//! `POST /wireguard/config/{instance-id}`: a node asks for the WireGuard configuration that was prepared for it, an item of
//! a pool, to the letter as the operator filled it in.
//!
//! A pool holds such configurations if its name is `wireguard` or begins with `wireguard-`. Nothing is taken into it that
//! handfast's strict reader would not take: a node's `wg-quick` obeys what it is given, as root.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use handfast::{
    vocabulary::{ChangePool, GivenContent},
    wireguard::Config,
};

use super::{
    App, NoHead, Source, instance,
    reply::{Problem, Reply},
};
use crate::config::holds_wireguard_configs;

/// Hands a package over to the instance it was issued for.
pub(super) async fn hand_out(
    _: NoHead,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Source(source): Source,
) -> Reply {
    let delivered = app.hand_over(instance::asks(&id, source)?).await?;
    let config = delivered.contents.iter().find_map(|content| {
        let GivenContent::PoolItem { pool, content, .. } = content else { return None };
        content.as_ref().filter(|_| holds_wireguard_configs(pool))
    });
    let Some(config) = config else { return Err(instance::without(&delivered, "WireGuard configuration")) };
    tracing::info!(package = %delivered.package, again = delivered.again, "handed out a WireGuard configuration");
    let text = config.expose().to_owned();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Judges what an operator wants to fill a pool with.
pub(super) fn check(change: &ChangePool) -> Result<(), Problem> {
    if !holds_wireguard_configs(&change.pool) {
        return Ok(());
    }
    change.add.iter().try_for_each(|(item, content)| {
        let Some(content) = content else {
            return Err(Problem::bad_request(format!("add.{item}: expected a WireGuard configuration")));
        };
        Config::parse(content.expose()).map(drop).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, error.code(), format!("add.{item}: {error}"))
        })
    })
}
