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
//! GET   /healthz, /api/openapi.json, /spire/bundle      anybody
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
mod spire;
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
    handler::Handler,
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing,
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
    table(app.instance_id_alone)
        .router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(within_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), watch))
        .layer(middleware::map_response(no_store))
        .with_state(app)
}

fn table(instance_id_alone: bool) -> Table {
    let mut table = Table::default();
    if instance_id_alone {
        table = table.get(KUBECONFIG, kubeconfig::hand_out).get(WIREGUARD, wireguard::hand_out);
    }
    table
        .post(KUBECONFIG, kubeconfig::hand_out)
        .post(WIREGUARD, wireguard::hand_out)
        .post("/sns", sns::receive)
        .get("/spire/bundle", spire::bundle)
        .post("/api/redeem", nodes::redeem)
        .post("/api/check-in", nodes::check_in)
        .post("/api/leave", nodes::leave)
        .post("/api/deliver", nodes::deliver)
        .get(LINK, packages::open_link)
        .get("/api/packages", packages::list)
        .post("/api/packages", packages::issue)
        .get("/api/packages/{id}", packages::show)
        .get("/api/packages/{id}/events", packages::events)
        .post("/api/packages/{id}/deliver", packages::deliver)
        .post("/api/packages/{id}/reissue", packages::reissue)
        .post("/api/packages/{id}/revoke", packages::revoke)
        .post("/api/packages/{id}/link", packages::make_link)
        .get("/api/nodes", nodes::list)
        .get("/api/nodes/{id}", nodes::show)
        .post("/api/nodes/{id}/evict", nodes::evict)
        .post("/api/nodes/{id}/ban", nodes::ban)
        .post("/api/subjects/observe", subjects::observe)
        .post("/api/subjects/ban", subjects::ban)
        .post("/api/subjects/unban", subjects::unban)
        .post("/api/recoveries/reset", subjects::reset_recoveries)
        .post("/api/explain", explain::explain)
        .get("/api/events", audit::list)
        .get("/api/scopes/{id}", scopes::show)
        .put("/api/scopes/{id}", scopes::configure)
        .get("/api/scopes/{id}/pools/{name}", scopes::show_pool)
        .patch("/api/scopes/{id}/pools/{name}", scopes::change_pool)
        .get("/api/openapi.json", openapi::show)
        .get("/metrics", metrics::show)
        .get("/healthz", healthz)
}

/// The routes, and what they are called: the description of the interface is compared with it.
#[derive(Default)]
struct Table {
    router: Router<Arc<App>>,
    rows: Vec<(&'static str, &'static str)>,
}

/// Gives the table a function for each method.
macro_rules! methods {
    ($($method:ident),+) => {
        impl Table {
            $(fn $method<H: Handler<T, Arc<App>>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
                self.rows.push((path, stringify!($method)));
                self.router = self.router.route(path, routing::$method(handler));
                self
            })+
        }
    };
}

methods!(get, post, put, patch);

const KUBECONFIG: &str = "/kubeadm/kubeconfig/{instance}";
const WIREGUARD: &str = "/wireguard/config/{instance}";
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

/// No HEAD. axum answers that with what answers GET, and what is handed over once must not be handed to whoever only looks,
/// a chat's preview of a link for one: nothing in a response to HEAD reaches anybody (RFC 9110 section 9.3.2).
#[derive(Debug)]
struct NoHead;

impl<S: Sync> FromRequestParts<S> for NoHead {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.method == Method::HEAD { Err(Problem::head_not_allowed()) } else { Ok(Self) }
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
