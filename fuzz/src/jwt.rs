//! Tokens, keys and URLs from a sender who chooses everything, and who may even have signed it.
//!
//! Input: a first byte, then: (0) a token; (1) a header, a byte 0x1e and a payload, which the target signs with a key that
//! is trusted, so that only the reading can refuse; (2) a JSON Web Key or a set of them; (3) a private or public key in PEM;
//! (4) a URL or a thumbprint; (5) an ECDSA signature in DER.
//! Whatever comes, there is a typed answer; and what is called verified is what a second, simple reader finds in the
//! text.

use handfast::{
    crypto::{Es256Key, default_backend, es256_signature_from_der},
    jwt::{self, Algorithm, Expected, JwtError, PublicKey, PublicKeys, SigningKey, TargetUrl, Thumbprint},
    secret::SecretKey,
};
use serde_json::Value;

use super::base64url::{decode, encode};

/// 1700000300.
const NOW: &str = "2023-11-14T22:18:20Z";
const EXPECTED: Expected<'static> =
    Expected { typ: Some("at+jwt"), issuer: Some("joe"), audience: Some("edge"), leeway_seconds: 60 };

/// One input; whether it was accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((kind, rest)) = input.split_first() else { return false };
    match kind {
        0 => token(&String::from_utf8_lossy(rest)),
        1 => {
            let mut parts = rest.splitn(2, |byte| *byte == 0x1e);
            let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let signed = format!("{}.{}", encode(header), encode(payload));
            token(&format!("{signed}.{}", encode(&signer().sign(signed.as_bytes()))))
        }
        2 => public_key(&String::from_utf8_lossy(rest)) || key_set(&String::from_utf8_lossy(rest)),
        3 => private_key(&String::from_utf8_lossy(rest)) || public_pem(&String::from_utf8_lossy(rest)),
        5 => signature(rest),
        _ => names(&String::from_utf8_lossy(rest)),
    }
}

fn signer() -> SigningKey {
    Es256Key::from_scalar(&SecretKey::new([1; 32])).expect("a scalar").into()
}

fn token(text: &str) -> bool {
    let backend = default_backend();
    let keys =
        PublicKeys::new([("k1".to_owned(), signer().public())].into(), backend.as_ref()).expect("one key");
    let now = NOW.parse().expect("a time");
    match jwt::verify_by_kid(&keys, text, &EXPECTED, now) {
        Ok(claims) => {
            check(text, claims.as_map());
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(matches!(error.code().as_str(), code if code.starts_with("jwt_")), "{error:?}");
            assert!(!matches!(error, JwtError::Key(_) | JwtError::PrivateKey));
            false
        }
    }
}

/// A second reading of an accepted token, by a lenient parser and by hand.
fn check(text: &str, claims: &serde_json::Map<String, Value>) {
    let parts: Vec<_> = text.split('.').collect();
    assert_eq!(parts.len(), 3);
    let part =
        |number: usize| -> Value { serde_json::from_slice(&decode(parts[number])).expect("accepted JSON") };
    let (header, payload) = (part(0), part(1));
    assert_eq!(
        (&header["alg"], &header["kid"], &header["typ"]),
        (&"ES256".into(), &"k1".into(), &"at+jwt".into())
    );
    for name in ["crit", "b64", "jwk", "jku", "x5c", "x5u"] {
        assert!(header.get(name).is_none(), "{name}");
    }
    assert_eq!(payload.as_object(), Some(claims));
    assert_eq!(payload["iss"], "joe");
    assert!(
        payload["aud"] == "edge"
            || payload["aud"].as_array().is_some_and(|list| list.contains(&"edge".into()))
    );
    assert!(payload["exp"].as_f64().expect("a number") > 1_700_000_239.0);
    for begins in ["nbf", "iat"] {
        assert!(payload.get(begins).is_none_or(|at| at.as_f64().expect("a number") < 1_700_000_361.0));
    }
    let signed = text.rsplit_once('.').expect("three parts").0;
    let backend = default_backend();
    let key = signer().public().verifier(backend.as_ref()).expect("a key");
    key.verify(signed.as_bytes(), &decode(parts[2])).expect("what is verified is what was signed");
}

fn public_key(text: &str) -> bool {
    match PublicKey::from_jwk(text) {
        Ok(key) => {
            let written = key.to_jwk();
            let lenient: Value = serde_json::from_str(text).expect("accepted JSON");
            for name in ["kty", "crv", "x", "y", "n", "e"] {
                assert_eq!(written.get(name), lenient.get(name).filter(|_| written.get(name).is_some()));
            }
            assert!(lenient.get("d").is_none());
            assert_eq!(PublicKey::from_jwk(&written.to_string()).as_ref(), Ok(&key));
            key.verifier(default_backend().as_ref()).expect("a key that was accepted can be used");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn private_key(text: &str) -> bool {
    let Ok(key) = SigningKey::from_pkcs8_pem(text) else { return false };
    let pem = key.to_pkcs8_pem().expect("an encoding");
    let again = SigningKey::from_pkcs8_pem(pem.expose()).expect("what was written is read");
    assert_eq!((again.public(), again.sign(b"x")), (key.public(), key.sign(b"x")));
    true
}

/// What is written of a set is read as the same, and no private key is ever in it.
fn key_set(text: &str) -> bool {
    let backend = default_backend();
    let Ok(keys) = PublicKeys::from_jwks(text, backend.as_ref()) else { return false };
    let lenient: Value = serde_json::from_str(text).expect("accepted JSON");
    let given = lenient["keys"].as_array().expect("a list");
    assert!(given.iter().filter(|key| key["kid"].is_string()).all(|key| key.get("d").is_none()));
    let written = keys.to_jwks();
    let again =
        PublicKeys::from_jwks(&written.to_string(), backend.as_ref()).expect("what is written is read");
    assert_eq!(again.to_jwks(), written);
    written["keys"].as_array().is_some_and(|keys| !keys.is_empty())
}

/// A public key is of one kind, and the same as a JWK.
fn public_pem(text: &str) -> bool {
    let keys: Vec<_> = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256]
        .into_iter()
        .filter_map(|algorithm| PublicKey::from_spki_pem(text, algorithm).ok())
        .collect();
    assert!(keys.len() <= 1, "a key is of one kind");
    for key in &keys {
        assert_eq!(PublicKey::from_jwk(&key.to_jwk().to_string()).as_ref(), Ok(key));
        key.verifier(default_backend().as_ref()).expect("a key that was accepted can be used");
    }
    !keys.is_empty()
}

/// A signature has one spelling in DER: two positive integers without needless zeros.
fn signature(der: &[u8]) -> bool {
    let Ok(fixed) = es256_signature_from_der(der) else { return false };
    let (r, s) = fixed.split_at(32);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count().min(31);
        let digits = &number[zeros..];
        let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
        let length = u8::try_from(sign.len() + digits.len()).expect("33 bytes at most");
        [&[2, length], sign, digits].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).expect("70 bytes at most");
    assert_eq!([&[0x30, length], body.as_slice()].concat(), der, "one spelling");
    true
}

fn names(text: &str) -> bool {
    let url = text.parse::<TargetUrl>();
    if let Ok(url) = &url {
        assert_eq!(url.as_str().parse().as_ref(), Ok(url), "one form");
        assert!(!url.as_str().contains(['?', '#', '\\', ' ', '\n']));
    }
    let thumbprint = text.parse::<Thumbprint>();
    if let Ok(thumbprint) = &thumbprint {
        assert_eq!(thumbprint.to_string(), text, "one spelling");
    }
    url.is_ok() || thumbprint.is_ok()
}
