//! What the database holds, read past the host, and what must be so of it whatever has happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use handfast::{
    audit::{Chain, Head},
    crypto::default_backend,
    id::{DecisionId, NodeId, PackageId},
    ledger::Ledger,
    record::{Key, Node, Package, Record},
    vocabulary::Event,
};
use sqlx::{
    FromRow, PgPool, SqlitePool,
    postgres::PgRow,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

/// A database of the host.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

/// Everything in it, found sound.
pub(crate) struct History {
    pub(crate) records: BTreeMap<Key, Record>,
    /// How often each fact has happened to each record.
    facts: BTreeMap<Key, BTreeMap<&'static str, usize>>,
    /// How often each refusal was counted, by its code.
    pub(crate) refusals: BTreeMap<String, i64>,
    pub(crate) vault: usize,
}

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn open(database: &Database) -> Self {
        match database {
            Database::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                Self::Sqlite(SqlitePool::connect_with(options).await.unwrap())
            }
            Database::Postgres(url) => Self::Postgres(PgPool::connect(url).await.unwrap()),
        }
    }

    async fn rows<T>(&self, sql: &'static str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        match self {
            Self::Sqlite(pool) => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
        }
    }
}

impl History {
    /// Reads all of it and checks what must always be so. No host may be at work.
    pub(crate) async fn read(database: &Database) -> Self {
        let pool = Pool::open(database).await;
        let bodies: Vec<(String, i64, String)> =
            pool.rows("SELECT key, version, body FROM handfast_events ORDER BY sequence").await;
        let stored: Vec<(String, i64, String)> =
            pool.rows("SELECT key, version, body FROM handfast_records ORDER BY key").await;
        let events = check_events(&bodies);
        let heads = check_chain(bodies.iter().map(|(_, _, body)| body.as_str()));
        let records = check_records(&bodies, &stored, &heads);
        let sealed: Vec<(String,)> = pool.rows("SELECT key FROM handfast_vault").await;
        check_vault(&records, &sealed);
        check_references(&records);
        check_scopes(&records);
        let notices: Vec<(i64, String)> = pool.rows("SELECT count, body FROM handfast_notices").await;
        let mut refusals = BTreeMap::new();
        for (count, body) in notices {
            let notice: serde_json::Value = serde_json::from_str(&body).unwrap();
            *refusals.entry(notice["code"].as_str().unwrap().to_owned()).or_default() += count;
        }
        let mut facts: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
        for event in events {
            *facts.entry(event.key.clone()).or_default().entry(event.fact.name()).or_default() += 1;
        }
        Self { records, facts, refusals, vault: sealed.len() }
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        packages(&self.records)
    }

    pub(crate) fn package(&self, id: PackageId) -> &Package {
        let Record::Package(package) = &self.records[&Key::Package(id)] else { panic!("{id}") };
        package
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        let Record::Node(node) = &self.records[&Key::Node(id)] else { panic!("{id}") };
        node
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        nodes(&self.records)
    }

    /// How often this has happened to a record.
    pub(crate) fn count(&self, key: &Key, fact: &str) -> usize {
        self.facts.get(key).and_then(|facts| facts.get(fact)).copied().unwrap_or(0)
    }

    /// How often this has happened.
    pub(crate) fn total(&self, fact: &str) -> usize {
        self.facts.values().filter_map(|facts| facts.get(fact)).sum()
    }

    /// How much has happened.
    pub(crate) fn events(&self) -> usize {
        self.facts.values().flat_map(BTreeMap::values).sum()
    }
}

fn packages(records: &BTreeMap<Key, Record>) -> impl Iterator<Item = &Package> {
    records
        .values()
        .filter_map(|record| if let Record::Package(package) = record { Some(&**package) } else { None })
}

fn nodes(records: &BTreeMap<Key, Record>) -> impl Iterator<Item = &Node> {
    records.values().filter_map(|record| if let Record::Node(node) = record { Some(&**node) } else { None })
}

/// The versions of each record count from 1 without a gap, in the order of the log, and of no decision a part is missing.
fn check_events(bodies: &[(String, i64, String)]) -> Vec<Event> {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut decisions: BTreeMap<DecisionId, (u32, BTreeSet<u32>)> = BTreeMap::new();
    let mut events = Vec::new();
    for (key, version, body) in bodies {
        let before = last.insert(key, *version).unwrap_or(0);
        assert_eq!(*version, before + 1, "{key}");
        let event = Event::from_body(body).unwrap();
        assert_eq!((&event.key.to_string(), event.version), (key, u64::try_from(*version).unwrap()));
        let (of, parts) = decisions.entry(event.decision).or_insert((event.of, BTreeSet::new()));
        assert_eq!(*of, event.of);
        assert!(parts.insert(event.index), "twice: {body}");
        events.push(event);
    }
    for (decision, (of, parts)) in decisions {
        assert!(parts.into_iter().eq(0..of), "a part of {decision} is missing");
    }
    events
}

/// Each fact bears the digest of the one before it of its record. Gives where the chains end.
fn check_chain<'a>(bodies: impl Iterator<Item = &'a str>) -> BTreeMap<String, Head> {
    let mut chain = Chain::new(default_backend());
    for body in bodies {
        if let Err(broken) = chain.feed(body) {
            panic!("{broken}: {body}");
        }
    }
    assert_eq!((chain.unlinked(), chain.finish().len()), (0, 0));
    chain.heads().map(|head| (head.key.clone(), head)).collect()
}

/// The records are the fold of the events, byte for byte, and each knows the end of its chain.
fn check_records(
    bodies: &[(String, i64, String)],
    stored: &[(String, i64, String)],
    heads: &BTreeMap<String, Head>,
) -> BTreeMap<Key, Record> {
    let ledger = Ledger::replay(bodies.iter().map(|(_, _, body)| body), &*default_backend()).unwrap();
    let mut replayed: Vec<_> =
        ledger.iter().map(|(key, row)| (key.to_string(), row.version, row.body())).collect();
    replayed.sort();
    let mut found = BTreeMap::new();
    let mut rows = Vec::new();
    for (key, version, body) in stored {
        let (version, value): (_, serde_json::Value) =
            (u64::try_from(*version).unwrap(), serde_json::from_str(body).unwrap());
        let head = &heads[key];
        assert_eq!(
            (head.version, value["head"].as_str()),
            (version, Some(head.digest.to_string().as_str())),
            "{key}"
        );
        found.insert(key.parse::<Key>().unwrap(), Record::from_body(body).unwrap());
        rows.push((key.clone(), version, body.clone()));
    }
    rows.sort();
    assert_eq!(replayed.len(), rows.len());
    for (replayed, row) in replayed.iter().zip(&rows) {
        assert_eq!(replayed, row);
    }
    found
}

/// The vault has what the records hold, and nothing else.
fn check_vault(records: &BTreeMap<Key, Record>, sealed: &[(String,)]) {
    let held: BTreeSet<_> =
        records.values().flat_map(Record::held_secrets).map(|id| Key::Secret(id).to_string()).collect();
    let sealed: BTreeSet<_> = sealed.iter().map(|(key,)| key.clone()).collect();
    assert_eq!(held, sealed);
}

/// Packages and nodes agree about each other, names lead to what lives, and no subject is two nodes.
fn check_references(records: &BTreeMap<Key, Record>) {
    let mut listed = BTreeSet::new();
    for package in packages(records) {
        for listing in &package.nodes {
            let Some(Record::Node(node)) = records.get(&Key::Node(listing.id)) else {
                panic!("no {}", listing.id)
            };
            assert_eq!((node.package, &node.fingerprint), (package.id, &listing.subject));
            assert_eq!((node.is_live(), node.grant_open), (listing.live, listing.grant_open), "{}", node.id);
            assert!(listed.insert(node.id), "{} is listed twice", node.id);
        }
        assert!(
            package.issued.max_uses.is_none_or(|max| package.uses() <= max),
            "{} is overspent",
            package.id
        );
        let name = Key::Name(package.issued.scope.clone(), package.issued.name.clone());
        let Record::Name(name) = &records[&name] else { panic!("{name}") };
        assert_eq!(name.package == Some(package.id), package.status.is_live(), "{}", package.id);
    }
    let mut wide: BTreeMap<PackageId, u32> = BTreeMap::new();
    for node in nodes(records) {
        let Some(Record::Package(package)) = records.get(&Key::Package(node.package)) else {
            panic!("{}", node.id)
        };
        if package.is_wide() {
            *wide.entry(package.id).or_default() += 1;
        } else {
            assert!(listed.contains(&node.id), "{} is listed nowhere", node.id);
        }
        let subject = Key::Subject(node.scope.clone(), node.fingerprint.clone().into());
        let Record::Subject(subject) = &records[&subject] else { panic!("{subject}") };
        assert_eq!(subject.node == Some(node.id), node.is_live(), "{}", node.id);
    }
    for package in packages(records).filter(|package| package.is_wide() && package.issued.max_uses.is_some())
    {
        assert_eq!(package.wide_uses, wide.get(&package.id).copied().unwrap_or(0), "{}", package.id);
    }
}

/// What a scope has reserved is what its packages hold.
fn check_scopes(records: &BTreeMap<Key, Record>) {
    for record in records.values() {
        let Record::Scope(scope) = record else { continue };
        let own: Vec<_> = packages(records).filter(|package| package.issued.scope == scope.id).collect();
        let reserved: u32 = own.iter().map(|package| package.reserved).sum();
        let live = own.iter().filter(|package| package.status.is_live()).count();
        assert_eq!(
            (scope.reserved, usize::try_from(scope.outstanding).unwrap()),
            (reserved, live),
            "{}",
            scope.id
        );
    }
}
