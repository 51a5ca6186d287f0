//! SPIFFE material against whoever hands over a bundle, and against a server that answers what it likes.
//!
//! Input: a byte that says what the rest is taken for (modulo 4): a bundle in PEM, a bundle in JSON, an entry as SPIRE's API
//! has it, or a name. What is accepted is written and read back the same, in both forms of a bundle.

use std::collections::BTreeSet;

use handfast::{
    limits,
    spire::{Bundle, Entry, EntryId, Selector, SpiffeId, SpireError, TrustDomain},
};
use serde_json::Value;

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else { return false };
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    match form % 4 {
        0 => bundle(Bundle::from_pem(domain(), text)),
        1 => json(text),
        2 => entry(text),
        _ => name(text),
    }
}

fn domain() -> TrustDomain {
    "example.org".parse().expect("a trust domain")
}

/// A bundle in JSON, and what a lenient reader finds in it: no key but those of the text, and none that is private.
fn json(text: &str) -> bool {
    let read = Bundle::from_json(domain(), text);
    if let Ok(bundle) = &read {
        let lenient: Value = serde_json::from_str(text).expect("accepted JSON");
        let keys = lenient["keys"].as_array().expect("a list of keys");
        assert!(keys.iter().all(|key| key.get("d").is_none() && key["use"].is_string()));
        let of_use = |name: &str| keys.iter().filter(|key| key["use"] == name).count();
        assert!(bundle.x509_authorities().len() <= of_use("x509-svid"));
        assert!(bundle.jwt_authorities().len() <= of_use("jwt-svid"));
        assert_eq!(bundle.sequence(), lenient.get("spiffe_sequence").and_then(Value::as_u64));
        let hint = lenient.get("spiffe_refresh_hint").and_then(Value::as_u64);
        assert_eq!(bundle.refresh_hint_seconds().map(u64::from), hint);
    }
    bundle(read)
}

fn bundle(read: Result<Bundle, SpireError>) -> bool {
    let bundle = match read {
        Ok(bundle) => bundle,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !matches!(error, SpireError::InvalidRequest { .. }));
            return false;
        }
    };
    assert_eq!(bundle.trust_domain(), &domain());
    let json = bundle.to_json();
    let again = Bundle::from_json(domain(), &json).expect("what is written in JSON is read");
    assert_eq!((&again, again.to_json()), (&bundle, json));
    let pem = bundle.to_pem();
    match Bundle::from_pem(domain(), &pem) {
        Ok(again) => {
            assert_eq!(again.x509_authorities(), bundle.x509_authorities());
            assert!(again.jwt_authorities().is_empty() && again.to_pem() == pem);
        }
        Err(error) => assert!(bundle.x509_authorities().is_empty() && pem.is_empty(), "{error}"),
    }
    let rebuilt = bundle.x509_authorities().iter().try_fold(Bundle::new(domain()), |built, authority| {
        assert!(authority.der().len() <= limits::SPIFFE_CERTIFICATE_BYTES);
        built.with_x509_authority(authority.der())
    });
    let rebuilt = bundle.jwt_authorities().iter().try_fold(rebuilt.expect("its own"), |built, authority| {
        built.with_jwt_authority(authority.key_id(), authority.public_key())
    });
    let rebuilt = rebuilt.expect("its own keys");
    assert_eq!(rebuilt.x509_authorities(), bundle.x509_authorities());
    assert_eq!(rebuilt.jwt_authorities(), bundle.jwt_authorities());
    true
}

/// An entry that the server would take says the same when it is read again.
fn entry(text: &str) -> bool {
    let Ok(entry) = serde_json::from_str::<Entry>(text) else { return false };
    let written = serde_json::to_string(&entry).expect("an entry is JSON");
    assert_eq!(serde_json::from_str::<Entry>(&written).expect("what is written is read"), entry);
    let Err(error) = entry.check() else {
        assert!((1..=limits::SPIRE_SELECTORS).contains(&entry.selectors.len()));
        assert_eq!(entry.parent_id.trust_domain(), entry.spiffe_id.trust_domain());
        assert!(!format!("{}/", entry.spiffe_id.path()).starts_with("/spire/"));
        return true;
    };
    assert!(matches!(error, SpireError::InvalidRequest { .. }));
    false
}

/// Names have one spelling, and the parts of one make the same again.
fn name(text: &str) -> bool {
    let id = text.parse::<SpiffeId>();
    if let Ok(id) = &id {
        assert_eq!(SpiffeId::from_parts(id.trust_domain(), id.path()).as_ref(), Ok(id));
        assert!(id.as_str() == text && text.len() <= limits::SPIFFE_ID_BYTES);
        assert!(id.trust_domain().parse::<TrustDomain>().is_ok());
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"%?#@\\".contains(&byte)));
        assert!(id.path().split('/').skip(1).all(|part| !matches!(part, "" | "." | "..")));
    }
    let selector = text.parse::<Selector>();
    if let Ok(selector) = &selector {
        assert_eq!(Selector::from_parts(selector.kind(), selector.value()).as_ref(), Ok(selector));
        assert!(selector.to_string() == text && text.len() <= limits::SPIRE_SELECTOR_BYTES);
        assert_eq!(BTreeSet::from([selector.clone()]).len(), 1);
    }
    let entry = text.parse::<EntryId>();
    assert!(entry.as_ref().is_ok_and(|entry| entry.as_str() == text) || entry.is_err());
    id.is_ok() || selector.is_ok() || entry.is_ok()
}
