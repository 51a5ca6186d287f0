//! Proofs of possession from a node that chooses everything and holds its own key.
//!
//! Input: one byte of switches, a header, a byte 0x1e and a payload, which the target signs with the node's key. `NONCE` in
//! the payload becomes a good nonce. Whatever comes, there is a typed answer; and an accepted proof is, to a second,
//! simple reader, for this very request and by the key that signed it.

use handfast::{
    KeyRing, SecretKey,
    crypto::{Ed25519Key, Es256Key, default_backend},
    jwt::{Nonces, SigningKey, TargetUrl, proof},
};
use serde_json::Value;

use super::base64url::encode;

const NOW: &str = "2026-01-02T03:04:05Z";
const URL: &str = "https://enroll.example/api/redeem";
const TOKEN: &str = "hf1_ABC";

/// One input; whether it was accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((switches, rest)) = input.split_first() else { return false };
    let (demand, ed25519, bare) = (switches & 1 != 0, switches & 2 != 0, switches & 4 != 0);
    let backend = default_backend();
    let ring = KeyRing::single("n1".parse().expect("a name"), SecretKey::new([1; 32]));
    let nonces = Nonces::new(ring, default_backend());
    let now = NOW.parse().expect("a time");
    let key = signer(ed25519);
    let mut parts = rest.splitn(2, |byte| *byte == 0x1e);
    let header = parts.next().unwrap_or_default();
    let nonce = nonces.issue(now).expect("a nonce");
    let payload = String::from_utf8_lossy(parts.next().unwrap_or_default()).replace("NONCE", &nonce);
    let signed = format!("{}.{}", encode(header), encode(payload.as_bytes()));
    let text = format!("{signed}.{}", encode(&key.sign(signed.as_bytes())));

    let url: TargetUrl = URL.parse().expect("a URL");
    let expected = proof::Expected {
        method: "POST",
        url: &url,
        token: (!bare).then_some(TOKEN),
        nonces: demand.then_some(&nonces),
        now,
    };
    match proof::verify(backend.as_ref(), &text, &expected) {
        Ok(proof) => {
            assert_eq!((proof.key(), proof.thumbprint()), (&key.public(), key.public().thumbprint()));
            let claims: Value = serde_json::from_str(&payload).expect("accepted JSON");
            let header: Value = serde_json::from_slice(header).expect("accepted JSON");
            assert_eq!(
                (&header["typ"], &header["alg"]),
                (&"dpop+jwt".into(), &key.algorithm().as_str().into())
            );
            assert!(header["jwk"].get("d").is_none() && header.get("crit").is_none());
            assert_eq!((&claims["htm"], &claims["jti"]), (&"POST".into(), &proof.jti().into()));
            let hash = encode(&backend.sha256(TOKEN.as_bytes()));
            assert_eq!(claims.get("ath").and_then(Value::as_str), (!bare).then_some(&*hash));
            if demand {
                assert_eq!(claims["nonce"], nonce);
            } else {
                let age = 1_767_323_045.0 - claims["iat"].as_f64().expect("a number");
                assert!((-60.1..360.1).contains(&age), "{age}");
            }
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.code().as_str().is_empty());
            false
        }
    }
}

fn signer(ed25519: bool) -> SigningKey {
    let secret = SecretKey::new([7; 32]);
    if ed25519 {
        Ed25519Key::from_seed(&secret).into()
    } else {
        Es256Key::from_scalar(&secret).expect("a scalar").into()
    }
}
