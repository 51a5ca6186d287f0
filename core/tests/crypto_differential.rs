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
    crypto::{AwsLc, Backend, Ed25519Key, Es256Key, RsaDigest, RustCrypto},
    secret::SecretKey,
};
use proptest::prelude::*;
use support::{backends, hex_of, json, real_vectors};

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
    fn curve_signatures_agree(
        scalar in any::<[u8; 32]>(),
        message in any::<Vec<u8>>(),
        flip in 0..64_usize,
        bit in 0..8_u32,
    ) {
        let scalar = SecretKey::new(scalar);
        let ed25519 = Ed25519Key::from_seed(&scalar);
        let es256 = Es256Key::from_scalar(&scalar).unwrap();
        for backend in backends() {
            let keys = [
                (backend.ed25519_public_key(&ed25519.public()).unwrap(), ed25519.sign(&message)),
                (backend.es256_public_key(&es256.public()).unwrap(), es256.sign(&message)),
            ];
            for (key, signature) in keys {
                prop_assert!(key.verify(&message, &signature).is_ok());
                let mut broken = signature;
                broken[flip] ^= 1 << bit;
                prop_assert!(key.verify(&message, &broken).is_err());
                prop_assert!(key.verify(&message, &signature[..flip]).is_err());
                prop_assert!(key.verify(&[&message[..], &[0]].concat(), &signature).is_err());
            }
        }
    }

    #[test]
    fn arbitrary_points_are_the_same_kind_of_key(
        point in any::<[u8; 32]>(),
        high in prop::bool::ANY,
        message in any::<Vec<u8>>(),
        signature in any::<[[u8; 32]; 2]>(),
    ) {
        let point = if high { let mut high = [0xff; 32]; high[0] = point[0]; high[31] = point[31]; high } else { point };
        let verdict = |backend: &dyn Backend| {
            backend.ed25519_public_key(&point).map(|key| key.verify(&message, signature.as_flattened()))
        };
        prop_assert_eq!(verdict(&AwsLc), verdict(&RustCrypto));
        let mut uncompressed = [4; 65];
        uncompressed[1..33].copy_from_slice(&point);
        let known = |backend: &dyn Backend| backend.es256_public_key(&uncompressed).is_ok();
        prop_assert_eq!(known(&AwsLc), known(&RustCrypto));
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
