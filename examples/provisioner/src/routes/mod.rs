//! The HTTP interface.
//!
//! ```text
//! POST /sns                                   SNS; proven by its signature
//! POST /kubeadm/kubeconfig/{instance-id}      an instance; proven by its address
//! GET  /api/packages[/{id}[/events]]          an operator with packages:read
//! POST /api/packages/{id}/revoke              an operator with config:write
//! GET  /healthz                               anybody
//! ```

mod auth;
mod kubeconfig;
mod packages;
mod reply;
mod sns;

use std::{net::IpAddr, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use ipnet::IpNet;
use serde_json::json;

use self::reply::{Problem, Reply, json};
use crate::{executors::Executors, host::Host, sns::Sns};

/// Everything that a request needs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) host: Arc<Host>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) sns: Sns,
    pub(crate) trust_forwarded_for: Vec<IpNet>,
    /// Whether kubeconfigs are also given by GET, to whoever knows an instance id.
    pub(crate) instance_id_alone: bool,
}

impl App {
    fn sender(&self, peer: IpAddr, headers: &axum::http::HeaderMap) -> Option<IpAddr> {
        crate::source::sender(peer, headers, &self.trust_forwarded_for)
    }
}

/// All routes, and what holds for every response.
pub(crate) fn router(app: Arc<App>) -> Router {
    let kubeconfig = post(kubeconfig::hand_out);
    let kubeconfig = if app.instance_id_alone { kubeconfig.get(kubeconfig::hand_out) } else { kubeconfig };
    Router::new()
        .route("/sns", post(sns::receive))
        .route("/kubeadm/kubeconfig/{instance}", kubeconfig)
        .route("/api/packages", get(packages::list))
        .route("/api/packages/{id}", get(packages::show))
        .route("/api/packages/{id}/events", get(packages::events))
        .route("/api/packages/{id}/revoke", post(packages::revoke))
        .route("/healthz", get(healthz))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(within_time))
        .layer(middleware::from_fn(log))
        .layer(middleware::map_response(no_store))
        .with_state(app)
}

async fn healthz(State(app): State<Arc<App>>) -> Reply {
    app.host.store.next_wake().await.map_err(|error| Problem::from(crate::host::HostError::from(error)))?;
    Ok(json(&json!({ "status": "ok" })))
}

/// A response may hold a secret or say who exists: no cache may keep any.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A request that dawdles is let go, so that slow senders cannot fill the host.
async fn within_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timeout().into(),
    }
}

/// Path and status only: no query, no header, no body.
async fn log(request: Request, next: Next) -> Response {
    let (method, path, since) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), since.elapsed());
    tracing::info!("{method} {path} {status} in {took:.1?}");
    response
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
