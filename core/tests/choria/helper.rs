//! The documents between the provisioner and its helper.

use handfast::{
    Code,
    choria::{ChoriaError, Expiry, HelperReply, HelperRequest},
};
use serde_json::Value;

use crate::{at, cases, list, support::real_vectors, text};

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn requests_are_read_and_written() {
    let cases = cases();
    let helper = &cases["helper"];
    let document = text(helper, "request");
    let request = HelperRequest::from_json(document).unwrap();
    assert_eq!(value(request.to_json().unwrap().expose()), value(document));
    assert_eq!(request.inventory().unwrap()["facts"]["os"], "é");
    let token = request.jwt.as_ref().unwrap();
    assert_eq!((token.claims.token.expose(), token.claims.urls.len()), ("s3cret", 2));
    let shown = format!("{request:?}{}", serde_json::to_string(&request).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    for refused in list(helper, "refused_requests") {
        let error = HelperRequest::from_json(refused.as_str().unwrap()).expect_err(&refused.to_string());
        assert_eq!(error.code(), Code::ChoriaMalformedHelper);
    }
}

#[test]
fn replies_say_what_the_token_is_to_say_and_until_when() {
    let cases = cases();
    let (helper, now) = (&cases["helper"], at(text(&cases, "now")));
    for case in list(helper, "replies") {
        let reply =
            HelperReply::from_json(text(case, "json")).unwrap_or_else(|error| panic!("{error}: {case}"));
        let expires_at = reply.expires_at(now).unwrap().map(|at| at.to_string());
        assert_eq!(expires_at.as_deref(), case["expires_at"].as_str(), "{case}");
        if !case["server"].is_null() {
            assert_eq!(serde_json::to_value(reply.server("n")).unwrap(), case["server"]);
        }
        let again = HelperReply::from_json(reply.to_json(now).unwrap().expose()).unwrap();
        assert_eq!(again.expires_at(now), reply.expires_at(now));
        assert_eq!(again.configuration, reply.configuration);
    }
    for case in list(helper, "refused_replies") {
        let reply = HelperReply::from_json(text(case, "json"));
        let code = reply.and_then(|reply| reply.expires_at(now)).map_err(ChoriaError::code).unwrap_err();
        assert_eq!(code.as_str(), text(case, "code"), "{case}");
    }
}

#[test]
fn a_private_key_is_shown_to_the_provisioner_only() {
    let reply = HelperReply::from_json(r#"{"key":"-----BEGIN hunter2"}"#).unwrap();
    assert!(!format!("{reply:?}{}", serde_json::to_string(&reply).unwrap()).contains("hunter2"));
    let written = reply.to_json(at("2026-01-02T03:04:05Z")).unwrap();
    assert_eq!(value(written.expose())["key"], "-----BEGIN hunter2");
}

/// Choria's documentation has helpers write how long the token is to live, and its provisioner reads a time: this real
/// reply asks for five years and gets one.
#[test]
fn a_duration_is_not_taken_for_a_time_long_past() {
    let Some(folder) = real_vectors("choria/provisioner") else { return };
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let reply = HelperReply::from_json(&file("helper-output.json")).unwrap();
    let claims = reply.server_claims.as_ref().unwrap();
    assert_eq!(claims.exp, Some(Expiry::After { seconds: 5 * 365 * 86400 }));
    let now = at("2026-01-02T03:04:05Z");
    assert_eq!(reply.expires_at(now).unwrap().unwrap().to_string(), "2031-01-01T03:04:05.000Z");
    let written = value(reply.to_json(now).unwrap().expose());
    assert_eq!(written["server_claims"]["exp"], 1_925_003_045, "as the provisioner understands it");
    assert_eq!(reply.server("n").collectives, ["choria"]);
    assert!(claims.permissions.unwrap().submission);

    let document = file("helper-input.json");
    let request = HelperRequest::from_json(&document).unwrap();
    assert_eq!(value(request.to_json().unwrap().expose()), value(&document));
    assert_eq!(request.inventory().unwrap()["upgradable"], true);
}
