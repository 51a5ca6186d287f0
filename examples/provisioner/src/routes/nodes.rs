//! What nodes ask for themselves, and what operators do about nodes.
//!
//! A node proves its key as RFC 9449 has it: `Authorization: DPoP <token>` with its enrollment token or, later, its
//! credential, and a proof for this very request in `DPoP`. The URL that the proof covers is the policy's `base_url` and the
//! path behind `/api`, so `base_url` ends in `/api`. Where the policy accepts fingerprints that the host vouches for, a
//! trusted proxy has found them out (a client certificate's digest, say) and names them in a header; what anybody else
//! writes there counts for nothing.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use handfast::{
    id::{NodeId, PackageId, ScopeId},
    record::{Key, Node, NodeStatus, Record},
    secret::Secret,
    vocabulary::{Action, Authority, Ban, Command, Reason},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, Source,
    auth::SignedIn,
    exchange::{self, Members},
    packages::{page, views, with_next},
    reply::{Audience, Problem, Reply, json as respond_json},
};
use crate::{
    host::HostError,
    operator::Permission,
    store::{Cursor, NodeFilter},
};

/// What a node shows in the headers.
#[derive(Debug)]
pub(super) struct Shown {
    /// An enrollment token or a credential.
    token: Option<Secret>,
    proof: Option<Secret>,
    /// What a trusted proxy vouches for.
    fingerprint: Option<String>,
}

/// `POST /api/redeem`
pub(super) async fn redeem(
    State(app): State<Arc<App>>,
    shown: Shown,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.check_proof(&shown)?;
    let mut members = exchange::read(&headers, body).await?;
    let identity = app.identity(&mut members)?;
    // Without a proof, the token may stand in the body.
    let token = match shown.token {
        Some(ref token) => Some(Value::from(token.expose())),
        None if shown.proof.is_none() => members.remove("token"),
        None => None,
    };
    let given = [("token", token)];
    let command = App::presented("redeem", members, given, &shown, source)?;
    let command = match identity {
        Some(identity) => command.with_identity(identity).map_err(HostError::from)?,
        None => command,
    };
    app.reply_to_node(command, &shown).await
}

/// `POST /api/check-in`
pub(super) async fn check_in(
    State(app): State<Arc<App>>,
    shown: Shown,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.check_proof(&shown)?;
    let members = exchange::read(&headers, body).await?;
    let given = [("credential", shown.token.as_ref().map(|token| Value::from(token.expose())))];
    app.present("check_in", members, given, &shown, source).await
}

/// `POST /api/leave`
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    shown: Shown,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.check_proof(&shown)?;
    let members = exchange::read(&headers, body).await?;
    let given = [("credential", shown.token.as_ref().map(|token| Value::from(token.expose())))];
    app.present("leave", members, given, &shown, source).await
}

/// `POST /api/deliver`: an active node fetches a package that sits under its own, for its child; or an instance fetches its
/// own, with its identity document.
pub(super) async fn deliver(
    State(app): State<Arc<App>>,
    shown: Shown,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let mut to = exchange::read(&headers, body).await?;
    if to.contains_key("instance") {
        return app.deliver_to_instance(to, source).await;
    }
    app.check_proof(&shown)?;
    let own = [
        ("type", Some(Value::from("parent_node"))),
        ("credential", shown.token.as_ref().map(|token| Value::from(token.expose()))),
        ("proof", shown.proof.as_ref().map(|proof| Value::from(proof.expose()))),
        ("fingerprint", shown.fingerprint.clone().map(Value::from)),
    ];
    for (name, value) in own {
        if let Some(taken) = to.remove(name) {
            drop(taken);
            return Err(Problem::bad_request(format!("{name}: not in the body")));
        }
        if let Some(value) = value {
            to.insert(name.to_owned(), value);
        }
    }
    let command =
        exchange::command("deliver", Members::new(), [("to", to.into())], &Authority::Node, source)?;
    app.reply_to_node(command, &shown).await
}

impl App {
    /// A command of a node, with what it shows.
    async fn present<const N: usize>(
        &self,
        kind: &str,
        members: Members,
        given: [(&'static str, Option<Value>); N],
        shown: &Shown,
        source: Option<std::net::IpAddr>,
    ) -> Reply {
        self.reply_to_node(Self::presented(kind, members, given, shown, source)?, shown).await
    }

    fn presented<const N: usize>(
        kind: &str,
        members: Members,
        given: [(&'static str, Option<Value>); N],
        shown: &Shown,
        source: Option<std::net::IpAddr>,
    ) -> Result<Command, Problem> {
        for name in ["proof", "fingerprint", "credential", "spiffe_id"] {
            if members.contains_key(name) {
                return Err(Problem::bad_request(format!("{name}: not in the body")));
            }
        }
        let proof = shown.proof.as_ref().map(|proof| Value::from(proof.expose()));
        let fingerprint = shown.fingerprint.clone().filter(|_| proof.is_none()).map(Value::from);
        let own = [("proof", proof), ("fingerprint", fingerprint)];
        let given = given.into_iter().chain(own).filter_map(|(name, value)| Some((name, value?)));
        exchange::command(kind, members, given, &Authority::Node, source)
    }

    /// Somebody who proves nothing, and for whom nobody vouches, is not listened to.
    fn check_proof(&self, shown: &Shown) -> Result<(), Problem> {
        // A proof goes with a token; only a host that signs no credentials cannot expect one at a check-in.
        let token_expected = shown.proof.is_some() && self.host.registrar.public_keys().is_some();
        if (shown.proof.is_none() && shown.fingerprint.is_none()) || (token_expected && shown.token.is_none())
        {
            return Err(unproven());
        }
        Ok(())
    }

    /// An answer for a node, with the nonce for its next proof.
    async fn reply_to_node(&self, command: Command, shown: &Shown) -> Reply {
        let response = self.answer(command, Audience::Node).await?;
        if shown.proof.is_none() || response.headers().contains_key("dpop-nonce") {
            return Ok(response);
        }
        let nonce = self.host.registrar.nonce(self.host.clock.now()).map_err(HostError::from)?;
        Ok(exchange::with_nonce(response, &nonce))
    }
}

impl FromRequestParts<Arc<App>> for Shown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let fingerprint = match &app.fingerprint_header {
            Some(name) if peer.is_some_and(|peer| app.is_proxy(peer)) => only(&parts.headers, name)?,
            Some(_) | None => None,
        };
        let authorization = only(&parts.headers, &header::AUTHORIZATION)?;
        let token = match authorization.as_deref().map(|text| text.split_once(' ').unwrap_or((text, ""))) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => {
                Some(Secret::new(token.trim().to_owned()))
            }
            Some(_) => return Err(unproven()),
            None => None,
        };
        let proof = only(&parts.headers, &header::HeaderName::from_static("dpop"))?;
        let proof = proof.filter(|proof| !proof.is_empty()).map(Secret::new);
        Ok(Self { token, proof, fingerprint })
    }
}

fn unproven() -> Problem {
    let message = "expected Authorization: DPoP with a token, and a proof in DPoP";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message).challenge("DPoP algs=\"ES256 EdDSA\"")
}

/// A header that is given at most once (RFC 9449 section 4.3).
fn only(headers: &HeaderMap, name: &header::HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(Problem::bad_request(format!("{name}: not text"))),
        },
        (Some(_), Some(_)) => Err(Problem::bad_request(format!("{name}: given twice"))),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    package: Option<PackageId>,
    scope: Option<ScopeId>,
    status: Option<NodeStatus>,
    limit: Option<u16>,
    cursor: Option<Cursor>,
}

/// `GET /api/nodes`: the latest first; `next` is the cursor of the next page.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let filter = NodeFilter { package: query.package, scope: query.scope, status: query.status };
    let limit = page(query.limit)?;
    let found = app.host.store.nodes(&filter, query.cursor.as_ref(), limit).await.map_err(HostError::from)?;
    let nodes = views(&app, found.bodies.iter())?;
    Ok(respond_json(&with_next(json!({ "nodes": nodes }), found.next.map(|next| next.to_string().into()))))
}

/// `GET /api/nodes/{id}`
pub(super) async fn show(State(app): State<Arc<App>>, operator: SignedIn, Path(id): Path<String>) -> Reply {
    operator.with(Permission::PackagesRead)?;
    let key = Key::Node(node_id(&id)?);
    let row = app.host.read(&[key]).await?.pop().ok_or_else(Problem::not_found)?;
    if let Record::Forgotten(_) = Record::from_body(&row.body).map_err(HostError::from)? {
        return Err(Problem::not_found());
    }
    Ok(respond_json(&app.host.registrar.view(&row.body).map_err(HostError::from)?))
}

/// `POST /api/nodes/{id}/evict`
pub(super) async fn evict(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let members = exchange::read(&headers, body).await?;
    let given = [("node", json!(node_id(&id)?))];
    let command = exchange::command("evict", members, given, &Authority::Operator(operator.name), source)?;
    app.answer(command, Audience::Operator).await
}

/// `POST /api/nodes/{id}/ban`: whoever the node is shall never be one again.
pub(super) async fn ban(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Path(id): Path<String>,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operator = operator.with(Permission::ConfigWrite)?;
    let mut members = exchange::read(&headers, body).await?;
    let reason = members.remove("reason").filter(|reason| !reason.is_null());
    if let Some(unknown) = members.keys().next() {
        return Err(Problem::bad_request(format!("{unknown}: unknown field")));
    }
    let reason = reason.map(serde_json::from_value::<Reason>).transpose().map_err(Problem::bad_request)?;
    let node = app.node(node_id(&id)?).await?;
    let ban = Ban { scope: node.scope.clone(), subject: node.fingerprint.clone().into(), reason };
    let command = Command { authority: Authority::Operator(operator.name), source, action: Action::Ban(ban) };
    app.answer(command, Audience::Operator).await
}

impl App {
    async fn node(&self, id: NodeId) -> Result<Arc<Node>, Problem> {
        let row = self.host.read(&[Key::Node(id)]).await?.pop().ok_or_else(Problem::not_found)?;
        let record = Record::from_body(&row.body).map_err(HostError::from)?;
        if let Record::Node(node) = record { Ok(node) } else { Err(Problem::not_found()) }
    }
}

/// What is no id names nothing.
fn node_id(text: &str) -> Result<NodeId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
