//! The whole path to a real SPIRE server and a real agent. Run by `make test-spire`.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/spire.rs"]
#[allow(dead_code, reason = "shared with the unit tests")]
mod spire;
mod support;

use std::path::Path;

use handfast::spire::Bundle;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use spire::Server;
use support::{Host, Place, node::Node, peer};

/// Where nodes get an id of their own, and their workloads theirs below it.
const POLICY: &str = r#"[policy]
spire = { trust_domain = "example.org", agent_id = "spiffe://{trust_domain}/agents/{package}", parent_id = "spiffe://{trust_domain}/agents/{package}", spiffe_id = "spiffe://{trust_domain}/edge/{name}", selectors = ["unix:user:root"] }"#;

fn place(socket: &Path) -> Place {
    let place = Place::new().with_proofs().with(&["--spire-socket", socket.to_str().unwrap()]);
    let user = std::process::Command::new("id").arg("-un").output().unwrap();
    let user = format!("unix:user:{}", String::from_utf8(user.stdout).unwrap().trim());
    place.edit("provisioner.toml", "[policy]", &POLICY.replace("unix:user:root", &user));
    place
}

/// Issues a package with a join token and an entry, and gives its id and what a node gets for its token.
async fn redeemed(host: &Host, name: &str) -> (String, Value) {
    let operator = host.token.clone().unwrap();
    let body = json!({ "name": name, "contents": [{ "type": "spire_join_token" }, { "type": "spire_entry", "x509_svid_ttl_seconds": 600 }] });
    let issued = host.ask(&operator, Method::POST, "/api/packages", body).await;
    let package = issued["package"].as_str().unwrap().to_owned();
    let path = format!("/api/packages/{package}/deliver");
    let delivered = loop {
        let reply = host.api(&operator, Method::POST, &path, "").await;
        if reply.status == 200 {
            break reply.json();
        }
        assert_eq!(reply.refusal().1, "not_ready", "{reply:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let mut node = Node::new(&Client::new());
    let redeemed = node.redeem(&host.url, delivered["token"].as_str().unwrap()).await.unwrap();
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    (package, redeemed.json())
}

async fn bundle(host: &Host, query: &str) -> String {
    let reply = host.send(Method::GET, &format!("/spire/bundle{query}"), &[], "").await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

#[tokio::test]
async fn the_bundle_is_the_servers_in_both_forms() {
    let Some(mut server) = Server::start().await else { return };
    let place = place(&server.socket());
    let host = place.start();
    let trim = |text: String| text.trim_end().to_owned();
    assert_eq!(trim(bundle(&host, "").await), trim(server.bundle("pem")));
    let (ours, theirs) = (bundle(&host, "?format=spiffe").await, server.bundle("spiffe"));
    let read = |text: &str| Bundle::from_json("example.org".parse().unwrap(), text).unwrap();
    assert_eq!(read(&ours).x509_authorities(), read(&theirs).x509_authorities());
    assert_eq!(read(&ours).jwt_authorities(), read(&theirs).jwt_authorities());
    assert_eq!((read(&ours).sequence(), read(&ours).jwt_authorities().len()), (read(&theirs).sequence(), 1));
    let wrong = host.send(Method::GET, "/spire/bundle?format=der", &[], "").await.unwrap();
    assert_eq!(wrong.refusal(), (400, "invalid_input".into()));
    drop(host);
    server.stop();
    let host = place.start();
    assert_eq!(
        host.send(Method::GET, "/spire/bundle", &[], "").await.unwrap().refusal(),
        (503, "not_ready".into())
    );
    let without = Place::new();
    let host = without.start();
    assert_eq!(host.send(Method::GET, "/spire/bundle", &[], "").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_node_is_let_in_once_gets_its_identity_and_leaves_nothing_behind() {
    let Some(server) = Server::start().await else { return };
    let place = place(&server.socket());
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let (package, redeemed) = redeemed(&host, "edge-1").await;
    let token = redeemed["contents"][0]["token"].as_str().unwrap().to_owned();
    let entries = server.entries();
    assert_eq!(entries.len(), 2, "{entries:?}");
    for entry in &entries {
        assert!(entry["id"].as_str().unwrap().starts_with("provisioner-demo-"), "{entry}");
    }

    let bundle = bundle(&host, "").await;
    let agent = server.agent("agent", &token, &bundle);
    server.until("the agent is let in", || !server.agents().is_empty()).await;
    assert_eq!(server.agents(), [format!("/spire/agent/join_token/{token}")]);
    let identity = "spiffe://example.org/edge/edge-1";
    server.until("the workload has its identity", || agent.identities() == [identity]).await;

    // It works once.
    let mut second = server.agent("second", &token, &bundle);
    let mut log = None;
    server
        .until("the second agent gives up", || {
            log = second.has_given_up();
            log.is_some()
        })
        .await;
    assert!(log.unwrap().contains("join token does not exist or has already been used"));
    assert_eq!(server.agents().len(), 1);

    let revoke = format!("/api/packages/{package}/revoke");
    host.ask(&operator, Method::POST, &revoke, Value::Null).await;
    server.until("no entry is left", || server.entries().is_empty()).await;
    assert!(!place.log().contains(&token), "the token is in the log");
}

#[tokio::test]
async fn two_packages_are_two_identities_and_the_server_may_be_away() {
    let Some(server) = Server::start().await else { return };
    let away = place(Path::new("/nonexistent/api.sock"));
    let host = away.start();
    let operator = host.token.clone().unwrap();
    let body = json!({ "name": "edge-0", "contents": [{ "type": "spire_join_token" }] });
    let package = host.ask(&operator, Method::POST, "/api/packages", body).await["package"].clone();
    support::until("it was tried", || away.log().contains("the SPIRE server said Unavailable")).await;
    host.ask(
        &operator,
        Method::POST,
        &format!("/api/packages/{}/revoke", package.as_str().unwrap()),
        Value::Null,
    )
    .await;
    drop(host);

    let place = place(&server.socket());
    let host = place.start();
    let (_, first) = redeemed(&host, "edge-1").await;
    let (second, _) = redeemed(&host, "edge-2").await;
    assert_eq!(server.entries().len(), 4);
    let operator = host.token.clone().unwrap();
    host.ask(&operator, Method::POST, &format!("/api/packages/{second}/revoke"), Value::Null).await;
    server.until("only the first one's are left", || server.entries().len() == 2).await;
    let token = first["contents"][0]["token"].as_str().unwrap();
    let agent = server.agent("agent", token, &bundle(&host, "").await);
    server.until("the first one works", || agent.identities() == ["spiffe://example.org/edge/edge-1"]).await;
}
