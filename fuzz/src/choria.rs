//! Choria's tokens, keys and helper documents from somebody who chooses everything, and who may even have signed it.
//!
//! Input: a first byte, then: (0) a token; (1) a payload, which the target signs with the key that is believed, so that only
//! the reading can refuse; (2) a helper's request; (3) a helper's reply; (4) a key or an id. What is read is written and read
//! again; what is verified is what was signed, and no secret shows itself.

use handfast::{
    Secret, Timestamp,
    choria::{
        self, AnyClaims, ChoriaError, Claims, Client, HelperReply, HelperRequest, Issuer, IssuerKey, Ksuid,
        Provisioning, Server,
    },
    crypto::{Ed25519Key, default_backend},
    secret::SecretKey,
};
use serde_json::Value;

use super::base64url::{decode, encode};

/// 2026-01-02T04:04:05Z, in the middle of the seeds' time.
const NOW: &str = "2026-01-02T04:04:05Z";

/// One input; whether it was accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((kind, rest)) = input.split_first() else { return false };
    let text = String::from_utf8_lossy(rest);
    match kind {
        0 => token(&text),
        1 => {
            let signed = format!("{}.{}", encode(br#"{"alg":"EdDSA","typ":"JWT"}"#), encode(rest));
            token(&format!("{signed}.{}", encode(&signer().sign(signed.as_bytes()))))
        }
        2 => request(&text),
        3 => reply(&text),
        _ => key(&text),
    }
}

fn signer() -> Ed25519Key {
    Ed25519Key::from_seed(&SecretKey::new([1; 32]))
}

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn token(text: &str) -> bool {
    let key = IssuerKey::ed25519(Issuer::new(signer()).public_key(), default_backend()).expect("a key");
    let kinds = [
        verified::<Provisioning>(&key, text),
        verified::<Server>(&key, text),
        verified::<Client>(&key, text),
    ];
    let verified = kinds.iter().filter(|verified| **verified).count();
    assert!(verified <= 1, "a token is of one kind");
    match choria::inspect(text) {
        Ok(token) => {
            let shown = serde_json::to_value(&token).expect("can be shown");
            assert!(shown["claims"].get("token").is_none() && shown["claims"].get("password").is_none());
            assert_eq!(
                shown["claims"]["type"] == "provisioning",
                matches!(token.claims(), AnyClaims::Provisioning(_))
            );
        }
        Err(error) => {
            assert_eq!(verified, 0, "what is verified can be looked at");
            assert!(!error.to_string().is_empty() && !matches!(error, ChoriaError::Validity { .. }));
        }
    }
    verified == 1
}

fn verified<T: Claims>(key: &IssuerKey, text: &str) -> bool {
    let Ok(token) = choria::verify::<T>(key, text, now()) else { return false };
    let parts: Vec<_> = text.split('.').collect();
    let payload: Value = serde_json::from_slice(&decode(parts[1])).expect("accepted JSON");
    assert!(payload["exp"].is_null() || payload["exp"].as_f64().expect("a number") > 1_767_326_645.0);
    let issuer = payload["iss"].as_str().unwrap_or_default();
    if !issuer.starts_with("C-") {
        let signed = text.rsplit_once('.').expect("three parts").0;
        assert_eq!(decode(parts[2]), signer().sign(signed.as_bytes()), "what is verified is what was signed");
    }
    let written: Value = serde_json::from_str(token.to_json().expose()).expect("JSON");
    for name in ["cht", "chsrv", "identity", "callerid", "jti", "iss", "tcs", "public_key"] {
        let signed = payload.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
        assert!(written.get(name).is_none_or(|written| Some(written) == signed), "{name}");
    }
    true
}

fn request(text: &str) -> bool {
    let Ok(request) = HelperRequest::from_json(text) else { return false };
    let written = request.to_json().expect("what is read can be written");
    let again = HelperRequest::from_json(written.expose()).expect("what is written is read");
    assert_eq!(again.to_json().expect("again"), written);
    true
}

fn reply(text: &str) -> bool {
    let Ok(reply) = HelperReply::from_json(text) else { return false };
    assert!(!reply.server("node").collectives.is_empty());
    let Ok(written) = reply.to_json(now()) else {
        assert!(reply.expires_at(now()).is_err(), "only a time can be refused later");
        return false;
    };
    let again = HelperReply::from_json(written.expose()).expect("what is written is read");
    assert_eq!(again.expires_at(now()), reply.expires_at(now()));
    true
}

fn key(text: &str) -> bool {
    let key = IssuerKey::read(text, default_backend());
    if let Some(hex) = key.as_ref().ok().and_then(IssuerKey::hex) {
        assert_eq!(hex.to_string().parse(), Ok(*hex), "one spelling");
    }
    let id = text.parse::<Ksuid>();
    if let Ok(id) = &id {
        assert_eq!(id.to_string(), text, "one spelling");
    }
    let seed = Issuer::from_seed(&Secret::new(text.to_owned()));
    assert!(seed.is_err() || text.trim_ascii().len() == 64);
    key.is_ok() || id.is_ok()
}
