//! Redemptions a second, through the store and through HTTP, against what the bare database does: the same number of
//! transactions with the same bytes, as durable, on the same connections, in the same run and by turns.
//!
//! ```text
//! cargo run --release --example redemptions -- [TRANSACTIONS [ROUNDS]]
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a measurement, which uses its part of the program"
)]

mod bare;
mod http;
mod nodes;

#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/database.rs"]
mod database;
#[path = "../../src/group.rs"]
mod group;
#[path = "../../src/host.rs"]
mod host;
#[path = "../../src/keys.rs"]
mod keys;
#[path = "../../src/metrics.rs"]
mod metrics;
#[path = "../../tests/support/postgres.rs"]
mod postgres;
#[path = "../../src/private_file.rs"]
mod private_file;
#[path = "../../src/store/mod.rs"]
mod store;

use std::{
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use handfast::{
    crypto::default_backend,
    registrar::{Policy, Registrar},
    vocabulary::Answer,
};
use tokio::task::JoinSet;

use self::{
    bare::{Bare, Shape},
    clock::Clock,
    host::Host,
    keys::Keys,
    store::Store,
};

type Fatal = Box<dyn std::error::Error + Send + Sync>;

/// Nodes that redeem at the same time.
const NODES: usize = 64;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<usize>().expect("a number"));
    let (count, rounds) = (arguments.next().unwrap_or(2000), arguments.next().unwrap_or(3));
    println!("{rounds} rounds of {count} redemptions by {NODES} nodes at once; load before: {}", load());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    measure("SQLite", [at("bare.sqlite"), at("provisioner.sqlite")], folder.path(), count, rounds).await;
    let Some(server) = postgres::Server::start() else { return };
    let databases = [server.database().await, server.database().await];
    measure("PostgreSQL", databases, folder.path(), count, rounds).await;
    println!("load after: {}", load());
}

/// Bare, through the store, through HTTP, by turns; and the medians.
async fn measure(name: &str, [bare, url]: [String; 2], folder: &Path, count: usize, rounds: usize) {
    let host = Arc::new(open(&url, folder).await);
    let shape = Shape::of(&nodes::one_batch(&host).await);
    println!("\n{name}: a redemption is {shape}");
    let bare = Bare::open(&bare, shape).await;
    let mut found = [const { Vec::new() }; 3];
    for round in 0..rounds {
        bare.prepare(round, count).await;
        let bare = Arc::clone(&bare);
        found[0].push(timed(count, NODES, move |number| bare.transaction(round, number)).await);
        found[1].push(through_the_store(&host, count).await);
        found[2].push(http::measure(&host, &url, folder, count).await);
        println!(
            "  round {}: {:.0?} a second",
            round + 1,
            found.each_ref().map(|found| found.last().unwrap())
        );
    }
    let [bare, store, http] = found.map(median);
    println!("  bare database          {bare:7.0} transactions a second");
    println!("  through the store      {store:7.0} redemptions a second, {:.2} of bare", store / bare);
    println!("  through HTTP           {http:7.0} redemptions a second, {:.2} of bare", http / bare);
}

/// The host as the program puts it together, without what listens.
async fn open(url: &str, folder: &Path) -> Host {
    let store = open_store(url).await;
    let keys = Keys::open(&folder.join("keys"), false).unwrap();
    let policy = Policy { base_url: Some(nodes::BASE_URL.to_owned()), ..Policy::default() };
    let registrar = Registrar::new(policy, keys.peppers, keys.sealing, default_backend()).unwrap();
    Host::new(registrar.with_signing(keys.signing.unwrap()), store, Clock::System)
}

async fn open_store(url: &str) -> Store {
    let said = database::Said { option: Some(url.to_owned()), ..database::Said::default() };
    Store::open(&said.resolve().unwrap()).await.unwrap()
}

async fn through_the_store(host: &Arc<Host>, count: usize) -> f64 {
    let commands = Arc::new(nodes::redemptions(host, count).await);
    let host = Arc::clone(host);
    let redeem = move |number: usize| {
        let (host, commands) = (Arc::clone(&host), Arc::clone(&commands));
        async move {
            let answer = host.run(commands[number].clone()).await.unwrap();
            assert!(matches!(&answer, Answer::Redeemed(redeemed) if !redeemed.again), "{answer:?}");
        }
    };
    timed(count, NODES, redeem).await
}

/// Does `count` jobs, so many at once, and gives how many that were in a second.
async fn timed<F>(count: usize, at_once: usize, job: impl Fn(usize) -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    let since = Instant::now();
    for _ in 0..at_once {
        let (next, job) = (Arc::clone(&next), job.clone());
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                job(number).await;
            }
        });
    }
    workers.join_all().await;
    f64::from(u32::try_from(count).unwrap()) / since.elapsed().as_secs_f64()
}

fn median(mut found: Vec<f64>) -> f64 {
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
