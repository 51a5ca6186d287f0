//! `POST /sns`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::HeaderMap,
};
use handfast::{code::Code, limits, sns::Headers};

use super::{
    App,
    reply::{Problem, Reply, json},
};
use crate::sns::Rejected;

/// Takes what SNS posts. A body beyond the limit is not even read to its end.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let sns = app.sns.as_ref().ok_or_else(Problem::not_found)?;
    let body = to_bytes(body, limits::SNS_BODY_BYTES).await;
    let body = body.map_err(|_| Problem::too_large(Code::SnsTooLarge))?;
    // A value that is no text matches nothing that a message could say.
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("\u{fffd}")));
    let relevant = Headers::from_pairs(pairs).map_err(Rejected::from)?;
    let source = app.sender(peer.ip(), &headers).unwrap_or_else(|| peer.ip());
    let handled = sns.take(&body, &relevant, source).await?;
    Ok(json(&handled))
}
