//! Instance identity documents against `vectors/identity/cases.json`, which was made without handfast.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test's helpers"
)]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    Code,
    aws::identity::{IdentityError, IdentityProof, IdentityTrust, IdentityVerifier, InstanceIdentity},
    crypto::Backend,
    limits,
    time::Now,
    verified::Verified,
};
use serde_json::{Value, json};
use support::{backends, real_vectors};

type Outcome = Result<Verified<InstanceIdentity>, IdentityError>;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/identity/cases.json")).unwrap()
}

fn trust(value: &Value) -> IdentityTrust {
    serde_json::from_value(value.clone()).unwrap()
}

/// The verifiers of the vectors, by name.
fn verifiers(vectors: &Value, backend: &Arc<dyn Backend>) -> BTreeMap<String, IdentityVerifier> {
    let read = |(name, value): (&String, &Value)| {
        (name.clone(), IdentityVerifier::new(trust(value), Arc::clone(backend)).unwrap())
    };
    vectors["trusts"].as_object().unwrap().iter().map(read).collect()
}

fn verify(case: &Value, verifiers: &BTreeMap<String, IdentityVerifier>) -> Outcome {
    let bytes = |name: &str| case["proof"][name].as_str().map(str::as_bytes);
    let proof = match bytes("signature") {
        Some(signature) => IdentityProof::Signature { document: bytes("document").unwrap(), signature },
        None => IdentityProof::Pkcs7 { pkcs7: bytes("pkcs7").unwrap(), document: bytes("document") },
    };
    let at = case["now"].as_str().unwrap().parse().unwrap();
    let now = Now { at, trusted: case["trusted_clock"] != json!(false) };
    verifiers[case["trust"].as_str().unwrap()].verify(&proof, now)
}

#[test]
fn every_case_comes_out_as_it_must() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    for backend in backends() {
        let verifiers = verifiers(&vectors, &backend);
        let mut verified = 0;
        for case in cases {
            let name = format!("{} ({})", case["name"], backend.name());
            let expected = &case["expected"];
            match verify(case, &verifiers) {
                Ok(identity) => {
                    assert_eq!(expected["verdict"], "verified", "{name}: {identity:?}");
                    assert_eq!(serde_json::to_value(identity.get()).unwrap(), expected["identity"], "{name}");
                    verified += 1;
                }
                Err(error) => {
                    let code = error.code().as_str();
                    assert_eq!(json!({ "verdict": "rejected", "code": code }), *expected, "{name}: {error}");
                    assert!(!error.to_string().contains("i-0"), "{name}: {error}");
                }
            }
        }
        assert!(verified >= 30 && cases.len() >= 180, "{verified} of {}", cases.len());
    }
}

#[test]
fn a_trust_that_cannot_be_used_is_no_trust() {
    let vectors = vectors();
    let refused = vectors["refused_trusts"].as_array().unwrap();
    assert_eq!(refused.len(), 14);
    for case in refused {
        for backend in backends() {
            let error = IdentityVerifier::new(trust(&case["trust"]), backend).unwrap_err();
            assert_eq!(error.code(), Code::AwsIdentityInvalidTrust, "{}: {error}", case["name"]);
        }
    }
}

#[test]
fn a_trust_is_strict_and_has_defaults() {
    let vectors = vectors();
    let given = &vectors["trusts"]["default"];
    let read = trust(given);
    assert_eq!(read.max_age_seconds, limits::AWS_IDENTITY_MAX_AGE_SECONDS);
    assert!(read.regions.is_empty() && !read.legacy_rsa_1024);
    assert_eq!(trust(&serde_json::to_value(&read).unwrap()), read);
    for (pointer, value) in [
        ("max_age", json!(60)),
        ("max_age_seconds", json!(-1)),
        ("accounts", json!(["1"])),
        ("accounts", Value::Null),
        ("regions", json!(["us-east-1a"])),
        ("certificates", json!({ "us-east-1a": [] })),
    ] {
        let mut changed = given.clone();
        changed[pointer] = value;
        assert!(serde_json::from_value::<IdentityTrust>(changed).is_err(), "{pointer}");
    }
    let only = read.certificates.into_iter().next().unwrap();
    let made = IdentityTrust::new(
        ["123456789012".parse().unwrap()],
        only.0.clone(),
        only.1.first().unwrap().clone(),
    );
    assert_eq!(made.certificates.into_iter().next().unwrap(), only);
}

/// Whatever single byte of a genuine signature is another, it is no longer believed: each is either signed or checked.
/// Only the signer's name and certificates are neither.
#[test]
fn no_byte_that_matters_can_be_another() {
    let vectors = vectors();
    let backend = handfast::crypto::default_backend();
    let verifier = &verifiers(&vectors, &backend)["default"];
    let case = &vectors["cases"][0];
    assert_eq!(case["name"], "as AWS gives it");
    let encoded: String = case["proof"]["pkcs7"].as_str().unwrap().split('\n').collect();
    let genuine = data_encoding::BASE64.decode(encoded.as_bytes()).unwrap();
    let now = Now::trusted(case["now"].as_str().unwrap().parse().unwrap());
    let accepted = |bytes: &[u8]| {
        let text = data_encoding::BASE64.encode(bytes);
        verifier.verify(&IdentityProof::Pkcs7 { pkcs7: text.as_bytes(), document: None }, now).is_ok()
    };
    assert!(accepted(&genuine));
    let issuer = b"handfast test";
    let name = genuine.windows(issuer.len()).position(|window| window == issuer).unwrap();
    // The organization's attribute and the serial number, within their tags and lengths.
    let unsigned = name - 13..name + issuer.len() + 6;
    let mut harmless = 0;
    for place in 0..genuine.len() {
        let mut altered = genuine.clone();
        altered[place] ^= 0x01;
        if accepted(&altered) {
            assert!(unsigned.contains(&place), "byte {place} of {}", genuine.len());
            harmless += 1;
        }
        assert!(!accepted(&genuine[..place]), "cut at {place}");
    }
    assert!(harmless > 0, "the signer's name is not looked at");
}

#[test]
fn documents_that_aws_has_signed_are_verified() {
    let Some(folder) = real_vectors("aws-identity") else { return };
    let manifest = support::json(&folder.join("manifest.json"));
    let cases = manifest.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let certificate = std::fs::read_to_string(folder.join(text("certificate"))).unwrap();
        let pkcs7 = std::fs::read(folder.join(text("file"))).unwrap();
        let proof = IdentityProof::Pkcs7 { pkcs7: &pkcs7, document: None };
        for backend in backends() {
            let trust = IdentityTrust::new(
                [text("account").parse().unwrap()],
                text("region").parse().unwrap(),
                certificate.clone(),
            );
            let verifier = IdentityVerifier::new(trust, backend).unwrap();
            let at = Now::trusted(text("pending_at").parse().unwrap());
            let identity = verifier.verify(&proof, at).unwrap();
            assert_eq!(identity.instance().as_str(), text("instance"));
            let late = Now::trusted(at.at.plus_seconds(limits::AWS_IDENTITY_MAX_AGE_SECONDS));
            assert_eq!(verifier.verify(&proof, late).unwrap_err().code(), Code::AwsIdentityTooOld);
        }
    }
}
