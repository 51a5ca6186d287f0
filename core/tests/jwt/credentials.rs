//! The node credential: what it is good for, and what it is not.

use std::sync::Arc;

use handfast::{
    Code, KeyRing, SecretKey,
    crypto::Backend,
    id::{NodeId, PackageId},
    jwt::{
        Algorithm, Claims, JwtError, Nonces, Proof, ProofError, SigningKey, SigningRing, TargetUrl,
        credential::{self, Credential, Request},
        proof,
    },
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    shop::{at, forge, key, part},
    support::backends,
};

const ISSUER: &str = "https://enroll.example";
const NOW: &str = "2026-01-02T03:04:05Z";

struct Host {
    backend: Arc<dyn Backend>,
    ring: SigningRing,
    nonces: Nonces,
    url: TargetUrl,
}

impl Host {
    fn new(backend: Arc<dyn Backend>, algorithm: Algorithm) -> Self {
        let keys = [("k1", 101), ("k2", 102)].map(|(id, byte)| (id.parse().unwrap(), key(algorithm, byte)));
        let ring = SigningRing::new("k2".parse().unwrap(), keys.into(), backend.as_ref()).unwrap();
        let nonces = Nonces::new(
            KeyRing::single("n1".parse().unwrap(), SecretKey::new([1; 32])),
            Arc::clone(&backend),
        );
        Self { backend, ring, nonces, url: "https://enroll.example/api/check-in".parse().unwrap() }
    }

    fn sign(&self, kid: &str, credential: &Credential) -> String {
        credential::sign(&self.ring, &kid.parse().unwrap(), credential).unwrap().expose().to_owned()
    }

    fn verify(&self, text: &str, now: &str) -> Result<Credential, JwtError> {
        credential::verify(self.ring.public(), ISSUER, text, at(now)).map(|it| it.into_inner())
    }

    fn authenticate(&self, credential: &str, proof: &str, now: &str) -> Result<NodeId, ProofError> {
        let request = self.request(credential, proof, now);
        let authenticated =
            credential::authenticate(self.backend.as_ref(), self.ring.public(), ISSUER, &request)?;
        Ok(authenticated.credential.node)
    }

    fn request<'a>(&'a self, credential: &'a str, proof: &'a str, now: &str) -> Request<'a> {
        Request {
            credential,
            proof,
            method: "POST",
            url: &self.url,
            nonces: Some(&self.nonces),
            now: at(now),
        }
    }

    /// What a node with this key sends.
    fn proof(&self, key: &SigningKey, token: &str, now: &str) -> String {
        let nonce = self.nonces.issue(at(now)).unwrap();
        let make = proof::Make {
            method: "POST",
            url: &self.url,
            token: Some(token),
            nonce: Some(&nonce),
            issued_at: at(now),
        };
        Proof::make(key, &make, &mut StdRng::seed_from_u64(1)).unwrap()
    }
}

fn hosts() -> Vec<Host> {
    let pairs = backends().into_iter().flat_map(|backend| {
        [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| (Arc::clone(&backend), algorithm))
    });
    pairs.map(|(backend, algorithm)| Host::new(backend, algorithm)).collect()
}

fn node_key() -> SigningKey {
    key(Algorithm::Es256, 7)
}

fn node() -> Credential {
    Credential {
        issuer: ISSUER.to_owned(),
        node: "n-000102030405060708090a0b0c0d0e0f".parse().unwrap(),
        package: PackageId::new(at(NOW), &[7; 10]),
        scope: "acme".parse().unwrap(),
        jti: "c-1".to_owned(),
        issued_at: at(NOW),
        expires_at: at(NOW).plus_seconds(3600),
        key: node_key().public().thumbprint(),
    }
}

#[test]
fn a_credential_says_the_same_twice_and_is_read_back() {
    for host in hosts() {
        for kid in ["k1", "k2"] {
            let text = host.sign(kid, &node());
            assert_eq!(text, host.sign(kid, &node()));
            assert_eq!(host.verify(&text, NOW), Ok(node()));
            assert_eq!(
                part(&text, 0),
                json!({ "alg": host.ring.current().unwrap().1.algorithm().as_str(), "kid": kid, "typ": "handfast-node+jwt" })
            );
            let claims = part(&text, 1);
            assert_eq!(claims["cnf"], json!({ "jkt": node_key().public().thumbprint().to_string() }));
            assert_eq!(
                (&claims["sub"], &claims["exp"]),
                (&node().node.to_string().into(), &1_767_326_645.into())
            );
        }
        assert_ne!(host.sign("k1", &node()), host.sign("k2", &node()));
        let removed = credential::sign(&host.ring, &"k9".parse().unwrap(), &node());
        assert_eq!(removed.unwrap_err().code(), Code::MissingKey);
    }
}

#[test]
fn a_credential_ends_to_the_second_and_still_names_its_node() {
    for host in hosts() {
        let text = host.sign("k1", &node());
        assert_eq!(host.verify(&text, "2026-01-02T04:04:04.999Z"), Ok(node()));
        assert_eq!(host.verify(&text, "2026-01-02T04:04:05Z"), Err(JwtError::Expired));
        let identified =
            credential::identify(host.ring.public(), ISSUER, &text, at("2027-01-01T00:00:00Z")).unwrap();
        assert!(identified.expired);
        assert_eq!(identified.credential.node, node().node);

        let late = "2027-01-01T00:00:00Z";
        let proof = host.proof(&node_key(), &text, late);
        assert_eq!(host.authenticate(&text, &proof, late), Err(ProofError::Jwt(JwtError::Expired)));
        let request = host.request(&text, &proof, late);
        let recognised =
            credential::recognise(host.backend.as_ref(), host.ring.public(), ISSUER, &request).unwrap();
        assert!(recognised.node.expired);
        assert_eq!(recognised.proof.thumbprint(), recognised.node.credential.key);
        let other = host.proof(&key(Algorithm::Es256, 8), &text, late);
        let request = host.request(&text, &other, late);
        let stranger = credential::recognise(host.backend.as_ref(), host.ring.public(), ISSUER, &request);
        assert_eq!(stranger.err(), Some(ProofError::WrongKey));
    }
}

/// A credential from a log, a backup, or another node's disk.
#[test]
fn a_credential_alone_opens_nothing() {
    for host in hosts() {
        let text = host.sign("k2", &node());
        let own = host.proof(&node_key(), &text, NOW);
        assert_eq!(host.authenticate(&text, &own, NOW), Ok(node().node));

        let thief = host.proof(&key(Algorithm::Es256, 8), &text, NOW);
        assert_eq!(host.authenticate(&text, &thief, NOW), Err(ProofError::WrongKey));
        let other = host.sign("k2", &Credential { jti: "c-2".to_owned(), ..node() });
        assert_eq!(host.authenticate(&other, &own, NOW), Err(ProofError::WrongToken));
        let not_a_proof = host.authenticate(&text, &text, NOW);
        assert_eq!(not_a_proof, Err(ProofError::Jwt(JwtError::WrongType)));
        let not_a_credential = host.authenticate(&own, &own, NOW);
        assert_eq!(not_a_credential, Err(ProofError::Jwt(JwtError::EmbeddedKey { name: "jwk" })));
        let stale = host.authenticate(&text, &own, "2026-01-02T03:05:05Z");
        assert_eq!(stale, Err(ProofError::UseNonce));
        assert_eq!(host.authenticate(&text, "", NOW), Err(ProofError::Jwt(JwtError::NotCompact)));
    }
}

#[test]
fn forged_credentials_are_refused() {
    for host in hosts() {
        let text = host.sign("k1", &node());
        let (header, payload) = (part(&text, 0), part(&text, 1));
        let (_, signer) = host.ring.current().unwrap();
        let k1 = host.ring.get(&"k1".parse().unwrap()).unwrap();
        let with = |name: &str, value: Value| {
            let mut payload = payload.clone();
            payload[name] = value;
            forge(k1, &header.to_string(), &payload.to_string())
        };
        let without = |name: &str| {
            let mut payload = payload.clone();
            payload.as_object_mut().unwrap().remove(name);
            forge(k1, &header.to_string(), &payload.to_string())
        };
        let headed = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            forge(k1, &header.to_string(), &payload.to_string())
        };
        let other_issuer =
            host.sign("k1", &Credential { issuer: "https://evil.example".to_owned(), ..node() });
        for (text, code) in [
            (with("sub", "n-1".into()), Code::JwtInvalidClaim),
            (with("sub", 7.into()), Code::JwtInvalidClaim),
            (with("package", "p".into()), Code::JwtInvalidClaim),
            (with("scope", "a/b".into()), Code::JwtInvalidClaim),
            (with("exp", "2030".into()), Code::JwtInvalidClaim),
            (with("jti", "x".repeat(200).into()), Code::JwtInvalidClaim),
            (with("cnf", json!({ "jkt": "AA" })), Code::JwtInvalidClaim),
            (with("cnf", json!({ "jwk": {} })), Code::JwtMissingClaim),
            (without("cnf"), Code::JwtMissingClaim),
            (without("exp"), Code::JwtMissingClaim),
            (without("sub"), Code::JwtMissingClaim),
            (without("iss"), Code::JwtMissingClaim),
            (headed("typ", "JWT".into()), Code::JwtWrongType),
            (headed("kid", "k3".into()), Code::JwtUnknownKey),
            (headed("kid", "k2".into()), Code::JwtBadSignature),
            (headed("jwk", signer.public().to_jwk()), Code::JwtEmbeddedKey),
            (headed("alg", "none".into()), Code::JwtUnsigned),
            (headed("alg", "RS256".into()), Code::JwtAlgorithmMismatch),
            (other_issuer, Code::JwtWrongIssuer),
            (forge(&node_key(), &header.to_string(), &payload.to_string()), Code::JwtBadSignature),
        ] {
            let error = host.verify(&text, NOW).expect_err(&text);
            assert_eq!(error.code(), code, "{text}: {error}");
        }
        let plain = Claims::new(payload.as_object().unwrap().clone());
        let as_other_token = handfast::jwt::sign(k1, "at+jwt", Some("k1"), &plain);
        assert_eq!(host.verify(as_other_token.expose(), NOW), Err(JwtError::WrongType));
    }
}
