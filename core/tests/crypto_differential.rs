//! The two backends against each other: whatever one says, the other says.
#![cfg(all(feature = "aws-lc", feature = "rust-crypto"))]
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
    crypto::{AwsLc, Backend, RsaDigest, RustCrypto},
    secret::SecretKey,
};
use proptest::prelude::*;
use support::{hex_of, json, real_vectors};

proptest! {
    #[test]
    fn digests_and_macs_agree(key in any::<Vec<u8>>(), a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
        prop_assert_eq!(AwsLc.sha256(&a), RustCrypto.sha256(&a));
        let split = AwsLc.hmac_sha256(&key, &[&a, &b]);
        prop_assert_eq!(split, RustCrypto.hmac_sha256(&key, &[&a, &b]));
        prop_assert_eq!(split, RustCrypto.hmac_sha256(&key, &[&[a, b].concat()]));
    }

    #[test]
    fn what_one_seals_the_other_opens(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 12]>(),
        associated in any::<Vec<u8>>(),
        plaintext in any::<Vec<u8>>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let key = SecretKey::new(key);
        let sealed = AwsLc.seal(&key, &nonce, &associated, &plaintext).unwrap();
        prop_assert_eq!(&sealed, &RustCrypto.seal(&key, &nonce, &associated, &plaintext).unwrap());
        prop_assert_eq!(RustCrypto.open(&key, &nonce, &associated, &sealed).unwrap(), plaintext.clone());
        prop_assert_eq!(AwsLc.open(&key, &nonce, &associated, &sealed).unwrap(), plaintext);
        let mut broken = sealed;
        let position = flip.index(broken.len());
        broken[position] ^= 1;
        prop_assert!(AwsLc.open(&key, &nonce, &associated, &broken).is_err());
        prop_assert!(RustCrypto.open(&key, &nonce, &associated, &broken).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_the_same_kind_of_key(spki in any::<Vec<u8>>()) {
        let bits = |backend: &dyn Backend| backend.rsa_public_key(&spki).map(|key| key.bits());
        prop_assert_eq!(bits(&AwsLc), bits(&RustCrypto));
    }
}

#[test]
fn damaged_keys_and_signatures_agree() {
    let Some(path) = real_vectors("wycheproof/rsa_signature_2048_sha256_test.json") else { return };
    let group = &json(&path)["testGroups"][0];
    let spki = hex_of(group, "publicKeyDer");
    let case = &group["tests"][2];
    let (message, signature) = (hex_of(case, "msg"), hex_of(case, "sig"));
    let verdict = |backend: &dyn Backend, spki: &[u8], digest, signature: &[u8]| {
        backend
            .rsa_public_key(spki)
            .map_err(|error| error.code())
            .map(|key| (key.bits(), key.exponent(), key.verify(digest, &message, signature).is_ok()))
    };
    let mut compared = 0;
    for position in 0..spki.len() {
        let mut damaged = spki.clone();
        damaged[position] ^= 1;
        let aws = verdict(&AwsLc, &damaged, RsaDigest::Sha256, &signature);
        assert_eq!(aws, verdict(&RustCrypto, &damaged, RsaDigest::Sha256, &signature), "byte {position}");
        compared += 1;
    }
    for position in (0..signature.len()).step_by(16) {
        let mut damaged = signature.clone();
        damaged[position] ^= 1;
        for digest in [RsaDigest::Sha1, RsaDigest::Sha256, RsaDigest::Sha384, RsaDigest::Sha512] {
            for candidate in [&damaged, &signature] {
                let aws = verdict(&AwsLc, &spki, digest, candidate);
                assert_eq!(aws, verdict(&RustCrypto, &spki, digest, candidate));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 294 + 16 * 8);
}
