//! `GET /spire/bundle`: by what an agent knows its server, before it shows it a join token.
//!
//! It is no secret, but whoever can change it on its way can take the server's place: it is as trustworthy as the TLS that
//! it comes through.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use handfast::Code;
use serde::Deserialize;

use super::{
    App,
    reply::{Problem, Reply},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    format: Format,
}

/// How it is written, by the names that `spire-agent` has for it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Certificates in PEM.
    #[default]
    Pem,
    /// The standard's JSON, which has the keys for JWT-SVIDs, too.
    Spiffe,
}

/// The trust bundle of the SPIRE server.
pub(super) async fn bundle(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Reply {
    let Query(asked) = asked.map_err(Problem::bad_request)?;
    if !app.executors.has_spire() {
        return Err(Problem::not_found());
    }
    let bundle = app.executors.spire_bundle(app.host.clock.now().at).await.map_err(|reason| {
        tracing::error!("the trust bundle cannot be had: {reason}");
        Problem::later(Code::NotReady, "the SPIRE server does not answer")
    })?;
    let (media_type, text) = match asked.format {
        Format::Pem => ("application/x-pem-file", bundle.to_pem()),
        Format::Spiffe => ("application/json", bundle.to_json()),
    };
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
