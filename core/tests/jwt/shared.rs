//! The vectors of every language: another implementation made the same keys, proofs, credentials and nonces.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use handfast::{
    KeyRing, SecretKey,
    jwt::{
        Nonces, Proof, PublicKey, SigningKey, SigningRing, TargetUrl,
        credential::{self, Credential},
        proof,
    },
    time::Timestamp,
};
use rand::{TryCryptoRng, TryRng};
use serde_json::Value;

use crate::{
    shop::at,
    support::{backends, hex_of},
};

fn cases() -> Value {
    serde_json::from_str(include_str!("../../vectors/jose/cases.json")).unwrap()
}

fn list<'a>(cases: &'a Value, name: &str) -> &'a Vec<Value> {
    cases[name].as_array().unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

#[test]
fn keys_are_read_and_written() {
    let cases = cases();
    for case in list(&cases, "keys") {
        let key = SigningKey::from_pkcs8_pem(text(case, "pem")).unwrap();
        assert_eq!(key.to_pkcs8_pem().unwrap().expose(), text(case, "pem"));
        assert_eq!(key.algorithm().as_str(), text(case, "algorithm"));
        assert_eq!(key.public().to_jwk(), case["jwk"]);
        assert_eq!(key.public().thumbprint().to_string(), text(case, "thumbprint"));
        assert_eq!(PublicKey::from_jwk(&case["jwk"].to_string()).unwrap(), key.public());
    }
    let refused = cases["refused_keys"].as_object().unwrap();
    assert_eq!(refused.len(), 10);
    for (note, pem) in refused {
        assert!(SigningKey::from_pkcs8_pem(pem.as_str().unwrap()).is_err(), "{note}");
    }
}

#[test]
fn proofs_are_made_to_the_byte() {
    let cases = cases();
    for case in list(&cases, "proofs") {
        let key = &cases["keys"][usize::try_from(case["key"].as_u64().unwrap()).unwrap()];
        let key = SigningKey::from_pkcs8_pem(text(key, "pem")).unwrap();
        let made = make(&key, case, &mut Replay(hex_of(case, "entropy"))).unwrap();
        assert_eq!(made, text(case, "proof"));
        let url = TargetUrl::of_request(text(case, "url")).unwrap();
        for backend in backends() {
            let expected = proof::Expected {
                method: text(case, "method"),
                url: &url,
                token: case["token"].as_str(),
                nonces: None,
                now: at(text(case, "now")),
            };
            assert!(proof::verify(backend.as_ref(), &made, &expected).is_ok(), "{case}");
        }
    }
    let key = SigningKey::from_pkcs8_pem(text(&cases["keys"][0], "pem")).unwrap();
    assert_eq!(list(&cases, "refused_proofs").len(), 13);
    for case in list(&cases, "refused_proofs") {
        assert!(make(&key, case, &mut Replay(vec![7; 16])).is_none(), "{case}");
    }
}

fn make(key: &SigningKey, case: &Value, rng: &mut Replay) -> Option<String> {
    let url = TargetUrl::of_request(text(case, "url")).ok()?;
    let request = proof::Make {
        method: text(case, "method"),
        url: &url,
        token: case["token"].as_str(),
        nonce: case["nonce"].as_str(),
        issued_at: at(case["now"].as_str().unwrap_or("2026-01-02T03:04:05Z")),
    };
    Proof::make(key, &request, rng).ok()
}

#[test]
fn credentials_are_signed_to_the_byte() {
    for case in list(&cases(), "credentials") {
        for backend in backends() {
            let key = SigningKey::from_pkcs8_pem(text(case, "pem")).unwrap();
            let kid = text(case, "kid").parse().unwrap();
            let ring = SigningRing::new(
                text(case, "kid").parse().unwrap(),
                BTreeMap::from([(kid, key)]),
                backend.as_ref(),
            );
            let (ring, claims) = (ring.unwrap(), &case["claims"]);
            let seconds = |name: &str| {
                Timestamp::from_unix_millis(claims[name].as_i64().unwrap() * 1000 + 999).unwrap()
            };
            let credential = Credential {
                issuer: text(claims, "iss").to_owned(),
                node: text(claims, "sub").parse().unwrap(),
                package: text(claims, "package").parse().unwrap(),
                scope: text(claims, "scope").parse().unwrap(),
                jti: text(claims, "jti").to_owned(),
                issued_at: seconds("iat"),
                expires_at: seconds("exp"),
                key: text(&claims["cnf"], "jkt").parse().unwrap(),
            };
            let signed = credential::sign(&ring, &text(case, "kid").parse().unwrap(), &credential).unwrap();
            assert_eq!(signed.expose(), text(case, "credential"), "milliseconds are dropped");
            let read = credential::verify(
                ring.public(),
                &credential.issuer,
                signed.expose(),
                at("2026-01-02T03:04:06Z"),
            );
            assert_eq!(read.unwrap().node, credential.node);
        }
    }
}

#[test]
fn nonces_are_issued_to_the_byte() {
    for case in list(&cases(), "nonces") {
        for backend in backends() {
            let key = SecretKey::new(hex_of(case, "key").try_into().unwrap());
            let nonces =
                Nonces::new(KeyRing::single(text(case, "kid").parse().unwrap(), key), Arc::clone(&backend));
            assert_eq!(nonces.issue(at(text(case, "now"))).unwrap(), text(case, "nonce"));
            assert!(nonces.check(text(case, "nonce"), at(text(case, "now"))));
        }
    }
}

/// Gives out the entropy of a case, and no more.
struct Replay(Vec<u8>);

impl TryRng for Replay {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(target.len());
        target.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Replay {}
