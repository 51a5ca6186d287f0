//! Proofs of possession: honest ones, stolen ones, forged ones.

use std::sync::Arc;

use handfast::{
    Code, KeyRing, SecretKey, Timestamp,
    crypto::Backend,
    jwt::{Algorithm, Nonces, Proof, ProofError, SigningKey, TargetUrl, proof},
    limits,
    vocabulary::Error,
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    shop::{at, encode, forge, key, part},
    support::backends,
};

const NOW: &str = "2026-01-02T03:04:05Z";
/// What a board without a battery believes.
const BOOT: &str = "1970-01-01T00:00:07Z";
const TOKEN: &str = "hf1_ABC";

fn url() -> TargetUrl {
    "https://enroll.example/api/redeem".parse().unwrap()
}

fn ring(current: &str, keys: &[(&str, u8)]) -> KeyRing {
    let keys = keys.iter().map(|(id, byte)| (id.parse().unwrap(), SecretKey::new([*byte; 32])));
    KeyRing::new(current.parse().unwrap(), keys.collect()).unwrap()
}

fn nonces(backend: &Arc<dyn Backend>) -> Nonces {
    Nonces::new(ring("n1", &[("n1", 1)]), Arc::clone(backend))
}

fn make(key: &SigningKey, token: Option<&str>, nonce: Option<&str>, issued_at: &str) -> String {
    let make = proof::Make { method: "POST", url: &url(), token, nonce, issued_at: at(issued_at) };
    Proof::make(key, &make, &mut StdRng::seed_from_u64(5)).unwrap()
}

/// The verdict at [`NOW`] for the redeem request with [`TOKEN`].
fn verdict(backend: &Arc<dyn Backend>, nonces: Option<&Nonces>, text: &str) -> Result<String, ProofError> {
    verdict_at(backend, nonces, text, at(NOW))
}

fn verdict_at(
    backend: &Arc<dyn Backend>,
    nonces: Option<&Nonces>,
    text: &str,
    now: Timestamp,
) -> Result<String, ProofError> {
    let url = url();
    let expected = proof::Expected { method: "POST", url: &url, token: Some(TOKEN), nonces, now };
    proof::verify(backend.as_ref(), text, &expected).map(|proof| proof.jti().to_owned())
}

#[test]
fn a_node_without_a_clock_proves_its_key() {
    for backend in backends() {
        let nonces = nonces(&backend);
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let node = key(algorithm, 7);
            let first = make(&node, Some(TOKEN), None, BOOT);
            assert_eq!(verdict(&backend, Some(&nonces), &first), Err(ProofError::UseNonce));

            let nonce = nonces.issue(at(NOW)).unwrap();
            let second = make(&node, Some(TOKEN), Some(&nonce), BOOT);
            let expected = proof::Expected {
                method: "POST",
                url: &url(),
                token: Some(TOKEN),
                nonces: Some(&nonces),
                now: at(NOW).plus_seconds(2),
            };
            let proof = proof::verify(backend.as_ref(), &second, &expected).unwrap();
            assert_eq!(proof.thumbprint(), node.public().thumbprint());
            assert_eq!((proof.key(), proof.issued_at()), (&node.public(), at(BOOT)));
            assert_eq!(proof.jti().len(), 22);
            let header = part(&second, 0);
            assert_eq!(header["jwk"], node.public().to_jwk());
            assert_eq!((&header["typ"], header.as_object().unwrap().len()), (&Value::from("dpop+jwt"), 3));
        }
    }
}

#[test]
fn a_nonce_lasts_a_minute_and_outlives_its_key_ring() {
    for backend in backends() {
        let nonces = nonces(&backend);
        let nonce = nonces.issue(at(NOW)).unwrap();
        assert!(nonce.len() <= 80 && nonce.bytes().all(|byte| byte.is_ascii_graphic()), "{nonce}");
        let good = |when: &str| nonces.check(&nonce, at(when));
        assert!(!good("2026-01-02T03:03:59.999Z"), "from too far ahead");
        assert!(good("2026-01-02T03:04:00Z"), "another host's clock is five seconds ahead");
        assert!(good("2026-01-02T03:05:04.999Z"));
        assert!(!good("2026-01-02T03:05:05Z"));

        let rotated = Nonces::new(ring("n2", &[("n1", 1), ("n2", 2)]), Arc::clone(&backend));
        assert!(rotated.check(&nonce, at(NOW)), "by the old key");
        assert!(!nonces.check(&rotated.issue(at(NOW)).unwrap(), at(NOW)), "by a key not yet known here");
        let other = Nonces::new(ring("n1", &[("n1", 9)]), Arc::clone(&backend));
        assert!(!other.check(&nonce, at(NOW)), "by a key of the same name");
        for position in 0..nonce.len() {
            let mut forged = nonce.clone();
            let replacement = if &nonce[position..=position] == "A" { "B" } else { "A" };
            forged.replace_range(position..=position, replacement);
            assert!(!nonces.check(&forged, at(NOW)), "{forged}");
        }
        for forged in
            ["", ".", "n1.", "n1", &nonce[..nonce.len() - 1], &format!("{nonce}A"), &"n".repeat(1000)]
        {
            assert!(!nonces.check(forged, at(NOW)), "{forged}");
        }
    }
}

#[test]
fn without_nonces_the_nodes_own_time_counts() {
    for backend in backends() {
        let text = make(&key(Algorithm::Es256, 7), Some(TOKEN), None, NOW);
        let verdict = |when: &str| verdict_at(&backend, None, &text, at(when)).map(|_| ());
        assert_eq!(verdict("2026-01-02T03:03:04.999Z"), Err(ProofError::TooFarAhead));
        assert_eq!(verdict("2026-01-02T03:03:05Z"), Ok(()));
        assert_eq!(verdict("2026-01-02T03:10:04.999Z"), Ok(()));
        assert_eq!(verdict("2026-01-02T03:10:05Z"), Err(ProofError::TooOld));
    }
}

/// A thief has the proof of one request and wants to make another.
#[test]
fn a_stolen_proof_opens_nothing_else() {
    for backend in backends() {
        let nonces = nonces(&backend);
        let nonce = nonces.issue(at(NOW)).unwrap();
        let node = key(Algorithm::Es256, 7);
        let (with, without) =
            (make(&node, Some(TOKEN), Some(&nonce), NOW), make(&node, None, Some(&nonce), NOW));
        let judge = |text: &str, method, url: &str, token| {
            let url = url.parse().unwrap();
            let expected = proof::Expected { method, url: &url, token, nonces: Some(&nonces), now: at(NOW) };
            proof::verify(backend.as_ref(), text, &expected).map(|_| ())
        };
        let here = "https://enroll.example/api/redeem";
        assert_eq!(judge(&with, "POST", here, Some(TOKEN)), Ok(()));
        assert_eq!(judge(&without, "POST", here, None), Ok(()));
        for method in ["GET", "post", "PUT", ""] {
            assert_eq!(judge(&with, method, here, Some(TOKEN)), Err(ProofError::WrongMethod), "{method}");
        }
        for url in [
            "https://enroll.example/api/check-in",
            "https://enroll.example/api/redeem/",
            "https://enroll.example/API/redeem",
            "https://enroll.example/api/%72edeem",
            "http://enroll.example/api/redeem",
            "https://enroll.example:8443/api/redeem",
            "https://enroll.example.evil/api/redeem",
        ] {
            assert_eq!(judge(&with, "POST", url, Some(TOKEN)), Err(ProofError::WrongUrl), "{url}");
        }
        assert_eq!(judge(&with, "POST", "https://ENROLL.example:443/api/redeem", Some(TOKEN)), Ok(()));
        assert_eq!(judge(&with, "POST", here, Some("hf1_ABD")), Err(ProofError::WrongToken));
        assert_eq!(judge(&with, "POST", here, None), Err(ProofError::WrongToken));
        assert_eq!(judge(&without, "POST", here, Some(TOKEN)), Err(ProofError::WrongToken));
    }
}

#[test]
fn each_forged_proof_is_called_by_its_name() {
    for backend in backends() {
        let forgeries = forgeries(&backend);
        assert!(forgeries.len() >= 40, "{}", forgeries.len());
        for (name, text, code) in forgeries {
            let error = verdict(&backend, Some(&nonces(&backend)), &text).expect_err(name);
            assert_eq!(error.code(), code, "{name}: {error}");
        }
    }
}

/// A good proof with one thing changed, signed by the key in its header.
fn forgeries(backend: &Arc<dyn Backend>) -> Vec<(&'static str, String, Code)> {
    let node = key(Algorithm::Es256, 7);
    let nonce = nonces(backend).issue(at(NOW)).unwrap();
    let good = make(&node, Some(TOKEN), Some(&nonce), NOW);
    let (header, payload) = (part(&good, 0), part(&good, 1));
    let with = |name: &str, value: Value| {
        let mut payload = payload.clone();
        payload[name] = value;
        forge(&node, &header.to_string(), &payload.to_string())
    };
    let without = |name: &str| {
        let mut payload = payload.clone();
        payload.as_object_mut().unwrap().remove(name);
        forge(&node, &header.to_string(), &payload.to_string())
    };
    let headed = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        forge(&node, &header.to_string(), &payload.to_string())
    };
    let keyed = |name: &str, value: Value| {
        let mut jwk = header["jwk"].clone();
        jwk[name] = value;
        headed("jwk", jwk)
    };
    let headless = |name: &str| {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove(name);
        forge(&node, &header.to_string(), &payload.to_string())
    };
    let stale = nonces(backend).issue(at(NOW).minus_seconds(61)).unwrap();
    let foreign = Nonces::new(ring("n1", &[("n1", 9)]), Arc::clone(backend)).issue(at(NOW)).unwrap();
    let own_time = format!("n1.{}", encode([&1_767_323_045_000_i64.to_be_bytes()[..], &[0; 32]].concat()));
    let thief = key(Algorithm::Es256, 8);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256" });
    let twice = payload.to_string().replacen('{', r#"{"htm":"GET","#, 1);
    vec![
        ("no nonce", without("nonce"), Code::UseNonce),
        ("an empty nonce", with("nonce", "".into()), Code::UseNonce),
        ("a stale nonce", with("nonce", stale.into()), Code::UseNonce),
        ("a nonce of another host", with("nonce", foreign.into()), Code::UseNonce),
        ("a nonce of the forger's", with("nonce", own_time.into()), Code::UseNonce),
        ("a nonce that is a number", with("nonce", 7.into()), Code::JwtInvalidClaim),
        ("another method", with("htm", "GET".into()), Code::ProofWrongMethod),
        ("a method in small letters", with("htm", "post".into()), Code::ProofWrongMethod),
        ("no method", without("htm"), Code::JwtMissingClaim),
        ("a method that is a list", with("htm", json!(["POST"])), Code::JwtInvalidClaim),
        ("another URL", with("htu", "https://evil.example/api/redeem".into()), Code::ProofWrongUrl),
        (
            "a URL with a query",
            with("htu", "https://enroll.example/api/redeem?a".into()),
            Code::ProofWrongUrl,
        ),
        (
            "a URL with a fragment",
            with("htu", "https://enroll.example/api/redeem#a".into()),
            Code::ProofWrongUrl,
        ),
        (
            "a URL with user info",
            with("htu", "https://a@enroll.example/api/redeem".into()),
            Code::ProofWrongUrl,
        ),
        ("a relative URL", with("htu", "/api/redeem".into()), Code::ProofWrongUrl),
        ("no URL", without("htu"), Code::JwtMissingClaim),
        (
            "another token's hash",
            with("ath", "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo".into()),
            Code::ProofWrongToken,
        ),
        ("no hash", without("ath"), Code::ProofWrongToken),
        ("a hash that is null", with("ath", Value::Null), Code::JwtInvalidClaim),
        ("no id", without("jti"), Code::JwtMissingClaim),
        ("an empty id", with("jti", "".into()), Code::JwtInvalidClaim),
        ("an id without end", with("jti", "x".repeat(limits::JTI_BYTES + 1).into()), Code::JwtInvalidClaim),
        ("an id with a newline", with("jti", "a\nb".into()), Code::JwtInvalidClaim),
        ("an id that is a number", with("jti", 7.into()), Code::JwtInvalidClaim),
        ("no time", without("iat"), Code::JwtMissingClaim),
        ("a time that is a text", with("iat", "1767323045".into()), Code::JwtInvalidClaim),
        ("another type", headed("typ", "JWT".into()), Code::JwtWrongType),
        ("no type", headless("typ"), Code::JwtWrongType),
        ("no key", headless("jwk"), Code::JwtInvalidHeader),
        ("a key that is a text", headed("jwk", "k1".into()), Code::UnusableKey),
        ("a key that is null", headed("jwk", Value::Null), Code::UnusableKey),
        ("a private key", keyed("d", encode([7; 32]).into()), Code::JwkPrivate),
        ("a symmetric key", headed("jwk", json!({ "kty": "oct", "k": "AA" })), Code::JwkPrivate),
        ("a key of another curve", keyed("crv", "P-384".into()), Code::UnusableKey),
        ("a point off the curve", keyed("x", encode([7; 32]).into()), Code::UnusableKey),
        ("a key for encryption", keyed("use", "enc".into()), Code::UnusableKey),
        ("an RSA key", headed("jwk", rsa.clone()), Code::UnusableKey),
        (
            "an RSA proof",
            {
                let mut header = header.clone();
                (header["alg"], header["jwk"]) = ("RS256".into(), rsa);
                forge(&node, &header.to_string(), &payload.to_string())
            },
            Code::JwtAlgorithmNotAllowed,
        ),
        ("a MAC", headed("alg", "HS256".into()), Code::JwtAlgorithmNotAllowed),
        ("no algorithm", headed("alg", "none".into()), Code::JwtUnsigned),
        ("another algorithm than the key's", headed("alg", "EdDSA".into()), Code::JwtAlgorithmMismatch),
        ("a key from elsewhere", headed("jku", "https://evil.example/".into()), Code::JwtEmbeddedKey),
        ("crit", headed("crit", json!(["nonce"])), Code::JwtCriticalExtension),
        ("a method twice", forge(&node, &header.to_string(), &twice), Code::JwtDuplicateMember),
        (
            "signed by the thief",
            forge(&thief, &header.to_string(), &payload.to_string()),
            Code::JwtBadSignature,
        ),
        ("signed by nobody", format!("{signed}.{}", encode([0; 64])), Code::JwtBadSignature),
        ("not signed", format!("{signed}."), Code::JwtSignatureLength),
        ("too long", with("more", "x".repeat(limits::PROOF_BYTES).into()), Code::JwtTooLarge),
    ]
}

#[test]
fn a_proof_is_not_made_of_anything() {
    let node = key(Algorithm::EdDsa, 7);
    let long = "n".repeat(limits::NONCE_BYTES + 1);
    for (method, nonce) in
        [("", None), ("PO ST", None), ("POST\n", None), ("POST", Some("")), ("POST", Some(&*long))]
    {
        let make = proof::Make { method, url: &url(), token: None, nonce, issued_at: at(NOW) };
        let error = Proof::make(&node, &make, &mut StdRng::seed_from_u64(1)).unwrap_err();
        let path = if nonce.is_some() { "nonce" } else { "method" };
        assert!(matches!(&error, Error::Input { path: at, .. } if at == path), "{error}");
    }
    let request = |seed| {
        let make = proof::Make { method: "GET", url: &url(), token: None, nonce: None, issued_at: at(NOW) };
        Proof::make(&node, &make, &mut StdRng::seed_from_u64(seed)).unwrap()
    };
    assert_ne!(request(1), request(2), "each proof has an id of its own");
    assert_eq!(request(1), request(1), "which is drawn from the caller's entropy");
}
