//! The records in a SQLite file.

use std::{collections::BTreeMap, path::Path, time::Duration};

use handfast::{
    record::{Key, Row},
    store::{SQLITE_SCHEMA, SQLITE_UPGRADE},
    vocabulary::{Batch, EventRow, NoticeRow, VaultRow, WriteRow},
};
use sqlx::{
    QueryBuilder, Sqlite, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{StoreError, row, stored_version, version};
use crate::private_file;

/// Writers queue for one connection, so that they never collide within this process; `BEGIN IMMEDIATE` and the guards
/// keep them apart from other processes.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) writer: SqlitePool,
    pub(super) reader: SqlitePool,
}

impl Pools {
    /// Opens the file, or makes it, and brings its tables up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        private_file::touch(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit counts only when it would survive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            // Shredded secrets are overwritten, not just unlinked.
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        make_tables(&writer).await?;
        Migrator::with_migrations(super::migrations(MIGRATIONS)).run(&writer).await?;
        let reader =
            SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, reader })
    }

    pub(super) async fn read(&self, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
        let (secrets, records): (Vec<_>, Vec<_>) = keys.iter().partition(|key| matches!(key, Key::Secret(_)));
        let mut rows = self.select("SELECT key, version, body FROM handfast_records", &records).await?;
        rows.extend(self.select("SELECT key, 1, sealed FROM handfast_vault", &secrets).await?);
        Ok(rows)
    }

    async fn select(&self, columns: &'static str, keys: &[&Key]) -> Result<Vec<Row>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new(columns);
        query.push(" WHERE key IN (");
        let mut list = query.separated(", ");
        for key in keys {
            list.push_bind(key.to_string());
        }
        query.push(")");
        let rows: Vec<(String, i64, String)> = query.build_query_as().fetch_all(&self.reader).await?;
        rows.into_iter().map(row).collect()
    }

    pub(super) async fn commit(&self, batch: &Batch) -> Result<bool, StoreError> {
        let changes_nothing = batch.writes.is_empty()
            && batch.events.is_empty()
            && batch.notices.is_empty()
            && batch.vault.is_empty();
        if changes_nothing {
            let mut snapshot = self.reader.begin().await?;
            return guards_hold(&mut snapshot, batch).await;
        }
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        if !guards_hold(&mut transaction, batch).await? {
            return Ok(false);
        }
        for row in &batch.writes {
            write(&mut transaction, row).await?;
        }
        for row in &batch.events {
            append(&mut transaction, row).await?;
        }
        for row in &batch.notices {
            notice(&mut transaction, row).await?;
        }
        for row in &batch.vault {
            keep_or_shred(&mut transaction, row).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

/// Makes the tables of handfast, or brings those of its first schema up to date.
async fn make_tables(writer: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info('handfast_records')")
        .fetch_all(&mut *transaction)
        .await?;
    let is_old = !columns.is_empty() && columns.iter().all(|(name,)| name != "parent");
    let script = if is_old { SQLITE_UPGRADE } else { SQLITE_SCHEMA };
    sqlx::raw_sql(script).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

const MIGRATIONS: [&str; 4] = [
    include_str!("../../migrations/sqlite/0001_provisioner.sql"),
    include_str!("../../migrations/sqlite/0002_keys.sql"),
    include_str!("../../migrations/sqlite/0003_audit.sql"),
    include_str!("../../migrations/sqlite/0004_lists.sql"),
];

async fn guards_hold(connection: &mut SqliteConnection, batch: &Batch) -> Result<bool, StoreError> {
    if batch.guards.is_empty() {
        return Ok(true);
    }
    let mut query = QueryBuilder::<Sqlite>::new("SELECT key, version FROM handfast_records WHERE key IN (");
    let mut list = query.separated(", ");
    for guard in &batch.guards {
        list.push_bind(&guard.key);
    }
    query.push(")");
    let found: Vec<(String, i64)> = query.build_query_as().fetch_all(connection).await?;
    let found: BTreeMap<_, _> = found.into_iter().collect();
    for guard in &batch.guards {
        if version(found.get(&guard.key).copied().unwrap_or(0))? != guard.version {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn write(connection: &mut SqliteConnection, row: &WriteRow) -> Result<(), StoreError> {
    let index = &row.index;
    let labels =
        serde_json::to_string(&index.labels).map_err(|error| StoreError::Foreign(error.to_string()))?;
    sqlx::query(
        "INSERT INTO handfast_records (key, version, body, record, scope, name, kind, status, parent, labels, created_at, wake_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body, record = excluded.record, \
         scope = excluded.scope, name = excluded.name, kind = excluded.kind, status = excluded.status, \
         parent = excluded.parent, labels = excluded.labels, created_at = excluded.created_at, wake_at = excluded.wake_at",
    )
    .bind(&row.key)
    .bind(stored_version(row.version)?)
    .bind(&row.body)
    .bind(index.record)
    .bind(index.scope.as_ref().map(ToString::to_string))
    .bind(index.name.as_ref().map(ToString::to_string))
    .bind(index.kind.as_ref().map(ToString::to_string))
    .bind(index.status)
    .bind(index.parent.as_ref().map(ToString::to_string))
    .bind(labels)
    .bind(index.created_at.to_string())
    .bind(index.wake_at.map(|at| at.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn append(connection: &mut SqliteConnection, row: &EventRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO handfast_events (key, version, at, fact, scope, body) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&row.key)
    .bind(stored_version(row.version)?)
    .bind(row.at.to_string())
    .bind(row.fact)
    .bind(row.scope.as_ref().map(ToString::to_string))
    .bind(&row.body)
    .execute(connection)
    .await?;
    Ok(())
}

async fn notice(connection: &mut SqliteConnection, row: &NoticeRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO handfast_notices (coalesce, count, first_at, last_at, body) VALUES ($1, 1, $2, $2, $3) \
         ON CONFLICT (coalesce) DO UPDATE SET count = handfast_notices.count + 1, last_at = excluded.last_at",
    )
    .bind(&row.coalesce)
    .bind(row.at.to_string())
    .bind(&row.body)
    .execute(connection)
    .await?;
    Ok(())
}

async fn keep_or_shred(connection: &mut SqliteConnection, row: &VaultRow) -> Result<(), StoreError> {
    match &row.sealed {
        Some(sealed) => {
            sqlx::query(
                "INSERT INTO handfast_vault (key, sealed) VALUES ($1, $2) \
                 ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed",
            )
            .bind(&row.key)
            .bind(sealed)
            .execute(connection)
            .await?
        }
        None => {
            sqlx::query("DELETE FROM handfast_vault WHERE key = $1")
                .bind(&row.key)
                .execute(connection)
                .await?
        }
    };
    Ok(())
}
