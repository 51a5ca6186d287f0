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

use std::sync::Arc;

use handfast::{
    crypto::{Backend, CryptoError, Ed25519Key, Es256Key, RsaDigest, VerifyingKey, es256_signature_from_der},
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
            let short = case.modulus.len() < 256;
            let too_short = short && matches!(case.digest, RsaDigest::Sha384 | RsaDigest::Sha512);
            assert_eq!(verdict.is_ok(), case.pass && !too_short, "{} {}", backend.name(), case.line);
            ran += 1;
            passed += u32::from(verdict.is_ok());
        }
        // Under 1024, 1536, 2048, 3072 and 4096 bits; SHA-384 and SHA-512 pass from 2048 bits on.
        assert_eq!((ran, passed), (360, 48));
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

#[test]
fn wycheproof_es256_comes_out_exactly() {
    let counts = signatures("ecdsa_secp256r1_sha256_p1363_test.json", |backend, group| {
        let point = hex_of(&group["publicKey"], "uncompressed").try_into().unwrap();
        backend.es256_public_key(&point).unwrap()
    });
    assert!(counts.is_none_or(|counts| counts == (262, 173)), "{counts:?}");
}

/// Signatures as TPMs, OpenSSL and cloud key services write them, turned into the form that is verified.
#[test]
fn wycheproof_ecdsa_in_der_comes_out_exactly() {
    let Some(path) = real_vectors("wycheproof/ecdsa_secp256r1_sha256_test.json") else { return };
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    for backend in backends() {
        let (mut ran, mut valid) = (0, 0);
        for (group, case) in cases_of(&groups) {
            let point = hex_of(&group["publicKey"], "uncompressed").try_into().unwrap();
            let key = backend.es256_public_key(&point).unwrap();
            let (message, der) = (hex_of(case, "msg"), hex_of(case, "sig"));
            let verdict =
                es256_signature_from_der(&der).and_then(|fixed| key.verify(&message, &fixed)).is_ok();
            assert_eq!(verdict, case["result"] == "valid", "{} {case}", backend.name());
            assert!(
                der.len() == 64 || key.verify(&message, &der).is_err(),
                "DER itself never verifies: {case}"
            );
            ran += 1;
            valid += usize::from(verdict);
        }
        assert_eq!((ran, valid), (484, 174), "{}", backend.name());
    }
}

#[test]
fn wycheproof_ed25519_comes_out_exactly() {
    let counts = signatures("ed25519_test.json", |backend, group| {
        backend.ed25519_public_key(&hex_of(&group["publicKey"], "pk").try_into().unwrap()).unwrap()
    });
    assert!(counts.is_none_or(|counts| counts == (151, 88)), "{counts:?}");
}

/// Every case of a file through every backend; how many there are, and how many verify.
fn signatures(
    file: &str,
    key: impl Fn(&dyn Backend, &Value) -> Arc<dyn VerifyingKey>,
) -> Option<(usize, usize)> {
    let path = real_vectors(&format!("wycheproof/{file}"))?;
    let groups = json(&path)["testGroups"].as_array().unwrap().clone();
    let mut counts = None;
    for backend in backends() {
        let (mut ran, mut valid) = (0, 0);
        for (group, case) in cases_of(&groups) {
            let verdict =
                key(backend.as_ref(), group).verify(&hex_of(case, "msg"), &hex_of(case, "sig")).is_ok();
            assert_eq!(verdict, case["result"] == "valid", "{} {case}", backend.name());
            ran += 1;
            valid += usize::from(verdict);
        }
        assert!(counts.is_none_or(|counts| counts == (ran, valid)), "the backends differ");
        counts = Some((ran, valid));
    }
    counts
}

/// RFC 6979 appendix A.2.5, SHA-256, and RFC 8032 section 7.1, tests 1 to 3.
#[test]
fn signatures_are_the_published_ones() {
    let scalar = secret("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let key = Es256Key::from_scalar(&scalar).unwrap();
    for (message, signature) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
             019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        assert_eq!(key.sign(message.as_bytes()).as_slice(), hex(signature));
    }
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let key = Ed25519Key::from_seed(&secret(seed));
        assert_eq!(key.public().as_slice(), hex(public));
        assert_eq!(key.sign(&hex(message)).as_slice(), hex(signature));
        for backend in backends() {
            let public = backend.ed25519_public_key(&key.public()).unwrap();
            assert_eq!(public.verify(&hex(message), &hex(signature)), Ok(()));
        }
    }
}

/// The points that verify one signature for many messages, and second spellings of good points.
#[test]
fn weak_points_are_no_keys() {
    let small_order = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    let other_spellings = [
        "0100000000000000000000000000000000000000000000000000000000000080", // x is zero, its sign is not
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p, p + 1
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 3, a point of large order
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    let off_the_curve = "0200000000000000000000000000000000000000000000000000000000000000";
    for backend in backends() {
        for point in small_order.iter().chain(&other_spellings).chain([&off_the_curve]) {
            let verdict = backend.ed25519_public_key(&hex(point).try_into().unwrap());
            assert_eq!(verdict.err(), Some(CryptoError::UnusableKey), "{} {point}", backend.name());
        }
        let good = "0300000000000000000000000000000000000000000000000000000000000000";
        assert!(backend.ed25519_public_key(&hex(good).try_into().unwrap()).is_ok(), "y = 3, reduced");

        let point = Es256Key::from_scalar(&SecretKey::new([7; 32])).unwrap().public();
        assert!(backend.es256_public_key(&point).is_ok());
        let mut off = point;
        off[64] ^= 1;
        let mut compressed = point;
        compressed[0] = 2;
        let mut hybrid = point;
        hybrid[0] = 6 | (point[64] & 1);
        let mut beyond = [0xff; 65];
        beyond[0] = 4;
        for bad in [off, compressed, hybrid, beyond, [0; 65]] {
            let verdict = backend.es256_public_key(&bad);
            assert_eq!(verdict.err(), Some(CryptoError::UnusableKey), "{} {bad:?}", backend.name());
        }
    }
    for scalar in [[0; 32], [0xff; 32]] {
        assert_eq!(Es256Key::from_scalar(&SecretKey::new(scalar)).err(), Some(CryptoError::UnusableKey));
    }
}

fn secret(text: &str) -> SecretKey {
    SecretKey::new(hex(text).try_into().unwrap())
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

/// The cases of a CAVP response file, but for those of SHA-224, which nobody here knows.
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
            "SHA384" => RsaDigest::Sha384,
            "SHA512" => RsaDigest::Sha512,
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
