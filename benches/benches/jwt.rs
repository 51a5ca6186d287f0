//! Issuing and verifying a node credential, and a whole check-in's evidence, beside the bare signature operations.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench may end when its input is wrong"
)]

use std::{hint::black_box, sync::Arc};

use criterion::Criterion;
use handfast::{
    KeyRing, SecretKey, Timestamp,
    crypto::{AwsLc, Backend, RustCrypto},
    id::{KeyId, PackageId},
    jwt::{
        Algorithm, Nonces, Proof, SigningKey, SigningRing, TargetUrl, Verifier,
        credential::{self, Credential, Request},
        proof,
    },
};
use handfast_benches::compare;
use rand::{SeedableRng, rngs::StdRng};

const ISSUER: &str = "https://enroll.example";
const NOW: &str = "2026-01-02T03:04:05Z";

/// A host, a node, and what one sent to the other.
struct Bench {
    backend: Arc<dyn Backend>,
    ring: SigningRing,
    kid: KeyId,
    nonces: Nonces,
    url: TargetUrl,
    now: Timestamp,
    claims: Credential,
    credential: String,
    proof: String,
    signer: SigningKey,
    verifier: Verifier,
    signed: Vec<u8>,
    signature: [u8; 64],
}

impl Bench {
    fn new(backend: Arc<dyn Backend>, algorithm: Algorithm) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let (kid, now): (KeyId, Timestamp) = ("k1".parse().unwrap(), NOW.parse().unwrap());
        let signer = SigningKey::generate(algorithm, &mut rng).unwrap();
        let node = SigningKey::generate(algorithm, &mut rng).unwrap();
        let ring = SigningRing::single(kid.clone(), signer.clone(), backend.as_ref()).unwrap();
        let nonces = Nonces::new(
            KeyRing::single("n1".parse().unwrap(), SecretKey::new([1; 32])),
            Arc::clone(&backend),
        );
        let claims = Credential {
            issuer: ISSUER.to_owned(),
            node: "n-000102030405060708090a0b0c0d0e0f".parse().unwrap(),
            package: PackageId::new(now, &[7; 10]),
            scope: "acme".parse().unwrap(),
            jti: "c-1".to_owned(),
            issued_at: now,
            expires_at: now.plus_seconds(3600),
            key: node.public().thumbprint(),
        };
        let credential = credential::sign(&ring, &kid, &claims).unwrap().expose().to_owned();
        let url: TargetUrl = "https://enroll.example/api/check-in".parse().unwrap();
        let nonce = nonces.issue(now).unwrap();
        let make = proof::Make {
            method: "POST",
            url: &url,
            token: Some(&credential),
            nonce: Some(&nonce),
            issued_at: now,
        };
        let proof = Proof::make(&node, &make, &mut rng).unwrap();
        let signed = credential.rsplit_once('.').unwrap().0.as_bytes().to_vec();
        Self {
            verifier: signer.public().verifier(backend.as_ref()).unwrap(),
            signature: signer.sign(&signed),
            backend,
            ring,
            kid,
            nonces,
            url,
            now,
            claims,
            credential,
            proof,
            signer,
            signed,
        }
    }

    fn issue(&self) {
        black_box(credential::sign(&self.ring, &self.kid, black_box(&self.claims)).unwrap());
    }

    fn verify(&self) {
        let keys = self.ring.public();
        black_box(credential::verify(keys, ISSUER, black_box(&self.credential), self.now).unwrap());
    }

    /// The credential and the proof, whose key is new to the host each time.
    fn authenticate(&self) {
        let request = Request {
            credential: &self.credential,
            proof: &self.proof,
            method: "POST",
            url: &self.url,
            nonces: Some(&self.nonces),
            now: self.now,
        };
        let (backend, keys) = (self.backend.as_ref(), self.ring.public());
        black_box(credential::authenticate(backend, keys, ISSUER, black_box(&request)).unwrap());
    }

    fn bare_sign(&self) {
        black_box(self.signer.sign(black_box(&self.signed)));
    }

    fn bare_verify(&self) {
        self.verifier.verify(black_box(&self.signed), &self.signature).unwrap();
    }

    fn two_bare_verifications(&self) {
        self.bare_verify();
        self.bare_verify();
    }
}

/// A name, what is measured, and the bare operations inside it.
type Pair = (&'static str, fn(&Bench), fn(&Bench));

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let backends: [Arc<dyn Backend>; 2] = [Arc::new(AwsLc), Arc::new(RustCrypto)];
    for backend in backends {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let bench = Bench::new(Arc::clone(&backend), algorithm);
            let name = format!("credential {algorithm} {}", backend.name());
            println!("{name}: {} bytes, proof {} bytes", bench.credential.len(), bench.proof.len());
            let pairs: [Pair; 3] = [
                ("issue", Bench::issue, Bench::bare_sign),
                ("verify", Bench::verify, Bench::bare_verify),
                ("with proof", Bench::authenticate, Bench::two_bare_verifications),
            ];
            for (what, whole, bare) in pairs {
                let mut group = criterion.benchmark_group(format!("{name} {what}"));
                group.bench_function("whole", |bencher| bencher.iter(|| whole(&bench)));
                group.bench_function("bare", |bencher| bencher.iter(|| bare(&bench)));
                group.finish();
                let comparison = compare(2, || whole(&bench), || bare(&bench));
                println!("RATIO {}", comparison.line(&format!("{name} {what}")));
            }
        }
    }
    criterion.final_summary();
}
