//! `POST /kubeadm/kubeconfig/{instance-id}`: a node asks for what `kubeadm join --discovery-file` takes.
//!
//! A stranger learns nothing here: an instance that is unknown, has ended, has another address, or whose time has
//! passed is one and the same 404. Only the instance itself hears that its token is not ready yet. A node asks again
//! until it has its file: it may well come up before AWS has said that it runs.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use handfast::{
    aws::InstanceId,
    code::Code,
    kubernetes::{BootstrapToken, ClusterInfo},
    registrar::Explanation,
    vocabulary::{
        Action, Answer, Authority, Command, Deliver, Delivered, GivenContent, Recipient, Refusal, Refused,
    },
};

use super::{
    App,
    reply::{Problem, Reply},
};

/// Hands a package over to the instance it was issued for.
pub(super) async fn hand_out(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(instance): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let Ok(instance) = instance.parse::<InstanceId>() else { return Err(Problem::not_found()) };
    let command = Command {
        authority: Authority::Node,
        source: app.sender(peer.ip(), &headers),
        action: Action::Deliver(Deliver { to: Recipient::Instance { instance, identity: None } }),
    };
    // Asked for first: a package is handed over for a short time only, and not while nobody can say where the cluster is.
    let info = match app.executors.cluster_info().await {
        Ok(info) => info,
        Err(reason) => {
            tracing::error!("cluster-info cannot be had: {reason}");
            return Err(without_cluster(app.host.explain(&command).await?));
        }
    };
    let answer = app.host.run(command).await?;
    if let Answer::Refused(refused) = answer {
        return Err(refuse(refused));
    }
    let Answer::Delivered(delivered) = answer else { return Err(Problem::unexpected(&answer)) };
    kubeconfig(delivered, &info)
}

/// Nothing is decided now; but who would be refused is refused, so that nobody learns more than on other days.
fn without_cluster(would_be: Explanation) -> Problem {
    match would_be {
        Explanation::Refused(refused) => refuse(refused),
        Explanation::Accepted { .. } | Explanation::Need { .. } => not_ready(),
    }
}

fn refuse(refused: Refused) -> Problem {
    if refused.refusal == Refusal::NotReady {
        return not_ready();
    }
    tracing::info!(code = %refused.code(), "refused a kubeconfig");
    Problem::not_found()
}

fn kubeconfig(delivered: Delivered, info: &ClusterInfo) -> Result<Response, Problem> {
    let token = delivered.contents.into_iter().find_map(|content| {
        let GivenContent::KubernetesBootstrapToken { token, .. } = content else { return None };
        token.expose().parse::<BootstrapToken>().ok()
    });
    let Some(token) = token else {
        tracing::error!(package = %delivered.package, "the package holds no bootstrap token");
        return Err(Problem::not_found());
    };
    tracing::info!(package = %delivered.package, again = delivered.again, "handed out a kubeconfig");
    let text = info.kubeconfig(&token).expose().to_owned();
    Ok(([(header::CONTENT_TYPE, "text/yaml; charset=utf-8")], text).into_response())
}

fn not_ready() -> Problem {
    Problem::later(Code::NotReady, "your token is not ready yet")
}
