//! `POST /kubeadm/kubeconfig/{instance-id}`: a node asks for what `kubeadm join --discovery-file` takes.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use handfast::{
    kubernetes::{BootstrapToken, ClusterInfo},
    registrar::Explanation,
    vocabulary::{Delivered, GivenContent},
};

use super::{
    App, NoHead, Source, instance,
    reply::{Problem, Reply},
};

/// Hands a package over to the instance it was issued for.
pub(super) async fn hand_out(
    _: NoHead,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Source(source): Source,
) -> Reply {
    if !app.executors.has_cluster() {
        return Err(Problem::not_found());
    }
    let command = instance::asks(&id, source)?;
    // Asked for first: a package is handed over for a short time only, and not while nobody can say where the cluster is.
    let info = match app.executors.cluster_info().await {
        Ok(info) => info,
        Err(reason) => {
            tracing::error!("cluster-info cannot be had: {reason}");
            return Err(without_cluster(&app.host.explain(&command).await?));
        }
    };
    kubeconfig(app.hand_over(command).await?, &info)
}

/// Nothing is decided now; but who would be refused is refused, so that nobody learns more than on other days.
fn without_cluster(would_be: &Explanation) -> Problem {
    match would_be {
        Explanation::Refused(refused) => instance::refuse(refused),
        Explanation::Accepted { .. } | Explanation::Need { .. } => instance::not_ready(),
    }
}

fn kubeconfig(delivered: Delivered, info: &ClusterInfo) -> Result<Response, Problem> {
    let token = delivered.contents.iter().find_map(|content| {
        let GivenContent::KubernetesBootstrapToken { token, .. } = content else { return None };
        token.expose().parse::<BootstrapToken>().ok()
    });
    let Some(token) = token else { return Err(instance::without(&delivered, "bootstrap token")) };
    tracing::info!(package = %delivered.package, again = delivered.again, "handed out a kubeconfig");
    let text = info.kubeconfig(&token).expose().to_owned();
    Ok(([(header::CONTENT_TYPE, "text/yaml; charset=utf-8")], text).into_response())
}
