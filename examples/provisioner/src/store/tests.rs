//! What a store must do, on each database.

use std::{collections::BTreeSet, sync::Arc};

use handfast::{
    crypto::default_backend,
    keyring::KeyRing,
    ledger::Ledger,
    registrar::{Policy, Registrar},
    secret::SecretKey,
    time::Now,
    vocabulary::{Command, GuardRow, NoticeRow, Outcome, VaultRow},
};
use tokio::task::JoinSet;

use super::{testing::for_each_database, *};

const SECRET: &str = "secret/01890a5d-ac96-774b-bcce-b302099a8057.1";

/// What issuing a package commits.
fn issued() -> Batch {
    let key = |byte| KeyRing::single("k1".parse().unwrap(), SecretKey::new([byte; 32]));
    let registrar = Registrar::new(Policy::default(), key(1), key(2), default_backend()).unwrap();
    let command = serde_json::json!({ "type": "issue", "authority": "operator:ann", "name": "a",
        "labels": { "site": "north" }, "contents": [{ "type": "file", "name": "a", "content": "b" }] });
    let command = Command::from_value(command).unwrap();
    let now = Now::trusted("2026-01-01T00:00:00Z".parse().unwrap());
    let Outcome::Decision(decision) =
        registrar.decide(&command, &Ledger::new(), now, &mut rand::rng()).unwrap()
    else {
        panic!("a ledger knows every key")
    };
    decision.commit.batch()
}

fn nothing() -> Batch {
    Batch { guards: vec![], writes: vec![], events: vec![], notices: vec![], vault: vec![] }
}

fn guard(key: &Key, version: u64) -> GuardRow {
    GuardRow { key: key.to_string(), version }
}

/// Some record of that key and version, and its event.
fn record(key: &Key, version: u64) -> Batch {
    let mut batch = Batch { guards: vec![], ..issued() };
    batch.vault.clear();
    batch.writes.truncate(1);
    batch.events.truncate(1);
    for write in &mut batch.writes {
        (write.key, write.version, write.body) =
            (key.to_string(), version, format!("{{\"version\":{version}}}"));
    }
    for event in &mut batch.events {
        (event.key, event.version) = (key.to_string(), version);
    }
    batch
}

fn key(number: u32) -> Key {
    format!("package/01890a5d-ac96-774b-bcce-{number:012x}").parse().unwrap()
}

async fn version_of(store: &Store, key: &Key) -> u64 {
    store.read(std::slice::from_ref(key)).await.unwrap().first().map_or(0, |row| row.version)
}

#[tokio::test]
async fn what_is_committed_is_read_back_as_it_was() {
    for_each_database(async |store| {
        let batch = issued();
        assert!(store.commit(&batch).await.unwrap());
        assert!(!store.commit(&batch).await.unwrap(), "the keys are not absent any more");
        let keys: Vec<Key> = batch.writes.iter().map(|write| write.key.parse().unwrap()).collect();
        let vault: Vec<Key> = batch.vault.iter().map(|write| write.key.parse().unwrap()).collect();
        let mut rows = store.read(&[keys.clone(), vault.clone()].concat()).await.unwrap();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(rows.len(), keys.len() + vault.len());
        for write in &batch.writes {
            let row = rows.iter().find(|row| row.key.to_string() == write.key).unwrap();
            assert_eq!((row.version, &row.body), (write.version, &write.body));
        }
        for write in &batch.vault {
            let row = rows.iter().find(|row| row.key.to_string() == write.key).unwrap();
            assert_eq!((row.version, Some(&row.body)), (1, write.sealed.as_ref()));
        }
        let wake = batch.writes.iter().filter_map(|write| write.index.wake_at).min().unwrap();
        assert_eq!(store.next_wake().await.unwrap(), Some(wake));
        assert_eq!(store.due(wake, 10).await.unwrap().len(), 1);
        assert_eq!(store.due("2025-01-01T00:00:00Z".parse().unwrap(), 10).await.unwrap(), []);
        let events: Vec<(String, i64, String)> = store
            .fetch(Sql::new("SELECT key, version, body FROM handfast_events ORDER BY sequence"))
            .await
            .unwrap();
        let expected: Vec<_> = batch
            .events
            .iter()
            .map(|event| (event.key.clone(), i64::try_from(event.version).unwrap(), event.body.clone()))
            .collect();
        assert_eq!(events, expected);
    })
    .await;
}

#[tokio::test]
async fn a_broken_guard_leaves_no_trace() {
    for_each_database(async |store| {
        assert!(store.commit(&record(&key(1), 1)).await.unwrap());
        for broken in [guard(&key(1), 0), guard(&key(1), 2), guard(&key(2), 1)] {
            let guards = vec![guard(&key(1), 1), broken];
            assert!(!store.commit(&Batch { guards: guards.clone(), ..nothing() }).await.unwrap());
            let mut batch = Batch { guards, ..record(&key(3), 1) };
            batch.notices.push(notice("0000000001|a|-|-"));
            batch.vault.push(VaultRow { key: SECRET.into(), sealed: Some("x".into()) });
            assert!(!store.commit(&batch).await.unwrap());
        }
        assert_eq!(version_of(&store, &key(3)).await, 0);
        for table in [
            "SELECT COUNT(*) - 1 FROM handfast_events",
            "SELECT COUNT(*) FROM handfast_notices",
            "SELECT COUNT(*) FROM handfast_vault",
        ] {
            assert_eq!(store.fetch::<(i64,)>(Sql::new(table)).await.unwrap(), [(0,)], "{table}");
        }
        assert!(
            store
                .commit(&Batch { guards: vec![guard(&key(1), 1), guard(&key(2), 0)], ..nothing() })
                .await
                .unwrap()
        );
    })
    .await;
}

/// Each of two commits writes what the other one has found absent. Were the absence not protected, both would hold.
#[tokio::test(flavor = "multi_thread")]
async fn no_write_skew() {
    for_each_database(async |store| {
        for round in 0..16 {
            let (a, b) = (key(round * 2), key(round * 2 + 1));
            let guards = vec![guard(&a, 0), guard(&b, 0)];
            let one = Batch { guards: guards.clone(), ..record(&a, 1) };
            let other = Batch { guards, ..record(&b, 1) };
            let first = tokio::spawn({
                let store = store.clone();
                async move { store.commit(&one).await }
            });
            let second = store.commit(&other).await.unwrap();
            assert_ne!(first.await.unwrap().unwrap(), second, "exactly one of the two");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost() {
    const WRITERS: u64 = 8;
    const TIMES: u64 = 5;
    for_each_database(async |store| {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let store = store.clone();
            writers.spawn(async move {
                let mut conflicts = 0_u64;
                let own = key(100 + u32::try_from(writer).unwrap());
                let mut done = 0;
                while done < TIMES {
                    let (hot, cold) = (version_of(&store, &key(1)).await, version_of(&store, &own).await);
                    let mut batch = record(&key(1), hot + 1);
                    let more = record(&own, cold + 1);
                    batch.writes.extend(more.writes);
                    batch.events.extend(more.events);
                    batch.guards = vec![guard(&own, cold), guard(&key(1), hot)];
                    if store.commit(&batch).await.unwrap() { done += 1 } else { conflicts += 1 }
                }
                conflicts
            });
        }
        writers.join_all().await;
        assert_eq!(version_of(&store, &key(1)).await, WRITERS * TIMES);
        let versions: Vec<(i64,)> = store
            .fetch(
                Sql::new("SELECT version FROM handfast_events WHERE key = $1 ORDER BY sequence")
                    .bind(key(1).to_string()),
            )
            .await
            .unwrap();
        assert!(versions.iter().map(|(version,)| *version).eq(1..=i64::try_from(WRITERS * TIMES).unwrap()));
    })
    .await;
}

fn notice(coalesce: &str) -> NoticeRow {
    NoticeRow { coalesce: coalesce.into(), at: "2026-01-01T00:00:00Z".parse().unwrap(), body: "{}".into() }
}

/// Refusals are counted exactly, also when they come in different orders, and twice in one batch.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted() {
    for_each_database(async |store| {
        let mut writers = JoinSet::new();
        for number in 0..24 {
            let store = store.clone();
            let mut notices =
                vec![notice("0000000001|a|-|-"), notice("0000000001|b|-|-"), notice("0000000001|b|-|-")];
            if number % 2 == 0 {
                notices.reverse();
            }
            writers.spawn(async move { store.commit(&Batch { notices, ..nothing() }).await.unwrap() });
        }
        assert!(writers.join_all().await.into_iter().all(|held| held));
        let counts: Vec<(String, i64)> = store
            .fetch(Sql::new("SELECT \"coalesce\", count FROM handfast_notices ORDER BY 1"))
            .await
            .unwrap();
        assert_eq!(counts, [("0000000001|a|-|-".into(), 24), ("0000000001|b|-|-".into(), 48)]);
    })
    .await;
}

#[tokio::test]
async fn secrets_are_kept_replaced_and_shredded() {
    for_each_database(async |store| {
        let secret: Key = SECRET.parse().unwrap();
        let write = |sealed: Option<&str>| Batch {
            vault: vec![VaultRow { key: SECRET.into(), sealed: sealed.map(str::to_owned) }],
            ..nothing()
        };
        for (sealed, found) in [(Some("a"), Some("a")), (Some("b"), Some("b")), (None, None), (None, None)] {
            assert!(store.commit(&write(sealed)).await.unwrap());
            let row = store.read(std::slice::from_ref(&secret)).await.unwrap().pop();
            assert_eq!(row.map(|row| row.body).as_deref(), found);
        }
    })
    .await;
}

/// A file that was made by the first schema is brought up to date, once.
#[tokio::test]
async fn a_file_of_the_first_schema_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(include_str!("../../../../core/vectors/ledger/sqlite-schema-1.sql"))
        .execute(&old)
        .await
        .unwrap();
    old.close().await;
    for _ in 0..2 {
        let store = Store::open(&Database::Sqlite(path.clone())).await.unwrap();
        let listed = |label: (&str, &str)| Filter {
            label: Some((label.0.into(), label.1.into())),
            ..Filter::default()
        };
        assert_eq!(store.packages(&listed(("site", "north")), None, 10).await.unwrap().bodies.len(), 1);
        assert_eq!(store.packages(&Filter::default(), None, 10).await.unwrap().bodies.len(), 6);
        let package = "019b7ca9-8c88-7118-b0d3-641a68f94a69".parse().unwrap();
        assert_eq!(store.below(package, 10).await.unwrap().len(), 1);
    }
}

/// Hosts that start together on an empty database agree about its tables, its keys and its first operator.
#[tokio::test(flavor = "multi_thread")]
async fn many_may_start_at_once() {
    let Some(server) = testing::postgres::Server::start() else { return };
    let database = Arc::new(testing::at(&server.database().await));
    let mut hosts = JoinSet::new();
    for number in 0..6 {
        let database = Arc::clone(&database);
        hosts.spawn(async move {
            let store = Store::open(&database).await.unwrap();
            let marks: Vec<Mark> =
                ["pepper", "sealing"].map(|ring| (format!("{ring}/k{number}"), "x".into())).into();
            let claim = store.claim(&marks).await.unwrap();
            assert_eq!(store.claim(&marks).await.unwrap() == Claim::Ours, claim == Claim::Ours);
            (number, claim == Claim::Ours)
        });
    }
    let claims: BTreeSet<_> = hosts.join_all().await.into_iter().collect();
    assert_eq!(claims.iter().filter(|(_, ours)| *ours).count(), 1, "{claims:?}");
}
