//! `decide` and `apply` on a ledger of 100,000 packages, without cryptography: the primitives are replaced by ones
//! that cost nothing, so that what is left is the state machine and its store.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "a bench reads the clock, prints, and may end when its input is wrong"
)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use handfast::{
    Answer, Authority, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey,
    aws::{Change, InstanceEvent, InstanceState},
    crypto::{Backend, CryptoError, RsaPublicKey, VerifyingKey},
    record::{Key, Record},
    vocabulary::Action,
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

const PACKAGES: usize = 100_000;

/// Tells inputs apart and protects nothing.
#[derive(Debug)]
struct NoCryptography;

impl Backend for NoCryptography {
    fn name(&self) -> &'static str {
        "none"
    }

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        self.hmac_sha256(&[], &[message])
    }

    fn hmac_sha256(&self, _: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut digest = [0_u8; 32];
        for (place, byte) in parts.iter().flat_map(|part| part.iter()).enumerate() {
            if let Some(slot) = digest.get_mut(place % 32) {
                *slot = slot.rotate_left(3) ^ byte;
            }
        }
        digest
    }

    fn rsa_public_key(&self, _: &[u8]) -> Result<Arc<dyn RsaPublicKey>, CryptoError> {
        Err(CryptoError::UnusableKey)
    }

    fn es256_public_key(&self, _: &[u8; 65]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        Err(CryptoError::UnusableKey)
    }

    fn ed25519_public_key(&self, _: &[u8; 32]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        Err(CryptoError::UnusableKey)
    }

    fn seal(&self, _: &SecretKey, _: &[u8; 12], _: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(plaintext.to_vec())
    }

    fn open(&self, _: &SecretKey, _: &[u8; 12], _: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(sealed.to_vec())
    }
}

struct Bench {
    registrar: Registrar,
    ledger: Ledger,
    now: Now,
    rng: StdRng,
}

impl Bench {
    fn new() -> Self {
        let ring = || KeyRing::single("k1".parse().unwrap(), SecretKey::new([1; 32]));
        let policy: Policy = serde_json::from_value(json!({"vouched_fingerprints": true})).unwrap();
        Self {
            registrar: Registrar::new(policy, ring(), ring(), Arc::new(NoCryptography)).unwrap(),
            ledger: Ledger::new(),
            now: Now::trusted("2026-01-02T03:04:05Z".parse().unwrap()),
            rng: StdRng::seed_from_u64(1),
        }
    }

    fn run(&mut self, command: &Command) -> Answer {
        self.ledger.run(&self.registrar, command, self.now, &mut self.rng).unwrap()
    }

    fn run_all(&mut self, commands: &[Command]) -> Vec<Answer> {
        commands.iter().map(|command| self.run(command)).collect()
    }

    /// Runs as many as asked, on copies of the ledger as it is now, and counts only the time in between.
    fn time(&mut self, commands: &[Command], mut count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        while count > 0 {
            let now = commands.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            let untouched = self.ledger.clone();
            let start = Instant::now();
            for command in commands.iter().take(now) {
                black_box(self.run(command));
            }
            spent += start.elapsed();
            self.ledger = untouched;
            count -= u64::try_from(now).unwrap_or(count);
        }
        spent
    }
}

fn command(value: Value) -> Command {
    Command::from_value(value).unwrap()
}

fn issue(place: usize) -> Command {
    command(json!({
        "type": "issue", "authority": "operator:ann", "name": format!("edge-{place}"), "deliver": true, "ttl_seconds": 86400,
    }))
}

fn observe(place: usize, now: Now) -> Command {
    let instance = format!("i-{place:017x}").parse().unwrap();
    let change = Change::State { state: InstanceState::Running };
    let event = InstanceEvent::for_testing(instance, change, now.at, "7bf73129-1428-4cd3-a780-95db273d1602");
    Command { authority: Authority::Event, source: None, action: Action::ObserveInstance(Box::new(event)) }
}

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut bench = Bench::new();
    let issues: Vec<_> = (0..PACKAGES).map(issue).collect();
    let issued = bench.run_all(&issues).into_iter().map(|answer| match answer {
        Answer::Issued(issued) => (issued.package, issued.token.unwrap()),
        other => panic!("{other:?}"),
    });
    let issued: Vec<_> = issued.collect();
    let redeems = issued.iter().enumerate().take(PACKAGES / 2).map(|(place, (_, token))| {
        command(json!({"type": "redeem", "token": token.expose(), "fingerprint": format!("m{place}")}))
    });
    let redeems: Vec<_> = redeems.collect();
    let mut measure = |bench: &mut Bench, name: &str, commands: &[Command]| {
        criterion.bench_function(&format!("decide and apply, {PACKAGES} packages: {name}"), |bencher| {
            bencher.iter_custom(|count| bench.time(commands, count));
        });
    };
    let more: Vec<_> = (PACKAGES..PACKAGES + 20_000).map(issue).collect();
    measure(&mut bench, "issue", &more);
    let now = bench.now;
    let observes: Vec<_> = (0..20_000).map(|place| observe(place, now)).collect();
    measure(&mut bench, "observe an instance", &observes);
    let delivers = issued.iter().map(|(package, _)| {
        let to = json!({"type": "operator", "package": package});
        command(json!({"type": "deliver", "authority": "operator:ann", "to": to}))
    });
    measure(&mut bench, "deliver again", &delivers.collect::<Vec<_>>());
    measure(&mut bench, "redeem", &redeems);
    let nodes = bench.run_all(&redeems).into_iter().enumerate().map(|(place, answer)| match answer {
        Answer::Redeemed(redeemed) => (redeemed.node, format!("m{place}")),
        other => panic!("{other:?}"),
    });
    let nodes: Vec<_> = nodes.collect();
    measure(&mut bench, "redeem again", &redeems);
    let check_ins = |sequence: u64| {
        let one = |(node, fingerprint): &(_, String)| {
            command(
                json!({"type": "check_in", "node": node, "fingerprint": fingerprint, "sequence": sequence}),
            )
        };
        nodes.iter().map(one).collect::<Vec<_>>()
    };
    measure(&mut bench, "first check-in", &check_ins(1));
    bench.run_all(&check_ins(1));
    measure(&mut bench, "check-in", &check_ins(2));
    let expires =
        issued.iter().map(|(package, _)| command(json!({"type": "expire", "key": Key::Package(*package)})));
    measure(&mut bench, "expire, nothing due", &expires.collect::<Vec<_>>());
    let revokes = issued.iter().map(|(package, _)| {
        command(json!({"type": "revoke", "authority": "operator:ann", "package": package}))
    });
    let revokes: Vec<_> = revokes.collect();
    measure(&mut bench, "revoke", &revokes);
    bench.now = Now::trusted(bench.now.at.plus_seconds(86400));
    let unused = bench.ledger.due(bench.now.at, PACKAGES).into_iter().filter(
        |key| matches!(bench.ledger.get(key), Some(Record::Package(package)) if package.nodes.is_empty()),
    );
    let expires: Vec<_> = unused.map(|key| command(json!({"type": "expire", "key": key}))).collect();
    measure(&mut bench, "expire, due", &expires);
    criterion.final_summary();
}
