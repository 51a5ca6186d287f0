//! What the host says no to, and how.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{ELSEWHERE, HERE, Place, authority, until};

#[tokio::test]
async fn messages_that_are_not_believed() {
    let place = Place::new();
    let host = place.start();
    let event = authority::state_change(HERE, "running").to_string();
    let good = authority::notification(&event);
    let other_topic = "arn:aws:sns:us-east-1:123456789012:other";
    let old = json!({ "Type": "Notification", "Message": event, "Timestamp": "2026-03-01T12:00:00.000Z" });
    let foreign = event.replace("123456789012", "999999999999");
    let forged = event.replace("aws.ec2", "com.example");
    let elsewhere = good.replace("sns.us-east-1.amazonaws.com/Simple", "sns.us-east-1.example.com/Simple");
    for (body, status, code) in [
        (String::new(), 400, "sns_malformed_json"),
        ("{".into(), 400, "sns_malformed_json"),
        ("[]".into(), 400, "sns_malformed_json"),
        ("{}".into(), 400, "sns_missing_field"),
        ("{\"Type\":\"Notification\",\"Type\":\"Notification\"}".into(), 400, "sns_duplicate_field"),
        (good.replace("running", "stopped"), 403, "sns_bad_signature"),
        (elsewhere, 403, "sns_certificate_url"),
        (
            authority::signed(
                json!({ "Type": "Notification", "Message": event }),
                other_topic,
                authority::ORIGIN,
            ),
            403,
            "sns_topic_not_allowed",
        ),
        (authority::signed(old, authority::TOPIC, authority::ORIGIN), 403, "sns_too_old"),
        (authority::notification(&foreign), 403, "aws_untrusted_account"),
        (authority::notification(&forged), 403, "aws_wrong_source"),
        (authority::notification(&event.replace("i-0", "x-0")), 400, "aws_malformed_event"),
    ] {
        let reply = host.sns(&body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (status, &code.into()), "{reply:?}");
        assert!(reply.json()["message"].is_string());
    }
    let raw = host.send(Method::POST, "/sns", &[("x-amz-sns-rawdelivery", "true")], &good).await.unwrap();
    assert_eq!((raw.status.as_u16(), &raw.json()["code"]), (403, &"sns_unsigned".into()));
    let other = [("x-amz-sns-message-type", "SubscriptionConfirmation")];
    let contradicted = host.send(Method::POST, "/sns", &other, &good).await.unwrap();
    assert_eq!(
        (contradicted.status.as_u16(), &contradicted.json()["code"]),
        (400, &"sns_header_mismatch".into())
    );
    assert_eq!(host.packages(host.token.as_ref().unwrap()).await.len(), 0);
    assert_eq!(host.sns(&good).await.status, 200);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_cut_off() {
    let place = Place::new();
    let host = place.start();
    let large = "x".repeat(512 * 1024 + 1);
    let reply = host.sns(&large).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (413, &"sns_too_large".into()));
    let exactly = " ".repeat(512 * 1024);
    assert_eq!(host.sns(&exactly).await.json()["code"], "sns_malformed_json");
}

#[tokio::test]
async fn verified_messages_that_are_not_for_us_are_kept_once() {
    let place = Place::new();
    let host = place.start();
    let message = authority::notification("disk \"a\" is full\nsee <wiki>");
    for _ in 0..2 {
        let reply = host.sns(&message).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["reason"]), (200, &"not_an_event".into()));
    }
    let kept: Vec<_> =
        std::fs::read_dir(place.path("state/unhandled")).unwrap().map(|it| it.unwrap()).collect();
    assert_eq!(kept.len(), 1);
    let mode = std::os::unix::fs::PermissionsExt::mode(&kept[0].metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let text: Value = serde_json::from_slice(&std::fs::read(kept[0].path()).unwrap()).unwrap();
    assert_eq!(text["message"], "disk \"a\" is full\nsee <wiki>");
    let unsubscribed =
        authority::signed(json!({ "Type": "UnsubscribeConfirmation" }), authority::TOPIC, authority::ORIGIN);
    let reply = host.sns(&unsubscribed).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["result"]), (200, &"unsubscribed".into()));
    assert!(place.log().contains("this endpoint was unsubscribed"));
}

#[tokio::test]
async fn operators_need_a_token_and_a_permission() {
    let place = Place::new();
    let host = place.start();
    let admin = host.token.clone().unwrap();
    let added = place.operators(&["add", "ann", "--permission", "packages:read"]);
    let added = String::from_utf8(added.stdout).unwrap();
    let reader = added.trim().rsplit(' ').next().unwrap().to_owned();
    host.event(authority::state_change(HERE, "running")).await;
    host.joined(HERE).await;
    let id = host.packages(&reader).await[0]["id"].as_str().unwrap().to_owned();
    let paths =
        ["/api/packages".to_owned(), format!("/api/packages/{id}"), format!("/api/packages/{id}/events")];
    let other_secret =
        format!("{}{}", &admin[..admin.len() - 1], if admin.ends_with('A') { "B" } else { "A" });
    let swapped = format!("{}_{}", admin.rsplit_once('_').unwrap().0, reader.rsplit_once('_').unwrap().1);
    let bad = ["", "x", "hfo_", "hfo_x_y", &other_secret, &swapped].map(|token| format!("Bearer {token}"));
    for path in &paths {
        for value in bad.iter().map(String::as_str).chain(["Basic YWRtaW46", "Bearer", ""]) {
            let reply = host.send(Method::GET, path, &[("authorization", value)], "").await.unwrap();
            assert_eq!(
                (reply.status.as_u16(), &reply.json()["code"]),
                (401, &"unauthorized".into()),
                "{value}"
            );
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
        assert_eq!(host.send(Method::GET, path, &[], "").await.unwrap().status, 401);
        let twice = format!("Bearer {admin}");
        let twice = [("authorization", twice.as_str()), ("authorization", twice.as_str())];
        assert_eq!(host.send(Method::GET, path, &twice, "").await.unwrap().status, 401);
        assert_eq!(host.api(&reader, Method::GET, path, "").await.status, 200);
    }
    let revoke = format!("/api/packages/{id}/revoke");
    let reply = host.api(&reader, Method::POST, &revoke, "").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (403, &"forbidden".into()));
    assert_eq!(host.packages(&admin).await[0]["status"], "activated");
    assert!(place.operators(&["remove", "ann"]).status.success());
    assert_eq!(host.api(&reader, Method::GET, &paths[0], "").await.status, 401);
    let listed = String::from_utf8(place.operators(&["list"]).stdout).unwrap();
    assert!(listed.contains("admin") && !listed.contains("ann"), "{listed}");
    assert!(!listed.contains(admin.rsplit('_').next().unwrap()));
    for body in ["{", "[]", "{\"reason\": 1}", "{\"force\": true}"] {
        assert_eq!(host.api(&admin, Method::POST, &revoke, body).await.status, 400, "{body}");
    }
    assert_eq!(host.api(&admin, Method::POST, &revoke, &" ".repeat(1024 * 1024 + 1)).await.status, 413);
    for id in ["x", "01890a5d-ac96-774b-bcce-b302099a8057"] {
        for path in [format!("/api/packages/{id}"), format!("/api/packages/{id}/events")] {
            assert_eq!(host.api(&admin, Method::GET, &path, "").await.status, 404, "{path}");
        }
        assert_eq!(
            host.api(&admin, Method::POST, &format!("/api/packages/{id}/revoke"), "").await.status,
            404
        );
    }
}

#[tokio::test]
async fn an_address_counts_as_far_as_trusted_proxies_say_it() {
    let place = Place::new();
    let host = place.start();
    host.event(authority::state_change(ELSEWHERE, "running")).await;
    until("the token is made", || !place.manifests().is_empty()).await;
    let path = format!("/kubeadm/kubeconfig/{ELSEWHERE}");
    let claimed = [("x-forwarded-for", "192.0.2.10")];
    assert_eq!(host.send(Method::POST, &path, &claimed, "").await.unwrap().status, 404);
    assert!(host.stop());

    let behind = place.with(&["--trust-forwarded-for", "127.0.0.0/8"]);
    let host = behind.start();
    let ask = |forwarded: &'static str| {
        let (host, path) = (&host, &path);
        async move { host.send(Method::POST, path, &[("x-forwarded-for", forwarded)], "").await.unwrap().status }
    };
    assert_eq!(host.post(&path, "").await.status, 404);
    assert_eq!(ask("192.0.2.11").await, 404);
    assert_eq!(ask("192.0.2.10, 192.0.2.11").await, 404);
    assert_eq!(ask("198.51.100.1, 192.0.2.10, 127.0.0.9").await, 200);
}

#[tokio::test]
async fn an_instance_id_alone_is_enough_only_where_that_was_chosen_loudly() {
    let place = Place::new();
    let host = place.start();
    host.event(authority::state_change(ELSEWHERE, "running")).await;
    until("the token is made", || !place.manifests().is_empty()).await;
    let path = format!("/kubeadm/kubeconfig/{ELSEWHERE}");
    let reply = host.send(Method::GET, &path, &[], "").await.unwrap();
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (405, &"method_not_allowed".into()));
    let operator = host.token.clone().unwrap();
    let id = host.packages(&operator).await[0]["id"].as_str().unwrap().to_owned();
    while host.facts(&operator, &id).await.last().unwrap() != "resource_ready" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(host);

    let insecure = place.with(&["--insecure-instance-id-alone"]);
    let host = insecure.start();
    assert!(insecure.log().contains("INSECURE"));
    let looked_at = host.send(Method::HEAD, &path, &[], "").await.unwrap();
    assert_eq!(looked_at.status, 405, "nothing is handed to whoever only looks");
    let reply = host.send(Method::GET, &path, &[], "").await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, Some("no-store")));
    assert_eq!(reply.header("content-type"), Some("text/yaml; charset=utf-8"));
    let events = host.api(&operator, Method::GET, &format!("/api/packages/{id}/events"), "").await.body;
    assert!(events.contains("\"by_id_alone\":true"), "{events}");
    drop(host);
    let said = insecure.with(&["--listen", "0.0.0.0:0"]).refuse();
    assert!(said.contains("loopback"), "{said}");
}

#[tokio::test]
async fn everything_else_is_json_too() {
    let place = Place::new();
    let host = place.start();
    let health = host.send(Method::GET, "/healthz", &[], "").await.unwrap();
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (200, &"ok".into()));
    for (method, path, status) in
        [(Method::GET, "/", 404), (Method::GET, "/sns", 405), (Method::DELETE, "/api/packages", 405)]
    {
        let reply = host.send(method, path, &[], "").await.unwrap();
        assert_eq!(reply.status, status);
        assert!(reply.json()["code"].is_string());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}
