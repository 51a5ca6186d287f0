//! Published vectors through every compiled-in backend: NIST CAVP, C2SP Wycheproof.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers"
)]

mod support;

use handfast::{
    crypto::{Backend, CryptoError, RsaDigest},
    secret::SecretKey,
};
use serde_json::Value;
use support::{backends, hex, hex_of, json, real_vectors};
use x509_cert::der::{
    Encode,
    asn1::{BitStringRef, Null, UintRef},
};
use x509_cert::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

#[test]
fn nist_sigver15_comes_out_exactly() {
    let Some(path) = real_vectors("nist/FIPS_186-2_SigVer15_186-3.rsp") else { return };
    let cases = nist_cases(&std::fs::read_to_string(path).unwrap());
    for backend in backends() {
        let (mut ran, mut passed) = (0, 0);
        for case in &cases {
            let key = backend.rsa_public_key(&spki(&case.modulus, &case.exponent)).unwrap();
            let verdict = key.verify(case.digest, &case.message, &case.signature);
            assert_eq!(verdict.is_ok(), case.pass, "{} {}", backend.name(), case.line);
            ran += 1;
            passed += u32::from(verdict.is_ok());
        }
        assert_eq!((ran, passed), (180, 30), "SHA-1 and SHA-256 under 1024, 1536, 2048, 3072 and 4096 bits");
    }
}

#[test]
fn wycheproof_rsa_comes_out_exactly() {
    let counts = [(2048, 259, 9), (3072, 259, 8), (4096, 258, 7)];
    for (bits, expected_cases, expected_valid) in counts {
        let Some(path) = real_vectors(&format!("wycheproof/rsa_signature_{bits}_sha256_test.json")) else {
            return;
        };
        let groups = json(&path)["testGroups"].as_array().unwrap().clone();
        for backend in backends() {
            let (mut ran, mut valid) = (0, 0);
            for group in &groups {
                let key = backend.rsa_public_key(&hex_of(group, "publicKeyDer")).unwrap();
                assert_eq!(key.bits(), bits);
                for case in group["tests"].as_array().unwrap() {
                    let verdict = key.verify(RsaDigest::Sha256, &hex_of(case, "msg"), &hex_of(case, "sig"));
                    // "acceptable" is one encoding without NULL, which both backends rightly refuse.
                    assert_eq!(verdict.is_ok(), case["result"] == "valid", "{} {case}", backend.name());
                    ran += 1;
                    valid += u32::from(verdict.is_ok());
                }
            }
            assert_eq!((ran, valid), (expected_cases, expected_valid));
        }
    }
}

#[test]
fn wycheproof_hmac_sha256_comes_out_exactly() {
    let Some(path) = real_vectors("wycheproof/hmac_sha256_test.json") else { return };
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    for backend in backends() {
        let mut ran = 0;
        for (group, case) in cases_of(&groups) {
            let message = hex_of(case, "msg");
            let (head, tail) = message.split_at(message.len() / 2);
            let tag = backend.hmac_sha256(&hex_of(case, "key"), &[head, tail]);
            let length = usize::try_from(group["tagSize"].as_u64().unwrap()).unwrap() / 8;
            assert_eq!(tag[..length] == hex_of(case, "tag"), case["result"] == "valid", "{case}");
            ran += 1;
        }
        assert_eq!(ran, 174);
    }
}

#[test]
fn wycheproof_aes_256_gcm_comes_out_exactly() {
    let Some(path) = real_vectors("wycheproof/aes_gcm_test.json") else { return };
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    for backend in backends() {
        let mut ran = 0;
        for (group, case) in cases_of(&groups) {
            if (&group["keySize"], &group["ivSize"], &group["tagSize"])
                == (&Value::from(256), &Value::from(96), &Value::from(128))
            {
                check_aead_case(backend.as_ref(), case);
                ran += 1;
            }
        }
        assert_eq!(ran, 66);
    }
}

fn check_aead_case(backend: &dyn Backend, case: &Value) {
    let key = SecretKey::new(hex_of(case, "key").try_into().unwrap());
    let nonce: [u8; 12] = hex_of(case, "iv").try_into().unwrap();
    let (associated, message) = (hex_of(case, "aad"), hex_of(case, "msg"));
    let sealed = [hex_of(case, "ct"), hex_of(case, "tag")].concat();
    let opened = backend.open(&key, &nonce, &associated, &sealed);
    if case["result"] == "valid" {
        assert_eq!(opened.unwrap(), message);
        assert_eq!(backend.seal(&key, &nonce, &associated, &message).unwrap(), sealed);
    } else {
        assert_eq!(opened, Err(CryptoError::SealBroken), "{case}");
    }
}

fn cases_of(groups: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    groups.iter().flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |case| (group, case)))
}

struct NistCase {
    line: usize,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    digest: RsaDigest,
    message: Vec<u8>,
    signature: Vec<u8>,
    pass: bool,
}

/// The SHA-1 and SHA-256 cases of a CAVP response file.
fn nist_cases(text: &str) -> Vec<NistCase> {
    let mut fields = std::collections::BTreeMap::new();
    let mut cases = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((name, value)) = line.split_once(" = ") else { continue };
        fields.insert(name.trim_matches('['), value.trim());
        if name != "Result" {
            continue;
        }
        let digest = match fields["SHAAlg"] {
            "SHA1" => RsaDigest::Sha1,
            "SHA256" => RsaDigest::Sha256,
            _ => continue,
        };
        cases.push(NistCase {
            line: number + 1,
            modulus: hex(fields["n"]),
            exponent: hex(fields["e"]),
            digest,
            message: hex(fields["Msg"]),
            signature: hex(fields["S"]),
            pass: value.starts_with('P'),
        });
    }
    cases
}

fn spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let body =
        [UintRef::new(modulus).unwrap().to_der().unwrap(), UintRef::new(exponent).unwrap().to_der().unwrap()]
            .concat();
    let mut key = vec![0x30, 0x82];
    key.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    if body.len() < 256 {
        key = vec![0x30, 0x81, u8::try_from(body.len()).unwrap()];
    }
    key.extend(body);
    SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
            parameters: Some(Null.into()),
        },
        subject_public_key: BitStringRef::from_bytes(&key).unwrap(),
    }
    .to_der()
    .unwrap()
}

#[test]
fn keys_outside_the_limits_are_refused() {
    let modulus = |bytes: usize, last: u8| {
        let mut number = vec![0xc3; bytes];
        *number.last_mut().unwrap() = last;
        number
    };
    for backend in backends() {
        let parse = |n: &[u8], e: &[u8]| backend.rsa_public_key(&spki(n, e)).map(|key| key.bits());
        assert_eq!(parse(&modulus(128, 1), &[1, 0, 1]), Ok(1024));
        assert_eq!(parse(&modulus(1024, 1), &[3]), Ok(8192));
        assert_eq!(parse(&modulus(256, 1), &[1, 0xff, 0xff, 0xff, 0xff]), Ok(2048));
        for (n, e) in [
            (modulus(127, 1), vec![1, 0, 1]),
            (modulus(1025, 1), vec![1, 0, 1]),
            (modulus(256, 2), vec![1, 0, 1]),
            (modulus(256, 1), vec![1]),
            (modulus(256, 1), vec![1, 0, 0]),
            (modulus(256, 1), vec![2, 0, 0, 0, 1]),
            (modulus(256, 1), vec![1, 0, 0, 0, 0, 0, 0, 0, 1]),
        ] {
            assert_eq!(parse(&n, &e), Err(CryptoError::UnusableKey), "{} {e:?}", backend.name());
        }
        let whole = spki(&modulus(256, 1), &[1, 0, 1]);
        assert!(backend.rsa_public_key(&whole).is_ok());
        assert!(backend.rsa_public_key(&whole[..whole.len() - 1]).is_err());
        assert!(backend.rsa_public_key(&[&whole[..], &[0]].concat()).is_err());
    }
}
