//! Instances that prove themselves with their identity document, against documents that were made without handfast.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{Host, Place, Reply, authority, node::Node};

/// The instance, its start and its document, as `core/vectors` has them.
const INSTANCE: &str = "i-0a74797fd283b53de";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../core/vectors/identity/cases.json")).unwrap()
}

/// What the instance of a case shows.
fn proof(case: &str) -> Value {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    cases.iter().find(|found| found["name"] == case).unwrap()["proof"].clone()
}

/// A host in the minute in which that instance started, which believes its documents.
fn place() -> Place {
    let place = Place::new().with_proofs().with(&["--now", "2026-03-01T12:00:30Z"]);
    let trust = &vectors()["trusts"]["default"];
    let mut identity = "[[identity]]\naccounts = [\"123456789012\"]\n[identity.certificates]\n".to_owned();
    for (region, certificates) in trust["certificates"].as_object().unwrap() {
        identity.push_str(&format!("{region} = {certificates}\n"));
    }
    place.edit("provisioner.toml", "[[sns.topics]]", &format!("{identity}\n[[sns.topics]]"));
    place
}

#[tokio::test]
async fn a_package_bound_to_an_account_is_redeemed_with_a_document() {
    let host = place().start();
    let operator = host.token.clone().unwrap();
    let bindings = json!({ "accounts": ["123456789012"], "regions": ["us-east-1"] });
    let body = json!({ "name": "edge-1", "deliver": true, "bindings": bindings });
    let issued = host.ask(&operator, Method::POST, "/api/packages", body).await;
    let token = issued["token"].as_str().unwrap().to_owned();
    let mut node = Node::new(&Client::new());
    let mut redeem = async |body: Value| node.post(&host.url, "/redeem", Some(&token), &body).await.unwrap();
    // Anybody can say which instance it is.
    assert_eq!(redeem(json!({ "instance": INSTANCE })).await.refusal(), (403, "denied".into()));
    let other = json!({ "instance": "i-00000000000000001", "identity": proof("as AWS gives it") });
    assert_eq!(redeem(other).await.refusal(), (403, "denied".into()));
    let forged = json!({ "identity": proof("another key") });
    assert_eq!(redeem(forged).await.refusal(), (403, "denied".into()));
    for malformed in
        [json!({}), json!({ "pkcs7": "x" }), json!({ "document": "{}" }), json!({ "form": 1 }), json!("x")]
    {
        let refused = redeem(json!({ "identity": malformed })).await;
        assert_eq!(refused.refusal(), (400, "invalid_input".into()), "{malformed}");
    }
    let redeemed = redeem(json!({ "identity": proof("as AWS gives it") })).await;
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
}

#[tokio::test]
async fn an_instance_fetches_its_package_with_a_document_from_any_address() {
    let place = place();
    place.instances(&[(INSTANCE, "192.0.2.1")]);
    let host = place.start();
    let deliver =
        async |host: &Host, body: Value| -> Reply { host.post("/api/deliver", &body.to_string()).await };
    let identity = json!({ "instance": INSTANCE, "identity": proof("as AWS gives it") });
    assert_eq!(
        deliver(&host, identity.clone()).await.refusal(),
        (404, "not_found".into()),
        "nobody has heard of it"
    );
    let mut event = authority::state_change(INSTANCE, "running");
    event["time"] = "2026-03-01T12:00:10Z".into();
    let at = "2026-03-01T12:00:11.000Z";
    let message = json!({ "Type": "Notification", "Message": event.to_string(), "Timestamp": at });
    let told = host.sns(&authority::signed(message, authority::TOPIC, authority::ORIGIN)).await;
    assert_eq!((told.status.as_u16(), &told.json()["instance"]), (200, &json!(INSTANCE)), "{told:?}");
    assert_eq!(deliver(&host, json!({ "instance": INSTANCE })).await.refusal(), (404, "not_found".into()));
    let mut delivered = deliver(&host, identity.clone()).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while delivered.status != 200 {
        assert!(std::time::Instant::now() < deadline, "{delivered:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        delivered = deliver(&host, identity.clone()).await;
    }
    assert_eq!(delivered.json()["contents"][0]["type"], "kubernetes_bootstrap_token");
    assert_eq!(delivered.header("cache-control"), Some("no-store"));
    let unknown = json!({ "instance": INSTANCE, "package": "x" });
    assert_eq!(deliver(&host, unknown).await.status, 400);
}

#[tokio::test]
async fn a_host_that_trusts_no_documents_says_so() {
    let host = Place::new().with_proofs().start();
    let body = json!({ "instance": INSTANCE, "identity": proof("as AWS gives it") });
    let refused = host.post("/api/deliver", &body.to_string()).await;
    assert_eq!(refused.refusal(), (400, "invalid_input".into()));
    assert!(refused.json()["message"].as_str().unwrap().contains("[[identity]]"));
}
