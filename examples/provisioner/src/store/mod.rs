//! The records in a database, by the contract of [`handfast::store`]. The tables of handfast are those of every
//! language's store, so that a program in Python or Node can go on with this database.

mod audit;
#[cfg(test)]
mod conformance;
mod keys;
mod lists;
mod notices;
mod postgres;
mod query;
mod retention;
mod sqlite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod topics;
mod vault;

use std::{str::FromStr, sync::atomic::Ordering};

use handfast::{
    id::{InvalidId, PackageId},
    record::{Key, Row},
    time::Timestamp,
    vocabulary::Batch,
};
use sqlx::{
    PgPool, SqlSafeStr,
    migrate::{Migration, MigrationType},
};

#[cfg(test)]
pub(crate) use self::testing::for_each_database;
pub(crate) use self::{
    audit::{AuditCursor, AuditFilter, Entry, EntryKind},
    keys::{Claim, Mark},
    lists::{Cursor, Filter, NodeFilter},
    notices::NOTICES,
    query::{Sql, Unit},
    retention::Ended,
};
use crate::{database::Database, metrics::DATABASE_ERRORS};

/// What the database did not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(sqlx::Error),
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// Something in the database is not what handfast wrote there.
    #[error("the database holds a value that does not fit: {0}")]
    Foreign(String),
    /// A server that says "committed" before it is.
    #[error("the server runs with fsync or synchronous_commit off: what it has answered could be lost")]
    Forgetful,
}

impl StoreError {
    /// Whether a row with that key is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        DATABASE_ERRORS.fetch_add(1, Ordering::Relaxed);
        Self::Database(error)
    }
}

impl From<InvalidId> for StoreError {
    fn from(error: InvalidId) -> Self {
        Self::Foreign(error.to_string())
    }
}

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite(sqlite::Pools),
    Postgres(PgPool),
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub(crate) async fn open(database: &Database) -> Result<Self, StoreError> {
        let pools = match database {
            Database::Sqlite(path) => Pools::Sqlite(sqlite::Pools::open(path).await?),
            Database::Postgres(options) => Pools::Postgres(postgres::open(options).await?),
        };
        Ok(Self { pools })
    }

    /// Gives the rows that exist.
    pub(crate) async fn read(&self, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => pools.read(keys).await,
            Pools::Postgres(pool) => postgres::read(pool, keys).await,
        }
    }

    /// Does all of the batch in one transaction, or nothing when a guard does not hold.
    pub(crate) async fn commit(&self, batch: &Batch) -> Result<bool, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => pools.commit(batch).await,
            Pools::Postgres(pool) => postgres::commit(pool, batch).await,
        }
    }

    /// The keys about which something is due by then, the most urgent first.
    pub(crate) async fn due(&self, by: Timestamp, limit: u32) -> Result<Vec<Key>, StoreError> {
        let sql = Sql::new(
            "SELECT key FROM handfast_records WHERE wake_at IS NOT NULL AND wake_at <= $1 ORDER BY wake_at LIMIT $2",
        );
        let keys: Vec<(String,)> = self.fetch(sql.bind(by.to_string()).bind(limit)).await?;
        keys.into_iter().map(|(key,)| Ok(Key::from_str(&key)?)).collect()
    }

    /// What of a package's nodes and of the packages under it has not ended yet.
    pub(crate) async fn below(&self, package: PackageId, limit: u32) -> Result<Vec<Key>, StoreError> {
        let sql = Sql::new(
            "SELECT key FROM handfast_records WHERE parent = $1 \
             AND status IN ('created', 'delivered', 'activated', 'claimed', 'active') LIMIT $2",
        );
        let keys: Vec<(String,)> =
            self.fetch(sql.bind(Key::Package(package).to_string()).bind(limit)).await?;
        keys.into_iter().map(|(key,)| Ok(Key::from_str(&key)?)).collect()
    }

    /// When something is due next.
    pub(crate) async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = Sql::new("SELECT MIN(wake_at) FROM handfast_records WHERE wake_at IS NOT NULL");
        let found: Vec<(Option<String>,)> = self.fetch(sql).await?;
        let at = found.into_iter().find_map(|(at,)| at);
        at.map(|at| at.parse().map_err(|_| StoreError::Foreign("wake_at".into()))).transpose()
    }

    /// Whether anything was ever recorded.
    pub(crate) async fn is_in_use(&self) -> Result<bool, StoreError> {
        let found: Vec<(i64,)> = self.fetch(Sql::new("SELECT version FROM handfast_records LIMIT 1")).await?;
        Ok(!found.is_empty())
    }

    /// The clock of a database that several hosts may share; a file has none.
    pub(crate) async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        match &self.pools {
            Pools::Sqlite(_) => Ok(None),
            Pools::Postgres(pool) => postgres::now(pool).await.map(Some),
        }
    }

    /// Whether other hosts may work on this database at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }
}

/// The host's own tables, in their order.
fn migrations<const N: usize>(texts: [&'static str; N]) -> Vec<Migration> {
    let migration = |(number, text): (i64, &'static str)| {
        Migration::new(number, "provisioner".into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    (1..).zip(texts).map(migration).collect()
}

fn row((key, version, body): (String, i64, String)) -> Result<Row, StoreError> {
    Ok(Row { key: key.parse()?, version: self::version(version)?, body })
}

fn version(stored: i64) -> Result<u64, StoreError> {
    stored.try_into().map_err(|_| StoreError::Foreign("a negative version".into()))
}

fn stored_version(version: u64) -> Result<i64, StoreError> {
    version.try_into().map_err(|_| StoreError::Foreign("a version beyond 63 bits".into()))
}
