//! A host that is stopped or killed, at any moment, goes on where it was.
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use handfast::{crypto::default_backend, ledger::Ledger, record::Key};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use support::{ELSEWHERE, HERE, Host, Place, Reply, authority, token_in, until};

#[tokio::test]
async fn a_delivery_is_repeated_across_a_restart() {
    let place = Place::new();
    let host = place.start();
    let token = host.token.clone().unwrap();
    host.event(authority::state_change(HERE, "running")).await;
    let first = host.joined(HERE).await;
    assert!(host.stop());
    let host = place.start();
    assert_eq!(host.token, None);
    assert_eq!(host.joined(HERE).await, first);
    assert_eq!(host.packages(&token).await.len(), 1);
    host.event(authority::state_change(HERE, "terminated")).await;
    until("no manifest is left", || place.manifests().is_empty()).await;
}

#[tokio::test]
async fn what_was_decided_before_a_kill_is_done_after_it() {
    let place = Place::new();
    let host = place.start();
    host.event(authority::state_change(HERE, "running")).await;
    host.joined(HERE).await;
    // The answer has been given, so the decision is durable; its effects may or may not have been performed.
    host.event(authority::state_change(HERE, "terminated")).await;
    host.kill();
    let host = place.start();
    until("no manifest is left", || place.manifests().is_empty()).await;
    assert_eq!(host.kubeconfig(HERE).await.status, 404);
}

#[tokio::test]
async fn a_topic_does_not_fall_back_to_sha_1_after_a_restart() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/vectors/sns/messages/");
    let message = |name: &str| std::fs::read_to_string(format!("{folder}{name}.json")).unwrap();
    let place = Place::new().with(&["--now", "2026-03-01T12:00:30Z"]);
    place.edit("provisioner.toml", "minimum_signature_version = \"2\"\n", "");
    let host = place.start();
    assert_eq!(host.sns(&message("v1-notification")).await.status, 200);
    assert_eq!(host.sns(&message("v2-notification")).await.status, 200);
    let refused = |reply: &Reply| (reply.status.as_u16(), reply.json()["code"].clone());
    assert_eq!(refused(&host.sns(&message("v1-notification")).await), (403, "sns_version_downgrade".into()));
    host.kill();
    let host = place.start();
    assert_eq!(refused(&host.sns(&message("v1-notification")).await), (403, "sns_version_too_low".into()));
    assert_eq!(host.sns(&message("v2-notification")).await.status, 200);
    drop(host);
    place.edit("provisioner.toml", "[policy]", "[sns]\nallow_version_downgrade = true\n[policy]");
    assert_eq!(place.start().sns(&message("v1-notification")).await.status, 200);
}

#[tokio::test]
async fn two_hosts_never_share_a_database_and_lost_keys_are_not_replaced() {
    let place = Place::new();
    let host = place.start();
    assert!(place.refuse().contains("does another host run on it?"));
    host.event(authority::state_change(ELSEWHERE, "running")).await;
    drop(host);
    std::fs::rename(place.path("state/provisioner.keys"), place.path("aside")).unwrap();
    assert!(place.refuse().contains("restore it"));
    std::fs::rename(place.path("aside"), place.path("state/provisioner.keys")).unwrap();
    drop(place.start());
}

const INSTANCES: usize = 6;
const KILLS: u32 = 40;

/// Enrols some instances and ends half of them, while the host is killed again and again, also while it starts. Then
/// everything must be as if it had never been killed.
#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost_or_done_twice() {
    let seed = rand::random::<u64>();
    let ids: Vec<_> = (0..INSTANCES).map(|number| format!("i-0123456789abcde{number:02}")).collect();
    let place = Place::new();
    place.instances(&ids.iter().map(|id| (id.as_str(), "127.0.0.1")).collect::<Vec<_>>());
    let mut storm = Storm::new(&place, seed);
    let message = |id: &str, state| authority::notification(&authority::state_change(id, state).to_string());
    let mut given: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for id in &ids {
        let running = message(id, "running");
        storm.until_ok("/sns", &running).await;
        storm.until_ok("/sns", &running).await;
        for _ in 0..3 {
            let kubeconfig = storm.until_ok(&format!("/kubeadm/kubeconfig/{id}"), "").await;
            given.entry(id).or_default().insert(token_in(&kubeconfig));
        }
    }
    let (ended, living) = ids.split_at(INSTANCES / 2);
    for id in ended {
        storm.until_ok("/sns", &message(id, "terminated")).await;
    }
    while storm.kills < KILLS {
        storm.host().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (host, operator) = storm.calm().await;
    until("the manifests of those that ended are gone", || place.manifests().len() == living.len()).await;
    assert!(given.values().all(|tokens| tokens.len() == 1), "seed {seed}: {given:?}");
    let expected: BTreeSet<_> =
        living.iter().flat_map(|id| &given[id.as_str()]).map(|token| &token[..6]).collect();
    let manifests = place.manifests();
    let found: BTreeSet<_> = manifests.iter().map(|(name, _)| &name[16..22]).collect();
    assert_eq!(found, expected, "seed {seed}");
    assert_eq!(host.packages(&operator).await.len(), INSTANCES);
    host.kill();
    let pool =
        SqlitePool::connect_with(SqliteConnectOptions::new().filename(place.database())).await.unwrap();
    let records = check_history(&pool).await;
    check_packages(&pool, &records, ended, living).await;
    let again = begun_again(&pool).await;
    println!("seed {seed}: {KILLS} kills, {again} effects begun again");
    let left = std::fs::read_dir(place.path("state/manifests")).unwrap().count();
    assert_eq!(left, living.len(), "no half-written file is left");
}

/// A host that dies young, over and over.
struct Storm<'a> {
    place: &'a Place,
    rng: StdRng,
    host: Option<Host>,
    kills: u32,
    shown: Vec<String>,
}

impl<'a> Storm<'a> {
    fn new(place: &'a Place, seed: u64) -> Self {
        Self { place, rng: StdRng::seed_from_u64(seed), host: None, kills: 0, shown: Vec::new() }
    }

    /// A host that lives, at least now.
    async fn host(&mut self) -> &Host {
        loop {
            if self.host.as_mut().is_some_and(|host| !host.is_dead()) {
                return self.host.as_ref().unwrap();
            }
            let wild = self.kills < KILLS;
            let delay = Duration::from_millis(self.rng.random_range(1..250));
            self.host = self.place.try_start(wild.then_some(delay), &mut self.shown);
            self.kills += u32::from(wild);
            assert!(wild || self.host.is_some(), "{}", self.place.log());
        }
    }

    /// Posts until the answer is 200, as SNS and a booting node do, and gives what was answered.
    async fn until_ok(&mut self, path: &str, body: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let reply = self.host().await.send(reqwest::Method::POST, path, &[], body).await;
            if let Some(reply) = reply {
                if reply.status == 200 {
                    return reply.body;
                }
                assert!([404, 503].contains(&reply.status.as_u16()), "{reply:?}");
            }
            assert!(Instant::now() < deadline, "{path}");
            tokio::time::sleep(Duration::from_millis(self.rng.next_u64() % 20)).await;
        }
    }

    /// A host that nobody kills, and the token that counts: the last one shown.
    async fn calm(mut self) -> (Host, String) {
        drop(self.host.take());
        self.host().await;
        let shown = self.shown.iter().rev().find_map(|line| line.split_once("(shown this once): "));
        let token = shown.unwrap().1.to_owned();
        (self.host.take().unwrap(), token)
    }
}

/// Every record is the fold of its events, bit for bit, and no event is missing or there twice.
async fn check_history(pool: &SqlitePool) -> BTreeMap<String, Value> {
    let events: Vec<(String,)> =
        sqlx::query_as("SELECT body FROM handfast_events ORDER BY sequence").fetch_all(pool).await.unwrap();
    let ledger = Ledger::replay(events.iter().map(|(body,)| body), &*default_backend()).unwrap();
    let stored: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT key, version, body FROM handfast_records").fetch_all(pool).await.unwrap();
    assert_eq!(stored.len(), ledger.iter().count());
    let mut records = BTreeMap::new();
    for (key, version, body) in stored {
        let row = ledger.read(&[key.parse::<Key>().unwrap()]).pop().unwrap();
        assert_eq!((row.version, &row.body), (u64::try_from(version).unwrap(), &body));
        records.insert(key, serde_json::from_str(&body).unwrap());
    }
    records
}

/// How many effects a process took that another one had taken before and not finished.
async fn begun_again(pool: &SqlitePool) -> i64 {
    let counts: (i64, i64) = sqlx::query_as(
        "SELECT COALESCE(SUM(fact IN ('resource_started', 'instance_describing')), 0), \
         COALESCE(SUM(fact IN ('resource_ready', 'resource_gone', 'instance_described')), 0) FROM handfast_events",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    counts.0 - counts.1
}

/// One package for each instance, issued once, created once; those that ended left nothing behind.
async fn check_packages(
    pool: &SqlitePool,
    records: &BTreeMap<String, Value>,
    ended: &[String],
    living: &[String],
) {
    let packages: Vec<_> = records.iter().filter(|(key, _)| key.starts_with("package/")).collect();
    assert_eq!(packages.len(), ended.len() + living.len());
    let (vault,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM handfast_vault").fetch_one(pool).await.unwrap();
    assert_eq!(usize::try_from(vault).unwrap(), living.len());
    for (key, package) in packages {
        let instance = package["issued"]["instance"].as_str().unwrap().to_owned();
        let is_over = ended.contains(&instance);
        let (status, resource) = if is_over { ("retired", "gone") } else { ("activated", "ready") };
        assert_eq!(
            (&package["status"], &package["resources"][0]["state"]),
            (&json!(status), &json!(resource))
        );
        let facts: Vec<(String, i64)> =
            sqlx::query_as("SELECT fact, COUNT(*) FROM handfast_events WHERE key = $1 GROUP BY fact")
                .bind(key)
                .fetch_all(pool)
                .await
                .unwrap();
        let facts: BTreeMap<_, _> = facts.iter().map(|(fact, count)| (fact.as_str(), *count)).collect();
        for once in ["package_issued", "package_delivered", "package_activated", "resource_ready"] {
            assert_eq!(facts[once], 1, "{once}");
        }
        assert_eq!(facts.get("resource_gone").copied().unwrap_or(0), i64::from(is_over));
    }
}
