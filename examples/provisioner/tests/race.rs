//! The proof of the race and of the kills: many clients present the same tokens at several hosts on one database, while
//! the hosts are killed and started again. There is exactly one winner for each token, its retries are free, nothing is
//! lost, and nothing is done twice. `PROOF=full` runs it at full size.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use handfast::{crypto::default_backend, ledger::Ledger, record::Key};
use rand::RngExt;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{AnyPool, any::AnyPoolOptions};
use support::{Place, Reply, fleet::Fleet, node::Node, postgres::Server};
use tokio::{sync::Barrier, task::JoinSet};

/// How much of everything.
#[derive(Clone, Copy)]
struct Size {
    hosts: usize,
    clients: usize,
    tokens: usize,
    kills: u32,
    /// Packages with something external, which is made and deleted by whichever host comes to it.
    external: usize,
}

fn is_full() -> bool {
    std::env::var("PROOF").is_ok_and(|size| size == "full")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_host_on_sqlite() {
    let size = if is_full() {
        Size { hosts: 1, clients: 64, tokens: 100, kills: 40, external: 12 }
    } else {
        Size { hosts: 1, clients: 16, tokens: 4, kills: 3, external: 2 }
    };
    let place = Place::new().with_proofs();
    let url = format!("sqlite://{}", place.database().display());
    prove("one host on SQLite", place, &url, size).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_on_one_postgresql() {
    let size = if is_full() {
        Size { hosts: 4, clients: 64, tokens: 200, kills: 80, external: 24 }
    } else {
        Size { hosts: 3, clients: 16, tokens: 6, kills: 5, external: 0 }
    };
    let Some(server) = Server::start() else { return };
    let url = server.database().await;
    prove("several hosts on one PostgreSQL", Place::at(&url).with_proofs(), &url, size).await;
}

async fn prove(name: &str, place: Place, url: &str, size: Size) {
    let (seed, began) = (rand::random::<u64>(), Instant::now());
    let race = Arc::new(Race::new(Fleet::start(place, size.hosts), size));
    let rage = race.fleet.rage(seed, size.kills);
    let tokens = race.issue_all().await;
    let external = race.external_all().await;
    let winners = race.run(&tokens).await;
    race.end_half(&external).await;
    race.fleet.calm();
    tokio::task::spawn_blocking(move || rage.join().unwrap()).await.unwrap();
    let (ended, living) = external.split_at(external.len() / 2);
    // The lease of a host that was killed has to run out first.
    let deadline = Instant::now() + Duration::from_secs(120);
    while race.fleet.place().manifests().len() != living.len() {
        assert!(Instant::now() < deadline, "what has ended has something left outside");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    race.fleet.end();
    let counted = Audit::open(url).await.check(&tokens, &winners, (ended, living)).await;
    let (requests, refused, retries) = race.counts();
    assert!(counted.refusals >= refused, "{} counted, {refused} seen: seed {seed}", counted.refusals);
    println!(
        "PROOF race, {name}: {} tokens, {} clients, {} hosts, {} kills: {} winners, {retries} free retries, {refused} refused, \
         {requests} requests, {} facts; {:.0} s, seed {seed}",
        tokens.len(),
        size.clients,
        size.hosts,
        race.fleet.kills(),
        winners.len(),
        counted.facts,
        began.elapsed().as_secs_f64(),
    );
}

/// Who won a package: the client and its node.
type Winners = BTreeMap<String, (usize, String)>;

struct Race {
    fleet: Arc<Fleet>,
    size: Size,
    client: Client,
    requests: AtomicU64,
    refused: AtomicU64,
    retries: AtomicU64,
}

impl Race {
    fn new(fleet: Arc<Fleet>, size: Size) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let count = AtomicU64::default;
        Self { fleet, size, client, requests: count(), refused: count(), retries: count() }
    }

    fn counts(&self) -> (u64, u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.requests), count(&self.refused), count(&self.retries))
    }

    /// A request of the operator, repeated until it is answered for good.
    async fn ask(&self, path: &str, body: &Value) -> Reply {
        loop {
            let request = self.client.request(Method::POST, format!("{}{path}", self.fleet.url().await));
            let request =
                request.bearer_auth(&self.fleet.operator).header("content-type", "application/json");
            let sent = request.body(body.to_string()).send().await;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let reply = match sent {
                Ok(response) => Reply::read(response).await,
                Err(_) => None,
            };
            match reply {
                Some(reply) if reply.status.as_u16() < 500 => {
                    self.fleet.answered();
                    return reply;
                }
                Some(_) | None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// The packages and their tokens. A request that got no answer is repeated and makes no second package.
    async fn issue_all(self: &Arc<Self>) -> Vec<(String, String)> {
        let mut issuing = JoinSet::new();
        for number in 0..self.size.tokens {
            let race = Arc::clone(self);
            issuing.spawn(async move {
                let body = json!({ "name": format!("p-{number}"), "request": format!("r-{number}"), "deliver": true,
                    "ttl_seconds": 3600, "contents": [{ "type": "file", "name": "a", "content": "b" }] });
                let reply = race.ask("/api/packages", &body).await;
                assert!(reply.status.is_success(), "{reply:?}");
                let text = |name: &str| reply.json()[name].as_str().unwrap().to_owned();
                (text("package"), text("token"))
            });
        }
        issuing.join_all().await
    }

    /// Packages that carry a bootstrap token, once that is there and handed over.
    async fn external_all(self: &Arc<Self>) -> Vec<String> {
        let mut issuing = JoinSet::new();
        for number in 0..self.size.external {
            let race = Arc::clone(self);
            issuing.spawn(async move {
                let body = json!({ "name": format!("e-{number}"), "request": format!("e-{number}"), "ttl_seconds": 3600,
                    "activates_on": "delivery", "contents": [{ "type": "kubernetes_bootstrap_token" }] });
                let reply = race.ask("/api/packages", &body).await;
                assert!(reply.status.is_success(), "{reply:?}");
                let package = reply.json()["package"].as_str().unwrap().to_owned();
                // Not ready is 503, so this waits until it is.
                let delivered = race.ask(&format!("/api/packages/{package}/deliver"), &json!({})).await;
                assert_eq!(delivered.status, 200, "{delivered:?}");
                package
            });
        }
        issuing.join_all().await
    }

    async fn end_half(&self, packages: &[String]) {
        for package in &packages[..packages.len() / 2] {
            let revoked = self.ask(&format!("/api/packages/{package}/revoke"), &json!({})).await;
            assert_eq!(revoked.status, 200, "{revoked:?}");
        }
    }

    /// All clients present each token at once.
    async fn run(self: &Arc<Self>, tokens: &[(String, String)]) -> Winners {
        let winners = Arc::new(Mutex::new(Winners::new()));
        let start = Arc::new(Barrier::new(self.size.clients));
        let tokens: Arc<[_]> = tokens.into();
        let mut clients = JoinSet::new();
        for client in 0..self.size.clients {
            let (race, winners) = (Arc::clone(self), Arc::clone(&winners));
            let (start, tokens) = (Arc::clone(&start), Arc::clone(&tokens));
            clients.spawn(async move {
                // Nonces are not bound to keys: with one at hand, all come at once.
                let mut nonce = None;
                for (package, token) in tokens.iter() {
                    let mut node = Node::new(&race.client);
                    node.nonce = nonce;
                    start.wait().await;
                    if let Some(id) = race.present(&mut node, token).await {
                        let before = winners.lock().unwrap().insert(package.clone(), (client, id));
                        assert_eq!(before, None, "a second winner");
                    }
                    nonce = node.nonce;
                }
            });
        }
        clients.join_all().await;
        Arc::into_inner(winners).unwrap().into_inner().unwrap()
    }

    /// Presents a token; whoever is let in comes again, and checks in.
    async fn present(&self, node: &mut Node, token: &str) -> Option<String> {
        let redeemed = self.redeem(node, token).await?;
        let id = redeemed["node"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            let again = self.redeem(node, token).await.unwrap();
            assert_eq!(
                (&again["node"], &again["again"], &again["contents"]),
                (&json!(id), &json!(true), &redeemed["contents"])
            );
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
        let mut credential = redeemed["credential"]["token"].as_str().unwrap().to_owned();
        for sequence in [1, 1, 2] {
            let body = json!({ "node": id, "sequence": sequence });
            let checked_in = self.until_answered(node, "/check-in", &credential, &body).await;
            assert_eq!(
                (checked_in.status.as_u16(), &checked_in.json()["sequence"]),
                (200, &json!(sequence)),
                "{checked_in:?}"
            );
            credential = checked_in.json()["credential"]["token"].as_str().unwrap().to_owned();
        }
        Some(id)
    }

    async fn redeem(&self, node: &mut Node, token: &str) -> Option<Value> {
        let reply = self.until_answered(node, "/redeem", token, &json!({})).await;
        match reply.status.as_u16() {
            200 => Some(reply.json()),
            403 => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
            _ => panic!("{reply:?}"),
        }
    }

    /// Asks one host after the other until one answers for good.
    async fn until_answered(&self, node: &mut Node, path: &str, token: &str, body: &Value) -> Reply {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let reply = node.post(&self.fleet.url().await, path, Some(token), body).await;
            self.requests.fetch_add(1, Ordering::Relaxed);
            match reply {
                Some(reply) if reply.status.as_u16() < 500 => {
                    self.fleet.answered();
                    return reply;
                }
                other => assert!(Instant::now() < deadline, "{other:?}"),
            }
            let pause = rand::rng().random_range(5..50);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// The database, looked at directly.
struct Audit(AnyPool);

struct Counted {
    facts: usize,
    refusals: u64,
}

impl Audit {
    async fn open(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        Self(AnyPoolOptions::new().connect(url).await.unwrap())
    }

    async fn rows(&self, sql: &'static str) -> Vec<(String, i64)> {
        sqlx::query_as(sql).fetch_all(&self.0).await.unwrap()
    }

    async fn check(
        &self,
        tokens: &[(String, String)],
        winners: &Winners,
        external: (&[String], &[String]),
    ) -> Counted {
        let records = self.check_history().await;
        let packages: BTreeMap<_, _> =
            records.iter().filter(|(key, _)| key.starts_with("package/")).collect();
        assert_eq!(
            packages.len(),
            tokens.len() + external.0.len() + external.1.len(),
            "a package too many or too few"
        );
        let nodes: BTreeSet<_> = records.keys().filter_map(|key| key.strip_prefix("node/")).collect();
        assert_eq!(nodes, winners.values().map(|(_, node)| node.as_str()).collect(), "a node that nobody is");
        for (package, _) in tokens {
            let record = packages[&format!("package/{package}")];
            assert!(winners.contains_key(package), "{package} has no winner");
            let nodes = record["nodes"].as_array().map(Vec::len);
            assert_eq!((&record["status"], nodes), (&json!("activated"), Some(1)), "{record}");
        }
        for (of, status, resource) in [(external.0, "revoked", "gone"), (external.1, "activated", "ready")] {
            for package in of {
                let record = packages[&format!("package/{package}")];
                let state = &record["resources"][0]["state"];
                assert_eq!((&record["status"], state), (&json!(status), &json!(resource)), "{record}");
            }
        }
        let facts = self.check_once(tokens.len(), external).await;
        let refusals = self.rows("SELECT coalesce, count FROM handfast_notices").await;
        let denied = refusals.iter().filter(|(key, _)| key.contains("|already_claimed|"));
        Counted { facts, refusals: denied.map(|(_, count)| u64::try_from(*count).unwrap()).sum() }
    }

    /// Every record is the fold of its linked events, bit for bit, and no event is missing or there twice.
    async fn check_history(&self) -> BTreeMap<String, Value> {
        let events: Vec<(String,)> = sqlx::query_as("SELECT body FROM handfast_events ORDER BY sequence")
            .fetch_all(&self.0)
            .await
            .unwrap();
        let ledger = Ledger::replay(events.iter().map(|(body,)| body), &*default_backend()).unwrap();
        let stored: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT key, version, body FROM handfast_records")
                .fetch_all(&self.0)
                .await
                .unwrap();
        assert_eq!(stored.len(), ledger.iter().count());
        let mut records = BTreeMap::new();
        for (key, version, body) in stored {
            let row = ledger.read(&[key.parse::<Key>().unwrap()]).pop().unwrap();
            assert_eq!((row.version, &row.body), (u64::try_from(version).unwrap(), &body));
            records.insert(key, serde_json::from_str(&body).unwrap());
        }
        records
    }

    /// What happens once for a package has happened once, and for each of them.
    async fn check_once(&self, tokens: usize, (ended, living): (&[String], &[String])) -> usize {
        let external = ended.len() + living.len();
        let counts = self.rows("SELECT fact, COUNT(*) FROM handfast_events GROUP BY fact").await;
        let counts: BTreeMap<_, _> =
            counts.iter().map(|(fact, count)| (fact.as_str(), usize::try_from(*count).unwrap())).collect();
        let count = |fact: &str| counts.get(fact).copied().unwrap_or(0);
        for (fact, expected) in [
            ("package_issued", tokens + external),
            ("package_delivered", tokens + external),
            ("package_activated", tokens + external),
            ("package_claimed", tokens),
            ("node_claimed", tokens),
            ("node_checked_in", 2 * tokens),
            ("resource_ready", external),
            ("resource_gone", ended.len()),
            ("package_ended", ended.len()),
        ] {
            assert_eq!(count(fact), expected, "{fact}: {counts:?}");
        }
        assert!(count("clone_suspected") <= tokens * 8);
        let several = self.rows("SELECT key, COUNT(*) FROM handfast_events WHERE fact = 'package_claimed' GROUP BY key HAVING COUNT(*) > 1");
        assert_eq!(several.await, []);
        counts.values().sum()
    }
}
