//! How a ledger's costs grow from a thousand packages to a million, and how fast a history is replayed.
//!
//! `cargo bench -p handfast-benches --bench ledger [-- packages] [replay] [growth]`. What is compared runs in turns within one process.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a bench reads the clock, prints, and may end when its input is wrong"
)]

use std::{env, fs, hint::black_box, time::Instant};

use handfast::{
    Answer, Command, KeyRing, Ledger, Now, Policy, Registrar, SecretKey, Timestamp,
    crypto::Backend,
    id::PackageId,
    ledger::{ChangeCursor, Cursor, Filter, LabelFilter},
    record::PackageStatus,
    vocabulary::Event,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};

const SMALL: usize = 1000;
const TURN: usize = 100;
const TURNS: usize = 60;
const REPLAYS: usize = 5;

/// A ledger full of delivered packages, and who can say so.
struct Fleet {
    registrar: Registrar,
    ledger: Ledger,
    now: Timestamp,
    rng: StdRng,
    packages: Vec<(PackageId, String)>,
    issued: usize,
}

impl Fleet {
    fn new(ledger: Ledger) -> Self {
        let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
        let policy: Policy = serde_json::from_value(json!({"vouched_fingerprints": true})).unwrap();
        Self {
            registrar: Registrar::new(policy, ring(1), ring(2), handfast::crypto::default_backend()).unwrap(),
            ledger,
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            rng: StdRng::seed_from_u64(1),
            packages: Vec::new(),
            issued: 0,
        }
    }

    fn of(packages: usize) -> Self {
        let mut fleet = Self::new(Ledger::new());
        for _ in 0..packages {
            let issued = fleet.issue();
            fleet.packages.extend(issued);
            fleet.now = Timestamp::from_unix_millis(fleet.now.unix_millis() + 1).unwrap();
        }
        let mut rng = StdRng::seed_from_u64(2);
        fleet.packages.shuffle(&mut rng);
        fleet
    }

    fn run(&mut self, command: &Command) -> Answer {
        self.ledger.run(&self.registrar, command, Now::trusted(self.now), &mut self.rng).unwrap()
    }

    fn issue(&mut self) -> Option<(PackageId, String)> {
        let command = issue(self.issued);
        self.issued += 1;
        match self.run(&command) {
            Answer::Issued(issued) => Some((issued.package, issued.token?.expose().to_owned())),
            other => panic!("{other:?}"),
        }
    }

    /// The commands of a turn, made before the clock runs: packages from all over the fleet live and end.
    fn turn(&mut self, from: usize) -> Vec<Step> {
        let chosen: Vec<_> = self.packages.iter().cycle().skip(from).take(TURN).cloned().collect();
        let steps = chosen.into_iter().enumerate().map(|(place, (package, token))| {
            let machine = format!("m{from}-{place}");
            Step {
                issue: issue(self.issued + place),
                redeem: command(json!({"type": "redeem", "token": token, "fingerprint": machine})),
                machine,
                revoke: command(json!({"type": "revoke", "authority": "operator:ann", "package": package})),
            }
        });
        let steps: Vec<_> = steps.collect();
        self.issued += TURN;
        steps
    }

    /// Nanoseconds for each of issue, redeem, check-in and revoke.
    fn time(&mut self, steps: &[Step]) -> [f64; 4] {
        let mut spent = [0.0; 4];
        let mut timed = |which: usize, fleet: &mut Self, command: &Command| {
            let began = Instant::now();
            let answer = fleet.run(command);
            spent[which] += began.elapsed().as_secs_f64() * 1e9 / TURN as f64;
            answer
        };
        for step in steps {
            black_box(timed(0, self, &step.issue));
            let Answer::Redeemed(redeemed) = timed(1, self, &step.redeem) else { panic!("is delivered") };
            let check_in = json!({"type": "check_in", "node": redeemed.node, "fingerprint": step.machine, "sequence": 1});
            black_box(timed(2, self, &command(check_in)));
            black_box(timed(3, self, &step.revoke));
        }
        spent
    }
}

struct Step {
    issue: Command,
    redeem: Command,
    machine: String,
    revoke: Command,
}

fn command(value: Value) -> Command {
    Command::from_value(value).unwrap()
}

fn issue(place: usize) -> Command {
    let site = ["north", "south", "east"][place % 3];
    let labels = json!({"site": site, "rack": format!("r{}", place % 1000)});
    command(json!({
        "type": "issue", "authority": "operator:ann", "name": format!("edge-{place:07}"), "deliver": true,
        "ttl_seconds": 86400, "labels": labels, "kind": if place.is_multiple_of(1000) { "gateway" } else { "node" },
    }))
}

fn main() {
    let packages = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let parts: Vec<_> =
        env::args().skip(1).filter(|argument| ["replay", "growth"].contains(&&**argument)).collect();
    let wanted = |part| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    println!("load {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    if wanted("replay") {
        replay(packages / 10);
    }
    if wanted("growth") {
        let mut large = Fleet::of(packages);
        decide_and_apply(Fleet::of(SMALL), &mut large);
        pages(&large.ledger);
        expire(&mut large);
    }
}

/// Turns on a small fleet, always a fresh copy, and on a large one.
fn decide_and_apply(small: Fleet, large: &mut Fleet) {
    let mut times: [Vec<[f64; 4]>; 2] = Default::default();
    let Fleet { ledger, packages, .. } = small;
    for turn in 0..TURNS {
        let mut copy = Fleet {
            ledger: ledger.clone(),
            packages: packages.clone(),
            issued: SMALL,
            ..Fleet::new(Ledger::new())
        };
        copy.now = large.now;
        for (fleet, times) in [&mut copy, &mut *large].into_iter().zip(&mut times) {
            let steps = fleet.turn(turn * TURN);
            times.push(fleet.time(&steps));
        }
    }
    let line = |name: &str, [small, large]: [f64; 2]| {
        println!(
            "decide and apply, {name}: {small:.2} us at {SMALL}, {large:.2} us at full size, ratio {:.2}",
            large / small
        );
    };
    let mut all = [0.0; 2];
    for (which, name) in ["issue", "redeem", "first check-in", "revoke"].iter().enumerate() {
        let one = times.each_ref().map(|times| quick(times.iter().map(|time| time[which])));
        all = [all[0] + one[0], all[1] + one[1]];
        line(name, one);
    }
    line("all four, of packages from all over the ledger", all);
}

/// The tenth percentile, in microseconds: what it costs while nothing else runs on the machine.
fn quick(nanoseconds: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = nanoseconds.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 10] / 1000.0
}

/// One page of 100 from the beginning and from the middle of each list.
fn pages(ledger: &Ledger) {
    let label = |text: &str| Some(text.parse::<LabelFilter>().unwrap());
    let scope = || Some("default".parse().unwrap());
    let filters = [
        ("all", Filter::default()),
        ("scope", Filter { scope: scope(), ..Filter::default() }),
        ("status", Filter { status: Some(PackageStatus::Delivered), ..Filter::default() }),
        ("kind", Filter { kind: Some("gateway".parse().unwrap()), ..Filter::default() }),
        ("label present", Filter { label: label("site"), ..Filter::default() }),
        ("label value", Filter { label: label("rack=r7"), ..Filter::default() }),
        ("name prefix", Filter { name_prefix: Some("edge-05".parse().unwrap()), ..Filter::default() }),
        (
            "scope, status, label value",
            Filter {
                scope: scope(),
                status: Some(PackageStatus::Delivered),
                label: label("rack=r7"),
                ..Filter::default()
            },
        ),
        (
            "scope, kind, label value",
            Filter {
                scope: scope(),
                kind: Some("gateway".parse().unwrap()),
                label: label("site=east"),
                ..Filter::default()
            },
        ),
    ];
    for (name, filter) in filters {
        let mut cursor: Option<Cursor> = None;
        let (mut took, mut found, mut read) = (Vec::new(), 0, 0);
        for _ in 0..50 {
            let began = Instant::now();
            let page = black_box(ledger.packages(&filter, cursor.as_ref(), 100).unwrap());
            took.push(began.elapsed().as_secs_f64() * 1e6);
            (found, read) = (found + page.records.len(), read + 1);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        took.sort_by(f64::total_cmp);
        println!(
            "pages of 100, {name}: {:.1} us each, the slowest {:.1} us; {found} found on {read} pages",
            took[took.len() / 2],
            took[took.len() - 1]
        );
    }
}

/// Ten thousand deadlines among all packages.
fn expire(fleet: &mut Fleet) {
    fleet.now = fleet.ledger.next_wake().unwrap().plus_seconds(0);
    let (mut expired, began) = (0_u32, Instant::now());
    fleet.now = Timestamp::from_unix_millis(fleet.now.unix_millis() + 10_000).unwrap();
    loop {
        let due = fleet.ledger.due(fleet.now, 100);
        if due.is_empty() {
            break;
        }
        for key in due {
            let command = command(json!({"type": "expire", "key": key}));
            fleet.run(&command);
            expired += 1;
        }
    }
    let took = began.elapsed().as_secs_f64() * 1e6;
    println!("expire {expired} among {}: {:.2} us each", fleet.packages.len(), took / f64::from(expired));
}

/// A history as it is in life: issued and delivered, redeemed, checked in, and in part revoked.
fn replay(packages: usize) {
    let mut fleet = Fleet::new(Ledger::recording());
    for place in 0..packages {
        live(&mut fleet, place);
        fleet.now = Timestamp::from_unix_millis(fleet.now.unix_millis() + 1).unwrap();
    }
    let bodies: Vec<String> = fleet.ledger.events().iter().map(Event::body).collect();
    drop(fleet);
    let backend = handfast::crypto::default_backend();
    let mut speeds: Vec<_> = (0..REPLAYS).map(|_| replay_once(&bodies, &*backend)).collect();
    speeds.sort_by(f64::total_cmp);
    let bytes = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
    println!(
        "replay of {} bodies of {bytes} bytes: {:.0} events a second, at best {:.0}",
        bodies.len(),
        speeds[REPLAYS / 2],
        speeds[REPLAYS - 1],
    );
    subjects(&Ledger::replay(&bodies, &*backend).unwrap());
}

fn replay_once(bodies: &[String], backend: &dyn Backend) -> f64 {
    let began = processor_seconds();
    let ledger = black_box(Ledger::replay(bodies, backend).unwrap());
    let took = processor_seconds() - began;
    drop(ledger);
    bodies.len() as f64 / took
}

/// For how long this thread has had a processor: what one core does, whatever else runs on the machine.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// One of ten packages is never used, and one of four of the others is revoked.
fn live(fleet: &mut Fleet, place: usize) {
    let (package, token) = fleet.issue().unwrap();
    if fleet.rng.random_range(0..10) == 0 {
        return;
    }
    let machine = format!("m{place}");
    let redeem = command(json!({"type": "redeem", "token": token, "fingerprint": machine}));
    let Answer::Redeemed(redeemed) = fleet.run(&redeem) else { panic!("is delivered") };
    for sequence in 1..=fleet.rng.random_range(1..8) {
        let check_in =
            json!({"type": "check_in", "node": redeemed.node, "fingerprint": machine, "sequence": sequence});
        fleet.run(&command(check_in));
    }
    if fleet.rng.random_range(0..4) == 0 {
        fleet.run(&command(json!({"type": "revoke", "authority": "operator:ann", "package": package})));
    }
}

/// Everybody, from the start.
fn subjects(ledger: &Ledger) {
    let scope = "default".parse().unwrap();
    let (mut cursor, mut entries, began) = (ChangeCursor::default(), 0_usize, Instant::now());
    loop {
        let changes = ledger.subjects(&scope, cursor, 1000);
        entries += changes.subjects.len();
        cursor = changes.next;
        if !changes.more {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64() * 1e9;
    println!("subjects from the start: {entries} of them, {:.0} ns each", took / entries as f64);
}
