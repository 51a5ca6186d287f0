//! ServiceRadar's tokens against what its own programs made of them, and the layout of its packages.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers"
)]

mod support;

use std::{collections::BTreeMap, io::Read, sync::Arc};

use handfast::{
    Secret, Timestamp,
    archive::EnvFile,
    code::Code,
    crypto::{Ed25519Key, VerifyingKey, default_backend},
    serviceradar::{
        BaseUrl, CollectorToken, EdgePackage, EdgeToken, ServiceRadarError, TokenKind, private_key,
        public_key,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{backends, json, real_vectors};

/// A seed that stands in ServiceRadar's own tests, and its public key.
const SEED: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PUBLIC: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

/// Where this is stricter than ServiceRadar's present Go program, and why.
const STRICTER: [(&str, &str, &str); 12] = [
    (
        "v2-nonzero-trailing-bits",
        "serviceradar_malformed_token",
        "one token, one text: whoever keeps a list of spent texts would not find it",
    ),
    ("v2-inner-newline", "serviceradar_malformed_token", "the same; its Rust program refuses it too"),
    ("v2-dl-with-spaces", "serviceradar_invalid_payload", "one program trims the secret, the other does not"),
    (
        "v2-uppercase-keys",
        "serviceradar_invalid_payload",
        "one program takes the members, the other misses them",
    ),
    (
        "v2-duplicate-key",
        "serviceradar_invalid_payload",
        "which of two packages is meant depends on the reader",
    ),
    (
        "v2-unknown-field",
        "serviceradar_invalid_payload",
        "a restriction that a reader does not know, such as `exp`, must not be lost without a word",
    ),
    (
        "v2-http-api",
        "serviceradar_invalid_payload",
        "the download token would travel in the clear; its programs refuse the URL later",
    ),
    ("v2-api-null", "serviceradar_invalid_payload", "absent has one spelling"),
    (
        "no-expiry",
        "serviceradar_invalid_payload",
        "a token without end; ServiceRadar's server refuses it too",
    ),
    (
        "no-url-fallback",
        "serviceradar_invalid_payload",
        "ServiceRadar's server always writes the URL, and wants it",
    ),
    (
        "both-field-sets-cross-type",
        "serviceradar_invalid_payload",
        "the prefix is not signed: one signature would be good for both kinds",
    ),
    (
        "https://u:p@demo.example.com/x?y=1#z",
        "serviceradar_invalid_payload",
        "a password in a URL ends up in logs, and a query would be lost",
    ),
];

fn stricter(name: &str) -> Option<&'static str> {
    STRICTER.iter().find(|(found, _, _)| *found == name).map(|(_, code, _)| *code)
}

fn key() -> Ed25519Key {
    private_key(SEED).unwrap()
}

fn verifier() -> Arc<dyn VerifyingKey> {
    public_key(default_backend().as_ref(), PUBLIC).unwrap()
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn text(case: &Value, name: impl serde_json::value::Index + std::fmt::Display) -> &str {
    case.get(&name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {case}"))
}

/// What a program's `OK {..}` says, or nothing where it refused.
fn accepted(result: &str) -> Option<Value> {
    result.strip_prefix("OK ").map(|members| serde_json::from_str(members).unwrap())
}

#[test]
fn edge_tokens_are_judged_as_the_real_programs_judge_them_or_more_strictly() {
    let Some(path) = real_vectors("serviceradar/edgepkg-tokens.json") else { return };
    let cases = json(&path);
    let mut counts = (0, 0, 0);
    for backend in backends() {
        for case in cases["tokens"].as_array().unwrap() {
            let (name, token) = (text(case, "name"), text(case, "token"));
            let ours = public_key(backend.as_ref(), text(case, "public_key_env"))
                .and_then(|key| EdgeToken::verify(token, key.as_ref()));
            match (accepted(text(&case["results"], "go-head")), stricter(name), ours) {
                (Some(theirs), None, Ok(ours)) => {
                    let api = ours.api().map_or(Value::Null, |api| api.as_str().into());
                    assert_eq!(
                        (ours.package(), ours.download().expose(), api),
                        (text(&theirs, "pkg"), text(&theirs, "dl"), theirs["api"].clone()),
                        "{name}"
                    );
                    assert_eq!(ours.sign(&key()).expose() == token, name != "v2-reordered-keys", "{name}");
                    counts.0 += 1;
                }
                (Some(_), Some(code), Err(error)) => {
                    assert_eq!(error.code().as_str(), code, "{name}");
                    counts.1 += 1;
                }
                (None, None, Err(error)) => {
                    assert_eq!(error.code(), refusal(name), "{name}: {error}");
                    counts.2 += 1;
                }
                (theirs, stricter, ours) => panic!("{name}: {theirs:?}, {stricter:?}, {ours:?}"),
            }
        }
    }
    let each = backends().len();
    assert_eq!(counts, (5 * each, 8 * each, 31 * each));
}

fn refusal(name: &str) -> Code {
    match name {
        "v1-prefix-case" => Code::ServiceradarMalformedToken,
        name if name.starts_with("v1") => Code::ServiceradarUnsignedToken,
        "v2-tampered-payload" | "v2-wrong-key" => Code::ServiceradarBadSignature,
        "v2-missing-pkg" | "v2-missing-dl" | "v2-blank-dl" | "v2-pkg-number" => {
            Code::ServiceradarInvalidPayload
        }
        "v2-key-unset" => Code::UnusableKey,
        _ => Code::ServiceradarMalformedToken,
    }
}

#[test]
fn collector_tokens_are_judged_as_the_real_program_judges_them_or_more_strictly() {
    let Some(path) = real_vectors("serviceradar/collectorpkg-tokens.json") else { return };
    let cases = json(&path);
    let mut counts = (0, 0, 0);
    for case in cases["collector_tokens"].as_array().unwrap() {
        let (name, token) = (text(case, "Name"), text(case, "Token"));
        let ours = CollectorToken::verify(token, verifier().as_ref(), now());
        match (accepted(text(case, "Result")), stricter(name), ours) {
            (Some(theirs), None, Ok(ours)) => {
                let config = ours.config().map_or(Value::Null, |config| config.as_str().into());
                let members =
                    json!({"u": ours.url().as_str(), "p": ours.package(), "t": ours.secret().expose()});
                for name in ["u", "p", "t"] {
                    assert_eq!(members[name], theirs[name], "{name}");
                }
                assert_eq!(theirs["e"], ours.expires_at().unix_millis() / 1000);
                assert_eq!(theirs["f"], config);
                assert_eq!(ours.sign(&key()).expose(), token, "{name}");
                counts.0 += 1;
            }
            (Some(_), Some(code), Err(error)) => {
                assert_eq!(error.code().as_str(), code, "{name}");
                counts.1 += 1;
            }
            (None, None, Err(error)) => {
                let expected = match name {
                    "expired" => Code::ServiceradarExpired,
                    "v1-prefix" => Code::ServiceradarUnsignedToken,
                    _ => Code::ServiceradarInvalidPayload,
                };
                assert_eq!(error.code(), expected, "{name}: {error}");
                counts.2 += 1;
            }
            (theirs, stricter, ours) => panic!("{name}: {theirs:?}, {stricter:?}, {ours:?}"),
        }
    }
    assert_eq!(counts, (2, 3, 7));
}

#[test]
fn urls_are_read_as_the_real_program_reads_them_or_more_strictly() {
    let Some(path) = real_vectors("serviceradar/collectorpkg-tokens.json") else { return };
    let cases = json(&path);
    let mut strict = 0;
    for case in cases["base_urls"].as_array().unwrap() {
        let (input, output) = (text(case, "In"), text(case, "Out"));
        let ours = input.parse::<BaseUrl>();
        if stricter(input).is_some() {
            assert!(ours.is_err() && !output.starts_with("ERR"), "{input}");
            strict += 1;
        } else {
            assert_eq!(ours.is_err(), output.starts_with("ERR"), "{input}");
            assert!(ours.is_err() || ours.unwrap().as_str() == output, "{input}");
        }
    }
    assert_eq!((cases["base_urls"].as_array().unwrap().len(), strict), (8, 1));
}

#[test]
fn a_token_is_the_real_encoders() {
    let Some(path) = real_vectors("serviceradar/edgepkg-tokens.json") else { return };
    let cases = json(&path);
    let api = Some("demo.example.com/".parse().unwrap());
    let token = EdgeToken::new("pkg-123", Secret::new("dl-456".into()), api).unwrap();
    let key = private_key(text(&cases, "private_key_env")).unwrap();
    assert_eq!(token.sign(&key).expose(), text(&cases, "rust_encode_v2"));
}

/// The cases that every language runs; `core/vectors/generate_serviceradar.py` writes them.
fn cases() -> Value {
    serde_json::from_str(include_str!("../vectors/serviceradar/cases.json")).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn edge_tokens_come_out_as_in_every_language() {
    let cases = cases();
    let edge = &cases["edge"];
    for backend in backends() {
        let verifier = public_key(backend.as_ref(), text(&cases["public_keys"], 0)).unwrap();
        for (group, is_made) in [("made", true), ("read", false)] {
            for case in list(edge, group) {
                let api = case["api"].as_str().map(|api| api.parse().unwrap());
                let download = Secret::new(text(case, "download").to_owned());
                let token = EdgeToken::new(text(case, "package"), download, api).unwrap();
                let signed = token.sign(&private_key(text(&cases["private_keys"], 0)).unwrap());
                assert_eq!(signed.expose() == text(case, "token"), is_made, "{case}");
                let verified = EdgeToken::verify(text(case, "token"), verifier.as_ref()).unwrap();
                assert_eq!(verified.into_inner(), token);
            }
        }
        for case in list(edge, "refused") {
            let error = EdgeToken::verify(text(case, "token"), verifier.as_ref()).unwrap_err();
            assert_eq!(error.code().as_str(), text(case, "code"), "{case}: {error}");
        }
    }
    assert_eq!(["made", "read", "refused"].map(|group| list(edge, group).len()), [5, 1, 58]);
}

#[test]
fn collector_tokens_come_out_as_in_every_language() {
    let cases = cases();
    let (collector, now) = (&cases["collector"], text(&cases, "now").parse().unwrap());
    let verifier = public_key(default_backend().as_ref(), text(&cases["public_keys"], 0)).unwrap();
    for (group, is_made) in [("made", true), ("read", false)] {
        for case in list(collector, group) {
            let (url, ends) = (text(case, "url").parse().unwrap(), text(case, "expires_at").parse().unwrap());
            let download = Secret::new(text(case, "download").to_owned());
            let mut token = CollectorToken::new(url, text(case, "package"), download, ends).unwrap();
            if let Some(config) = case["config"].as_str() {
                token = token.with_config(config.parse().unwrap()).unwrap();
            }
            let signed = token.sign(&private_key(text(&cases["private_keys"], 0)).unwrap());
            assert_eq!(signed.expose() == text(case, "token"), is_made, "{case}");
            let verified = CollectorToken::verify(text(case, "token"), verifier.as_ref(), now).unwrap();
            assert_eq!(verified.into_inner(), token);
        }
    }
    for case in list(collector, "refused") {
        let error = CollectorToken::verify(text(case, "token"), verifier.as_ref(), now).unwrap_err();
        assert_eq!(error.code().as_str(), text(case, "code"), "{case}: {error}");
    }
    assert_eq!(["made", "read", "refused"].map(|group| list(collector, group).len()), [2, 1, 23]);
}

#[test]
fn keys_are_base64_of_a_seed_with_or_without_its_public_half() {
    let cases = cases();
    let public = private_key(text(&cases["private_keys"], 0)).unwrap().public();
    for (place, _) in list(&cases, "private_keys").iter().enumerate() {
        assert_eq!(private_key(text(&cases["private_keys"], place)).unwrap().public(), public);
    }
    for (place, _) in list(&cases, "refused_private_keys").iter().enumerate() {
        let wrong = text(&cases["refused_private_keys"], place);
        assert_eq!(private_key(wrong).unwrap_err(), ServiceRadarError::UnusableKey, "{wrong:?}");
    }
    for backend in backends() {
        for (place, _) in list(&cases, "public_keys").iter().enumerate() {
            assert!(public_key(backend.as_ref(), text(&cases["public_keys"], place)).is_ok());
        }
        for (place, _) in list(&cases, "refused_public_keys").iter().enumerate() {
            let wrong = text(&cases["refused_public_keys"], place);
            assert_eq!(
                public_key(backend.as_ref(), wrong).unwrap_err(),
                ServiceRadarError::UnusableKey,
                "{wrong:?}"
            );
        }
    }
}

#[test]
fn a_kind_is_known_by_its_prefix_and_never_taken_for_the_other() {
    let edge = EdgeToken::new("p", Secret::new("d".into()), None).unwrap().sign(&key());
    let ends = "2026-01-02T04:00:00.999Z".parse().unwrap();
    let collector = CollectorToken::new("x.example".parse().unwrap(), "p", Secret::new("t".into()), ends);
    let collector = collector.unwrap().sign(&key());
    assert_eq!(TokenKind::of(edge.expose()), Some(TokenKind::Edge));
    assert_eq!(TokenKind::of(collector.expose()), Some(TokenKind::Collector));
    assert_eq!(TokenKind::of("edgepkg-v1:eyJ9"), Some(TokenKind::Unsigned));
    assert_eq!(TokenKind::of("pkg-001:token"), None);
    let wrong = ServiceRadarError::WrongKind;
    assert_eq!(EdgeToken::verify("collectorpkg-v2:e30.AAAA", verifier().as_ref()).unwrap_err(), wrong);
    assert_eq!(EdgeToken::verify(collector.expose(), verifier().as_ref()).unwrap_err(), wrong);
    assert_eq!(CollectorToken::verify(edge.expose(), verifier().as_ref(), now()).unwrap_err(), wrong);
}

#[test]
fn a_collector_token_ends_at_its_second() {
    let ends: Timestamp = "2026-01-02T04:00:00.999Z".parse().unwrap();
    let token =
        CollectorToken::new("x.example".parse().unwrap(), "p", Secret::new("t".into()), ends).unwrap();
    let text = token.sign(&key());
    let at =
        |text_of: &str| CollectorToken::verify(text.expose(), verifier().as_ref(), text_of.parse().unwrap());
    assert_eq!(at("2026-01-02T03:59:59.999Z").unwrap().expires_at(), "2026-01-02T04:00:00Z".parse().unwrap());
    assert_eq!(at("2026-01-02T04:00:00Z").unwrap_err(), ServiceRadarError::Expired);
}

#[test]
fn nothing_shows_a_secret() {
    let token = EdgeToken::new("p", Secret::new("hunter2".into()), None).unwrap();
    let shown = format!("{token:?} {:?} {:?}", token.sign(&key()), package());
    assert!(
        !shown.contains("hunter2") && !shown.contains("edgepkg") && !shown.contains("join-me"),
        "{shown}"
    );
}

fn package() -> EdgePackage {
    EdgePackage {
        gateway: "edge-7".into(),
        readme: None,
        metadata: json!({"package_id": "p-1", "label": "Edge 7", "selectors": ["unix:uid:0"]}),
        env: EnvFile::new().with("CORE_ADDRESS", Secret::new("core.example:50051".into())).unwrap(),
        join_token: Secret::new("join-me-once".into()),
        bundle: include_str!("../vectors/sns/certificates/intermediate.pem").trim_end().to_owned(),
    }
}

#[test]
fn a_package_has_the_layout_that_its_programs_unpack() {
    let archive = package().archive().unwrap().to_tar_gz().unwrap();
    let mut found = Vec::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(archive.expose())).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        found.push((name, entry.header().mode().unwrap(), content));
    }
    let order: Vec<_> = found.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect();
    assert_eq!(
        order,
        [
            ("spire/", 0o755),
            ("README.txt", 0o600),
            ("metadata.json", 0o600),
            ("edge-gateway.env", 0o600),
            ("spire/upstream-join-token", 0o600),
            ("spire/upstream-bundle.pem", 0o600),
        ]
    );
    let files: BTreeMap<_, _> =
        found.iter().map(|(name, _, content)| (name.as_str(), content.as_str())).collect();
    assert_eq!(files["spire/upstream-join-token"], "join-me-once\n");
    assert_eq!(
        files["spire/upstream-bundle.pem"],
        include_str!("../vectors/sns/certificates/intermediate.pem")
    );
    assert_eq!(files["edge-gateway.env"], "CORE_ADDRESS='core.example:50051'\n");
    assert_eq!(
        files["metadata.json"],
        "{\"label\":\"Edge 7\",\"package_id\":\"p-1\",\"selectors\":[\"unix:uid:0\"]}\n"
    );
    assert!(files["README.txt"].contains("spire/upstream-join-token"));
    assert_eq!(package().file_name().unwrap().as_str(), "edge-package-edge-7.tar.gz");
}

#[test]
fn a_package_holds_nothing_that_its_programs_would_not_take() {
    let root = include_str!("../vectors/sns/certificates/intermediate.pem");
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let wrong = [
        EdgePackage { join_token: Secret::new("two\nlines".into()), ..package() },
        EdgePackage { join_token: Secret::new(String::new()), ..package() },
        EdgePackage { bundle: String::new(), ..package() },
        EdgePackage { bundle: format!("{root}{key}"), ..package() },
        EdgePackage { bundle: root.repeat(100), ..package() },
        EdgePackage { metadata: json!([1]), ..package() },
        EdgePackage { metadata: json!({"share": 0.5}), ..package() },
        EdgePackage { metadata: json!({"notes": [{"$secret": "hunter2"}]}), ..package() },
    ];
    for package in wrong {
        assert_eq!(package.archive().unwrap_err().code(), Code::ServiceradarInvalidPackage, "{package:?}");
    }
    for gateway in ["", "../x", "a b", "a/b", &"x".repeat(64)] {
        assert!(EdgePackage { gateway: gateway.into(), ..package() }.file_name().is_err(), "{gateway}");
    }
}

proptest! {
    #[test]
    fn any_damage_to_a_token_is_found(place in any::<prop::sample::Index>(), character in any::<char>()) {
        let token = EdgeToken::new("p-1", Secret::new("d-1".into()), Some("x.example".parse().unwrap())).unwrap();
        let mut text: Vec<char> = token.sign(&key()).expose().chars().collect();
        let place = place.index(text.len());
        prop_assume!(text[place] != character);
        text[place] = character;
        let text: String = text.into_iter().collect();
        prop_assert!(EdgeToken::verify(&text, verifier().as_ref()).is_err());
    }

    #[test]
    fn what_is_written_is_read(package in "[!#-%'-;=?-\\[\\]-~]{1,80}", download in "[A-Za-z0-9_-]{1,64}") {
        let token = EdgeToken::new(&package, Secret::new(download), None).unwrap();
        prop_assert_eq!(EdgeToken::verify(token.sign(&key()).expose(), verifier().as_ref()).unwrap().into_inner(), token);
    }
}
