//! The store keeps its promises on each database, also where two hosts share one.

use handfast::{
    record::Key,
    testing::{Conformance, Report, Step},
};

use super::{
    Sql, Store, StoreError,
    testing::{at, postgres},
};
use crate::database::Database;

#[tokio::test]
async fn sqlite_passes_every_story() {
    let folder = tempfile::tempdir().unwrap();
    let file = |number| Database::Sqlite(folder.path().join(format!("{number}.sqlite")));
    let report = Hosts::check(async |number| file(number)).await;
    assert!(report.passed() && report.skipped().count() == 0, "{report}");
}

#[tokio::test]
async fn postgresql_passes_every_story() {
    let Some(server) = postgres::Server::start() else { return };
    let report = Hosts::check(async |_| at(&server.database().await)).await;
    assert!(report.passed() && report.skipped().count() == 0, "{report}");
}

/// Two hosts that take turns on one database.
struct Hosts {
    database: Database,
    stores: [Store; 2],
    turn: usize,
}

impl Hosts {
    /// Tells all stories; `make` gives an empty database for each.
    async fn check(make: impl AsyncFn(usize) -> Database) -> Report {
        let mut suite = Conformance::new();
        let mut hosts = None;
        for number in 0.. {
            let step = suite.next();
            let answered = match (&step, &mut hosts) {
                (Step::Done(report), _) => return report.clone(),
                (Step::Fresh, _) => match Self::open(make(number).await).await {
                    Ok(opened) => {
                        hosts = Some(opened);
                        suite.ready().map_err(|misuse| misuse.to_string())
                    }
                    Err(error) => Err(error.to_string()),
                },
                (step, Some(hosts)) => {
                    hosts.answer(&mut suite, step).await.map_err(|error| error.to_string())
                }
                (_, None) => Err("there is no database yet".to_owned()),
            };
            if let Err(error) = answered {
                suite.failed(&error);
            }
        }
        unreachable!("the suite ends")
    }

    async fn open(database: Database) -> Result<Self, StoreError> {
        let stores = [Store::open(&database).await?, Store::open(&database).await?];
        Ok(Self { database, stores, turn: 0 })
    }

    async fn answer(&mut self, suite: &mut Conformance, step: &Step) -> Result<(), StoreError> {
        let taken = match step {
            Step::Read(keys) => suite.rows(self.next().read(keys).await?),
            Step::Commit(commit) => suite.held(self.next().commit(&commit.batch()).await?),
            Step::Due { now, limit } => {
                suite.keys(self.next().due(*now, u32::try_from(*limit).unwrap()).await?)
            }
            Step::Events(key) => suite.events(bodies(self.next(), key).await?),
            Step::Reopen => {
                *self = Self::open(self.database.clone()).await?;
                suite.ready()
            }
            Step::Fresh | Step::Done(_) => Ok(()),
        };
        taken.unwrap();
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
