//! Bundles of trust domains, and what a SPIRE server is asked and answers.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use handfast::{
    Code, Secret, Timestamp,
    jwt::{Algorithm, SigningKey},
    record::SpireEntry,
    spire::{
        AliasEntry, Bundle, BundleReply, Entry, EntryId, Found, JoinTokenRequest, JwtKey, Outcome, Selector,
        SpiffeId, StatusCode, TrustDomain, X509Certificate,
    },
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use x509_cert::{Certificate, der::Encode as _};

const AUTHORITY: &str = include_str!("../vectors/sns/certificates/intermediate.pem");
const LEAF: &str = include_str!("../vectors/sns/certificates/leaf.pem");

fn domain() -> TrustDomain {
    "example.org".parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    Certificate::load_pem_chain(pem.as_bytes()).unwrap()[0].to_der().unwrap()
}

/// A JWT authority as SPIRE gives it: a DER SubjectPublicKeyInfo.
fn jwt_key() -> Vec<u8> {
    let key = SigningKey::generate(Algorithm::Es256, &mut StdRng::seed_from_u64(1)).unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    let secret = <p256::SecretKey as p256::pkcs8::DecodePrivateKey>::from_pkcs8_pem(pem.expose()).unwrap();
    p256::pkcs8::EncodePublicKey::to_public_key_der(&secret.public_key()).unwrap().as_bytes().to_vec()
}

fn bundle() -> Bundle {
    let bundle = Bundle::new(domain()).with_x509_authority(&der(AUTHORITY)).unwrap();
    let bundle = bundle.with_jwt_authority("k1", &jwt_key()).unwrap();
    bundle.with_sequence(7).unwrap().with_refresh_hint_seconds(300)
}

#[test]
fn a_bundle_is_the_same_in_json_and_in_pem() {
    let text = bundle().to_json();
    let read = Bundle::from_json(domain(), &text).unwrap();
    assert_eq!((read.sequence(), read.refresh_hint_seconds()), (Some(7), Some(300)));
    assert_eq!(read.x509_authorities()[0].der(), der(AUTHORITY));
    assert_eq!(
        (read.jwt_authorities()[0].key_id(), read.jwt_authorities()[0].public_key()),
        ("k1", &*jwt_key())
    );
    assert_eq!(read.to_json(), text);
    let document: Value = serde_json::from_str(&text).unwrap();
    let uses: Vec<_> = document["keys"].as_array().unwrap().iter().map(|key| key["use"].clone()).collect();
    assert_eq!(uses, ["x509-svid", "jwt-svid"]);
    let pem = Bundle::from_pem(domain(), &read.to_pem()).unwrap();
    assert_eq!(pem.x509_authorities()[0].der(), der(AUTHORITY));
    assert!(pem.jwt_authorities().is_empty());
}

#[test]
fn what_no_reader_should_trust_is_refused() {
    let code = |text: &str| Bundle::from_json(domain(), text).unwrap_err().code();
    let mut document: Value = serde_json::from_str(&bundle().to_json()).unwrap();
    assert_eq!(code("{}"), Code::SpireMalformedBundle);
    assert_eq!(code(r#"{"keys": [], "keys": []}"#), Code::SpireMalformedBundle, "a member twice");
    assert_eq!(code(&format!("{{\"keys\": [{}]}}", " ".repeat(2_000_000))), Code::TooLarge);
    document["keys"][1]["d"] = json!("hunter2");
    let error = Bundle::from_json(domain(), &document.to_string()).unwrap_err();
    assert!(error.code() == Code::JwkPrivate && !error.to_string().contains("hunter2"), "{error}");
    let mut document: Value = serde_json::from_str(&bundle().to_json()).unwrap();
    document["keys"][0]["n"] = json!("AQAB");
    assert_eq!(
        code(&document.to_string()),
        Code::SpireUnusableAuthority,
        "another key than its certificate's"
    );
    for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", LEAF] {
        assert!(Bundle::from_pem(domain(), pem).is_err(), "{pem}");
    }
}

#[test]
fn a_bundle_of_the_server_is_taken_without_what_is_tainted_or_over() {
    let key = |id: &str, expires_at, tainted| JwtKey {
        public_key: jwt_key(),
        key_id: id.into(),
        expires_at,
        tainted,
    };
    let certificate = |tainted| X509Certificate { asn1: der(AUTHORITY), tainted };
    let reply = BundleReply {
        trust_domain: "example.org".into(),
        x509_authorities: vec![certificate(false)],
        jwt_authorities: vec![
            key("good", 0, false),
            key("over", 1_767_322_000, false),
            key("tainted", 0, true),
        ],
        refresh_hint: 0,
        sequence_number: 3,
    };
    let now = at("2026-01-02T03:04:05Z");
    let bundle = reply.clone().into_bundle(domain(), now).unwrap();
    let ids: Vec<_> = bundle.jwt_authorities().iter().map(handfast::spire::JwtAuthority::key_id).collect();
    assert_eq!((ids, bundle.x509_authorities().len(), bundle.sequence()), (vec!["good"], 1, Some(3)));
    let tainted = BundleReply { x509_authorities: vec![certificate(true)], ..reply.clone() };
    assert!(tainted.into_bundle(domain(), now).unwrap().x509_authorities().is_empty());
    assert!(reply.into_bundle("other.org".parse().unwrap(), now).is_err(), "of another trust domain");
}

fn entry() -> Entry {
    let id: EntryId = format!("handfast-{}", "0a".repeat(16)).parse().unwrap();
    let selectors: BTreeSet<Selector> = ["unix:uid:1000".parse().unwrap()].into();
    let (spiffe_id, parent) = ("spiffe://example.org/edge/1", "spiffe://example.org/spire/server");
    Entry::new(id, spiffe_id.parse().unwrap(), parent.parse().unwrap(), selectors)
}

#[test]
fn an_entry_is_what_the_api_has() {
    let written = serde_json::to_value(Entry { downstream: true, ..entry() }).unwrap();
    assert_eq!(written["spiffe_id"], json!({"trust_domain": "example.org", "path": "/edge/1"}));
    assert_eq!(written["selectors"], json!([{"type": "unix", "value": "uid:1000"}]));
    assert_eq!((&written["downstream"], &written["admin"]), (&json!(true), &json!(false)));
    let read: Entry = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read, Entry { downstream: true, ..entry() });
    assert!(entry().id.is_of("handfast") && !entry().id.is_of("hand") && !entry().id.is_of("other"));
    assert!(entry().check().is_ok());
    let other_domain = "spiffe://other.org/a".parse().unwrap();
    let wrong = [
        Entry { parent_id: other_domain, ..entry() },
        Entry { spiffe_id: "spiffe://example.org/spire/agent/x".parse().unwrap(), ..entry() },
        Entry { selectors: BTreeSet::new(), ..entry() },
        Entry { x509_svid_ttl: u32::MAX, ..entry() },
        Entry { dns_names: vec!["UPPER.example".into()], ..entry() },
    ];
    for entry in wrong {
        assert_eq!(entry.check().unwrap_err().code(), Code::SpireInvalidRequest, "{entry:?}");
    }
}

#[test]
fn an_answer_says_what_has_become_of_the_work() {
    let (ours, wanted) = (entry(), entry());
    let found = |entry| Found::Entry(Box::new(entry));
    let altered = Entry { hint: "changed".into(), ..entry() };
    let theirs = Entry { id: "somebody-elses".parse().unwrap(), ..entry() };
    for (status, found, outcome) in [
        (StatusCode::Ok, Found::Nothing, Outcome::Done),
        (StatusCode::AlreadyExists, found(ours), Outcome::Done),
        (StatusCode::AlreadyExists, found(altered), Outcome::Altered),
        (StatusCode::AlreadyExists, found(theirs), Outcome::Collision),
        (StatusCode::AlreadyExists, Found::Nothing, Outcome::Altered),
        (StatusCode::AlreadyExists, Found::Foreign, Outcome::Collision),
        (StatusCode::PermissionDenied, Found::Nothing, Outcome::Refused),
        (StatusCode::Unavailable, Found::Nothing, Outcome::Unknown),
        (StatusCode::from_number(99), Found::Nothing, Outcome::Unknown),
    ] {
        assert_eq!(Outcome::of_created_entry(status, &wanted, &found), outcome, "{status:?} {found:?}");
    }
    assert_eq!(Outcome::of_deleted_entry(StatusCode::NotFound), Outcome::Done, "what is not there is gone");
    assert_eq!(Outcome::of_deleted_entry(StatusCode::DeadlineExceeded), Outcome::Unknown);
    let taken = "UNIQUE constraint failed: join_tokens.token";
    assert_eq!(Outcome::of_join_token(StatusCode::Internal, taken), Outcome::Done);
    assert_eq!(Outcome::of_join_token(StatusCode::Internal, "disk full"), Outcome::Unknown);
}

#[test]
fn a_join_token_is_of_our_own_value_and_never_lives_longer_than_asked() {
    let now = at("2026-01-02T03:04:05.500Z");
    let request =
        |token: &str, until: &str| JoinTokenRequest::new(Secret::new(token.into()), at(until), now, None);
    let made = request("0188-abcd", "2026-01-02T03:05:05Z").unwrap();
    assert_eq!((made.token().expose(), made.ttl(), made.agent_id()), ("0188-abcd", 59, None));
    assert!(!format!("{made:?}").contains("0188-abcd"), "{made:?}");
    assert!(request("0188-abcd", "2026-01-02T03:04:06Z").is_err(), "less than a second");
    assert!(request("a/b", "2026-01-02T03:05:05Z").is_err(), "no segment of an id");
}

#[test]
fn an_alias_names_the_agent_and_shows_the_token_to_nobody() {
    let token = Secret::new("0f5f1ee5-7a83-4a4b-9b5c-0123456789ab".into());
    let id: EntryId = format!("handfast-{}", "0a".repeat(16)).parse().unwrap();
    let alias = AliasEntry::new(id.clone(), "spiffe://example.org/edge/1".parse().unwrap(), &token).unwrap();
    let parent = format!("spiffe://example.org/spire/agent/join_token/{}", token.expose());
    let entry = alias.expose();
    assert_eq!(entry.parent_id.as_str(), parent);
    let selectors: Vec<_> =
        entry.selectors.iter().map(|selector| (selector.kind(), selector.value())).collect();
    assert_eq!(selectors, [("spiffe_id", &*parent)]);
    assert!(!format!("{alias:?}").contains(token.expose()), "{alias:?}");
    let longest = format!("spiffe://{}/edge/1", "a".repeat(255)).parse().unwrap();
    assert!(AliasEntry::new(id.clone(), longest, &token).is_ok());
    for (spiffe_id, token) in [("spiffe://example.org/edge/1", "a/b"), ("spiffe://example.org/spire/x", "a")]
    {
        let error = AliasEntry::new(id.clone(), spiffe_id.parse().unwrap(), &Secret::new(token.into()));
        assert_eq!(error.unwrap_err().code(), Code::SpireInvalidRequest, "{spiffe_id} {token}");
    }
}

#[test]
fn answers_are_read_as_protobuf_libraries_write_them() {
    let written = json!({
        "id": "a", "spiffe_id": {"trust_domain": "example.org", "path": "/a"},
        "parent_id": {"trust_domain": "example.org", "path": "/b"}, "selectors": [{"type": "unix", "value": "uid:1"}],
        "expires_at": "1700000000", "revision_number": "3", "created_at": "1600000000", "of_a_later_server": true,
    });
    let read = |written: Value| match Found::from_value(written, "found").unwrap() {
        Found::Entry(entry) => *entry,
        other @ (Found::Nothing | Found::Foreign) => panic!("{other:?}"),
    };
    let entry = read(written.clone());
    assert!(Entry::from_value(written, "wanted").is_err(), "whoever writes one is told of every slip");
    let (other, name) = ("other.org".parse().unwrap(), "a.example.org".to_owned());
    let full = Entry {
        x509_svid_ttl: 1,
        jwt_svid_ttl: 2,
        federates_with: [other].into(),
        admin: true,
        ..entry.clone()
    };
    let full = Entry { downstream: true, dns_names: vec![name], store_svid: true, hint: "h".into(), ..full };
    assert_eq!(read(serde_json::to_value(&full).unwrap()), full, "every field is looked at");
    assert_eq!(read(camel(serde_json::to_value(&full).unwrap())), full, "under either name");
    assert_eq!((entry.expires_at, entry.x509_svid_ttl, entry.admin), (1_700_000_000, 0, false));
    let certificate = data_encoding::BASE64.encode(&der(AUTHORITY));
    let url_safe = data_encoding::BASE64URL_NOPAD.encode(&jwt_key());
    let reply = json!({
        "trust_domain": "example.org", "x509_authorities": [{"asn1": certificate}], "sequence_number": "7",
        "jwt_authorities": [{"public_key": url_safe, "key_id": "k1", "expires_at": "1900000000"}], "refresh_hint": 300,
    });
    let reply: BundleReply = serde_json::from_value(reply).unwrap();
    assert_eq!(reply.into_bundle(domain(), at("2026-01-02T03:04:05Z")).unwrap(), bundle());
    for (member, wrong) in
        [("refresh_hint", json!("1e3")), ("sequence_number", json!("-1")), ("sequence_number", json!(1.5))]
    {
        assert!(serde_json::from_value::<BundleReply>(json!({member: wrong})).is_err(), "{member} {wrong}");
    }
    assert!(serde_json::from_value::<X509Certificate>(json!({"asn1": "_+"})).is_err());
}

/// As most protobuf libraries write JSON unless they are told to keep the names of the proto.
fn camel(value: Value) -> Value {
    let rename = |name: &str| {
        let mut upper = false;
        let renamed = name.chars().filter_map(|letter| {
            let was_upper = std::mem::replace(&mut upper, letter == '_');
            (letter != '_').then(|| if was_upper { letter.to_ascii_uppercase() } else { letter })
        });
        renamed.collect::<String>()
    };
    match value {
        Value::Array(items) => items.into_iter().map(camel).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (rename(&name), camel(member))).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// A slip of the executor is an error that says where, and not the token that may stand there.
#[test]
fn slips_are_told_without_what_was_found() {
    let cases: Value = serde_json::from_str(include_str!("../vectors/spire/cases.json")).unwrap();
    let token = cases["alias"]["token"].as_str().unwrap();
    for case in cases["slips"].as_array().unwrap() {
        let read = Entry::from_value(case["wanted"].clone(), "wanted").map(|_| Found::Nothing);
        let found = Some(&case["found"]).filter(|found| !found.is_null());
        let read = read.and_then(|_| {
            found.map_or(Ok(Found::Nothing), |found| Found::from_value(found.clone(), "found"))
        });
        let error = read.expect_err(&case["note"].to_string());
        let path = case["path"].as_str().unwrap();
        assert!(error.to_string().starts_with(&format!("{path}: ")), "{error} ({})", case["note"]);
        assert_eq!(error.code(), Code::InvalidInput, "{}", case["note"]);
        assert!(!format!("{error} {error:?}").contains(token), "{}", case["note"]);
    }
}

#[test]
fn names_have_one_spelling_in_every_language() {
    let cases: Value = serde_json::from_str(include_str!("../vectors/spire/cases.json")).unwrap();
    let each = |group: &str| cases["names"][group].as_array().unwrap().clone();
    for case in each("trust_domains") {
        let read = case["text"].as_str().unwrap().parse::<TrustDomain>();
        assert_eq!(json!(read.is_ok()), case["valid"], "{case}");
    }
    for case in each("ids") {
        let id = case["text"].as_str().unwrap().parse::<SpiffeId>().ok();
        let parts = id.map(|id| json!({"trust_domain": id.trust_domain(), "path": id.path()}));
        assert_eq!(json!(parts), case["parts"], "{case}");
    }
    for case in each("selectors") {
        let selector = case["text"].as_str().unwrap().parse::<Selector>().ok();
        let parts = selector.map(|selector| json!({"type": selector.kind(), "value": selector.value()}));
        assert_eq!(json!(parts), case["parts"], "{case}");
    }
}

/// The same cases as in every language.
#[test]
fn the_cases_come_out_as_in_every_language() {
    let cases: Value = serde_json::from_str(include_str!("../vectors/spire/cases.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = |value: &Value| value.as_array().unwrap().clone();
    let now = at(cases["now"].as_str().unwrap());
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);

    for case in each(&cases["bundles"]["made"]) {
        let bundle = Bundle::from_json(domain(), &text(&case["json"])).unwrap();
        assert_eq!(
            (json!(bundle.to_json()), json!(bundle.to_pem())),
            (case["json"].clone(), case["pem"].clone())
        );
        let x509: Vec<_> =
            bundle.x509_authorities().iter().map(|authority| base64(authority.der())).collect();
        let jwt = bundle.jwt_authorities().iter();
        let jwt: serde_json::Map<_, _> =
            jwt.map(|authority| (authority.key_id().into(), base64(authority.public_key()).into())).collect();
        assert_eq!(
            (json!(x509), json!(jwt)),
            (case["x509_authorities"].clone(), case["jwt_authorities"].clone())
        );
        let numbers = (json!(bundle.sequence()), json!(bundle.refresh_hint_seconds()));
        assert_eq!(numbers, (case["sequence"].clone(), case["refresh_hint_seconds"].clone()));
        let pem = Bundle::from_pem(domain(), &text(&case["pem"])).unwrap();
        assert_eq!(pem.x509_authorities(), bundle.x509_authorities());
    }
    for case in each(&cases["bundles"]["read"]) {
        let bundle = Bundle::from_json(domain(), &text(&case["json"])).unwrap();
        assert_eq!(bundle.to_json(), text(&case["expected"]), "{}", case["note"]);
    }
    for case in each(&cases["bundles"]["refused"]) {
        let read = match case["json"].as_str() {
            Some(json) => Bundle::from_json(domain(), json),
            None => Bundle::from_pem(domain(), &text(&case["pem"])),
        };
        let code = read.err().map(|error| error.code().as_str());
        assert_eq!(json!(code), case["code"], "{}", case["note"]);
    }
    for case in each(&cases["bundles"]["replies"]) {
        let reply: Result<BundleReply, _> = handfast::vocabulary::from_value(case["reply"].clone(), "reply");
        let read = reply.map_err(|error| error.code());
        let read = read.and_then(|reply| reply.into_bundle(domain(), now).map_err(|error| error.code()));
        match case["code"].as_str() {
            Some(code) => assert_eq!(read.unwrap_err().as_str(), code, "{}", case["note"]),
            None => assert_eq!(read.unwrap().to_json(), text(&case["json"]), "{}", case["note"]),
        }
    }

    let read = |given: &Value| -> Result<Entry, Code> {
        let entry: SpireEntry =
            handfast::vocabulary::from_value(given.clone(), "entry").map_err(|error| error.code())?;
        let entry = entry.to_entry();
        entry.check().map(|()| entry).map_err(|error| error.code())
    };
    for case in each(&cases["entries"]["made"]) {
        assert_eq!(serde_json::to_value(read(&case["entry"]).unwrap()).unwrap(), case["expected"]);
    }
    for case in each(&cases["entries"]["refused"]) {
        assert_eq!(read(&case["entry"]).unwrap_err().as_str(), case["code"], "{}", case["note"]);
    }
    let alias = &cases["alias"];
    let make = |id: &Value, token: &Value| {
        let id = id.as_str().unwrap().parse().unwrap();
        AliasEntry::new(alias["id"].as_str().unwrap().parse().unwrap(), id, &Secret::new(text(token)))
    };
    let made = make(&alias["spiffe_id"], &alias["token"]).unwrap();
    assert_eq!(serde_json::to_value(made.expose()).unwrap(), alias["expected"]);
    for case in each(&alias["refused"]) {
        let error = make(&case["spiffe_id"], &case["token"]).unwrap_err();
        assert_eq!(error.code(), Code::SpireInvalidRequest, "{case}");
    }
    for case in each(&cases["join_tokens"]) {
        let token = Secret::new(text(&alias["token"]));
        let request = JoinTokenRequest::new(token, at(case["expires_at"].as_str().unwrap()), now, None);
        assert_eq!(json!(request.ok().map(|request| request.ttl())), case["ttl"], "{case}");
    }

    let outcomes = &cases["outcomes"];
    let status =
        |case: &Value| StatusCode::from_number(i32::try_from(case["status"].as_i64().unwrap()).unwrap());
    let wanted: Entry = serde_json::from_value(outcomes["wanted"].clone()).unwrap();
    for case in each(&outcomes["created"]) {
        let found = Some(&case["found"]).filter(|found| !found.is_null());
        let found = found.map_or(Found::Nothing, |found| Found::from_value(found.clone(), "found").unwrap());
        assert_eq!(
            Outcome::of_created_entry(status(&case), &wanted, &found).as_str(),
            case["outcome"],
            "{case}"
        );
    }
    for case in each(&outcomes["join_token"]) {
        let outcome = Outcome::of_join_token(status(&case), case["message"].as_str().unwrap());
        assert_eq!(outcome.as_str(), case["outcome"], "{case}");
    }
    for case in each(&outcomes["deleted"]) {
        assert_eq!(Outcome::of_deleted_entry(status(&case)).as_str(), case["outcome"], "{case}");
    }
}
