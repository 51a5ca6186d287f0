//! `vectors/choria/cases.json`, which every language runs; made without handfast.

use handfast::{
    Code, Secret, Timestamp,
    choria::{
        AnyClaims, Broker, ChoriaError, Client, HexKey, Issuer, IssuerKey, Provisioning, Purpose, Server,
        Terms, inspect, verify, verify_as,
    },
    crypto::default_backend,
};
use rand::{SeedableRng, rngs::StdRng};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    Replay, at, cases, list, payload, signed_payload,
    support::{backends, hex_of},
    text,
};

fn claims<T: DeserializeOwned>(case: &Value) -> T {
    serde_json::from_value(case["claims"].clone()).unwrap_or_else(|error| panic!("{error}: {case}"))
}

fn terms(case: &Value) -> Terms {
    let terms = &case["terms"];
    Terms {
        at: at(text(terms, "at")),
        expires_at: at(text(terms, "expires_at")),
        public_key: terms["public_key"].as_str().map(|key| key.parse().unwrap()),
    }
}

/// Signs the claims of a case.
fn issue(case: &Value, organisation: &IssuerKey, now: Timestamp) -> Result<Secret, ChoriaError> {
    let issuer = Issuer::from_seed(&Secret::new(text(case, "seed").to_owned()))?;
    let (terms, rng) = (terms(case), &mut Replay(hex_of(case, "entropy")));
    if let Some(appointment) = case["appointment"].as_str() {
        let chain = issuer.appointed(&verify::<Client>(organisation, appointment, now)?)?;
        return match text(case, "kind") {
            "server" => chain.issue(&claims::<Server>(case), &terms, rng),
            "client" => chain.issue(&claims::<Client>(case), &terms, rng),
            other => panic!("{other}"),
        };
    }
    match text(case, "kind") {
        "provisioning" => issuer.issue(&claims::<Provisioning>(case), &terms, rng),
        "server" => issuer.issue(&claims::<Server>(case), &terms, rng),
        "client" => issuer.issue(&claims::<Client>(case), &terms, rng),
        "appointment" => issuer.appoint(&claims(case), &terms, rng),
        other => panic!("{other}"),
    }
}

#[test]
fn tokens_are_made_to_the_byte_and_read_back() {
    let cases = cases();
    let now = at(text(&cases, "now"));
    for backend in backends() {
        let organisation = IssuerKey::read(text(&cases, "organisation"), backend).unwrap();
        for case in list(&cases, "issued") {
            let token = issue(case, &organisation, now).unwrap_or_else(|error| panic!("{error}: {case}"));
            assert_eq!(token.expose(), text(case, "token"), "{}", case["name"]);
            let kind = text(case, "kind").replace("appointment", "client");
            let read = payload(&kind, &organisation, token.expose(), now).unwrap();
            assert_eq!(read.expose(), signed_payload(token.expose()), "what is read is written as it was");
            let again: Value = serde_json::from_str(read.expose()).unwrap();
            assert_eq!(again, case["payload"]);
        }
    }
    assert_eq!(list(&cases, "issued").len(), 8);
}

#[test]
fn what_nobody_could_use_is_not_issued() {
    let cases = cases();
    let organisation = IssuerKey::read(text(&cases, "organisation"), default_backend()).unwrap();
    let good = &list(&cases, "issued")[2];
    for refused in list(&cases, "refused_to_issue") {
        let mut case = good.clone();
        case["kind"] = refused["kind"].clone();
        case["claims"] = refused["claims"].clone();
        let error = issue(&case, &organisation, at(text(&cases, "now"))).expect_err(&refused.to_string());
        assert_eq!(error.code().as_str(), text(refused, "code"), "{refused}");
        assert!(!error.to_string().contains("s3cret"));
    }
    assert_eq!(list(&cases, "refused_to_issue").len(), 12);
}

#[test]
fn tokens_of_others_are_judged() {
    let cases = cases();
    let now = at(text(&cases, "now"));
    for backend in backends() {
        for case in list(&cases, "verified") {
            let key = IssuerKey::read(text(case, "key"), std::sync::Arc::clone(&backend)).unwrap();
            let code =
                payload(text(case, "kind"), &key, text(case, "token"), now).err().map(ChoriaError::code);
            assert_eq!(code.map(Code::as_str), case["code"].as_str(), "{}", case["note"]);
        }
    }
    let (good, bad): (Vec<_>, Vec<_>) =
        list(&cases, "verified").iter().partition(|case| case["code"].is_null());
    assert_eq!((good.len(), bad.len()), (17, 53));
}

#[test]
fn keys_have_one_form() {
    let cases = cases();
    for key in list(&cases, "refused_keys") {
        let error = IssuerKey::read(key.as_str().unwrap(), default_backend()).expect_err(&key.to_string());
        assert_eq!(error.code(), Code::ChoriaUnusableKey);
    }
    let issued = list(&cases, "issued");
    let seed = text(&issued[0], "seed");
    let upper = text(&issued[5], "seed").to_uppercase();
    for wrong in [text(&issued[0], "entropy"), upper.as_str(), ""] {
        assert!(Issuer::from_seed(&Secret::new(wrong.to_owned())).is_err());
    }
    let issuer = Issuer::from_seed(&Secret::new(format!("{seed}\n"))).unwrap();
    assert_eq!(issuer.public_key().to_string(), text(&cases, "organisation"));
    assert_eq!(issuer.seed().expose(), seed);
    assert!(!format!("{issuer:?}").contains(seed));
    for name in ["", "I-", "C-a.b"] {
        assert!(issuer.clone().named(name).is_err());
    }
}

#[test]
fn a_look_at_a_token_proves_and_shows_nothing() {
    let cases = cases();
    let issued = list(&cases, "issued");
    let token = inspect(text(&issued[1], "token")).unwrap();
    let AnyClaims::Provisioning(claims) = token.claims() else { panic!("{token:?}") };
    assert_eq!(claims.broker(), Ok(Broker::Srv("example.net")));
    assert_eq!(claims.srv_record().unwrap(), "_choria-provisioner._tcp.example.net");
    assert_eq!(claims.token.expose(), "s3cret");
    let shown = format!("{token:?}{}", serde_json::to_string(&token).unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("n4ts"), "{shown}");
    let shown = serde_json::to_value(&token).unwrap();
    assert_eq!(shown["claims"]["type"], "provisioning");
    assert_eq!(shown["expires_at"], "2026-01-03T03:04:05.000Z");

    assert_eq!(shown["claims"]["extensions"], json!({"customer": "[redacted]", "deep": "[redacted]"}));

    let telling = text(&cases, "telling");
    let token = inspect(telling).unwrap();
    let shown = serde_json::to_value(&token).unwrap();
    assert_eq!(shown["claims"]["urls"], json!(["nats://a.example.net:4222", "nats://b.example.net"]));
    assert_eq!(shown["claims"]["extensions"], json!({"db_password": "[redacted]"}));
    let organisation = IssuerKey::read(text(&cases, "organisation"), default_backend()).unwrap();
    let verified = verify::<Provisioning>(&organisation, telling, at(text(&cases, "now"))).unwrap();
    assert_eq!(
        verified.claims.urls[0].expose(),
        "nats://ann:hunter2@a.example.net:4222",
        "nodes need all of it"
    );
    assert_eq!(verified.to_json().expose(), signed_payload(telling));
    let shown = format!("{token:?}{shown}{:?}", handfast::inspect::inspect(telling));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!format!("{:?}", verified.claims.broker()).contains("hunter2"));

    let unfit = list(&cases, "verified").iter().find(|case| case["code"] == "choria_two_brokers").unwrap();
    assert!(inspect(text(unfit, "token")).is_ok(), "what is wrong with a token can be seen");
}

#[test]
fn an_issuer_stays_within_its_time_and_its_office() {
    let cases = cases();
    let issued = list(&cases, "issued");
    let now = at(text(&cases, "now"));
    let issuer = |case: &Value| Issuer::from_seed(&Secret::new(text(case, "seed").to_owned())).unwrap();
    let organisation = issuer(&issued[0]);
    let node: HexKey = text(&issued[2]["terms"], "public_key").parse().unwrap();
    let rng = &mut StdRng::seed_from_u64(1);
    let terms = |seconds| Terms { at: now, expires_at: now.plus_seconds(seconds), public_key: Some(node) };
    let server: Server = claims(&issued[2]);

    let code = |result: Result<Secret, ChoriaError>| result.map(drop).map_err(ChoriaError::code);
    for seconds in [0, 6 * 366 * 86400] {
        assert_eq!(code(organisation.issue(&server, &terms(seconds), rng)), Err(Code::ChoriaValidity));
    }
    let keyless = Terms { public_key: None, ..terms(60) };
    assert_eq!(code(organisation.issue(&server, &keyless, rng)), Err(Code::ChoriaInvalidClaim));
    let client = Client::new("up=login".to_owned());
    assert_eq!(code(organisation.appoint(&client, &keyless, rng)), Err(Code::ChoriaInvalidClaim));

    let key = IssuerKey::ed25519(organisation.public_key(), default_backend()).unwrap();
    let appointment = verify::<Client>(&key, text(&issued[7], "token"), now).unwrap();
    assert!(organisation.clone().appointed(&appointment).is_err(), "another key was appointed");
    let plain = verify::<Client>(&key, text(&issued[3], "token"), now).unwrap();
    assert!(issuer(&issued[5]).appointed(&plain).is_err(), "an ordinary client appoints nobody");

    let chain = issuer(&issued[5]).appointed(&appointment).unwrap();
    let provisioning: Provisioning = claims(&issued[0]);
    assert_eq!(code(chain.issue(&provisioning, &terms(60), rng)), Err(Code::ChoriaNotAnIssuer));
    let long = chain.issue(&server, &terms(7 * 86400), rng).unwrap();
    let long = verify::<Server>(&key, long.expose(), now).unwrap();
    assert_eq!(long.standard.expires_at, appointment.standard.expires_at, "no longer than the issuer's own");
    let late = Terms { at: at("2026-01-03T03:04:05Z"), ..terms(0) };
    assert_eq!(code(chain.issue(&server, &late, rng)), Err(Code::ChoriaValidity));
}

#[test]
fn given_claims_have_no_unknown_members() {
    let error = serde_json::from_value::<Server>(json!({"identity": "a", "colectives": []})).unwrap_err();
    assert!(error.to_string().starts_with("unknown field `colectives`"));
    let wrong = json!({"identity": "a", "permissions": {"stream": true}});
    assert!(serde_json::from_value::<Server>(wrong).is_err());
}

#[test]
fn kinds_may_be_values() {
    let cases = cases();
    let now = at(text(&cases, "now"));
    let organisation = IssuerKey::read(text(&cases, "organisation"), default_backend()).unwrap();
    for case in list(&cases, "issued").iter().filter(|case| case["kind"] != "appointment") {
        let mut given = case["claims"].clone();
        given["type"] = case["kind"].clone();
        let claims = AnyClaims::from_value(given).unwrap();
        let purpose = text(case, "kind").parse().unwrap();
        let token = verify_as(purpose, &organisation, text(case, "token"), now).unwrap();
        assert_eq!((token.claims.purpose(), &token.claims), (purpose, &claims));
        assert_eq!(token.to_json().expose(), signed_payload(text(case, "token")));
        assert_eq!(token.provisioning().is_ok(), purpose == Purpose::Provisioning);

        let rng = &mut Replay(hex_of(case, "entropy"));
        let issuer = Issuer::from_seed(&Secret::new(text(case, "seed").to_owned())).unwrap();
        let issued = match case["appointment"].as_str() {
            None => issuer.issue_any(&claims, &terms(case), rng),
            Some(appointment) => {
                let appointment = verify_as(Purpose::Client, &organisation, appointment, now).unwrap();
                issuer.appointed(&appointment).unwrap().issue_any(&claims, &terms(case), rng)
            }
        };
        assert_eq!(issued.unwrap().expose(), text(case, "token"));
    }
    for (wrong, message) in [
        (json!({"type": "user"}), "type: expected one of"),
        (json!({"type": "server", "identity": 7}), "identity: invalid type"),
    ] {
        let error = AnyClaims::from_value(wrong).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
