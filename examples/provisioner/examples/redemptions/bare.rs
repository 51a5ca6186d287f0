//! What the database does without us: by hand, in as few statements as can be, a guarded update of one row, and inserts of
//! the others, of the same bytes.

use std::{fmt, sync::Arc};

use handfast::vocabulary::{Batch, EventRow, WriteRow};
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// A redemption as rows, of which only the keys differ from one to the next.
pub(crate) struct Shape {
    package: WriteRow,
    /// The version that the package must have.
    version: i64,
    added: Vec<WriteRow>,
    events: Vec<EventRow>,
}

impl Shape {
    pub(crate) fn of(batch: &Batch) -> Self {
        let is_package = |row: &WriteRow| row.key.starts_with("package/");
        let (packages, added): (Vec<_>, Vec<_>) = batch.writes.iter().cloned().partition(is_package);
        let package = packages.into_iter().next().unwrap();
        let guard = batch.guards.iter().find(|guard| guard.key == package.key).unwrap();
        assert!(batch.vault.is_empty() && batch.notices.is_empty(), "there is more to it");
        Self { version: guard.version.try_into().unwrap(), package, added, events: batch.events.clone() }
    }

    fn bytes(&self) -> usize {
        let written = self.added.iter().chain([&self.package]).map(|row| row.body.len());
        written.chain(self.events.iter().map(|event| event.body.len())).sum()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (added, events) = (self.added.len(), self.events.len());
        write!(
            formatter,
            "1 row updated, {added} inserted, {events} events, {} bytes of bodies",
            self.bytes()
        )
    }
}

/// A database with the tables of the program, its indexes included, and nobody but us at them.
pub(crate) struct Bare {
    pool: Pool,
    shape: Shape,
}

enum Pool {
    /// One connection: writers queue anyway.
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    /// Opens it with the tables and the settings of the program's own store.
    pub(crate) async fn open(url: &str, shape: Shape) -> Arc<Self> {
        drop(crate::open_store(url).await);
        let pool = if url.starts_with("postgres") {
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .test_before_acquire(false)
                .connect(url)
                .await
                .unwrap();
            Pool::Postgres(pool)
        } else {
            let options = SqliteConnectOptions::new().filename(url);
            let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
            let options = options.pragma("secure_delete", "ON");
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
            Pool::Sqlite(pool)
        };
        Arc::new(Self { pool, shape })
    }

    /// Puts the packages there that the transactions of a round will update.
    pub(crate) async fn prepare(&self, round: usize, count: usize) {
        let keys: Vec<_> = (0..count).map(|number| key(&self.shape.package.key, round, number)).collect();
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                for key in keys {
                    let insert = insert(&key, &self.shape.package, self.shape.version);
                    insert.execute(&mut *transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
            }
            Pool::Postgres(pool) => {
                let row = &self.shape.package;
                sqlx::query(
                    "INSERT INTO handfast_records (key, version, body, record, status, created_at) \
                     SELECT key, $2, $3, $4, $5, $6 FROM unnest($1::text[]) AS key",
                )
                .bind(keys)
                .bind(self.shape.version)
                .bind(&row.body)
                .bind(row.index.record)
                .bind(row.index.status)
                .bind(row.index.created_at.to_string())
                .execute(pool)
                .await
                .unwrap();
            }
        }
    }

    pub(crate) fn transaction(
        self: &Arc<Self>,
        round: usize,
        number: usize,
    ) -> impl Future<Output = ()> + use<> {
        let bare = Arc::clone(self);
        async move {
            match &bare.pool {
                Pool::Sqlite(pool) => bare.shape.on_sqlite(pool, round, number).await,
                Pool::Postgres(pool) => bare.shape.on_postgres(pool, round, number).await,
            }
        }
    }
}

impl Shape {
    async fn on_sqlite(&self, pool: &SqlitePool, round: usize, number: usize) {
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let package = &self.package;
        let updated = sqlx::query(
            "UPDATE handfast_records SET version = $1, body = $2, status = $3, wake_at = $4 WHERE key = $5 AND version = $6",
        )
        .bind(self.version + 1)
        .bind(&package.body)
        .bind(package.index.status)
        .bind(package.index.wake_at.map(|at| at.to_string()))
        .bind(key(&package.key, round, number))
        .bind(self.version)
        .execute(&mut *transaction)
        .await
        .unwrap();
        assert_eq!(updated.rows_affected(), 1);
        for row in &self.added {
            insert(&key(&row.key, round, number), row, 1).execute(&mut *transaction).await.unwrap();
        }
        for event in &self.events {
            sqlx::query("INSERT INTO handfast_events (key, version, at, fact, scope, body) VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(key(&event.key, round, number))
                .bind(i64::try_from(event.version).unwrap())
                .bind(event.at.to_string())
                .bind(event.fact)
                .bind(event.scope.as_ref().map(ToString::to_string))
                .bind(&event.body)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// One statement, and so one way to the server and back.
    async fn on_postgres(&self, pool: &PgPool, round: usize, number: usize) {
        let package = &self.package;
        let rows = &self.added;
        let index = |value: fn(&WriteRow) -> Option<String>| rows.iter().map(value).collect::<Vec<_>>();
        let events = &self.events;
        let updated: i64 = sqlx::query_scalar(
            "WITH updated AS ( \
                 UPDATE handfast_records SET version = $1, body = $2, status = $3, wake_at = $4 \
                 WHERE key = $5 AND version = $6 RETURNING 1 \
             ), added AS ( \
                 INSERT INTO handfast_records (key, version, body, record, scope, status, parent, created_at, wake_at) \
                 SELECT row.key, 1, row.body, row.record, row.scope, row.status, row.parent, row.created_at, row.wake_at \
                 FROM updated, unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]) \
                     AS row (key, body, record, scope, status, parent, created_at, wake_at) \
             ), logged AS ( \
                 INSERT INTO handfast_events (key, version, at, fact, scope, body) \
                 SELECT event.* \
                 FROM updated, unnest($15::text[], $16::bigint[], $17::text[], $18::text[], $19::text[], $20::text[]) AS event \
             ) SELECT count(*) FROM updated",
        )
        .bind(self.version + 1)
        .bind(&package.body)
        .bind(package.index.status)
        .bind(package.index.wake_at.map(|at| at.to_string()))
        .bind(key(&package.key, round, number))
        .bind(self.version)
        .bind(rows.iter().map(|row| key(&row.key, round, number)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.index.record).collect::<Vec<_>>())
        .bind(index(|row| row.index.scope.as_ref().map(ToString::to_string)))
        .bind(index(|row| row.index.status.map(str::to_owned)))
        .bind(index(|row| row.index.parent.as_ref().map(ToString::to_string)))
        .bind(index(|row| Some(row.index.created_at.to_string())))
        .bind(index(|row| row.index.wake_at.map(|at| at.to_string())))
        .bind(events.iter().map(|event| key(&event.key, round, number)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| i64::try_from(event.version).unwrap()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.at.to_string()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.fact).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.scope.as_ref().map(ToString::to_string)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.body.as_str()).collect::<Vec<_>>())
        .fetch_one(pool)
        .await
        .unwrap();
        assert_eq!(updated, 1);
    }
}

fn insert<'q>(
    key: &'q str,
    row: &'q WriteRow,
    version: i64,
) -> sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
    sqlx::query(
        "INSERT INTO handfast_records (key, version, body, record, scope, status, parent, created_at, wake_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(key)
    .bind(version)
    .bind(&row.body)
    .bind(row.index.record)
    .bind(row.index.scope.as_ref().map(ToString::to_string))
    .bind(row.index.status)
    .bind(row.index.parent.as_ref().map(ToString::to_string))
    .bind(row.index.created_at.to_string())
    .bind(row.index.wake_at.map(|at| at.to_string()))
}

/// A key as long as the real one, of the same kind, scattered as real ones are not more than ordered.
fn key(real: &str, round: usize, number: usize) -> String {
    let end = format!("{round:02x}{number:010x}");
    format!("{}{end}", &real[..real.len() - end.len()])
}
