//! Statements that read the same in SQLite and in PostgreSQL: numbered parameters, `ON CONFLICT`, text and 64-bit
//! integers. What cannot be said in both is in the module of each.

use std::fmt::Write;

use sqlx::{
    Arguments, AssertSqlSafe, Database, Encode, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection,
    Transaction, Type, postgres::PgRow, sqlite::SqliteRow,
};

use super::{Pools, Store, StoreError};

/// A statement and its parameters. Its text is made of literals only: whatever comes from outside is a parameter.
#[derive(Debug)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A parameter.
#[derive(Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(i64),
}

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Gives the next parameter.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Goes on with the text.
    pub(crate) fn then(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with the text, and the next parameter right behind it.
    pub(crate) fn with(mut self, text: &'static str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let _ = write!(self.text, "{text}${}", self.values.len());
        self
    }

    /// The same, if there is a value.
    pub(crate) fn with_some(self, text: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(text, value),
            None => self,
        }
    }
}

/// What either database can give a row as.
pub(crate) trait Fetched:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Fetched for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl Store {
    /// Reads rows.
    pub(crate) async fn fetch<T: Fetched>(&self, sql: Sql) -> Result<Vec<T>, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => fetch_sqlite(&mut *pools.reader.acquire().await?, sql).await,
            Pools::Postgres(pool) => fetch_postgres(&mut *pool.acquire().await?, sql).await,
        }
    }

    /// Changes rows, and says how many.
    pub(crate) async fn execute(&self, sql: Sql) -> Result<u64, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => execute_sqlite(&mut *pools.writer.acquire().await?, sql).await,
            Pools::Postgres(pool) => execute_postgres(&mut *pool.acquire().await?, sql).await,
        }
    }

    /// Begins a transaction, which comes to nothing unless it is committed.
    pub(crate) async fn begin(&self) -> Result<Unit, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => Ok(Unit::Sqlite(pools.writer.begin_with("BEGIN IMMEDIATE").await?)),
            Pools::Postgres(pool) => Ok(Unit::Postgres(pool.begin().await?)),
        }
    }
}

/// A transaction.
#[derive(Debug)]
pub(crate) enum Unit {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Unit {
    /// Reads rows.
    pub(crate) async fn fetch<T: Fetched>(&mut self, sql: Sql) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(transaction) => fetch_sqlite(&mut *transaction, sql).await,
            Self::Postgres(transaction) => fetch_postgres(&mut *transaction, sql).await,
        }
    }

    /// Changes rows, and says how many.
    pub(crate) async fn execute(&mut self, sql: Sql) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(transaction) => execute_sqlite(&mut *transaction, sql).await,
            Self::Postgres(transaction) => execute_postgres(&mut *transaction, sql).await,
        }
    }

    /// Keeps others from what it is about until it ends; the statement is PostgreSQL's. In SQLite, who writes is alone.
    pub(crate) async fn alone(&mut self, lock: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(transaction) => {
                sqlx::query(lock).execute(&mut **transaction).await?;
            }
        }
        Ok(())
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

async fn fetch_sqlite<T: Fetched>(connection: &mut SqliteConnection, sql: Sql) -> Result<Vec<T>, StoreError> {
    let arguments = arguments::<Sqlite>(sql.values)?;
    Ok(sqlx::query_as_with(AssertSqlSafe(sql.text), arguments).fetch_all(connection).await?)
}

async fn fetch_postgres<T: Fetched>(connection: &mut PgConnection, sql: Sql) -> Result<Vec<T>, StoreError> {
    let arguments = arguments::<Postgres>(sql.values)?;
    Ok(sqlx::query_as_with(AssertSqlSafe(sql.text), arguments).fetch_all(connection).await?)
}

async fn execute_sqlite(connection: &mut SqliteConnection, sql: Sql) -> Result<u64, StoreError> {
    let arguments = arguments::<Sqlite>(sql.values)?;
    Ok(sqlx::query_with(AssertSqlSafe(sql.text), arguments).execute(connection).await?.rows_affected())
}

async fn execute_postgres(connection: &mut PgConnection, sql: Sql) -> Result<u64, StoreError> {
    let arguments = arguments::<Postgres>(sql.values)?;
    Ok(sqlx::query_with(AssertSqlSafe(sql.text), arguments).execute(connection).await?.rows_affected())
}

fn arguments<D: Database>(values: Vec<Value>) -> Result<D::Arguments, StoreError>
where
    Option<String>: for<'q> Encode<'q, D> + Type<D>,
    i64: for<'q> Encode<'q, D> + Type<D>,
{
    let mut arguments = D::Arguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Integer(number) => arguments.add(number),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}
