//! Whole SNS verifications in turns on demand: for each line on the standard input that many calls, and one line
//! with the nanoseconds for each call. The benches of other languages run it in turns with themselves.
//!
//! `cargo run --release -p handfast-benches --example sns_turns -- 2`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and may end when its input is wrong"
)]

use std::{hint::black_box, io::BufRead, path::Path, time::Instant};

use handfast::{
    crypto::default_backend,
    sns::{Headers, Policy, Received, Receiver},
    time::Now,
};

fn main() {
    let version = std::env::args().nth(1).unwrap_or_else(|| "2".to_owned());
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/vectors/sns");
    let read = |path: &str| std::fs::read(vectors.join(path)).unwrap();
    let body = read(&format!("messages/v{version}-autoscaling-launch-direct.json"));
    let policy = Policy::for_topics(["arn:aws:sns:us-east-1:123456789012:enroll".parse().unwrap()]);
    let mut receiver = Receiver::new(policy, default_backend()).unwrap();
    let now = Now::trusted("2026-03-01T12:00:30Z".parse().unwrap());
    let Ok(Received::Need(fetch)) = receiver.receive(&body, &Headers::default(), now) else {
        panic!("a new receiver has no certificate")
    };
    receiver.certificate(&fetch.url, Ok(&read("certificates/leaf.pem")), now).unwrap();
    for line in std::io::stdin().lock().lines() {
        let calls: u32 = line.unwrap().trim().parse().unwrap();
        let start = Instant::now();
        for _ in 0..calls {
            let received = receiver.receive(black_box(&body), &Headers::default(), now);
            assert!(matches!(black_box(received), Ok(Received::Notification(_))));
        }
        println!("{}", start.elapsed().as_nanos() / u128::from(calls));
    }
}
