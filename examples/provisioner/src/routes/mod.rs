//! The HTTP interface. `GET /api/openapi.json` describes it.
//!
//! ```text
//! POST  /sns                                            SNS; proven by its signature
//! POST  /kubeadm/kubeconfig/{instance-id}               an instance; proven by its address
//! POST  /wireguard/config/{instance-id}                 the same
//! POST  /api/{redeem,check-in,leave,deliver}            a node; proven by its key
//! GET   /api/link/{link}                                whoever has the link
//! GET   /api/packages[/{id}[/events]], /api/nodes[/{id}]  an operator with packages:read
//! GET   /api/events, /api/scopes/{id}[/pools/{name}], /metrics   the same
//! POST  /api/explain                                    the same
//! POST  /api/packages[/{id}/{deliver,reissue,revoke,link}]   an operator with config:write
//! POST  /api/nodes/{id}/{evict,ban}                     the same
//! POST  /api/subjects/{observe,ban,unban}, /api/recoveries/reset   the same
//! PUT   /api/scopes/{id}, PATCH /api/scopes/{id}/pools/{name}   the same
//! GET   /healthz, /api/openapi.json                     anybody
//! ```

mod audit;
mod auth;
mod exchange;
mod explain;
mod identity;
mod instance;
mod kubeconfig;
mod metrics;
mod nodes;
mod openapi;
mod packages;
mod reply;
mod scopes;
mod sns;
mod status;
mod subjects;
mod wireguard;

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use handfast::aws::identity::IdentityVerifier;
use ipnet::IpNet;
use serde_json::json;

use self::reply::{Problem, Reply, json};
use crate::{executors::Executors, host::Host, sns::Sns};

/// Everything that a request needs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) host: Arc<Host>,
    pub(crate) executors: Arc<Executors>,
    /// Where there are topics.
    pub(crate) sns: Option<Sns>,
    /// Who believes identity documents.
    pub(crate) identity: Vec<IdentityVerifier>,
    pub(crate) trust_forwarded_for: Vec<IpNet>,
    /// Where a trusted proxy writes the fingerprint of who connects.
    pub(crate) fingerprint_header: Option<HeaderName>,
    /// Whether kubeconfigs and the like are also given by GET, to whoever knows an instance id.
    pub(crate) instance_id_alone: bool,
}

impl App {
    fn sender(&self, peer: IpAddr, headers: &axum::http::HeaderMap) -> Option<IpAddr> {
        crate::source::sender(peer, headers, &self.trust_forwarded_for)
    }

    fn is_proxy(&self, peer: IpAddr) -> bool {
        self.trust_forwarded_for.iter().any(|network| network.contains(&peer))
    }
}

/// All routes, and what holds for every response.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (mut kubeconfig, mut wireguard) = (post(kubeconfig::hand_out), post(wireguard::hand_out));
    if app.instance_id_alone {
        (kubeconfig, wireguard) = (kubeconfig.get(kubeconfig::hand_out), wireguard.get(wireguard::hand_out));
    }
    let routes = Router::new()
        .route("/sns", post(sns::receive))
        .route("/kubeadm/kubeconfig/{instance}", kubeconfig)
        .route("/wireguard/config/{instance}", wireguard)
        .route("/api/redeem", post(nodes::redeem))
        .route("/api/check-in", post(nodes::check_in))
        .route("/api/leave", post(nodes::leave))
        .route("/api/deliver", post(nodes::deliver))
        // Who only looks at a link, a chat's preview for one, must not spend it.
        .route(LINK, get(packages::open_link).head(only_get))
        .route("/api/packages", get(packages::list).post(packages::issue))
        .route("/api/packages/{id}", get(packages::show))
        .route("/api/packages/{id}/events", get(packages::events))
        .route("/api/packages/{id}/deliver", post(packages::deliver))
        .route("/api/packages/{id}/reissue", post(packages::reissue))
        .route("/api/packages/{id}/revoke", post(packages::revoke))
        .route("/api/packages/{id}/link", post(packages::make_link))
        .route("/api/nodes", get(nodes::list))
        .route("/api/nodes/{id}", get(nodes::show))
        .route("/api/nodes/{id}/evict", post(nodes::evict))
        .route("/api/nodes/{id}/ban", post(nodes::ban))
        .route("/api/subjects/observe", post(subjects::observe))
        .route("/api/subjects/ban", post(subjects::ban))
        .route("/api/subjects/unban", post(subjects::unban))
        .route("/api/recoveries/reset", post(subjects::reset_recoveries))
        .route("/api/explain", post(explain::explain))
        .route("/api/events", get(audit::list))
        .route("/api/scopes/{id}", get(scopes::show).put(scopes::configure))
        .route("/api/scopes/{id}/pools/{name}", get(scopes::show_pool).patch(scopes::change_pool))
        .route("/api/openapi.json", get(openapi::show))
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(healthz));
    routes
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(within_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), watch))
        .layer(middleware::map_response(no_store))
        .with_state(app)
}

async fn only_get() -> Response {
    let mut response = Problem::method_not_allowed().into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

/// The one path with a secret in it.
const LINK: &str = "/api/link/{link}";

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

/// Logs and counts a request: no query, no header, no body; and of its path only what is known to hold no secret. What
/// matches no route may be anything, a mistyped link for one.
async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (method, since) = (method_of(request.method()), Instant::now());
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let path = match route.as_deref() {
        Some(LINK) => "/api/link/[redacted]".to_owned(),
        Some(_) => request.uri().path().to_owned(),
        None => "[no route]".to_owned(),
    };
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), since.elapsed());
    app.host.metrics.request(method, route.as_deref().unwrap_or("none"), status, took);
    tracing::info!("{method} {path} {status} in {took:.1?}");
    response
}

/// One of a few: a stranger can write any word there.
fn method_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// The address that a request came from, where it can be known.
#[derive(Debug)]
pub(super) struct Source(Option<IpAddr>);

impl FromRequestParts<Arc<App>> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.and_then(|ConnectInfo(peer)| app.sender(peer.ip(), &parts.headers))))
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
