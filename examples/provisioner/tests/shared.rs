//! Several hosts share one PostgreSQL, which may be away for a while.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, time::Duration};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{HERE, Place, authority, node::Node, postgres::Server, until};

#[tokio::test]
async fn what_one_host_decides_another_one_knows() {
    let Some(server) = Server::start() else { return };
    let place = Place::at(&server.database().await).with_proofs();
    let (a, b) = (place.start(), place.start());
    let operator = a.token.clone().unwrap();
    assert_eq!(b.token, None, "there is one first operator");
    let issued =
        a.ask(&operator, Method::POST, "/api/packages", json!({ "name": "edge-1", "deliver": true })).await;
    let token = issued["token"].as_str().unwrap();
    let mut node = Node::new(&Client::new());
    // The nonce of one host is good at the other, and so is the credential that the other one signs.
    let redeemed = node.redeem(&b.url, token).await.unwrap().json();
    assert_eq!(node.redeem(&a.url, token).await.unwrap().json()["again"], true);
    let (id, credential) =
        (redeemed["node"].as_str().unwrap(), redeemed["credential"]["token"].as_str().unwrap());
    assert_eq!(node.check_in(&a.url, id, 1, credential).await.unwrap().status, 200);
    // What follows from an event is done by one of them, whichever it is, and may be fetched from both.
    a.event(authority::state_change(HERE, "running")).await;
    assert_eq!(a.joined(HERE).await, b.joined(HERE).await);
    b.event(authority::state_change(HERE, "terminated")).await;
    until("no manifest is left", || place.manifests().is_empty()).await;
    let events =
        a.ask(&operator, Method::GET, "/api/events?code=resource_started&limit=500", Value::Null).await;
    let workers: BTreeSet<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"]["authority"].as_str().unwrap())
        .collect();
    assert!(!workers.is_empty() && workers.iter().all(|worker| worker.starts_with("executor:provisioner-")));
}

#[tokio::test]
async fn a_topic_that_one_host_saw_signed_well_is_not_believed_less_by_another() {
    let Some(server) = Server::start() else { return };
    let place = Place::at(&server.database().await);
    place.edit("provisioner.toml", "minimum_signature_version = \"2\"\n", "");
    place.edit("provisioner.toml", "[[sns.topics]]", "[sns]\nmax_age_seconds = 4000000000\n[[sns.topics]]");
    let (a, b) = (place.start(), place.start());
    let event = authority::state_change(HERE, "running").to_string();
    let old = include_str!("../../../core/vectors/sns/messages/v1-notification.json");
    assert_eq!(a.sns(old).await.status, 200);
    assert_eq!(b.sns(&authority::notification(&event)).await.status, 200);
    for host in [&a, &b] {
        assert_eq!(host.sns(old).await.refusal(), (403, "sns_version_downgrade".into()));
    }
}

#[tokio::test]
async fn a_host_with_other_keys_is_not_let_on() {
    let Some(server) = Server::start() else { return };
    let url = server.database().await;
    let place = Place::at(&url);
    drop(place.start());
    let other = Place::at(&url);
    assert!(other.refuse().contains("not the keys of PostgreSQL database_0"));
    std::fs::copy(place.path("state/provisioner.keys"), other.path("state/provisioner.keys")).unwrap();
    drop(other.start());
}

#[tokio::test]
async fn a_password_comes_from_a_file_or_the_environment_and_is_never_shown() {
    let Some(server) = Server::start() else { return };
    let url = server.guarded("hunter2").await;
    let with_password = url.replace("user=guarded", "user=guarded&password=hunter2");
    let place = Place::at(&url);
    assert!(place.refuse().contains("PostgreSQL"), "there is no password");
    assert!(Place::at(&with_password).refuse().contains("no password belongs here"));
    let file = place.path("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut place = place.with(&["--database-password-file", file.to_str().unwrap()]);
    let host = place.start();
    assert!(
        !std::fs::read_to_string(format!("/proc/{}/cmdline", host.child.id())).unwrap().contains("hunter2")
    );
    drop(host);
    place.options.clear();
    place.edit("provisioner.toml", "database = \"state/provisioner.sqlite\"\n", "");
    place.environment.push(("DATABASE_URL", with_password.leak()));
    drop(place.start());
    assert!(!place.log().contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_may_forget_is_refused() {
    let Some(server) = Server::start() else { return };
    let url = server.database().await;
    server.run("ALTER DATABASE database_0 SET synchronous_commit = off").await;
    assert!(Place::at(&url).refuse().contains("could be lost"));
}

#[tokio::test]
async fn a_server_that_was_away_is_used_again() {
    let Some(server) = Server::start() else { return };
    let place = Place::at(&server.database().await).with_proofs();
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let issue = async |name: &str| {
        host.api(&operator, Method::POST, "/api/packages", &json!({ "name": name }).to_string()).await
    };
    assert_eq!(issue("edge-1").await.status, 201);
    server.stop();
    let away = issue("edge-2").await;
    assert_eq!((away.refusal(), away.header("retry-after")), ((503, "store".into()), Some("2")));
    let health = host.send(Method::GET, "/healthz", &[], "").await.unwrap();
    assert_eq!(health.status, 503);
    server.start_again();
    let mut again = issue("edge-2").await;
    for _ in 0..100 {
        if again.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        again = issue("edge-2").await;
    }
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(host.packages(&operator).await.len(), 2);
    let metrics = host.api(&operator, Method::GET, "/metrics", "").await.body;
    let errors =
        metrics.lines().find_map(|line| line.strip_prefix("provisioner_database_errors_total ")).unwrap();
    assert_ne!(errors, "0");
}
