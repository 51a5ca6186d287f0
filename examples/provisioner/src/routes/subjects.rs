//! What operators, and programs that see nodes connect, say about subjects: a node's name, a SPIFFE id, a fingerprint.

use std::{net::IpAddr, sync::Arc};

use axum::{body::Body, extract::State, http::HeaderMap};
use handfast::vocabulary::Authority;

use super::{
    App, Source,
    auth::SignedIn,
    exchange,
    reply::{Audience, Reply},
};
use crate::operator::Permission;

/// `POST /api/subjects/observe`: somebody has connected. A package that activates on report comes into use by it; a subject
/// that nobody knows is an alert.
pub(super) async fn observe(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.about_subject("observe_subject", operator, source, &headers, body).await
}

/// `POST /api/subjects/ban`: whoever it is, also if it was never seen, shall never be a node again.
pub(super) async fn ban(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.about_subject("ban", operator, source, &headers, body).await
}

/// `POST /api/subjects/unban`: it may be a node again.
pub(super) async fn unban(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.about_subject("unban", operator, source, &headers, body).await
}

/// `POST /api/recoveries/reset`: a subject, or a package, may be given its grant anew as often as the policy allows.
pub(super) async fn reset_recoveries(
    State(app): State<Arc<App>>,
    operator: SignedIn,
    Source(source): Source,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    app.about_subject("reset_recoveries", operator, source, &headers, body).await
}

impl App {
    async fn about_subject(
        &self,
        kind: &str,
        operator: SignedIn,
        source: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Reply {
        let name = operator.with(Permission::ConfigWrite)?.name;
        // Who sees nodes connect reports it, and orders nothing.
        let authority =
            if kind == "observe_subject" { Authority::Executor(name) } else { Authority::Operator(name) };
        let members = exchange::read(headers, body).await?;
        let command = exchange::command(kind, members, [], &authority, source)?;
        self.answer(command, Audience::Operator).await
    }
}
