//! Ours reads what the `jsonwebtoken` crate writes, and the other way round.

use handfast::jwt::{self, Algorithm, Claims, Expected, JwtError, PublicKey, SigningKey};
use jsonwebtoken::{
    DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::json;

use crate::{
    shop::{at, key, pem_body},
    support::backends,
};

const NOW: &str = "2023-11-14T22:13:20Z";

fn claims() -> serde_json::Value {
    json!({ "iss": "joe", "exp": 4_000_000_000_u64, "iat": 1_700_000_000, "text": "\u{1F600} \" \\ é" })
}

/// Theirs, from the same private key.
fn encoding_key(signer: &SigningKey) -> EncodingKey {
    let der = pem_body(signer.to_pkcs8_pem().unwrap().expose());
    match signer.algorithm() {
        Algorithm::Es256 => EncodingKey::from_ec_der(&der),
        _ => EncodingKey::from_ed_der(&der),
    }
}

#[test]
fn ours_reads_theirs_and_theirs_reads_ours() {
    for (algorithm, byte) in [(Algorithm::Es256, 1), (Algorithm::EdDsa, 2), (Algorithm::Es256, 3)] {
        let signer = key(algorithm, byte);
        let mut header = Header::new(algorithm.into());
        header.kid = Some("k1".into());
        let theirs = jsonwebtoken::encode(&header, &claims(), &encoding_key(&signer)).unwrap();
        for backend in backends() {
            let verifier = signer.public().verifier(backend.as_ref()).unwrap();
            let expected = Expected { typ: Some("JWT"), issuer: Some("joe"), ..Expected::default() };
            let read = jwt::verify(&verifier, &theirs, &expected, at(NOW)).unwrap();
            assert_eq!(serde_json::Value::from(read.as_map().clone()), claims());
        }

        let ours = jwt::sign(&signer, "JWT", Some("k1"), &Claims::new(claims().as_object().unwrap().clone()));
        let jwk = Jwk::try_from(&signer.public()).unwrap();
        let mut validation = Validation::new(algorithm.into());
        validation.set_issuer(&["joe"]);
        let decoding_key = DecodingKey::from_jwk(&jwk).unwrap();
        let read =
            jsonwebtoken::decode::<serde_json::Value>(ours.expose(), &decoding_key, &validation).unwrap();
        assert_eq!(read.claims, claims());
        assert_eq!(read.header.kid.as_deref(), Some("k1"));
    }
}

/// Ed25519 signatures are deterministic everywhere: those of aws-lc, which theirs uses, are ours.
#[test]
fn ed25519_signatures_are_the_same_bytes() {
    for byte in 0..8 {
        let signer = key(Algorithm::EdDsa, byte);
        let message = vec![byte; usize::from(byte) * 50];
        let theirs =
            jsonwebtoken::crypto::sign(&message, &encoding_key(&signer), jsonwebtoken::Algorithm::EdDSA);
        assert_eq!(theirs.unwrap(), data_encoding::BASE64URL_NOPAD.encode(&signer.sign(&message)));
    }
}

#[test]
fn keys_and_algorithms_pass_between_the_two() {
    for algorithm in Algorithm::ALL {
        let theirs = jsonwebtoken::Algorithm::from(algorithm);
        assert_eq!(Algorithm::try_from(theirs), Ok(algorithm));
        assert_eq!(serde_json::to_value(theirs).unwrap(), algorithm.as_str());
    }
    for theirs in
        [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::PS256, jsonwebtoken::Algorithm::ES384]
    {
        assert_eq!(Algorithm::try_from(theirs), Err(JwtError::AlgorithmNotAllowed));
    }
    let rsa = include_str!("../../vectors/sns/certificates/public-key.pem");
    let rsa = PublicKey::from_spki_pem(rsa, Algorithm::Rs256).unwrap();
    for ours in [key(Algorithm::Es256, 1).public(), key(Algorithm::EdDsa, 1).public(), rsa] {
        let theirs = Jwk::try_from(&ours).unwrap();
        assert_eq!(PublicKey::try_from(&theirs), Ok(ours.clone()));
        let thumbprint = theirs.thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, ours.thumbprint().to_string());
    }
}
