//! A PostgreSQL of a test's own, started by the project's script and stopped with the test.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    databases: AtomicU32,
}

impl Server {
    /// Starts a server; `None`, loudly, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !script(&["find"]).status.success() {
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: no PostgreSQL (`scripts/postgres.sh install` as root)");
            return None;
        }
        let server = Self { folder: tempfile::tempdir().unwrap(), databases: AtomicU32::new(0) };
        // The script may have to run the server under another account, which must get there.
        std::fs::set_permissions(server.folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let started = script(&["start", server.path().to_str().unwrap()]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(server)
    }

    /// An URL of an empty database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("database_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// An URL of a database for an account that needs its password.
    pub(crate) async fn guarded(&self, password: &str) -> String {
        let url = self.database().await;
        self.run(&format!("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{password}'")).await;
        url.replace("user=handfast", "user=guarded")
    }

    /// Does something as the server's own administrator.
    pub(crate) async fn run(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }

    /// Empties a database, which is faster than making another one.
    pub(crate) async fn empty(&self, url: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    }

    /// Stops it; its files stay.
    pub(crate) fn stop(&self) {
        assert!(script(&["stop", self.path().to_str().unwrap()]).status.success());
    }

    /// Starts it again.
    pub(crate) fn start_again(&self) {
        assert!(script(&["start", self.path().to_str().unwrap()]).status.success());
    }

    fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=handfast", self.path().display())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("postgres")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script(&["stop", self.path().to_str().unwrap()]);
    }
}

fn script(arguments: &[&str]) -> std::process::Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres.sh");
    Command::new(script).args(arguments).stdin(std::process::Stdio::null()).output().unwrap()
}
