//! What a million outstanding packages take in memory, and how long a snapshot and its restoration take.
//!
//! `cargo run --release -p handfast-benches --example ledger_memory [packages]`; Linux, with the system's allocator.
//! Each measurement is a process of its own, and its memory is the growth of that process's resident set.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "a measurement reads the clock, prints, and may end when its input is wrong"
)]

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::Command as Process,
};

use handfast::{
    Authority, Command, KeyRing, Ledger, Now, Policy, Registrar, Secret, SecretKey, Timestamp,
    vocabulary::{Action, Content, Issue},
};
use rand::{SeedableRng, rngs::StdRng};

const FLEETS: [&str; 3] =
    ["issued", "issued and delivered, two labels", "issued and delivered, two labels, a file of 200 bytes"];

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure_all("1000000"),
        [packages] => measure_all(packages),
        ["issue", packages, fleet, file] => {
            issue_all(packages.parse().unwrap(), fleet.parse().unwrap(), Path::new(file))
        }
        ["restore", packages, file] => restore(packages.parse().unwrap(), Path::new(file)),
        _ => println!("give the number of packages, or nothing"),
    }
}

fn measure_all(packages: &str) {
    let file = env::temp_dir().join(format!("handfast-ledger-{}.jsonl", std::process::id()));
    let file = file.to_str().unwrap();
    for (number, fleet) in FLEETS.iter().enumerate() {
        println!("{packages} packages {fleet}; load {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
        for arguments in [vec!["issue", packages, &number.to_string(), file], vec!["restore", packages, file]]
        {
            let status = Process::new(env::current_exe().unwrap()).args(arguments).status().unwrap();
            assert!(status.success());
        }
    }
    fs::remove_file(file).unwrap();
}

fn issue_all(packages: usize, fleet: usize, file: &Path) {
    let ring = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
    let registrar =
        Registrar::new(Policy::default(), ring(1), ring(2), handfast::crypto::default_backend()).unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let start = "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap().unix_millis();
    let mut ledger = Ledger::new();
    let (before, began) = (resident(), processor_seconds());
    for place in 0..packages {
        let at = Timestamp::from_unix_millis(start + i64::try_from(place).unwrap()).unwrap();
        ledger.run(&registrar, &issue(place, fleet), Now::trusted(at), &mut rng).unwrap();
    }
    let (grown, took) = (resident() - before, processor_seconds() - began);
    println!(
        "  {} bytes each; {:.1} us for each issue with its cryptography",
        grown / packages,
        took * 1e6 / packages as f64
    );
    let began = processor_seconds();
    let mut file = BufWriter::new(File::create(file).unwrap());
    let rows = ledger.snapshot_lines().map(|line| writeln!(file, "{line}").unwrap()).count();
    file.flush().unwrap();
    println!("  snapshot: {rows} lines in {:.1} s", processor_seconds() - began);
}

fn restore(packages: usize, file: &Path) {
    let (before, began) = (resident(), processor_seconds());
    let lines = BufReader::new(File::open(file).unwrap()).lines().map(Result::unwrap);
    let ledger = Ledger::restore_lines(lines).unwrap();
    let (grown, took) = (resident() - before, processor_seconds() - began);
    println!("  restored: {} rows in {:.1} s, {} bytes each package", ledger.len(), took, grown / packages);
}

fn issue(place: usize, fleet: usize) -> Command {
    let mut issue = Issue::new(format!("edge-{place:07}").parse().unwrap());
    issue.ttl_seconds = Some(86_400);
    if fleet > 0 {
        issue.deliver = true;
        let site = ["north", "south", "east", "west"][place % 4];
        let role = ["gateway", "sensor", "store"][place % 3];
        let labels = [("site", site), ("role", role)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        issue.labels = BTreeMap::from(labels).try_into().unwrap();
    }
    if fleet > 1 {
        let content = Secret::new("x".repeat(200));
        issue.contents = vec![Content::File { name: "agent.env".parse().unwrap(), content, format: None }];
    }
    Command {
        authority: Authority::Operator("ann".parse().unwrap()),
        source: None,
        action: Action::Issue(issue),
    }
}

/// For how long this thread has had a processor: what one core does, whatever else runs on the machine.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Bytes of memory that the process really has.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
