//! The records in PostgreSQL, which several hosts may share. Why commits are serialisable is told in `POSTGRES_SCHEMA`, beside
//! the function that does them.

use std::time::Duration;

use handfast::{
    record::{Key, Row},
    store::POSTGRES_SCHEMA,
    time::Timestamp,
    vocabulary::Batch,
};
use sqlx::{
    Connection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{StoreError, row};

/// Connects, and brings the tables up to date.
pub(super) async fn open(options: &PgConnectOptions) -> Result<PgPool, StoreError> {
    let options = options.clone().application_name("provisioner").options([
        ("default_transaction_isolation", "read committed"),
        // Longer than any commit takes, and no longer than a request may.
        ("statement_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("jit", "off"),
        // A plan that was made when the tables were small would be kept when they are large.
        ("enable_seqscan", "off"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(5))
        // A look at each connection before each statement would double the round trips.
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    refuse_forgetful(&pool).await?;
    sqlx::raw_sql(POSTGRES_SCHEMA).execute(&pool).await?;
    Migrator::with_migrations(super::migrations(MIGRATIONS)).run(&pool).await?;
    Ok(pool)
}

/// What was answered must survive a power cut of the server.
async fn refuse_forgetful(pool: &PgPool) -> Result<(), StoreError> {
    let (fsync, commit): (String, String) =
        sqlx::query_as("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(pool)
            .await?;
    if fsync == "off" || commit == "off" {
        return Err(StoreError::Forgetful);
    }
    Ok(())
}

pub(super) async fn read(pool: &PgPool, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT key, version, body FROM handfast_records WHERE key = ANY($1) \
         UNION ALL SELECT key, 1, sealed FROM handfast_vault WHERE key = ANY($1)",
    )
    .bind(keys)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(row).collect()
}

/// One statement, one round trip, one transaction.
pub(super) async fn commit(pool: &PgPool, batch: &Batch) -> Result<bool, StoreError> {
    let batch = serde_json::to_string(batch).map_err(|error| StoreError::Foreign(error.to_string()))?;
    let held = sqlx::query_scalar("SELECT handfast_commit($1::json)").bind(batch).fetch_one(pool).await;
    match held {
        Ok(held) => Ok(held),
        // The server gave this transaction up in favour of another one: nothing of it was done.
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| GIVEN_UP.contains(&&*code)) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// The server's clock, which is the one that counts where several hosts share it.
pub(super) async fn now(pool: &PgPool) -> Result<Timestamp, StoreError> {
    let millis: i64 =
        sqlx::query_scalar("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            .fetch_one(pool)
            .await?;
    Timestamp::from_unix_millis(millis).ok_or_else(|| StoreError::Foreign("the server's clock".into()))
}

const MIGRATIONS: [&str; 4] = [
    include_str!("../../migrations/postgres/0001_provisioner.sql"),
    include_str!("../../migrations/postgres/0002_keys.sql"),
    include_str!("../../migrations/postgres/0003_audit.sql"),
    include_str!("../../migrations/postgres/0004_lists.sql"),
];

/// serialization_failure, deadlock_detected (PostgreSQL, appendix A).
const GIVEN_UP: [&str; 2] = ["40001", "40P01"];
/// Connections of one host. Statements are short: more would only queue in the server.
const CONNECTIONS: u32 = 16;
/// A connection idle for so long is tried before it is used.
const IDLE: Duration = Duration::from_secs(10);
