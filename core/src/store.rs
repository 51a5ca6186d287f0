//! What a store must do, in words: the core has no I/O, and so no store trait.
//!
//! A store has three methods.
//!
//! - `read(keys)` gives the rows that exist: records by their key, sealed secrets by [`Key::Secret`](crate::record::Key::Secret) with version 1.
//! - `commit(batch)` does all of a [`Batch`](crate::vocabulary::Batch) in one serialisable transaction and gives
//!   `true`, or does nothing and gives `false` when a guard does not hold (a version of 0 means: the row must be
//!   absent). Only when the transaction is durable may it give `true`. Notices are counted under their coalescing key.
//! - `due(now, limit)` gives the keys whose `wake_at` has come, the earliest first.
//!
//! What a store needs is one thing: to compare several versions and to write several rows, all or nothing.
//!
//! | store | how |
//! |---|---|
//! | SQL | one transaction: [`SQLITE_SCHEMA`] with `BEGIN IMMEDIATE`; [`POSTGRES_SCHEMA`] has it as a function, and says why it is serialisable |
//! | Redis | a script (`EVAL`): compare the versions of the guarded hashes, then write all; a sorted set of `wake_at` for `due`; `appendfsync always`, or what was answered may be lost |
//! | DynamoDB | `TransactWriteItems` with a `ConditionCheck` for each guard that is not written (`attribute_not_exists` for version 0); a global secondary index on `wake_at` |
//! | etcd, Kubernetes | one `Txn` that compares a version for each guard. Objects of Kubernetes alone do not do: `resourceVersion` guards one object at a time, so keep all of a scope in one, as far as that goes |
//!
//! Whether your store does all that, the module `testing` finds out (feature `conformance`).

/// The tables of the shipped SQLite stores. A host may add its own beside them. Running it again changes nothing.
pub const SQLITE_SCHEMA: &str = include_str!("../stores/sqlite.sql");

/// Brings a file that the first schema made to [`SQLITE_SCHEMA`]. Run it once, in one transaction with the look whether
/// it is needed: where `handfast_records` exists (`pragma_table_info`) and has no column `parent`.
pub const SQLITE_UPGRADE: &str = concat!(
    "ALTER TABLE handfast_records ADD COLUMN parent TEXT;\n\n",
    include_str!("../stores/sqlite.sql"),
    include_str!("../stores/sqlite-from-1.sql"),
);

/// The tables in PostgreSQL (14 or newer), and the function by which a batch is committed there; its text says why that is
/// serialisable. One transaction by itself, which hosts that start at once may all run. Running it again changes nothing.
pub const POSTGRES_SCHEMA: &str = include_str!("../stores/postgres.sql");
