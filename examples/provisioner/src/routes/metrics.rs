//! `GET /metrics`, for Prometheus, with the token of an operator.

use std::sync::Arc;

use axum::{extract::State, http::header, response::IntoResponse};

use super::{App, auth::SignedIn, reply::Reply};
use crate::{host::HostError, metrics::Gauges, operator::Permission};

pub(super) async fn show(State(app): State<Arc<App>>, operator: SignedIn) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let store = &app.host.store;
    let gauges = Gauges {
        packages: store.packages_by_status(None).await.map_err(HostError::from)?,
        due: store.count_due(app.host.clock.now().at).await.map_err(HostError::from)?,
        in_hand: app.host.metrics.in_hand(),
    };
    let text = app.host.metrics.text(&gauges);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
