//! What an operator does about a host: its keys, its retention, its rule, and what it is there for.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{HERE, Place, authority, node::Node, postgres::Server};

/// A place on SQLite and, where that is installed, one on PostgreSQL.
async fn places(server: Option<&Server>) -> Vec<Place> {
    let mut places = vec![Place::new().with_proofs()];
    if let Some(server) = server {
        places.push(Place::at(&server.database().await).with_proofs());
    }
    places
}

#[tokio::test]
async fn a_sealing_key_is_rotated_and_dropped() {
    let server = Server::start();
    for place in places(server.as_ref()).await {
        let host = place.start();
        let operator = host.token.clone().unwrap();
        let file = json!({ "type": "file", "name": "env", "content": "PASSWORD=hunter2" });
        let issue = json!({ "name": "edge-1", "contents": [file] });
        let package = host.ask(&operator, Method::POST, "/api/packages", issue).await["package"].clone();
        assert!(host.stop());

        let keys = place.path("state/provisioner.keys");
        let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&keys).unwrap()).unwrap();
        let old = file["sealing"]["current"].as_str().unwrap().to_owned();
        file["sealing"]["keys"]["k-new"] = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=".into();
        file["sealing"]["current"] = "k-new".into();
        std::fs::write(&keys, file.to_string()).unwrap();
        let host = place.start();
        // Beside the running host; the token and the file, and then nothing more.
        for expected in ["2 of 2 secrets", "0 of 2 secrets"] {
            let output = place.reseal();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && said.contains(expected), "{said} {:?}", output.stderr);
            assert!(said.contains("k-new"), "{said}");
        }
        assert!(host.stop());

        file["sealing"]["keys"].as_object_mut().unwrap().remove(&old).unwrap();
        std::fs::write(&keys, file.to_string()).unwrap();
        let host = place.start();
        let path = format!("/api/packages/{}/deliver", package.as_str().unwrap());
        let delivered = host.ask(&operator, Method::POST, &path, Value::Null).await;
        let token = delivered["token"].as_str().unwrap();
        let redeemed = Node::new(&Client::new()).redeem(&host.url, token).await.unwrap();
        assert_eq!(redeemed.json()["contents"][0]["content"], "PASSWORD=hunter2");
    }
}

#[tokio::test]
async fn resealing_needs_every_key_that_is_in_use_and_says_so() {
    let place = Place::new();
    let refused = |why: &str| {
        let output = place.reseal();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused("start the host first");
    let host = place.start();
    let operator = host.token.clone().unwrap();
    host.ask(&operator, Method::POST, "/api/packages", json!({ "name": "edge-1" })).await;
    let keys = place.path("state/provisioner.keys");
    let text = std::fs::read_to_string(&keys).unwrap();
    std::fs::remove_file(&keys).unwrap();
    refused("restore it");
    assert!(!keys.exists(), "it makes no keys");
    let mut file: Value = serde_json::from_str(&text).unwrap();
    file["sealing"] =
        json!({ "current": "k-new", "keys": { "k-new": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=" } });
    place.private("state/provisioner.keys", &file.to_string());
    refused("not the keys of");
}

#[tokio::test]
async fn what_has_ended_is_forgotten_after_its_retention() {
    let server = Server::start();
    for place in places(server.as_ref()).await {
        let host = place.start();
        let operator = host.token.clone().unwrap();
        let issue = async |name: &str| {
            let body = json!({ "name": name, "deliver": true });
            let issued = host.ask(&operator, Method::POST, "/api/packages", body).await;
            (issued["package"].as_str().unwrap().to_owned(), issued["token"].as_str().unwrap().to_owned())
        };
        let (ended, token) = issue("edge-1").await;
        let (living, _) = issue("edge-2").await;
        let redeemed = Node::new(&Client::new()).redeem(&host.url, &token).await.unwrap().json();
        let node = redeemed["node"].as_str().unwrap().to_owned();
        host.ask(&operator, Method::POST, &format!("/api/packages/{ended}/revoke"), json!({})).await;
        assert!(host.stop());

        place.edit("provisioner.toml", "listen =", "retention_days = 0\nlisten =");
        let host = place.start();
        let gone = [
            format!("/api/packages/{ended}"),
            format!("/api/packages/{ended}/events"),
            format!("/api/nodes/{node}"),
        ];
        for path in &gone {
            let deadline = Instant::now() + Duration::from_secs(20);
            while host.api(&operator, Method::GET, path, "").await.refusal() != (404, "not_found".into()) {
                assert!(Instant::now() < deadline, "{path} is still there");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        // The facts of a record go after it does.
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let all =
                host.ask(&operator, Method::GET, "/api/events?limit=500", Value::Null).await.to_string();
            assert!(all.contains(&format!("package/{living}")), "{all}");
            if !all.contains(&format!("package/{ended}")) {
                break;
            }
            assert!(Instant::now() < deadline, "its facts are still there: {all}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(host.packages(&operator).await.len(), 1);
    }
}

#[tokio::test]
async fn a_host_without_aws_and_without_a_cluster_serves_operators_and_nodes() {
    let place = Place::new().with_proofs();
    for line in ["manifests = \"state/manifests\"\n", "cluster_info = \"cluster-info.yaml\"\n"] {
        place.edit("provisioner.toml", line, "");
    }
    place.without_instances();
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let issued = host
        .ask(&operator, Method::POST, "/api/packages", json!({ "name": "edge-1", "deliver": true }))
        .await;
    let redeemed =
        Node::new(&Client::new()).redeem(&host.url, issued["token"].as_str().unwrap()).await.unwrap();
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    let message = authority::notification(&authority::state_change(HERE, "running").to_string());
    assert_eq!(host.sns(&message).await.refusal(), (404, "not_found".into()));
    assert_eq!(host.kubeconfig(HERE).await.refusal(), (404, "not_found".into()));
    assert!(!place.log().contains("policy.instances"), "{}", place.log());
}

const RULE: &str = r#"
package handfast

deny contains "nobody issues anything called edge-2" if {
    input.command.type == "issue"
    input.command.name == "edge-2"
}
"#;

#[cfg(feature = "rego")]
#[tokio::test]
async fn a_rule_of_the_operators_own_is_asked() {
    for (mode, expected, logged) in [("enforce", 403, ""), ("warn", 201, ""), ("off", 201, "is not asked")] {
        let place = Place::new();
        std::fs::write(place.path("policy.rego"), RULE).unwrap();
        place.edit("provisioner.toml", "listen =", "rule = \"policy.rego\"\nlisten =");
        place.edit("provisioner.toml", "[policy]\n", &format!("[policy]\nrule_mode = \"{mode}\"\n"));
        let host = place.start();
        let operator = host.token.clone().unwrap();
        let issue = async |name: &str| {
            host.api(&operator, Method::POST, "/api/packages", &json!({ "name": name }).to_string()).await
        };
        assert_eq!(issue("edge-1").await.status, 201);
        let second = issue("edge-2").await;
        assert_eq!(second.status, expected, "{mode}: {second:?}");
        if expected == 403 {
            assert_eq!(second.refusal().1, "policy");
            assert_eq!(second.json()["reason"], "nobody issues anything called edge-2");
        }
        assert!(place.log().contains(logged), "{mode}");
    }
    let place = Place::new();
    place.edit("provisioner.toml", "listen =", "rule = \"policy.rego\"\nlisten =");
    assert!(place.refuse().contains("policy.rego"));
    std::fs::write(place.path("policy.rego"), "package handfast\ndeny contains").unwrap();
    assert!(place.refuse().contains("policy.rego"));
}

#[cfg(not(feature = "rego"))]
#[tokio::test]
async fn a_rule_that_nobody_can_ask_keeps_the_host_from_starting() {
    let place = Place::new();
    std::fs::write(place.path("policy.rego"), RULE).unwrap();
    place.edit("provisioner.toml", "listen =", "rule = \"policy.rego\"\nlisten =");
    let said = place.refuse();
    assert!(said.contains("policy.rego") && said.contains("--features rego"), "{said}");
}

#[tokio::test]
async fn a_rule_mode_without_a_rule_keeps_the_host_from_starting() {
    let place = Place::new();
    place.edit("provisioner.toml", "[policy]\n", "[policy]\nrule_mode = \"enforce\"\n");
    let said = place.refuse();
    assert!(said.contains("policy.rule_mode") && said.contains("no rule"), "{said}");
}
