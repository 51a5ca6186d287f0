//! The store keeps its promises on each database, also where several hosts share one.

use handfast::{
    record::Key,
    testing::{Conformance, Race, Report, Step},
};
use tokio::task::JoinSet;

use super::{
    Sql, Store, StoreError,
    testing::{at, postgres},
};
use crate::database::Database;

#[tokio::test]
async fn sqlite_passes_every_story() {
    let folder = tempfile::tempdir().unwrap();
    let file = |number| Database::Sqlite(folder.path().join(format!("{number}.sqlite")));
    tell_all(async |number| file(number)).await;
    race(file(0)).await;
}

#[tokio::test]
async fn postgresql_passes_every_story() {
    let Some(server) = postgres::Server::start() else { return };
    let url = server.database().await;
    let emptied = async |_| {
        server.empty(&url).await;
        at(&url)
    };
    tell_all(emptied).await;
    race(at(&server.database().await)).await;
}

/// Tells all stories, each on an empty database.
async fn tell_all(make: impl AsyncFn(u32) -> Database) {
    let mut suite = Conformance::new();
    let mut number = 0;
    let report = loop {
        number += 1;
        let mut hosts = Hosts::open(make(number).await).await.unwrap();
        if let Some(report) = hosts.tell(&mut suite).await {
            break report;
        }
    };
    assert!(report.passed() && report.skipped().count() == 0, "{report}");
}

/// Many hosts at once on an empty database.
async fn race(database: Database) {
    let race = Race::new(1, 32);
    let mut hosts = Hosts::open(database).await.unwrap();
    hosts.pass(race.prepare()).await;
    let mut racers = JoinSet::new();
    for racer in race.racers() {
        let mut hosts = hosts.clone();
        racers.spawn(async move { hosts.pass(racer).await });
    }
    racers.join_all().await;
    hosts.pass(race.finish()).await;
}

/// Two hosts that take turns on one database.
#[derive(Clone)]
struct Hosts {
    database: Database,
    stores: [Store; 2],
    turn: usize,
    fresh: bool,
}

impl Hosts {
    async fn open(database: Database) -> Result<Self, StoreError> {
        let stores = [Store::open(&database).await?, Store::open(&database).await?];
        Ok(Self { database, stores, turn: 0, fresh: true })
    }

    /// Tells a suite that asks for one empty database at most.
    async fn pass(&mut self, mut suite: Conformance) {
        let report = self.tell(&mut suite).await.unwrap();
        assert!(report.passed(), "{report}");
    }

    /// Goes on until all is told, or another empty database is asked for.
    async fn tell(&mut self, suite: &mut Conformance) -> Option<Report> {
        loop {
            let step = suite.next();
            match (&step, self.fresh) {
                (Step::Done(report), _) => return Some(report.clone()),
                (Step::Fresh, false) => return None,
                (..) => {}
            }
            if let Err(error) = self.answer(suite, &step).await {
                suite.failed(&error.to_string());
            }
        }
    }

    async fn answer(&mut self, suite: &mut Conformance, step: &Step) -> Result<(), StoreError> {
        let answered = match step {
            Step::Read(keys) => suite.rows(self.next().read(keys).await?),
            Step::Commit(commit) => suite.held(self.next().commit(&commit.batch()).await?),
            Step::Due { now, limit } => {
                suite.keys(self.next().due(*now, u32::try_from(*limit).unwrap()).await?)
            }
            Step::Events(key) => suite.events(bodies(self.next(), key).await?),
            Step::Reopen => {
                self.stores = Self::open(self.database.clone()).await?.stores;
                suite.ready()
            }
            Step::Fresh => {
                self.fresh = false;
                suite.ready()
            }
            Step::Done(_) => Ok(()),
        };
        answered.unwrap();
        Ok(())
    }

    /// The host whose turn it is.
    fn next(&mut self) -> &Store {
        self.turn += 1;
        &self.stores[self.turn % 2]
    }
}

async fn bodies(store: &Store, key: &Key) -> Result<Vec<String>, StoreError> {
    let sql = Sql::new("SELECT body FROM handfast_events WHERE key = $1 ORDER BY sequence");
    let bodies: Vec<(String,)> = store.fetch(sql.bind(key.to_string())).await?;
    Ok(bodies.into_iter().map(|(body,)| body).collect())
}
