//! A whole SNS verification, with the certificate cached, beside the bare RSA-2048 verification of the same backend.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench may end when its input is wrong"
)]

use std::{hint::black_box, path::Path, sync::Arc};

use criterion::Criterion;
use handfast::{
    crypto::{AwsLc, Backend, RsaDigest, RsaPublicKey, RustCrypto},
    sns::{Headers, Policy, Received, Receiver},
    time::Now,
};
use handfast_benches::compare;

const NOW: &str = "2026-03-01T12:00:30Z";

/// A message, a receiver that has its certificate, and the bare operation inside.
struct Bench {
    body: Vec<u8>,
    receiver: Receiver,
    now: Now,
    key: Arc<dyn RsaPublicKey>,
    digest: RsaDigest,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Bench {
    fn new(backend: Arc<dyn Backend>, version: &str) -> Self {
        let read = |path: &str| {
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/vectors/sns").join(path))
                .unwrap()
        };
        let body = read(&format!("messages/v{version}-autoscaling-launch-lifecycle.json"));
        let message: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let text = |name: &str| message[name].as_str().unwrap();
        let names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"];
        let signed: String = names.iter().map(|name| format!("{name}\n{}\n", text(name))).collect();
        let mut receiver =
            Receiver::new(Policy::for_topics([text("TopicArn").parse().unwrap()]), Arc::clone(&backend))
                .unwrap();
        let now = Now::trusted(NOW.parse().unwrap());
        let Received::Need(fetch) = receiver.receive(&body, &Headers::default(), now).unwrap() else {
            panic!("a new receiver has no certificate")
        };
        receiver.certificate(&fetch.url, Ok(&read("certificates/leaf.pem")), now).unwrap();
        let spki = pem(&read("certificates/public-key.pem"));
        Self {
            key: backend.rsa_public_key(&spki).unwrap(),
            digest: if version == "1" { RsaDigest::Sha1 } else { RsaDigest::Sha256 },
            signed: signed.into_bytes(),
            signature: base64(text("Signature")),
            body,
            receiver,
            now,
        }
    }
}

fn whole(receiver: &mut Receiver, body: &[u8], now: Now) {
    match receiver.receive(black_box(body), &Headers::default(), now) {
        Ok(Received::Notification(notification)) => {
            black_box(notification);
        }
        other => panic!("{other:?}"),
    }
}

fn pem(file: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(file).unwrap();
    base64(&text.lines().filter(|line| !line.starts_with('-')).collect::<String>())
}

fn base64(text: &str) -> Vec<u8> {
    data_encoding::BASE64.decode(text.as_bytes()).unwrap()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let backends: [Arc<dyn Backend>; 2] = [Arc::new(AwsLc), Arc::new(RustCrypto)];
    for backend in backends {
        for version in ["1", "2"] {
            let name = format!("sns verify v{version} {}", backend.name());
            let mut bench = Bench::new(Arc::clone(&backend), version);
            println!("{name}: body of {} bytes", bench.body.len());
            let mut group = criterion.benchmark_group(&name);
            group.bench_function("whole", |bencher| {
                bencher.iter(|| whole(&mut bench.receiver, &bench.body, bench.now));
            });
            group.bench_function("bare RSA-2048", |bencher| {
                bencher.iter(|| {
                    bench.key.verify(bench.digest, black_box(&bench.signed), &bench.signature).unwrap()
                });
            });
            group.finish();
            let comparison = compare(
                4,
                || whole(&mut bench.receiver, &bench.body, bench.now),
                || bench.key.verify(bench.digest, black_box(&bench.signed), &bench.signature).unwrap(),
            );
            println!("RATIO {}", comparison.line(&name));
        }
    }
    criterion.final_summary();
}
