//! Databases for the tests of this folder.

use std::future::Future;

use super::Store;
use crate::database::{Database, Said};

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests of the program")]
pub(super) mod postgres;

/// Runs a test on an empty SQLite file and on an empty database of PostgreSQL, where that is installed.
pub(crate) async fn for_each_database<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let folder = tempfile::tempdir().unwrap();
    test(Store::open(&Database::Sqlite(folder.path().join("a.sqlite"))).await.unwrap()).await;
    let Some(server) = postgres::Server::start() else { return };
    test(Store::open(&at(&server.database().await)).await.unwrap()).await;
}

/// A database by its URL.
pub(super) fn at(url: &str) -> Database {
    Said { option: Some(url.to_owned()), ..Said::default() }.resolve().unwrap()
}
