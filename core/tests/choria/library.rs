//! What Choria's own library answered, case by case, and tokens and keys from its projects.

use std::collections::BTreeSet;

use handfast::{
    Code,
    choria::{AnyClaims, HexKey, IssuerKey, Purpose, UnverifiedToken, inspect},
    crypto::default_backend,
};
use serde_json::{Value, json};

use crate::{
    at, payload, signed_payload,
    support::{json, real_vectors},
};

const NOW: &str = "2026-04-01T00:00:00Z";

/// What handfast refuses and the library does not, and why that is right. `Look` is reading without verifying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Verify,
    Look,
}

const STRICTER: [(Act, &str, Code, &str); 5] = [
    (
        Act::Verify,
        "prov-trailing-newline",
        Code::JwtEncoding,
        "one token has one spelling: a list of banned tokens would not find the other; whoever reads a file trims it",
    ),
    (Act::Look, "prov-trailing-newline", Code::JwtEncoding, "the same"),
    (
        Act::Verify,
        "prov-both-srv-and-urls",
        Code::ChoriaTwoBrokers,
        "no node can use it: go-choria refuses it on the node with `both srv domain and URLs supplied`",
    ),
    (
        Act::Verify,
        "prov-iat-future",
        Code::JwtIssuedAhead,
        "only a wrong clock or a forger writes the future; the library's version before 2026 refused it, too",
    ),
    (
        Act::Look,
        "prov-alg-none",
        Code::JwtUnsigned,
        "a token that says it needs no signature is an attack, and that is what there is to be said of it",
    ),
];

/// Spellings of a key that handfast refuses and Choria's command takes (`tests/peers/choria.rs` asks it), and why that is
/// right.
const STRICTER_KEYS: [(&str, &str); 3] = [
    (
        "a key file in capitals",
        "a key has one spelling, so that it is found where it is looked for as a text; Choria's own commands write small \
         letters",
    ),
    (
        "a `public_key` in capitals",
        "whose token it is would depend on the spelling: a ban or an inventory would not find the other one",
    ),
    ("a PEM file with two certificates", "which of them is believed would depend on their order"),
];

#[test]
fn a_key_has_one_spelling_and_stands_alone() {
    let cases = crate::cases();
    let capitals = crate::text(&cases, "organisation").to_uppercase();
    let certificate = include_str!("../../vectors/sns/certificates/leaf.pem");
    let read = |text: &str| IssuerKey::read(text, default_backend()).map(drop).map_err(|error| error.code());
    assert!(read(&capitals.to_lowercase()).is_ok() && read(certificate).is_ok());
    let public_key = capitals.parse::<HexKey>().map(drop).map_err(|error| error.code());
    let refused = [read(&capitals), public_key, read(&certificate.repeat(2))];
    for (verdict, (spelling, _)) in refused.into_iter().zip(STRICTER_KEYS) {
        assert_eq!(verdict, Err(Code::ChoriaUnusableKey), "{spelling}");
    }
}

fn stricter(act: Act, name: &str) -> Option<Code> {
    STRICTER.iter().find(|(on, case, _, _)| *on == act && *case == name).map(|(_, _, code, _)| *code)
}

#[test]
fn the_library_says_the_same_but_for_these() {
    let Some(file) = real_vectors("choria/library-verdicts.json") else { return };
    let verdicts = json(&file);
    let cases = verdicts["cases"].as_array().unwrap();
    let mut met = BTreeSet::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        if verified_as_by_the_library(case, &verdicts["keys"], stricter(Act::Verify, name)) {
            met.insert((Act::Verify, name));
        }
        if read_as_by_the_library(case, stricter(Act::Look, name)) {
            met.insert((Act::Look, name));
        }
    }
    assert!(cases.len() >= 35, "{}", cases.len());
    let listed: BTreeSet<_> = STRICTER.iter().map(|(act, name, _, _)| (*act, *name)).collect();
    assert_eq!(met, listed, "a listed exception that is none, or is no longer a case");
}

/// Whether the case is the exception that is listed; any other difference fails.
fn verified_as_by_the_library(case: &Value, keys: &Value, stricter: Option<Code>) -> bool {
    let (name, token) = (&case["name"], case["token"].as_str().unwrap());
    let key = &keys[case["verify_key"].as_str().unwrap()];
    let key = key["public_hex"].as_str().or(key["public_pem"].as_str()).unwrap();
    let key = IssuerKey::read(key, default_backend()).unwrap();
    let verdict = payload(case["kind"].as_str().unwrap(), &key, token, at(NOW));
    if let Some(code) = stricter {
        assert_eq!(verdict.map_err(|error| error.code()).unwrap_err(), code, "{name}");
        assert_eq!(case["ok"], true, "{name} is no exception");
        return true;
    }
    assert_eq!(verdict.is_ok(), case["ok"] == true, "{name}: {verdict:?}, the library: {}", case["error"]);
    if let Ok(payload) = verdict {
        let claims: Value = serde_json::from_str(payload.expose()).unwrap();
        assert_eq!(claims, case["claims_as_parsed"], "{name}");
        let signed = signed_payload(token);
        // A default that the library fills in was not signed.
        if signed.contains(r#""ou""#) && signed.contains(r#""purpose""#) {
            assert_eq!(payload.expose(), signed, "{name}: the library's own bytes");
        }
    }
    false
}

fn read_as_by_the_library(case: &Value, stricter: Option<Code>) -> bool {
    let (name, kind) = (&case["name"], case["kind"].as_str().unwrap());
    let look = inspect(case["token"].as_str().unwrap());
    if let Some(code) = stricter {
        assert_eq!(look.map_err(|error| error.code()).unwrap_err(), code, "{name}");
        assert_eq!(case["parses_unverified"], true, "{name} is no exception");
        return true;
    }
    let purpose = look.as_ref().map_or("", |token| token.standard().kind().map_or("", Purpose::as_str));
    assert_eq!(purpose, case["purpose"], "{name}");
    let reads = look.is_ok_and(|token| kind_of(&token) == kind);
    assert_eq!(reads, case["parses_unverified"] == true, "{name}");
    false
}

fn kind_of(token: &UnverifiedToken) -> &'static str {
    match token.claims() {
        AnyClaims::Provisioning(_) => "provisioning",
        AnyClaims::Server(_) => "server",
        AnyClaims::Client(_) => "client",
    }
}

/// (token, key, what comes out)
const REAL: [(&str, &str, Result<&str, Code>); 6] = [
    ("tokens/ed25519/good-provisioning.jwt", "tokens/ed25519/signer.public", Ok("nats://example:4222")),
    ("tokens/ed25519/good-provisioning.jwt", "tokens/ed25519/other.public", Err(Code::JwtBadSignature)),
    ("tokens/rsa/good-provisioning.jwt", "tokens/rsa/signer-public.pem", Ok("nats://example.net:4222")),
    ("tokens/rsa/good-provisioning.jwt", "tokens/rsa/other-public.pem", Err(Code::JwtBadSignature)),
    (
        "go-choria/broker-provisioning-secure.jwt",
        "go-choria/broker-rip.mcollective.crt.pem",
        Ok("nats://example.net:4222"),
    ),
    (
        "go-choria/agent-provision-hs256.jwt",
        "go-choria/broker-rip.mcollective.crt.pem",
        Err(Code::JwtAlgorithmNotAllowed),
    ),
];

#[test]
fn tokens_and_keys_from_its_projects_are_read() {
    let Some(folder) = real_vectors("choria") else { return };
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for (token, key, expected) in REAL {
        let key = IssuerKey::read(&file(key), default_backend()).unwrap();
        let verdict = payload("provisioning", &key, file(token).trim_ascii(), at(NOW));
        let urls =
            verdict.map(|payload| serde_json::from_str::<Value>(payload.expose()).unwrap()["chu"].clone());
        assert_eq!(urls.map_err(|error| error.code()), expected.map(|urls| json!(urls)), "{token}");
    }
}
