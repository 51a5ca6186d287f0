//! CloudEvents that any consumer can read, held to the words of the specification (CloudEvents 1.0.2, sections 3.1 and
//! 3.2; JSON event format 1.0.2, sections 2 and 3).

use std::collections::BTreeSet;

use handfast::{
    audit::{CloudEvent, Source},
    code::Code,
    json::canonical,
    vocabulary::Error,
};
use serde_json::{Value, json};

use crate::log::{linked, unlinked};

fn source() -> Source {
    "https://enroll.example.org/eu?site=1".parse().unwrap()
}

fn exported() -> Vec<String> {
    let event = |body: String| CloudEvent::of_event(&body, source()).unwrap().to_json();
    unlinked().into_iter().chain(linked()).map(event).collect()
}

/// The rules for every event, each with its section.
fn check(text: &str) -> Value {
    let event: Value = serde_json::from_str(text).unwrap();
    let attributes = event.as_object().unwrap();
    for required in ["id", "source", "specversion", "type"] {
        let value = attributes[required].as_str().unwrap();
        assert!(!value.is_empty(), "3.1.1: {required} must be a non-empty string");
    }
    assert_eq!(event["specversion"], "1.0", "3.1.1");
    for (name, value) in attributes {
        assert!((1..=20).contains(&name.len()), "3.1: {name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "3.1: {name}");
        if name != "data" {
            let value = value.as_str().unwrap();
            assert!(!value.chars().any(char::is_control), "2.4: no control characters in {name}");
        }
    }
    assert!(event["type"].as_str().unwrap().starts_with("io.handfast."), "3.1.1: a reverse-DNS name of ours");
    chrono::DateTime::parse_from_rfc3339(event["time"].as_str().unwrap()).expect("3.1.2: time is RFC 3339");
    assert_eq!(event["datacontenttype"], "application/json", "3.1.2: RFC 2046");
    assert!(event["data"].is_object(), "JSON format 3.1.1: data is a JSON value");
    assert!(event.get("data_base64").is_none(), "JSON format 3.1.1: not both");
    assert_eq!(canonical(&event), text);
    event
}

#[test]
fn every_fact_is_an_event_by_the_rules() {
    let mut ids = BTreeSet::new();
    for (body, text) in linked().iter().zip(exported().split_off(linked().len())) {
        let event = check(&text);
        let data: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["data"], data);
        assert_eq!(event["id"], format!("{}#{}", data["key"].as_str().unwrap(), data["version"]));
        assert_eq!(event["subject"], data["key"]);
        assert_eq!(event["time"], data["at"]);
        assert_eq!(event["type"], format!("io.handfast.{}.v2", data["fact"]["type"].as_str().unwrap()));
        assert!(text.contains(body.as_str()), "the body as it is stored");
        assert!(ids.insert(event["id"].to_string()), "3.1.1: source and id are unique");
    }
    assert!(ids.len() >= 30);
}

#[test]
fn a_refusal_is_an_event_that_is_one_with_its_like() {
    let body = r#"{"action":"redeem","anchor":{"key":"package/019b7ca9-8c88-7118-b0d3-641a68f94a69","version":3},"at":"2026-01-02T03:04:05.000Z","authority":"node","code":"already_claimed","network":"192.0.2.0/24"}"#;
    let coalesce = "0029456105|already_claimed|-|192.0.2.0/24";
    let event = check(&CloudEvent::of_notice(coalesce, body, source()).unwrap().to_json());
    assert_eq!(event["id"], coalesce);
    assert_eq!(event["type"], "io.handfast.refused.v1");
    assert_eq!(event["subject"], "package/019b7ca9-8c88-7118-b0d3-641a68f94a69");
    assert_eq!(event["data"], serde_json::from_str::<Value>(body).unwrap());

    let body =
        r#"{"action":"redeem","at":"2026-01-02T03:04:05.000Z","authority":"node","code":"unknown_token"}"#;
    let event = check(&CloudEvent::of_notice(coalesce, body, source()).unwrap().to_json());
    assert!(event.get("subject").is_none(), "3.1.2: absent, never empty");
}

#[test]
fn what_is_not_ours_is_not_exported() {
    let good = &linked()[0];
    let mut other: Value = serde_json::from_str(good).unwrap();
    other["fact"] = json!({});
    let not_events = ["{}", "[]", "", &good.replacen(':', ": ", 1), &canonical(&other)];
    let notice =
        r#"{"action":"redeem","at":"2026-01-02T03:04:05.000Z","authority":"node","code":"unknown_token"}"#;
    for body in not_events {
        let error = CloudEvent::of_event(body, source()).unwrap_err();
        assert!(matches!(error, Error::CorruptRecord(_)), "{body}");
        assert_eq!(CloudEvent::of_notice("k", body, source()).unwrap_err().code(), Code::CorruptRecord);
    }
    assert!(CloudEvent::of_event(notice, source()).is_err());
    assert!(CloudEvent::of_notice("k", good, source()).is_err());
    for key in ["", "a b", "a\n"] {
        assert!(CloudEvent::of_notice(key, notice, source()).is_err(), "{key:?}");
    }
}

#[test]
fn a_source_is_a_uri_reference() {
    let long = "x".repeat(2049);
    for good in [
        "https://a.example/x?y#z",
        "urn:example:enroll",
        "/here",
        "a%20b",
        "//[2001:db8::1]:8443/",
        &long[1..],
    ] {
        assert_eq!(good.parse::<Source>().unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a\n", "ä", "a%2", "a%zz", "%", "a#b#c", "<x>", "\"", &long] {
        assert_eq!(bad.parse::<Source>().unwrap_err().code(), Code::InvalidInput, "{bad}");
    }
}
