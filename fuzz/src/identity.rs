//! Identity documents against a sender who chooses everything: the signature, its shell, and the document.
//!
//! Input: one byte for the form, then 0: a SignedData, 1: its base64 text, 2: a detached SignedData, 0x1e, the document,
//! 3: a plain signature's text, 0x1e, the document. Whatever comes, there is a typed answer, the same from every
//! backend; and what is called verified says, member by member, what one of the documents of the vectors says: nothing
//! else was ever signed.

use std::{collections::BTreeMap, sync::Arc};

use data_encoding::BASE64;
use handfast::{
    aws::identity::{IdentityError, IdentityProof, IdentityTrust, IdentityVerifier},
    crypto::Backend,
    time::Now,
};
use serde_json::Value;

const VECTORS: &str = include_str!("../../core/vectors/identity/cases.json");
const NOW: &str = "2026-03-01T12:00:30Z";

/// Verifiers of the trust "legacy" (which covers the keys of both forms) and what has been signed for it.
struct Fixture {
    verifiers: Vec<IdentityVerifier>,
    signed: Vec<Value>,
}

impl Fixture {
    fn read() -> Self {
        let vectors: Value = serde_json::from_str(VECTORS).expect("the vectors");
        let trust: IdentityTrust =
            serde_json::from_value(vectors["trusts"]["legacy"].clone()).expect("a trust");
        let verifier = |backend| IdentityVerifier::new(trust.clone(), backend).expect("a usable trust");
        let cases = vectors["cases"].as_array().expect("cases");
        let signed: BTreeMap<String, Value> = cases
            .iter()
            .map(|case| case["expected"]["identity"].clone())
            .filter(|identity| identity["region"] == "us-east-1")
            .map(|identity| (identity.to_string(), identity))
            .collect();
        Self {
            verifiers: backends().into_iter().map(verifier).collect(),
            signed: signed.into_values().collect(),
        }
    }

    fn verify(&self, proof: &IdentityProof<'_>) {
        let now = Now::trusted(NOW.parse().expect("a time"));
        let mut outcomes = self.verifiers.iter().map(|verifier| verifier.verify(proof, now));
        let first = outcomes.next().expect("a backend");
        assert!(outcomes.all(|other| other == first), "the backends differ");
        match first {
            Ok(identity) => {
                let read = serde_json::to_value(identity.get()).expect("JSON");
                assert!(self.signed.contains(&read), "nobody signed {read}");
            }
            Err(IdentityError::Trust { .. } | IdentityError::ClockUntrusted) => {
                panic!("no fault of the sender")
            }
            Err(error) => assert!(!error.to_string().is_empty() && !error.code().as_str().is_empty()),
        }
    }
}

/// One input.
pub(crate) fn run(input: &[u8]) {
    thread_local!(static FIXTURE: Fixture = Fixture::read());
    let Some((form, rest)) = input.split_first() else { return };
    let mut parts = rest.rsplitn(2, |byte| *byte == 0x1e);
    let last = parts.next().unwrap_or_default();
    let first = parts.next().unwrap_or_default();
    FIXTURE.with(|fixture| match form & 3 {
        0 => {
            let text = BASE64.encode(rest);
            fixture.verify(&IdentityProof::Pkcs7 { pkcs7: text.as_bytes(), document: None });
        }
        1 => fixture.verify(&IdentityProof::Pkcs7 { pkcs7: rest, document: None }),
        2 => {
            let text = BASE64.encode(first);
            fixture.verify(&IdentityProof::Pkcs7 { pkcs7: text.as_bytes(), document: Some(last) });
        }
        _ => fixture.verify(&IdentityProof::Signature { document: last, signature: first }),
    });
}

/// Every backend that is compiled in.
fn backends() -> Vec<Arc<dyn Backend>> {
    vec![
        handfast::crypto::default_backend(),
        #[cfg(feature = "rust-crypto")]
        Arc::new(handfast::crypto::RustCrypto),
    ]
}
